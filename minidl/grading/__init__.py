"""Grading: checks that hold an implementation against formulas of their own, and say what is wrong."""

from minidl.grading.check import check_batch_norm
from minidl.grading.functions import from_functions
from minidl.grading.report import Check, Report

__all__ = ["Check", "Report", "check_batch_norm", "from_functions"]
