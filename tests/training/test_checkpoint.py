"""Checkpoints: a resumed training has the bits of one that never stopped; nothing is half-read."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

import minidl as dl
from minidl.datasets import batches
from minidl.layers import BatchNorm, Dense, Dropout, Sequential
from minidl.losses import cross_entropy
from minidl.optim import SGD, Adam
from minidl.schedules import cosine
from minidl.training import fit, load_checkpoint, save_checkpoint


def steps(model, optimizer, stream):
    for images, labels in stream:
        with dl.Tape() as tape:
            loss = cross_entropy(model(images), labels)
        tape.backward(loss)
        optimizer.step()


def adam(model):
    return Adam(model.parameters(), lr=cosine(0.01, 40))


def test_resuming_equals_not_stopping(build, data, same, tmp_path):
    path = tmp_path / "c.npz"
    one = build(dropout=0.5)
    steps(one, adam(one), batches(data, 10, epochs=5, seed=3))

    first = build(dropout=0.5)
    optimizer = adam(first)
    steps(first, optimizer, islice(batches(data, 10, epochs=5, seed=3), 17))
    save_checkpoint(path, first, optimizer)
    resumed = build(seed=99, dropout=0.5)
    optimizer = adam(resumed)
    load_checkpoint(path, resumed, optimizer)
    assert optimizer.steps == 17
    steps(resumed, optimizer, islice(batches(data, 10, epochs=5, seed=3), 17, None))
    assert same(one, resumed)


def test_resuming_fit(build, data, same, tmp_path):
    def epoch(model, optimizer, seed):
        return fit(model, data, optimizer=optimizer, batch_size=10, seed=seed)

    one = build(dropout=0.5)
    optimizer = adam(one)
    epoch(one, optimizer, 0)
    save_checkpoint(tmp_path / "c.npz", one, optimizer)
    a = epoch(one, optimizer, 1)

    resumed = build(seed=99, dropout=0.5)
    optimizer = adam(resumed)
    load_checkpoint(tmp_path / "c.npz", resumed, optimizer)
    assert epoch(resumed, optimizer, 1).train == a.train
    assert same(one, resumed)


def test_weights_alone(build, data, same, tmp_path):
    model, other = build(), build(seed=5)
    optimizer = adam(model)
    steps(model, optimizer, batches(data, 10))
    save_checkpoint(tmp_path / "weights", model)             # the name is taken as it is
    load_checkpoint(tmp_path / "weights", other)
    assert same(model, other)
    assert [p.name for p in tmp_path.iterdir()] == ["weights"]
    with pytest.raises(ValueError, match="holds no optimizer"):
        load_checkpoint(tmp_path / "weights", other, adam(other))
    save_checkpoint(tmp_path / "both", model, optimizer)
    third = build(seed=6)
    load_checkpoint(tmp_path / "both", third)                # the optimizer's part is left alone
    assert same(model, third)


def test_other_tools_can_read_it(build, tmp_path):
    model = build()
    save_checkpoint(tmp_path / "c.npz", model)
    with np.load(tmp_path / "c.npz", allow_pickle=False) as file:
        assert np.array_equal(file["model/0.weight"], model[0].weight.data)


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_every_kind_of_generator(kind, tmp_path):
    model = Sequential(Dropout(0.5))
    model[0].generator = np.random.Generator(kind(1))
    model(np.ones((3, 5)))
    save_checkpoint(tmp_path / "c.npz", model)
    expected = model(np.ones((50, 5))).data
    model[0].generator = np.random.Generator(kind(2))
    load_checkpoint(tmp_path / "c.npz", model)
    assert np.array_equal(model(np.ones((50, 5))).data, expected)


def snapshot(model, optimizer):
    states = {k: str(g.bit_generator.state) for k, g in model.generators().items()}
    return model.state_dict() | {f"optimizer {k}": v for k, v in optimizer.state_dict().items()} | states


@pytest.mark.parametrize(("change", "message"), [
    (lambda m: Sequential(*m, Dense(3, 3)), r"missing: 5\.weight"),
    (lambda m: Sequential(Dense(4, 9, bias=False), BatchNorm(9), m[2], m[3], Dense(9, 3)), "weight expects"),
    (lambda m: Sequential(*m[:3], Dropout(0.1), m[3], m[4]), "generators of noise"),
    (lambda m: m.astype(np.float64), r"as float32, the model as float64: use model\.astype\(np\.float32\)"),
    (lambda m: Sequential(*m[:4], Dense(8, 3, bias=False)), r"Adam\.load_state_dict expects|unexpected"),
])
def test_what_doesnt_fit_changes_nothing(build, data, tmp_path, change, message):
    saved = build(dropout=0.5)
    optimizer = adam(saved)
    steps(saved, optimizer, batches(data, 10))
    save_checkpoint(tmp_path / "c.npz", saved, optimizer)
    model = change(build(seed=4, dropout=0.5))
    optimizer = adam(model)
    before = snapshot(model, optimizer)
    with pytest.raises(ValueError, match=message):
        load_checkpoint(tmp_path / "c.npz", model)
    with pytest.raises(ValueError, match=r"expect|generators|float32"):
        load_checkpoint(tmp_path / "c.npz", model, optimizer)
    after = snapshot(model, optimizer)
    assert before.keys() == after.keys() and all(np.array_equal(before[k], after[k]) for k in before)


def test_model_that_doesnt_fit_leaves_the_optimizer_alone(build, data, tmp_path):
    saved, optimizer = build(), None
    optimizer = SGD(saved.parameters(), lr=1, momentum=0.9)
    steps(saved, optimizer, batches(data, 10))
    save_checkpoint(tmp_path / "c.npz", saved, optimizer)
    model = build()
    model.buffer("extra", np.zeros(3, np.float32))      # the optimizer's part fits, the model's doesn't
    optimizer = SGD(model.parameters(), lr=1, momentum=0.9)
    with pytest.raises(ValueError, match="missing: extra"):
        load_checkpoint(tmp_path / "c.npz", model, optimizer)
    assert optimizer.steps == 0 and not optimizer.state_dict()["0.momentum_buffer"].any()


def test_another_optimizer_is_refused(build, data, tmp_path):
    model = build()
    save_checkpoint(tmp_path / "c.npz", model, adam(model))
    with pytest.raises(ValueError, match=r"SGD\.load_state_dict"):
        load_checkpoint(tmp_path / "c.npz", model, SGD(model.parameters(), lr=1, momentum=0.5))


def test_what_is_no_checkpoint_is_refused(build, tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, build())
    whole = path.read_bytes()
    contents = {"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2]}
    for content in contents.values():
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is no checkpoint, or damaged"):
            load_checkpoint(path, build())
    np.savez(path, weight=np.ones(3))
    with pytest.raises(ValueError, match="is no checkpoint, or damaged"):
        load_checkpoint(path, build())
    np.savez(path, version=np.asarray(2))
    with pytest.raises(ValueError, match="of version 2, this minidl reads version 1"):
        load_checkpoint(path, build())
    np.save(tmp_path / "array", np.ones(3))
    with pytest.raises(ValueError, match="is no checkpoint, or damaged"):
        load_checkpoint(tmp_path / "array.npy", build())
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "nothing", build())


def test_failing_write_leaves_the_old_file(build, tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    save_checkpoint(path, build())
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError("disk is full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk is full"):
        save_checkpoint(path, build(seed=1))
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["c.npz"]


def test_objects_are_refused(tmp_path):
    model = Dense(2, 2)
    model.buffer("odd", np.array([{}], dtype=object))
    with pytest.raises(TypeError, match="arrays of numbers, got object in model/odd"):
        save_checkpoint(tmp_path / "c", model)
    assert not list(tmp_path.iterdir())


def change_entry(path, name, value):
    with np.load(path) as file:
        entries = dict(file) | {name: np.asarray(value)}
    np.savez(path, **entries)


@pytest.mark.parametrize("text", [
    "no json", "1", "[]", "{}", '{"bit_generator": "PCG64"}',
    '{"bit_generator": "PCG64", "state": {"inc": 3}}',
])
def test_a_damaged_generator_changes_nothing(text, build, data, tmp_path):
    path = tmp_path / "c.npz"
    saved = build(dropout=0.5)
    optimizer = adam(saved)
    steps(saved, optimizer, batches(data, 10))
    save_checkpoint(path, saved, optimizer)
    change_entry(path, "generator/3", text)
    model = build(seed=4, dropout=0.5)
    optimizer = adam(model)
    before = snapshot(model, optimizer)
    with pytest.raises(ValueError, match="is damaged: a generator of noise in it has no state"):
        load_checkpoint(path, model, optimizer)
    after = snapshot(model, optimizer)
    assert before.keys() == after.keys() and all(np.array_equal(before[k], after[k]) for k in before)


def test_a_compression_that_does_not_exist(build, tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, build())
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"PK\x01\x02") + 10] = 99       # the method, in the zip's directory
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="is no checkpoint, or damaged"):
        load_checkpoint(path, build())


def test_arguments_in_another_order(build, tmp_path):
    model = build()
    path = tmp_path / "c.npz"
    for call in (save_checkpoint, load_checkpoint):
        message = rf"{call.__name__} expects \(path, model, optimizer\), got \w+Path and NoneType as the last"
        with pytest.raises(TypeError, match=message):
            call(model, path)
        with pytest.raises(TypeError, match="got Adam and Sequential as the last two: swap them"):
            call(path, adam(model), model)
    assert not list(tmp_path.iterdir())
