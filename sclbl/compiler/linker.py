"""Link one object and the weights into a program: one module, no imports.

Layout of the program's memory, from address 0:

    [ 0 .. 1023    nothing: a null pointer is never a block            ]
    [ data         read-only data of the code, then the weights        ]
    [ zero         error record, buffers for a tile of rows            ]
    [ stack        grows down, only where the code uses one            ]
    [ heap         what ``alloc`` hands out, grows up                  ]

Weights never pass through LLVM: the code refers to them as undefined data symbols, which are
resolved here, and their bytes go straight into the data section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sclbl.compiler import object as wasm_object
from sclbl.compiler.object import Object, Relocation
from sclbl.errors import CompileError
from sclbl.wasm import MAGIC, encode_leb

PAGE = 65536
STACK = 16384
MAX_PAGES = 65536
I32, GLOBAL_CONST, GLOBAL_VAR = 0x7F, 0, 1


@dataclass(frozen=True, slots=True)
class Weights:
    """Constant bytes of a program under a symbol's name."""

    name: str
    array: np.ndarray
    alignment: int = 16


@dataclass(frozen=True, slots=True)
class Reserved:
    """Zeroed memory of a program under a symbol's name."""

    name: str
    size: int
    alignment: int = 16


@dataclass(frozen=True, slots=True)
class Import:
    """A function of the host: where it comes from, and the number of its type."""

    module: str
    name: str
    type: int


def encode_sleb(value: int) -> bytes:
    """Return a signed integer in LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def _signed(address: int) -> int:
    return address - (1 << 32) if address >= 1 << 31 else address


def _vector(items: Sequence[bytes]) -> bytes:
    return encode_leb(len(items)) + b"".join(items)


def _section(number: int, *content: bytes | memoryview) -> list[bytes | memoryview]:
    return [bytes([number]) + encode_leb(sum(len(c) for c in content)), *content]


def _align(address: int, alignment: int) -> int:
    return -(-address // alignment) * alignment


class _Layout:
    """Addresses of every data symbol."""

    def __init__(
        self,
        obj: Object,
        weights: Sequence[Weights],
        reserved: Sequence[Reserved],
        aliases: Mapping[str, tuple[str, int]],
    ) -> None:
        self.chunks: list[tuple[int, bytes | memoryview]] = []
        self.address: dict[str, int] = {}
        self.segments: list[int] = []
        at = 1024
        zero: list[int] = []
        for i, segment in enumerate(obj.segments):
            self.segments.append(0)
            if not any(segment.content):
                zero.append(i)
                continue
            at = _align(at, segment.alignment)
            self.segments[i] = at
            self.chunks.append((at, segment.content))
            at += len(segment.content)
        for weight in weights:
            at = _align(at, weight.alignment)
            self.address[weight.name] = at
            raw = np.ascontiguousarray(weight.array).reshape(-1).view(np.uint8).data
            if len(raw):
                self.chunks.append((at, raw))
            at += len(raw)
        for i in zero:
            at = _align(at, obj.segments[i].alignment)
            self.segments[i] = at
            at += len(obj.segments[i].content)
        for block in reserved:
            at = _align(at, block.alignment)
            self.address[block.name] = at
            at += block.size
        for name, (block_name, distance) in aliases.items():
            self.address[name] = self.address[block_name] + distance
        self.stack_top = _align(at, 16)
        if any(s.kind == wasm_object.GLOBAL for s in obj.symbols):
            self.stack_top += STACK
        self.address["heap_base"] = self.stack_top
        self.pages = -(-self.stack_top // PAGE)
        if self.pages >= MAX_PAGES:
            raise CompileError(
                f"the program would need {self.stack_top:,} bytes of memory; "
                "WebAssembly addresses 4 GB: reduce the model (fewer or shallower trees)"
            )
        for symbol in obj.symbols:
            if symbol.kind == wasm_object.DATA and symbol.defined:
                self.address[symbol.name] = self.segments[symbol.index] + symbol.offset


def _resolve(obj: Object, layout: _Layout, relocation: Relocation, imported: int) -> int:
    if relocation.type == 6:
        return relocation.symbol
    symbol = obj.symbols[relocation.symbol]
    if relocation.type == 0:
        # Imported functions are counted first; they stand as -1, -2, …
        return symbol.index + imported if symbol.index >= 0 else -1 - symbol.index
    if relocation.type == 7:
        return symbol.index
    if relocation.type in (3, 4, 5):
        if symbol.name not in layout.address:
            raise CompileError(f"the data symbol {symbol.name} is not defined: a defect of sclbl")
        return layout.address[symbol.name] + relocation.addend
    raise CompileError(
        f"LLVM emitted relocation {relocation.type} for {symbol.name}, which sclbl's linker "
        "does not know: a defect of sclbl"
    )


def _bodies(obj: Object, layout: _Layout, imported: int) -> list[bytes]:
    """Return function bodies with every patched number written as short as it can be."""
    pending = iter(sorted(obj.code_relocations, key=lambda r: r.offset))
    relocation = next(pending, None)
    bodies = []
    for start, end in obj.bodies:
        parts = []
        at = start
        while relocation is not None and relocation.offset < end:
            parts.append(obj.code[at : relocation.offset])
            value = _resolve(obj, layout, relocation, imported)
            parts.append(encode_sleb(_signed(value)) if relocation.type == 4 else encode_leb(value))
            at = relocation.offset + 5
            relocation = next(pending, None)
        parts.append(obj.code[at:end])
        body = b"".join(parts)
        bodies.append(encode_leb(len(body)) + body)
    return bodies


def _patch_data(obj: Object, layout: _Layout) -> None:
    patched: dict[int, bytearray] = {}
    for relocation in obj.data_relocations:
        for i, segment in enumerate(obj.segments):
            at = relocation.offset - segment.start
            if 0 <= at < len(segment.content):
                content = patched.setdefault(i, bytearray(segment.content))
                content[at : at + 4] = _resolve(obj, layout, relocation, 0).to_bytes(4, "little")
    for i, content in patched.items():
        layout.chunks = [
            (address, bytes(content) if address == layout.segments[i] else chunk)
            for address, chunk in layout.chunks
        ]


def _data(layout: _Layout) -> list[bytes | memoryview]:
    """Return the content of the data section: one segment, gaps filled with zeros."""
    if not layout.chunks:
        return []
    first = layout.chunks[0][0]
    pieces: list[bytes | memoryview] = []
    at = first
    for address, chunk in layout.chunks:
        if address > at:
            pieces.append(bytes(address - at))
        pieces.append(chunk)
        at = address + len(chunk)
    head = b"\x01\x00\x41" + encode_sleb(_signed(first)) + b"\x0b" + encode_leb(at - first)
    return [head, *pieces]


def _text(text: str) -> bytes:
    raw = text.encode()
    return encode_leb(len(raw)) + raw


def _named(name: str, kind: int, index: int) -> bytes:
    return _text(name) + bytes([kind]) + encode_leb(index)


def link(
    obj: Object,
    weights: Sequence[Weights],
    reserved: Sequence[Reserved],
    aliases: Mapping[str, tuple[str, int]],
    exports: Mapping[str, str],
    start: str | None,
    error: str | None,
    imports: Sequence[Import] = (),
) -> bytes:
    """Link an object with its weights.

    Parameters
    ----------
    obj : Object
        The code.
    weights, reserved : sequences
        Constant and zeroed blocks that the code refers to by name.
    aliases : mapping of str to (str, int)
        Further names for places inside blocks: block and distance in bytes.
    exports : mapping of str to str
        Exported name → function symbol.
    start : str or None
        Function that runs when a program is instantiated.
    error : str or None
        Data symbol of the error record, whose address is exported.
    imports : sequence of Import
        Functions of the host that the code calls: a program has none, a command some.

    Returns
    -------
    bytes
        The module.
    """
    layout = _Layout(obj, weights, reserved, aliases)
    _patch_data(obj, layout)
    functions = {
        s.name: s.index for s in obj.symbols if s.kind == wasm_object.FUNCTION and s.defined
    }
    global_entries = []
    if any(s.kind == wasm_object.GLOBAL for s in obj.symbols):
        global_entries.append(
            bytes([I32, GLOBAL_VAR, 0x41]) + encode_sleb(_signed(layout.stack_top)) + b"\x0b"
        )
    entries = [_named("memory", 2, 0)]
    if error is not None:
        entries.append(_named("error", 3, len(global_entries)))
        address = encode_sleb(_signed(layout.address[error]))
        global_entries.append(bytes([I32, GLOBAL_CONST, 0x41]) + address + b"\x0b")
    own = len(imports)
    entries += [_named(name, 0, functions[symbol] + own) for name, symbol in exports.items()]
    out: list[bytes | memoryview] = [MAGIC]
    out += _section(1, _vector(obj.types))
    if imports:
        found = [_text(i.module) + _named(i.name, 0, i.type) for i in imports]
        out += _section(2, _vector(found))
    out += _section(3, _vector([encode_leb(f) for f in obj.functions]))
    out += _section(5, b"\x01\x00" + encode_leb(layout.pages))
    out += _section(6, _vector(global_entries))
    out += _section(7, _vector(entries))
    if start is not None:
        out += _section(8, encode_leb(functions[start] + own))
    out += _section(10, _vector(_bodies(obj, layout, own)))
    data = _data(layout)
    if data:
        out += _section(11, *data)
    return b"".join(out)
