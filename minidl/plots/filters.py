"""What a first layer looks for, and what a layer answers: weights and activations as small pictures."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from minidl.plots.axes import axes_or_new
from minidl.plots.mosaic import mosaic
from minidl.plots.seeds import Values

_MOST, _MOST_COLUMNS = 64, 12


def filters(
    weights: ArrayLike, ax: Axes | None = None, *, image_shape: tuple[int, int] | None = None
) -> Axes:
    """The weights of a Conv2D or Dense as pictures, one a filter; white is 0, red positive, blue negative.

    All share one scale, that of the colour bar. Of more than 64 pictures the first 64 are drawn, and the
    title says so. Of a Conv2D on several maps each picture is one pair "input map - output map".

    Args:
        weights: a Conv2D's (kernel, kernel, in, out), or a Dense's (in, out) with `image_shape`.
        ax: where to draw; None makes a figure. The colour bar takes its room from it.
        image_shape: (height, width) of the images that a Dense receives, flattened.

    Raises:
        ValueError: weights of another shape, or that aren't finite.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from minidl.layers import Conv2D
        >>> conv = Conv2D(1, 8, 3)
        >>> ax = filters(conv.weight.data, Figure(layout="constrained").subplots())
        >>> ax.get_title(), [text.get_text() for text in ax.texts][:3]
        ('8 filters of 3 x 3', ['0', '1', '2'])

    """
    array, inputs = np.asarray(weights, dtype=np.float64), 1
    if image_shape is None and array.ndim == 4 and array.size:
        _, _, inputs, outputs = array.shape
        pictures = array.transpose(3, 2, 0, 1).reshape(-1, *array.shape[:2])
        pairs = [(i, o) for o in range(outputs) for i in range(inputs)]
        captions = [str(o) if inputs == 1 else f"{i} - {o}" for i, o in pairs]
    elif image_shape and array.ndim == 2 and array.size and len(array) == math.prod(image_shape):
        pictures = array.T.reshape(-1, *image_shape)
        captions = [str(unit) for unit in range(len(pictures))]
    else:
        raise ValueError(
            "filters expects Conv2D weights (kernel, kernel, in, out), or Dense weights (height * width, "
            f"out) with image_shape=(height, width), got shape {array.shape} and image_shape={image_shape}"
        )
    largest = _largest("filters", pictures)
    name = "filter" if len(pictures) == 1 else "filters"
    columns = inputs if 1 < inputs <= _MOST_COLUMNS else None       # then a row is an output map
    return _draw(pictures, captions, ax, name, "weight", "RdBu_r", (-largest, largest), columns)


def feature_maps(activations: ArrayLike, ax: Axes | None = None) -> Axes:
    """The activations of one example as pictures, one a feature map; the number below is the map's.

    All share one scale, that of the colour bar: dark is low, bright is high. Of more than 64 maps the first
    64 are drawn, and the title says so.

    Args:
        activations: (height, width, maps), of one example, such as `probe(model,
            images[:1]).find(op="relu")[0].output.data[0]`.
        ax: where to draw; None makes a figure. The colour bar takes its room from it.

    Raises:
        ValueError: activations of another shape, or that aren't finite.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from minidl.instruments import probe
        >>> from minidl.layers import Conv2D, ReLU, Sequential
        >>> tape = probe(Sequential(Conv2D(1, 4, 3, padding=1), ReLU(), seed=0), np.eye(8)[None, :, :, None])
        >>> activations = tape.find(op="relu")[0].output.data[0]
        >>> feature_maps(activations, Figure(layout="constrained").subplots()).get_title()
        '4 feature maps of 8 x 8'

    """
    array = np.asarray(activations, dtype=np.float64)
    if array.ndim != 3 or not array.size:
        raise ValueError(
            f"feature_maps expects (height, width, maps) of one example, got shape {array.shape}"
            + (": take one, activations[0]" if array.ndim == 4 else "")
        )
    _largest("feature_maps", array)
    pictures = array.transpose(2, 0, 1)
    captions = [str(number) for number in range(len(pictures))]
    low, high = min(0.0, float(array.min())), float(array.max())
    name = "feature map" if len(pictures) == 1 else "feature maps"
    return _draw(pictures, captions, ax, name, "activation", "viridis", (low, max(high, low + 1e-12)))


def _draw(
    pictures: Values, captions: list[str], ax: Axes | None, name: str, label: str, cmap: str,
    limits: tuple[float, float], columns: int | None = None,
) -> Axes:
    shown = min(len(pictures), _MOST)
    columns = columns or math.ceil(math.sqrt(shown))
    rows = -(-shown // columns)
    ax = axes_or_new(ax, (max(3.2, 0.75 * columns + 1.2), 0.6 + 0.75 * rows))
    size = " x ".join(map(str, pictures.shape[1:]))
    count = f"{shown}" if shown == len(pictures) else f"the first {shown} of {len(pictures):,}"
    ax.set_title(f"{count} {name} of {size}", fontsize="medium")
    image = mosaic(ax, pictures[:shown], captions[:shown], columns, cmap=cmap, vmin=limits[0], vmax=limits[1])
    ax.figure.colorbar(image, ax=ax, label=label)
    return ax


def _largest(where: str, array: Values) -> float:
    largest = float(np.abs(array).max())
    if not math.isfinite(largest):
        raise ValueError(f"{where} expects finite numbers, got nan or inf: the network has diverged")
    return largest or 1e-12
