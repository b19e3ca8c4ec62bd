"""check_batch_norm on pairs of NumPy functions: what applies to them is checked, the rest is left out."""

from __future__ import annotations

import numpy as np
import pytest

from minidl.grading import check_batch_norm, from_functions
from tests.grading import names, pairs
from tests.grading.names import EPS, NOT_DENSE, TRAINING_DGAMMA, TRAINING_OUTPUT
from tests.grading.pairs import others, pair, with_dgamma

TRAINING_DX = ("*, training: gradient of x*",)
TRAINING_DBETA = ("*, training: gradient of beta",)
FORWARD = (*TRAINING_OUTPUT, *TRAINING_DX, *TRAINING_DGAMMA)


def mean_of(h, axes, m):
    return h.sum(axes) / m


WRONG = {
    "per activation": (pair(axes=lambda x: 0), {"per activation"}, (*FORWARD, *NOT_DENSE)),
    "eps outside": (
        pair(deviation=lambda var, eps: 1 / (1 / np.sqrt(var) + eps)), {"eps outside the root"}, EPS
    ),
    "std + eps": (pair(deviation=lambda var, eps: np.sqrt(var) + eps), {"std + eps"}, EPS),
    "no eps": (pair(deviation=lambda var, eps: np.sqrt(var)), {"no eps"}, EPS),
    "unbiased": (pair(ddof=1), {"batch by unbiased variance"}, FORWARD),
    "mean detached": (
        pair(dx=lambda h, x_hat, std, axes, m: (h - x_hat * mean_of(h * x_hat, axes, m)) / std),
        {"mean detached"}, TRAINING_DX,
    ),
    "variance detached": (
        pair(dx=lambda h, x_hat, std, axes, m: (h - mean_of(h, axes, m)) / std),
        {"variance detached"}, TRAINING_DX,
    ),
    "both detached": (pair(dx=lambda h, x_hat, std, axes, m: h / std), {"both detached"}, TRAINING_DX),
    "sign": (
        pair(dx=lambda h, x_hat, std, axes, m:
             (h - mean_of(h, axes, m) + x_hat * mean_of(h * x_hat, axes, m)) / std),
        {"sign of the x_hat term"}, TRAINING_DX,
    ),
    "N": (
        pair(dx=lambda h, x_hat, std, axes, m: pairs.dx_closed(h, x_hat, std, axes, len(h))),
        {"N for N*H*W in the gradient"}, (*TRAINING_DX, *NOT_DENSE),
    ),
    "dgamma not summed": (
        with_dgamma(lambda g, x_hat: (g * x_hat).sum(0)),
        {"gamma's gradient not summed over positions"}, (*TRAINING_DGAMMA, *NOT_DENSE),
    ),
    "dgamma averaged": (
        with_dgamma(lambda g, x_hat: (g * x_hat).sum(0).mean(others(x_hat)[:-1])),
        {"gamma's gradient averaged over positions"}, (*TRAINING_DGAMMA, *NOT_DENSE),
    ),
    "dgamma by beta's": (
        with_dgamma(lambda g, x_hat: g.sum(others(g))), {"gamma's gradient is beta's"}, TRAINING_DGAMMA
    ),
    "dgamma and dbeta swapped": (
        pairs.with_gradients(lambda dx, dgamma, dbeta, m: (dx, dbeta, dgamma)),
        {"gamma's gradient is beta's", "beta's gradient is gamma's"}, (*TRAINING_DGAMMA, *TRAINING_DBETA),
    ),
    "dgamma and dbeta as means": (
        pairs.with_gradients(lambda dx, dgamma, dbeta, m: (dx, dgamma / m, dbeta / m)),
        {"gamma's gradient averaged", "beta's gradient averaged"}, (*TRAINING_DGAMMA, *TRAINING_DBETA),
    ),
    "layer norm": (pairs.layer_norm(), {"per example"}, FORWARD),
    "dgamma of another sign": (
        with_dgamma(lambda g, x_hat: -(g * x_hat).sum(others(g))), set(), TRAINING_DGAMMA
    ),
    "no beta": (pair(beta_counts=0), set(), TRAINING_OUTPUT),
    "x in place": (pair(before=pairs.centred_in_place), {"x changed in place"}, ("*: x afterwards",)),
    "g in place": (
        pair(after=pairs.doubled_in_place), {"upstream gradient changed in place"},
        ("*: upstream gradient afterwards",),
    ),
    "shared buffer": (
        pairs.shared_buffer(), {"gradients share one array"}, ("two inputs, training: gradient of x 2",)
    ),
    "one buffer for both": (pairs.one_buffer_for_both(), {"gamma's gradient is beta's"}, TRAINING_DGAMMA),
    "cache of the module": (
        pairs.module_cache(), {"calls share what they keep"},
        ("two inputs, training: gradient of x 1", "two inputs, training: gradient of gamma"),
    ),
    "zeros": (
        (lambda x, gamma, beta, eps: (0 * x, gamma), lambda g, gamma: (0 * g, 0 * gamma, 0 * gamma)),
        set(), ("*: output*", "*: gradient of *"),
    ),
    "the input itself": (
        (lambda x, gamma, beta, eps: (x, gamma), lambda g, gamma: (g, gamma, gamma)),
        set(), ("*: output*", "*: gradient of *"),
    ),
    "not written yet": (
        (pair()[0], lambda g, cache: (_ for _ in ()).throw(NotImplementedError("task 2"))),
        set(), ("*: gradient of *", "*: upstream gradient afterwards"),
    ),
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("make", pairs.RIGHT)
def test_right_pairs_pass(make, seed):
    report = check_batch_norm(from_functions(*make()), seed=seed)
    assert report, report
    assert max(check.relative_error for check in report.checks) < 1e-12


@pytest.mark.parametrize("case", WRONG)
def test_wrong_pairs_fail_what_they_break(case):
    functions, called, fails = WRONG[case]
    report = check_batch_norm(from_functions(*functions))
    failing = {check.name for check in report.failures}
    assert failing == names.matching(fails, [check.name for check in report.checks])
    assert {check.wrong for check in report.failures} - {""} == called


def test_what_a_pair_does_not_have_is_left_out_and_the_report_says_so():
    report = check_batch_norm(from_functions(*pair()))
    full = check_batch_norm(lambda *args, **options: None)
    checked = {check.name for check in report.checks}
    assert {"dense, training: output", "feature maps, training: gradient of gamma"} <= checked
    assert not any("evaluation" in name or "running" in name or "initial" in name for name in checked)
    assert {"dense, training: running variance", "dense, evaluation: output"} <= set(report.left_out)
    assert "x without gradient, training: gradient of gamma" in report.left_out
    missing = {name for name in report.left_out if "upstream" not in name}
    assert {check.name for check in full.checks} == missing | {n for n in checked if "upstream" not in n}
    last = str(report).splitlines()[-1]
    assert last.startswith(f"{len(report.left_out)} checks left out, as a pair of functions has no running")
    assert last.endswith(": report.left_out names them")
    assert "left out" not in str(full)


def test_the_known_mistakes_stand_together_above_the_count():
    swapped, detached = (str(check_batch_norm(from_functions(*WRONG[case][0]))).splitlines()
                         for case in ("dgamma and dbeta swapped", "both detached"))
    assert swapped[-3].startswith(
        "known mistakes: gamma's gradient is beta's (4 of the failures); beta's gradient is gamma's (3 of"
    )
    assert detached[-3].startswith("known mistakes: both detached (6 of the failures); others may follow")
    assert not any("known mistakes" in str(check_batch_norm(from_functions(*functions)))
                   for functions in (pair(), WRONG["no beta"][0]))


def throw(error):
    raise error


@pytest.mark.parametrize(("forward", "sentence"), [
    (lambda *_: None, "forward: expected it to return (y, cache), got NoneType None"),
    (lambda x, *_: x, "forward: expected it to return (y, cache), got shape (7, 3) of float64"),
    (lambda x, *_: (x[0], 0), "expected shape (7, 3), got (3,)"),
    (lambda x, *_: (None, 0), "expected an array of real numbers, got object"),
    (lambda x, *_: (x * 1j, 0), "expected an array of real numbers, got complex128"),
    (lambda x, *_: ([[1], [2, 3]], 0), "making an array of it raised ValueError: setting an array element"),
    (lambda x, *_: (x * np.nan, 0), "at [0, 0] expected "),
    (lambda x: (x, 0), "forward raised TypeError: "),
    (lambda *_: exit("bye"), "forward raised SystemExit: bye"),
    (lambda *_: throw(GeneratorExit("bye")), "forward raised GeneratorExit: bye"),
])
def test_whatever_comes_is_a_sentence(forward, sentence):
    report = check_batch_norm(from_functions(forward, lambda g, cache: (g, g, g)))
    check = {check.name: check for check in report.checks}["dense, training: output"]
    assert not check.passed and check.sentence.startswith(sentence), check.sentence
    assert check.relative_error == np.inf and check.wrong == ""


@pytest.mark.parametrize(("backward", "sentence"), [
    (lambda g, cache: g, "backward: expected it to return (dx, dgamma, dbeta), got shape (7, 3) of float64"),
    (lambda g, cache: (g, g), "backward: expected it to return (dx, dgamma, dbeta), got tuple"),
    (lambda g, cache: (g.T, g, g), "expected shape (7, 3), got (3, 7)"),
    (lambda g, cache: 1 / 0, "backward raised ZeroDivisionError: division by zero"),
])
def test_a_bad_backward_costs_no_output(backward, sentence):
    report = check_batch_norm(from_functions(pair()[0], backward))
    checks = {check.name: check for check in report.checks}
    assert checks["dense, training: output"].passed
    assert checks["dense, training: gradient of x"].sentence.startswith(sentence)


def test_numpy_warnings_are_no_failures_of_their_own():
    forward, backward = pair()

    def noisy(x, gamma, beta, eps):
        _ = np.float64(1) / np.zeros(1)
        return forward(x, gamma, beta, eps)

    assert check_batch_norm(from_functions(noisy, backward))


def test_ctrl_c_of_whoever_waits_ends_the_grading():
    with pytest.raises(KeyboardInterrupt):
        check_batch_norm(from_functions(lambda *_: throw(KeyboardInterrupt()), lambda g, cache: (g, g, g)))
    with pytest.raises(KeyboardInterrupt):
        check_batch_norm(lambda n, **options: throw(KeyboardInterrupt()))
