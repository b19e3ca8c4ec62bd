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
        (1, "48,2 20,4 0,50 20,98 50,96 70,55 62,20 40,16 24,30"),
        (0.5, "24,12 4,36 4,70 24,98 54,96 70,60 66,24 50,6"),
    ),
    1: (
        (8, "50,0 50,33 50,67 50,100"),
        (1, "30,22 50,0! 50,50 50,100"),
        (2, "38,14 50,0! 50,50 50,100"),
        (1, "24,20 50,0! 50,50 50,100 | 18,100 50,100 80,100"),
        (1, "32,16 50,0! 50,50 50,100 | 32,100 50,100 68,100"),
    ),
    2: (
        (2, "5,25 20,5 45,0 65,15 62,40 40,65 0,100! 30,97 70,100"),
        (2, "8,22 25,2 52,2 66,22 55,50 30,78 8,96 0,88 12,78 30,84 50,98 75,92"),
        (2, "5,20 30,0 60,10 60,38 38,70 14,98 0,92 8,74 28,80 50,94 84,86"),
        (2, "4,18 30,0 58,12 62,45 48,80 22,100 2,88 10,68 34,70 56,86 88,98"),
        (1, "10,22 34,0 60,16 58,55 36,90 10,96 6,74 30,68 54,82 74,96"),
        (1, "5,8 60,5! 0,98! 70,95"),
        (1, "14,30 5,18 22,2 52,0 66,20 50,55 4,96! 40,92 74,98"),
        (1, "6,22 28,0 56,10 54,40 34,64 10,84! 50,84 100,88"),
        (1, "6,16 30,0 56,14 48,50 24,80 4,96! 44,84 100,82"),
        (1, "10,14 24,2 38,10 34,40 8,98! 40,94 72,90"),
        (1, "4,24 28,2 48,18 42,66 22,98 4,86 22,74 66,86"),
        (1, "24,14 40,0 54,12 50,50 36,86 10,98 2,80 20,66 50,78 96,70"),
        (1, "0,10 50,0 80,20 60,56 30,90! 60,94 116,90"),
        (1, "0,18 34,0 60,16 50,50 24,84 4,90 6,76 24,76 46,92 72,84"),
    ),
    3: (
        (3, "5,12 30,0 58,10 58,32 28,47! 60,58 66,80 40,100 2,90"),
        (2, "5,10 30,0 58,12 54,34 30,48 25,44 34,43 60,58 64,82 38,100 0,88"),
        (1, "5,2 60,2! 30,40! 62,55 64,80 38,100 2,90"),
        (2, "4,14 28,0 56,8 56,30 36,46 60,62 60,86 34,100 0,94"),
        (1, "4,16 30,0 62,8 56,30 26,44! 54,48 58,76 34,98 4,100"),
        (1, "0,10 30,2 52,14 44,34 20,46! 56,48 70,72 50,98 14,100 4,84"),
        (1, "6,8 34,0 46,16 26,36! 56,56 60,84 34,100 8,92 14,78 32,86"),
        (1, "0,18 26,2 50,10 46,32 30,42 24,34 40,36 58,56 52,84 20,100"),
        (1, "4,4 32,0 50,10 40,28 14,36! 46,44 64,66 44,94 0,100"),
    ),
    4: (
        (3, "12,0 6,30 2,55! 36,54 70,52 | 60,5 58,50 55,100"),
        (2, "50,0 25,32 0,65! 36,65 74,65 | 50,0 50,50 50,100"),
        (3, "8,0 3,30 12,52 35,56 58,46 | 64,0 60,45 54,100"),
        (1, "10,5 4,50! 58,48! 64,2! 58,50 52,100"),
        (1, "56,0 20,40 4,58! 60,56 | 56,0 52,50 46,100"),
        (1, "14,6 6,34 2,58! 40,58 84,56 | 56,28 54,60 50,100"),
        (1, "6,4 4,28 20,44 44,40 56,24 62,2! 58,50 56,100"),
    ),
    5: (
        (3, "64,2 38,3 14,2! 8,45! 35,38 62,55 62,82 35,100 2,92"),
        (2, "16,4 10,44! 38,40 60,58 56,86 30,100 0,92 | 14,4 40,4 72,0"),
        (2, "70,0 30,6 16,28 42,46 60,66 48,94 20,100 0,88"),
        (1, "60,0 24,2! 16,30! 40,34 52,60 40,90 0,98"),
        (2, "100,0 66,6 36,10! 24,44! 50,50 58,72 36,96 0,98"),
        (1, "22,14 16,46! 44,44 62,62 54,90 26,100 0,90 | 24,12 50,8 86,0"),
        (1, "58,4 10,4! 6,36! 44,34 66,52 62,86 30,100 2,96 6,82"),
        (1, "84,0 20,10! 20,42! 58,42 72,70 44,98 0,92"),
        (1, "22,0 14,42! 40,36 58,56 50,88 20,100 2,90"),
        (1, "66,2 12,6 6,36 34,40 58,60 50,92 18,98 4,84"),
        (2, "70,2 24,4! 16,40! 40,36 60,56 52,88 24,98 6,84 8,70"),
        (1, "60,4 20,8 12,36 40,46 56,66 44,94 16,96 4,76 14,64"),
        (1, "74,0 42,8 26,34! 42,36 48,54 30,80 0,100"),
        (1, "12,18 8,46! 38,42 58,62 50,90 20,100 0,90 | 20,10 46,6 74,0"),
        (1, "96,0 42,6! 26,40! 48,40 56,60 34,90 4,96"),
    ),
    6: (
        (3, "52,0 20,30 2,66 15,97 45,97 58,75 42,57 18,62 5,75"),
        (2, "34,0 12,45 4,75 20,98 50,92 55,68 35,56 8,74"),
        (2, "70,2 30,18 5,60 14,96 44,98 56,78 40,62 12,78"),
        (1, "44,0 14,30 0,68 14,98 46,94 48,70 28,64 14,80"),
        (2, "26,0 6,36 2,76 28,100 64,90 70,62 46,50 20,64 6,84"),
        (1, "40,0 14,30 0,74 24,100 66,92 76,66 50,54 24,72"),
        (1, "30,0 14,40 10,80 30,100 48,80 34,60 14,80"),
        (1, "34,0 8,40 4,82 30,100 62,86 58,64 28,64"),
    ),
    7: (
        (3, "4,6 34,5 66,2! 46,50 30,100"),
        (2, "4,6 34,5 66,2! 46,50 30,100 | 22,52 42,50 64,48"),
        (1, "4,6 34,5 66,2! 46,50 30,100 | 8,54 40,48 76,44"),
        (2, "2,20 5,3! 36,5 66,3! 44,50 32,100"),
        (2, "2,14 20,3 50,6 66,6 62,24 42,60 32,100"),
        (1, "2,10 24,2 46,8 66,2! 56,50 50,100"),
        (1, "2,26 6,8 30,4 56,10! 44,50 36,100"),
        (1, "0,8 50,6 90,0! 60,50 40,100"),
        (1, "8,38 10,8! 38,8 64,2! 44,50 34,100"),
        (1, "8,40 14,12 38,4 58,14 56,48 42,100"),
        (0.7, "0,22 40,2 86,4 80,32 46,100"),
    ),
    8: (
        (3, "60,12 35,0 8,12 12,34 46,55 62,78 38,100 8,88 10,66 40,45 62,24 56,8"),
        (1, "32,0 10,12 12,36 34,46 56,36 56,12 32,0 | 34,46 8,60 6,86 34,100 62,86 60,60 34,46"),
        (2, "64,6 32,2 8,20 28,44 56,68 42,98 12,94 10,72 34,48 66,14"),
        (1, "30,48 10,30 14,6 44,0 58,16 46,40 14,64 8,90 34,100 58,86 54,64 28,46"),
        (1, "66,8 40,0 10,10 16,36 42,56 48,82 32,100 16,88 22,66 46,40 72,10"),
        (1, "44,6 16,2 2,22 20,44 50,62 58,88 30,100 10,84 24,58 50,36 52,12 40,2"),
        (1, "72,2 46,38 14,80 10,96 28,100 46,82 26,44 12,14 32,0 54,12 38,46"),
        (1, "50,8 30,0 14,12 26,34 50,48 66,74 40,100 6,84 12,62 34,44 50,22 46,6"),
        (1, "72,0 40,30 10,64 6,90 26,100 44,84 34,54 14,26 24,4 50,8"),
        (1, "68,8 40,0 10,14 16,38 44,56 46,84 32,100 22,84 34,60 62,30"),
    ),
    9: (
        (3, "60,15 35,0 5,20 10,45 40,48 60,18! 58,60 54,100"),
        (2, "60,15 35,0 6,18 8,42 35,48 58,22 62,6! 64,60 52,92 28,100 5,90"),
        (2, "58,8 25,3 3,28 18,48 48,40 60,10 56,52 40,100"),
        (1, "52,4 20,8 4,34 20,48 46,40 56,20! 48,60 40,100"),
        (2, "64,8 30,0 2,30 8,60 40,62 62,30 66,8! 64,60 62,100"),
        (1, "44,10 22,0 4,16 14,34 36,28 46,8 44,50 36,100"),
        (1, "54,30 50,8 24,0 4,18 16,40 42,36 54,24 52,60 34,92 8,96"),
        (0.4, "16,2 2,22 14,44 44,36 58,4! 58,50 54,100"),
        (1, "74,10 34,0 0,26 20,48 58,40 76,10! 62,56 40,100"),
        (1, "62,6 26,0 0,16 10,32 44,30 64,10! 48,50 26,100"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """One way of writing a digit, ready to draw.

    Attributes:
        digit: which one.
        share: of this way among those of its digit; they needn't sum to one.
        points: (K, 2), the control points, in units of the glyph's height.
        spline: (E, K), maps them linearly to E points along the pen's path.
        left: (S,), for each of the path's S short pieces the index of the point where it begins.
        right: (S,), likewise of the point where it ends.

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
