"""Disks that are full, read-only, restored or gone, and what a registry does by itself."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from sclbl import manifest
from sclbl.errors import (
    BusyError,
    ConflictError,
    ExhaustedError,
    NotFoundError,
    ReadOnlyError,
    StorageError,
    StorageFullError,
)
from sclbl.registry import database, pending
from sclbl.registry.blobs import digest
from sclbl.registry.local import LocalRegistry
from sclbl.registry.metadata import About
from sclbl.registry.store import Pending
from tests.registry.real import make_program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def registry(path: Path) -> Iterator[LocalRegistry]:
    with LocalRegistry(path) as registry:
        yield registry


def held(registry: LocalRegistry, number: int = 0, key: str | None = None) -> Pending:
    found = registry.hold(About("churn", request_id=key), *make_program(number), None)
    assert isinstance(found, Pending)
    return found


# ------------------------------------------------------------------- the disk


@pytest.mark.parametrize(
    ("number", "cls"),
    [
        (errno.ENOSPC, StorageFullError),
        (errno.EDQUOT, StorageFullError),
        (errno.EROFS, ReadOnlyError),
        (errno.EMFILE, ExhaustedError),
        (errno.EIO, StorageError),
    ],
)
def test_what_the_system_says_has_a_class(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch, number: int, cls: type[StorageError]
) -> None:
    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match=f"{os.strerror(number)}; nothing was recorded") as said:
        registry.create("churn", *make_program())
    assert type(said.value) is cls


def test_a_full_database_has_a_class(registry: LocalRegistry, path: Path) -> None:
    with registry._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageFullError, match="disk is full"):
        registry.create("churn", *make_program(), docs="d" * 900_000)


@pytest.mark.parametrize("restored", [False, True])
def test_a_database_that_goes_is_noticed(
    registry: LocalRegistry, path: Path, restored: bool
) -> None:
    made = registry.create("churn", *make_program())
    registry.close()
    backup = path / "backup.db"
    shutil.copy(path / "registry.db", backup)
    registry.create("churn", *make_program(1))
    for file in path.glob("registry.db*"):
        file.unlink()
    if restored:
        backup.rename(path / "registry.db")
        with pytest.raises(StorageError, match=r"was replaced while it was open.*nothing was rec"):
            registry.create("churn", *make_program(2))
        assert registry.get("churn") == made
        assert registry.create("churn", *make_program(2)).version == 2
        return
    for _ in range(2):
        with pytest.raises(StorageError, match=r"was deleted while it was open.*restore it from"):
            registry.create("churn", *make_program(2))
    assert not (path / "registry.db").exists()


READ = """
import sys
from sclbl.errors import ReadOnlyError
from sclbl.registry.local import LocalRegistry
with LocalRegistry(sys.argv[1]) as registry:
    record = registry.get("churn@production")
    sizes = len(registry.program(record)), len(registry.spec(record))
    print(record.ref, *sizes, registry.revision())
    for change in (lambda: registry.delete("churn"), lambda: registry.promote("churn", "x")):
        try:
            change()
        except ReadOnlyError as error:
            print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system mounted read-only")
@pytest.mark.parametrize("how", ["closed", "open elsewhere", "killed"])
def test_a_registry_that_can_only_be_read(path: Path, how: str) -> None:
    """On a file system that is mounted read-only, in a name space of its own."""
    with LocalRegistry(path) as registry:
        registry.create("churn", *make_program(), alias="production")
        if how == "killed":  # what it wrote last is still in its journal
            copy = path.with_name("copy")
            shutil.copytree(path, copy, ignore=shutil.ignore_patterns("*-shm"))
            path = copy
        if how == "closed":
            registry.close()
        script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1"'
        given = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(path)]
        done = subprocess.run(
            [*given, sys.executable, READ], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
    if how == "killed":
        assert "was ended before the last changes were in place; open it once" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    first, *refusals = done.stdout.splitlines()
    wasm, spec = make_program()
    assert first.split()[:3] == ["churn@1", str(len(wasm)), str(len(spec))]
    assert len(refusals) == 2
    assert all("can be read and not written; nothing was changed" in line for line in refusals)


# ------------------------------------------------------------ pending uploads


def test_a_pending_upload_becomes_a_version_once(registry: LocalRegistry) -> None:
    wasm, spec = make_program()
    waiting = held(registry, key="k")
    assert held(registry, key="k") == waiting
    assert registry.deployments() == []
    for act in (registry.program, registry.spec):
        with pytest.raises(NotFoundError):
            act(digest(wasm))
    assert registry.held(waiting.id) == wasm
    with pytest.raises(ConflictError, match=r"'k' is that of an upload of churn with other bytes"):
        held(registry, 1, key="k")
    stated = {"report": {"rows": 3}}
    final = manifest.restate(wasm, stated)
    with pytest.raises(ConflictError, match=r"has the SHA-256 .* was confirmed; fetch it"):
        registry.confirm(waiting.id, digest(wasm), stated)
    record = registry.confirm(waiting.id, digest(final), stated)
    assert (record.ref, record.sha256) == ("churn@1", digest(final))
    assert registry.confirm(waiting.id, digest(final), stated) == record
    assert registry.hold(About("churn", request_id="k"), wasm, spec, None) == record
    with pytest.raises(ConflictError, match=r"was confirmed as .* and is churn@1"):
        registry.confirm(waiting.id, digest(wasm), {})
    assert (registry.program(record), registry.spec(record)) == (final, spec)
    assert registry.prune() == 0


def test_what_is_not_confirmed_goes(
    registry: LocalRegistry, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = held(registry, key="k")
    old = time.time() - 3700
    for file in [f for f in path.rglob("*") if f.is_file()]:
        os.utime(file, (old, old))
    assert registry.prune() == 0  # the files are old, the upload is not
    later = pending.now() + 3_601_000_000
    monkeypatch.setattr(pending, "now", lambda: later)
    for act in (registry.held, lambda id: registry.confirm(id, "0", {})):
        with pytest.raises(NotFoundError, match=r"gone after 60 minutes\); upload the model again"):
            act(waiting.id)
    # The next change prunes, because the last time is an hour ago.
    registry.create("other", *make_program(1))
    assert len([f for f in path.glob("blobs/*/*/*") if f.is_file()]) == 2
    assert held(registry, key="k").id != waiting.id


def test_so_many_wait_at_most(registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "MOST", 2)
    first = held(registry)
    held(registry, 1)
    with pytest.raises(BusyError, match="2 uploads wait to be confirmed, and no more are kept"):
        held(registry, 2)
    registry.drop(first.id)
    held(registry, 2)
    monkeypatch.setattr(pending, "MOST_BYTES", 10)
    monkeypatch.setattr(pending, "MOST", 100)
    with pytest.raises(BusyError, match="try again later"):
        held(registry, 3)


# ------------------------------------------------------------------ migration


def test_a_registry_of_the_first_schema_is_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command
    from alembic.config import Config

    path.mkdir()
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = create_engine(f"sqlite:///{path / 'registry.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    row = ("churn", 1, "a" * 64, "b" * 64, 7, 1, None, "docs", "{}", "{}", "{}", "key")
    with sqlite3.connect(path / "registry.db") as old:
        old.execute("INSERT INTO deployments VALUES ('churn', 1, 1)")
        old.execute(f"INSERT INTO versions VALUES ({','.join('?' * len(row))})", row)
    old.close()
    with LocalRegistry(path) as registry:
        record = registry.get("churn@1")
        assert (record.docs, record.sha256, record.checked) == ("docs", "a" * 64, None)
        assert registry.create("churn", *make_program()).version == 2
        assert isinstance(held(registry), Pending)
