"""Bytes by their SHA-256, over an object store (here: a directory)."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import obstore
from obstore.store import LocalStore, ObjectStore

from sclbl.errors import CorruptedError, NotFoundError, RegistryError

Kind = Literal["program", "spec"]
#: Folder and ending of each kind of blob.
PLACES: dict[Kind, tuple[str, str]] = {
    "program": ("programs", ".wasm"),
    "spec": ("specs", ".onnx"),
}


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def key_of(kind: Kind, sha256: str) -> str:
    """Return where a blob lies in the store."""
    folder, ending = PLACES[kind]
    return f"{folder}/{sha256[:2]}/{sha256}{ending}"


class Blobs:
    """Blobs in any object store that obstore knows, which writes an object whole or not at all."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    def put(self, kind: Kind, data: bytes) -> str:
        """Store bytes durably, renewing their date where they are there already; return the SHA."""
        sha256 = digest(data)
        self._write(key_of(kind, sha256), data)
        return sha256

    def get(self, kind: Kind, sha256: str) -> bytes:
        """Return bytes, checked.

        Raises
        ------
        NotFoundError
            They are not there.
        CorruptedError
            They are not what was stored.
        """
        key = key_of(kind, sha256)
        try:
            data = bytes(obstore.get(self.store, key).bytes())
        except FileNotFoundError:
            raise NotFoundError(f"the {kind} {sha256} is not in the registry's store") from None
        if digest(data) != sha256:
            raise CorruptedError(
                f"the stored {kind} {key} was altered: its SHA-256 is {digest(data)}; restore the "
                "file from a backup, or upload the model again"
            )
        return data

    def has(self, kind: Kind, sha256: str) -> bool:
        """Return whether the bytes are there, without reading them."""
        try:
            obstore.head(self.store, key_of(kind, sha256))
        except FileNotFoundError:
            return False
        return True

    def delete(self, kind: Kind, sha256: str) -> None:
        """Remove bytes."""
        obstore.delete(self.store, key_of(kind, sha256))

    def older_than(self, kind: Kind, limit: datetime) -> Iterator[str]:
        """Yield the SHA-256 of each blob last written before `limit`."""
        folder, ending = PLACES[kind]
        for batch in obstore.list(self.store, prefix=folder):
            for entry in batch:
                name = entry["path"].rpartition("/")[2]
                if entry["last_modified"] < limit and name.endswith(ending):
                    yield name.removesuffix(ending)

    def sweep(self, limit: datetime) -> None:
        """Remove what writers that died before `limit` left half-written."""

    def _write(self, key: str, data: bytes) -> None:
        obstore.put(self.store, key, data)


class LocalBlobs(Blobs):
    """Blobs in a directory that its owner alone can read.

    Writes do not go through obstore, which neither waits for the disk nor sets the mode.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(LocalStore(root))
        self.root = root

    def sweep(self, limit: datetime) -> None:
        """Remove what writers that died before `limit` left half-written."""
        for part in self.root.rglob("*#*"):
            try:
                if datetime.fromtimestamp(part.stat().st_mtime, UTC) < limit:
                    part.unlink()
            except FileNotFoundError:
                continue  # its writer lives and has just renamed it

    def _write(self, key: str, data: bytes) -> None:
        path = self.root / key
        try:
            self._write_file(path, data)
        except OSError as error:
            raise RegistryError(
                f"{path} could not be written: {error.strerror or error}; nothing was recorded"
            ) from error

    def _write_file(self, path: Path, data: bytes) -> None:
        for folder in reversed([p for p in path.parents if p.is_relative_to(self.root)]):
            folder.mkdir(mode=0o700, exist_ok=True)
        # obstore takes "#" and digits at the end for a write under way and does not list it.
        part = path.with_name(f"{path.name}#{secrets.randbits(63)}")
        try:
            with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parent.parent, self.root):
            _sync(folder)


def _sync(folder: Path) -> None:
    if os.name == "nt":  # Windows neither opens nor syncs directories
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
