"""Operators that take the last axes of each row to one number."""

from __future__ import annotations

import math
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
    Typed,
    Types,
    axis_of_row,
    fail,
    has_attrs,
    has_inputs,
    kernel_name,
    no_more,
    same_type,
    tensor,
    whole_axes,
)
from sclbl.spec import Node


def _rows_of(e: Emitter, x: str, axes: int) -> tuple[str, str]:
    """Return how many rows the last axes of a tile's rows make, and how many elements each has."""
    n = math.prod(e.shape(x)[-axes:])
    return e.cells(e.width(x) // n), f"i32 {n}"


def _call(e: Emitter, node: Node, axes: int) -> None:
    x = node.inputs[0]
    kernel = f"reduce_{kernel_name(node.op).removeprefix('reduce_')}_{e.suffix(x)}"
    many, n = _rows_of(e, x, axes)
    e.call(kernel, e.output(node), e.pointer(x), many, n)


def _last_axes(node: Node, x: Operand, axes: Sequence[int]) -> int:
    """Return how many axes are reduced, which are the last ones."""
    rank = len(x.shape)
    if not axes or list(axes) != list(range(rank - len(axes) + 1, rank + 1)):
        raise fail(node, f"works along axes {list(axes)}; it takes the last of {rank}")
    return len(axes)


def reduction(
    name: str, function: Callable[[Array], Any], types: Types, *, exact: bool = False
) -> Op:
    """Return an operator that takes the last axes of each row to one number.

    `function` takes ``[rows, n]`` and returns ``[rows]``. Its kernels stand in
    ``kernels/reduce.c``.
    """

    def infer(node: Node, xs: Sequence[Operand]) -> Typed:
        has_inputs(node, xs, 2)
        keep = node.attrs.get("keepdims")
        has_attrs(node, keepdims=keep)
        x, axes = tensor(node, xs[0], types), xs[1].constant
        if axes is None or axes.dtype != np.int64 or axes.ndim != 1 or keep not in (0, 1):
            raise fail(node, "takes constant axes, and keepdims of 0 or 1")
        count = _last_axes(node, x, axes.tolist())
        kept = (1,) * count if keep else ()
        return [(same_type(node, [x], types), (*x.shape[:-count], *kept))]

    def define(attrs: Attrs, x: Array, axes: Array) -> Array:
        outer = x.shape[: -len(axes)]
        found = np.asarray(function(x.reshape(math.prod(outer), -1)))
        return found.reshape(*outer, *((1,) * len(axes) if attrs["keepdims"] else ()))

    def lower(e: Emitter, node: Node) -> None:
        _call(e, node, len(np.asarray(e.constant(node.inputs[1]))))

    return Op(name, infer, define, lower, types, read=_read(name), exact=exact, form="reduction")


def _read(name: str) -> Read:
    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        axes = attrs.pop("axes", None)
        if len(inputs) > 1:
            axes = tuple(r.array(inputs, 1, name).ravel().tolist())
        keep = attrs.pop("keepdims", 1)
        attrs.pop("noop_with_empty_axes", None)
        no_more(name, attrs)
        count = len(r.shape(inputs[0], name)) + 1
        found = whole_axes(name, axes or (), count)
        if not found or 0 in found:
            raise SpecError(
                f"operator {name} reduces axes {axes} of rows with axes 1 to {count - 1}; the rows "
                "themselves, axis 0, stay apart"
            )
        r.node(name, [inputs[0], r.constant(found, np.int64)], out, keepdims=keep)

    return read


def sum_in_order(x: Array) -> Array:
    """Return the sum of each row from left to right.

    numpy.sum of a row would keep eight sums from eight numbers on.
    """
    total: Array = np.cumsum(x, axis=1, dtype=x.dtype)[:, -1]
    return total


#: As ONNX has them.
_NUMBERS = NUMBERS | {"int32", "uint32", "uint64"}

ReduceSum = reduction("ReduceSum", sum_in_order, _NUMBERS)
ReduceL1 = reduction("ReduceL1", lambda x: sum_in_order(np.abs(x)), _NUMBERS)
ReduceL2 = reduction("ReduceL2", lambda x: np.sqrt(sum_in_order(x * x)), FLOATS)
ReduceSumSquare = reduction("ReduceSumSquare", lambda x: sum_in_order(x * x), _NUMBERS)
ReduceMax = reduction("ReduceMax", lambda x: x.max(axis=1), _NUMBERS, exact=True)
ReduceMin = reduction("ReduceMin", lambda x: x.min(axis=1), _NUMBERS, exact=True)


def _argmax_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, axis = tensor(node, xs[0], _NUMBERS), node.attrs.get("axis")
    has_attrs(node, axis=axis, keepdims=1, select_last_index=0)
    _last_axes(node, x, [axis] if isinstance(axis, int) else [])
    return [("int64", (*x.shape[:-1], 1))]


def _argmax_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    if attrs.pop("select_last_index", 0):
        raise SpecError("operator ArgMax takes the last of equals, which is not supported")
    keep = attrs.pop("keepdims", 1)
    axis = axis_of_row(r, inputs[0], "ArgMax", attrs, 0)
    found = out if keep else f"{out}_kept"
    r.node("ArgMax", inputs, found, axis=axis, keepdims=1, select_last_index=0)
    if not keep:
        shape = [d for i, d in enumerate(r.shape(found, "ArgMax"), start=1) if i != axis]
        r.node("Reshape", [found, r.constant([0, *shape], np.int64)], out)


ArgMax = Op(
    "ArgMax",
    _argmax_infer,
    lambda attrs, x: x.argmax(axis=-1)[..., None].astype(np.int64),
    lambda e, node: _call(e, node, 1),
    _NUMBERS,
    read=_argmax_read,
    exact=True,
)
