"""Operators that move columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops import strides
from sclbl.ops.record import (
    PLAIN,
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Reading,
    Rewritten,
    Shape,
    Typed,
    axis_of_row,
    fail,
    has_attrs,
    has_inputs,
    no_more,
    rank_of,
    reshaped,
    same_type,
    tensor,
    whole_axes,
)
from sclbl.shapes import MAX_AXES, elements
from sclbl.spec import Node


def _axis(node: Node, x: Operand) -> int:
    """Return the attribute ``axis``, an axis of a row: the rows themselves are axis 0."""
    axis = node.attrs.get("axis")
    has_attrs(node, axis=axis)
    if not isinstance(axis, int) or not 1 <= axis <= len(x.shape):
        raise fail(node, f"works along axis {axis}; its rows have axes 1 to {len(x.shape)}")
    return axis


def _gather_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    x, indices = tensor(node, xs[0], PLAIN), xs[1].constant
    axis = _axis(node, x)
    if indices is None or indices.ndim != 1 or indices.dtype != np.int64 or not len(indices):
        raise fail(node, "takes constant int64 column numbers")
    have = x.shape[axis - 1]
    if indices.min() < 0 or indices.max() >= have:
        raise fail(node, f"takes column {indices.max()} of a tensor of {have}")
    shape = (*x.shape[: axis - 1], len(indices), *x.shape[axis:])
    return [(same_type(node, [x], PLAIN), shape)]


def _gather(attrs: Attrs, x: Array, indices: Array) -> Array:
    return np.take(x, indices, axis=attrs["axis"])


def _gather_lower(e: Emitter, node: Node) -> None:
    x, indices = node.inputs
    shape, axis = e.shape(x), node.attrs["axis"]
    inner = math.prod(shape[axis:])
    # What lies behind an index goes with it, element by element.
    index = np.asarray(e.constant(indices), dtype=np.int32)[:, None] * inner + np.arange(inner)
    e.call(
        f"shape_gather_b{e.item(x)}",
        e.output(node),
        e.pointer(x),
        e.weight(index.ravel().astype(np.int32), 4),
        e.cells(math.prod(shape[: axis - 1])),
        f"i32 {index.size}",
        f"i32 {shape[axis - 1] * inner}",
    )


def _gather_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    axis = axis_of_row(r, inputs[0], "Gather", attrs, 0)
    indices = r.array(inputs, 1, "Gather").astype(np.int64)
    shape = r.shape(inputs[0], "Gather")
    size = shape[axis - 1]
    indices = np.where(indices < 0, indices + size, indices)
    flat = r.constant(indices.reshape(-1), np.int64)
    if indices.ndim == 1:
        r.node("Gather", [inputs[0], flat], out, axis=axis)
        return
    # Their shape takes the place of the axis.
    r.node("Gather", [inputs[0], flat], f"{out}_taken", axis=axis)
    reshaped(r, f"{out}_taken", [*shape[: axis - 1], *indices.shape, *shape[axis:]], out)


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


def _concat_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    if not xs:
        raise fail(node, "has no inputs")
    tensors = [tensor(node, x, PLAIN) for x in xs]
    at = _axis(node, tensors[0]) - 1
    first = tensors[0].shape
    for x in tensors:
        if (x.shape[:at], x.shape[at + 1 :]) != (first[:at], first[at + 1 :]):
            raise fail(node, f"does not join rows of shapes {[x.shape for x in tensors]}")
    total = sum(x.shape[at] for x in tensors)
    return [(same_type(node, tensors, PLAIN), (*first[:at], total, *first[at + 1 :]))]


def _concat(attrs: Attrs, *xs: Array) -> Array:
    return np.concatenate(xs, axis=attrs["axis"])


def _concat_lower(e: Emitter, node: Node) -> None:
    if "rest" in node.attrs:  # the compiler's: a column behind what it leaves of a constant
        x, whole = node.inputs
        e.call(
            f"shape_rest_{e.suffix(x)}", e.output(node), e.pointer(x), e.pointer(whole), "i32 %m"
        )
        return
    axis = node.attrs["axis"]
    shape = e.shape(node.outputs[0])
    outer, total = math.prod(shape[: axis - 1]), math.prod(shape[axis - 1 :])
    out, many = e.output(node), e.cells(outer)
    at = 0
    for x in node.inputs:
        width = e.width(x) // outer
        e.call(
            f"shape_place_b{e.item(x)}",
            out,
            e.pointer(x),
            many,
            f"i32 {width}",
            f"i32 {total}",
            f"i32 {at}",
        )
        at += width


def _concat_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    axis = axis_of_row(r, inputs[0], "Concat", attrs, 0)
    r.node("Concat", inputs, out, axis=axis)


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


def _split_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    x, sizes = tensor(node, xs[0], PLAIN), xs[1].constant
    at = _axis(node, x) - 1
    if sizes is None or sizes.dtype != np.int64 or sizes.ndim != 1:
        raise fail(node, "takes constant int64 sizes")
    if len(sizes) != len(node.outputs) or (sizes < 1).any() or sizes.sum() != x.shape[at]:
        raise fail(
            node, f"splits {x.shape[at]} into {sizes.tolist()} for {len(node.outputs)} outputs"
        )
    dtype = same_type(node, [x], PLAIN)
    return [(dtype, (*x.shape[:at], size, *x.shape[at + 1 :])) for size in sizes.tolist()]


def _split(attrs: Attrs, x: Array, sizes: Array) -> tuple[Array, ...]:
    return tuple(np.split(x, np.cumsum(sizes)[:-1], axis=attrs["axis"]))


def _split_lower(e: Emitter, node: Node) -> None:
    x, axis = node.inputs[0], node.attrs["axis"]
    shape = e.shape(x)
    outer, whole = math.prod(shape[: axis - 1]), math.prod(shape[axis - 1 :])
    many = e.cells(outer)
    at = 0
    for index, name in enumerate(node.outputs):
        width = e.width(name) // outer
        e.call(
            f"shape_part_b{e.item(x)}",
            e.output(node, index),
            e.pointer(x),
            many,
            f"i32 {width}",
            f"i32 {whole}",
            f"i32 {at}",
        )
        at += width


def _split_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    sizes = attrs.pop("split", None)
    if len(inputs) > 1:
        sizes = tuple(r.array(inputs, 1, "Split").ravel().tolist())
    attrs.pop("num_outputs", None)
    axis = axis_of_row(r, inputs[0], "Split", attrs, 0)
    if sizes is None:  # equal parts, the last one smaller
        size, count = r.shape(inputs[0], "Split")[axis - 1], len(r.outputs)
        part = -(-size // count)
        sizes = [part] * (count - 1) + [size - part * (count - 1)]
    r.node("Split", [inputs[0], r.constant(sizes, np.int64)], *r.outputs, axis=axis)


Split = Op("Split", _split_infer, _split, _split_lower, PLAIN, read=_split_read, exact=True)


def _reshape_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    has_attrs(node)
    x, wanted = tensor(node, xs[0], PLAIN), xs[1].constant
    if wanted is None or wanted.ndim != 1 or wanted.dtype != np.int64 or not len(wanted):
        raise fail(node, "takes a constant int64 shape")
    rows, *shape = wanted.tolist()
    if rows != 0 or any(d < 1 for d in shape) or elements(shape) != x.width:
        raise fail(
            node,
            f"makes {wanted.tolist()} of rows of shape {x.shape}; the first number must be 0, "
            "which keeps the rows, and the others those of a row",
        )
    return [(same_type(node, [x], PLAIN), tuple(shape))]


def _reshape(attrs: Attrs, x: Array, shape: Array) -> Array:
    return x.reshape(len(x), *shape[1:].tolist())


def _flat_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    axis = attrs.pop("axis", 1)
    no_more("Flatten", attrs)
    shape = r.shape(inputs[0], "Flatten")
    count = rank_of(r, inputs[0], "Flatten")
    if not isinstance(axis, int) or not -count <= axis <= count:
        raise SpecError(f"operator Flatten has axis {axis} of a tensor of {count} axes")
    at = axis % count if axis < 0 else axis
    if r.lead and at != 1:
        raise SpecError(f"operator Flatten joins rows with axis {axis}; rows are axis 0")
    sizes = [math.prod(shape)] if r.lead else [math.prod(shape[:at]), math.prod(shape[at:])]
    reshaped(r, inputs[0], sizes, out)


Flatten = Rewritten("Flatten", _flat_read)


def _reshape_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    wanted = attrs.pop("shape", None)
    if wanted is None:
        wanted = r.array(inputs, 1, "Reshape").ravel().tolist()
    keep = not attrs.pop("allowzero", 0)
    no_more("Reshape", attrs)
    shape = r.shape(inputs[0], "Reshape")
    first, rest = list(wanted[: r.lead]), list(wanted[r.lead :])
    sizes = [shape[i] if d == 0 and keep and i < len(shape) else d for i, d in enumerate(rest)]
    known = elements([d for d in sizes if d != -1])
    if sizes.count(-1) == 1 and known and math.prod(shape) % known == 0:
        sizes[sizes.index(-1)] = math.prod(shape) // known
    # The rows stay: by 0, by -1, or by the one row of a file whose inputs have one.
    stay = not r.lead or (bool(first) and first[0] in (0, -1, r.rows))
    if not stay or elements(sizes) != elements(shape) or min(sizes, default=1) < 1:
        why = "; the rows, axis 0, must stay as they are" if r.lead else ""
        what = f"rows of shape {list(shape)}" if r.lead else f"a tensor of shape {list(shape)}"
        raise SpecError(f"operator Reshape makes {list(wanted)} of {what}{why}")
    reshaped(r, inputs[0], sizes, out)


#: Rows stay where they are: only their shape is another.
Reshape = Op(
    "Reshape",
    _reshape_infer,
    _reshape,
    lambda e, node: e.alias(node),
    PLAIN,
    read=_reshape_read,
    exact=True,
)


def _squeezed(name: str, change: Callable[[Reading, Shape, list[int]], list[int]]) -> Rewritten:
    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        axes = attrs.pop("axes", None)
        if len(inputs) > 1:
            axes = r.array(inputs, 1, name).ravel().tolist()
        no_more(name, attrs)
        if axes is not None and len(axes) > MAX_AXES:
            raise SpecError(f"operator {name} has {len(axes):,} axes; at most {MAX_AXES} are taken")
        shape = r.shape(inputs[0], name)
        if axes is None:
            if r.lead and r.rows == 1:  # it drops the axis of the rows too
                raise SpecError(f"operator {name} drops the rows, axis 0; give it axes")
            axes = [i + r.lead for i, d in enumerate(shape) if d == 1]
        reshaped(r, inputs[0], change(r, shape, list(axes)), out)

    return Rewritten(name, read)


def _without(r: Reading, shape: Shape, axes: list[int]) -> list[int]:
    gone = [a - r.lead for a in whole_axes("Squeeze", axes, len(shape) + r.lead)]
    if -1 in gone or any(shape[a] != 1 for a in gone):
        raise SpecError(f"operator Squeeze drops axes {axes} of rows of shape {list(shape)}")
    return [d for i, d in enumerate(shape) if i not in gone]


def _with(r: Reading, shape: Shape, axes: list[int]) -> list[int]:
    count = len(shape) + len(axes)
    new = [a - r.lead for a in whole_axes("Unsqueeze", axes, count + r.lead)]
    if -1 in new:
        raise SpecError("operator Unsqueeze puts an axis before the rows, which are axis 0")
    rest = iter(shape)
    return [1 if i in new else next(rest) for i in range(count)]


Squeeze = _squeezed("Squeeze", _without)
Unsqueeze = _squeezed("Unsqueeze", _with)


def _transpose_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, order = tensor(node, xs[0], PLAIN), node.attrs.get("perm")
    has_attrs(node, perm=order)
    axes = list(range(1, len(x.shape) + 1))
    if not isinstance(order, tuple) or order[:1] != (0,) or sorted(order[1:]) != axes:
        raise fail(node, f"moves axes to {order}; the rows, axis 0, stay where they are")
    return [(same_type(node, [x], PLAIN), tuple(x.shape[a - 1] for a in order[1:]))]


def _transpose_lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    pairs = strides.permuted(e.shape(x), [a - 1 for a in node.attrs["perm"][1:]])
    sizes = (f"i32 {n}" for n in (e.width(x), 0, *pairs))
    e.call(f"transpose_b{e.item(x)}", e.output(node), e.pointer(x), "i32 %m", *sizes)


def _transpose_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    count = rank_of(r, inputs[0], "Transpose")
    order = list(attrs.pop("perm", range(count)[::-1]))
    no_more("Transpose", attrs)
    if r.lead:
        r.node("Transpose", inputs, out, perm=tuple(order))
        return
    if sorted(order) != list(range(count)):
        raise SpecError(f"operator Transpose moves axes to {order} of a tensor of {count} axes")
    r.node("Transpose", inputs, out, perm=(0, *(axis + 1 for axis in order)))


Transpose = Op(
    "Transpose",
    _transpose_infer,
    lambda attrs, x: x.transpose(attrs["perm"]),
    _transpose_lower,
    PLAIN,
    read=_transpose_read,
    exact=True,
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
