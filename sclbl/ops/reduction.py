"""Operators that take each row to one number, and functions of whole rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops.record import (
    FLOATS,
    NUMBERS,
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Read,
    Reading,
    Types,
    along_columns,
    fail,
    has_attrs,
    has_inputs,
    kernel_name,
    no_more,
    same_type,
    tensor,
)
from sclbl.signature import DType
from sclbl.spec import Node


def _lower(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    kernel = f"reduce_{kernel_name(node.op).removeprefix('reduce_')}_{e.suffix(x)}"
    e.call(kernel, e.output(node), e.pointer(x), "i32 %m", f"i32 {e.width(x)}")


def reduction(
    name: str, function: Callable[[Array], Any], types: Types, *, exact: bool = False
) -> Op:
    """Return an operator that takes each row to one number.

    `function` takes ``[rows, width]`` and returns ``[rows]``. Its kernels stand in
    ``kernels/reduce.c``.
    """

    def infer(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
        has_inputs(node, xs, 2)
        has_attrs(node, keepdims=1)
        x, axes = tensor(node, xs[0], types), xs[1].constant
        if axes is None or axes.dtype != np.int64 or axes.tolist() != [1]:
            raise fail(node, "reduces along axis 1 only")
        return same_type(node, [x], types), 1

    def define(attrs: Attrs, x: Array, axes: Array) -> Array:
        return np.asarray(function(x))[:, None]

    return Op(name, infer, define, _lower, types, read=_read(name), exact=exact, form="reduction")


def _read(name: str) -> Read:
    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        axes = attrs.pop("axes", None)
        if len(inputs) > 1:
            axes = tuple(r.array(inputs, 1, name).ravel().tolist())
        if axes not in ((1,), (-1,)) or attrs.pop("keepdims", 1) != 1:
            raise SpecError(f"operator {name} must reduce along axis 1 and keep it")
        no_more(name, attrs)
        r.node(name, [inputs[0], r.constant([1], np.int64)], out, keepdims=1)

    return read


def sum_in_order(x: Array) -> Array:
    """Return the sum of each row from left to right.

    numpy.sum of a row would keep eight sums from eight numbers on.
    """
    total: Array = np.cumsum(x, axis=1)[:, -1]
    return total


ReduceSum = reduction("ReduceSum", sum_in_order, NUMBERS)
ReduceL1 = reduction("ReduceL1", lambda x: sum_in_order(np.abs(x)), NUMBERS)
ReduceL2 = reduction("ReduceL2", lambda x: np.sqrt(sum_in_order(x * x)), FLOATS)
ReduceSumSquare = reduction("ReduceSumSquare", lambda x: sum_in_order(x * x), NUMBERS)
ReduceMax = reduction("ReduceMax", lambda x: x.max(axis=1), NUMBERS, exact=True)
ReduceMin = reduction("ReduceMin", lambda x: x.min(axis=1), NUMBERS, exact=True)


def _argmax_infer(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    has_inputs(node, xs, 1)
    has_attrs(node, axis=1, keepdims=1, select_last_index=0)
    tensor(node, xs[0], NUMBERS)
    return "int64", 1


def _argmax_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    along_columns("ArgMax", attrs, 0)
    if attrs.pop("select_last_index", 0):
        raise SpecError("operator ArgMax takes the last of equals, which is not supported")
    if not attrs.pop("keepdims", 1):
        r.flatten(out)
    r.node("ArgMax", inputs, out, axis=1, keepdims=1, select_last_index=0)


ArgMax = Op(
    "ArgMax",
    _argmax_infer,
    lambda attrs, x: x.argmax(axis=1)[:, None].astype(np.int64),
    _lower,
    NUMBERS,
    read=_argmax_read,
    exact=True,
)


def _softmax_infer(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    has_inputs(node, xs, 1)
    has_attrs(node, axis=1)
    return same_type(node, [tensor(node, xs[0])], FLOATS), xs[0].width


def _softmax(attrs: Attrs, x: Array) -> Array:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(e / sum_in_order(e)[:, None])


def _softmax_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    along_columns("Softmax", attrs, -1)
    r.node("Softmax", inputs, out, axis=1)


Softmax = Op("Softmax", _softmax_infer, _softmax, _lower, FLOATS, read=_softmax_read)
