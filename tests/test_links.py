"""The pages: every relative link leads somewhere, in the repository and in the tree that students get."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import minidl
from minidl.grading.course.trees import export_student_tree, files_of

ROOT = Path(minidl.__file__).parents[1]
LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="no checkout")


def dead_links(root):
    """Each page's links that lead to nothing, or to a heading that isn't there."""
    for page in files_of(root):
        if page.suffix != ".md":
            continue
        text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for target in (a or b for a, b in LINK.findall(text)):
            if re.match(r"\w+:", target):
                continue
            path, _, heading = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            known = there.exists() and there.is_relative_to(root.resolve())
            if not known or (heading and heading not in headings(there)):
                yield f"{page.relative_to(root).as_posix()}: {target}"


def headings(page):
    """What GitHub calls the headings of a page in links."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_repositorys_pages_have_no_dead_links():
    assert list(dead_links(ROOT)) == []


def test_the_students_pages_have_no_dead_links_and_name_no_tests_that_they_lack(tmp_path):
    export_student_tree(ROOT, tmp_path / "course")
    assert list(dead_links(tmp_path / "course")) == []
    for page in ("README.md", "tutorials/README.md", "tutorials/assignments/README.md"):
        text = (tmp_path / "course" / page).read_text(encoding="utf-8")
        for absent in ("pytest", "tests/", "GRADING", "not for students", "for all -->"):
            assert absent not in text, f"{page}: {absent}"
        assert "activate" in text, page
        assert text.count("\n\n\n") == 0, page


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "a.md").write_text("# A b\n[x](a.md#a-b) [x](b.md) [x](#c) `[x](d.md)`\n", encoding="utf-8")
    assert list(dead_links(tmp_path)) == ["a.md: b.md", "a.md: #c"]
