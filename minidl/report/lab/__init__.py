"""Reports of the laboratory: the paragraph and the figures of each experiment, and the files they go to."""

from minidl.report.lab.paragraph import paragraph
from minidl.report.lab.write import lab_figures, write_lab

__all__ = ["lab_figures", "paragraph", "write_lab"]
