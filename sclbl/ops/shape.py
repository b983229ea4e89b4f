"""Operators that move columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops.record import (
    PLAIN,
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Reading,
    Rewritten,
    along_columns,
    fail,
    has_attrs,
    has_inputs,
    same_type,
    tensor,
)
from sclbl.signature import DType
from sclbl.spec import Node


def _gather_infer(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    has_inputs(node, xs, 2)
    has_attrs(node, axis=1)
    x, indices = tensor(node, xs[0], PLAIN), xs[1].constant
    if indices is None or indices.ndim != 1 or indices.dtype != np.int64 or not len(indices):
        raise fail(node, "takes constant int64 column numbers")
    if indices.min() < 0 or indices.max() >= x.width:
        raise fail(node, f"takes column {indices.max()} of a tensor of {x.width}")
    return same_type(node, [x], PLAIN), len(indices)


def _gather(attrs: Attrs, x: Array, indices: Array) -> Array:
    return x[:, indices]


def _gather_lower(e: Emitter, node: Node) -> None:
    x, indices = node.inputs
    index = np.asarray(e.constant(indices), dtype=np.int32)
    e.call(
        f"shape_gather_b{e.item(x)}",
        e.output(node),
        e.pointer(x),
        e.weight(index, 4),
        "i32 %m",
        f"i32 {len(index)}",
        f"i32 {e.width(x)}",
    )


def _gather_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    along_columns("Gather", attrs, 0)
    indices = r.array(inputs, 1, "Gather").astype(np.int64)
    r.node("Gather", [inputs[0], r.constant(indices, np.int64)], out, axis=1)


Gather = Op(
    "Gather",
    _gather_infer,
    _gather,
    _gather_lower,
    PLAIN,
    read=_gather_read,
    exact=True,
    role="chooses",
)


def _concat_infer(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    has_attrs(node, axis=1)
    if not xs:
        raise fail(node, "has no inputs")
    tensors = [tensor(node, x, PLAIN) for x in xs]
    return same_type(node, tensors, PLAIN), sum(x.width for x in xs)


def _concat(attrs: Attrs, *xs: Array) -> Array:
    return np.concatenate(xs, axis=1)


def _concat_lower(e: Emitter, node: Node) -> None:
    total = e.width(node.outputs[0])
    out = e.output(node)
    at = 0
    for x in node.inputs:
        width = e.width(x)
        e.call(
            f"shape_place_b{e.item(x)}",
            out,
            e.pointer(x),
            "i32 %m",
            f"i32 {width}",
            f"i32 {total}",
            f"i32 {at}",
        )
        at += width


def _concat_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    along_columns("Concat", attrs, 0)
    r.node("Concat", inputs, out, axis=1)


Concat = Op(
    "Concat",
    _concat_infer,
    _concat,
    _concat_lower,
    PLAIN,
    read=_concat_read,
    exact=True,
    role="joins",
)

#: The attributes in which a file's Constant may hold its value, with the type that each has.
_CONSTANTS: dict[str, Any] = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
    "value": None,
}


def _constant_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    name, value = attrs.popitem() if len(attrs) == 1 else ("", None)
    if name not in _CONSTANTS:
        raise SpecError("operator Constant holds what is not supported")
    r.keep(out, np.asarray(value, dtype=_CONSTANTS[name]))


Constant = Rewritten("Constant", _constant_read)
