from __future__ import annotations

import errno
import io
import os
import threading
import time

import numpy as np
import pytest

import minidl.datasets as datasets
from minidl.datasets import Dataset, stroke_cache
from tests.datasets.conftest import ROLES


def draw_few(seed=0, train=30, test=10):
    """Stands in for the real drawing, which takes seconds."""
    rng = np.random.default_rng(seed)
    parts = []
    for n in (train, test):
        parts += [rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n, np.uint8)]
    return tuple(parts)


@pytest.fixture
def drawings(monkeypatch):
    """The seeds that were drawn."""
    seeds = []

    def draw(seed):
        seeds.append(seed)
        return draw_few(seed)

    monkeypatch.setattr(stroke_cache, "generate", draw)
    return seeds


def test_drawn_once_for_each_seed_and_said(home, drawings, capsys):
    train, test = datasets.stroke_digits()
    err = capsys.readouterr().err
    assert "drawing the stroke digits (synthetic), seed 0" in err and str(home) in err
    assert err.count("\n") == 1
    again, _ = datasets.stroke_digits(seed=0)
    assert capsys.readouterr().err == ""
    datasets.stroke_digits(seed=1)
    assert drawings == [0, 1]
    assert (again.images == train.images).all() and (again.labels == train.labels).all()
    assert (train.images[..., 0] == draw_few(0)[0] / np.float32(255)).all()
    assert (test.labels == draw_few(0)[3]).all()
    assert (train.name, train.synthetic, train.title) == ("stroke-digits", True, "stroke digits (synthetic)")
    assert train.images.dtype == np.float32 and train.labels.dtype == np.int64
    version = stroke_cache.VERSION
    names = [f"version{version}-seed0.npz", f"version{version}-seed1.npz"]
    assert sorted(os.listdir(home / "stroke-digits")) == names


def test_another_version_is_not_taken_for_this_one(home, drawings, monkeypatch):
    datasets.stroke_digits()
    monkeypatch.setattr(stroke_cache, "VERSION", stroke_cache.VERSION + 1)
    datasets.stroke_digits()
    assert drawings == [0, 0]


def _flip_a_pixel(raw):
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]


def _npy():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


DAMAGE = {
    "empty": lambda raw: b"",
    "cut short": lambda raw: raw[: len(raw) // 2],
    "one bit": _flip_a_pixel,
    "something else": lambda raw: b"hello" * 1000,
    "one array": lambda raw: _npy(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_is_drawn_again(damage, home, drawings, capsys):
    first, _ = datasets.stroke_digits()
    (path,) = stroke_cache.cache_files()
    path.write_bytes(damage(path.read_bytes()))
    capsys.readouterr()
    again, _ = datasets.stroke_digits()
    assert f"{path} is damaged" in capsys.readouterr().err
    assert drawings == [0, 0] and (again.images == first.images).all()
    datasets.stroke_digits()
    assert drawings == [0, 0]


CHANGES = [{"test_labels": np.zeros(3, np.uint8)}, {"train_images": np.zeros((30, 28, 28))}]


@pytest.mark.parametrize("change", CHANGES)
def test_a_cache_of_wrong_shapes_is_drawn_again(change, home, drawings):
    datasets.stroke_digits()
    (path,) = stroke_cache.cache_files()
    arrays = dict(zip(ROLES, draw_few(), strict=True))
    np.savez(path, **(arrays | change))
    datasets.stroke_digits()
    assert drawings == [0, 0]


@pytest.mark.skipif(os.name != "posix", reason="a folder's mode says nothing on this system")
def test_without_a_writable_folder_they_are_drawn_each_time(home, drawings, capsys):
    home.mkdir()
    home.chmod(0o555)
    assert isinstance(datasets.stroke_digits()[0], Dataset)
    assert "no folder is writable" in capsys.readouterr().err
    home.chmod(0o755)


def test_two_at_once_draw_once(home, capsys):
    drawn = []

    def slowly(seed):
        drawn.append(seed)
        time.sleep(0.3)
        return draw_few(seed)

    results = []

    def work():
        results.append(stroke_cache.cached(0, slowly))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [0]
    assert all((a == b).all() for a, b in zip(*results, strict=True))


def test_an_interrupted_drawing_leaves_nothing(home):
    def interrupted(seed):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stroke_cache.cached(0, interrupted)
    assert not home.exists()


@pytest.mark.parametrize("seed", [-1, 0.5, "a", None])
def test_bad_seed(seed, home, drawings):
    with pytest.raises(ValueError, match="stroke_digits expects seed to be a whole number of 0 or more"):
        datasets.stroke_digits(seed)
    assert drawings == []


def test_name_is_the_function_even_after_the_module_is_imported():
    import importlib

    module = importlib.import_module("minidl.datasets.stroke_digits")
    assert callable(module.generate) and callable(datasets.stroke_digits)
    from minidl.datasets import stroke_digits

    assert stroke_digits is datasets.stroke_digits is stroke_cache.stroke_digits


def test_a_full_disk_is_no_hindrance(home, drawings, capsys, monkeypatch):
    def full(file, arrays):
        file.write(b"some")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stroke_cache, "_save", full)
    train, _ = datasets.stroke_digits()
    assert (train.images[..., 0] == draw_few(0)[0] / np.float32(255)).all()
    assert drawings == [0]
    err = capsys.readouterr().err
    assert "can't be kept (No space left on device)" in err and err.count("\n") == 2
    assert not home.exists()


def test_a_lock_that_cannot_be_had_is_no_hindrance(home, drawings, capsys, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("minidl.datasets.lock._acquire", full)
    assert len(datasets.stroke_digits()[0]) == 30
    assert drawings == [0] and capsys.readouterr().err.count("\n") == 1
