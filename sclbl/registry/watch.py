"""Whether anyone changed an SQLite database, in microseconds."""

from __future__ import annotations

import sqlite3
import threading

from sclbl.registry.access import Access


class Watch:
    """Watches one database file, from any number of threads."""

    def __init__(self, found: Access) -> None:
        self._access = found
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def stamp(self) -> int:
        """Return a number that is another after each commit by anyone."""
        with self._lock:
            if self._connection is None:
                self._connection = self._access.connect()
                self._opened += 1
            # It counts the commits of other connections, and this one never writes. The count is
            # the connection's own, so a new connection starts a new range.
            row = self._connection.execute("PRAGMA data_version").fetchone()
            return (self._opened << 32) | int(row[0])

    def close(self) -> None:
        """Close the connection; the next stamp opens another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def abandon(self) -> object:
        """Return the connection without closing it, and forget it and who was using it."""
        self._lock = threading.Lock()
        connection, self._connection = self._connection, None
        return connection
