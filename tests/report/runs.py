"""Folders of real runs, small ones on the synthetic stroke digits, and what their pages say of themselves."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from minidl import report
from minidl.experiments import RunConfig, compare, grid, train_network
from minidl.report.lab import write_lab
from tests.experiments.lab.test_runs import tiny

DATA = "stroke-digits"


def write_runs(folder: Path) -> dict[str, Path]:
    """A run of each command, by the command's name."""
    base = RunConfig(data=DATA, steps=12)
    report.write_comparison(compare(grid(base, [0.5, 8.0], 2)), folder / "compare")
    trained = train_network(RunConfig(data=DATA, steps=30, batch_norm=True))
    report.write_training(trained, folder / "train")
    write_lab(tiny("figure1"), folder / "lab")
    return {name: folder / name for name in ("compare", "train", "lab")}


class Page(HTMLParser):
    """What a page consists of.

    Attributes:
        tags: each element's name and attributes, in order.
        text: all that is neither markup nor style.
        errors: elements that are closed by another's end.

    """

    VOID = ("meta", "link", "br", "hr", "img", "input")

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.errors: list[str] = []
        self.headings: list[str] = []
        self._open: list[str] = []
        self.feed(content)
        self.close()
        self.errors += self._open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.errors.append(f"</{tag}>")

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.text += data
        if self._open and self._open[-1] in ("h1", "h2", "h3", "h4"):
            self.headings.append(f"{self._open[-1]} {data}")

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of all elements of that name."""
        return [attributes for name, attributes in self.tags if name == tag]
