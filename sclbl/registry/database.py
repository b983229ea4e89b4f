"""The only place that knows which database it is: opening, locking, migrating, its errors."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    event,
    exc,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine import URL

from sclbl.errors import BusyError, CorruptedError, ReadOnlyError, RegistryError, StorageError
from sclbl.registry import schema
from sclbl.registry.access import Access, access, identity
from sclbl.registry.failures import of_database
from sclbl.registry.revision import Watcher

#: Seconds that a writer waits for other writers.
PATIENCE = 60
MIGRATIONS = Path(__file__).parent / "migrations"

#: Where Alembic looks up how far a database was migrated.
_alembic = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

_open: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: list[object] = []


def _after_fork() -> None:
    for database in list(_open):
        database.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Database:
    """An SQLite database at a path, its schema up to date.

    Parameters
    ----------
    path : Path
        The file; made, readable by its owner alone, where it does not exist.

    Raises
    ------
    RegistryError
        It cannot be opened, or a newer sclbl made it.
    CorruptedError
        It is not a database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._access = access(path)
        self._file = identity(path)
        self._engine = _engine(self._access)
        self._writer = self._engine.execution_options(writes=True)
        self._watcher = Watcher(self._access)
        _open.add(self)
        try:
            self._prepare()
        except BaseException:
            # A registry that did not open leaves no connection behind.
            self._engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection that holds the one write lock until its changes are durable.

        Raises
        ------
        ReadOnlyError
            The registry can only be read.
        StorageError
            The file was deleted or replaced while it was open: what was written to it is gone.
        """
        if not self._access.writable:
            raise ReadOnlyError(
                f"the registry {self.path} can be read and not written; nothing was changed"
            )
        self._require_same()
        with self._translated(), self._writer.begin() as connection:
            yield connection
        self._require_same()

    def close(self) -> None:
        """Close idle connections."""
        self._watcher.close()
        self._engine.dispose()

    def revision(self) -> int:
        """Return a number that is another after each change by anyone."""
        return self._watcher.revision()

    def abandon(self) -> None:
        """Forget, in a forked process, the connections of its parent."""
        # SQLite connections must not be used across a fork, nor closed: they are kept for ever.
        _inherited.extend((self._engine.pool, self._watcher.abandon()))
        self._engine.dispose(close=False)

    def _require_same(self) -> None:
        found = identity(self.path)
        if found == self._file:
            return
        self.close()
        if found is not None:  # restored, say: from now on, that is the registry
            self._file = found
            self._prepare()
        what = "deleted" if found is None else "replaced"
        raise StorageError(
            f"the registry's database {self.path} was {what} while it was open, so nothing was "
            "recorded; restore it from a backup if it is missing, look at what is there, and "
            "try again"
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exc.OperationalError as error:
            if "locked" in str(error.orig) or "busy" in str(error.orig):
                raise BusyError(
                    f"the registry {self.path} was busy for {PATIENCE} seconds; try again, "
                    "or look for a process that holds it"
                ) from error
            raise of_database(
                error.orig, f"the registry {self.path} failed: {error.orig}"
            ) from error
        except exc.DatabaseError as error:
            raise CorruptedError(
                f"the registry {self.path} is damaged ({error.orig}); restore it from a backup"
            ) from error

    def _prepare(self) -> None:
        with self.read() as connection:
            if _revision(connection) == schema.REVISION:
                return
        if not self._access.writable:
            raise ReadOnlyError(
                f"the registry {self.path} is of an older sclbl and can only be read; open it once "
                "where it can be written"
            )
        with self.write() as connection:
            # Another process may have done it while this one waited for the lock.
            revision = _revision(connection)
            if revision == schema.REVISION:
                return
            if revision is not None:
                _upgrade(connection, revision, self.path)
                return
            if inspect(connection).get_table_names():
                raise RegistryError(
                    f"{self.path} is not a registry: it has tables of another program; "
                    "set SCLBL_HOME to a directory of its own"
                )
            _create(connection)


def _engine(found: Access) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(found.path)),
        creator=lambda: found.connect(timeout=PATIENCE, isolation_level=None),
        pool_size=16,
        max_overflow=-1,
        json_deserializer=schema.read_json,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        if not found.writable:
            return
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            _use_wal(connection)

    # The driver would begin late and with a read lock; two writers would then refuse each other.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _use_wal(connection: Any) -> None:
    # Switching needs the file for itself, and SQLite does not wait for that as it does for locks.
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_alembic.name):
        return None
    return connection.execute(select(_alembic.c.version_num)).scalar()


def _create(connection: Connection) -> None:
    # The newest tables at once: running every migration would import Alembic, as long as all else.
    schema.metadata.create_all(connection, checkfirst=False)
    _alembic.create(connection, checkfirst=False)
    connection.execute(insert(_alembic).values(version_num=schema.REVISION))


def _upgrade(connection: Connection, revision: str | None, path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise RegistryError(
            f"the registry {path} was written by a newer sclbl (schema {revision}, this one knows "
            f"{schema.REVISION}); install the newer sclbl"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
