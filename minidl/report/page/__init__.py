"""The page of one or more runs: one HTML file that needs no network and no script."""

from minidl.report.page.page import run_page
from minidl.report.page.run import Drawn, Run, TrainingRecord

__all__ = ["Drawn", "Run", "TrainingRecord", "run_page"]
