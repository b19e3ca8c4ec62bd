"""The command that repeats a run, made from its record: what the shell would have to be told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from minidl.experiments import RECIPES, Comparison, RunConfig, grid
from minidl.experiments.lab import LabResult, Scale, scale_of


def command_of_comparison(comparison: Comparison) -> str:
    """`minidl compare ...`; empty if no command does these runs, as when Python chose them or Ctrl-C came.

    Example:
        >>> from minidl.experiments import environment
        >>> command_of_comparison(Comparison((), environment(), 0.0))
        ''

    """
    configs = [result.config for result in comparison.results]
    if not configs:
        return ""
    seeds = 1 + max(config.seed for config in configs)
    if configs != grid(configs[0], comparison.rates, seeds) or not _plain_sgd(configs[0]):
        return ""
    return _line("compare", *_network(configs[0]), "--lr", *map(_plain, comparison.rates), "--seeds", seeds)


def command_of_training(config: RunConfig) -> str:
    """`minidl train ...`; empty if no command trains such a network.

    Example:
        >>> command_of_training(RunConfig(momentum=0.9, schedule="cosine", steps=100)).split(" --")[:3]
        ['minidl train', 'model mlp', 'data mnist']

    """
    recipe = RECIPES[config.model]
    if (config.momentum, config.schedule) != (recipe.momentum, recipe.schedule):
        return ""
    norm = "--batch-norm" if config.batch_norm else "--no-batch-norm"
    return _line(
        "train", *_network(config), norm, "--lr", _plain(config.lr), "--init", config.init,
        "--seed", config.seed,
    )


def command_of_lab(result: LabResult) -> str:
    """`minidl lab ...`; empty if no command has this scale."""
    scale = _scale(result.scale)
    if scale is None or not result.records:
        return ""
    settings = result.records[0].job.settings
    data = ["--data", settings["data"]] if "data" in settings else []
    return _line("lab", result.claim.experiment, *scale, *data, *["--grey"] * bool(settings.get("grey")))


def _scale(scale: Scale) -> list[Any] | None:
    size = [] if scale.name == "default" else [f"--{scale.name}"]
    if scale == scale_of(scale.name):
        return size
    return [*size, "--seeds", scale.mlp_seeds] if scale == scale_of(scale.name, scale.mlp_seeds) else None


def _network(config: RunConfig) -> Sequence[Any]:
    return (
        "--model", config.model, "--data", config.data, "--activation", config.activation,
        "--placement", config.placement, "--batch-size", config.batch_size, "--steps", config.steps,
    )


def _plain_sgd(config: RunConfig) -> bool:
    usual = RunConfig()
    return replace(config, momentum=usual.momentum, schedule=usual.schedule) == config


def _plain(number: float) -> str:
    return f"{number:g}" if float(f"{number:g}") == number else repr(number)


def _line(*words: Any) -> str:
    """With double quotes where a shell needs some: they mean the same on Windows."""
    return " ".join(
        word if re.fullmatch(r"[\w.=/+-]+", word) else f'"{word}"' for word in ("minidl", *map(str, words))
    )
