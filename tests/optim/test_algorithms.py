"""The optimizers' formulas, and clipping: by hand, and against PyTorch where it is installed."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from minidl.engine.parameter import Parameter
from minidl.optim import SGD, Adagrad, Adam, AdamW, RMSprop, clip_grad_norm
from minidl.schedules import cosine

CASES = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "weight_decay": 0.3}),
    (SGD, {"lr": 0.1, "momentum": 0.9}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.3}),
    (SGD, {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    (SGD, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.3}),
    (Adam, {}),
    (Adam, {"lr": 0.05, "betas": (0.7, 0.9), "eps": 0.1}),
    (Adam, {"lr": 0.05, "betas": (0.7, 0.9), "weight_decay": 0.3}),
    (AdamW, {}),
    (AdamW, {"lr": 0.05, "betas": (0.7, 0.9), "eps": 0.1, "weight_decay": 0.3}),
    (RMSprop, {}),
    (RMSprop, {"lr": 0.05, "alpha": 0.8, "eps": 0.1, "weight_decay": 0.3}),
    (RMSprop, {"lr": 0.05, "alpha": 0.8, "momentum": 0.7}),
    (RMSprop, {"lr": 0.05, "alpha": 0.8, "eps": 0.1, "centered": True}),
    (RMSprop, {"lr": 0.05, "alpha": 0.8, "centered": True, "momentum": 0.7, "weight_decay": 0.3}),
    (Adagrad, {}),
    (Adagrad, {"lr": 0.05, "lr_decay": 0.2, "eps": 0.1, "weight_decay": 0.3}),
]
cases = pytest.mark.parametrize(
    ("optimizer", "options"), CASES, ids=lambda v: v.__name__ if isinstance(v, type) else str(v)
)


# ---- by hand: the papers' lines for one number, in exact order, with plain arithmetic ------------


def sgd(w, gradients, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    b = 0.0
    for g in gradients:
        g = g + weight_decay * w
        b = momentum * b + g
        w = w - lr * (g + momentum * b if nesterov else b)
    return w


def adam(w, gradients, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        if decoupled:
            w = w - lr * weight_decay * w
        else:
            g = g + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        w = w - lr * (m / (1 - betas[0] ** t)) / (math.sqrt(v / (1 - betas[1] ** t)) + eps)
    return w


def adamw(w, gradients, weight_decay=0.01, **options):
    return adam(w, gradients, weight_decay=weight_decay, decoupled=True, **options)


def rmsprop(w, gradients, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    v = a = b = 0.0
    for g in gradients:
        g = g + weight_decay * w
        v = alpha * v + (1 - alpha) * g**2
        a = alpha * a + (1 - alpha) * g
        b = momentum * b + g / (math.sqrt(v - a**2 if centered else v) + eps)
        w = w - lr * b
    return w


def adagrad(w, gradients, lr=0.01, lr_decay=0.0, weight_decay=0.0, eps=1e-10):
    s = 0.0
    for t, g in enumerate(gradients, start=1):
        g = g + weight_decay * w
        s = s + g**2
        w = w - lr / (1 + (t - 1) * lr_decay) * g / (math.sqrt(s) + eps)
    return w


BY_HAND = {SGD: sgd, Adam: adam, AdamW: adamw, RMSprop: rmsprop, Adagrad: adagrad}


def draw(shapes, steps):
    """Start values, and gradients for each step, for parameters of these shapes."""
    rng = np.random.default_rng(3)
    starts = [rng.normal(size=shape) for shape in shapes]
    return starts, [[rng.normal(size=shape) for shape in shapes] for _ in range(steps)]


def train(optimizer, gradients):
    """The parameters' values after one step with each list of gradients; None means no gradient."""
    for step in gradients:
        for parameter, gradient in zip(optimizer.parameters, step, strict=True):
            parameter.grad = None if gradient is None else gradient.astype(parameter.dtype)
        optimizer.step()
    return [parameter.data for parameter in optimizer.parameters]


@cases
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 2e-5)])
def test_by_hand(optimizer, options, dtype, tolerance):
    starts, gradients = draw([(2, 3), (2,), ()], steps=5)
    starts = [start.astype(dtype) for start in starts]
    ends = train(optimizer([Parameter(start) for start in starts], **options), gradients)
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        assert end.dtype == dtype
        for index in np.ndindex(start.shape):
            series = [float(step[i][index].astype(dtype)) for step in gradients]
            expected = BY_HAND[optimizer](float(start[index]), series, **options)
            assert end[index] == pytest.approx(expected, rel=tolerance, abs=tolerance)


def test_sgd_in_numbers():
    weight = Parameter(np.array([1.0]))
    optimizer = SGD([weight], lr=0.5, momentum=0.5, weight_decay=0.5)
    train(optimizer, [[np.array([1.0])]])
    assert weight.data == 0.25          # g = 1 + 0.5;          b = 1.5;         w = 1 - 0.75
    train(optimizer, [[np.array([-1.0])]])
    assert weight.data == 0.3125        # g = -1 + 0.125;       b = 0.75 - 0.875; w = 0.25 + 0.0625


def test_adam_in_numbers():
    # The bias correction makes the first step lr * g / (|g| + eps), whatever the betas.
    weight = Parameter(np.array([1.0, 1.0]))
    optimizer = Adam([weight], lr=0.5, betas=(0.5, 0.75), eps=1.0)
    train(optimizer, [[np.array([1.0, -3.0])]])
    np.testing.assert_allclose(weight.data, [1 - 0.5 * 1 / 2, 1 + 0.5 * 3 / 4], rtol=1e-15)
    # m = 0.25, m' = 0.25 / 0.75; v = 0.1875, v' = 0.1875 / 0.4375
    train(optimizer, [[np.array([0.0, 0.0])]])
    assert weight.data[0] == pytest.approx(0.75 - 0.5 * (1 / 3) / (math.sqrt(3 / 7) + 1), rel=1e-14)


@cases
def test_a_schedule_sets_the_rate_of_each_step(optimizer, options):
    starts, gradients = draw([(3,)], steps=6)
    schedule = cosine(0.3, total_steps=5)
    [scheduled] = train(optimizer([Parameter(s) for s in starts], **{**options, "lr": schedule}), gradients)
    by_hand = optimizer([Parameter(s) for s in starts], **{**options, "lr": 1.0})
    for step, gradient in enumerate(gradients[:5]):
        by_hand.lr = schedule(step)
        train(by_hand, [gradient])
    assert schedule(5) == 0.0           # so the sixth step changes nothing
    np.testing.assert_array_equal(scheduled, by_hand.parameters[0].data)


@cases
def test_no_decay_is_weight_decay_zero_for_those_alone(optimizer, options):
    options = {"lr": 0.05, **options, "weight_decay": 0.3}
    starts, gradients = draw([(2, 3), (3,)], steps=4)
    weight, bias = (Parameter(start) for start in starts)
    train(optimizer([weight, bias], **options, no_decay=[bias]), gradients)
    decayed = train(optimizer([Parameter(start) for start in starts], **options), gradients)
    plain = train(optimizer([Parameter(s) for s in starts], **{**options, "weight_decay": 0.0}), gradients)
    np.testing.assert_array_equal(weight.data, decayed[0])
    np.testing.assert_array_equal(bias.data, plain[1])
    assert (bias.data != decayed[1]).any()


@cases
def test_a_parameter_that_starts_late_counts_its_own_steps(optimizer, options):
    starts, gradients = draw([(3,)], steps=6)
    both = optimizer([Parameter(np.ones(2)), Parameter(starts[0])], **options)
    train(both, [[np.ones(2), None]] * 4)
    late = train(both, [[None, step[0]] for step in gradients])[1]
    [alone] = train(optimizer([Parameter(starts[0])], **options), gradients)
    np.testing.assert_array_equal(late, alone)


def test_a_steady_gradient_leaves_centered_rmsprop_finite():
    # v - a^2 is then zero up to rounding, which takes it below zero sooner or later.
    weight = Parameter(np.ones(1000, np.float32))
    gradient = np.random.default_rng(0).normal(size=1000)
    optimizer = RMSprop([weight], lr=1e-12, alpha=0.5, centered=True)
    train(optimizer, [[gradient]] * 200)
    assert np.isfinite(weight.data).all()


# ---- against PyTorch -----------------------------------------------------------------------------


@cases
@pytest.mark.parametrize("exempt", [False, True], ids=["all decay", "no_decay"])
@pytest.mark.parametrize("late", [0, 6], ids=["", "late start"])
def test_parity_with_pytorch(optimizer, options, exempt, late):
    torch = pytest.importorskip("torch")
    starts, gradients = draw([(4, 3), (3,), (2, 2)], steps=20)
    for step in gradients[:late]:
        step[2] = None          # a parameter that is frozen at first counts its own steps
    ours = [Parameter(start) for start in starts]
    theirs = [torch.tensor(start, requires_grad=True) for start in starts]
    groups = [{"params": [theirs[0], theirs[2]]}, {"params": [theirs[1]]}]
    if exempt:
        groups[1]["weight_decay"] = 0.0
    reference = getattr(torch.optim, optimizer.__name__)(groups, **options)
    for step in gradients:
        for tensor, gradient in zip(theirs, step, strict=True):
            tensor.grad = None if gradient is None else torch.tensor(gradient)
        reference.step()
    train(optimizer(ours, **options, no_decay=[ours[1]] if exempt else ()), gradients)
    for parameter, tensor in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter.data, tensor.detach().numpy(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("optimizer", [Adam, AdamW, RMSprop, Adagrad])
def test_defaults_are_pytorchs(optimizer):
    torch = pytest.importorskip("torch")
    theirs = inspect.signature(getattr(torch.optim, optimizer.__name__)).parameters
    ours = inspect.signature(optimizer).parameters
    names = [name for name in ours if name not in ("parameters", "no_decay")]
    assert [ours[name].default for name in names] == [theirs[name].default for name in names]


# ---- clipping ------------------------------------------------------------------------------------


def clippable(*gradients):
    ps = [Parameter(np.zeros(np.shape(g), np.asarray(g).dtype)) for g in gradients]
    for p, g in zip(ps, gradients, strict=True):
        p.grad = np.asarray(g)
    return ps


def test_clipping_scales_all_by_one_factor():
    a, b = np.array([3.0, 0.0]), np.array([[4.0]])
    ps = clippable(a, b)
    assert clip_grad_norm(iter([*ps, Parameter(np.zeros(2))]), 2.5) == 5.0
    np.testing.assert_allclose(ps[0].grad, [3 * 2.5 / 5.000001, 0], rtol=1e-14)
    np.testing.assert_allclose(ps[1].grad, [[4 * 2.5 / 5.000001]], rtol=1e-14)
    assert a.tolist() == [3, 0]         # never written into: arrays may be shared
    assert b.tolist() == [[4]]


def test_short_gradients_stay_the_arrays_that_they_were():
    a = np.array([3.0, 4.0])
    [p] = clippable(a)
    assert clip_grad_norm([p], 5.001) == 5.0
    assert p.grad is a
    clip_grad_norm([p], 5.0)        # at the limit the 1e-6 in the formula decides, as in PyTorch
    np.testing.assert_allclose(p.grad, a * (5 / 5.000001), rtol=1e-14)


def test_a_shared_gradient_is_clipped_once():
    shared = np.array([3.0, 4.0])
    ps = clippable(shared, shared)
    norm = clip_grad_norm(ps, 1.0)
    assert norm == pytest.approx(math.sqrt(50))
    for p in ps:
        np.testing.assert_allclose(p.grad, shared / (norm + 1e-6))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_norm_that_is_not_finite_changes_nothing(bad):
    a, b = np.array([3.0, bad]), np.array([100.0])
    ps = clippable(a, b)
    assert not math.isfinite(clip_grad_norm(ps, 1.0))
    assert ps[0].grad is a
    assert ps[1].grad is b


def test_large_float32_gradients_do_not_overflow():
    [p] = clippable(np.array([3e30, 4e30], np.float32))
    assert clip_grad_norm([p], 1.0) == pytest.approx(5e30, rel=1e-6)
    np.testing.assert_allclose(p.grad, [0.6, 0.8], rtol=1e-6)
    assert p.grad.dtype == np.float32


def test_clipping_after_the_step_is_an_error():
    with pytest.raises(RuntimeError, match=r"^clip_grad_norm found no gradient: call it between"):
        clip_grad_norm([Parameter(np.zeros(2))], 1.0)


@pytest.mark.parametrize("max_norm", [0, -1, math.nan, math.inf, None])
def test_max_norm_is_checked(max_norm):
    with pytest.raises(ValueError, match=r"^clip_grad_norm expects max_norm to be .* \(0, inf\), got"):
        clip_grad_norm(clippable(np.ones(2)), max_norm)


@pytest.mark.parametrize("max_norm", [0.5, 1e3])
def test_clipping_is_pytorchs(max_norm):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=(4, 3)), rng.normal(size=5)]
    theirs = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in gradients]
    for tensor, g in zip(theirs, gradients, strict=True):
        tensor.grad = torch.tensor(g)
    ours = clippable(*gradients)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    assert clip_grad_norm(ours, max_norm) == pytest.approx(float(expected), rel=1e-14)
    for p, tensor in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad, tensor.grad.numpy(), rtol=1e-14)
