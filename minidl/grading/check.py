"""`check_batch_norm`: an implementation of batch normalization, held against formulas of the grader's own."""

from __future__ import annotations

from minidl.grading.functions import Functions, is_for_functions, observe_functions
from minidl.grading.judge import judge
from minidl.grading.observe import Implementation, observe_layer
from minidl.grading.probes import UPSTREAM_AFTERWARDS, batch_norm_settings
from minidl.grading.report import Check, Report


def check_batch_norm(
    implementation: Implementation | Functions, seed: int = 0, tolerance: float = 1e-8
) -> Report:
    """Check a batch normalization: outputs, gradients, running statistics, both modes, in float64.

    The inputs are such that each of the usual wrong ones shows: random gamma, beta and upstream gradients,
    means that depend on the position, small batches, a large eps, running statistics far from the batch's.
    Whatever the implementation raises or returns becomes a failed check with a sentence. A known wrong
    batch normalization is named only where the implementation gives the same to 1e-9 on two or more inputs.

    Args:
        implementation: `implementation(num_features, momentum=, eps=, affine=)` returns a Layer with
            Parameters gamma and beta, and buffers running_mean and running_var, as `layers.BatchNorm` has
            them; or a pair of NumPy functions, see `from_functions`.
        seed: draws the inputs.
        tolerance: largest relative error allowed, max|got - expected| / max|expected|.

    Returns:
        A report, true if all is right; `print(report)` shows what is not.

    Example:
        >>> from minidl.layers import BatchNorm
        >>> bool(check_batch_norm(BatchNorm))
        True
        >>> class Swapped(BatchNorm):
        ...     def __init__(self, num_features, momentum=0.1, eps=1e-5, affine=True):
        ...         super().__init__(num_features, momentum and 1 - momentum, eps, affine)
        >>> check_batch_norm(Swapped).failures[0].sentence.split(";")[0]
        'momentum is swapped: expected (1 - momentum) * running + momentum * batch'

    """
    checks: list[Check] = []
    left_out: list[str] = []
    for setting in batch_norm_settings(seed):
        if isinstance(implementation, Functions):
            quantities = [q for q in setting.quantities if is_for_functions(setting, q)]
            left_out += [f"{setting.name}: {q}" for q in setting.quantities if q not in quantities]
            probes = setting.probes if quantities else ()
            observations = [observe_functions(implementation, probe) for probe in probes]
        else:
            # The tape locks the upstream gradient: a layer that writes to it has raised.
            quantities = [q for q in setting.quantities if q != UPSTREAM_AFTERWARDS]
            observations = [observe_layer(implementation, probe) for probe in setting.probes]
        checks += judge(setting, quantities, observations, tolerance)
    return Report(tuple(checks), tuple(left_out))
