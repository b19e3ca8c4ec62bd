"""Results in the form that Gradescope reads: https://gradescope-autograders.readthedocs.io/en/latest/specs/."""

from __future__ import annotations

import json
from typing import Any

from minidl.grading.course.console import about
from minidl.grading.course.result import Result
from minidl.grading.course.wording import blocked, explanation, not_written, title


def results_json(result: Result) -> str:
    """The text of `results.json`: hidden checks show when marks are published, and then their topic alone."""
    tests = []
    for number, outcome in enumerate(result.outcomes, 1):
        check, judgement = outcome.judgement.check, outcome.judgement
        lines = explanation(outcome, result.assignment, result.path.name, result.seed is None)
        tests.append({
            "score": outcome.points,
            "max_score": check.points,
            "status": "passed" if judgement.passed else "failed",
            "name": title(outcome),
            "number": f"{check.task}.{number}",
            "output": "\n".join(lines) or "right",
            "output_format": "text",
            "visibility": "visible" if check.visible else "after_published",
        })
    tests += [
        {
            "score": mark.points, "max_score": mark.most, "name": f"task {mark.task}, marked by hand",
            "number": f"{mark.task}", "output": mark.comment, "output_format": "text",
            "visibility": "after_published",
        }
        for mark in result.marks if mark.points is not None
    ]
    whole: dict[str, Any] = {
        "score": result.points,
        "execution_time": round(result.seconds, 2),
        "output": "\n".join(_about(result)),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "assignment": result.assignment.name, "path": str(result.path), "sha256": result.sha256,
            "minidl": result.library, "grader": result.grader, "seed": result.seed, "max_score": result.most,
            "not_enforced": list(result.missing), "notes": result.notes,
        },
    }
    return json.dumps(whole, indent=1) + "\n"


def _about(result: Result) -> list[str]:
    whole, missing = blocked(result.outcomes), not_written(result.outcomes)
    return [
        *([f"{whole.removesuffix('.')}. Nothing was checked."] if whole else []),
        *([f"Not written yet: {missing}."] if missing else []),
        *(f"Note: {note}." for note in result.notes),
        *about(result),
    ]
