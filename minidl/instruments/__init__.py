"""Instruments: they read a tape, or a model's parameters, and return numbers."""

from minidl.instruments.gradient_flow import (
    ActivationGradient,
    ParameterGradient,
    activation_gradients,
    parameter_gradients,
    update_ratios,
)
from minidl.instruments.percentiles import Percentiles, percentiles
from minidl.instruments.probe import probe
from minidl.instruments.saturation import Saturation, saturation

__all__ = [
    "ActivationGradient", "ParameterGradient", "Percentiles", "Saturation", "activation_gradients",
    "parameter_gradients", "percentiles", "probe", "saturation", "update_ratios",
]
