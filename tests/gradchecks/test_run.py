"""`minidl gradcheck`: the whole table passes, and whatever is wrong is named and ends with exit code 1."""

import sys

import numpy as np
import pytest

from minidl import ops
from minidl.cli import main
from minidl.engine.tape import record
from minidl.gradchecks import check_all, check_own
from minidl.gradchecks.ops import Case

MODULE = '''
import numpy as np
import minidl as dl
from minidl.layers import Dense, Sequential, Tanh

def cube(x):
    a = x.data
    return dl.record("cube", a ** 3, (x,), lambda g: (3 * g * a ** 2,))

def wrong_cube(x):
    a = x.data
    return dl.record("cube", a ** 3, (x,), lambda g: (2 * g * a ** 2,))

def product(x, y):
    return x * y

def clash(x):
    return dl.record("clash", x.data @ x.data, (x,), lambda g: (g,))

def raises(x):
    raise OSError("no such thing")

def network():
    return Sequential(Dense(4, 3), Tanh(), seed=0)

class Scale(dl.Layer):
    def __init__(self, features=3):
        super().__init__()
        self.factor = dl.Parameter(np.ones(features, np.float32))
    def forward(self, x):
        return x * self.factor

number = 3
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of a user's, in the folder where the command is called."""
    (tmp_path / "own_ops.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own_ops", raising=False)


def test_every_check_of_the_table_passes():
    checks = list(check_all())
    assert [check.name for check in checks if not check.passed] == []
    assert {"batch_norm (eps 0.5)", "BatchNorm (evaluation)"} <= {check.name for check in checks}
    assert max(check.error for check in checks) < 1e-7


def test_a_damaged_op_is_named_and_ends_with_code_1(capsys, monkeypatch):
    def damaged(x):
        y = ops.sigmoid(x.detach()).data
        return record("sigmoid", y, (x,), lambda g: (g * y * (1 - y) * 1.0001,))

    monkeypatch.setattr("minidl.gradchecks.ops.CASES", [Case("sigmoid", damaged, ((3, 4),))])
    monkeypatch.setattr("minidl.gradchecks.layers.CASES", [])
    assert main(["gradcheck"]) == 1
    text = capsys.readouterr().out
    assert "WRONG" in text
    assert "1 checked, 1 wrong" in text
    assert "relative error" in text


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["own_ops:cube"], 1),
        (["own_ops:product", "--shape", "2x3", "3"], 1),
        (["own_ops:network", "--shape", "5x4"], 2),
        (["own_ops:Scale"], 2),
    ],
)
def test_own_ops_and_layers(own, capsys, arguments, lines):
    assert main(["gradcheck", *arguments]) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    assert text.count("  ok") == lines


def test_a_wrong_own_op(own, capsys):
    assert main(["gradcheck", "own_ops:wrong_cube"]) == 1
    assert "wrong_cube" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "line"), [("raises", "    raise OSError"), ("clash", "x.data @ x.data")])
def test_an_own_op_that_raises_is_a_failed_check_and_the_line_is_told(own, capsys, name, line):
    assert main(["gradcheck", f"own_ops:{name}"]) == 1
    number = 1 + next(i for i, text in enumerate(MODULE.splitlines()) if line in text)
    assert f"(own_ops.py, line {number})\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("own_ops", "expects names such as my_module:my_op"),
        ("no_such_module:f", "can't import no_such_module"),
        ("own_ops.py:cube", "got 'own_ops.py:cube': leave out .py"),
        ("own_ops:f", "finds no f in the module own_ops: it defines cube, wrong_cube, product, clash"),
        ("own_ops:number", "to be a function or a Layer, got int"),
    ],
)
def test_bad_names_end_with_one_sentence(own, capsys, name, sentence):
    assert main(["gradcheck", name]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_bad_shapes(own):
    with pytest.raises(SystemExit) as stop:
        main(["gradcheck", "own_ops:cube", "--shape", "4,3"])
    assert stop.value.code == 2
    assert main(["gradcheck", "--shape", "4x3"]) == 2


@pytest.mark.parametrize("arguments", [
    ["own_ops:cube", "--shape", "0x3"], ["own_ops:product", "--shape", "2x3", "2x0"],
    ["own_ops:network", "--shape", "0x4"],
])
def test_a_check_that_compares_nothing_is_never_ok(own, capsys, arguments):
    assert main(["gradcheck", *arguments]) == 2
    text = capsys.readouterr()
    assert "ok" not in text.out
    assert "expects elements to compare, got " in text.err
    assert text.err.count("\n") == 1


def test_check_own_uses_the_given_shapes():
    (check,) = check_own("minidl.ops:matmul", [(2, 3), (3, 4)])
    assert check.passed
    assert check.shapes == ((2, 3), (3, 4))
    assert np.isfinite(check.error)
