"""WebAssembly's binary format, as far as everybody needs it: LEB128 numbers and sections."""

from __future__ import annotations

from collections.abc import Iterator

from sclbl.errors import InvalidProgramError

MAGIC = b"\0asm\x01\0\0\0"


def encode_leb(value: int) -> bytes:
    """Return an unsigned integer in LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if value:
            out.append(byte | 0x80)
        else:
            out.append(byte)
            return bytes(out)


def read_leb(data: bytes, at: int) -> tuple[int, int]:
    """Read an unsigned LEB128 integer of at most 32 bits; return it and the position after it."""
    result = shift = 0
    while True:
        if at >= len(data) or shift > 28:
            raise InvalidProgramError(
                "this is not a whole WebAssembly module: it ends inside a number; "
                "the file is truncated or altered, so fetch or compile it again"
            )
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return result, at
        shift += 7


def sections(wasm: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield each section of a module: its number, where it starts, its content's start and end.

    Raises
    ------
    InvalidProgramError
        Where the bytes are not a whole WebAssembly module.
    """
    if wasm[:8] != MAGIC:
        raise InvalidProgramError(
            f"this is not a WebAssembly module: it starts with {bytes(wasm[:8])!r}; "
            "give the bytes or path of a .wasm file that sclbl made"
        )
    at = 8
    while at < len(wasm):
        start, number = at, wasm[at]
        size, content = read_leb(wasm, at + 1)
        at = content + size
        if at > len(wasm):
            raise InvalidProgramError(
                f"this program is truncated: a section of {size} bytes ends "
                f"{at - len(wasm)} bytes after the file; fetch or compile it again"
            )
        yield number, start, content, at
