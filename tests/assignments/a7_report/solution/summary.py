"""A table of a sweep, one line for an arm and a learning rate: what the rubric quotes.

    python summary.py runs.json
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from statistics import median


def main(path: str) -> None:
    """Print outcomes, median accuracy, and the median shares of the last layer and of the first."""
    results = json.loads(Path(path).read_text(encoding="utf-8"))
    cells: dict[tuple[str, float], list[dict]] = {}
    for run in results["runs"]:
        cells.setdefault((run["arm"], run["lr"]), []).append(run)
    print(f"{results['data']}: arm, lr: outcomes; accuracy, median (range); saturated/dead by layer, medians")
    for (arm, lr), runs in cells.items():
        accuracies = [run["accuracy"] for run in runs]
        shares = [
            f"{median(run['layers'][i]['saturated'] for run in runs):.0%}/"
            f"{median(run['layers'][i]['dead'] for run in runs):.0%}"
            for i in range(len(runs[0]["layers"]))
        ]
        outcomes = ", ".join(f"{n} {name}" for name, n in Counter(run["outcome"] for run in runs).items())
        print(
            f"{arm}, {lr:g}: {outcomes}; {median(accuracies):.1%} ({min(accuracies):.1%} to "
            f"{max(accuracies):.1%}); {' '.join(shares)}"
        )


if __name__ == "__main__":
    main(sys.argv[1])
