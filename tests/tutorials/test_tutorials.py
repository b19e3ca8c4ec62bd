"""Every tutorial runs, as a script and as a notebook, and its assertions notice a broken library."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
from pathlib import Path

import pytest

from tests.tutorials.damaged import NOTICED
from tests.tutorials.files import FIGURES, FOLDER, TUTORIALS, beside, cells, copied, figures_of, start

# The README's test command has no time for all of them; .ci/run runs the rest, which is marked slow.
QUICK = {"00", "01", "04", "12"}
# The first ones have no batch normalization in them.
FIRST = {"01", "02", "03"}
MOST_LINES = 170        # "about 150"

HERE = Path(__file__).parent
slow = pytest.mark.slow
each = pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
runs = [
    pytest.param(path, seed, id=f"{path.stem}-{seed}", marks=() if quick and not seed else slow)
    for path in TUTORIALS for quick in [path.stem[:2] in QUICK] for seed in (0, 1, 2)
]


def test_they_are_numbered_without_a_gap() -> None:
    assert [path.name[:2] for path in TUTORIALS] == [f"{i:02}" for i in range(len(TUTORIALS))]
    assert len(TUTORIALS) == 17


@each
def test_percent_format(tutorial: Path) -> None:
    found = cells(tutorial)     # a line before the first cell or another kind of cell is an error
    kinds = [kind for kind, _ in found]
    assert kinds[0] == "markdown" and kinds[-1] == "code" and kinds.count("markdown") >= 5
    for kind, lines in found:
        text = [line for line in lines if line]
        assert text, "an empty cell"
        if kind == "markdown":
            assert all(line == "#" or line.startswith("# ") for line in text), text
        else:
            ast.parse("\n".join(lines))     # a cell is whole: no block goes on in the next
            assert not re.match("%|!", text[0]), "a notebook's magic is no Python"
    assert found[0][1][0].startswith(f"# # {tutorial.stem[:2]} "), "the title begins with the number"


@each
def test_it_is_short_and_ends_with_assertions(tutorial: Path) -> None:
    assert len(tutorial.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    last = ast.parse("\n".join(cells(tutorial)[-1][1]))
    assert sum(isinstance(node, ast.Assert) for node in ast.walk(last)) >= 3


def test_options_are_read_in_one_way() -> None:
    for name in ("FAST = ", "SEED = ", "FIGURES = ("):
        lines = {
            line.split("    #")[0] for path in TUTORIALS
            for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(name)
        }
        assert len(lines) == 1, lines


@each
def test_what_stands_in_for_mnist_is_announced_and_spoils_no_figure(tutorial: Path) -> None:
    text = tutorial.read_text(encoding="utf-8")
    loading = re.findall(r"^(\w+), \w+, notice = .+\n(.+)\n", text, flags=re.MULTILINE)
    assert len(loading) == text.count("mnist_or_stroke_digits()") <= 1
    for data, then in loading:
        assert then.startswith(f'FIGURES = FIGURES / "fast" if {data}.synthetic else FIGURES')
        assert 'print(notice or f"data: {' in text


@each
def test_its_figures_are_there(tutorial: Path) -> None:
    names = figures_of(tutorial)
    assert names and all(name.startswith(tutorial.stem[:2]) for name in names)
    for name in names:
        assert (FIGURES / name).stat().st_size < 150_000, name
    assert {path.name for path in FIGURES.glob(f"{tutorial.stem[:2]}_*")} == set(names)


def test_the_readme_lists_them() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\d_\w+\.py)\)", readme) == [path.name for path in TUTORIALS]
    shown = re.findall(r"figures/(\d\d_[\w.]+)", readme)
    assert [name[:2] for name in shown] == [path.name[:2] for path in TUTORIALS], "a figure for each"
    assert all((FIGURES / name).is_file() for name in shown)


def drawn(folder: Path, tutorial: Path) -> set[str]:
    """The figures that a fast run left: of synthetic digits in a folder of their own."""
    own = "fast" if "mnist_or_stroke_digits" in tutorial.read_text(encoding="utf-8") else ""
    return {path.name for path in (folder / "figures" / own).glob("*.png")}


@pytest.mark.parametrize(("tutorial", "seed"), runs)
def test_fast(tutorial: Path, seed: int, tmp_path: Path) -> None:
    done = start(copied(tutorial, tmp_path), "--fast", "--seed", str(seed), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert drawn(tmp_path, tutorial) == set(figures_of(tutorial))
    if "dl.datasets" in tutorial.read_text(encoding="utf-8"):
        assert "stroke digits (synthetic)" in done.stdout


@slow
@each
def test_in_full(tutorial: Path, tmp_path: Path) -> None:
    folder = os.environ.get("MINIDL_DATASETS")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("needs real MNIST: set MINIDL_DATASETS to the folder that holds mnist/")
    done = start(copied(tutorial, tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr


@slow
@each
def test_as_a_notebook(tutorial: Path, tmp_path: Path) -> None:
    if not all(importlib.util.find_spec(name) for name in ("jupytext", "nbclient", "ipykernel")):
        pytest.skip("needs pip install -e '.[notebooks]'")
    beside(tmp_path)
    done = start(
        HERE / "as_notebook.py", str(tutorial), str(tmp_path / "tutorial.ipynb"), folder=tmp_path,
        variables={"MINIDL_FAST": "1"},
    )
    assert done.returncode == 0, done.stderr
    kinds = [kind for kind, _ in cells(tutorial)]
    expected = f"{kinds.count('code')} code cells, {kinds.count('markdown')} text cells"
    assert done.stdout.splitlines()[-1] == expected
    assert drawn(tmp_path, tutorial) == set(figures_of(tutorial))


@pytest.mark.parametrize("tutorial", [
    pytest.param(path, id=path.stem, marks=() if path.stem.startswith("01") else slow) for path in TUTORIALS
])
def test_it_notices_a_broken_library(tutorial: Path, tmp_path: Path) -> None:
    part = "sigmoid" if tutorial.stem[:2] in FIRST else "batch_norm"
    done = start(HERE / "damaged.py", part, str(copied(tutorial, tmp_path)), "--fast", folder=tmp_path)
    assert done.returncode == NOTICED, f"no assertion failed\n{done.stdout}\n{done.stderr}"


def functions(path: Path) -> set[str]:
    """The names that importing the file would define."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}


@each
def test_no_function_is_an_answer(tutorial: Path) -> None:
    starters = list(FOLDER.glob("assignments/a*_*/a[1-5].py"))
    asked = set().union(*map(functions, starters))
    assert len(starters) == 5 and len(asked) > 30
    assert not functions(tutorial) & asked, "a file that is handed in gets no points"
