"""Write the checks that students see: python -m tests.assignments.publish [A1 A2 ...]."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from minidl.grading.course.assignment import VISIBLE, visible_json
from minidl.grading.course.find import VISIBLE_SEED
from tests.assignments.materials import materials


def main(names: Sequence[str]) -> None:
    """Write `checks.json` of the assignments with these names, or of all."""
    for material in materials():
        if not names or material.assignment.name in names:
            path = material.assignment.folder / VISIBLE
            text = visible_json(material.checks(VISIBLE_SEED))
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"{material.assignment.name}: {path.stat().st_size / 1000:.1f} kB, {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
