"""Which checks a wrong implementation is expected to fail, by patterns of their names."""

from __future__ import annotations

from fnmatch import fnmatchcase


def matching(patterns, names):
    """The names that a pattern matches; one after an exclamation mark takes them out again."""
    wanted = [p for p in patterns if not p.startswith("!")]
    out = [p[1:] for p in patterns if p.startswith("!")]
    for pattern in [*wanted, *out]:
        assert any(fnmatchcase(name, pattern) for name in names), f"no check is called {pattern}"
    return {
        name
        for name in names
        if any(fnmatchcase(name, p) for p in wanted) and not any(fnmatchcase(name, p) for p in out)
    }


TRAINING_OUTPUT = ("*, training: output*",)
TRAINING_DX = ("*, training: gradient of x*", "behind another layer, training: *")
TRAINING_DGAMMA = ("*, training: gradient of gamma",)
EVALUATION_OUTPUT = ("*, evaluation: output", "evaluation after training: output")
EVALUATION_DX = ("*, evaluation: gradient of x", "behind another layer, evaluation: *")
EVALUATION_DGAMMA = ("*, evaluation: gradient of gamma",)
RUNNING_VAR = (
    "*training: running variance", "several batches, momentum *: running variance",
    "evaluation after training: output",
)
# A batch of examples without positions: what goes wrong with feature maps alone is right there.
NOT_DENSE = ("!dense, *", "!batch*")
EPS = ("large eps, *",)
EVERY_GRADIENT = ("*: gradient of *",)
