"""Own ops and layers that can't be checked as they are: one sentence each, with what to write instead."""

import sys

import pytest

from minidl.gradchecks import check_own

MODULE = '''
from minidl.layers import Dense, Layer

class Unsigned:
    __signature__ = "none"
    def __call__(self, x):
        return x

unsigned = Unsigned()

def answer():
    return 42

def broken():
    return Dense(0, 3)

class Sized(Layer):
    def __init__(self, features):
        super().__init__()
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_names.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_names", raising=False)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("answer", "own_names:answer without arguments must return a Layer, got 42"),
        ("unsigned", "can't see the arguments of own_names:unsigned: wrap it in a function"),
        ("broken", r"can't make a layer by own_names:broken\(\): .*: name a function that makes it"),
        ("Sized", r"can't make a layer by own_names:Sized\(\): .*'features': name a function that makes it"),
    ],
)
def test_one_sentence_says_what_to_do(own, name, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_own(f"own_names:{name}")


def test_a_module_that_fails_with_an_attribute_error_is_blamed_itself(tmp_path, monkeypatch):
    (tmp_path / "own_slip.py").write_text("import math\nmath.tua\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"can't import own_slip: AttributeError: .*'tua'"):
        check_own("own_slip:f")
