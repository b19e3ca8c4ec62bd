from __future__ import annotations

import errno
import importlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import minidl.datasets as datasets
from minidl.datasets import DatasetUnavailable, local, manifest, mnist_or_stroke_digits, read_idx
from minidl.datasets import mnist as mnist_function
from tests.datasets.conftest import ROLES
from tests.datasets.test_stroke_cache import draw_few

DEAD = "http://127.0.0.1:9/"


@pytest.fixture
def mine(home, tmp_path, monkeypatch):
    """An empty folder that MINIDL_DATASETS names."""
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setenv("MINIDL_DATASETS", str(folder))
    return folder


def test_read_downloads_once_then_reads_from_disk(home, tiny, mirror, served):
    source = tiny(mirror.url("good"))
    train, test = local.read(source)
    assert repr(train) == "Dataset('tiny', 20 images of 28x28x1, 10 classes)" and len(test) == 10
    expected = read_idx(served / "t10k-images-idx3-ubyte.gz").astype(np.float32) / np.float32(255)
    assert (test.images[..., 0] == expected).all()
    assert (train.labels == read_idx(served / "train-labels-idx1-ubyte.gz")).all()
    local.read(source)
    assert len(mirror.requests) == 4
    assert sorted(os.listdir(home / "tiny")) == sorted(file.name for file in source.files)


def test_files_in_minidl_datasets_are_used_read_only_or_not(mine, tiny, served):
    shutil.copytree(served, mine / "tiny")
    (mine / "tiny").chmod(0o555)
    assert len(local.read(tiny(DEAD))[0]) == 20
    (mine / "tiny").chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="a folder's mode says nothing on this system")
def test_download_goes_elsewhere_where_minidl_datasets_is_read_only(home, mine, tiny, mirror):
    mine.chmod(0o555)
    local.read(tiny(mirror.url("good")))
    assert os.listdir(mine) == [] and len(os.listdir(home / "tiny")) == 4
    mine.chmod(0o755)


def test_download_lands_in_a_writable_minidl_datasets(home, mine, tiny, mirror):
    local.read(tiny(mirror.url("good")))
    assert len(os.listdir(mine / "tiny")) == 4 and not home.exists()


DAMAGE = {
    "cut short": lambda raw: raw[:-1],
    "changed": lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
    "a page": lambda raw: b"<html>log in</html>",
    "empty": lambda raw: b"",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_wrong_file_of_the_user_is_an_error_and_stays(damage, home, mine, tiny, mirror, served):
    shutil.copytree(served, mine / "tiny")
    shutil.copytree(served, home / "tiny")  # a right one further on isn't taken instead
    path = mine / "tiny" / "train-labels-idx1-ubyte.gz"
    wrong = damage(path.read_bytes())
    path.write_bytes(wrong)
    with pytest.raises(ValueError, match="delete it, or put the right file there") as caught:
        local.read(tiny(mirror.url("good")))
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert path.read_bytes() == wrong and mirror.requests == []


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_wrong_file_of_ours_is_downloaded_again(damage, home, tiny, mirror, served, capsys):
    shutil.copytree(served, home / "tiny")
    path = home / "tiny" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    assert len(local.read(tiny(mirror.url("good")))[0]) == 20
    assert len(mirror.requests) == 1
    assert f"{path} " in capsys.readouterr().err  # replaced, but not in silence


def test_a_wrong_file_of_ours_without_a_network(home, tiny, served):
    shutil.copytree(served, home / "tiny")
    path = home / "tiny" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(b"")
    with pytest.raises(DatasetUnavailable, match=r"put train-labels-idx1-ubyte\.gz into"):
        local.read(tiny(DEAD))


def test_files_may_lie_in_several_folders(home, mine, tiny, served):
    shutil.copytree(served, home / "tiny")
    (mine / "tiny").mkdir()
    shutil.move(home / "tiny" / "train-labels-idx1-ubyte.gz", mine / "tiny")
    assert len(local.read(tiny(DEAD))[0]) == 20


@pytest.mark.skipif(os.name != "posix", reason="a folder's mode says nothing on this system")
def test_no_writable_folder_is_said(home, tiny):
    home.mkdir()
    home.chmod(0o555)
    with pytest.raises(DatasetUnavailable, match="set MINIDL_DATASETS to a folder that can"):
        local.read(tiny(DEAD))
    home.chmod(0o755)


def test_a_failed_download_leaves_no_empty_folder(home, tiny):
    with pytest.raises(DatasetUnavailable):
        local.read(tiny(DEAD))
    assert not home.exists()


def test_a_full_disk_is_said(home, tiny, mirror, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("minidl.datasets.download._download_one", full)
    with pytest.raises(DatasetUnavailable, match=r"can't be written to .*tiny \(No space left on device\)"):
        local.read(tiny(mirror.url("good")))
    assert not home.exists()


def test_unknown_name():
    with pytest.raises(ValueError, match="unknown data set 'mnits': use one of mnist, fashion-mnist, stroke"):
        datasets.load("mnits")


@pytest.fixture
def fallback(monkeypatch):
    """Takes the place of MNIST's manifest, of the drawing, and of the memory of failures."""
    module = importlib.import_module("minidl.datasets.mnist")  # the attribute of that name is the function
    monkeypatch.setattr(module, "_failures", [])
    monkeypatch.setattr("minidl.datasets.stroke_cache.generate", draw_few)

    def use(source):
        monkeypatch.setattr(manifest, "sources", lambda: {"mnist": source})

    return use


def test_fallback_gives_mnist_where_it_is(home, tiny, mirror, fallback):
    fallback(tiny(mirror.url("good"), name="mnist"))
    train, _, notice = mnist_or_stroke_digits()
    assert train.name == "mnist" and not train.synthetic and notice is None


def test_fallback_says_so_and_asks_the_mirrors_once(home, tiny, mirror, served, fallback):
    fallback(tiny(mirror.url("missing"), name="mnist"))
    for _ in range(2):
        train, test, notice = mnist_or_stroke_digits()
        assert train.synthetic and test.name == "stroke-digits"
        assert "stroke digits (synthetic)" in notice and "\n" not in notice and notice.isascii()
    assert mirror.asked("missing") == 1
    with pytest.raises(DatasetUnavailable):  # an explicit wish is tried each time
        mnist_function()
    assert mirror.asked("missing") == 2
    shutil.copytree(served, home / "mnist", dirs_exist_ok=True)
    assert mnist_or_stroke_digits()[2] is None  # it has been put there since


def test_fallback_does_not_hide_a_wrong_file_of_the_user(mine, tiny, served, fallback):
    fallback(tiny(DEAD, name="mnist"))
    shutil.copytree(served, mine / "mnist")
    (mine / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    with pytest.raises(ValueError, match="is empty: delete it"):
        mnist_or_stroke_digits()


def test_what_is_wrong_with_a_file_is_said(tiny, served):
    file = tiny().files[0]
    raw = (served / file.name).read_bytes()
    assert file.fault(raw) is None
    assert file.fault(raw[:-1]) == f"has {len(raw) - 1} bytes, expected {len(raw)}"
    assert file.fault(raw[:-1] + b"?").startswith("has the SHA-256 ")
    assert file.fault(b"<html>") == "is an HTML page (of a login or an error)"


def test_manifest_is_complete():
    sources = manifest.sources()
    assert set(sources) < set(datasets.NAMES)
    for source in sources.values():
        assert len(source.class_names) == 10 and source.credit and source.licence
        assert [file.role for file in source.files] == list(ROLES)
        assert all(len(file.sha256) == 64 and file.size > 4000 for file in source.files)
    assert sources["mnist"].size == 11_594_722 and sources["fashion-mnist"].size == 30_878_645


def test_data_cards_agree_with_the_manifest():
    page = Path(__file__).resolve().parents[2] / "datasets" / "README.md"
    text = page.read_text(encoding="utf-8")
    for source in manifest.sources().values():
        assert source.credit.split(":")[0] in text and all(mirror in text for mirror in source.mirrors)
        assert all(f"| {f.name} | {f.size:,} | `{f.sha256}` |" in text for f in source.files)
        assert f"| `{source.name}` |" in text and f"{source.size / 1e6:.1f} MB" in text


def _has(name):
    folder = os.environ.get("MINIDL_DATASETS")
    return bool(folder) and (Path(folder) / name).is_dir()


REAL = [("mnist", "mnist", 0.13066, 0.30811), ("fashion_mnist", "fashion-mnist", 0.28604, 0.35302)]


@pytest.mark.parametrize(("function", "name", "mean", "deviation"), REAL)
def test_real_data(function, name, mean, deviation):
    if not _has(name):
        pytest.skip(f"MINIDL_DATASETS names no folder with {name}/")
    train, test = getattr(datasets, function)()
    assert (len(train), len(test), train.name, train.synthetic) == (60_000, 10_000, name, False)
    for part in (train, test):
        assert part.images.shape[1:] == (28, 28, 1) and part.images.dtype == np.float32
        assert part.images.min() == 0.0 and part.images.max() == 1.0
        assert part.labels.dtype == np.int64 and np.unique(part.labels).tolist() == list(range(10))
    pixels = np.bincount(np.rint(train.images * np.float32(255)).astype(np.uint8).ravel(), minlength=256)
    values = np.arange(256) / 255
    found = pixels @ values / pixels.sum()
    assert found == pytest.approx(mean, abs=1e-5)
    assert np.sqrt(pixels @ (values - found) ** 2 / pixels.sum()) == pytest.approx(deviation, abs=1e-5)
    assert train.labels[:5].tolist() == {"mnist": [5, 0, 4, 1, 9], "fashion-mnist": [9, 0, 0, 3, 0]}[name]
