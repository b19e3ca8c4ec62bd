"""What an implementation may do to the grader: raise, return anything, miss attributes. How reports read."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl.grading import Report, check_batch_norm
from minidl.layers import BatchNorm
from tests.grading.right import ByTape


def of(report, name):
    return {check.name: check for check in report.checks}[name]


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError


def throw(error):
    raise error


@pytest.mark.parametrize(("implementation", "sentence"), [
    (lambda n, **options: None, "building it: expected the implementation to return a Layer, got NoneType"),
    (lambda n: BatchNorm(n), "building it raised TypeError: "),
    (lambda n, **options: 1 / 0, "building it raised ZeroDivisionError: division by zero"),
    (lambda n, **options: exit(), "building it raised SystemExit"),
    (lambda n, **options: throw(GeneratorExit()), "building it raised GeneratorExit"),
    (lambda n, **options: throw(Speechless()), "building it raised Speechless"),
    (lambda n, **options: dl.Layer(),
     "giving it parameters and statistics: expected .gamma to be a Parameter, got NoneType"),
])
def test_an_implementation_that_cannot_be_built(implementation, sentence):
    report = check_batch_norm(implementation)
    assert not report and not any(check.passed for check in report.checks if "output" in check.name)
    check = of(report, "dense, training: output")
    assert check.sentence.startswith(sentence), check.sentence
    assert check.got is None and check.expected.shape == (7, 3) and check.relative_error == np.inf


def layer(**methods):
    return type("Odd", (BatchNorm,), methods)


def raises(error):
    def method(self, *_):
        raise error
    return method


@pytest.mark.parametrize(("implementation", "name", "sentence"), [
    (layer(forward=raises(ValueError("no\nway \u2026"))), "dense, evaluation: output",
     "forward in evaluation mode raised ValueError: no way ?"),
    (layer(forward=raises(NotImplementedError())), "dense, training: gradient of x",
     "forward in training mode raised NotImplementedError"),
    (layer(forward=raises(RecursionError("x" * 999))), "dense, training: output",
     "forward in training mode raised RecursionError: " + "x" * 197 + "..."),
    (layer(forward=lambda self, x: x.data), "dense, training: output",
     "forward in training mode raised TypeError: Odd.forward expects to return a tensor, got shape (7"),
    (layer(forward=lambda self, x: None), "dense, training: output",
     "forward in training mode raised TypeError: Odd.forward expects to return a tensor, got None: end it"),
    (layer(forward=lambda self, x: x[:2]), "dense, training: output", "expected shape (7, 3), got (2, 3)"),
    (layer(forward=lambda self, x: x[:2]), "dense, training: gradient of x", "backward raised ValueError: "),
    (layer(forward=lambda self, x: x * np.nan), "dense, training: output", "at [0, 0] expected "),
    (layer(eval=raises(ValueError("stuck"))), "dense, evaluation: output",
     "forward in training mode raised ValueError: stuck"),
])
def test_whatever_it_does_is_a_sentence(implementation, name, sentence):
    check = of(check_batch_norm(implementation), name)
    assert not check.passed and check.sentence.startswith(sentence), check.sentence
    assert check.sentence.isascii() and "\n" not in check.sentence


def test_an_error_in_one_mode_costs_that_mode():
    class NoEvaluation(BatchNorm):
        def forward(self, x):
            if not self.training:
                raise NotImplementedError("task 4")
            return super().forward(x)

    failing = {check.name for check in check_batch_norm(NoEvaluation).failures}
    assert failing == {c.name for c in check_batch_norm(BatchNorm).checks if "evaluation" in c.name}


def test_missing_running_statistics_cost_what_needs_them():
    class None_(ByTape):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            del self.running_mean, self.running_var
            self._buffer_names = ()

        def follow(self, x):
            pass

    report = check_batch_norm(None_)
    assert of(report, "dense, training: gradient of x").passed
    check = of(report, "dense, training: running variance")
    assert not check.passed and check.sentence == "the layer has no running_var"
    assert of(report, "a new layer: initial running mean").sentence == "the layer has no running_mean"
    assert "AttributeError" in of(report, "dense, evaluation: output").sentence


def test_a_layer_that_comes_in_evaluation_mode_is_trained():
    report = check_batch_norm(lambda n, **options: BatchNorm(n, **options).eval())
    assert report, report


def test_numpy_warnings_are_no_failures_of_their_own():
    class Noisy(BatchNorm):
        def forward(self, x):
            _ = np.ones(1) / np.zeros(1)
            return super().forward(x)

    assert check_batch_norm(Noisy)


def test_the_worst_input_is_shown_of_those_that_pass_and_the_first_of_those_that_fail():
    def off(by):
        return layer(forward=lambda self, x: BatchNorm.forward(self, x) * (1 + by[len(x) % 2]))

    name = "dense, training: output"      # inputs of 7 and of 6 examples
    passed = of(check_batch_norm(off((1e-10, 1e-12))), name)
    assert passed.passed and passed.relative_error > 1e-11 and passed.expected.shape == (6, 5)
    failed = of(check_batch_norm(off((1e-3, 1e-4))), name)
    assert not failed.passed and failed.relative_error < 2e-4 and failed.expected.shape == (7, 3)


def test_a_layer_that_leaves_the_tape_for_some_inputs_only():
    odd = layer(forward=lambda self, x: y.detach() if len(y := BatchNorm.forward(self, x)) == 7 else y)
    check = of(check_batch_norm(odd), "dense, training: gradient of x")
    assert check.sentence == "no gradient comes back: the output isn't linked to the tape"
    assert check.wrong == ""


def test_keyboard_interrupts_are_the_users():
    with pytest.raises(KeyboardInterrupt):
        check_batch_norm(layer(forward=raises(KeyboardInterrupt())))


def test_nothing_is_left_behind():
    before = np.geterr()
    check_batch_norm(layer(forward=raises(ValueError("on the tape"))))
    with dl.Tape():     # none is open
        pass
    assert np.geterr() == before


def test_seeds_draw_other_inputs_of_the_same_shapes():
    name, wrong = "dense, training: output", layer(forward=lambda self, x: x)
    first, second, again = (of(check_batch_norm(wrong, seed=seed), name).expected for seed in (0, 1, 0))
    assert first.shape == second.shape and not np.allclose(first, second)
    assert np.array_equal(first, again)


def test_the_table():
    lines = str(check_batch_norm(BatchNorm)).splitlines()
    assert lines[0].startswith("ok    a new layer: initial gamma ") and lines[-1] == "63 of 63 checks passed"
    lines = str(check_batch_norm(layer(forward=lambda self, x: x))).splitlines()
    assert sum(line.startswith("FAIL  ") for line in lines) + int(lines[-1].split()[0]) == 63
    assert all(line.isascii() for line in lines)
    assert Report(()).ok and str(Report(())) == "0 of 0 checks passed"
