"""Made-up records for each experiment: such that every contrast comes out as it is told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.experiments.lab import scale_of
from minidl.experiments.lab.jobs import BN, CHOICE, Job, Record, module_of

Sign = Callable[[str], float]   # of a contrast: 1 speaks for the claim, -1 against it
Values = tuple[dict[str, float], dict[str, list[Any]]]


def records(experiment: str, sign: Callable[[str, int], float]) -> list[Record]:
    """All records of an experiment; `sign(contrast, seed)` says how a contrast comes out."""
    module, scale = module_of(experiment), scale_of("default")
    choice = [Record(j, {"validation": _choice_score(j)}, {}, 0.0) for j in module.choices(scale, "mnist")]
    found = list(choice)
    for job in module.reports(scale, "mnist", choice):
        noise = 1 + 0.002 * np.random.default_rng([job.seed, len(job.arm)]).normal()
        values, series = MAKERS[experiment](job, lambda contrast, job=job: sign(contrast, job.seed))
        found.append(Record(job, {name: value * noise for name, value in values.items()}, series, 0.0))
    return found


def _choice_score(job: Job) -> float:
    assert job.purpose == CHOICE
    return 60.0 if job.arm == "eps 0.001" else 50.0


def _figure1(job: Job, sign: Sign) -> Values:
    s = {name: sign(name) if job.arm == BN else 0 for name in ("faster", "more accurate", "steadier")}
    return {
        "test": 95.0 + 2 * s["more accurate"], "steps to 90 %": 400 / 4 ** s["faster"], "steps": 2000.0,
        "movement": 4 / 4 ** s["steadier"],
    }, {}


def _covariate_shift(job: Job, sign: Sign) -> Values:
    is_bn = job.arm == BN
    return {
        "test": 96.0 - (4 * sign("shift is harmful") if job.arm == "noisy BN" else 0),
        "drift received": 1 / 4 ** (sign("drift of the layer's input") if is_bn else 0),
        "drift of x": 1.0, "drift into sigmoid": 1.0, "moved weights": 0.1, "distance": 1.0,
        "1 - cosine": 0.5 - (0.3 * sign("shift of the gradient") if is_bn else 0),
    }, {}


def _saturation(job: Job, sign: Sign) -> Values:
    s = {
        name: sign(name) if job.arm == BN else 0
        for name in (
            "less saturated at equal loss", "smaller inputs at equal loss", "larger derivative at equal loss"
        )
    }
    layers = job.settings["depth"]

    def series(value: float) -> list[list[float]]:
        return [[value] * layers] * 3

    return {"test": 95.0}, {
        "loss": [2.0, 1.0, 0.5], "deciding": series(0.1), "median": series(1.0), "gradient": series(1.0),
        "dead": series(0.2 - 0.15 * s["less saturated at equal loss"]),
        "p95": series(4 / 2 ** s["smaller inputs at equal loss"]),
        "slope": series(0.1 * 2 ** s["larger derivative at equal loss"]),
    }


def _learning_rates(job: Job, sign: Sign) -> Values:
    low, high = -1.01, 0.01
    if job.arm == BN:
        high += 0.5 * sign("higher limit")
        low -= 0.75 * sign("wider region") - 0.5 * sign("higher limit")
    trains = low <= np.log10(job.settings["lr"]) <= high
    return {"test": 95.0 if trains else 20.0, "finite": 1.0}, {}


def _saturating_nonlinearities(job: Job, sign: Sign) -> Values:
    activation = job.settings["activation"]
    s = sign(f"deep {activation} networks") if job.arm == BN and activation != "relu" else 0
    return {"test": 60.0 + 20 * s, "outcome": 1.0}, {}


def _layer_dependence(job: Job, sign: Sign) -> Values:
    values = {"loss": 0.2, "steps": 500.0}
    for name in ("activations", "gradients", "loss change"):
        s = sign(name) if job.arm == BN and name != "loss change" else 0
        for what in ("noise 0.03", "noise 0.1", "noise 0.3", "times 0.5", "times 2"):
            for mode in ("batch", "frozen"):
                values[f"{name}, {what}, {mode}"] = 0.1 / 4**s
    return values, {}


def _dropout(job: Job, sign: Sign) -> Values:
    lower = {"dropout": sign("BN instead of dropout"), "both": sign("dropout adds nothing to BN")}
    test = 96.0 - 2 * lower.get(job.arm, sign("BN does what dropout does") if job.arm == "neither" else 0)
    return {"test": test, "gap": 2.0}, {}


def _placement(job: Job, sign: Sign) -> Values:
    before = job.arm == "before"
    s = sign(job.settings["model"].upper()) if before else 0
    return {
        "test": 95.0 + 3 * s, "drift": 1 / 4 ** (sign("stability") if before else 0), "steps to 95 %": 300.0,
        "std received": 1.0, "|mean| received": 0.5,
    }, {}


def _gamma_beta(job: Job, sign: Sign) -> Values:
    higher = {
        "gamma and beta": sign("affine is better"),
        "linear classifier": sign("without them no better than linear"),
    }
    return {
        "test": 94.0 + 3 * higher.get(job.arm, 0), "linear R2": 0.9, "share of |x| < 1": 0.7, "gamma": 1.0
    }, {}


def _epsilon(job: Job, sign: Sign) -> Values:
    lower = {"eps 0": sign("protects"), "eps 0.001": sign("costs nothing")}
    return {"test": 94.0 - 3 * lower.get(job.arm, 0), "largest normalised pixel": 10.0}, {}


def _mini_batch_statistics(job: Job, sign: Sign) -> Values:
    lower = sign("gradient through the statistics") if job.arm != "mini-batch" else 0
    slope = -0.5 if sign("noise falls with the root of m") > 0 else -0.2
    return {
        "test": 95.0 - 4 * lower, "noise": job.settings["batch_size"] ** slope, "own batch": 94.0,
        "companions": 5.0, "milliseconds a step": 1.0, "bias": 0.5,
    }, {}


def _test_time(job: Job, sign: Sign) -> Values:
    return {
        "moving": 95.0, "exact": 95.0 - 2 * sign("as accurate"), "own batch": 94.0, "biased": 95.0,
        "single, moving": 60.0, "single, own": 60.0 - 30 * sign("a single example"),
    }, {}


def _cnn(job: Job, sign: Sign) -> Values:
    lower = {"BN per activation": sign("as good as per activation"), "without BN": sign("better than none")}
    shifts = {f"shifted by {shift}": 80.0 for shift in (1, 2, 3)}
    return {"test": 95.0 - 3 * lower.get(job.arm, 0), "parameters": 1e4, **shifts}, {}


def _landscape(job: Job, sign: Sign) -> Values:
    is_bn = job.arm == BN
    return {
        "test": 95.0 + (2 * sign("not by stable distributions") if job.arm == "noisy BN" else 0),
        "range": 1 / 4 ** (sign("loss along the gradient") if is_bn else 0),
        "gradient change": 1 / 4 ** (sign("predictive gradients") if is_bn else 0),
        "smoothness": 1.0, "growth": 2.0,
    }, {}


MAKERS: dict[str, Callable[[Job, Sign], Values]] = {
    "figure1": _figure1, "covariate-shift": _covariate_shift, "saturation": _saturation,
    "learning-rates": _learning_rates, "saturating-nonlinearities": _saturating_nonlinearities,
    "layer-dependence": _layer_dependence, "dropout": _dropout, "placement": _placement,
    "gamma-beta": _gamma_beta, "epsilon": _epsilon, "mini-batch-statistics": _mini_batch_statistics,
    "test-time": _test_time, "cnn": _cnn, "landscape": _landscape,
}
