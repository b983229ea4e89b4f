"""Folders for what is compiled, and an end to those that a killed server left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from pathlib import Path

PREFIX = "sclbl-uploads-"
_LOCK = "lock"


class Folders:
    """Folders in one of this process's own, which is locked for as long as the process lives."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._root: Path | None = None
        self._handle = -1

    def make(self) -> Path:
        """Return a new folder; the first one ends those of processes that are gone."""
        with self._guard:
            if self._root is None or not self._root.is_dir():
                sweep()
                self._open()
            return Path(tempfile.mkdtemp(dir=self._root))

    def _open(self) -> None:
        while True:
            root = Path(tempfile.mkdtemp(prefix=PREFIX))
            handle = os.open(root / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            # Another process may have swept it away before it was locked.
            if _is_locked(handle) and (root / _LOCK).exists():
                self._root, self._handle = root, handle
                return
            os.close(handle)

    def close(self) -> None:
        """Remove all of them."""
        with self._guard:
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
                os.close(self._handle)
            self._root = None


def sweep() -> None:
    """Remove the folders of processes of this user that ended without removing them."""
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if root.is_symlink() or root.stat().st_uid != os.getuid():
                continue
            handle = os.open(root / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:  # it is gone, or not yet locked
            continue
        try:
            if _is_locked(handle):
                shutil.rmtree(root, ignore_errors=True)
        finally:
            os.close(handle)


def _is_locked(handle: int) -> bool:
    """Lock a file for this process; return whether no other one holds it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
