"""What manifest.toml says of the data sets that are downloaded: files, checksums, mirrors, credit."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from minidl.datasets.idx import not_gzip


@dataclass(frozen=True)
class File:
    """One file of a data set.

    Attributes:
        role: "train_images", "train_labels", "test_images" or "test_labels".
        name: its name, the same in folders and on mirrors.
        size: bytes.
        sha256: in hexadecimal digits.

    """

    role: str
    name: str
    size: int
    sha256: str

    def fault(self, raw: bytes) -> str | None:
        """What is wrong with these bytes as its content, as the end of a sentence; None if nothing is."""
        import hashlib

        found = not_gzip(raw[:64])
        if found:
            return f"is {found}"
        if len(raw) != self.size:
            return f"has {len(raw)} bytes, expected {self.size}"
        digest = hashlib.sha256(raw).hexdigest()
        if digest != self.sha256:
            return f"has the SHA-256 {digest[:12]}..., expected {self.sha256[:12]}..."
        return None


@dataclass(frozen=True)
class Source:
    """A data set that is downloaded.

    Attributes:
        name: for programs, such as "mnist".
        class_names: the name of each class.
        mirrors: URLs of the folders that have the files, each with a slash at its end.
        files: what belongs to it.
        credit: whose work it is.
        licence: what may be done with it.

    """

    name: str
    class_names: tuple[str, ...]
    mirrors: tuple[str, ...]
    files: tuple[File, ...]
    credit: str
    licence: str

    @property
    def size(self) -> int:
        """Bytes of all its files together."""
        return sum(file.size for file in self.files)


@functools.cache
def sources() -> dict[str, Source]:
    """The data sets of the manifest, by name."""
    import tomllib

    with Path(__file__).with_name("manifest.toml").open("rb") as file:
        tables = tomllib.load(file)
    return {
        name: Source(
            name=name,
            class_names=tuple(table["class_names"]),
            mirrors=tuple(table["mirrors"]),
            files=tuple(File(role, **entry) for role, entry in table["files"].items()),
            credit=table["credit"],
            licence=table["licence"],
        )
        for name, table in tables.items()
    }
