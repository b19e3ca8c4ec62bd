"""A class of 200 submissions, a tenth of them endless loops: python -m tests.grading.course.class_of_200.

Prints how long grading took: a benchmark, not a test. It is to stay under ten minutes on two cores. The rest
of the class are the right submissions and the wrong ones of tests/assignments, in turn.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from minidl.engine.blocks import cores
from minidl.grading.course.batch import find_submissions, grade_all, table_csv
from minidl.grading.course.find import find_checks
from minidl.grading.course.manual import by_hand
from tests.assignments.materials import INSTRUCTORS, materialise, materials

LOOP = "def {name}(*arguments):\n    while True:\n        pass\n\n\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assignment", default="A3")
    parser.add_argument("--size", type=int, default=200, help="submissions; a tenth of them loops")
    args = parser.parse_args()
    material = next(each for each in materials() if each.assignment.name == args.assignment)
    assignment = material.assignment
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "class"
        folder.mkdir()
        others = [material.solution, *material.right, *materialise(material, Path(name) / "wrong")]
        for number in range(args.size):
            text = others[number % len(others)].read_text(encoding="utf-8")
            if number % 10 == 0:
                names = [line[4:line.index("(")] for line in text.splitlines() if line.startswith("def ")]
                text += "\n\n" + "".join(LOOP.format(name=each) for each in names)
            (folder / f"student{number:03}.py").write_text(text, encoding="utf-8")
        checks = find_checks(assignment, INSTRUCTORS)
        submissions = find_submissions(folder, assignment.starter)
        marks = {submission.name: by_hand(assignment, checks) for submission in submissions}
        began = time.monotonic()
        results = grade_all(assignment, checks, submissions, marks, None, cores(), lambda: None)
        seconds = time.monotonic() - began
        table_csv(assignment, checks, results)
    points = sorted(result.points for result in results.values())
    loops = sum(any(outcome.why for outcome in result.outcomes) for result in results.values())
    print(
        f"{assignment.name}: {len(results)} submissions, {len(checks)} checks each, {loops} ran out of time,"
        f" median {points[len(points) // 2]:g} points; {seconds:.0f} s on {cores()} cores"
    )


if __name__ == "__main__":
    main()
