"""gradcheck: it accepts right gradients, rejects wrong ones, and names the worst element."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.engine.gradcheck import GradcheckError
from minidl.layers import BatchNorm, Dense, Dropout, Layer, Sequential, Sigmoid, Tanh

X = np.random.default_rng(0).normal(size=(4, 3))


def damaged(damage):
    """x² with a gradient that `damage` has changed."""
    return lambda x: dl.record("square", x.data**2, (x,), lambda g: (damage(2 * g * x.data.copy()),))


def test_it_accepts_a_right_gradient_and_reports_the_worst_element():
    report = dl.gradcheck(lambda x, y: ops.sigmoid(x) * y, X, X[0])
    assert report.error < 1e-8
    assert report.input in ("input 0", "input 1")
    assert report.analytic == pytest.approx(report.numeric, rel=1e-6)


def test_gradients_from_a_thousandth_on_are_checked_to_1e_7_of_the_largest():
    for size in (1.0, 1e-2):
        assert dl.gradcheck(damaged(lambda g: g * (1 + 5e-8)), X * size).error == pytest.approx(5e-8, rel=0.1)
        with pytest.raises(GradcheckError, match=r"relative error 2e-07 > 1e-07$") as caught:
            dl.gradcheck(damaged(lambda g: g * (1 + 2e-7)), X * size)
        assert caught.value.report.error == pytest.approx(2e-7, rel=0.1)
        assert dl.gradcheck(damaged(lambda g: g * (1 + 2e-7)), X * size, tolerance=3e-7).compared == X.size


@pytest.mark.parametrize("x", [X.astype(np.float32), dl.Tensor(X.astype(np.float32)), [1, 2], 3], ids=type)
def test_inputs_of_any_kind_are_taken_in_float64(x):
    report = dl.gradcheck(lambda t: t * t, x)
    assert (report.error < 1e-8, report.compared) == (True, np.asarray(x).size)


@pytest.mark.parametrize(("damage", "error"), [
    (lambda g: g * 2, 0.5), (lambda g: g / 2, 0.5), (lambda g: -g, 2.0), (lambda g: g * np.inf, np.inf),
])
def test_the_error_is_relative_to_the_larger_of_both(damage, error):
    with pytest.raises(GradcheckError) as caught:
        dl.gradcheck(damaged(damage), X)
    assert caught.value.report.error == pytest.approx(error)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_element_that_is_not_finite_is_the_worst(bad):
    def one_bad(g):
        g[2, 1] = bad
        return g

    with pytest.raises(GradcheckError) as caught:
        dl.gradcheck(damaged(one_bad), X)
    assert (caught.value.report.index, caught.value.report.error) == ((2, 1), np.inf)


def test_the_direction_has_both_signs_so_that_opposite_errors_do_not_cancel():
    errors = 1e-4 * np.where(np.arange(IMAGES.size) % 2, 1, -1).reshape(IMAGES.shape)
    with pytest.raises(GradcheckError, match="along a random direction"):
        dl.gradcheck(
            lambda x: dl.record("sum", x.data.sum(keepdims=True), (x,), lambda g: (g + 0 * x.data + errors,)),
            np.tanh(IMAGES), samples=1, tolerance=2e-4,     # so that the one element passes
        )


@pytest.mark.parametrize("seed", range(10))
def test_the_direction_finds_a_gradient_that_went_to_another_element(seed):
    def swapped(g):
        g = g.copy()
        g[0, 0, 0], g[1, 0, 0] = g[0, 0, 0] + g[1, 0, 0], 0
        return g

    with pytest.raises(GradcheckError, match="along a random direction"):
        dl.gradcheck(damaged(swapped), np.tanh(IMAGES), samples=1, seed=seed)


def test_the_direction_moves_every_element_by_half_a_step_to_a_whole_one():
    seen = []

    def f(x):
        seen.append(x.data.copy())
        return x * 2

    small = np.tanh(X)
    dl.gradcheck(f, small, samples=1)
    for moved in seen[-2:]:
        by = np.abs(moved - small)
        assert 0.4999e-5 < by.min() < 0.6e-5 and 0.9e-5 < by.max() < 1.0001e-5
        assert len(np.unique(by)) == by.size
    np.testing.assert_allclose(seen[-1] + seen[-2], 2 * small, rtol=1e-12)


def test_the_step_is_relative_to_large_inputs():
    def cube(x):
        return x * x * x

    for x, h in ((1.0, 0.01), (0.5, 0.01), (-10.0, 0.1)):       # (x+h)^3 - (x-h)^3 = 2h (3x^2 + h^2)
        report = dl.gradcheck(cube, [x], step=0.01, tolerance=1)
        assert report.error == pytest.approx(h * h / (3 * x * x + h * h), rel=1e-6)
    assert dl.gradcheck(cube, [1e6, -3e5]).error < 1e-8


@pytest.mark.parametrize("samples", [None, 3])
def test_the_same_seed_draws_the_same(samples):
    reports = [dl.gradcheck(lambda x: x.exp(), X, seed=seed, samples=samples) for seed in (5, 5, 6)]
    assert reports[0] == reports[1]
    assert reports[0] != reports[2]


def test_an_error_as_large_as_the_tolerance_is_accepted():
    assert dl.gradcheck(lambda x: x * 0.0, X, tolerance=0).error == 0


def one_element(g):
    g[2, 1] *= 1.001
    return g


@pytest.mark.parametrize("damage", [
    lambda g: g * 1.0001, lambda g: -g, lambda g: 0 * g, lambda g: g[::-1].copy(), lambda g: g * np.nan,
    one_element,
])
def test_it_rejects_a_wrong_gradient(damage):
    with pytest.raises(GradcheckError, match="relative error"):
        dl.gradcheck(damaged(damage), X)


def test_the_error_names_the_input_the_element_and_both_values():
    def wrong(x, y):
        a, b = x.data, y.data
        return dl.record("wrong", a * b, (x, y), lambda g: (g * b, one_element(g * a)))

    with pytest.raises(GradcheckError) as caught:
        dl.gradcheck(wrong, X, X + 1)
    report = caught.value.report
    assert (report.input, report.index) == ("input 1", (2, 1))
    assert report.analytic == pytest.approx(1.001 * report.numeric, rel=1e-6)
    assert str(caught.value).startswith(
        f"gradcheck of wrong: input 1 at (2, 1) expects {report.numeric:.9g} by central differences, got "
    )
    assert isinstance(caught.value, AssertionError)


def test_a_layers_parameters_are_checked_too():
    class Wrong(Dense):
        def forward(self, x):
            y = x.data @ self.weight.data
            W, a = self.weight.data, x.data
            return dl.record("wrong", y, (x, self.weight), lambda g: (g @ W.T, a.T @ g * 1.01))

    with pytest.raises(GradcheckError, match=r"gradcheck of Wrong: weight at \(\d, \d\)"):
        dl.gradcheck(Wrong(3, 2, bias=False), X)
    with pytest.raises(GradcheckError, match=r"gradcheck of Sequential: 0\.weight at"):
        dl.gradcheck(Sequential(Wrong(3, 2, bias=False)), X)


def test_the_layer_itself_stays_as_it_was():
    model = Sequential(Dense(3, 4), BatchNorm(4), Sigmoid(), Dropout(0.5), seed=0)
    before = model.state_dict()
    noise = model[3].generator.bit_generator.state
    dl.gradcheck(model, X)
    assert model[0].weight.dtype == np.float32
    assert model[3].generator.bit_generator.state == noise
    assert all(p.grad is None for p in model.parameters())
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_frozen_parameter_is_not_checked():
    layer = Dense(3, 2)
    layer.weight.requires_grad = False
    assert dl.gradcheck(Sequential(layer, Tanh()), X).input in ("input 0", "0.bias")


def test_the_upstream_gradient_is_random_and_independent_of_usual_inputs():
    """With ones, or with g = x, batch normalization has the true gradient 0, and many wrong ones pass."""
    def without_variance_term(x):
        _, mean, var = ops.statistics.batch_statistics(x.data)
        inverse = 1 / np.sqrt(var + 1e-5)
        return dl.record("bn", (x.data - mean) * inverse, (x,), lambda g: (inverse * (g - g.mean(0)),))

    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=(5, 3))
        dl.gradcheck(lambda t: ops.batch_norm(t)[0], x, seed=seed)
        with pytest.raises(GradcheckError):
            dl.gradcheck(without_variance_term, x, seed=seed)


def test_a_gradient_of_nearly_zero_is_measured_against_the_floor():
    model = Sequential(Dense(3, 4), BatchNorm(4), seed=0)       # the bias has no effect
    assert dl.gradcheck(model, X).error < 1e-7
    with pytest.raises(GradcheckError):
        dl.gradcheck(damaged(lambda g: g + 1e-6), X * 1e-9, floor=1e-9)


def test_an_input_may_be_passed_through():
    assert dl.gradcheck(lambda x: x, X).error < 1e-8
    assert dl.gradcheck(Dropout(0.5).eval(), X).error < 1e-8


def test_a_check_that_compares_nothing_is_no_check():
    with pytest.raises(ValueError, match=r"element, for all inputs are empty: \(0, 3\), \(2, 0\): give it"):
        dl.gradcheck(lambda x, y: x.sum() + y.sum(), np.zeros((0, 3)), np.zeros((2, 0)))


def test_an_empty_input_beside_others_is_passed_over():
    report = dl.gradcheck(lambda x, y: ops.concatenate([x, y]) * 2, np.zeros((0, 3)), X)
    assert (report.input, report.compared) == ("input 1", X.size)
    assert dl.gradcheck(lambda x, W: x @ W, np.zeros((0, 3)), X.T).numeric == 0     # the sum over no examples

    def garbage(x, W):
        return dl.record("wrong", x.data @ W.data, (x, W), lambda g: (x.data, W.data * 0 + 1))

    with pytest.raises(GradcheckError, match="input 1"):
        dl.gradcheck(garbage, np.zeros((0, 3)), X.T)


IMAGES = np.random.default_rng(1).normal(size=(40, 7, 5, 2))


@pytest.mark.parametrize("samples", [1, 7])
def test_samples_compare_so_many_elements_of_each_input_and_a_direction(samples):
    assert dl.gradcheck(lambda x, y: ops.tanh(x) * y, IMAGES, IMAGES[0], samples=samples).error < 1e-8
    assert dl.gradcheck(lambda x, y: x * y, IMAGES, IMAGES[0], samples=samples).compared == 2 * (samples + 1)
    assert dl.gradcheck(lambda x: x * x, X, samples=1000).compared == X.size + 1


def test_the_direction_finds_one_wrong_element_that_was_not_sampled():
    def wrong(x):
        a = x.data
        def vjp(g):
            dx = 2 * g * a
            dx[33, 4, 1, 1] += 1e-5 * np.abs(dx).max()
            return (dx,)
        return dl.record("square", a * a, (x,), vjp)

    with pytest.raises(GradcheckError, match=r"input 0 along a random direction expects .* got ") as caught:
        dl.gradcheck(wrong, IMAGES, samples=1)
    assert caught.value.report.index is None


@pytest.mark.parametrize("damage", [
    lambda g: g * 1.0001, lambda g: -g, lambda g: 0 * g, lambda g: g[::-1].copy(), lambda g: g * np.nan,
])
def test_samples_reject_a_wrong_gradient(damage):
    with pytest.raises(GradcheckError, match="relative error"):
        dl.gradcheck(damaged(damage), IMAGES, samples=1)


@pytest.mark.parametrize("samples", [0, -1])
def test_a_wrong_number_of_samples(samples):
    with pytest.raises(ValueError, match=f"samples of 1 or more, or None for all elements, got {samples}"):
        dl.gradcheck(ops.exp, X, samples=samples)


@pytest.mark.parametrize(("f", "arguments", "message"), [
    (lambda: dl.Tensor(1.0), (), "^gradcheck expects inputs or parameters to check, got none$"),
    (lambda x: np.ones(2), (X,), r"expects a tensor back, got an array: return what minidl\.record"),
    (lambda x: None, (X,), r"expects a tensor back, got NoneType None: return"),
    (lambda x: dl.record("half", np.float32(x.data), (x,), lambda g: (g,)), (X,), r"got float32: keep"),
    (lambda x: ops.batch_norm(x), (X,), "expects a tensor back, got tuple"),
])
def test_messages(f, arguments, message):
    with pytest.raises(TypeError, match=message):
        dl.gradcheck(f, *arguments)


@pytest.mark.parametrize("draw", [
    lambda generator, x: x * generator.normal(size=x.shape),
    lambda generator, x: x[: generator.integers(1, 39)],     # another length
])
def test_a_function_that_draws_is_told_so_before_it_is_called_wrong(draw):
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"gradcheck of .* the same result each time, got another"):
        dl.gradcheck(lambda x: draw(generator, x), np.arange(1.0, 40.0))
    drawn_alike = dl.gradcheck(lambda x: draw(np.random.default_rng(0), x), np.arange(1.0, 40.0))
    assert drawn_alike.error < 1e-7


def test_an_input_without_effect_is_an_error():
    with pytest.raises(ValueError, match=r"tensor 1, .* has no path to the loss"):
        dl.gradcheck(lambda x, y: x * 2, X, X)


def test_a_custom_layer_is_checked_like_any_other():
    class Scale(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Dense(3, 3, bias=False)
            self.factor = dl.Parameter(np.ones(3, np.float32))

        def forward(self, x, y):
            return self.inner(x) * self.factor + ops.exp(y)

    dl.gradcheck(Scale(), X, X[0])


@pytest.mark.parametrize(("size", "drift"), [(1.0, 5e-9), (0.0, 5e-9), (1e6, 1e-2)])
def test_a_result_that_drifts_from_call_to_call_is_not_the_same(size, drift):
    calls = []

    def f(x):
        calls.append(x)
        return x * 0.0 + (size + drift * len(calls))

    with pytest.raises(ValueError, match="expects the same result each time, got another at the second call"):
        dl.gradcheck(f, X)


def test_nan_twice_is_the_same_result_and_a_wrong_gradient():
    with pytest.raises(GradcheckError):
        dl.gradcheck(lambda x: x * np.nan, X)
