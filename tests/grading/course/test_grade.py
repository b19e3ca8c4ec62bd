"""What the result says: marks, sentences, snippets, Gradescope's JSON, seeds, versions, marks by hand."""

from __future__ import annotations

import code
import hashlib
import json

import numpy as np
import pytest

import minidl
from minidl.grading.course import reproduce
from minidl.grading.course.assignment import GRADER_VERSION, read_visible
from minidl.grading.course.checks import Case, TaskCheck
from minidl.grading.course.console import report
from minidl.grading.course.find import find_assignment, find_checks, find_folder
from minidl.grading.course.grade import grade
from minidl.grading.course.gradescope import results_json
from minidl.grading.course.sandbox.limits import Limits
from minidl.grading.course.wording import END, PASTE
from tests.grading.course import tiny

# ---- marks and words -----------------------------------------------------------------------------------


def test_a_right_submission_gets_all_points_that_checks_give(course):
    result = tiny.run(course, tiny.RIGHT)
    assert (result.points, result.most) == (80, 80)
    assert [result.of_task(task) for task in result.assignment.tasks] == [(30, 30), (50, 50), (0, 0)]
    text = report(result)
    assert "FAIL" not in text
    assert "20 more points are marked by hand: not looked at" in text
    assert "hidden checks, which" not in text


def test_after_full_visible_marks_the_student_is_told_that_there_is_more(course):
    more = "Visible checks don't cover everything the handout lists: read its bullets once more."
    text = report(tiny.run(course, tiny.RIGHT, hidden=False))
    assert "10 more points are for hidden checks, which your instructor runs" in text
    assert more in text
    assert more not in report(tiny.run(course, tiny.RIGHT))
    assert more not in report(tiny.run(course, tiny.SQUARES, hidden=False))


def test_the_result_names_the_file_that_ran_and_the_versions(course):
    result = tiny.run(course, tiny.RIGHT)
    sha256 = hashlib.sha256(tiny.RIGHT.encode()).hexdigest()
    for text in (report(result), results_json(result)):
        assert str(result.path) in text
        assert sha256 in text
        assert minidl.__version__ in text
    assert f"grader {GRADER_VERSION}" in report(result)


def test_a_failed_check_shows_what_was_expected_what_came_a_snippet_and_the_tutorial(course):
    text = report(tiny.run(course, tiny.SQUARES))
    x = read_visible(course[0])[0].cases[0].inputs["x"]
    assert f"y[0, 0]: expected {2 * x[0, 0]:.6g}, got {x[0, 0] ** 2:.6g}; furthest off is y[" in text
    assert "It is exactly what a known mistake gives: you square it" in text
    assert "y = double(x)\n" in text
    assert "print(y[0, 0])\n" in text
    assert "It printed:\n    hello" in text
    assert "Read again: tutorials/01_tape.py" in text
    assert text.isascii()


def test_a_hidden_check_shows_its_topic_and_nothing_of_its_inputs(course):
    leak = "def double(x):\n    print('LEAK', x)\n"
    leak += "    try: open(f'/LEAK {x.shape}')\n    except OSError: pass\n"
    leak += "    raise ValueError(f'LEAK {x.shape}')\n"
    result = tiny.run(course, leak + "def total(x, g): pass\n")
    for text in (report(result), results_json(result)):
        assert "another shape" in text
        assert "hidden name" not in text
        assert "(2, 6)" not in text
        assert "ValueError: LEAK (4, 3)" in text      # of the visible one
        assert "Note: opening /LEAK (4, 3) isn't allowed" in text


def test_a_hint_is_given_for_exactly_that_mistake_alone(course):
    result = tiny.run(course, "def double(x): return x**2 + 1e-6\ndef total(x, g): pass\n")
    assert "known mistake" not in report(result)


def test_a_check_that_fails_costs_its_own_points(course):
    result = tiny.run(course, tiny.RIGHT.replace("g * np", "2 * g * np"))
    assert result.points == 30
    assert "dx[0, 0]: expected" in report(result)


def test_stubs_get_zero_and_say_which_task_is_missing(course):
    stub = "def {}: raise NotImplementedError('T1, task {}: ...')\n"
    result = tiny.run(course, stub.format("double(x)", 1) + stub.format("total(x, g)", 2))
    assert result.points == 0
    text = report(result)
    assert "\nNot written yet: task 1: ...; task 2: ....\n" in text
    assert text.count("  not yet\n") == 2
    assert "FAIL  double: y" not in text
    assert "paste" not in text
    first = json.loads(results_json(result))
    assert first["output"].startswith("Not written yet: task 1")
    assert first["tests"][0]["output"].startswith("Not written yet: T1, task 1: ...")


def test_what_is_not_written_is_named_without_what_it_takes(course):
    stub = "def double(x): raise NotImplementedError('T1, task 1: double(x) -> y')\n"
    own = "def total(x, g): raise NotImplementedError\n"
    assert "Not written yet: task 1: double; a function." in report(tiny.run(course, stub + own))


@pytest.mark.parametrize(("text", "said"), [
    ("def double(x:\n", "SyntaxError"), ("raise ValueError('at import')", "ValueError: at import"),
    ("import nothing_at_all", "importing nothing_at_all isn't allowed"), ("\0", "null bytes"),
])
def test_a_file_that_can_not_be_imported_gets_zero_with_the_reason(course, text, said):
    result = tiny.run(course, text)
    assert result.points == 0
    text = report(result)
    assert text.count(said) == 1
    assert text.splitlines()[2].startswith("Your file can't be run: ")
    assert "Nothing was checked." in text
    assert "FAIL" not in text
    assert "paste" not in text
    plain = json.loads(results_json(result))
    assert said in plain["output"].splitlines()[0]
    assert "paste" not in str(plain)


def test_an_exception_names_the_line_of_the_students_own_file(course):
    deep = "import numpy as np\ndef helper(x):\n    return np.ones(3) @ x.T\ndef double(x):\n"
    text = report(tiny.run(course, f"{deep}    return helper(x[:, :1])\ndef total(x, g): return x, g, 3\n"))
    assert "(line 3 of mine.py)" in text
    assert "ValueError: too many values to unpack (expected 2" in text


def test_a_visible_check_alone_says_why_a_file_cannot_be_run(course):
    """What all checks say in the same words can't be a hidden one's inputs; one hidden check alone could."""
    from minidl.grading.course.wording import blocked

    outcomes = tiny.run(course, "raise ValueError('why')").outcomes
    assert blocked(outcomes).endswith("ValueError: why (line 1 of mine.py)")
    assert not blocked([outcomes[1]])
    assert not blocked(tiny.run(course, tiny.SQUARES).outcomes)


def test_names_that_are_missing_are_named(course):
    assert "name 'double' is not defined" in report(tiny.run(course, "x = 1"))


def test_grading_twice_gives_the_same(course):
    results = [tiny.run(course, tiny.SQUARES) for _ in range(2)]
    first, second = (json.loads(results_json(result)) for result in results)
    for each in (first, second):
        del each["execution_time"]
    assert first == second


def test_after_two_timeouts_the_rest_is_not_run(course):
    loops = "def double(x):\n    while True: pass\ndef total(x, g): double(x)\n"
    result = tiny.run(course, loops, limits=Limits(cpu_seconds=1, wall_seconds=30))
    # The second is hidden, and would have been run last.
    assert [outcome.why.split(":")[0] for outcome in result.outcomes] == [
        "it used more than 1 s of processor time", "not run", "it used more than 1 s of processor time",
    ]


def test_after_the_time_of_a_submission_the_rest_is_not_run(course):
    sleeps = "import time\ndef double(x):\n    time.sleep(50)\ndef total(x, g): pass\n"
    result = tiny.run(course, sleeps, limits=Limits(submission_seconds=0.5))
    assert "does it sleep or wait?" in result.outcomes[0].why
    assert "not run: the 0 s of a submission were over" in result.outcomes[1].why


def test_what_is_no_submission_is_an_error(course):
    assignment, hidden, tmp_path = course
    checks = find_checks(assignment, hidden)
    (tmp_path / "a.txt").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=r"there is no file no\.py in .+"):
        grade(assignment, checks, tmp_path / "no.py")
    for name, got in ((".", "folder"), ("a.txt", "another kind")):
        path = tmp_path / name
        with pytest.raises(ValueError, match=f"expected a .py file, got .*{got}"):
            grade(assignment, checks, path)
    (tmp_path / "big.py").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ValueError, match="at most 1000000 bytes, got 1000001"):
        grade(assignment, checks, tmp_path / "big.py")


# ---- the snippet ---------------------------------------------------------------------------------------


def pasted(text):
    """The first snippet of a report as it stands, line by line."""
    return text.split(f"{PASTE}\n")[1].split(END)[0].splitlines()


def test_the_snippet_reproduces_the_failure_in_at_most_ten_lines(course, capsys, monkeypatch):
    lines = pasted(report(tiny.run(course, tiny.SQUARES)))
    assert len(lines) <= 10
    monkeypatch.chdir(course[2])
    prompt = code.InteractiveConsole()
    for line in lines:
        prompt.push(line)
    x = read_visible(course[0])[0].cases[0].inputs["x"]
    came = capsys.readouterr()
    assert came.out == f"hello\n{x[0, 0] ** 2}\n"
    assert not came.err


def test_a_long_program_still_fits():
    from minidl.grading.course.judging import CaseResult, judge_check
    from minidl.grading.course.reproduce import snippet

    for length in range(1, 10):
        case = Case("\n".join(["y = f(x)"] * length), {}, {"y": np.ones((2, 2))})
        judgement = judge_check(TaskCheck("c", 1, 1, [case]), [CaseResult({"y": np.zeros((2, 2))})])
        lines = snippet(judgement, "A1", "a1.py")
        assert len(lines) <= 10
        assert lines.count("y = f(x)") == length
        assert ("print(y[0, 0])" in lines) == (length <= 8)


def test_a_prompt_gets_an_empty_line_after_each_block():
    from minidl.grading.course.judging import CaseResult, judge_check
    from minidl.grading.course.reproduce import snippet

    program = "def f(x):\n    return [\n        x,\n    ]\n"
    program += "try:\n    y = f(1)\nexcept ValueError:\n    pass\ny = [\n    3]"
    judgement = judge_check(TaskCheck("c", 1, 1, [Case(program, {}, {"y": np.ones(1)})]), [CaseResult({})])
    lines = snippet(judgement, "A1", "a1.py")
    assert [lines[i - 1] for i, line in enumerate(lines) if not line] == ["    ]", "    pass"]


def test_reproduce_knows_visible_checks_alone(course, monkeypatch):
    monkeypatch.chdir(course[2])
    (course[2] / "mine.py").write_text(tiny.RIGHT, encoding="utf-8")
    names = reproduce("t1", "double: y", "mine.py", 1)
    assert names["x"].shape == (5, 2)
    assert {"double", "total", "np"} <= set(names)
    for wrong in (("another shape", 0), ("double: y", 2), ("double: y", -1)):
        with pytest.raises(ValueError, match="expected a visible check"):
            reproduce("T1", wrong[0], "mine.py", wrong[1])


# ---- Gradescope ----------------------------------------------------------------------------------------


def test_the_json_has_the_fields_that_gradescope_reads(course):
    plain = json.loads(results_json(tiny.run(course, tiny.SQUARES)))
    assert plain["score"] == 0
    assert plain["stdout_visibility"] == "hidden"
    assert [test["visibility"] for test in plain["tests"]] == ["visible", "after_published", "visible"]
    assert [test["max_score"] for test in plain["tests"]] == [20, 10, 50]
    for test in plain["tests"]:
        assert test["score"] == 0
        assert test["status"] == "failed"
        assert set(test) <= {
            "score", "max_score", "status", "name", "number", "output", "output_format", "visibility", "tags",
        }
        assert test["output"]


# ---- checks: hidden, seeds, versions -------------------------------------------------------------------


def test_without_the_instructors_folder_the_visible_checks_alone_are_run(course):
    result = tiny.run(course, tiny.RIGHT, hidden=False)
    assert [outcome.judgement.check.name for outcome in result.outcomes] == [
        "double: y", "total: sums and gradient",
    ]
    assert result.most == 70


def test_a_seed_draws_other_inputs_which_no_snippet_shows(course):
    x = read_visible(course[0])[0].cases[0].inputs["x"]
    learned = f"import numpy as np\nX = np.array({x.tolist()})\n" + tiny.RIGHT.replace(
        "return 2 * x", "return 2 * X if x.shape == X.shape else 2 * x"
    )
    assert tiny.run(course, learned).points == 80
    result = tiny.run(course, learned, seed=7)
    assert result.points == 60
    text = report(result)
    assert "inputs of seed 7" in text
    assert "reproduce" not in text
    assert "paste" not in text
    assert "your instructor's own" in text
    assert tiny.run(course, tiny.RIGHT, seed=7).points == 80


def test_a_seed_needs_the_instructors_folder(course):
    with pytest.raises(ValueError, match="--hidden DIR"):
        find_checks(course[0], None, 7)


def test_a_folder_without_checks_is_an_error(course):
    with pytest.raises(ValueError, match=r"expected t1_tiny/checks.py in .*nowhere, got none"):
        find_checks(course[0], course[2] / "nowhere")


def test_the_folder_of_one_assignment_does_too(course):
    assert len(find_checks(course[0], course[1] / "t1_tiny")) == 3


def test_visible_checks_of_another_version_are_an_error(course):
    path = course[0].folder / "checks.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"grader": 1', '"grader": 0'), encoding="utf-8")
    with pytest.raises(ValueError, match="was made for version 0 of the grader, and this is version 1"):
        read_visible(course[0])
    for damaged in ("[]", "{}", '{"grader": 1}', '{"grader": 1, "checks": [{}]}', "{"):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(ValueError, match=r"checks.json|Expecting"):
            read_visible(course[0])


def test_hidden_checks_of_another_version_are_an_error(tmp_path):
    assignment, hidden = tiny.write(tmp_path, "GRADER = 2\n", publish=False)
    with pytest.raises(ValueError, match="was made for version 2 of the grader, and this is version 1"):
        find_checks(assignment, hidden)


def test_hidden_checks_of_another_edition_are_an_error(course):
    path = course[0].folder / "checks.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"points": 20', '"points": 19'), encoding="utf-8")
    with pytest.raises(ValueError, match="the hidden checks were made for another edition"):
        find_checks(course[0], course[1])


def test_assignments_are_found_upwards(course, tmp_path, monkeypatch):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_assignment("t1", [deep]).name == "T1"
    with pytest.raises(ValueError, match=r"expected one of the assignments in .* \(T1\), got 'A9'"):
        find_assignment("A9", [deep])
    with pytest.raises(ValueError, match=r"\(none\)"):
        find_assignment("A9", [], deep)
    monkeypatch.setattr(minidl, "__file__", str(deep / "__init__.py"))
    assert find_folder([]) == tmp_path / "tutorials/assignments"
