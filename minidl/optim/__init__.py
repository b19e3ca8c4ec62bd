"""The optimizers, with PyTorch's formulas and option names; and gradient clipping."""

from minidl.optim.algorithms import SGD, Adagrad, Adam, AdamW, RMSprop
from minidl.optim.optimizer import Optimizer, clip_grad_norm

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm"]
