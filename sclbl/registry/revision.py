"""Whether anyone changed an SQLite database, in microseconds."""

from __future__ import annotations

import sqlite3
import threading

from sclbl.errors import BusyError, CorruptedError, StorageError
from sclbl.registry.access import Access, identity
from sclbl.registry.failures import of_database

#: SQLite's number for "another connection holds the lock".
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Watcher:
    """Watches one database file, from any number of threads."""

    def __init__(self, found: Access) -> None:
        self._access = found
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def revision(self) -> int:
        """Return a number that is another after each commit by anyone.

        Raises
        ------
        StorageError, BusyError, CorruptedError
            The file is gone, cannot be read just now, or is no database.
        """
        path = self._access.path
        try:
            return self._revision()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in _BUSY:
                raise BusyError(f"the registry {path} is busy; try again") from error
            raise of_database(error, f"the registry {path} failed: {error}") from error
        except sqlite3.DatabaseError as error:
            raise CorruptedError(
                f"the registry {path} is damaged ({error}); restore it from a backup"
            ) from error

    def _revision(self) -> int:
        with self._lock:
            # An open connection goes on reading a file that was deleted; nobody else will find it.
            if identity(self._access.path) is None:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                raise StorageError(
                    f"the registry's database {self._access.path} was deleted while it was open; "
                    "restore it from a backup"
                )
            if self._connection is None:
                self._connection = self._access.connect()
                self._opened += 1
            # It counts the commits of other connections, and this one never writes. The count is
            # the connection's own, so a new connection starts a new range.
            row = self._connection.execute("PRAGMA data_version").fetchone()
            return (self._opened << 32) | int(row[0])

    def close(self) -> None:
        """Close the connection; the next revision opens another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def abandon(self) -> object:
        """Return the connection without closing it, and forget it and who was using it."""
        self._lock = threading.Lock()
        connection, self._connection = self._connection, None
        return connection
