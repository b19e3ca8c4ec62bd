"""The layers, from which networks are built."""

from minidl.layers.activation import GELU, LeakyReLU, ReLU, Sigmoid, Tanh
from minidl.layers.conv import Conv2D
from minidl.layers.dense import Dense, Flatten
from minidl.layers.dropout import Dropout
from minidl.layers.fold import fold_batch_norm
from minidl.layers.layer import Layer
from minidl.layers.norm import BatchNorm, GroupNorm, LayerNorm
from minidl.layers.pool import AvgPool2D, MaxPool2D
from minidl.layers.sequential import Sequential
from minidl.layers.summary import summary

__all__ = [
    "GELU", "AvgPool2D", "BatchNorm", "Conv2D", "Dense", "Dropout", "Flatten", "GroupNorm", "Layer",
    "LayerNorm", "LeakyReLU", "MaxPool2D", "ReLU", "Sequential", "Sigmoid", "Tanh", "fold_batch_norm",
    "summary",
]
