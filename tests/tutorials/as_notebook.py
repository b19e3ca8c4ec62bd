"""Converts a tutorial into a notebook and executes it:  python as_notebook.py tutorial.py out.ipynb."""

from __future__ import annotations

import sys
from pathlib import Path


def execute(tutorial: Path, notebook: Path) -> None:
    """Write the notebook, run its cells in a kernel that works in its folder, and count them."""
    import jupytext  # here: pytest imports this file for its doctests, also where these are missing
    from nbclient import NotebookClient

    jupytext.write(jupytext.read(tutorial), notebook)
    content = jupytext.read(notebook)
    where = {"metadata": {"path": str(notebook.parent)}}
    NotebookClient(content, timeout=600, kernel_name="python3", resources=where).execute()
    kinds = [cell.cell_type for cell in content.cells]
    print(f"{kinds.count('code')} code cells, {kinds.count('markdown')} text cells")


if __name__ == "__main__":
    execute(*map(Path, sys.argv[1:]))
