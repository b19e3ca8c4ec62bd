"""A tiny assignment in a folder of its own, with hidden checks: what the grader's tests work on."""

from __future__ import annotations

from minidl.grading.course.assignment import read_assignment, visible_json
from minidl.grading.course.find import VISIBLE_SEED, find_checks, load_hidden
from minidl.grading.course.grade import grade

RIGHT = """
import numpy as np

def double(x):
    return 2 * x

def total(x, g):
    return x.sum(axis=0), g * np.ones_like(x)
"""

SQUARES = """
import numpy as np
print('hello')
def double(x): return x**2
def total(x, g): return x.sum(0), 0 * x
"""

TOML = """
name = "T1"
title = "Two small functions"
starter = "t1.py"
hours = 1
library = false

[[tasks]]
number = 1
title = "double"
points = 30
read = "tutorials/01_tape.py"

[[tasks]]
number = 2
title = "sums"
points = 50
read = "tutorials/02_mlp.py"

[[tasks]]
number = 3
title = "in words"
points = 20
read = "tutorials/02_mlp.py"
"""

CHECKS = '''
import numpy as np
from minidl.grading.course.checks import Case, Hint, TaskCheck
from .solution import double, total


def checks(seed):
    rng = np.random.default_rng(seed)
    xs = [rng.normal(size=shape) for shape in ((4, 3), (5, 2), (2, 6))]
    g = rng.normal(size=3)
    squares = [{"y": x**2} for x in xs[:2]]
    doubles = [Case("y = double(x)", {"x": x}, {"y": double(x)}) for x in xs]
    s, dx = total(xs[0], g)
    both = [Case("s, dx = total(x, g)", {"x": xs[0], "g": g}, {"s": s, "dx": dx})]
    return [
        TaskCheck("double: y", 1, 20, doubles[:2], hints=[Hint("you square it", squares)]),
        TaskCheck("double: hidden name", 1, 10, doubles[2:], visible=False, topic="another shape"),
        TaskCheck("total: sums and gradient", 2, 50, both),
    ]
'''


def write(root, first="", publish=True):
    """The assignment for students and for instructors under `root`: its record, and the hidden folder."""
    students, instructors = root / "tutorials/assignments/t1_tiny", root / "private/t1_tiny"
    for folder in (students, instructors):
        folder.mkdir(parents=True)
    (students / "assignment.toml").write_text(TOML, encoding="utf-8")
    (instructors / "__init__.py").write_text("", encoding="utf-8")
    (instructors / "solution.py").write_text(RIGHT, encoding="utf-8")
    (instructors / "checks.py").write_text(first + CHECKS, encoding="utf-8")
    assignment = read_assignment(students)
    if not publish:
        return assignment, instructors.parent
    checks = load_hidden(assignment, instructors.parent)(VISIBLE_SEED)
    (students / "checks.json").write_text(visible_json(checks), encoding="utf-8")
    return assignment, instructors.parent


def run(course, text, seed=None, hidden=True, name="mine.py", **options):
    assignment, folder, tmp_path = course
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    checks = find_checks(assignment, folder if hidden else None, seed)
    return grade(assignment, checks, path, seed=seed, **options)
