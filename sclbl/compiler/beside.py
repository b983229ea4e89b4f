"""Generated code for inputs beside the table and for ragged results; see kernels/beside.c."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sclbl.signature import Input

if TYPE_CHECKING:
    from sclbl.compiler.emit import Emitter

#: A kernel that returns a code, and what it is called with.
Check = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Fetch:
    """The call that fetches an input for a tile."""

    kernel: str
    arguments: tuple[str, ...]
    result: str = "i32"


def position(e: Emitter, name: str) -> int:
    """Return where an input's record is among those of a call."""
    names = [i.name for i in e.signature.inputs]
    return bool(e.signature.columns) + names.index(name)


def place(e: Emitter) -> None:
    """Reserve memory for a tile of each input that the graph reads."""
    read = {v.name for v in e.graph.inputs}
    for given in e.signature.inputs:
        if given.name in read:
            e.fetch(given.name, *_fetched(e, given))


def _fetched(e: Emitter, given: Input) -> tuple[str, Fetch]:
    """Return the address of an input's tile, and the call that puts it there."""
    record, item = e.given_input(position(e, given.name)), e.item(given.name)
    tile = (record, "i32 %m", "i32 %row")
    if given.kind == "tensor":
        size = given.width * item
        at = e.scratch(size)
        return at, Fetch("beside_tensor", (at, *tile, f"i32 {size}"), "void")
    if given.kind == "parameter":
        at = e.scratch(item)
        usual = e.weight(np.array([given.default], dtype=given.dtype))
        kernel = f"beside_parameter_{e.suffix(given.name)}"
        return at, Fetch(kernel, (at, record, "i32 %m", usual))
    at = e.reserve(12, 4)
    size_of = f"i32 {item}"
    if given.kind == "sparse":
        return at, Fetch("beside_sparse", (at, *tile, size_of, f"i32 {given.width}"))
    if given.kind == "list" and given.dtype != "text":
        return at, Fetch("beside_list", (at, *tile, size_of))
    size_of = "i32 0" if given.dtype == "text" else size_of
    return at, Fetch("beside_texts", (at, *tile, size_of, e.growing(), e.growing()))


def checks(e: Emitter) -> list[Check]:
    """Return the checks of a call: blocks whose size the number of rows tells."""
    found: list[Check] = []
    for given in e.signature.inputs:
        record = e.given_input(position(e, given.name))
        if given.kind == "tensor":
            size = given.width * np.dtype(given.dtype).itemsize
            found.append(("abi_block", ("i32 %rows", record, f"i32 {size}")))
    return found


def before(e: Emitter, method: str) -> list[str]:
    """Return the code before the first tile: blocks that grow begin anew."""
    opened = []
    for k, (name, output) in enumerate(e.signature.results(method)):
        if output.ragged is not None:
            block = e.grows(method, name)
            opened += e.stop_on_error(f"open{k}", e.use("beside_open", (block,), "i32"))
    if not e.growing_count:
        return []
    begin = e.use("abi_begin", ("ptr @growing", f"i32 {e.growing_count}"), "void")
    return [f"  {begin}", *opened]


def append(e: Emitter, method: str, name: str) -> str:
    """Return the call that puts a tile of a ragged result behind those before."""
    value = e.graph.values[name]
    key = 4 if value.ragged == "sparse" else 0
    arguments = (e.grows(method, name), e.pointer(name), "i32 %m", f"i32 {key}")
    return e.use(f"beside_append_{e.suffix(name)}", arguments, "i32")


def after(e: Emitter, method: str) -> list[str]:
    """Return the code after the last tile: where ragged results lie."""
    lines = []
    for k, (name, output) in enumerate(e.signature.results(method)):
        if output.ragged is not None:
            arguments = (e.given_output(k), e.grows(method, name))
            lines.append(f"  {e.use('beside_close', arguments, 'void')}")
    return lines
