"""Lower the checks by which a program refuses what its model refuses."""

from __future__ import annotations

import numpy as np

from sclbl.compiler.emit import Emitter
from sclbl.signature import MISSING
from sclbl.spec import Node


def _columns(e: Emitter, node: Node) -> str:
    columns = node.attrs["columns"]
    if tuple(columns) == tuple(range(len(columns))):
        return "ptr null"
    return e.weight(np.array(columns, dtype=np.int32), 4)


def refuse(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    e.alias(node)
    e.refuse(
        f"refuse_{e.suffix(x)}",
        e.pointer(x),
        _columns(e, node),
        "i32 %m",
        "i32 %row",
        f"i32 {e.width(x)}",
        f"i32 {int(node.attrs['nan'])}",
        f"i32 {int(node.attrs['inf'])}",
    )


def unknown(e: Emitter, node: Node) -> None:
    _check(e, node, "refuse_unknown")


def missing_text(e: Emitter, node: Node) -> None:
    _check(e, node, "refuse_missing_text", *(f"i32 {int(node.attrs[k])}" for k in MISSING))


def _check(e: Emitter, node: Node, kernel: str, *flags: str) -> None:
    x = node.inputs[0]
    e.alias(node)
    width = f"i32 {e.width(x)}"
    e.refuse(kernel, e.pointer(x), _columns(e, node), "i32 %m", "i32 %row", width, *flags)
