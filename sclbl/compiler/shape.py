"""Lower operators that move columns."""

from __future__ import annotations

import numpy as np

from sclbl.compiler.emit import ITEM, Emitter
from sclbl.errors import SpecError
from sclbl.spec import Node


def identity(e: Emitter, node: Node) -> None:
    e.alias(node)


def gather(e: Emitter, node: Node) -> None:
    x, indices = node.inputs
    index = np.asarray(e.graph.constants[indices], dtype=np.int32).ravel()
    if len(index) and (index.min() < 0 or index.max() >= e.width(x)):
        raise SpecError(
            f"Gather takes columns {index.min()} to {index.max()} of a tensor of {e.width(x)}; "
            "correct the indices in the graph"
        )
    e.call(
        f"shape_gather_b{_item(e, x)}",
        e.output(node),
        e.pointer(x),
        e.weight(index, 4),
        "i32 %m",
        f"i32 {len(index)}",
        f"i32 {e.width(x)}",
    )


def concat(e: Emitter, node: Node) -> None:
    total = e.width(node.outputs[0])
    out = e.output(node)
    at = 0
    for x in node.inputs:
        width = e.width(x)
        e.call(
            f"shape_place_b{_item(e, x)}",
            out,
            e.pointer(x),
            "i32 %m",
            f"i32 {width}",
            f"i32 {total}",
            f"i32 {at}",
        )
        at += width


def _item(e: Emitter, name: str) -> int:
    return ITEM[e.dtype(name)]
