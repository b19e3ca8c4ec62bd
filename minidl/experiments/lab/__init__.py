"""The laboratory: each claim about batch normalization as an experiment with a verdict."""

from minidl.experiments.lab.claims import Claim, Contrast, claims
from minidl.experiments.lab.estimate import estimate, measure_speed
from minidl.experiments.lab.experiment import (
    Analysis,
    LabResult,
    NotConcluded,
    experiments,
    judge,
    planned,
    run_experiment,
)
from minidl.experiments.lab.jobs import Job, Record
from minidl.experiments.lab.scale import SCALES, Scale, scale_of
from minidl.experiments.lab.statistics import Interval, paired_interval, verdict

__all__ = [
    "SCALES", "Analysis", "Claim", "Contrast", "Interval", "Job", "LabResult", "NotConcluded", "Record",
    "Scale", "claims", "estimate", "experiments", "judge", "measure_speed", "paired_interval", "planned",
    "run_experiment", "scale_of", "verdict",
]
