"""Training: fit and its callbacks, evaluation, population statistics, histories and checkpoints."""

from minidl.training.callbacks import Callback, EarlyStopping, TrainingState
from minidl.training.checkpoint import load_checkpoint, save_checkpoint
from minidl.training.evaluate import Evaluation, evaluate, predict
from minidl.training.fit import fit
from minidl.training.history import History, Series
from minidl.training.recalibrate import recalibrate, recalibrated

__all__ = [
    "Callback", "EarlyStopping", "Evaluation", "History", "Series", "TrainingState", "evaluate", "fit",
    "load_checkpoint", "predict", "recalibrate", "recalibrated", "save_checkpoint",
]
