"""What all optimizers share: gradients, counting, memory, errors, saving and loading."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from minidl.engine.parameter import Parameter
from minidl.engine.tensor import Tensor
from minidl.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, clip_grad_norm
from minidl.schedules import cosine

KINDS = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (Adam, {"weight_decay": 0.01}),
    (AdamW, {}),
    (RMSprop, {"momentum": 0.9, "centered": True, "weight_decay": 0.01}),
    (Adagrad, {"lr_decay": 0.1}),
]
kinds = pytest.mark.parametrize(
    ("kind", "options"), KINDS, ids=lambda v: v.__name__ if isinstance(v, type) else str(v)
)


def parameters(dtype=np.float32, shapes=((4, 3), (3,))):
    rng = np.random.default_rng(0)
    return [Parameter(rng.normal(size=shape).astype(dtype)) for shape in shapes]


def give_gradients(optimizer, seed=0):
    rng = np.random.default_rng(seed)
    for p in optimizer.parameters:
        p.grad = rng.normal(size=p.shape).astype(p.dtype)


def values(optimizer):
    return [p.data.copy() for p in optimizer.parameters]


# ---- step ----------------------------------------------------------------------------------------


@kinds
def test_step_applies_then_clears_and_counts(kind, options):
    optimizer = kind(parameters(), **options)
    before, versions = values(optimizer), [p.version for p in optimizer.parameters]
    for step in range(1, 4):
        give_gradients(optimizer, step)
        optimizer.step()
        assert optimizer.steps == step
        assert all(p.grad is None for p in optimizer.parameters)
    assert all((p.data != old).all() for p, old in zip(optimizer.parameters, before, strict=True))
    assert [p.version for p in optimizer.parameters] == [version + 3 for version in versions]


@kinds
def test_arrays_of_others_are_only_read(kind, options):
    mine, gradient = np.ones((3, 2)), np.full((3, 2), 0.5)
    gradient.flags.writeable = False
    pair = [Parameter(mine), Parameter(mine)]
    optimizer = kind(pair, **options)
    for _ in range(3):
        pair[0].grad = pair[1].grad = gradient      # shared, as a vjp may give it
        optimizer.step()
    assert (mine == 1).all()
    np.testing.assert_array_equal(pair[0].data, pair[1].data)


@kinds
def test_parameters_without_a_gradient_are_skipped(kind, options):
    optimizer = kind(parameters(), **options)
    trained, frozen = optimizer.parameters
    before = frozen.data.copy()
    trained.grad = np.ones_like(trained.data)
    optimizer.step()
    assert (frozen.data == before).all()
    assert frozen.version == 0
    assert trained.version == 1


@kinds
def test_step_without_any_gradient_raises_and_changes_nothing(kind, options):
    optimizer = kind(parameters(), **options)
    before = values(optimizer)
    with pytest.raises(RuntimeError, match=rf"^{kind.__name__}.step\(\) found no gradient in its 2 param"):
        optimizer.step()
    assert optimizer.steps == 0
    assert all((new == old).all() for new, old in zip(values(optimizer), before, strict=True))


def test_zero_grad():
    optimizer = SGD(parameters(), lr=0.1)
    give_gradients(optimizer)
    optimizer.zero_grad()
    assert all(p.grad is None for p in optimizer.parameters)
    assert optimizer.steps == 0


@kinds
def test_float32_stays_float32_with_numpy_options(kind, options):
    options = {name: np.float64(v) if isinstance(v, float) else v for name, v in options.items()}
    optimizer = kind(parameters(), **{**options, "lr": lambda step: np.float64(0.1)})
    give_gradients(optimizer)
    optimizer.step()
    assert all(p.dtype == np.float32 for p in optimizer.parameters)
    state = optimizer.state_dict()
    assert all(array.dtype == np.float32 for array in state.values() if isinstance(array, np.ndarray))
    assert type(optimizer.lr) is float


@kinds
def test_dtypes_and_layouts_may_differ_between_parameters(kind, options):
    rng = np.random.default_rng(0)
    start, gradient = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    arrays = [start, np.asfortranarray(start), start.astype(np.float32)]
    strided = np.repeat(gradient.astype(np.float32), 2, axis=1)[:, ::2]
    gradients = [np.asfortranarray(gradient), gradient, strided]
    optimizer = kind([Parameter(array) for array in arrays], **options)
    for _ in range(2):
        for p, g in zip(optimizer.parameters, gradients, strict=True):
            p.grad = g
        optimizer.step()
    a, b, c = values(optimizer)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(a, c, rtol=1e-4)


@kinds
def test_a_step_takes_no_fresh_memory(kind, options):
    p = Parameter(np.ones((500, 500), np.float32))      # a megabyte
    optimizer = kind([p], **options)
    p.grad = np.ones_like(p.data)
    optimizer.step()
    p.grad = np.ones_like(p.data)
    tracemalloc.start()
    try:
        optimizer.step()
        assert tracemalloc.get_traced_memory()[1] < 20_000
    finally:
        tracemalloc.stop()


@kinds
def test_a_diverging_run_does_not_warn(kind, options):
    optimizer = kind(parameters(), **{**options, "lr": 1e30})
    for _ in range(5):
        for p in optimizer.parameters:
            p.grad = np.full(p.shape, 3e38, np.float32)
        optimizer.step()


def test_a_parameter_replaced_from_outside_is_trained_on():
    p = Parameter(np.zeros(2))
    optimizer = SGD([p], lr=1.0)
    new = np.array([5.0, 6.0])
    p.data = new
    p.grad = np.ones(2)
    optimizer.step()
    np.testing.assert_array_equal(p.data, [4, 5])
    np.testing.assert_array_equal(new, [5, 6])


def test_converting_the_model_afterwards_is_an_error():
    optimizer = SGD(parameters(np.float32), lr=0.1)
    for p in optimizer.parameters:
        p.astype(np.float64)
    give_gradients(optimizer)
    with pytest.raises(RuntimeError, match=r"^SGD was made for float32 parameters and found float64: make"):
        optimizer.step()


def test_a_subclass_must_write_its_formula():
    class Forgetful(Optimizer):
        pass

    optimizer = Forgetful(parameters(), 0.1, 0.0, (), ())
    give_gradients(optimizer)
    with pytest.raises(TypeError, match=r"^Forgetful has no _update method: write its formula there$"):
        optimizer.step()


# ---- the learning rate ---------------------------------------------------------------------------


def test_lr_is_that_of_the_next_step_and_can_be_assigned():
    optimizer = SGD([Parameter(np.zeros(1))], lr=cosine(1.0, total_steps=2))
    seen = []
    for _ in range(3):
        seen.append(optimizer.lr)
        give_gradients(optimizer)
        optimizer.step()
    assert seen == pytest.approx([1.0, 0.5, 0.0])
    optimizer.lr = 0.25
    assert optimizer.lr == 0.25
    with pytest.raises(ValueError, match="SGD expects lr"):
        optimizer.lr = 0
    with pytest.raises(ValueError, match="got -3"):
        optimizer.lr = lambda step: -step
    assert optimizer.lr == 0.25
    assert repr(optimizer) == "SGD(1 parameters, lr=0.25, steps=3)"


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf, None, "0.1"])
def test_a_wrong_schedule_shows_at_once_or_before_anything_changes(rate):
    message = r"^SGD at step 0 expects the schedule's rate to be a number in \[0, inf\), got"
    with pytest.raises(ValueError, match=message):
        SGD(parameters(), lr=lambda step: rate)
    optimizer = SGD(parameters(), lr=lambda step: rate if step else 0.1)
    give_gradients(optimizer)
    optimizer.step()
    before = values(optimizer)
    give_gradients(optimizer)
    with pytest.raises(ValueError, match="SGD at step 1 expects"):
        optimizer.step()
    assert all((new == old).all() for new, old in zip(values(optimizer), before, strict=True))


# ---- bad arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "options", "message"), [
    *((kind, {"lr": lr}, rf"{kind.__name__} expects lr to be a number in \(0, inf\) or a schedule, got")
      for kind in (SGD, Adam, AdamW, RMSprop, Adagrad) for lr in (0, -1, math.nan, math.inf, "0.1", None)),
    *((kind, {"lr": 1, "weight_decay": decay},
       rf"{kind.__name__} expects weight_decay to be a number in \[0, inf\), got")
      for kind in (SGD, Adam, AdamW, RMSprop, Adagrad) for decay in (-1e-4, math.nan)),
    *((kind, {"eps": eps}, rf"{kind.__name__} expects eps to be a number in \(0, inf\), got")
      for kind in (Adam, AdamW, RMSprop, Adagrad) for eps in (0, -1e-8)),
    (SGD, {"lr": 1, "momentum": 1.0}, r"SGD expects momentum to be a number in \[0, 1\), got 1.0$"),
    (SGD, {"lr": 1, "momentum": -0.1}, "SGD expects momentum"),
    (SGD, {"lr": 1, "nesterov": True}, "SGD expects a momentum with nesterov=True, got 0: use momentum=0.9"),
    (Adam, {"betas": (0.9, 1.0)}, r"Adam expects betas\[1\] to be a number in \[0, 1\), got 1.0"),
    (AdamW, {"betas": (-0.1, 0.9)}, r"AdamW expects betas\[0\] to be"),
    (Adam, {"betas": 0.9}, "Adam expects betas to be two numbers such as .*, got 0.9"),
    (Adam, {"betas": (0.9,)}, "Adam expects betas to be two numbers"),
    (RMSprop, {"alpha": 1.0}, r"RMSprop expects alpha to be a number in \[0, 1\), got 1.0"),
    (RMSprop, {"momentum": 1.0}, r"RMSprop expects momentum to be a number in \[0, 1\), got 1.0"),
    (Adagrad, {"lr_decay": -1}, r"Adagrad expects lr_decay to be a number in \[0, inf\), got -1"),
])
def test_bad_options_are_one_sentence(kind, options, message):
    with pytest.raises(ValueError, match=f"^{message}") as error:
        kind(parameters(), **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW, RMSprop, Adagrad])
def test_a_misspelt_option_is_named(kind):
    with pytest.raises(TypeError, match="momentun"):
        kind(parameters(), lr=0.1, momentun=0.9)


class Model:
    def parameters(self):
        return iter(parameters())

    def __iter__(self):
        return iter([self])


P = Parameter(np.zeros(3))


@pytest.mark.parametrize(("what", "error", "message"), [
    (Model(), TypeError, r"expects an iterable of parameters, got a Model: use model.parameters\(\)$"),
    (Model().parameters, TypeError, r"got a method: use model.parameters\(\), with its brackets"),
    (P, TypeError, "got a Parameter: put it into a list"),
    (None, TypeError, "expects an iterable of parameters, got a NoneType"),
    ([], ValueError, "expects at least one parameter, got none"),
    ([P, P], ValueError, r"each parameter once, got number 0 \(shape \(3,\) of float64\) again as number 1"),
    ([P, Tensor([1.0])], TypeError, "expects parameters, got a Tensor as number 1: make it a Parameter"),
    ([("weight", P)], TypeError, r"expects parameters, got a tuple as number 0: use model.parameters\(\)"),
    ([np.zeros(3)], TypeError, "expects parameters, got a ndarray as number 0"),
    ("weights", TypeError, "expects parameters, got a str as number 0"),
])
def test_what_is_no_list_of_parameters(what, error, message):
    with pytest.raises(error, match="^SGD .*" + message):
        SGD(what, lr=0.1)
    with pytest.raises(error, match="^clip_grad_norm .*" + message):
        clip_grad_norm(what, 1.0)


def test_generators_are_fine_once():
    generator = Model().parameters()
    assert len(SGD(generator, lr=0.1).parameters) == 2
    with pytest.raises(ValueError, match="an iterator that was used before is empty too"):
        SGD(generator, lr=0.1)


def test_no_decay_is_checked():
    weight, bias = parameters()
    SGD([weight, bias], lr=0.1, no_decay=(p for p in [bias, bias]))
    with pytest.raises(ValueError, match=r"^SGD expects no_decay to hold parameters that it trains, got"):
        SGD([weight], lr=0.1, no_decay=[bias])
    with pytest.raises(TypeError, match=r"no_decay.* got a Model"):
        SGD([weight], lr=0.1, no_decay=Model())


# ---- saving and loading --------------------------------------------------------------------------


@kinds
def test_a_saved_state_goes_on_bit_for_bit(kind, options, tmp_path):
    options = {**options, "lr": cosine(0.1, total_steps=20)}
    straight = kind(parameters(), **options)
    for step in range(4):
        give_gradients(straight, step)
        if step == 0:
            straight.parameters[1].grad = None      # so that the parameters' own counts differ
        straight.step()
    np.savez(tmp_path / "state.npz", **straight.state_dict())
    resumed = kind([Parameter(p.data.copy()) for p in straight.parameters], **options)
    with np.load(tmp_path / "state.npz") as state:
        resumed.load_state_dict(state)
    assert resumed.steps == 4
    for step in range(4, 8):
        for optimizer in (straight, resumed):
            give_gradients(optimizer, step)
            optimizer.step()
    for a, b in zip(values(straight), values(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_state_is_a_copy_both_ways():
    optimizer = SGD(parameters(), lr=0.1, momentum=0.9)
    state = optimizer.state_dict()
    assert list(state) == ["steps", "0.steps", "0.momentum_buffer", "1.steps", "1.momentum_buffer"]
    give_gradients(optimizer)
    optimizer.step()
    assert state["steps"] == state["0.steps"] == 0
    assert not state["0.momentum_buffer"].any()
    optimizer.load_state_dict(state)
    give_gradients(optimizer)
    optimizer.step()
    assert not state["0.momentum_buffer"].any()


@pytest.mark.parametrize(("kind", "options", "names"), [
    (SGD, {"lr": 0.1}, []), (SGD, {"lr": 0.1, "momentum": 0.5}, ["momentum_buffer"]),
    (Adam, {}, ["exp_avg", "exp_avg_sq"]), (RMSprop, {}, ["square_avg"]),
    (RMSprop, {"momentum": 0.5, "centered": True}, ["square_avg", "grad_avg", "momentum_buffer"]),
    (Adagrad, {}, ["sum"]),
])
def test_each_keeps_what_its_formula_needs_under_pytorchs_names(kind, options, names):
    optimizer = kind([Parameter(np.zeros(2))], **options)
    assert list(optimizer.state_dict()) == ["steps", "0.steps", *[f"0.{name}" for name in names]]


def test_running_averages_have_their_sign():
    gradient = np.array([2.0, -4.0])
    for kind, options, key in (
        (Adam, {"betas": (0.75, 0.9)}, "0.exp_avg"),
        (RMSprop, {"alpha": 0.75, "centered": True}, "0.grad_avg"),
    ):
        optimizer = kind([Parameter(np.zeros(2))], **options)
        optimizer.parameters[0].grad = gradient
        optimizer.step()
        np.testing.assert_array_equal(optimizer.state_dict()[key], gradient / 4)


@pytest.mark.parametrize(("change", "message"), [
    ({"1.momentum_buffer": None}, "missing 1.momentum_buffer"),
    ({"1.exp_avg": np.zeros(3, np.float32)}, "unexpected 1.exp_avg"),
    ({"1.momentum_buffer": np.zeros(4, np.float32)}, r"1.momentum_buffer: expected shape \(3,\) .* \(4,\)"),
    ({"1.momentum_buffer": np.zeros(3)}, "expected shape .* of float32, got shape .* of float64"),
    ({"steps": -1}, "steps: expected a count, got int -1"),
    ({"steps": 1.0}, "steps: expected a count, got float 1.0"),
    ({"1.steps": np.zeros(2, int)}, "1.steps: expected a count, got shape"),
])
def test_loading_is_strict_and_changes_nothing_unless_all_fits(change, message):
    optimizer = SGD(parameters(), lr=0.1, momentum=0.9)
    give_gradients(optimizer)
    optimizer.step()
    before = optimizer.state_dict()
    state = {key: value * 2 for key, value in before.items()} | change
    state = {key: value for key, value in state.items() if value is not None}
    with pytest.raises(ValueError, match=f"^SGD.load_state_dict expects the state of .*{message}"):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert all(np.array_equal(after[key], before[key]) for key in before)


def test_the_state_of_another_optimizer_lists_everything():
    state = Adam(parameters()).state_dict()
    with pytest.raises(ValueError) as error:
        SGD(parameters(), lr=0.1, momentum=0.9).load_state_dict(state)
    for key in ("missing 0.momentum_buffer", "missing 1.momentum_buffer", "unexpected 0.exp_avg;"):
        assert key in str(error.value)
