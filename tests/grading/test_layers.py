"""check_batch_norm on layers: right ones pass, each wrong one fails just those checks that it breaks."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl.grading import check_batch_norm
from minidl.layers import BatchNorm
from tests.grading import names, wrong
from tests.grading.names import (
    EPS,
    EVALUATION_DGAMMA,
    EVALUATION_DX,
    EVALUATION_OUTPUT,
    EVERY_GRADIENT,
    NOT_DENSE,
    RUNNING_VAR,
    TRAINING_DGAMMA,
    TRAINING_DX,
    TRAINING_OUTPUT,
)
from tests.grading.right import RIGHT, Closed

# The catalogue: what the mistake is called in the field, and the layers that make it.
CATALOGUE = {
    "no gamma/beta in evaluation": [wrong.NoAffineInEvaluation],
    "conv normalised per activation instead of per feature map": [wrong.PerActivation],
    "eps outside the root": [wrong.EpsOutsideTheRoot],
    "std + eps": [wrong.StdPlusEps],
    "momentum swapped": [wrong.MomentumSwapped],
    "running statistics updated in evaluation": [wrong.UpdatedInEvaluation],
    "batch statistics used in evaluation": [wrong.BatchStatisticsInEvaluation],
    "mean detached from the gradient": [wrong.MeanDetached],
    "variance detached": [wrong.VarianceDetached],
    "running variance biased where unbiased is promised": [wrong.BiasedRunningVariance],
    "and the reverse": [wrong.BatchByUnbiasedVariance, wrong.CorrectedTwice],
    "running variance started at 0": [wrong.RunningVarianceFrom0],
    "output not linked to the tape": [wrong.NotLinked, wrong.OnlyXNotLinked],
    "gamma's gradient not summed over H and W": [wrong.GammaGradientNotSummed, wrong.GammaGradientAveraged],
    "N used where N·H·W belongs": [wrong.NForNHWInGradient, wrong.NForNHWInRunningVariance],
    "evaluation-mode backward computed with the training formula": [wrong.TrainingFormulaInEvaluation],
    "sign of the x̂ term flipped": [wrong.SignFlipped],
    "input modified in place": [wrong.InPlace],
    "gradient buffer shared between two inputs": [wrong.SharedGradient],
}

# Each wrong layer: the names that the report gives its mistakes, and exactly the checks that fail.
WRONG = [
    (wrong.NoAffineInEvaluation, {"no gamma and beta in evaluation", "no gamma in dx, evaluation"},
     (*EVALUATION_OUTPUT, *EVALUATION_DX, *EVALUATION_DGAMMA, "*, evaluation: gradient of beta",
      "!without*")),
    (wrong.PerActivation, {"per activation"},
     (*TRAINING_OUTPUT, *TRAINING_DX, *TRAINING_DGAMMA, *NOT_DENSE)),
    (wrong.EpsOutsideTheRoot, {"eps outside the root"}, EPS),
    (wrong.StdPlusEps, {"std + eps"}, EPS),
    (wrong.MomentumSwapped, {"momentum swapped"},
     (*RUNNING_VAR, "*training: running mean", "several batches, momentum 0.3: *", "!*None: *")),
    (wrong.UpdatedInEvaluation, {"running statistics updated in evaluation"}, ("*evaluation: running *",)),
    (wrong.BatchStatisticsInEvaluation,
     {"batch statistics in evaluation", "batch's gradient in evaluation", "gamma's gradient by the batch"},
     (*EVALUATION_OUTPUT, *EVALUATION_DX, *EVALUATION_DGAMMA)),
    (wrong.MeanDetached, {"mean detached"}, TRAINING_DX),
    (wrong.VarianceDetached, {"variance detached"}, TRAINING_DX),
    (wrong.BothDetached, {"both detached"}, TRAINING_DX),
    (wrong.BiasedRunningVariance, {"biased running variance"}, RUNNING_VAR),
    (wrong.CorrectedTwice, {"running variance corrected twice"}, RUNNING_VAR),
    (wrong.BatchByUnbiasedVariance, {"batch by unbiased variance"},
     (*TRAINING_OUTPUT, *TRAINING_DX, *TRAINING_DGAMMA)),
    (wrong.RunningVarianceFrom0, {"running variance from 0"}, ("a new layer: initial running variance",)),
    (wrong.NotLinked, {"not linked to the tape"}, EVERY_GRADIENT),
    (wrong.OnlyXNotLinked, {"not linked to the tape"}, (*TRAINING_DX, *EVALUATION_DX)),
    (wrong.GammaGradientNotSummed, set(), (*EVERY_GRADIENT, *NOT_DENSE, "!without*")),
    (wrong.GammaGradientAveraged, {"gamma's gradient averaged over positions"},
     (*TRAINING_DGAMMA, *EVALUATION_DGAMMA, "!dense*")),
    (wrong.NForNHWInGradient, {"N for N*H*W in the gradient"}, (*TRAINING_DX, *NOT_DENSE)),
    (wrong.NForNHWInRunningVariance, {"N for N*H*W in the running variance"}, (*RUNNING_VAR, *NOT_DENSE)),
    (wrong.TrainingFormulaInEvaluation, {"training formula in evaluation"}, EVALUATION_DX),
    (wrong.SignFlipped, {"sign of the x_hat term"}, TRAINING_DX),
    (wrong.InPlace, {"x changed in place"}, ("*: x afterwards",)),
    (wrong.SharedGradient, {"gradients share one array"}, ("two inputs, training: gradient of x 2",)),
    (wrong.SharedOutput, {"outputs share one array"}, ("two inputs, training: output 1",)),
    (wrong.SharedCache, {"calls share what they keep"},
     ("two inputs, training: gradient of x 1", "two inputs, training: gradient of gamma")),
    (wrong.NoAffineInTraining,
     {"no gamma and beta in training", "no gamma in dx", "not linked to the tape"},
     (*TRAINING_OUTPUT, *TRAINING_DX, *TRAINING_DGAMMA, "*, training: gradient of beta", "!without*")),
    (wrong.NoneAs01, {"momentum None as 0.1"}, ("several batches, momentum None: *",)),
    (wrong.StatisticsStay, {"running statistics not updated"},
     (*RUNNING_VAR, "*training: running mean", "several batches, *: running mean")),
    (wrong.GammaFrom0, {"gamma from 0"}, ("a new layer: initial gamma",)),
    (wrong.NoEps, {"no eps"}, EPS),
    (wrong.BuiltInEps, {"built-in eps"},
     (*TRAINING_OUTPUT, *TRAINING_DX, *TRAINING_DGAMMA, *EVALUATION_OUTPUT, *EVALUATION_DX,
      *EVALUATION_DGAMMA)),
    (wrong.NoRoot, {"no root"},
     (*TRAINING_OUTPUT, *TRAINING_DX, *TRAINING_DGAMMA, *EVALUATION_OUTPUT, *EVALUATION_DX,
      *EVALUATION_DGAMMA)),
    (wrong.MeanOnly, set(),
     (*TRAINING_OUTPUT, *TRAINING_DX, *TRAINING_DGAMMA, *EVALUATION_OUTPUT, *EVALUATION_DX,
      *EVALUATION_DGAMMA)),
    (wrong.NoGammaInDx, {"no gamma in dx"}, (*TRAINING_DX, "!without*")),
    (wrong.NoGammaInDxInEvaluation, {"no gamma in dx, evaluation"}, (*EVALUATION_DX, "!without*")),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("implementation", RIGHT)
def test_right_ones_pass(implementation, seed):
    report = check_batch_norm(implementation, seed=seed)
    assert report and report.ok and not report.failures, report
    assert max(check.relative_error for check in report.checks) < 1e-12     # 1e-8 is no close shave
    assert not report.left_out


def test_right_one_passes_whatever_the_seed():
    for seed in range(2, 12):
        report = check_batch_norm(BatchNorm, seed=seed)
        assert report, report


@pytest.mark.parametrize(("implementation", "called", "fails"), WRONG)
def test_wrong_ones_fail_what_they_break(implementation, called, fails):
    report = check_batch_norm(implementation)
    assert not report and not report.ok
    failing = {check.name for check in report.failures}
    assert failing == names.matching(fails, [check.name for check in report.checks])
    assert {check.wrong for check in report.failures} - {""} == called
    # Far off, not by rounding errors: so a grader may allow float32 inside.
    assert max(check.relative_error for check in report.failures) > 1e-2


def test_float32_inside_passes_with_a_tolerance_of_its_own():
    class Float32Inside(Closed):
        def batch(self, x):
            return super().batch(dl.Tensor(x.data.astype(np.float32)))

    assert not check_batch_norm(Float32Inside)
    assert check_batch_norm(Float32Inside, tolerance=1e-5)


def test_each_entry_of_the_catalogue_has_its_layer():
    listed = {layer for layers in CATALOGUE.values() for layer in layers}
    assert len(CATALOGUE) == 19 and listed <= {case[0] for case in WRONG}
    here = {layer for layer in vars(wrong).values() if getattr(layer, "__module__", "") == wrong.__name__}
    assert here == {case[0] for case in WRONG}      # none of them untested


def test_sentences_say_what_is_wrong():
    def sentence(layer, name):
        return {check.name: check.sentence for check in check_batch_norm(layer).checks}[name]

    biased = sentence(wrong.BiasedRunningVariance, "dense, training: running variance")
    assert biased.startswith(
        "the running variance is biased (1/m): expected m/(m-1) times the batch's; at [0] expected "
    )
    shape = sentence(wrong.GammaGradientNotSummed, "feature maps, training: gradient of gamma")
    assert "must return for input 1 an array of shape (5,) of float64, got shape (3, 2, 5)" in shape
    unlinked = sentence(wrong.NotLinked, "dense, evaluation: gradient of x")
    assert unlinked == "no gradient comes back: the output isn't linked to the tape"
    unreached = sentence(wrong.OnlyXNotLinked, "dense, evaluation: gradient of x")
    assert unreached == "no gradient reaches it, though the output is linked to the tape"
    assert sentence(BatchNorm, "dense, training: output").startswith("relative error ")


def test_checks_carry_expected_got_and_the_first_wrong_element():
    checks = {check.name: check for check in check_batch_norm(wrong.BatchByUnbiasedVariance).checks}
    check = checks["dense, training: output"]
    assert not check.passed and check.expected.shape == check.got.shape == (7, 3)
    difference = abs(check.got - check.expected)
    assert check.first_wrong == tuple(np.argwhere(difference > 1e-8 * abs(check.expected).max())[0])
    error = difference.max() / abs(check.expected).max()
    assert check.relative_error == pytest.approx(error, rel=1e-12)
    passed = checks["dense, training: gradient of beta"]
    assert passed.passed and passed.first_wrong is None and passed.wrong == ""
