"""A6, the model solution: draw Figure 1 from results.json, and from nothing else.

    python plot.py results.json             writes figure1.png

It trains nothing and needs no data set: so you can change a colour without waiting. The handout is README.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes


def accuracy_panel(ax: Axes, runs: list[dict[str, Any]]) -> None:
    """Panel (a): test accuracy against steps, both arms; every seed is to be seen, or median and range.

    The paper's y axis is 0.7 to 1. The curves must be told apart without colour too.
    """
    for arm, style, colour in (("plain", "--", "tab:blue"), ("BN", "-", "tab:orange")):
        mine = [run for run in runs if run["arm"] == arm]
        curves = np.array([run["accuracy"] for run in mine])
        steps = mine[0]["step"]
        ax.plot(steps, np.median(curves, axis=0), style, color=colour, label=f"{arm}, median of {len(mine)}")
        ax.fill_between(steps, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.2)
    ax.set_ylim(0.7, 1)
    ax.set_ylabel("test accuracy")


def input_panel(ax: Axes, run: dict[str, Any]) -> None:
    """Panel (b) or (c): the three percentiles of the input to one sigmoid against steps, of one run."""
    names = ("15th", "50th", "85th")
    for values, name, style in zip(zip(*run["percentiles"], strict=True), names, ":-:", strict=True):
        ax.plot(run["step"], values, style, color="black", label=f"{name} percentile")
    ax.set_ylabel("input to one sigmoid")


def label(axes: list[Axes], results: dict[str, Any]) -> None:
    """Titles, axis labels, legend; what a reader must know: data, learning rate, seeds, which run.

    Panels (b) and (c) are compared with each other: give them the same y axis.
    """
    settings = results["settings"]
    axes[0].set_title(f"(a) {results['data']}, lr {settings['lr']}, weights N(0, {settings['std']}^2)")
    for ax, arm, letter in zip(axes[1:], ("plain", "BN"), "bc", strict=True):
        seed = next(run["seed"] for run in results["runs"] if run["arm"] == arm)
        ax.set_title(f"({letter}) {arm}, last layer, unit {settings['unit']}, seed {seed}")
    low = min(ax.get_ylim()[0] for ax in axes[1:])
    high = max(ax.get_ylim()[1] for ax in axes[1:])
    for ax in axes[1:]:
        ax.set_ylim(low, high)
    for ax in axes:
        ax.set_xscale("log")
        ax.set_xlabel("training step")
        ax.legend(fontsize="small")


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
