"""A6, task 2: draw Figure 1 from results.json, and from nothing else.

    python plot.py results.json             writes figure1.png

It trains nothing and needs no data set: so you can change a colour without waiting. The handout is README.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes


def accuracy_panel(ax: Axes, runs: list[dict[str, Any]]) -> None:
    """Panel (a): test accuracy against steps, both arms; every seed is to be seen, or median and range.

    The paper's y axis is 0.7 to 1. The curves must be told apart without colour too.
    """
    raise NotImplementedError("A6, task 2: accuracy_panel(ax, runs)")


def input_panel(ax: Axes, run: dict[str, Any]) -> None:
    """Panel (b) or (c): the three percentiles of the input to one sigmoid against steps, of one run."""
    raise NotImplementedError("A6, task 2: input_panel(ax, run)")


def label(axes: list[Axes], results: dict[str, Any]) -> None:
    """Titles, axis labels, legend; what a reader must know: data, learning rate, seeds, which run.

    Panels (b) and (c) are compared with each other: give them the same y axis.
    """
    raise NotImplementedError("A6, task 2: label(axes, results)")


# ---- what follows is complete ------------------------------------------------------------------------------


def main() -> None:
    """Read the numbers, draw three panels, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results.json"))
    parser.add_argument("--out", type=Path, default=Path("figure1.png"))
    options = parser.parse_args()
    results = json.loads(options.results.read_text(encoding="utf-8"))
    runs = results["runs"]
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    accuracy_panel(axes[0], runs)
    for ax, arm in zip(axes[1:], ("plain", "BN"), strict=True):
        input_panel(ax, next(run for run in runs if run["arm"] == arm))
    label(list(axes), results)
    figure.savefig(options.out, dpi=120)
    print(options.out)


if __name__ == "__main__":
    main()
