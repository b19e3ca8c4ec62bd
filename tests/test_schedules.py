"""Schedules: formulas at their corners and against PyTorch (where installed), errors, and pickling."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from minidl.schedules import (
    as_schedule,
    constant,
    cosine,
    exponential,
    number_in,
    one_cycle,
    step_decay,
    warmup,
)

STEPS = 40
ALL = {
    "constant": constant(0.5),
    "step_decay": step_decay(0.5, step_size=7, gamma=0.3),
    "exponential": exponential(0.5, gamma=0.9),
    "cosine": cosine(0.5, total_steps=STEPS, min_lr=0.01),
    "warmup": warmup(cosine(0.5, total_steps=STEPS), steps=10),
    "one_cycle": one_cycle(0.5, total_steps=STEPS, pct_start=0.25, div_factor=10, final_div_factor=100),
}


def rates(schedule, steps=STEPS):
    return [schedule(step) for step in range(steps)]


def test_constant():
    assert rates(constant(0.3)) == [0.3] * STEPS


def test_step_decay():
    assert rates(step_decay(1.0, 3, 0.5), 7) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert rates(step_decay(1.0, 2), 5) == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_exponential():
    assert rates(exponential(2.0, 0.5), 4) == [2, 1, 0.5, 0.25]


def test_cosine():
    schedule = cosine(1.0, total_steps=6, min_lr=0.2)
    expected = [1.0, 0.6 + 0.4 * math.sqrt(0.75), 0.8, 0.6, 0.4, 0.6 - 0.4 * math.sqrt(0.75), 0.2, 0.2, 0.2]
    assert rates(schedule, 9) == pytest.approx(expected, rel=1e-14)
    assert schedule(0) == 1.0
    assert schedule(6) == schedule(10**6) == 0.2
    assert cosine(1.0, 6)(6) == 0.0


def test_warmup_of_a_number():
    assert rates(warmup(0.4, steps=4), 6) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_warmup_of_a_schedule_keeps_its_clock():
    inner = cosine(0.5, total_steps=20)
    outer = warmup(inner, steps=5)
    assert rates(outer, 5) == pytest.approx([inner(step) * (step + 1) / 5 for step in range(5)])
    assert [outer(step) for step in range(4, 30)] == [inner(step) for step in range(4, 30)]


def test_one_cycle():
    schedule = one_cycle(1.0, total_steps=21, pct_start=5 / 21, div_factor=10, final_div_factor=100)
    assert schedule(0) == 0.1                               # max_lr / div_factor
    assert schedule(2) == pytest.approx((0.1 + 1) / 2)      # half-way up
    assert schedule(4) == pytest.approx(1.0)                # the peak: pct_start * total_steps - 1
    assert schedule(12) == pytest.approx((1 + 0.001) / 2)   # half-way down
    assert schedule(20) == schedule(1000) == 0.001          # first / final_div_factor, for ever
    up_and_down = np.diff(rates(schedule, 21))
    assert (up_and_down[:4] > 0).all()
    assert (up_and_down[4:] < 0).all()


def test_one_cycle_has_the_defaults_of_its_source():
    schedule = one_cycle(1.0, total_steps=100)
    assert schedule(0) == 1 / 25
    assert schedule(29) == 1.0
    assert schedule(99) == pytest.approx(1 / 25 / 1e4)


@pytest.mark.parametrize("name", ALL)
def test_rates_are_python_floats_and_survive_pickling(name):
    assert all(type(rate) is float and 0 <= rate < math.inf for rate in rates(ALL[name], 3 * STEPS))
    assert rates(pickle.loads(pickle.dumps(ALL[name]))) == rates(ALL[name])


def test_numpy_numbers_become_python_floats():
    assert type(constant(np.float64(0.5))(0)) is float
    assert type(cosine(np.float32(0.5), np.int64(10))(np.int64(3))) is float


@pytest.mark.parametrize("name", [*ALL, "warmup of a number"])
def test_parity_with_pytorch(name):
    torch = pytest.importorskip("torch")
    lr_scheduler = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    make = {
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
        "step_decay": lambda: lr_scheduler.StepLR(optimizer, 7, 0.3),
        "exponential": lambda: lr_scheduler.ExponentialLR(optimizer, 0.9),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, STEPS, 0.01),
        "warmup": lambda: lr_scheduler.LambdaLR(
            optimizer, lambda t: (1 + math.cos(math.pi * t / STEPS)) / 2 * min(1, (t + 1) / 10)
        ),
        "warmup of a number": lambda: lr_scheduler.LinearLR(optimizer, 0.1, 1.0, total_iters=9),
        "one_cycle": lambda: lr_scheduler.OneCycleLR(
            optimizer, 0.5, STEPS, pct_start=0.25, div_factor=10, final_div_factor=100, cycle_momentum=False
        ),
    }
    theirs = make[name]()
    expected = []
    for _ in range(STEPS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    ours = warmup(0.5, steps=10) if name == "warmup of a number" else ALL[name]
    assert rates(ours) == pytest.approx(expected, rel=1e-12)


def test_as_schedule():
    assert as_schedule("SGD", 0.5)(10) == 0.5
    schedule = cosine(0.5, 10)
    assert as_schedule("SGD", schedule) is schedule
    with pytest.raises(ValueError, match=r"^SGD expects lr to be .* in \(0, inf\) or a schedule, got '0.5'$"):
        as_schedule("SGD", "0.5")


def test_intervals():
    assert number_in("f", "x", 0, "[0, 1)") == 0.0
    assert number_in("f", "x", 1, "(0, 1]") == 1.0
    assert type(number_in("f", "x", np.float32(0.5), "[0, 1)")) is float


@pytest.mark.parametrize(("value", "interval"), [
    (1, "[0, 1)"), (0, "(0, 1]"), (0, "(0, 1)"), (1, "(0, 1)"), (math.inf, "[0, inf)"),
    (math.nan, "[0, inf)"), (-1e-9, "[0, 1]"), (True, "[0, 1]"), (None, "[0, 1]"),
    ("0.5", "[0, 1]"), (np.ones(1), "[0, 1]"),
])
def test_outside_of_an_interval(value, interval):
    with pytest.raises(ValueError, match=r"^f expects x to be a number in .* got"):
        number_in("f", "x", value, interval)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: constant(0), r"constant expects lr to be a number in \(0, inf\), got 0"),
    (lambda: constant(-0.5), "constant expects lr"),
    (lambda: constant(math.nan), "constant expects .* got nan"),
    (lambda: constant(math.inf), "constant expects .* got inf"),
    (lambda: constant("0.5"), "constant expects .* got '0.5'"),
    (lambda: step_decay(0, 10), "step_decay expects lr"),
    (lambda: step_decay(0.5, 0), r"step_decay expects step_size to be a whole number of 1 or more, got 0"),
    (lambda: step_decay(0.5, 2.5), "step_decay expects step_size to be a whole number of 1 or more, got 2.5"),
    (lambda: step_decay(0.5, 10, 0), r"step_decay expects gamma to be a number in \(0, 1\], got 0"),
    (lambda: step_decay(0.5, 10, 1.1), "step_decay expects gamma"),
    (lambda: exponential(-1, 0.9), "exponential expects lr"),
    (lambda: exponential(0.5, 1.1), "exponential expects gamma"),
    (lambda: cosine(0, 10), "cosine expects lr"),
    (lambda: cosine(0.5, 0), "cosine expects total_steps"),
    (lambda: cosine(0.5, 10, -0.1), r"cosine expects min_lr to be a number in \[0, inf\), got -0.1"),
    (lambda: cosine(0.5, 10, 0.6), "cosine expects min_lr up to lr=0.5, got 0.6"),
    (lambda: warmup(0, 10), r"warmup expects lr to be a number in \(0, inf\) or a schedule, got 0"),
    (lambda: warmup(0.5, 0), "warmup expects steps"),
    (lambda: one_cycle(0, 10), "one_cycle expects max_lr"),
    (lambda: one_cycle(1.0, 0), "one_cycle expects total_steps"),
    (lambda: one_cycle(1.0, 10, pct_start=1), r"one_cycle expects pct_start .* \(0, 1\), got 1"),
    (lambda: one_cycle(1.0, 10, div_factor=0.5), "one_cycle expects div_factor"),
    (lambda: one_cycle(1.0, 10, final_div_factor=0), "one_cycle expects final_div_factor"),
    (lambda: one_cycle(1.0, 3), "one_cycle expects a rise of .* = 0.9: use total_steps=4 or more"),
    (lambda: one_cycle(1.0, 2, pct_start=0.5), "one_cycle expects a rise .* = 1: use total_steps=3 or more"),
])
def test_bad_options_are_one_sentence(make, message):
    with pytest.raises(ValueError, match=f"^{message}") as error:
        make()
    assert "\n" not in str(error.value)


def test_the_shortest_cycle_that_the_message_offers_works():
    assert all(math.isfinite(rate) for rate in rates(one_cycle(1.0, total_steps=4)))
    assert rates(cosine(0.5, total_steps=1), 3) == [0.5, 0.0, 0.0]
    assert warmup(0.5, steps=1)(0) == 0.5
    assert rates(cosine(0.5, total_steps=3, min_lr=0.5)) == [0.5] * STEPS
