"""Code that would cost too much to compile: refused before it is, or ended at a limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import wasmtime

from sclbl import manifest
from sclbl.compiler import compile_spec
from sclbl.errors import InvalidProgramError, LimitError
from sclbl.program import Program
from sclbl.runtime import apart, bounds, load
from sclbl.wasm import MAGIC, encode_leb
from tests.compiler.compiled import builder, make_spec
from tests.compiler.test_linker import mixed
from tests.runtime.foreign import SIGNATURE, module

ROWS = np.ones((5, 2))


def section(number: int, *entries: bytes) -> bytes:
    content = encode_leb(len(entries)) + b"".join(entries)
    return bytes([number]) + encode_leb(len(content)) + content


def made(*bodies: bytes, types: Sequence[bytes] = (b"\x60\x00\x00",), more: bytes = b"") -> bytes:
    """Return a module of functions without parameters or results, and one memory."""
    coded = [encode_leb(len(body)) + body for body in bodies]
    out = MAGIC + section(1, *types) + section(3, *[b"\0"] * len(bodies))
    return out + section(5, b"\0\1") + section(10, *coded) + more


def counted(code: str) -> dict[str, int]:
    return bounds.check(bytes(wasmtime.wat2wasm(f"(module (memory 1) {code})")))


def loops(count: int) -> bytes:
    """A loop after the other, each changing the variables of all: slow for any allocator."""
    one = b"\x03\x40\x20\x00\x41\x01\x6a\x21\x00\x20\x01\x41\x01\x6a\x21\x01\x20\x00\x0d\x00\x0b"
    return b"\x01\x02\x7f" + one * count + b"\x0b"


def test_what_is_counted() -> None:
    found = counted(
        """(func (param i32 i32) (result i32) (local i64 v128)
          (loop (block (br_if 0 (local.get 0)) (br_table 0 1 1 0 (local.get 1))))
          (memory.copy (i32.const 0) (i32.const 0) (i32.const 0))
          (drop (v128.const i32x4 11 11 11 11)) (drop (f64.const 0)) (drop (i64.const -1))
          (i32.load8_u offset=128 (i32.const 1)))
        (func (if (i32.const 1) (then) (else)))"""
    )
    assert found["functions"] == 2
    assert found["locals of a function"] == 4
    assert found["parameters of a function"] == 2
    assert found["nested blocks of a function"] == 3
    assert found["nested loops of a function"] == 1
    assert found["branch targets of a table"] == 3
    assert found["branches"] == (2 + 1 + 1 + 3 + 1) + 2


@pytest.mark.parametrize("width", [1, 3, 30])
def test_own_programs_are_far_below(width: int) -> None:
    build = builder(width)
    x = build.refuse(build.table().matrix(), nan=True)
    for step in range(20):
        x = build.add(x, float(step))
    found = bounds.check(compile_spec(make_spec(build, {"predict": x})))
    for what, count in {**found, **bounds.check(mixed())}.items():
        assert count * 4 <= bounds.LIMITS.get(what, bounds.MAX_WORK_HERE), what


def test_weights_are_skipped() -> None:
    data = b"\x00\x41\x00\x0b" + encode_leb(1 << 26) + bytes(1 << 26)
    assert bounds.check(made(more=section(11, data)))["data segments"] == 1


@pytest.mark.parametrize(
    ("wasm", "message"),
    [
        (made(b"\x01" + encode_leb(20_000) + b"\x7f\x0b"), "20,000 locals of a function"),
        (made(b"\x01\xff\xff\xff\xff\x0f\x7f\x0b"), "4,294,967,295 locals of a function"),
        (made(b"\0" + b"\x02\x40" * 1001 + b"\x0b" * 1002), "1,001 nested blocks of a function"),
        (made(b"\0" + b"\x03\x40" * 17 + b"\x0b" * 18), "17 nested loops of a function"),
        (made(b"\0" + b"\x01" * (1 << 20) + b"\x0b"), "1,048,578 bytes of a function"),
        (made(*[b"\0\x0b"] * 50_001), "50,001 functions"),
        (made(*[b"\0" + b"\x01" * 999_999 + b"\x0b"] * 3), "bytes of code"),
        (made(b"\0\x41\0\x0e" + encode_leb(1001) + bytes(1002) + b"\x0b"), "1,001 branch targ"),
        (made(types=[b"\x60\x31" + b"\x7f" * 49 + b"\0"]), "49 parameters of a function"),
        (made(types=[b"\x60\x00\x00"] * 1001), "1,001 types"),
        (made(more=section(11, *[b"\x00\x41\x00\x0b\x00"] * 17)), "17 data segments"),
        (made(*[b"\0" + b"\x3f\0\x1a" * 300_000 + b"\x0b"]), "300,000 branches|bytes of a func"),
        (made(*[b"\0" + b"\x3f\0\x1a" * 70_000 + b"\x0b"] * 3), "210,000 branches"),
        (made(more=b"\0" + encode_leb((1 << 20) + 2) + b"\1n" + bytes(1 << 20)), "other sections"),
    ],
)
def test_too_much(wasm: bytes, message: str) -> None:
    with pytest.raises(LimitError, match=f"{message}.*(the limit is|fetch or compile it again)"):
        bounds.check(wasm)
    text = manifest.attach(wasm, {"abi": manifest.ABI, "signature": SIGNATURE.to_json()})
    with pytest.raises(LimitError, match=message):
        Program(text)


@pytest.mark.parametrize(
    ("wasm", "message"),
    [
        (made(types=[b"\x5f\x00"]), "a type that is not a function"),
        (made(types=[b"\x60\x00\x02\x7f\x7f"]), "a function with several results"),
        (made(types=[b"\x60\x01\x70\x00"]), "takes or gives references"),
        (made(b"\x01\x01\x6f\x0b"), "a local variable that is a reference"),
        (made(b"\0\x02\x00\x0b\x0b"), "a block that takes values or gives several"),
        (made(b"\0\x41\0\x11\0\0\x0b"), "the instruction 11 00"),
        (made(b"\0\x12\0\x0b"), "the instruction 12 00"),
        (made(b"\0\xfe\x03\0\x0b"), "the instruction fe 03"),
        (made(b"\0\xfd\x80\x02\x0b"), "the instruction fd 80"),
        (made(b"\0\xfc\x08\0\0\x0b"), "the instruction fc 08"),
        (made(b"\0\x41"), "ends inside an instruction|the instruction 41"),
        (made(b"\0\x01"), "ends inside an instruction"),
        (made(b"\0\x0b\x0b"), "a part ends at byte"),
        (made(more=section(11, b"\x01\x00")), "data without a constant address"),
        (made(more=section(11, b"\x00\x23\x00\x0b\x00")), "data without a constant address"),
        (made(more=section(4, b"\x70\x00\x01")), "tables, or another section"),
        (made(more=section(3, b"\0")), "sections are out of order"),
    ],
)
def test_what_no_program_has(wasm: bytes, message: str) -> None:
    with pytest.raises(InvalidProgramError, match=message):
        bounds.check(wasm)


# ------------------------------------------------------------- in a process of its own


def test_costly_code_is_compiled_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same program, and the same numbers, whichever process compiled it."""
    build = builder(2)
    spec = make_spec(build, {"predict": build.matmul(build.table().matrix(), np.ones((2, 1)))})
    wasm = compile_spec(spec)
    here = Program(wasm).predict(ROWS)
    asked = []

    def compile_apart(wasm: bytes) -> wasmtime.Module:
        asked.append(len(wasm))
        return original(wasm)

    original = apart.compile_apart
    monkeypatch.setattr("sclbl.runtime.load.compile_apart", compile_apart)
    monkeypatch.setattr(bounds, "MAX_CODE_HERE", 10)
    load._lately.clear()
    np.testing.assert_array_equal(Program(wasm).predict(ROWS), here)
    assert asked == [len(wasm)]


def test_code_made_to_be_slow_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    wasm = made(loops(40_000))
    assert bounds.costly(bounds.check(wasm))
    monkeypatch.setattr(apart, "WAIT", 2)
    with pytest.raises(LimitError, match=r"too complex to be compiled .*\(it took too long\); .*"):
        Program(manifest.attach(wasm, {"abi": manifest.ABI, "signature": SIGNATURE.to_json()}))


def test_a_process_that_dies_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "MEMORY", 1 << 20)
    with pytest.raises(LimitError, match=r"too complex .*1,.* bytes are the limit\)"):
        apart.compile_apart(made(loops(1500)))


def test_invalid_code_apart_is_invalid() -> None:
    with pytest.raises(InvalidProgramError, match="not a valid WebAssembly module"):
        apart.compile_apart(module()[:40])
