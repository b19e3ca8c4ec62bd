"""Reports of the laboratory: the paragraph and the figures of each experiment, and the files they go to."""

from minidl.report.lab.figures import lab_figures
from minidl.report.lab.paragraph import paragraph
from minidl.report.lab.write import write_lab

__all__ = ["lab_figures", "paragraph", "write_lab"]
