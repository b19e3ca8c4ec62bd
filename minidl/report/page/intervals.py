"""The two intervals of a contrast as a small drawing, beside zero and the smallest effect that matters."""

from __future__ import annotations

from minidl.experiments.lab import Interval
from minidl.report.page.html import Html, tag

LEFT, RIGHT = 68.0, 350.0      # of the plot, in a drawing of 360 x 76
ROWS = {"t": 26.0, "bootstrap": 44.0}
BOTTOM = 56.0


def interval_chart(interval: Interval, smallest: float, description: str) -> Html:
    """Each interval as a bar, the wider one, which decides, bold; its mean as a dot."""
    bounds = {"t": interval.t, "bootstrap": interval.bootstrap}
    everything = [0.0, smallest, interval.mean, *interval.t, *interval.bootstrap]
    least, most = min(everything), max(everything)
    scale = (RIGHT - LEFT - 16) / ((most - least) or 1.0)

    def place(value: float) -> float:
        return LEFT + 8 + scale * (value - least)

    parts = [
        _line(place(0), 14, place(0), BOTTOM, "zero"),
        _line(place(smallest), 14, place(smallest), BOTTOM, "smallest"),
        _text(place(0), BOTTOM + 13, "0"),
        _text(place(smallest), 10, f"smallest that matters: {smallest:+.3g}"),
    ]
    for name, (low, high) in bounds.items():
        kind = "bar decides" if (low, high) == interval.decisive else "bar"
        y = ROWS[name]
        parts += [
            tag("text", name, x="0", y=f"{y + 4:.1f}", class_=kind.replace("bar", "name")),
            _line(place(low), y, place(high), y, kind),
            *(_line(place(end), y - 5, place(end), y + 5, kind) for end in (low, high)),
            tag("circle", cx=f"{place(interval.mean):.1f}", cy=f"{y:.1f}", r="4", class_="mean"),
        ]
    return tag("svg", *parts, viewBox="0 0 360 76", role="img", aria_label=description, class_="interval")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    return tag("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=kind)


def _text(x: float, y: float, text: str) -> Html:
    """Centred above its place, or as near as the drawing allows."""
    half = 2.9 * len(text)
    return tag("text", text, x=f"{min(max(x, half), 360 - half):.1f}", y=f"{y:.1f}", text_anchor="middle")
