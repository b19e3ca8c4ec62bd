"""What students get of an assignment: a handout that agrees with its record, and a starter of typed stubs."""

from __future__ import annotations

import ast
import re

import pytest

from tests.assignments.materials import STUDENTS, TUTORIALS, judge, load, materials
from tests.assignments.starters import functions, stub_tasks

MATERIALS = materials()
each = pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.assignment.name)
TASK = re.compile(r"^## Task (\d+): (.+) \((\d+) points\)$", re.MULTILINE)


def handout(material):
    return (material.assignment.folder / "README.md").read_text(encoding="utf-8")


@each
def test_the_handout_states_the_tasks_and_points_of_the_record(material):
    found = TASK.findall(handout(material))
    stated = [(int(number), title, float(points)) for number, title, points in found]
    assert stated == [(task.number, task.title, task.points) for task in material.assignment.tasks]


@each
def test_the_handout_has_goal_theory_hours_length_hints_questions_and_how_to_check(material):
    text, assignment = handout(material), material.assignment
    assert text.startswith(f"# {assignment.name}: {assignment.title}\n")
    for heading in ("## Goal", "## Theory in brief", "## Questions"):
        assert f"\n{heading}\n" in text, heading
    assert f"{assignment.hours:g} hours" in text
    assert re.search(r"\d+ lines", text), "say how long the code is expected to be"
    assert text.count("<details>") == text.count("</details>") >= len(assignment.tasks)
    assert text.count("<details>") == text.count("<summary>")
    command = f"minidl grade {assignment.name} {assignment.starter}"
    assert command in text


@each
def test_what_the_handout_and_the_record_name_is_there(material):
    folder = material.assignment.folder
    for target in re.findall(r"\]\(([^)#]+)\)", handout(material)):
        if not target.startswith("http") and "/" not in target:
            assert (folder / target).exists(), target
    for task in material.assignment.tasks:
        heading = task.read.removeprefix("handout: ")
        if heading != task.read:
            assert f"\n## {heading}\n" in handout(material), task.read
            continue
        tutorials = re.findall(r"tutorials/\d\d_\w+\.py", task.read)
        assert tutorials, task.read
        assert task.read.startswith(tutorials[0]), task.read
        assert all((TUTORIALS.parent / tutorial).is_file() for tutorial in tutorials), task.read


def test_a5_names_a_tutorial_where_one_tells_it_and_its_own_theory_elsewhere():
    tasks = next(material for material in MATERIALS if material.assignment.name == "A5").assignment.tasks
    assert [task.number for task in tasks if task.read == "handout: Theory in brief"] == [1, 2, 3, 5]
    assert "tutorials/05_backward.py" in tasks[3].read


@each
def test_nothing_of_the_instructors_lies_beside_the_handout(material):
    names = {path.name for path in material.assignment.folder.iterdir()}
    assert not names & {"solution.py", "checks.py", "library.py", "right", "wrong.toml", "rubric.md"}


# ---- starters ------------------------------------------------------------------------------------------


@each
def test_the_starters_stubs_are_typed_documented_and_say_which_task_they_are(material):
    tree = ast.parse(material.starter.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    tasks = stub_tasks(material)
    assert set(tasks.values()) == {task.number for task in material.assignment.tasks}
    for name, node in functions(tree):
        if node.name.startswith("_"):
            continue
        assert ast.get_docstring(node), f"{name}: no docstring"
        assert node.returns is not None, f"{name}: says not what it returns"
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            typed = argument.arg == "self" or argument.annotation is not None
            assert typed, f"{name}: {argument.arg} has no type"
        if name in tasks:
            assert isinstance(node.body[-1], ast.Raise), f"{name} doesn't end with NotImplementedError"


@each
def test_the_starter_imports_numpy_and_the_standard_library_alone(material):
    tree = ast.parse(material.starter.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy", "math"}, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            allowed = ("__future__", "collections.abc", "dataclasses", "typing")
            assert node.module in allowed, ast.unparse(node)


# ---- the answers don't lie next door -------------------------------------------------------------------

SLOW = re.compile(r"\b(fit|mnist|stroke_digits|batches|plt|plots|open|input|print)\b")


def _tutorial_functions():
    """The functions of the tutorials, each with the names that its tutorial imports and defines."""
    for path in sorted(TUTORIALS.glob("[0-9][0-9]_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
        tree.body = [node for node in tree.body if isinstance(node, kinds)]
        for node in ast.walk(tree):     # defaults may need what the tutorial computed, which isn't run here
            if isinstance(node, ast.arguments):
                node.defaults = [ast.copy_location(ast.Constant(None), default) for default in node.defaults]
        space = {}
        exec(compile(tree, str(path), "exec"), space)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                yield path.stem, node, space[node.name]


@each
def test_no_function_of_a_tutorial_passes_a_check(material):
    """Neither under its own name, nor handed in under that of a stub with as many arguments."""
    starter, tasks = load(material.starter), stub_tasks(material)
    checks = material.checks(1)
    for tutorial, node, function in _tutorial_functions():
        for stub, task in tasks.items():
            if "." in stub:
                continue
            as_many = len(node.args.args) == starter[stub].__code__.co_argcount
            fits = as_many and not SLOW.search(ast.unparse(node))
            if fits or node.name == stub:
                judgements = judge({**starter, stub: function}, [c for c in checks if c.task == task])
                passed = [judgement.check.name for judgement in judgements if judgement.passed]
                assert not passed, f"{tutorial}: {node.name} as {stub} passes {passed}"


# ---- the list and the plan -----------------------------------------------------------------------------


@each
def test_the_list_of_assignments_states_the_same_title_and_hours(material):
    text = (STUDENTS / "README.md").read_text(encoding="utf-8")
    assignment = material.assignment
    line = next(line for line in text.splitlines() if f"({assignment.folder.name}/README.md)" in line)
    assert assignment.name in line
    assert assignment.title in line
    assert f"{assignment.hours:g} h" in line


def test_the_plan_has_twelve_weeks_and_names_every_tutorial_and_assignment():
    text = (STUDENTS / "PLAN.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    assert [int(row[1]) for row in rows] == list(range(1, 13))
    tutorials = {number for row in rows for number in re.findall(r"\d\d", row[3])}
    assert tutorials == {f"{i:02}" for i in range(17)}
    assert {name for row in rows for name in re.findall(r"A\d", row[4])} == {f"A{i}" for i in range(1, 9)}
    hours = sum(int(row[5].removesuffix(" h")) for row in rows)
    assert f"that makes {hours} hours" in text
