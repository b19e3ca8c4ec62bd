"""How arms look: colours for the colour-blind, and a line style and a marker for print without colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK = OKABE_ITO = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
"""Okabe & Ito's palette (2008), without its yellow, which is too pale for a line on white."""

GREY = "#666666"

LineStyle = str | tuple[float, tuple[float, ...]]

# 4 dashes and 9 markers share no factor: without colour too a pair of them comes back only after 36 arms.
LINE_STYLES: tuple[LineStyle, ...] = ("-", (0, (5, 2)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1.3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


@dataclass(frozen=True)
class ArmStyle:
    """How one arm looks; `arm_style` makes it.

    Attributes:
        color: as "#RRGGBB".
        linestyle: a name of matplotlib's, or (offset, lengths of dashes and gaps).
        marker: a name of matplotlib's.

    """

    color: str
    linestyle: LineStyle
    marker: str

    def line(self, points: int) -> dict[str, Any]:
        """Arguments of `Axes.plot` for a line of that many points, about ten of them with a marker."""
        return {
            "color": self.color,
            "linestyle": self.linestyle,
            "marker": self.marker,
            "markersize": 4.5,
            "markevery": max(1, -(-points // 12)),
            "linewidth": 1.6,
        }


def arm_style(number: int) -> ArmStyle:
    """Colour, line style and marker of an arm, so that it looks alike in every figure.

    Neighbours differ in all three: they can be told apart without colour.

    Args:
        number: of the arm, counted from 0.

    Raises:
        ValueError: if number is negative.

    Example:
        >>> arm_style(0)
        ArmStyle(color='#0072B2', linestyle='-', marker='o')
        >>> len({(arm_style(i).linestyle, arm_style(i).marker) for i in range(36)})
        36

    """
    if number < 0:
        raise ValueError(f"arm_style expects the number of an arm, got {number}: count from 0")
    return ArmStyle(
        OKABE_ITO[number % len(OKABE_ITO)],
        LINE_STYLES[number % len(LINE_STYLES)],
        MARKERS[number % len(MARKERS)],
    )
