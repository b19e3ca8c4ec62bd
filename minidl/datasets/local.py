"""Finds a data set's files on this machine, verifies them, and has the missing ones downloaded."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from minidl.datasets.dataset import Dataset, DatasetUnavailable
from minidl.datasets.download import Patience, download
from minidl.datasets.folders import VARIABLE, landing, places
from minidl.datasets.idx import decode_images, decode_labels
from minidl.datasets.manifest import File, Source


@dataclass(frozen=True)
class Finding:
    """What was found of one file.

    Attributes:
        file: what was looked for.
        path: where it lies; None if nowhere.
        raw: its bytes, if they are right.
        fault: what is wrong with them, as the end of a sentence; None if nothing is.
        own: whether it lies in a folder of ours, where a wrong file may be replaced.

    """

    file: File
    path: Path | None = None
    raw: bytes | None = None
    fault: str | None = None
    own: bool = True


def inspect(source: Source) -> list[Finding]:
    """Look for each file of a data set, in the order of `folders.places()`, and verify size and SHA-256.

    A wrong file in one of our own folders is passed over where a right one lies further on.
    """
    return [_find(source, file) for file in source.files]


def obtain(source: Source, patience: Patience | None = None) -> list[Finding]:
    """All files of a data set, verified; what is missing, or damaged in a folder of ours, is downloaded.

    Raises:
        ValueError: a wrong file in MINIDL_DATASETS, which is the user's and left as it is.
        DatasetUnavailable: a file that is neither present nor to be had.

    """
    findings = inspect(source)
    for finding in findings:
        if finding.fault and not finding.own:
            raise ValueError(
                f"{finding.path} {finding.fault}: delete it, or put the right file there "
                f"(nothing is replaced in the folder that {VARIABLE} names)"
            )
        if finding.fault:
            print(f"minidl: {finding.path} {finding.fault}: getting it again", file=sys.stderr)
    wanting = [finding.file for finding in findings if finding.raw is None]
    if not wanting:
        return findings
    folder = landing(source.name)
    if folder is None:
        tried = ", ".join(str(place.path) for place in places())
        raise DatasetUnavailable(
            f"{source.name} is not on this machine and there is no folder to download it into, as none of "
            f"{tried} can be written: set {VARIABLE} to a folder that can"
        )
    try:
        download(source, folder, wanting, patience)
    except DatasetUnavailable:
        raise
    except OSError as error:    # a full disk, say
        raise DatasetUnavailable(
            f"{source.name} is not on this machine and can't be written to {folder} ({error.strerror}): "
            f"make room there, or set {VARIABLE} to another folder"
        ) from error
    findings = inspect(source)
    for finding in findings:
        if finding.raw is None:
            what = finding.fault or "vanished"
            raise ValueError(f"{folder / finding.file.name} {what} right after its download: try again")
    return findings


def read(source: Source, patience: Patience | None = None) -> tuple[Dataset, Dataset]:
    """The (train, test) Datasets of a source, downloaded if need be."""
    raw = {f.file.role: (f.raw or b"", str(f.path)) for f in obtain(source, patience)}

    def part(split: str) -> Dataset:
        images = decode_images(*raw[f"{split}_images"])
        labels = decode_labels(*raw[f"{split}_labels"])
        return Dataset(images, labels, source.class_names, source.name, synthetic=False)

    return part("train"), part("test")


def _find(source: Source, file: File) -> Finding:
    damaged = None
    for place in places():
        path = place.path / source.name / file.name
        if not path.is_file():
            continue
        raw = path.read_bytes()
        fault = file.fault(raw)
        if fault is None:
            return Finding(file, path, raw, own=place.own)
        damaged = damaged or Finding(file, path, fault=fault, own=place.own)
        if not place.own:
            break
    return damaged or Finding(file)
