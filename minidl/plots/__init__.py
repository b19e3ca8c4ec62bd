"""Figures: plain data and an Axes go in, the Axes comes out. No backend is picked, and only `Live` shows."""

from minidl.plots.axes import share_legend
from minidl.plots.bands import bands
from minidl.plots.confusion import confusion_matrix
from minidl.plots.curves import curves
from minidl.plots.filters import feature_maps, filters
from minidl.plots.gradient_flow import gradient_flow, update_ratios
from minidl.plots.heat_map import heat_map
from minidl.plots.live import Live
from minidl.plots.mistakes import mistakes
from minidl.plots.percentiles import percentiles
from minidl.plots.ridgeline import ridgeline
from minidl.plots.saturation import saturation
from minidl.plots.save import save
from minidl.plots.style import arm_style
from minidl.plots.sweep import sweep
from minidl.plots.tape import tape

__all__ = [
    "Live",
    "arm_style",
    "bands",
    "confusion_matrix",
    "curves",
    "feature_maps",
    "filters",
    "gradient_flow",
    "heat_map",
    "mistakes",
    "percentiles",
    "ridgeline",
    "saturation",
    "save",
    "share_legend",
    "sweep",
    "tape",
    "update_ratios",
]
