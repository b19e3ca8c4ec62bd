"""The grader's own formulas: against derivatives by the complex step, and against NumPy's statistics."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from minidl import grading
from minidl.grading.probes import batch_norm_settings
from minidl.grading.reference import expected

SETTINGS = {setting.name: setting for setting in batch_norm_settings(seed=3)}
STEP = 1e-30    # a complex step has no cancellation, so it may be as small as that


def outputs(probe, x, gamma, beta):
    """A plain forward pass; x, gamma and beta may be complex."""
    y = np.empty(x.shape, complex)
    for k in range(x.shape[-1]):
        part = x[..., k]
        mean, var = probe.running_mean[k], probe.running_var[k]
        if probe.training:
            mean = np.mean(part)
            var = np.mean((part - mean) ** 2)
        y[..., k] = gamma[k] * (part - mean) / (var + probe.eps) ** 0.5 + beta[k]
    return y


def derivative(f, a):
    """Of the real function f at a, element by element."""
    found = np.empty(a.shape)
    for index in np.ndindex(a.shape):
        moved = a.astype(complex)
        moved[index] += 1j * STEP
        found[index] = f(moved).imag / STEP
    return found


@pytest.mark.parametrize("name", [
    "dense, training", "feature maps, training", "large eps, training", "batches of 3 and 4, training",
    "dense, evaluation", "large eps, evaluation", "without gamma and beta, training",
])
def test_outputs_and_gradients(name):
    for probe in SETTINGS[name].probes:
        x, g, right = probe.inputs[0], probe.upstream[0], expected(probe)
        gamma, beta = (np.ones(3), np.zeros(3)) if probe.gamma is None else (probe.gamma, probe.beta)
        gamma, beta = np.resize(gamma, x.shape[-1]), np.resize(beta, x.shape[-1])

        def objective(x, gamma=gamma, beta=beta, probe=probe, g=g):
            return (g * outputs(probe, x, gamma, beta)).sum()

        found = {
            "output": outputs(probe, x, gamma, beta).real,
            "gradient of x": derivative(objective, x),
            "gradient of gamma": derivative(lambda a, f=objective, x=x: f(x, gamma=a), gamma),
            "gradient of beta": derivative(lambda a, f=objective, x=x: f(x, beta=a), beta),
        }
        for quantity, value in found.items():
            scale = abs(value).max()
            np.testing.assert_allclose(right[quantity], value, rtol=0, atol=1e-12 * scale, err_msg=quantity)


def test_gradient_of_the_weight_before():
    for mode in ("training", "evaluation"):
        for probe in SETTINGS[f"behind another layer, {mode}"].probes:
            def objective(W, probe=probe):
                z = probe.inputs[0] @ W
                return (probe.upstream[0] * outputs(probe, z, probe.gamma, probe.beta)).sum()

            found = expected(probe)["gradient of the weight before"]
            np.testing.assert_allclose(found, derivative(objective, probe.weight), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", [
    "dense, training", "feature maps, training", "batch of 2, training", "several batches, momentum 0.3",
    "several batches, momentum None", "feature maps, evaluation",
])
def test_running_statistics(name):
    for probe in SETTINGS[name].probes:
        batches = [*probe.warm_up, *(probe.inputs if probe.training else ())]
        rows = [x.reshape(-1, probe.features) for x in batches]
        means, variances = [r.mean(0) for r in rows], [r.var(0, ddof=1) for r in rows]
        if probe.momentum is None:
            mean, var = np.mean(means, axis=0), np.mean(variances, axis=0)
        else:
            mean, var = probe.running_mean, probe.running_var
            for batch_mean, batch_var in zip(means, variances, strict=True):
                mean = mean + probe.momentum * (batch_mean - mean)
                var = var + probe.momentum * (batch_var - var)
        right = expected(probe)
        np.testing.assert_allclose(right["running mean"], mean, rtol=1e-12)
        np.testing.assert_allclose(right["running variance"], var, rtol=1e-12)


def test_two_inputs_have_an_output_and_a_gradient_each_and_share_gamma():
    probe = SETTINGS["two inputs, training"].probes[1]
    right = expected(probe)
    for i in (0, 1):
        y = outputs(probe, probe.inputs[i], probe.gamma, probe.beta).real
        np.testing.assert_allclose(right[f"output {i + 1}"], y, rtol=1e-11, atol=1e-12)
    def objective(gamma):
        return sum(
            (g * outputs(probe, x, gamma, probe.beta)).sum()
            for x, g in zip(probe.inputs, probe.upstream, strict=True)
        )

    np.testing.assert_allclose(right["gradient of gamma"], derivative(objective, probe.gamma), rtol=1e-11)


def test_evaluation_after_training_uses_what_the_batches_left():
    probe = SETTINGS["evaluation after training"].probes[0]
    mean, var = probe.running_mean, probe.running_var
    for x in probe.warm_up:
        mean, var = 0.7 * mean + 0.3 * x.mean(0), 0.7 * var + 0.3 * x.var(0, ddof=1)
    x_hat = (probe.inputs[0] - mean) / np.sqrt(var)
    np.testing.assert_allclose(expected(probe)["output"], probe.gamma * x_hat + probe.beta, rtol=1e-10)


def test_inputs_are_such_that_mistakes_show():
    for seed in range(5):
        for setting in batch_norm_settings(seed):
            assert len(setting.probes) >= 2
            for probe in setting.probes:
                x, g = probe.inputs[0], probe.upstream[0]
                assert g.std() > 0.3 and abs(np.corrcoef(g.ravel(), x.ravel())[0, 1]) < 0.9
                if probe.gamma is not None:
                    assert (abs(abs(probe.gamma) - 1) > 1e-4).all() and (abs(probe.beta) >= 0.5).all()
                rows = x.reshape(-1, probe.features)
                assert (abs(probe.running_mean - rows.mean(0)) > 1).all()
                if len(rows) > 1:
                    assert (rows.std(0) > 0.2).all()
                if x.ndim == 4 and len(x) > 1:      # the mean depends on the position
                    assert len(x) >= 4 and x.mean(0).std(axis=(0, 1)).min() > 0.3
                assert not any(a.flags.writeable for a in (*probe.inputs, *probe.upstream, probe.running_var))


def test_it_shares_nothing_with_what_it_grades():
    folder = Path(grading.__file__).parent
    for name in ("probes", "reference", "mistakes", "catalogue"):
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        allowed = {"__future__", "collections.abc", "dataclasses", "typing", "minidl.engine.array"}
        allowed |= {f"minidl.grading.{other}" for other in ("probes", "reference", "mistakes")}
        assert imported <= allowed | {"minidl.grading"}
