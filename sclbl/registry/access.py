"""How a database file may be opened: to write, to read, or to read what nobody can change."""

from __future__ import annotations

import errno
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sclbl.errors import ReadOnlyError

#: What the system says of a file or a disk that is not to be written.
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Access:
    """A database file, and how this process may open it."""

    path: Path
    query: str

    @property
    def writable(self) -> bool:
        """Whether it may be written."""
        return self.query == "mode=rw"

    def connect(self, **options: Any) -> sqlite3.Connection:
        """Open it. A file that is gone is not made anew."""
        uri = f"{self.path.absolute().as_uri()}?{self.query}"
        found: sqlite3.Connection = sqlite3.connect(
            uri, uri=True, check_same_thread=False, **options
        )
        return found


def access(path: Path) -> Access:
    """Return how a database may be opened; make the file, for its owner alone, where there is none.

    Raises
    ------
    OSError
        It can be neither made nor read.
    ReadOnlyError
        It can only be read, and was not closed by who wrote it.
    """
    try:
        # SQLite gives its journal files the mode of the database file.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        return Access(path, "mode=rw")
    except OSError as error:
        if error.errno not in _REFUSED or not path.is_file():
            raise
    reading = Access(path, "mode=ro")
    try:
        connection = reading.connect()
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        finally:
            connection.close()
        return reading
    except sqlite3.OperationalError:
        # The files that readers share with writers cannot be made: so nobody writes here.
        journal = path.with_name(f"{path.name}-wal")
        if journal.is_file() and journal.stat().st_size:
            raise ReadOnlyError(
                f"the registry {path} can only be read, and whoever wrote it was ended before the "
                "last changes were in place; open it once where it can be written"
            ) from None
        return Access(path, "mode=ro&immutable=1")


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
