"""Gradient checks of every op, loss and layer: one table, for `minidl gradcheck` and for the tests."""

from minidl.gradchecks.run import Check, check_all, check_own

__all__ = ["Check", "check_all", "check_own"]
