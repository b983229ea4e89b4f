"""Names that are no files, files that are larger than they should be: an error, at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sclbl
from sclbl.errors import CorruptedError, ModelError, ProgramError, SclblError
from sclbl.plain_file import open_file, read_file
from sclbl.registry.local import LocalRegistry
from tests.registry.real import make_program

POSIX = pytest.mark.skipif(os.name == "nt", reason="names of devices and pipes are POSIX's")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(20 * 2**30)


KINDS = [
    (pipe, "it is a pipe, not a file"),
    (endless, "it is a device, not a file"),
    (folder, "Is a directory"),
    (sparse, "it has 21,474,836,480 bytes; at most"),
]


@POSIX
@pytest.mark.parametrize(("make", "message"), KINDS)
def test_names_that_are_no_files_to_load(
    make: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    program, model = tmp_path / "program.wasm", tmp_path / "model.onnx"
    make(program), make(model)
    with pytest.raises(ProgramError, match=message):
        sclbl.load(program)
    with pytest.raises(ModelError, match=message):
        sclbl.compile(model)
    with pytest.raises(ModelError, match=message):
        sclbl.compile(str(model))


@POSIX
@pytest.mark.parametrize(("make", "message"), KINDS)
@pytest.mark.parametrize("kind", ["program", "spec"])
def test_what_lies_in_place_of_stored_bytes(
    make: Callable[[Path], None], message: str, kind: str, tmp_path: Path
) -> None:
    with LocalRegistry(tmp_path) as registry:
        record = registry.create("churn", *make_program())
        (blob,) = (p for p in tmp_path.glob(f"blobs/{kind}s/*/*") if p.is_file())
        blob.unlink()
        make(blob)
        with pytest.raises(CorruptedError, match=f"is not what was stored .{message}"):
            registry.program(record) if kind == "program" else registry.spec(record)


def test_a_program_longer_than_it_was_is_not_read(tmp_path: Path) -> None:
    with LocalRegistry(tmp_path) as registry:
        record = registry.create("churn", *make_program())
        (blob,) = tmp_path.glob("blobs/programs/*/*")
        blob.write_bytes(blob.read_bytes() + b"\0")
        said = rf"it has {record.size + 1:,} bytes; at most {record.size:,}"
        with pytest.raises(CorruptedError, match=said):
            registry.program(record)


@POSIX
def test_pipes_are_read_where_they_may_be(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, b"rows")
    with open_file(path, pipe=True) as file:
        assert os.read(file.fileno(), 9) == b"rows"
    with pytest.raises(OSError, match="a device, not a file"):
        open_file("/dev/zero", pipe=True)
    os.close(writer)


def test_files_are_read_to_their_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(5))
    assert read_file(path, 5) == read_file(os.fsencode(path)) == bytes(5)
    with pytest.raises(OSError, match="it has 5 bytes; at most 4"):
        read_file(path, 4)


@POSIX
@pytest.mark.parametrize(
    "arguments",
    [
        ["upload", "{pipe}", "--name", "x"],
        ["run", "{pipe}.wasm", "-", "--from", "csv"],
        ["run", "{program}", "{device}", "--from", "csv"],
    ],
)
def test_the_command_line_neither_waits_nor_reads_on(arguments: list[str], tmp_path: Path) -> None:
    places = {"pipe": tmp_path / "pipe", "device": "/dev/zero", "program": tmp_path / "p.wasm"}
    places["program"].write_bytes(make_program()[0])  # type: ignore[union-attr]
    os.mkfifo(tmp_path / "pipe"), os.mkfifo(tmp_path / "pipe.wasm")
    given = [a.format(**places) for a in arguments]
    done = subprocess.run(
        [sys.executable, "-m", "sclbl", "--registry", str(tmp_path / "r"), *given],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "not a file" in done.stderr
    assert "Traceback" not in done.stderr


def changed(path: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(path / "registry.db")
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("manifest", "[1"),
        ("manifest", "[1]"),
        ("manifest", "[" * 100_000),
        ("manifest", 5),
        ("checked", "x"),
        ("tags", "[1"),
        ("tags", "[1]"),
        ("metrics", "nope"),
        ("metrics", "5"),
        ("created_at", "x"),
        ("created_at", 2**63 - 1),
        ("created_at", -(2**63)),
        ("size", "large"),
        ("sha256", b"\xff"),
    ],
)
def test_rows_that_were_altered(column: str, value: Any, tmp_path: Path) -> None:
    with LocalRegistry(tmp_path) as registry:
        registry.create("churn", *make_program(), alias="production")
        changed(tmp_path, f"UPDATE versions SET {column} = ?", value)
        for ask in (
            lambda: registry.get("churn"),
            lambda: registry.get("churn@production"),
            lambda: registry.versions("churn"),
            registry.deployments,
        ):
            with pytest.raises(CorruptedError, match="restore its database from a backup"):
                ask()


@pytest.mark.parametrize("value", ["x", 2**63 - 1])
def test_times_that_were_altered(value: Any, tmp_path: Path) -> None:
    with LocalRegistry(tmp_path) as registry:
        registry.create("churn", *make_program(), alias="production")
        changed(tmp_path, "UPDATE alias_events SET at = ?", value)
        with pytest.raises(CorruptedError, match="where a time belongs"):
            registry.history("churn", "production")
        registry.delete("churn")
        changed(tmp_path, "UPDATE versions SET deleted_at = ?", value)
        with pytest.raises(SclblError, match="where a time belongs"):
            registry.get("churn@1")
