"""What a page is made of: the record of a run, and its figures."""

from __future__ import annotations

from dataclasses import dataclass

from minidl.experiments import Comparison, Environment, RunConfig
from minidl.experiments.lab import LabResult
from minidl.report.figure_records import FigureData
from minidl.training import Evaluation


@dataclass(frozen=True)
class TrainingRecord:
    """What `results.json` keeps of a trained network.

    Attributes:
        title: network and data, for people.
        config: what was trained.
        data: the data set, for people.
        images: number of test images.
        test: loss and accuracy on them.
        stopped: why the training ended.
        class_names: of the data set.
        confusion: counts, a list for each true class; None of a network that diverged.
        environment: machine and versions.

    """

    title: str
    config: RunConfig
    data: str
    images: int
    test: Evaluation
    stopped: str
    class_names: tuple[str, ...]
    confusion: list[list[int]] | None
    environment: Environment


@dataclass(frozen=True)
class Drawn:
    """A figure.

    Attributes:
        data: what it shows.
        svg: the content of its SVG file.

    """

    data: FigureData
    svg: str


@dataclass(frozen=True)
class Run:
    """A run, as its folder holds it.

    Attributes:
        name: of the folder.
        record: of what was measured.
        figures: in order.

    """

    name: str
    record: Comparison | TrainingRecord | LabResult
    figures: tuple[Drawn, ...]
