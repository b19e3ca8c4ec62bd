"""A table of the results, one line an arm, one column a learning rate: what the rubric quotes.

    python summary.py results.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median


def main(path: str) -> None:
    """Print the median and the range of the last accuracy."""
    results = json.loads(Path(path).read_text(encoding="utf-8"))
    rates = sorted({run["lr"] for run in results["runs"]})
    print(f"{results['data']}, {results['steps']} steps, last test accuracy, median (range); lr {rates}")
    for arm in dict.fromkeys(run["arm"] for run in results["runs"]):
        cells = []
        for lr in rates:
            last = [run["accuracy"][-1] for run in results["runs"] if (run["arm"], run["lr"]) == (arm, lr)]
            cells.append(f"{median(last):.1%} ({min(last):.1%} to {max(last):.1%})")
        print(f"{arm}: {'; '.join(cells)}")


if __name__ == "__main__":
    main(sys.argv[1])
