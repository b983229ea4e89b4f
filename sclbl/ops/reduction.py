"""Operators that take axes of each row to one number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops import strides
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
    Rewritten,
    Shape,
    Typed,
    Types,
    axes_of_row,
    axis_of_row,
    fail,
    has_attrs,
    has_inputs,
    kernel_name,
    no_more,
    rank_of,
    reshaped,
    same_type,
    tensor,
)
from sclbl.spec import Node


def _call(e: Emitter, node: Node, axes: Sequence[int]) -> None:
    """Call a kernel that takes the last axes to one number; others are copied there first."""
    x = node.inputs[0]
    shape, item = e.shape(x), e.item(x)
    n = math.prod(shape[axis - 1] for axis in axes)
    order = [axis for axis in range(len(shape)) if axis + 1 not in axes]
    order += [axis - 1 for axis in axes]
    source = e.pointer(x)
    if [axis for axis in order if shape[axis] > 1] != [
        axis for axis, length in enumerate(shape) if length > 1
    ]:
        moved = e.scratch(e.width(x) * item)
        sizes = (f"i32 {k}" for k in (e.width(x), 0, *strides.permuted(shape, order)))
        e.call(f"transpose_b{item}", moved, source, "i32 %m", *sizes)
        source = moved
    kernel = f"reduce_{kernel_name(node.op).removeprefix('reduce_')}_{e.suffix(x)}"
    e.call(kernel, e.output(node), source, e.cells(e.width(x) // n), f"i32 {n}")


def _axes(node: Node, x: Operand, axes: Sequence[int]) -> list[int]:
    """Return axes of a row that are reduced, in order."""
    rank, found = len(x.shape), list(axes)
    if found != sorted(set(found)) or not found or not 1 <= found[0] <= found[-1] <= rank:
        raise fail(node, f"works along axes {found}; its rows have axes 1 to {rank}, in order")
    return found


def reduction(
    name: str, function: Callable[[Array], Any], types: Types, *, exact: bool = False
) -> Op:
    """Return an operator that takes axes of each row to one number.

    `function` takes ``[rows, n]`` and returns ``[rows]``; the n elements are in C order, whichever
    axes they lie along. Its kernels stand in ``kernels/reduce.c``.
    """

    def infer(node: Node, xs: Sequence[Operand]) -> Typed:
        has_inputs(node, xs, 2)
        keep = node.attrs.get("keepdims")
        has_attrs(node, keepdims=keep)
        x, axes = tensor(node, xs[0], types), xs[1].constant
        if axes is None or axes.dtype != np.int64 or axes.ndim != 1 or keep not in (0, 1):
            raise fail(node, "takes constant axes, and keepdims of 0 or 1")
        gone = _axes(node, x, axes.tolist())
        shape = _reduced(x.shape, [axis - 1 for axis in gone], keep)
        return [(same_type(node, [x], types), shape)]

    def define(attrs: Attrs, x: Array, axes: Array) -> Array:
        gone = axes.tolist()
        moved = np.moveaxis(x, gone, range(x.ndim - len(gone), x.ndim))
        n = math.prod(x.shape[axis] for axis in gone)
        found = np.asarray(function(moved.reshape(math.prod(moved.shape[: -len(gone)]), n)))
        return found.reshape(_reduced(x.shape, gone, attrs["keepdims"]))

    def lower(e: Emitter, node: Node) -> None:
        _call(e, node, np.asarray(e.constant(node.inputs[1])).tolist())

    return Op(name, infer, define, lower, types, read=_read(name), exact=exact, form="reduction")


def _reduced(shape: Shape, gone: Sequence[int], keep: int) -> Shape:
    """Return a shape without some of its axes, or with length one for them."""
    kept = ((1 if axis in gone else length, axis) for axis, length in enumerate(shape))
    return tuple(length for length, axis in kept if keep or axis not in gone)


def _read(name: str) -> Read:
    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        axes = attrs.pop("axes", None)
        if len(inputs) > 1:
            axes = tuple(r.array(inputs, 1, name).ravel().tolist())
        keep = attrs.pop("keepdims", 1)
        empty = attrs.pop("noop_with_empty_axes", 0)
        no_more(name, attrs)
        count = rank_of(r, inputs[0], name)
        found = axes_of_row(r, name, axes or range(count), count) if axes or not empty else []
        if found:
            r.node(name, [inputs[0], r.constant(found, np.int64)], out, keepdims=keep)
            return
        # Each number is reduced by itself: along an axis of its own.
        shape = r.shape(inputs[0], name)
        alone = reshaped(r, inputs[0], [*shape, 1], f"{out}_alone")
        r.node(name, [alone, r.constant([len(shape) + 1], np.int64)], out, keepdims=0)

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


def _mean_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    """The sum, in order, divided by how many there are."""
    total = f"{out}_sum"
    _read("ReduceSum")(r, inputs, total, attrs)
    whole, left = r.shape(inputs[0], "ReduceMean"), r.shape(total, "ReduceMean")
    count = r.constant(math.prod(whole) // math.prod(left), r.dtype(total))
    r.node("Div", [total, count], out)


ReduceMean = Rewritten("ReduceMean", _mean_read)
ReduceMax = reduction("ReduceMax", lambda x: x.max(axis=1), _NUMBERS, exact=True)
ReduceMin = reduction("ReduceMin", lambda x: x.min(axis=1), _NUMBERS, exact=True)


def _argmax_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, axis = tensor(node, xs[0], _NUMBERS), node.attrs.get("axis")
    has_attrs(node, axis=axis, keepdims=1, select_last_index=0)
    if axis != len(x.shape):
        raise fail(node, f"works along axis {axis}; it takes the last, {len(x.shape)}")
    return [("int64", (*x.shape[:-1], 1))]


def _argmax_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    if attrs.pop("select_last_index", 0):
        raise SpecError("operator ArgMax takes the last of equals, which is not supported")
    keep = attrs.pop("keepdims", 1)
    axis = axis_of_row(r, inputs[0], "ArgMax", attrs, 0)
    shape, source = r.shape(inputs[0], "ArgMax"), inputs[0]
    if axis < len(shape):  # it becomes the last one
        order = [a for a in range(len(shape) + 1) if a != axis]
        source = f"{out}_moved"
        r.node("Transpose", inputs, source, perm=(*order, axis))
    found = f"{out}_found"
    r.node("ArgMax", [source], found, axis=len(shape), keepdims=1, select_last_index=0)
    reshaped(r, found, _reduced(shape, [axis - 1], keep), out)


ArgMax = Op(
    "ArgMax",
    _argmax_infer,
    lambda attrs, x: x.argmax(axis=-1)[..., None].astype(np.int64),
    lambda e, node: _call(e, node, [node.attrs["axis"]]),
    _NUMBERS,
    read=_argmax_read,
    exact=True,
)
