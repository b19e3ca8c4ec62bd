"""Experiments: a config goes in, a plain record comes out."""

from minidl.experiments.compare import Comparison, compare, grid
from minidl.experiments.config import RECIPES, TUNED, RunConfig, arms
from minidl.experiments.environment import Environment, environment
from minidl.experiments.estimate import estimate_seconds
from minidl.experiments.models import build, build_optimizer
from minidl.experiments.record import comparison_from_plain, to_plain
from minidl.experiments.run import Measurement, RunResult, run, split
from minidl.experiments.summary import Cell, summarize
from minidl.experiments.trained import TrainedNetwork, title_of, train_network
from minidl.experiments.workers import worker_processes
from minidl.training.evaluate import POPULATION

__all__ = [
    "POPULATION",
    "RECIPES",
    "TUNED",
    "Cell",
    "Comparison",
    "Environment",
    "Measurement",
    "RunConfig",
    "RunResult",
    "TrainedNetwork",
    "arms",
    "build",
    "build_optimizer",
    "compare",
    "comparison_from_plain",
    "environment",
    "estimate_seconds",
    "grid",
    "run",
    "split",
    "summarize",
    "title_of",
    "to_plain",
    "train_network",
    "worker_processes",
]
