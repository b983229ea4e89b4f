"""Bytes by their SHA-256: what a store of them does, and one in a directory.

The directory is read and written with plain file operations. Object-store libraries run threads of
their own, which do not survive a fork: a forked worker that read a program through obstore hung.
"""

from __future__ import annotations

import errno
import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sclbl.errors import CorruptedError
from sclbl.plain_file import MAX_FILE, read_file
from sclbl.registry.failures import failure
from sclbl.whole_file import SUFFIX, whole_file

Content = Literal["program", "spec"]
#: Folder and ending of each kind of blob.
PLACES: dict[Content, tuple[str, str]] = {
    "program": ("programs", ".wasm"),
    "spec": ("specs", ".onnx"),
}


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def key_of(kind: Content, sha256: str) -> str:
    """Return where a blob lies in its store."""
    folder, ending = PLACES[kind]
    return f"{folder}/{sha256[:2]}/{sha256}{ending}"


class Blobs(ABC):
    """A store of immutable bytes. A blob is there whole, or not at all, also after a crash."""

    def put(self, kind: Content, data: bytes) -> str:
        """Store bytes durably, renewing their date where they are there already; return the SHA."""
        sha256 = digest(data)
        self.write(key_of(kind, sha256), data)
        return sha256

    def get(self, kind: Content, sha256: str, size: int = MAX_FILE) -> bytes:
        """Return bytes, checked; `size` is how many there are, or may be.

        Raises
        ------
        CorruptedError
            They are missing, or not what was stored.
        """
        key = key_of(kind, sha256)
        data = self.read(key, size)
        if digest(data) != sha256:
            raise CorruptedError(
                f"the stored {kind} {key} was altered: its SHA-256 is {digest(data)}; restore the "
                "file from a backup, or upload the same model again"
            )
        return data

    @abstractmethod
    def write(self, key: str, data: bytes) -> None:
        """Write an object, in place of an older one, and wait until it is durable."""

    @abstractmethod
    def read(self, key: str, most: int) -> bytes:
        """Read an object; raise `CorruptedError` where it is missing, `RegistryError` on failure.

        A caller asks for what the database names, so a missing object is damage; so is one of more
        than `most` bytes.
        """

    @abstractmethod
    def has(self, kind: Content, sha256: str) -> bool:
        """Return whether the bytes are there, without reading them."""

    @abstractmethod
    def delete(self, kind: Content, sha256: str) -> None:
        """Remove bytes; nothing where they are not there."""

    @abstractmethod
    def older_than(self, kind: Content, limit: datetime) -> Iterator[str]:
        """Yield the SHA-256 of each blob last written before `limit`."""

    @abstractmethod
    def sweep(self, limit: datetime) -> int:
        """Remove what writers that died before `limit` left half-written; return how many."""


class LocalBlobs(Blobs):
    """Blobs in a directory that its owner alone can read."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root = root

    def write(self, key: str, data: bytes) -> None:
        """See `Blobs.write`."""
        path = self.root / key
        try:
            _write(self.root, path, data)
        except OSError as error:
            raise failure(
                error,
                f"{path} could not be written: {error.strerror or error}; nothing was recorded",
            ) from error

    def read(self, key: str, most: int) -> bytes:
        """See `Blobs.read`."""
        path = self.root / key
        try:
            return read_file(path, most)
        except FileNotFoundError:
            raise CorruptedError(
                f"{path} is missing though a version needs it; restore the file from a backup, "
                "or upload the same model again"
            ) from None
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.EISDIR, errno.EFBIG):
                raise CorruptedError(
                    f"{path} is not what was stored ({error.strerror}); restore the file from a "
                    "backup, or upload the same model again"
                ) from None
            raise failure(
                error, f"{path} could not be read: {error.strerror or error}; check who owns it"
            ) from error

    def has(self, kind: Content, sha256: str) -> bool:
        """See `Blobs.has`."""
        return (self.root / key_of(kind, sha256)).is_file()

    def delete(self, kind: Content, sha256: str) -> None:
        """See `Blobs.delete`."""
        (self.root / key_of(kind, sha256)).unlink(missing_ok=True)

    def older_than(self, kind: Content, limit: datetime) -> Iterator[str]:
        """See `Blobs.older_than`."""
        folder, ending = PLACES[kind]
        for path in self.root.glob(f"{folder}/*/*{ending}"):
            if _written_before(path, limit):
                yield path.name.removesuffix(ending)

    def sweep(self, limit: datetime) -> int:
        """See `Blobs.sweep`."""
        dead = [part for part in self.root.glob(f"*/*/*{SUFFIX}") if _written_before(part, limit)]
        for part in dead:
            part.unlink(missing_ok=True)
        return len(dead)


def _written_before(path: Path, limit: datetime) -> bool:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < limit
    except FileNotFoundError:
        return False  # its writer has just renamed it


def _write(root: Path, path: Path, data: bytes) -> None:
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    with whole_file(path, private=True, sync=True) as part:
        part.write_bytes(data)
    for folder in (path.parent, path.parent.parent, root):
        _sync(folder)


def _sync(folder: Path) -> None:
    if os.name == "nt":  # Windows neither opens nor syncs directories
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
