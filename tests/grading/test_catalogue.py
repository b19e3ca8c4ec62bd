"""The catalogue: each wrong one differs from the right one and from all others: a name is never a guess."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from minidl.grading import check_batch_norm
from minidl.grading.catalogue import WRONG
from minidl.grading.judge import relative_error
from minidl.grading.probes import batch_norm_settings
from minidl.grading.reference import expected
from minidl.layers import BatchNorm
from tests.grading.right import ByTape
from tests.grading.wrong import PerActivation

SETTINGS = batch_norm_settings(seed=0)


def predictions(wrong, setting):
    with np.errstate(all="ignore"):     # a single example has no variance
        return [wrong.predict(probe) for probe in setting.probes]


def test_each_wrong_one_shows_in_a_check_of_its_own():
    for wrong in WRONG:
        shows = [
            (setting.name, quantity)
            for setting in SETTINGS
            for quantity in setting.quantities
            if all(
                quantity in p and relative_error(p[quantity], expected(probe)[quantity]) > 1e-6
                for p, probe in zip(predictions(wrong, setting), setting.probes, strict=True)
            )
        ]
        assert shows, wrong.name


def test_no_two_wrong_ones_are_alike_where_they_differ_from_the_right_one():
    for setting in SETTINGS:
        rights = [expected(probe) for probe in setting.probes]
        given = {wrong.name: predictions(wrong, setting) for wrong in WRONG}
        for quantity in setting.quantities:
            telling = {
                name: [p[quantity] for p in of]
                for name, of in given.items()
                if all(quantity in p for p in of)
                and sum(relative_error(p[quantity], r[quantity]) > 1e-8
                        for p, r in zip(of, rights, strict=True)) >= 2
            }
            for (a, of_a), (b, of_b) in combinations(telling.items(), 2):
                alike = all(relative_error(x, y) <= 1e-9 for x, y in zip(of_a, of_b, strict=True))
                assert not alike, f"{setting.name}: {quantity}: {a} and {b}"


def test_names_are_unique_and_sentences_ascii():
    assert len({wrong.name for wrong in WRONG}) == len({wrong.sentence for wrong in WRONG}) == len(WRONG)
    assert all((wrong.name + wrong.sentence).isascii() for wrong in WRONG)


def test_a_near_miss_is_not_named():
    class AlmostBiased(ByTape):
        def factor(self, x):
            return 1 + 1e-7

    class Biased(ByTape):
        def factor(self, x):
            return 1 + 1e-12

    for layer, names in ((AlmostBiased, {""}), (Biased, {"biased running variance"})):
        failures = check_batch_norm(layer).failures
        assert {check.wrong for check in failures if check.name.endswith("running variance")} == names


def test_one_input_is_not_enough_for_a_name():
    class OnceBiased(BatchNorm):
        """Biased on (7, 3) alone."""

        def _follow(self, mean, var):
            super()._follow(mean, var * (6 / 7 if self.count == 7 else 1))

        def forward(self, x):
            self.count = len(x) if x.shape == (7, 3) else 0
            return super().forward(x)

    failures = {check.name: check for check in check_batch_norm(OnceBiased).failures}
    assert failures["dense, training: running variance"].wrong == ""
    # One dense input and one of feature maps: only the second tells the two apart.
    failures = {check.name: check for check in check_batch_norm(PerActivation).failures}
    assert failures["feature maps, training: output"].wrong == "per activation"
    assert failures["large eps, training: output"].wrong == ""


def test_relative_error():
    assert relative_error(np.array([1.0, 2.5]), np.array([1.0, 2.0])) == 0.25
    assert relative_error(np.array([0.5]), np.zeros(1)) == 0.5       # nothing to relate it to
    assert relative_error(np.array([np.nan, 1]), np.ones(2)) == np.inf
    assert relative_error(np.ones(3), np.ones(2)) == np.inf
    assert relative_error(np.array([None]), np.ones(1)) == np.inf
