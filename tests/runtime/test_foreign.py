"""Files that are no programs, were altered, or misbehave: always an error of sclbl's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sclbl import manifest
from sclbl import wasm as wasm_format
from sclbl.compiler import compile_spec
from sclbl.errors import (
    DeadlineError,
    InvalidProgramError,
    LimitError,
    MissingValueError,
    ProgramError,
)
from sclbl.program import Program
from sclbl.runtime import Module
from sclbl.runtime.engine import CALL_SECONDS, call_seconds, within
from tests.compiler.compiled import blocks, builder, make_spec
from tests.runtime.foreign import LABELS, PARTS, SIGNATURE, TEXT, module

ROOT = Path(__file__).parents[2]
ROW = np.ones((1, 2))
ROWS = np.ones((5, 2))


def small_program() -> bytes:
    build = builder(2)
    x = build.refuse(build.table().matrix(), nan=True)
    wires = {"predict": build.matmul(x, np.array([[1.0], [2.0]])), "transform": build.add(x, 1.0)}
    return compile_spec(make_spec(build, wires))


def test_the_template_itself_is_a_program() -> None:
    program = Program(module())
    np.testing.assert_array_equal(program.predict(ROWS), np.zeros(5))
    assert Program(module(signature=LABELS)).predict(ROWS).tolist() == ["no"] * 5


# ------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"not a WebAssembly module: it starts with b''"),
        (b"\x7fELF" + bytes(60), "not a WebAssembly module: it starts with b'.x7fELF"),
        (b"PK\x03\x04", "give the bytes or path of a .wasm file that sclbl made"),
        (wasm_format.MAGIC, "carries no sclbl manifest, so it is not a sclbl program"),
        (wasm_format.MAGIC + b"\x0b\xff\xff\x03", "truncated: a section of 65535 bytes ends"),
    ],
)
def test_files_that_are_no_programs(content: bytes, message: str) -> None:
    with pytest.raises(InvalidProgramError, match=message):
        Program(content)


def test_truncated_at_every_section_boundary() -> None:
    wasm = small_program()
    places = {
        at for _, start, content, end in wasm_format.sections(wasm) for at in (start, content)
    }
    for place in sorted(places):
        for cut in {max(place - 1, 0), place, place + 1}:
            with pytest.raises(InvalidProgramError):
                Program(wasm[:cut])
    for cut in range(1, 40):
        with pytest.raises(InvalidProgramError, match=r"truncated or altered|truncated:|manifest"):
            Program(wasm[:-cut])


def test_sections_left_out() -> None:
    """Each section alone is missing, the manifest still in its place."""
    wasm = small_program()
    for number, start, _, end in wasm_format.sections(wasm):
        if number == 11:  # without its data a module is valid: that is what SHA-256 are for
            continue
        with pytest.raises(InvalidProgramError):
            Program(wasm[:start] + wasm[end:])


# ---------------------------------------------------------------------------- exports


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"predict": ""}, "export 'predict' is not a method of ABI 2; see docs/abi.md"),
        (
            {"predict": '(func (export "predict") (param i32) (result i32) (i32.const 0))'},
            "export 'predict' is not a method of ABI 2",
        ),
        (
            {"predict": '(global (export "predict") i32 (i32.const 0))'},
            "export 'predict' is not a method of ABI 2",
        ),
        (
            {"predict": '(func (export "predict") (param i32 i32 i64) (result i32) (i32.const 0))'},
            "export 'predict' is not a method of ABI 2",
        ),
        ({"alloc": "(global $top (mut i32) (i32.const 0))"}, "lacks alloc or reset as ABI 2 has"),
        ({"reset": ""}, "lacks alloc or reset as ABI 2 has them"),
        (
            {"reset": '(func (export "reset") (result i32) (i32.const 0))'},
            "lacks alloc or reset as ABI 2 has them",
        ),
        ({"memory": ""}, "lacks the exports 'memory' and 'error'"),
        ({"memory": "(memory 1)"}, "lacks the exports 'memory' and 'error'"),
        ({"error": ""}, "lacks the exports 'memory' and 'error'"),
        ({"error": '(func (export "error"))'}, "lacks the exports 'memory' and 'error'"),
        (
            {"error": '(global (export "error") i64 (i64.const 16))'},
            "lacks the exports 'memory' and 'error' as ABI 2 has them",
        ),
        (
            {"error": '(global (export "error") f64 (f64.const nan))'},
            "lacks the exports 'memory' and 'error' as ABI 2 has them",
        ),
        (
            {"error": '(global (export "error") (mut i32) (i32.const 16))'},
            "lacks the exports 'memory' and 'error' as ABI 2 has them",
        ),
        (
            {"error": '(global (export "error") i32 (i32.const -16))'},
            "error record lies outside its memory",
        ),
        (
            {"error": '(global (export "error") i32 (i32.const 26214389))'},
            "error record lies outside its memory",
        ),
        ({"memory": '(memory (export "memory") 0)'}, "error record lies outside its memory"),
        (
            {"memory": '(memory (export "memory") i64 400)'},
            "memories, or one that is shared or of 64",
        ),
        (
            {"memory": '(import "env" "print" (func)) (memory (export "memory") 400)'},
            "imports env.print; a sclbl program imports nothing",
        ),
        (
            {"memory": '(import "env" "m" (memory 400)) (export "memory" (memory 0))'},
            "imports env.m; a sclbl program imports nothing",
        ),
    ],
)
def test_exports_that_are_not_the_interface(parts: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidProgramError, match=message):
        Program(module(**parts)).predict(ROW)


SECTIONS: dict[str, Any] = SIGNATURE.to_json()
OUTPUT = SECTIONS["outputs"]["predict"]


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {**SECTIONS, "columns": None},
        {**SECTIONS, "columns": {"count": -1, "kind": "float64"}},
        {**SECTIONS, "columns": {"count": 10**15, "kind": "float64"}},
        {**SECTIONS, "columns": {"count": 2, "kind": "float65"}},
        {**SECTIONS, "columns": [["a", "float64"], ["b"]]},
        {**SECTIONS, "columns": [["a", "float64"], [1, "float64"]]},
        {**SECTIONS, "layout": "rows"},
        {**SECTIONS, "outputs": {}},
        {**SECTIONS, "outputs": {"predict": {}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "storage": "float16"}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "dtype": "floaty"}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "dtype": None}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "ndim": 3}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "width": 0}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "width": -1}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "width": 10**12}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "width": 2, "splits": [1, 2]}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "storage": "label"}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "storage": "label", "labels": [1]}}},
        {**SECTIONS, "outputs": {"predict": {**OUTPUT, "storage": "label", "labels": [[[]]]}}},
        {**SECTIONS, "outputs": {"memory": OUTPUT}},
        {**SECTIONS, "outputs": {"__class__": OUTPUT}},
        {**SECTIONS, "outputs": {"": OUTPUT}},
        {**SECTIONS, "outputs": {"a b": OUTPUT}},
    ],
)
def test_signatures_that_are_none(data: Any) -> None:
    wasm = module(
        signature=data,
        more="".join(
            f'(func (export "{name}") (param i32 i32 i32) (result i32) (i32.const 0))'
            for name in ("__class__", "", "a b")
        ),
    )
    with pytest.raises((InvalidProgramError, LimitError)):
        Program(wasm)


# -------------------------------------------------------------------------- behaviour


def test_results_that_mean_nothing() -> None:
    out = "(i32.store (i32.load (local.get $outputs)) (i32.const {}))"
    for number in (2, -1, 2**31 - 1):
        program = Program(module(out.format(number) + "(i32.const 0)", LABELS))
        for rows in (ROW, ROWS, ROWS.tolist()):
            with pytest.raises(ProgramError, match="a class number that has no label"):
                program.predict(rows)
    length = "(i32.store offset=4 (i32.load (local.get $outputs)) (i32.const {}))"
    for start, size in ((400 * 65536 - 1, 2), (-2, 1), (0, -4)):
        body = out.format(start) + length.format(size) + "(i32.const 0)"
        with pytest.raises(ProgramError, match="text that lies outside its memory"):
            Program(module(body, TEXT)).predict(ROW)
    body = f"(i32.store8 (i32.const 32) (i32.const 255)){out.format(32)}{length.format(1)}"
    with pytest.raises(ProgramError, match="text that is not UTF-8"):
        Program(module(body + "(i32.const 0)", TEXT)).predict(ROW)
    for size, missing in ((-1, None), (-2, np.nan), (-3, pd.NA)):
        found = Program(module(length.format(size) + "(i32.const 0)", TEXT)).predict(ROW)
        assert repr(found.tolist()) == repr([[missing]])


@pytest.mark.parametrize("rows", [ROW, ROWS, ROWS.tolist()])
def test_error_codes_and_records(rows: Any) -> None:
    def failing(code: int, row: int, column: int) -> Program:
        record = ((16, code), (20, row), (24, column))
        stores = "".join(f"(i32.store (i32.const {a}) (i32.const {v}))" for a, v in record)
        return Program(module(f"{stores} (i32.const {code})"))

    with pytest.raises(MissingValueError, match=r"^row 0, column '1': what .* is missing"):
        failing(1, 0, 1).predict(rows)
    with pytest.raises(MissingValueError, match=r"^row 0 is missing") as refused:
        failing(1, 0, 7).predict(rows)
    assert (refused.value.row, refused.value.column) == (0, None)
    for code in (4, 5, -1):
        with pytest.raises(ProgramError, match=rf"refused its arguments \(code {code}, row 3"):
            failing(code, 3, -1).predict(rows)


def test_traps() -> None:
    program = Program(module("(unreachable)"))
    for _ in range(2):
        for rows in (ROW, ROWS):
            with pytest.raises(ProgramError, match=r"the program stopped by itself: .*unreachable"):
                program.predict(rows)
    outside = Program(module("(i32.load (i32.const -8))"))
    with pytest.raises(ProgramError, match=r"stopped by itself: .*out of bounds memory access"):
        outside.predict(ROW)
    endless = '(func $deep (result i32) (call $deep)) (func (export "x"))'
    with pytest.raises(ProgramError, match=r"stopped by itself: .*call stack exhausted"):
        Program(module("(call $deep)", more=endless)).predict(ROW)
    with pytest.raises(ProgramError, match=r"stopped while starting: .*unreachable"):
        Program(module(more="(func $s (unreachable)) (start $s)")).predict(ROW)


LOOP = "(loop $again (br $again))"


def test_time_limit() -> None:
    once = "(if (i32.eqz (i32.load (i32.const 64))) (then (i32.store (i32.const 64) (i32.const 1))"
    wasm = module(f"{once} {LOOP})) (i32.const 0)")
    program = Module(wasm, SIGNATURE, seconds=0.5)
    with pytest.raises(LimitError, match="ran longer than its time limit and was stopped; give"):
        program.call("predict", blocks(ROWS))
    # The instance can be called again.
    np.testing.assert_array_equal(program.call("predict", blocks(ROWS)), np.zeros((5, 1)))
    starting = module(more=f"(func $s {LOOP}) (start $s)")
    with pytest.raises(LimitError, match="ran longer than its time limit and was stopped"):
        Module(starting, SIGNATURE, seconds=0.5).call("predict", blocks(ROW))


def test_the_time_limit_of_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit of the caller's a program that loops is ended too."""
    assert call_seconds() == CALL_SECONDS == 30
    program = Program(module(f"{LOOP} (i32.const 0)"))
    monkeypatch.setenv("SCLBL_CALL_SECONDS", "0.5")
    said = r"longer than its time limit .* or a higher limit \(SCLBL_CALL_SECONDS\)$"
    for rows in (ROW, ROWS, ROWS.tolist()):
        with pytest.raises(DeadlineError, match=said):
            program.predict(rows)
    # Where the thread has a limit, that is the one.
    monkeypatch.setenv("SCLBL_CALL_SECONDS", "1000")
    with pytest.raises(DeadlineError, match=r"or a higher limit$"), within(1):
        program.predict(ROWS)


@pytest.mark.parametrize("given", ["", "0", "-1", "nan", "inf", "ten"])
def test_a_time_limit_that_is_none(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("SCLBL_CALL_SECONDS", given)
    with pytest.raises(LimitError, match=f"^SCLBL_CALL_SECONDS is '{given}', which is no number"):
        Program(small_program()).predict(ROW)


def test_memory_limits() -> None:
    grow = "(if (i32.eq (memory.grow (i32.const {})) (i32.const -1)) (then (unreachable)))"
    within, beyond = grow.format(16384), grow.format(16385)
    assert len(Program(module(within + "(i32.const 0)")).predict(ROW)) == 1
    with pytest.raises(ProgramError, match=r"stopped by itself: .*unreachable"):
        Program(module(beyond + "(i32.const 0)")).predict(ROW)
    with pytest.raises(ProgramError, match=r"stopped while starting: .*unreachable"):
        Program(module(more=f"(func $s {beyond}) (start $s)")).predict(ROW)
    with pytest.raises(InvalidProgramError, match="has tables, or another section that it does"):
        Program(module(more="(table 100000000 funcref)")).predict(ROW)


@pytest.mark.parametrize("address", [0, 400 * 65536 - 8, -1, -65536])
def test_alloc_that_answers_nonsense(address: int) -> None:
    alloc = f'(func (export "alloc") (param i32) (result i32) (i32.const {address}))'
    program = Program(module(alloc=PARTS["alloc"].replace('"alloc"', '"alloc2"') + alloc))
    message = "no memory for a block" if address == 0 else "handed out a block outside its memory"
    with pytest.raises(ProgramError, match=message):
        program.predict(ROW)


def test_alloc_beyond_the_limit() -> None:
    instance = Program(small_program()).module.session().instance
    with pytest.raises(LimitError, match="no memory for a block of 2,000,000,000 bytes; give it f"):
        instance.alloc(2_000_000_000)
    assert instance.alloc(16)


FLIPS = """
import random, sys
import numpy as np
import pandas as pd
from sclbl import manifest
from sclbl import wasm as wasm_format
from sclbl.errors import SclblError
from sclbl.program import Program
from sclbl.runtime import engine
from tests.compiler.test_linker import mixed
from tests.runtime.test_foreign import ROW, ROWS, small_program

engine.clock.at_least_every(0.05)
engine.CALL_SECONDS = 0.1
numbers = [ROW, ROWS, ROWS.tolist(), ROWS * np.nan]
texts = [[[1.0, "paid", 2]] * 3, [[1.0, "x", 2]], [[1.0, "free", np.nan]], [[0.5, None, 2]] * 9]
wasm, tables = (mixed(), texts) if sys.argv[3] == "mixed" else (small_program(), numbers)
*_, (_, start, _, end) = wasm_format.sections(wasm)
chance = random.Random(int(sys.argv[1]))
counts = {"refused": 0, "ran": 0}
for number in range(int(sys.argv[2])):
    changed = bytearray(wasm)
    low, high = (0, start) if number % 2 else (start, end)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        changed[chance.randrange(low, high)] ^= 1 << chance.randrange(8)
    try:
        program = Program(bytes(changed))
        repr(program), program.sha256, program.size
        for method in program.methods:
            for rows in tables:
                got = getattr(program, method)(rows)
                assert len(got) == len(rows), got
    except SclblError as error:
        assert str(error)
        counts["refused"] += 1
    except Exception:
        print("seed", sys.argv[1], "number", number, flush=True)
        raise
    else:
        counts["ran"] += 1
print(counts["refused"], counts["ran"])
"""


def flip(seed: int, count: int, what: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", FLIPS, str(seed), str(count), what],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    refused, ran = map(int, done.stdout.split())
    return refused, ran


def test_flipped_bits() -> None:
    """A process that loads altered programs ends well, and sees no error but sclbl's."""
    for what, count in (("small", 300), ("mixed", 60)):
        refused, ran = flip(0, count, what)
        assert refused + ran == count
        assert refused > count / 2


@pytest.mark.exhaustive
def test_many_flipped_bits() -> None:
    for seed in range(1, 11):
        assert sum(flip(seed, 1000, "small")) == 1000
        assert sum(flip(seed, 300, "mixed")) == 300


def test_a_weight_that_was_altered_is_noticed() -> None:
    wasm = bytearray(small_program())
    end = len(manifest.code(bytes(wasm)))
    wasm[end - 2] ^= 1  # the last bytes before the manifest are weights
    with pytest.raises(InvalidProgramError, match="code or weights were altered"):
        Program(bytes(wasm))
