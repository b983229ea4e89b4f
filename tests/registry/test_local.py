"""What the local registry promises beyond the contract: files, damage, migrations, forks."""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from sclbl.errors import ConflictError, CorruptedError, DeletedError, NotFoundError, RegistryError
from sclbl.registry import database, schema
from sclbl.registry.local import LocalRegistry
from sclbl.registry.metadata import About
from tests.registry.real import make_program

NOW = timedelta(0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def registry(path: Path) -> Iterator[LocalRegistry]:
    with LocalRegistry(path) as registry:
        yield registry


def files(path: Path, pattern: str = "blobs/**/*") -> list[Path]:
    return sorted(p for p in path.glob(pattern) if p.is_file())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_can_read(registry: LocalRegistry, path: Path) -> None:
    registry.create("churn", *make_program())
    for entry in [path, *path.rglob("*")]:
        expected = 0o700 if entry.is_dir() else 0o600
        assert stat.S_IMODE(entry.stat().st_mode) == expected, entry


def test_same_bytes_are_stored_once(registry: LocalRegistry, path: Path) -> None:
    for _ in range(3):
        registry.create("churn", *make_program())
    assert len(files(path)) == 2


@pytest.mark.parametrize("kind", ["program", "spec"])
def test_altered_bytes_are_refused_and_uploading_again_repairs(
    registry: LocalRegistry, path: Path, kind: str
) -> None:
    record = registry.create("churn", *make_program())
    read = registry.program if kind == "program" else registry.spec
    good = read(record)
    (file,) = files(path, f"blobs/{kind}s/**/*")
    for bad in (good[:-1], good[:-1] + b"\x7f", b""):
        file.write_bytes(bad)
        with pytest.raises(CorruptedError, match=f"stored {kind} .* was altered: its SHA-256 is"):
            read(record)
    file.unlink()
    with pytest.raises(CorruptedError, match="is missing though a version needs it"):
        read(record)
    registry.create("churn", *make_program())
    assert read(record) == good


def test_delete_removes_what_no_other_version_shares(registry: LocalRegistry, path: Path) -> None:
    registry.create("churn", *make_program(1))
    registry.create("churn", *make_program(2))
    registry.create("other", *make_program(2))
    registry.record(About("gone"), make_program(3)[0], make_program(1)[1], None)
    assert len(files(path)) == 5
    registry.delete("gone")
    registry.delete("churn@2")
    assert len(files(path)) == 4
    assert registry.spec(registry.get("churn@1")) == make_program(1)[1]
    assert registry.program(registry.get("other")) == make_program(2)[0]
    registry.delete("other")
    assert len(files(path)) == 2


def test_prune_keeps_what_is_named_or_young(registry: LocalRegistry, path: Path) -> None:
    registry.create("churn", *make_program(1))
    orphan = path / "blobs" / "programs" / "00" / f"{0:064x}.wasm"
    orphan.parent.mkdir()
    half = orphan.with_name(f"{orphan.name}.0123.part")
    for file in (orphan, half):
        file.write_bytes(b"x")
    assert registry.prune() == 0
    an_hour_ago = time.time() - 3601
    for file in files(path):
        os.utime(file, (an_hour_ago, an_hour_ago))
    assert registry.prune() == 2
    assert len(files(path)) == 2
    assert registry.program(registry.get("churn@1")) == make_program(1)[0]
    assert registry.prune(NOW) == 0


def test_version_is_whole_when_prune_comes_between(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = registry._blobs.put
    calls = []

    def put_then_prune(kind: str, data: bytes) -> str:
        sha256 = put(kind, data)  # type: ignore[arg-type]  # a stand-in for one method
        calls.append(kind)
        if len(calls) == 2:
            assert registry.prune(NOW) == 2
        return sha256

    monkeypatch.setattr(registry._blobs, "put", put_then_prune)
    record = registry.create("churn", *make_program())
    assert calls == ["program", "spec", "program", "spec"]
    assert (registry.program(record), registry.spec(record)) == make_program()


def test_failed_write_records_nothing(
    registry: LocalRegistry, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        RegistryError, match=r"could not be written: No space left.*nothing was rec"
    ):
        registry.create("churn", *make_program())
    monkeypatch.undo()
    assert registry.deployments() == []
    assert files(path) == []


def test_deleted_version_leaves_no_details(registry: LocalRegistry, path: Path) -> None:
    registry.create("churn", *make_program(), docs="private words", tags={"k": "private tag"})
    registry.delete("churn@1")
    registry.close()
    with sqlite3.connect(path / "registry.db") as connection:
        rows = connection.execute("SELECT * FROM versions").fetchall()
    connection.close()
    assert len(rows) == 1
    assert "private" not in repr(rows)


def test_repeated_request_for_a_deleted_version(registry: LocalRegistry) -> None:
    registry.create("churn", *make_program(), request_id="r")
    registry.delete("churn@1")
    with pytest.raises(DeletedError, match=r"churn@1 was deleted"):
        registry.create("churn", *make_program(), request_id="r")
    with pytest.raises(ConflictError, match="'r' made churn@1"):
        registry.create("churn", *make_program(1), request_id="r")


def test_everything_is_there_when_opened_again(registry: LocalRegistry, path: Path) -> None:
    made = registry.create("churn", *make_program(), alias="production", tags={"a": "b"})
    registry.close()
    with LocalRegistry(str(path)) as again:
        assert again.get("churn@production") == made
        assert again.location == str(path)


def test_pickles_as_its_place(registry: LocalRegistry) -> None:
    made = registry.create("churn", *make_program())
    with pickle.loads(pickle.dumps(registry)) as copy:
        assert copy.get("churn") == made


# ------------------------------------------------------------------ opening


def migrated(file: Path) -> Engine:
    """Return a database that Alembic made, one migration after another."""
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        database._upgrade(connection, None, file)
    return engine


def described(engine: Engine) -> dict[str, Any]:
    """Return all that SQLite tells of the tables, whatever the order of columns."""
    found = inspect(engine)
    return {
        table: {
            "columns": {c["name"]: repr(c) for c in found.get_columns(table)},
            "key": found.get_pk_constraint(table),
            **{
                kind: sorted(getattr(found, f"get_{kind}")(table), key=repr)
                for kind in ("foreign_keys", "indexes", "unique_constraints", "check_constraints")
            },
        }
        for table in found.get_table_names()
    }


def test_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    engine = migrated(tmp_path / "migrated.db")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.REVISION
    engine.dispose()


def test_a_new_registry_has_the_tables_that_migrations_make(
    registry: LocalRegistry, path: Path, tmp_path: Path
) -> None:
    new, old = create_engine(f"sqlite:///{path / 'registry.db'}"), migrated(tmp_path / "old.db")
    assert described(new) == described(old)
    assert {"alembic_version", "deployments", "versions"} <= set(described(new))
    for engine in (new, old):
        with engine.connect() as connection:
            (revision,) = connection.execute(text("SELECT * FROM alembic_version")).all()
            assert tuple(revision) == (schema.REVISION,)
        engine.dispose()


def test_a_migrated_registry_is_used_as_a_new_one_is(path: Path) -> None:
    path.mkdir()
    migrated(path / "registry.db").dispose()
    with LocalRegistry(path) as registry:
        made = registry.create("churn", *make_program(), alias="production")
        assert registry.get("churn@production") == made


def test_alembic_is_loaded_only_to_change_a_schema(path: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from sclbl.registry.local import LocalRegistry; LocalRegistry({!r}).close()"
        "; print('alembic' in sys.modules)"
    )

    def loads_alembic() -> bool:
        run = [sys.executable, "-c", code.format(str(path))]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        return {"True": True, "False": False}[done.stdout.strip()]

    assert not loads_alembic()  # makes the registry
    assert not loads_alembic()  # opens it again


def test_another_programs_database_is_left_as_it_is(path: Path) -> None:
    path.mkdir()
    with sqlite3.connect(path / "registry.db") as connection:
        connection.execute("CREATE TABLE versions (theirs TEXT)")
    connection.close()
    with pytest.raises(RegistryError, match="is not a registry: it has tables of another program"):
        LocalRegistry(path)
    with sqlite3.connect(path / "registry.db") as connection:
        assert connection.execute("SELECT sql FROM sqlite_master").fetchall() == [
            ("CREATE TABLE versions (theirs TEXT)",)
        ]
    connection.close()


def test_newer_registry_is_refused(registry: LocalRegistry, path: Path) -> None:
    registry.close()
    with sqlite3.connect(path / "registry.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(RegistryError, match=r"newer sclbl \(schema 9999, this one knows 0002\)"):
        LocalRegistry(path)


def test_damaged_database_is_refused(path: Path) -> None:
    path.mkdir()
    (path / "registry.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(CorruptedError, match=r"is damaged .*restore it from a backup"):
        LocalRegistry(path)


def test_place_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(RegistryError, match=r"cannot be opened: File exists; set SCLBL_HOME"):
        LocalRegistry(file)
    with pytest.raises(RegistryError, match=r"cannot be opened: Not a directory; set SCLBL_HOME"):
        LocalRegistry(file / "below")


def test_percent_and_spaces_in_the_path(tmp_path: Path) -> None:
    with LocalRegistry(tmp_path / "100% odd #1?") as registry:
        assert registry.create("churn", *make_program()).version == 1


def test_removed_while_open(registry: LocalRegistry, path: Path) -> None:
    record = registry.create("churn", *make_program())
    shutil.rmtree(path / "blobs")
    with pytest.raises(CorruptedError, match="is missing"):
        registry.program(record)


# ------------------------------------------------------------ other processes


def test_readers_do_not_wait_and_writers_do_not_wait_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    with LocalRegistry(path) as registry:
        made = registry.create("churn", *make_program())
        holder = sqlite3.connect(path / "registry.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert registry.get("churn") == made
        assert registry.program(made) == make_program()[0]
        with LocalRegistry(path) as another:
            assert another.get("churn") == made
        with pytest.raises(RegistryError, match=r"was busy for .* seconds; try again"):
            registry.create("churn", *make_program())
        holder.execute("ROLLBACK")
        holder.close()
        assert registry.create("churn", *make_program()).version == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_survives_a_fork(registry: LocalRegistry) -> None:
    registry.create("churn", *make_program())
    revision = registry.revision()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            record = registry.create("churn", *make_program(1))
            same = registry.program(record) == make_program(1)[0]
            code = 0 if same and record.version == 2 and registry.revision() is not None else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert registry.revision() != revision
    assert registry.get("churn").version == 2
    with pytest.raises(NotFoundError):
        registry.get("churn@3")
