"""What the paper says of batch normalization (Ioffe & Szegedy 2015), as equations that must hold exactly."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl.layers import BatchNorm, Conv2D, Dense, Flatten, Sequential, Sigmoid
from minidl.training import recalibrate

DENSE, MAPS = (9, 4), (5, 3, 2, 4)
SHAPES = pytest.mark.parametrize("shape", [DENSE, MAPS], ids=["dense", "maps"])
EPS = 0.3


def sample(shape, seed=0):
    """Inputs whose mean depends on the position, and a random upstream gradient."""
    rng = np.random.default_rng([seed, 7])
    return rng.normal(size=shape) * 2 + rng.normal(size=shape[1:]) * 3, rng.normal(size=shape)


def norm(features, seed=0, dtype=np.float64, **options):
    """A BatchNorm with random gamma and beta, and running statistics that no batch has."""
    rng = np.random.default_rng([seed, 8])
    layer = BatchNorm(features, **options).astype(dtype)
    for parameter in layer.parameters():
        parameter.data = (rng.uniform(0.5, 2, features) * rng.choice([-1, 1], features)).astype(dtype)
    layer.running_mean = rng.normal(5, 1, features).astype(dtype)
    layer.running_var = rng.uniform(3, 9, features).astype(dtype)
    return layer


def run(model, x, g):
    """Output, gradient of x, and gradients of the parameters by name."""
    model.zero_grad()
    x = dl.Tensor(x, requires_grad=True)
    with dl.Tape() as tape:
        y = model(x)
    tape.backward(y, gradient=g)
    return y.data, x.grad, {name: p.grad for name, p in model.named_parameters()}


def over_all_but_last(a):
    return tuple(range(a.ndim - 1))


# ---- section 3: each feature on its own --------------------------------------------------------------------

@SHAPES
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_feature_leaves_all_others_alone_bit_for_bit(shape, training, dtype):
    x, g = (a.astype(dtype) for a in sample(shape))
    k, rest = 2, [0, 1, 3]
    other_x, other_g = x.copy(), g.copy()
    other_x[..., k] = other_x[..., k] ** 2 * 100
    other_g[..., k] *= -7
    results = []
    for a, upstream in ((x, g), (other_x, other_g)):
        layer = norm(4, dtype=dtype)
        layer.training = training
        y, dx, gradients = run(layer, a, upstream)
        results.append((y, dx, *gradients.values(), layer.running_mean, layer.running_var))
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one[..., rest], other[..., rest])
    assert not np.array_equal(results[0][0][..., k], results[1][0][..., k])


@SHAPES
def test_gamma_and_beta_can_restore_the_input(shape):
    x, _ = sample(shape)
    layer, axes = BatchNorm(4, eps=EPS).astype(np.float64), over_all_but_last(x)
    layer.gamma.data = np.sqrt(x.var(axes) + EPS)
    layer.beta.data = x.mean(axes)
    np.testing.assert_allclose(layer(x).data, x, rtol=0, atol=1e-13 * abs(x).max())


@SHAPES
@pytest.mark.parametrize("eps", [0.0, 1e-5, EPS, 10.0])
def test_the_variance_afterwards_is_var_over_var_plus_eps(shape, eps):
    x, _ = sample(shape)
    axes = over_all_but_last(x)
    y = BatchNorm(4, eps=eps, affine=False).astype(np.float64)(x).data
    var = x.var(axes)
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axes), var / (var + eps), rtol=1e-12)
    if eps:
        assert (y.var(axes) < 1).all()


@SHAPES
def test_the_running_variance_takes_m_over_m_minus_1_with_m_values_per_feature_map(shape):
    x, _ = sample(shape)
    axes, m = over_all_but_last(x), int(np.prod(shape[:-1]))     # m' = m·p·q
    layer = norm(4, momentum=1.0)
    layer(x)
    np.testing.assert_allclose(layer.running_var, m / (m - 1) * x.var(axes), rtol=1e-13)
    np.testing.assert_allclose(layer.running_mean, x.mean(axes), rtol=1e-12)


@SHAPES
def test_the_gradient_of_x_is_orthogonal_to_1_and_nearly_to_x_hat(shape):
    # y doesn't change if x is shifted, nor, with eps = 0, if it is stretched: dx has no share along either.
    x, g = sample(shape)
    axes = over_all_but_last(x)
    for eps in (0.0, EPS):
        layer = norm(4, eps=eps)
        _, dx, gradients = run(layer, x, g)
        np.testing.assert_allclose(dx.sum(axes), 0, atol=1e-13)
        # With eps > 0 stretching changes y a little: Σ dx·(x - mean) = gamma·dgamma · eps / (var + eps).
        along = (dx * (x - x.mean(axes))).sum(axes)
        share = layer.gamma.data * gradients["gamma"] * eps / (x.var(axes) + eps)
        np.testing.assert_allclose(along, share, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_dense_is_convolutional_on_maps_of_one_pixel(training):
    x, g = sample(DENSE)
    found = []
    for shape in (DENSE, (9, 1, 1, 4)):
        layer = norm(4, eps=EPS)
        layer.training = training
        y, dx, gradients = run(layer, x.reshape(shape), g.reshape(shape))
        assert y.shape == dx.shape == shape
        found.append((y.ravel(), dx.ravel(), *gradients.values(), layer.running_mean, layer.running_var))
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_maps_are_dense_on_their_pixels():
    x, g = sample(MAPS)
    y, dx, gradients = run(norm(4), x, g)
    rows_y, rows_dx, rows_gradients = run(norm(4), x.reshape(-1, 4), g.reshape(-1, 4))
    assert np.array_equal(y.reshape(-1, 4), rows_y) and np.array_equal(dx.reshape(-1, 4), rows_dx)
    assert all(np.array_equal(gradients[name], rows_gradients[name]) for name in gradients)


# ---- section 3.2: the bias before it -----------------------------------------------------------------------

@pytest.mark.parametrize(("before", "shape"), [
    (lambda: Dense(3, 4), (9, 3)), (lambda: Conv2D(3, 4, 2, padding=1), (5, 4, 3, 3)),
], ids=["Dense", "Conv2D"])
def test_a_bias_before_it_has_no_gradient_and_no_effect(before, shape):
    model = Sequential(before(), norm(4), seed=0).astype(np.float64)
    x, _ = sample(shape)
    g = np.random.default_rng(3).normal(size=model(x).shape)
    y, _, gradients = run(model, x, g)
    scale = abs(gradients["0.weight"]).max()
    assert scale > 0.1 and abs(gradients["0.bias"]).max() < 1e-13 * scale
    model[0].bias.data = np.array([3.0, -5.0, 0.5, 20.0])
    np.testing.assert_allclose(model(x).data, y, rtol=0, atol=1e-12)
    # In evaluation mode the statistics don't follow: there the bias moves the output, and has a gradient.
    model.eval()
    _, _, gradients = run(model, x, g)
    assert abs(gradients["0.bias"]).min() > 1e-3


# ---- section 3.3: the scale of the weights -----------------------------------------------------------------

FACTORS = pytest.mark.parametrize("a", [0.01, 0.5, 3.0, 100.0])


def scaled(a, eps, shape=(12, 5), seed=0):
    """BN((a·W)u): output, gradients of u and of a·W; and z = Wu with the upstream gradient g."""
    rng = np.random.default_rng([seed, 9])
    u, W, g = rng.normal(size=shape), rng.normal(size=(shape[-1], 4)), rng.normal(size=(*shape[:-1], 4))
    layer = norm(4, eps=eps)
    u = dl.Tensor(u, requires_grad=True)
    weight = dl.Tensor(a * W, requires_grad=True)
    with dl.Tape() as tape:
        y = layer(dl.ops.matmul(u, weight))
    tape.backward(y, gradient=g)
    return y.data, u.grad, weight.grad, (u.data, u.data @ W, W, g, layer)


def close(found, expected, tolerance=1e-12):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * abs(expected).max())


@FACTORS
@pytest.mark.parametrize("shape", [(12, 5), (4, 3, 2, 5)], ids=["dense", "maps"])
def test_with_eps_0_the_scale_of_the_weights_does_not_matter(a, shape):
    y, du, dW, _ = scaled(1.0, 0.0, shape)
    y_a, du_a, dW_a, _ = scaled(a, 0.0, shape)
    close(y_a, y)           # BN((aW)u) = BN(Wu)
    close(du_a, du)         # the gradient with respect to u is the same
    close(dW_a, dW / a)     # larger weights have smaller gradients


@FACTORS
def test_with_eps_the_scale_a_is_the_same_as_eps_over_a_squared(a):
    # a·(z - mean) / √(a²·var + eps) = (z - mean) / √(var + eps/a²), and so for every gradient.
    y, du, dW, _ = scaled(1.0, EPS / a**2)
    y_a, du_a, dW_a, _ = scaled(a, EPS)
    close(y_a, y)
    close(du_a, du)
    close(dW_a, dW / a)


@FACTORS
def test_the_deviation_for_eps_above_0(a):
    """With r = √((var + eps) / (var + eps/a²)), from scale 1 to scale a.

    y - beta is r times as large. The gradient of z = Wu, which at scale 1 is
    dz = gamma/√(var + eps) · (g - mean(g) - x̂·mean(g·x̂)), becomes r·dz plus a share along x̂,
    r·(1 - r²)·gamma/√(var + eps) · x̂·mean(g·x̂), since x̂ itself is r times as large. Both go to 0 with eps.
    """
    y, du, dW, (u, z, W, g, layer) = scaled(1.0, EPS)
    y_a, du_a, dW_a, _ = scaled(a, EPS)
    gamma, beta = layer.gamma.data, layer.beta.data
    var = z.var(0)
    std = np.sqrt(var + EPS)
    r = std / np.sqrt(var + EPS / a**2)
    x_hat = (z - z.mean(0)) / std
    dz = gamma / std * (g - g.mean(0) - x_hat * (g * x_hat).mean(0))
    along = gamma / std * x_hat * (g * x_hat).mean(0)
    close(du, dz @ W.T)     # so dz is what it is taken for
    dz_a = r * dz + r * (1 - r**2) * along

    close(y_a - beta, r * (y - beta))
    close(du_a, dz_a @ W.T)
    close(dW_a, u.T @ dz_a / a)
    assert abs(y_a - y).max() > 1e-3 and abs(du_a - du).max() > 1e-3 and abs(a * dW_a - dW).max() > 1e-3
    # To first order in eps the output is off by the share eps·(1 - 1/a²) / (2·var).
    assert (abs(r - 1) <= abs(EPS * (1 - 1 / a**2)) / (2 * np.minimum(var, var + EPS / a**2))).all()


def test_the_deviation_vanishes_with_eps():
    (y, du, dW, (_, z, *_)), a = scaled(1.0, 0.0), 3.0
    for eps in (1e-3, 1e-5, 1e-7):
        y_a, du_a, dW_a, _ = scaled(a, eps)
        bound = 4 * eps / z.var(0).min()
        close(y_a, y, bound)
        close(du_a, du, bound)
        close(dW_a * a, dW, bound)


# ---- algorithm 2 -------------------------------------------------------------------------------------------

@SHAPES
def test_recalibrate_is_the_average_over_batches_with_m_over_m_minus_1(shape):
    size, batches = 4, 3
    x, _ = sample((size * batches + 1, *shape[1:]))     # the last one fills no batch
    model = Sequential(norm(4), Sigmoid(), norm(4, seed=1)).astype(np.float64)
    recalibrate(model, (x, np.zeros(len(x))), batch_size=size)
    parts = [x[i * size : (i + 1) * size] for i in range(batches)]
    for layer in (model[0], model[2]):
        axes, m = over_all_but_last(x), int(np.prod((size, *shape[1:-1])))
        mean = np.mean([p.mean(axes) for p in parts], axis=0)
        var = m / (m - 1) * np.mean([p.var(axes) for p in parts], axis=0)
        np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(layer.running_var, var, rtol=1e-12)
        # What the next layer sees while the statistics are taken: each batch by its own.
        normalised = [(p - p.mean(axes)) / np.sqrt(p.var(axes) + 1e-5) for p in parts]
        y = [layer.gamma.data * p + layer.beta.data for p in normalised]
        parts = [1 / (1 + np.exp(-p)) for p in y]


def test_recalibrate_is_momentum_none_with_frozen_weights():
    x, _ = sample((12, 4))
    recalibrated, averaging = norm(4), BatchNorm(4, momentum=None).astype(np.float64)
    recalibrate(recalibrated, (x, np.zeros(12)), batch_size=4)
    for i in range(3):
        averaging(x[4 * i : 4 * i + 4])
    assert np.array_equal(recalibrated.running_mean, averaging.running_mean)
    assert np.array_equal(recalibrated.running_var, averaging.running_var)


@SHAPES
def test_evaluation_is_one_affine_map(shape):
    x, g = sample(shape)
    layer = norm(4, eps=EPS).eval()
    scale = layer.gamma.data / np.sqrt(layer.running_var + EPS)
    y, dx, _ = run(layer, x, g)
    close(y, scale * x + (layer.beta.data - scale * layer.running_mean), 1e-14)
    close(dx, g * scale, 1e-14)
    single, _, _ = run(layer, x[:1], g[:1])
    assert np.array_equal(single, y[:1])        # whatever the companions in the batch are


def test_a_single_example_in_training_mode_is_refused_and_two_give_signs():
    x, _ = sample((2, 4))
    with pytest.raises(ValueError, match="more than one value per feature"):
        BatchNorm(4)(x[:1])
    y = BatchNorm(4, eps=0.0, affine=False).astype(np.float64)(x).data
    np.testing.assert_allclose(abs(y), 1, rtol=1e-12)


def test_a_network_with_one_example_for_many_pixels_may_train():
    x, _ = sample((1, 3, 2, 4))
    assert Sequential(norm(4), Flatten())(x).shape == (1, 24)
