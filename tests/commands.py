"""Commands run under WASI, and what `sclbl run` says to the same."""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import wasmtime

from sclbl.cli import batch
from sclbl.errors import SclblError
from sclbl.printable import printable

_ENGINE = wasmtime.Engine()


@dataclass(frozen=True)
class Said:
    """What was written, and how it ended."""

    code: int
    out: bytes
    error: str = ""


class Command:
    """A command, ready to run."""

    def __init__(self, wasm: bytes) -> None:
        self.wasm = wasm
        self.module = wasmtime.Module(_ENGINE, wasm)

    def run(self, *arguments: str, rows: bytes = b"", memory: int = -1) -> Said:
        """Run it under wasmtime's WASI, with so many bytes of memory at most."""
        store = wasmtime.Store(_ENGINE)
        store.set_limits(memory_size=memory)
        linker = wasmtime.Linker(_ENGINE)
        linker.define_wasi()
        with tempfile.TemporaryDirectory() as folder:
            given, out, error = (Path(folder) / name for name in ("in", "out", "error"))
            given.write_bytes(rows)
            config = wasmtime.WasiConfig()
            config.argv = ["command", *arguments]
            config.stdin_file, config.stdout_file = str(given), str(out)
            config.stderr_file = str(error)
            store.set_wasi(config)
            start: Any = linker.instantiate(store, self.module).exports(store)["_start"]
            code = 0
            try:
                start(store)
            except wasmtime.ExitTrap as end:
                code = end.code
            return Said(code, out.read_bytes(), error.read_bytes().decode(errors="surrogateescape"))


def sclbl_run(program: Any, method: str, form: str, rows: bytes, to: str | None = None) -> Any:
    """Return what ``sclbl run`` writes for rows on stdin, and the error that it ends with."""
    out = io.BytesIO()
    stdin = SimpleNamespace(buffer=io.BytesIO(rows))
    stdout = SimpleNamespace(buffer=out, isatty=lambda: False)
    error: SclblError | None = None
    with mock.patch.object(sys, "stdin", stdin), mock.patch.object(sys, "stdout", stdout):
        try:
            batch.predict_file(program, method, None, form, None, to or form)
        except SclblError as raised:
            error = raised
    return out.getvalue(), error


_ENDED = re.compile(
    r"error: (?P<said>.*) "
    r"\(code (?P<code>\w+)(, row (?P<row>\d+))?(, column (?P<column>\".*\"))?\)\n",
    re.DOTALL,
)


def difference(said: Said, expected: bytes, error: SclblError | None) -> str:
    """Return how a command differs from ``sclbl run``; empty where it does not."""
    if said.out != expected:
        return f"it wrote {said.out[:200]!r}, not {expected[:200]!r}; {said.error} {error}"
    if error is None:
        return "" if said.code == 0 and not said.error else f"it ended with {said.error}"
    found = _ENDED.fullmatch(said.error)
    if said.code != 1 or found is None:
        return f"{said.code} {said.error!r}, not {error}"
    text = " ".join(printable(error.shell).split())
    begins = text.startswith(found["said"])
    if error.code == "request" and " is not JSON" in text:
        begins = text.startswith(found["said"].partition(" is not JSON")[0])
        rest = ": "
    else:
        rest = text[len(found["said"]) :]
    whole = not rest or rest.startswith(("; ", ". ", ": "))
    row, column = getattr(error, "row", None), getattr(error, "column", None)
    same = (
        found["code"] == error.code
        and (None if found["row"] is None else int(found["row"])) == row
        and (None if found["column"] is None else json.loads(found["column"])) == column
    )
    return (
        ""
        if begins and whole and same
        else f"{said.error!r}, not {error.code} {row} {column!r} {text!r}"
    )
