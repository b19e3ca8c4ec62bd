"""What fit refuses or protects the user from."""

from __future__ import annotations

import numpy as np

from minidl.optim import SGD
from minidl.training import fit


def test_one_bad_example_damages_nothing(build, data, same):
    inputs, targets = data[0].copy(), data[1]
    inputs[30, 1] = np.nan
    model, before = build(), build()
    optimizer = SGD(model.parameters(), lr=0.1)
    history = fit(model, (inputs, targets), optimizer=optimizer, batch_size=64, steps=3, seed=0)
    assert history.stopped == "non-finite loss"
    assert same(model, before)
