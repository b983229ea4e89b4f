"""Read a relocatable WebAssembly object, as LLVM emits it.

The format is the tool conventions' "WebAssembly Object File Linking": the usual sections, plus
``linking`` (symbols and data segments) and ``reloc.CODE`` / ``reloc.DATA`` (places to patch).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sclbl.errors import CompileError
from sclbl.wasm import read_leb, sections

FUNCTION, DATA, GLOBAL, SECTION, TABLE = 0, 1, 2, 3, 5
UNDEFINED, EXPLICIT_NAME = 0x10, 0x40


@dataclass(frozen=True, slots=True)
class Symbol:
    """An entry of the symbol table; `index` is a function, global or data segment.

    A function's is its place among those that the object defines; one that it only calls has -1.
    """

    kind: int
    name: str
    defined: bool
    index: int = -1
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Relocation:
    """Patch the number at `offset` of a section's content with a symbol's address or index."""

    type: int
    offset: int
    symbol: int
    addend: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Initialised bytes, where they start in the data section's content, and their alignment."""

    name: str
    content: bytes
    start: int
    alignment: int


@dataclass
class Object:
    """A parsed object file."""

    types: list[bytes] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    bodies: list[tuple[int, int]] = field(default_factory=list)
    code: bytes = b""
    symbols: list[Symbol] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    code_relocations: list[Relocation] = field(default_factory=list)
    data_relocations: list[Relocation] = field(default_factory=list)
    #: Functions that it calls and another object defines.
    imported: list[str] = field(default_factory=list)


def read_sleb(data: bytes, at: int) -> tuple[int, int]:
    """Read a signed LEB128 integer; return it and the position after it."""
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return result - (1 << shift if byte & 0x40 else 0), at


def _name(data: bytes, at: int) -> tuple[str, int]:
    size, at = read_leb(data, at)
    return data[at : at + size].decode(), at + size


def parse(data: bytes) -> Object:
    """Read an object file.

    Raises
    ------
    CompileError
        Where it holds what LLVM was not asked to emit.
    """
    obj = Object()
    raw: list[tuple[bytes, int]] = []
    infos: list[tuple[str, int]] = []
    order: list[int] = []
    for number, _, at, end in sections(data):
        order.append(number)
        if number == 1:
            count, at = read_leb(data, at)
            for _ in range(count):
                start = at
                at += 1
                for _ in range(2):
                    size, at = read_leb(data, at)
                    at += size
                obj.types.append(data[start:at])
        elif number == 2:
            _imports(obj, data, at)
        elif number == 3:
            count, at = read_leb(data, at)
            for _ in range(count):
                index, at = read_leb(data, at)
                obj.functions.append(index)
        elif number == 10:
            _code(obj, data, at, end)
        elif number == 11:
            raw = _data(data, at)
        elif number == 0:
            name, at = _name(data, at)
            if name == "linking":
                infos = _linking(obj, data, at, end)
            elif name.startswith("reloc."):
                target, at = read_leb(data, at)
                entries = _relocations(data, at)
                if order[target] == 10:
                    obj.code_relocations = entries
                elif order[target] == 11:
                    obj.data_relocations = entries
    obj.segments = [
        Segment(name, content, start, 1 << power)
        for (content, start), (name, power) in zip(raw, infos, strict=True)
    ]
    return obj


def _imports(obj: Object, data: bytes, at: int) -> None:
    count, at = read_leb(data, at)
    for _ in range(count):
        _, at = _name(data, at)
        field_name, at = _name(data, at)
        kind = data[at]
        at += 1
        if kind == 0:
            obj.imported.append(field_name)
            _, at = read_leb(data, at)
        if kind == 1:
            at += 1
        if kind in (1, 2):
            flags, at = read_leb(data, at)
            _, at = read_leb(data, at)
            if flags & 1:
                _, at = read_leb(data, at)
        if kind == 3:
            at += 2


def _code(obj: Object, data: bytes, at: int, end: int) -> None:
    obj.code = data[at:end]
    base = at
    count, at = read_leb(data, at)
    for _ in range(count):
        size, at = read_leb(data, at)
        obj.bodies.append((at - base, at - base + size))
        at += size


def _data(data: bytes, at: int) -> list[tuple[bytes, int]]:
    base = at
    count, at = read_leb(data, at)
    found = []
    for _ in range(count):
        flags, at = read_leb(data, at)
        if flags != 0:
            raise CompileError(f"a data segment has flags {flags}: a defect of sclbl")
        if data[at] != 0x41:
            raise CompileError("a data segment has no constant address: a defect of sclbl")
        _, at = read_sleb(data, at + 1)
        at += 1
        size, at = read_leb(data, at)
        found.append((data[at : at + size], at - base))
        at += size
    return found


def _linking(obj: Object, data: bytes, at: int, end: int) -> list[tuple[str, int]]:
    version, at = read_leb(data, at)
    if version != 2:
        raise CompileError(f"LLVM wrote linking metadata version {version}; sclbl reads 2")
    infos: list[tuple[str, int]] = []
    while at < end:
        kind = data[at]
        size, at = read_leb(data, at + 1)
        after = at + size
        if kind == 5:
            count, at = read_leb(data, at)
            for _ in range(count):
                name, at = _name(data, at)
                power, at = read_leb(data, at)
                _, at = read_leb(data, at)
                infos.append((name, power))
        elif kind == 8:
            count, at = read_leb(data, at)
            for _ in range(count):
                at = _symbol(obj, data, at)
        at = after
    return infos


def _symbol(obj: Object, data: bytes, at: int) -> int:
    kind = data[at]
    flags, at = read_leb(data, at + 1)
    defined = not flags & UNDEFINED
    if kind == DATA:
        name, at = _name(data, at)
        index = -1
        offset = 0
        if defined:
            index, at = read_leb(data, at)
            offset, at = read_leb(data, at)
            _, at = read_leb(data, at)
        obj.symbols.append(Symbol(kind, name, defined, index, offset))
        return at
    index, at = read_leb(data, at)
    name = ""
    if kind != SECTION and (defined or flags & EXPLICIT_NAME):
        name, at = _name(data, at)
    if kind == FUNCTION and not defined:
        name, index = obj.imported[index], -1
    elif kind == FUNCTION:
        index -= len(obj.imported)
    obj.symbols.append(Symbol(kind, name, defined, index))
    return at


def _relocations(data: bytes, at: int) -> list[Relocation]:
    count, at = read_leb(data, at)
    found = []
    for _ in range(count):
        kind = data[at]
        offset, at = read_leb(data, at + 1)
        symbol, at = read_leb(data, at)
        addend = 0
        if kind in (3, 4, 5, 8, 9):
            addend, at = read_sleb(data, at)
        found.append(Relocation(kind, offset, symbol, addend))
    return found
