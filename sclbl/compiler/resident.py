"""Kernels that stand in every program as they are: objects, made when the package is built.

What checks a call, runs its loop and refuses rows gains nothing by being specialised, and took LLVM
almost half of its time. A program gets the functions that it reaches, and what they read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sclbl.compiler.calls import Call
from sclbl.compiler.object import DATA, FUNCTION, Object, Relocation, Symbol, parse
from sclbl.errors import CompileError
from sclbl.kernels import build
from sclbl.kernels.build import RESIDENT

#: How LLVM's types look in WebAssembly: pointers are numbers.
_WASM = {"void": b"", "ptr": b"\x7f", "i32": b"\x7f", "i64": b"\x7e", "float": b"\x7d"}
_WASM |= {"double": b"\x7c"}
_TYPE_INDEX = 6


@dataclass(frozen=True)
class _Resident:
    """A file's object, its functions by name, and the relocations of each body."""

    obj: Object
    places: Mapping[str, int]
    inside: Sequence[Sequence[Relocation]]


@lru_cache(maxsize=32)
def _parsed(code: bytes) -> _Resident:
    obj = parse(code)
    places = {s.name: s.index for s in obj.symbols if s.kind == FUNCTION and s.defined}
    inside = [
        [r for r in obj.code_relocations if start <= r.offset < end] for start, end in obj.bodies
    ]
    return _Resident(obj, places, inside)


def _residents(more: Collection[str] = ()) -> dict[str, _Resident]:
    made = build.kernels(sorted(RESIDENT.union(more)))
    return {stem: _parsed(code) for stem, code in made.items()}


def check_resident(calls: Mapping[Call, str]) -> None:
    """Hold calls of resident kernels to the types that they have.

    Raises
    ------
    CompileError
        Where a kernel does not exist, or takes or returns something else.
    """
    residents = _residents()
    for call, caller in calls.items():
        # What generated code defines for them to call is not theirs.
        if call.stem not in RESIDENT or call.kernel == "program_tile":
            continue
        kernels = residents[call.stem]
        if call.kernel not in kernels.places:
            raise CompileError(
                f"{caller} calls the kernel {call.kernel}, which {call.stem}.c does not define: "
                "a defect of sclbl"
            )
        found = kernels.obj.types[kernels.obj.functions[kernels.places[call.kernel]]]
        result = _WASM[call.result]
        takes = b"".join(_WASM[t] for t in call.types)
        if found != bytes([0x60, len(takes)]) + takes + bytes([len(result)]) + result:
            raise CompileError(
                f"{caller} calls the kernel {call.kernel} as {call}, but {call.stem}.c defines it "
                "otherwise: a defect of sclbl"
            )


@dataclass
class _Merger:
    """One object that takes in parts of others."""

    into: Object
    residents: Mapping[str, _Resident]
    code: bytearray = field(init=False)
    #: Where functions and segments of the others stand, by their file and their own number.
    functions: dict[tuple[str, int], int] = field(default_factory=dict)
    segments: dict[tuple[str, int], int] = field(default_factory=dict)
    waiting: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.code = bytearray(self.into.code)
        self.own = {s.name: s.index for s in self.into.symbols if s.kind == FUNCTION and s.defined}

    def named(self, name: str) -> int:
        """Return the number of the function of a name, taken in where it must be."""
        if name in self.own:
            return self.own[name]
        for stem, kernels in self.residents.items():
            if name in kernels.places:
                self.own[name] = self.function(stem, kernels.places[name])
                return self.own[name]
        raise CompileError(f"the kernel {name} is not defined: a defect of sclbl")

    def function(self, stem: str, index: int) -> int:
        key = (stem, index)
        if key not in self.functions:
            # Numbers are given when bodies are asked for: those bodies follow in this order.
            self.functions[key] = len(self.into.functions) + len(self.waiting)
            self.waiting.append(key)
        return self.functions[key]

    def take(self) -> None:
        """Take in what waits, and what that calls and reads."""
        while self.waiting:
            stem, index = self.waiting.pop(0)
            # It is numbered as the next one, whatever it makes wait.
            self._body(stem, index)

    def _body(self, stem: str, index: int) -> None:
        obj, into = self.residents[stem].obj, self.into
        start, end = obj.bodies[index]
        into.functions.append(self._type(obj, obj.functions[index]))
        at = len(self.code)
        self.code += obj.code[start:end]
        into.bodies.append((at, len(self.code)))
        for relocation in self.residents[stem].inside[index]:
            moved = replace(relocation, offset=relocation.offset - start + at)
            into.code_relocations.append(self._symbol(stem, obj, moved))

    def _type(self, obj: Object, index: int) -> int:
        found = obj.types[index]
        if found not in self.into.types:
            self.into.types.append(found)
        return self.into.types.index(found)

    def _symbol(self, stem: str, obj: Object, relocation: Relocation) -> Relocation:
        """Return a relocation that means the same in the object made here."""
        if relocation.type == _TYPE_INDEX:
            return replace(relocation, symbol=self._type(obj, relocation.symbol))
        symbol = obj.symbols[relocation.symbol]
        if symbol.kind == FUNCTION:
            index = self.function(stem, symbol.index) if symbol.defined else self.named(symbol.name)
            symbol = Symbol(FUNCTION, f"{stem}:{symbol.name}", True, index)
        elif symbol.kind == DATA and symbol.defined:
            symbol = replace(
                symbol, name=f"{stem}:{symbol.name}", index=self._segment(stem, obj, symbol.index)
            )
        self.into.symbols.append(symbol)
        return replace(relocation, symbol=len(self.into.symbols) - 1)

    def _segment(self, stem: str, obj: Object, index: int) -> int:
        key = (stem, index)
        if key not in self.segments:
            segment = obj.segments[index]
            ends = segment.start + len(segment.content)
            if any(segment.start <= r.offset < ends for r in obj.data_relocations):
                raise CompileError(f"data of {stem}.c holds an address: a defect of sclbl")
            self.segments[key] = len(self.into.segments)
            # Places in its own file are of no use here: nothing in it is patched.
            self.into.segments.append(replace(segment, start=1 << 62))
        return self.segments[key]


def complete(
    obj: Object, exports: Collection[str], more: Collection[str] = (), hosts: Sequence[str] = ()
) -> Object:
    """Give an object the resident kernels that it calls, and those that are exported.

    Parameters
    ----------
    obj : Object
        What LLVM made of generated code; it is changed.
    exports : collection of str
        Functions that have to be there.
    more : collection of str
        Further files of resident kernels.
    hosts : sequence of str
        Functions that the host gives: they are numbered -1, -2, ….

    Returns
    -------
    Object
        The object, in which every function is defined.

    Raises
    ------
    CompileError
        Where a function is defined nowhere: a defect of sclbl.
    """
    merger = _Merger(obj, _residents(more))
    merger.own.update({name: -1 - k for k, name in enumerate(hosts)})
    for name in exports:
        merger.named(name)
    for at, symbol in enumerate(obj.symbols):
        if symbol.kind == FUNCTION and not symbol.defined:
            obj.symbols[at] = replace(symbol, index=merger.named(symbol.name), defined=True)
    merger.take()
    obj.code = bytes(merger.code)
    known = {s.name for s in obj.symbols if s.kind == FUNCTION and s.defined}
    obj.symbols += [
        Symbol(FUNCTION, name, True, index)
        for name, index in merger.own.items()
        if name not in known
    ]
    return obj
