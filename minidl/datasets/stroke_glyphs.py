"""The ways of writing each digit that stroke_digits draws: control points of pen strokes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# How a glyph is written down: points "x,y" in hundredths of its height, x to the right and y DOWN; the pen
# goes through them along a smooth curve. A "!" after a point makes it a corner, a "|" lifts the pen. The
# number in front is the share of this way of writing among those of its digit (they needn't sum to one).
GLYPHS: dict[int, tuple[tuple[float, str], ...]] = {
    0: (
        (3, "35,0 12,12 0,50 12,88 35,100 58,88 70,50 58,12 35,0 24,3"),
        (2, "50,5 25,3 5,30 3,65 20,96 45,97 66,70 66,30 50,6 32,6"),
        (1, "60,0 40,6 12,20 0,58 18,96 48,97 70,62 64,24 44,6 30,14 42,20"),
        (1, "20,14 2,45 8,85 35,100 62,88 70,50 58,12 32,2"),
    ),
    1: (
        (6, "50,0 50,33 50,67 50,100"),
        (2, "30,22 50,0! 50,50 50,100"),
        (1, "28,22 50,0! 50,50 50,100 | 25,100 50,100 75,100"),
    ),
    2: (
        (2, "5,25 20,5 45,0 65,15 62,40 40,65 0,100! 30,97 70,100"),
        (2, "8,22 25,2 52,2 66,22 55,50 30,78 8,96 0,88 12,78 30,84 50,98 75,92"),
        (2, "5,20 30,0 60,10 60,38 38,70 14,98 0,92 8,74 28,80 50,94 84,86"),
        (1, "5,8 60,5! 0,98! 70,95"),
        (1, "14,30 5,18 22,2 52,0 66,20 50,55 4,96! 40,92 74,98"),
    ),
    3: (
        (3, "5,12 30,0 58,10 58,32 28,47! 60,58 66,80 40,100 2,90"),
        (2, "5,10 30,0 58,12 54,34 30,48 25,44 34,43 60,58 64,82 38,100 0,88"),
        (1, "5,2 60,2! 30,40! 62,55 64,80 38,100 2,90"),
        (2, "4,14 28,0 56,8 56,30 36,46 60,62 60,86 34,100 0,94"),
    ),
    4: (
        (3, "12,0 6,30 2,55! 36,54 70,52 | 60,5 58,50 55,100"),
        (2, "50,0 25,32 0,65! 36,65 74,65 | 50,0 50,50 50,100"),
        (3, "8,0 3,30 12,52 35,56 58,46 | 64,0 60,45 54,100"),
        (1, "10,5 4,50! 58,48! 64,2! 58,50 52,100"),
        (1, "56,0 20,40 4,58! 60,56 | 56,0 52,50 46,100"),
    ),
    5: (
        (3, "64,2 38,3 14,2! 8,45! 35,38 62,55 62,82 35,100 2,92"),
        (2, "16,4 10,44! 38,40 60,58 56,86 30,100 0,92 | 14,4 40,4 72,0"),
        (2, "70,0 30,6 16,28 42,46 60,66 48,94 20,100 0,88"),
        (1, "60,0 24,2! 16,30! 40,34 52,60 40,90 0,98"),
    ),
    6: (
        (3, "52,0 20,30 2,66 15,97 45,97 58,75 42,57 18,62 5,75"),
        (2, "34,0 12,45 4,75 20,98 50,92 55,68 35,56 8,74"),
        (2, "70,2 30,18 5,60 14,96 44,98 56,78 40,62 12,78"),
        (1, "44,0 14,30 0,68 14,98 46,94 48,70 28,64 14,80"),
    ),
    7: (
        (3, "4,6 34,5 66,2! 46,50 30,100"),
        (2, "4,6 34,5 66,2! 46,50 30,100 | 22,52 42,50 64,48"),
        (2, "2,20 5,3! 36,5 66,3! 44,50 32,100"),
        (2, "2,14 20,3 50,6 66,6 62,24 42,60 32,100"),
        (1, "2,10 24,2 46,8 66,2! 56,50 50,100"),
    ),
    8: (
        (3, "60,12 35,0 8,12 12,34 46,55 62,78 38,100 8,88 10,66 40,45 62,24 56,8"),
        (1, "32,0 10,12 12,36 34,46 56,36 56,12 32,0 | 34,46 8,60 6,86 34,100 62,86 60,60 34,46"),
        (2, "64,6 32,2 8,20 28,44 56,68 42,98 12,94 10,72 34,48 66,14"),
        (1, "30,48 10,30 14,6 44,0 58,16 46,40 14,64 8,90 34,100 58,86 54,64 28,46"),
    ),
    9: (
        (3, "60,15 35,0 5,20 10,45 40,48 60,18! 58,60 54,100"),
        (2, "60,15 35,0 6,18 8,42 35,48 58,22 62,6! 64,60 52,92 28,100 5,90"),
        (2, "58,8 25,3 3,28 18,48 48,40 60,10 56,52 40,100"),
        (1, "52,4 20,8 4,34 20,48 46,40 56,20! 48,60 40,100"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """One way of writing a digit, ready to draw.

    `points` (K, 2) are the control points in heights, `spline` (E, K) maps them linearly to E points along
    the pen's path, and `left`, `right` (S,) name the two ends of each of its S short pieces.
    """

    digit: int
    share: float
    points: NDArray[np.float64]
    spline: NDArray[np.float64]
    left: NDArray[np.intp]
    right: NDArray[np.intp]


def compile_styles(pieces: int) -> tuple[Style, ...]:
    """Every way of writing every digit, its path cut into exactly `pieces` pieces of about equal length."""
    return tuple(
        _compile(digit, share, text, pieces) for digit, ways in GLYPHS.items() for share, text in ways
    )


def _compile(digit: int, share: float, text: str, pieces: int) -> Style:
    points, curves = _parse(text)
    lengths = np.array([_length(points[curve]) for curve in curves])
    counts = _apportion(lengths, pieces)
    spline, left = [], []
    start = 0
    for curve, count in zip(curves, counts, strict=True):
        rows = np.zeros((count + 1, len(points)))
        rows[:, curve] = _catmull_rom(_even_parameters(points[curve], count), len(curve))
        spline.append(rows)
        left.append(start + np.arange(count))
        start += count + 1
    ends = np.concatenate(left)
    return Style(digit, share, points, np.concatenate(spline), ends, ends + 1)


def _parse(text: str) -> tuple[NDArray[np.float64], list[list[int]]]:
    """Control points, and the indices of each smooth curve's; two curves that meet in a corner share one."""
    points: list[tuple[float, float]] = []
    curves: list[list[int]] = [[]]
    for word in text.split():
        if word == "|":
            curves.append([])
            continue
        x, y = word.rstrip("!").split(",")
        points.append((float(x) / 100, float(y) / 100))
        curves[-1].append(len(points) - 1)
        if word.endswith("!"):
            curves.append([len(points) - 1])
    return np.array(points), curves


def _apportion(lengths: NDArray[np.float64], pieces: int) -> NDArray[np.intp]:
    """Share out `pieces` in proportion to `lengths`, at least two each, by largest remainder."""
    spare = pieces - 2 * len(lengths)
    quota = lengths / lengths.sum() * spare
    counts: NDArray[np.intp] = np.floor(quota).astype(np.intp)
    counts[np.argsort(counts - quota, kind="stable")[: spare - counts.sum()]] += 1
    counts += 2
    return counts


def _length(points: NDArray[np.float64]) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _even_parameters(points: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The `count + 1` parameters at which a curve is cut into pieces of equal length."""
    fine = np.linspace(0, len(points) - 1, 200)
    path = _catmull_rom(fine, len(points)) @ points
    travelled = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    return np.interp(np.linspace(0, travelled[-1], count + 1), travelled, fine)


def _catmull_rom(t: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The matrix (len(t), n) that takes n points to the Catmull-Rom curve through them at t in [0, n - 1]."""
    i = np.minimum(t.astype(np.intp), n - 2)
    u = t - i
    weights = 0.5 * np.stack(
        [-u + 2 * u**2 - u**3, 2 - 5 * u**2 + 3 * u**3, u + 4 * u**2 - 3 * u**3, -(u**2) + u**3], axis=1
    )
    # One mirrored point beyond each end lets the curve run straight out: p[-1] = 2 p[0] - p[1].
    padded = np.zeros((len(t), n + 2))
    for k in range(4):
        padded[np.arange(len(t)), i + k] += weights[:, k]
    matrix = padded[:, 1:-1].copy()
    matrix[:, 0] += 2 * padded[:, 0]
    matrix[:, 1] -= padded[:, 0]
    matrix[:, -1] += 2 * padded[:, -1]
    matrix[:, -2] -= padded[:, -1]
    return matrix
