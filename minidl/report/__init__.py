"""Reports: what a run says, as text, figures and files."""

from minidl.report.comparison import write_comparison
from minidl.report.comparison_figures import comparison_figures, headline
from minidl.report.files import results_folder, write_csv, write_json, written_whole
from minidl.report.page import run_page
from minidl.report.reading import read_run, run_folders
from minidl.report.run_folder import PAGE, NotDrawn
from minidl.report.table import comparison_legend, comparison_table
from minidl.report.training import confusion_counts, confusion_table, training_figures, write_training

__all__ = [
    "PAGE",
    "NotDrawn",
    "comparison_figures",
    "comparison_legend",
    "comparison_table",
    "confusion_counts",
    "confusion_table",
    "headline",
    "read_run",
    "results_folder",
    "run_folders",
    "run_page",
    "training_figures",
    "write_comparison",
    "write_csv",
    "write_json",
    "write_training",
    "written_whole",
]
