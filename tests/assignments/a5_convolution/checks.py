"""Checks of A5: convolution, max-pooling, batch normalization per feature map, dilated convolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.grading.course.checks import Case, Hint, TaskCheck

from . import inputs, mistakes, solution

CONV = 1e-5     # relative: convolutions may be computed in float32, as graphics processors do


def checks(seed: int) -> list[TaskCheck]:
    """All checks, with inputs that are drawn from a seed."""
    drafts = [*_convolution(), *_convolution_backward(), *_pooling(), *_batch_norm(), *_dilated()]
    return [_made(draft, np.random.default_rng([seed, number])) for number, draft in enumerate(drafts)]


def _made(draft: dict[str, Any], rng: np.random.Generator) -> TaskCheck:
    """A check from what describes it: what is expected, and what hints look for, is computed here."""
    program, names, known = draft.pop("program"), draft.pop("expect"), draft.pop("wrong", {})
    wrong = [(sentence, each) for sentence, given in known.items() for each in _variants(given)]
    cases, outputs = [], [[] for _ in wrong]
    for draw in draft.pop("draws"):
        given = draw(rng)
        expected = _run(program, given, names, {})
        cases.append(Case(program, given, expected))
        for (_, functions), output in zip(wrong, outputs, strict=True):
            got = _run(program, given, names, functions)
            output.append({n: a for n, a in got.items() if not _same(a, expected[n])})
    hints = [Hint(sentence, output) for (sentence, _), output in zip(wrong, outputs, strict=True)]
    return TaskCheck(cases=cases, hints=hints, **draft)


def _variants(given: Any) -> list[Mapping[str, Any]]:
    """One mistake can be made in several ways, by loops or by slices, that give different numbers."""
    return given if isinstance(given, list) else [given]


def _run(program: str, given: Mapping[str, Any], names: str, functions: Mapping[str, Any]) -> dict[str, Any]:
    copies = {name: a.copy() if isinstance(a, np.ndarray) else a for name, a in given.items()}
    space: dict[str, Any] = {**vars(solution), **functions, "np": np, **copies}
    exec(program, space)
    return {name: np.asarray(space[name], np.float64) for name in names.split()}


def _same(a: Any, b: Any) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=1e-9))


# ---- task 1 ------------------------------------------------------------------------------------------------


def _convolution() -> list[dict[str, Any]]:
    program = "y = conv2d(x, weight, bias, stride, padding)"
    common = {"task": 1, "expect": "y", "tolerance": CONV}
    return [
        {
            **common, "name": "convolution: all positions of the kernel", "points": 4, "program": program,
            "draws": [inputs.forward((2, 3, 4, 2), 2, 2), inputs.forward((1, 4, 5, 1), 3, 2)],
            "wrong": {
                "your output has as many columns as rows: images needn't be square": {
                    "conv2d": mistakes.columns_from_rows
                },
                "your kernel is flipped, as in mathematics: here y[p, q] is a sum of x[p + i, q + j] * "
                "weight[i, j]": {"conv2d": mistakes.flipped},
                "height and width of your kernel are exchanged": {"conv2d": mistakes.transposed},
                "your bias is missing": {"conv2d": mistakes.without_bias},
            },
        },
        {
            **common, "name": "convolution: stride", "points": 3, "program": program,
            "draws": [inputs.forward((1, 5, 6, 2), 2, 2, 2), inputs.forward((1, 7, 5, 1), 2, 2, 3)],
            "wrong": {
                "your output has the right size, but the kernel moves one pixel at a time": {
                    "conv2d": mistakes.steps_of_one
                },
            },
        },
        {
            **common, "name": "convolution: padding", "points": 3, "program": program,
            "draws": [inputs.forward((1, 3, 4, 1), 3, 2, 1, 1), inputs.forward((1, 2, 3, 2), 2, 1, 1, 2)],
            "wrong": {
                "your zeros are all put below and on the right: half of them belong above and on the left": {
                    "conv2d": mistakes.padded_at_the_end
                },
            },
        },
        {
            **common, "name": "convolution: all together", "points": 5, "visible": False,
            "topic": "stride and padding together, x unchanged",
            "program": f"{program}\nx_after = x", "expect": "y x_after",
            "draws": [
                inputs.forward((3, 7, 10, 2), 3, 4, 2, 1), inputs.forward((2, 9, 6, 3), 4, 2, 3, 2),
                inputs.forward((2, 5, 8, 3), 1, 2, 2, 0), inputs.forward((5, 3, 3, 1), 3, 2, 1, 0),
            ],
        },
    ]


# ---- task 2 ------------------------------------------------------------------------------------------------


def _convolution_backward() -> list[dict[str, Any]]:
    program = "dx, dweight, dbias = conv2d_backward(g, x, weight, stride, padding)"
    common = {"task": 2, "program": program, "tolerance": CONV}
    plain = [inputs.backward((2, 3, 4, 1), 2, 2), inputs.backward((1, 5, 4, 1), 3, 2, 2, 0)]
    sums = [inputs.backward((2, 4, 3, 2), 2, 2), inputs.backward((3, 5, 4, 1), 3, 2, 2, 1)]
    return [
        {
            **common, "name": "convolution's gradient of x", "points": 4, "expect": "dx", "draws": plain,
            "wrong": {
                "your kernel is flipped in dx: pixel (p + i, q + j) gets g[p, q] times weight[i, j]": {
                    "conv2d_backward": mistakes.dx_flipped
                },
                "your dx holds what came last: windows overlap, so add what each gives (+=)": [
                    {"conv2d_backward": function} for function in mistakes.DX_OVERWRITTEN
                ],
                "your dx is empty: with padding 0 the slice padding:-padding is 0:0; count from the left, "
                "padding : padding + height": {"conv2d_backward": mistakes.dx_cut_to_nothing},
            },
        },
        {
            **common, "name": "convolution's gradient of x: padding", "points": 3, "expect": "dx",
            "draws": [inputs.backward((1, 3, 4, 1), 3, 2, 1, 1), inputs.backward((1, 4, 3, 1), 2, 2, 2, 1)],
            "wrong": {
                "your dx still has the padding around it": {"conv2d_backward": mistakes.dx_with_its_padding},
                "the padding is cut off your dx on the wrong side: rows and columns of it are above and on "
                "the left too": {"conv2d_backward": mistakes.dx_cut_at_the_end},
            },
        },
        {
            **common, "name": "convolution's gradient of the weight", "points": 4, "expect": "dweight",
            "draws": sums,
            "wrong": {
                "your gradient of the weight is averaged over the batch: it is a sum, the loss has its 1/N "
                "already": {"conv2d_backward": mistakes.gradients_averaged},
            },
        },
        {
            **common, "name": "convolution's gradient of the bias", "points": 2, "expect": "dbias",
            "draws": sums,
            "wrong": {
                "your gradient of the bias is averaged over the batch: it is a sum": {
                    "conv2d_backward": mistakes.gradients_averaged
                },
                "your gradient of the bias isn't summed over the positions": {
                    "conv2d_backward": mistakes.dbias_of_each_position
                },
            },
        },
        {
            **common, "name": "convolution's gradients: all together", "points": 4, "visible": False,
            "topic": "stride and padding; pixels never reached",
            "expect": "dx dweight dbias",
            "draws": [
                inputs.backward((3, 8, 11, 2), 3, 4, 2, 0), inputs.backward((2, 9, 6, 3), 4, 2, 3, 2),
                inputs.backward((4, 5, 8, 3), 1, 2, 3, 0), inputs.backward((2, 6, 7, 1), 3, 2, 2, 1),
            ],
        },
        {
            **common, "name": "convolution's gradients: arrays of their own", "points": 3, "visible": False,
            "topic": "inputs unchanged, results not shared",
            "program": f"{program}\nagain, dw, db = conv2d_backward(-2 * g, x, weight, stride, padding)\n"
            "x_after, g_after, weight_after = x, g, weight",
            "expect": "dx dweight dbias again dw db x_after g_after weight_after",
            "draws": [inputs.backward((3, 6, 5, 2), 3, 2, 1, 1), inputs.backward((2, 4, 6, 2), 2, 3, 1, 0)],
        },
    ]


# ---- task 3 ------------------------------------------------------------------------------------------------


def _pooling() -> list[dict[str, Any]]:
    forward, backward = "y = max_pool2d(x, size)", "dx = max_pool2d_backward(g, x, size)"
    both = {"task": 3, "program": f"{forward}\n{backward}", "expect": "y dx"}
    return [
        {
            "task": 3, "name": "max-pooling", "points": 4, "program": forward, "expect": "y",
            "draws": [
                inputs.without(inputs.pool((2, 4, 6, 2), 2), "g"),
                inputs.without(inputs.pool((1, 6, 3, 2), 3), "g"),
            ],
            "wrong": {
                "your maximum starts at 0: in a window all values can be negative": {
                    "max_pool2d": mistakes.largest_from_zero
                },
            },
        },
        {
            "task": 3, "name": "max-pooling: gradient", "points": 3, "program": backward, "expect": "dx",
            "draws": [inputs.pool((2, 4, 2, 2), 2), inputs.pool((1, 3, 6, 2), 3)],
            "wrong": {
                "every pixel of your windows gets the gradient: it belongs to the largest alone": {
                    "max_pool2d_backward": mistakes.every_pixel
                },
            },
        },
        {
            **both, "name": "max-pooling: sizes that the window doesn't divide", "points": 2,
            "draws": [inputs.pool((2, 5, 4, 1), 2), inputs.pool((1, 4, 8, 1), 3)],
        },
        {
            "task": 3, "name": "max-pooling: equal values", "points": 3, "program": backward, "expect": "dx",
            "draws": [inputs.pool((1, 4, 6, 1), 2, "ties"), inputs.pool((2, 3, 6, 1), 3, "ties")],
            "wrong": {
                "all of several equal maxima get the gradient: the first alone, in row-major order, has it": {
                    "max_pool2d_backward": mistakes.all_maxima
                },
                "several equal maxima share the gradient: the first alone, in row-major order, has it": {
                    "max_pool2d_backward": mistakes.shared_among_maxima
                },
                "the last of several equal maxima gets the gradient: the first, in row-major order, has it": {
                    "max_pool2d_backward": mistakes.last_maximum
                },
            },
        },
        {
            **both, "name": "max-pooling: what a network sends through it", "points": 3, "visible": False,
            "topic": "zeros behind a ReLU, odd sizes",
            "program": f"{forward}\n{backward}\nx_after, g_after = x, g", "expect": "y dx x_after g_after",
            "draws": [inputs.pool((3, 7, 10, 3), 2, "rectified"), inputs.pool((2, 8, 10, 3), 3, "ties")],
        },
    ]


# ---- task 4 ------------------------------------------------------------------------------------------------


def _batch_norm() -> list[dict[str, Any]]:
    forward = {
        "task": 4, "program": "y = batch_norm(x, gamma, beta, eps)", "expect": "y",
    }
    program = "dx, dgamma, dbeta = batch_norm_backward(g, x, gamma, eps)"
    backward = {"task": 4, "program": program, "expect": "dx dgamma dbeta"}
    small = [inputs.maps((4, 2, 3, 1), 0.5), inputs.maps((4, 1, 2, 2), 0.01)]
    large = [
        inputs.maps((6, 5, 3, 4), 1e-3), inputs.maps((4, 4, 4, 3), 0.1, 0.05),
        inputs.maps((7, 1, 6, 5), 1e-5, 3.0),
    ]
    as_forward, as_backward = ([inputs.without(d, *names) for d in small] for names in (("g",), ("beta",)))
    return [
        {
            **forward, "name": "batch norm per feature map", "points": 5, "draws": as_forward,
            "wrong": {
                sentence: {"batch_norm": function} for sentence, function in (
                    ("each position is normalised on its own: a feature map has one mean and one variance",
                     mistakes.per_activation),
                    ("you divide by the batch size: expected batch * height * width, all values of a map",
                     mistakes.n_in_the_statistics),
                    ("you normalise with the unbiased variance, 1/(m-1): Algorithm 1 has 1/m",
                     mistakes.unbiased),
                    ("eps is outside the root, 1/sqrt(var) + eps: expected 1/sqrt(var + eps)",
                     mistakes.eps_outside),
                    ("eps is added to the standard deviation: expected sqrt(var + eps)",
                     mistakes.std_and_eps),
                    ("gamma and beta are left out", mistakes.bare),
                )
            },
        },
        {
            **forward, "name": "batch norm: means that depend on the position", "points": 3, "visible": False,
            "topic": "means by position, x unchanged",
            "program": f"{forward['program']}\nx_after = x", "expect": "y x_after",
            "draws": [inputs.without(draw, "g") for draw in large],
        },
        {
            **forward, "name": "batch norm: a mean far from 0", "points": 3, "visible": False,
            "topic": "means far larger than the spread",
            "draws": [
                inputs.without(inputs.maps((4, 3, 5, 2), 1e-5, mean=1e5), "g"),
                inputs.without(inputs.maps((6, 2, 3, 3), 1e-3, mean=-2e5), "g"),
            ],
        },
        {
            **backward, "name": "batch norm's gradient of x", "points": 5, "expect": "dx",
            "draws": as_backward,
            "wrong": {
                sentence: {"batch_norm_backward": function} for sentence, function in (
                    ("the mean is taken for a constant: its term is missing in dx", mistakes.mean_detached),
                    ("the variance is taken for a constant: its term is missing in dx",
                     mistakes.var_detached),
                    ("you divide by the batch size: expected batch * height * width, all values of a map",
                     mistakes.n_in_dx),
                    ("the sign of the x_hat term is flipped: it is subtracted", mistakes.sign_flipped),
                    ("gamma is left out of dx", mistakes.no_gamma_in_dx),
                    ("dx takes each position's own mean and variance: a feature map has one of each",
                     mistakes.dx_per_activation),
                )
            } | {
                "the sums in dx are over the batch alone: expected batch, height and width": [
                    {"batch_norm_backward": function} for function in mistakes.DX_OVER_THE_BATCH
                ],
            },
        },
        {
            **backward, "name": "batch norm's gradients of gamma and beta", "points": 3,
            "expect": "dgamma dbeta", "draws": as_backward,
            "wrong": {
                sentence: {"batch_norm_backward": function} for sentence, function in (
                    ("gamma's gradient is summed over the batch alone: expected batch, height and width",
                     mistakes.dgamma_of_each_position),
                    ("gamma's gradient is averaged over height and width: expected a sum",
                     mistakes.dgamma_averaged_over_positions),
                    ("gamma's gradient is the sum of g * x: expected g * x_hat", mistakes.dgamma_by_x),
                )
            },
        },
        {
            **backward, "name": "batch norm's gradients: other shapes", "points": 4, "visible": False,
            "topic": "gradients of other shapes and spreads",
            "draws": [inputs.without(draw, "beta") for draw in large],
        },
        {
            **backward, "name": "batch norm: arrays of their own", "points": 2, "visible": False,
            "topic": "inputs unchanged, results not shared",
            "program": "y = batch_norm(x, gamma, beta, eps)\ny_again = batch_norm(g, gamma, beta, eps)\n"
            f"{program}\nagain, dgamma_again, dbeta_again = batch_norm_backward(x, g, gamma, eps)\n"
            "x_after, g_after, gamma_after = x, g, gamma",
            "expect": "y y_again dx dgamma dbeta again dgamma_again dbeta_again x_after g_after gamma_after",
            "draws": [inputs.maps((4, 3, 2, 3), 0.02), inputs.maps((5, 2, 4, 2), 0.3)],
        },
    ]


# ---- task 5 ------------------------------------------------------------------------------------------------


def _dilated() -> list[dict[str, Any]]:
    program = "y = dilated_conv2d(x, weight, bias, stride, padding, dilation)"
    backward = "dx, dweight, dbias = dilated_conv2d_backward(g, x, weight, stride, padding, dilation)"
    small = [inputs.dilated((1, 5, 6, 2), 2, 2, 1, 0, 2), inputs.dilated((1, 5, 7, 1), 2, 2, 1, 0, 3)]
    padded = [inputs.dilated((1, 4, 6, 1), 2, 2, 2, 1, 2), inputs.dilated((2, 3, 5, 1), 2, 2, 1, 1, 3)]
    large = [
        inputs.dilated((3, 8, 11, 2), 3, 4, 2, 1, 2), inputs.dilated((2, 9, 6, 3), 2, 2, 3, 2, 4),
        inputs.dilated((4, 7, 9, 2), 3, 3, 1, 0, 3),
    ]
    reach = "your kernel reaches over kernel * dilation pixels: expected dilation * (kernel - 1) + 1"
    ignored = "dilation is ignored: the kernel's weights look at neighbouring pixels"
    too_far = "your kernel reaches one pixel too far for each step: dilation 2 leaves out one pixel, not two"
    common = {"task": 5, "tolerance": CONV}
    return [
        {
            **common, "name": "dilated convolution", "points": 5, "program": program, "expect": "y",
            "draws": [inputs.without(draw, "g") for draw in small],
            "wrong": {
                ignored: {"dilated_conv2d": mistakes.no_dilation},
                too_far: {"dilated_conv2d": mistakes.one_too_far},
                reach: {"dilated_conv2d": mistakes.kernel_times_dilation},
            },
        },
        {
            **common, "name": "dilated convolution's gradient of x", "points": 5, "program": backward,
            "expect": "dx", "draws": [inputs.without(draw, "bias") for draw in padded],
            "wrong": {ignored: {"dilated_conv2d_backward": mistakes.backward_without_dilation}},
        },
        {
            **common, "name": "dilated convolution's gradients of weight and bias", "points": 5,
            "program": backward, "expect": "dweight dbias",
            "draws": [inputs.without(draw, "bias") for draw in padded],
            "wrong": {ignored: {"dilated_conv2d_backward": mistakes.backward_without_dilation}},
        },
        {
            **common, "name": "dilated convolution: all together", "points": 4, "visible": False,
            "topic": "stride, padding, dilation together", "program": program,
            "expect": "y", "draws": [inputs.without(draw, "g") for draw in large],
        },
        {
            **common, "name": "dilated convolution's gradients: all together", "points": 6, "visible": False,
            "topic": "gradients of all three together",
            "program": f"{backward}\nx_after, g_after, weight_after = x, g, weight",
            "expect": "dx dweight dbias x_after g_after weight_after",
            "draws": [inputs.without(draw, "bias") for draw in large],
        },
    ]
