"""Dense, Conv2D, pools and activations against PyTorch: values and all gradients."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from minidl import layers, ops
from minidl.layers import GELU, AvgPool2D, Conv2D, Dense, Flatten, LeakyReLU, MaxPool2D, ReLU, Sigmoid, Tanh
from minidl.layers import activation as activation_layers
from tests.parity.compare import assert_close, compare, compare_layers, twins
from tests.parity.convert import nchw, nhwc, weight_to_minidl, weight_to_pytorch

torch = pytest.importorskip("torch")
F = torch.nn.functional


def normal(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, 5]).normal(size=shape)


@pytest.mark.parametrize("shape", [(1, 7), (60, 7), (3, 4, 7), (2, 3, 4, 7)], ids=str)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_dense(shape, bias):
    layer, module = twins(Dense(7, 4, bias=bias), torch.nn.Linear(7, 4, bias=bias))
    compare_layers(layer, module, normal(shape))


CONVOLUTIONS = [    # channels in and out, kernel, stride, padding, shape of the images
    (c_in, c_out, kernel, stride, padding, (2, 8, 7))
    for c_in, c_out in ((1, 1), (1, 4), (3, 2))
    for kernel in (1, 2, 3, 5)
    for stride in (1, 2, 3)
    for padding in (0, 1, 2)
] + [
    (2, 3, 3, 4, 0, (2, 9, 9)),     # the stride skips pixels
    (2, 3, 2, 3, 3, (2, 4, 4)),     # windows in the padding alone
    (2, 3, 5, 1, 0, (2, 5, 5)),     # one position
    (2, 3, 3, 1, 1, (2, 1, 1)),     # one pixel
    (16, 16, 3, 1, 1, (1, 6, 6)),   # one image
    (1, 6, 5, 1, 0, (130, 12, 12)),     # more images than one block
]


@pytest.mark.parametrize(("c_in", "c_out", "kernel", "stride", "padding", "images"), CONVOLUTIONS, ids=str)
def test_conv2d(c_in, c_out, kernel, stride, padding, images):
    bias = (kernel + stride + padding) % 2 == 0
    sizes = (c_in, c_out, kernel, stride, padding)
    layer, module = twins(Conv2D(*sizes, bias=bias), torch.nn.Conv2d(*sizes, bias=bias))
    compare_layers(layer, module, normal((*images, c_in)), images=True)


POOLS = [(1, (2, 3, 3, 2)), (2, (2, 6, 4, 3)), (2, (3, 7, 5, 1)), (3, (1, 8, 10, 2)), (4, (2, 4, 7, 2)),
         (5, (1, 5, 5, 1)), (2, (130, 9, 9, 2))]
pools = pytest.mark.parametrize(("size", "shape"), POOLS, ids=str)


@pools
def test_max_pool(size, shape):
    compare_layers(MaxPool2D(size), torch.nn.MaxPool2d(size), normal(shape), images=True)


@pools
def test_avg_pool(size, shape):
    compare_layers(AvgPool2D(size), torch.nn.AvgPool2d(size), normal(shape), images=True)


@pools
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_max_pool_where_values_are_equal(size, shape, levels):
    x = np.random.default_rng(levels).integers(0, levels, shape) - 1.0
    compare_layers(MaxPool2D(size), torch.nn.MaxPool2d(size), x, images=True)


ACTIVATIONS = {
    "sigmoid": (Sigmoid(), torch.nn.Sigmoid()),
    "relu": (ReLU(), torch.nn.ReLU()),
    "tanh": (Tanh(), torch.nn.Tanh()),
    "leaky_relu": (LeakyReLU(), torch.nn.LeakyReLU()),
    "leaky_relu, slope": (LeakyReLU(0.3), torch.nn.LeakyReLU(0.3)),
    "gelu": (GELU(), torch.nn.GELU(approximate="tanh")),
}


def test_no_activation_is_left_out():
    made = {type(layer) for layer, _ in ACTIVATIONS.values()}
    own = {c for c in vars(activation_layers).values() if inspect.isclass(c) and issubclass(c, layers.Layer)}
    assert made == own - {layers.Layer}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    layer, module = ACTIVATIONS[name]
    compare_layers(layer, module, normal((60, 7)) * 3)
    compare_layers(layer, module, normal((2, 3, 4, 5)), images=True)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_at_their_kinks_and_limits(name):
    layer, module = ACTIVATIONS[name]
    x = np.array([0.0, -0.0, 5e-324, -5e-324, 1e-300, 1e-8, -1e-8, 30, -30, 40, -40, 700, -700, 1e4, -1e4])
    compare_layers(layer, module, x[None])
    if name != "gelu":      # there infinity - infinity is NaN in both, and nobody's promise
        compare_layers(layer, module, np.array([[np.inf, -np.inf]]))


def test_flatten_takes_the_pixels_in_another_order():
    # So a weight behind it has its rows in another order, which `image=` of the conversion sets right.
    x, weight = normal((3, 4, 5, 2)), normal((40, 6), seed=1)
    y = ops.dense(Flatten()(x), weight).data
    there = torch.tensor(weight_to_pytorch(weight, (4, 5, 2)).copy())
    z = F.linear(torch.nn.Flatten()(torch.tensor(nchw(x))), there)
    assert_close(y, z.numpy())


@pytest.mark.parametrize(("shape", "image"), [
    ((5,), None), ((4, 3), None), ((40, 6), (4, 5, 2)), ((3, 3, 2, 4), None),
])
def test_conversion_there_and_back(shape, image):
    a = normal(shape)
    np.testing.assert_array_equal(weight_to_minidl(weight_to_pytorch(a, image), image), a)
    if len(shape) == 4:
        np.testing.assert_array_equal(nhwc(nchw(a)), a)


def test_the_comparison_sees_a_difference_in_the_twelfth_digit():
    x = normal((4, 3))
    compare(lambda t: t * 2.0, lambda t: t * 2.0, x)
    with pytest.raises(AssertionError, match="value"):
        compare(lambda t: t * 2.0, lambda t: t * (2.0 + 1e-11), x)
    with pytest.raises(AssertionError, match="gradient of input 0"):
        compare(lambda t: t * 2.0, lambda t: t * 2.0 + 1e-11 * (t - t.detach()), x)
