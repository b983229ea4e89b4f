"""Numbers of sparse rows, item by item; a column that a row does not have stays out of it.

Sums run over a row's items in their order, in float64, as the source libraries' loops do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from sclbl.ops.distances import double
from sclbl.ops.packed import bits_of, pack
from sclbl.ops.ragged import Items
from sclbl.ops.record import (
    FLOATS,
    NUMBERS,
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Typed,
    fail,
    has_attrs,
    has_inputs,
    tensor,
)
from sclbl.signature import DType
from sclbl.spec import Node

#: A column's factor is looked up among so many different ones at most, else it stands by itself.
MOST_FACTORS = 1 << 16


def _sparse(node: Node, xs: Sequence[Operand], types: frozenset[str]) -> Operand:
    """Require sparse rows as the first operand."""
    x = xs[0]
    if x.ragged != "sparse" or x.dtype not in types:
        raise fail(node, f"takes sparse rows of {', '.join(sorted(types))}")
    return x


def _like(x: Operand, dtype: str) -> Typed:
    return [(cast(DType, dtype), x.shape, "sparse")]


def _cast_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = _sparse(node, xs, NUMBERS)
    if set(node.attrs) != {"to"} or node.attrs["to"] not in FLOATS:
        raise fail(node, "takes the type to convert to, float32 or float64")
    return _like(x, node.attrs["to"])


def _cast_lower(e: Emitter, node: Node) -> None:
    x, to = node.inputs[0], e.suffix(node.outputs[0])
    e.refuse(f"items_cast_{e.suffix(x)}_{to}", e.ragged(node), e.pointer(x), e.growing(), "i32 %m")


def _cast(attrs: Attrs, x: Items) -> Items:
    return replace(x, values=x.values.astype(attrs["to"]))


CastItems = Op(
    "sclbl.CastItems", _cast_infer, _cast, _cast_lower, NUMBERS, exact=True, role="passes",
    ragged=True,
)  # fmt: skip


def _log_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    has_attrs(node)
    x = _sparse(node, xs, FLOATS)
    return _like(x, x.dtype)


def _log(attrs: Attrs, x: Items) -> Items:
    return replace(x, values=np.log(x.values) + x.values.dtype.type(1))


def _log_lower(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    kernel = f"items_log_{e.suffix(x)}"
    e.refuse(kernel, e.ragged(node), e.pointer(x), e.growing(), "i32 %m")


#: ``1 + log(value)`` of the items that are there; the promise is that of the logarithm.
LogItems = Op("sclbl.LogItems", _log_infer, _log, _log_lower, FLOATS, ulp=2, ragged=True)


def _scale_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    has_attrs(node)
    x, factors = _sparse(node, xs, FLOATS), xs[1].constant
    if factors is None or factors.shape != (x.width,) or factors.dtype.name not in FLOATS:
        raise fail(node, f"takes a constant of {x.width} floats, one a column")
    return _like(x, x.dtype)


def _scale(attrs: Attrs, x: Items, factors: Array) -> Items:
    # Computed in the wider of the two types, as ``values *= factors`` is.
    return replace(x, values=(x.values * factors[x.keys]).astype(x.values.dtype))


def _scale_lower(e: Emitter, node: Node) -> None:
    x, name = node.inputs
    factors = e.constant(name)
    assert factors is not None
    # Bits, so that NaN and zeros of either sign are themselves.
    raw = factors.view(f"u{factors.dtype.itemsize}")
    _, first, codes = np.unique(raw, return_index=True, return_inverse=True)
    kernel = f"items_scale_{e.suffix(x)}_{e.suffix(name)}"
    bits = bits_of(len(first) - 1)
    saved = factors.nbytes - (len(first) * factors.itemsize + len(codes) * bits // 8)
    if len(first) > MOST_FACTORS or saved < 64:
        places, bits, values = np.zeros(4, np.uint8), 0, e.pointer(name)
    else:
        places, values = pack(codes, bits), e.weight(factors[first])
    given = (e.ragged(node), e.pointer(x), e.growing(), "i32 %m")
    e.refuse(kernel, *given, e.weight(places, 1), f"i32 {bits}", values)


#: Times a factor for each column.
ScaleItems = Op(
    "sclbl.ScaleItems", _scale_infer, _scale, _scale_lower, FLOATS, exact=True, ragged=True
)


def _norm_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = _sparse(node, xs, FLOATS)
    if set(node.attrs) != {"norm"} or node.attrs["norm"] not in ("l1", "l2"):
        raise fail(node, "takes the norm, l1 or l2")
    return _like(x, x.dtype)


def _norm(attrs: Attrs, x: Items) -> Items:
    values = x.values.copy()
    for row in x.rows():
        items = values[row]
        sizes = np.abs(items) if attrs["norm"] == "l1" else items * items
        total = float(np.cumsum(sizes, dtype=np.float64)[-1]) if len(items) else 0.0
        if total != 0:
            # Divided in float64, whatever type the result is.
            values[row] = items.astype(np.float64) / (
                total if attrs["norm"] == "l1" else np.sqrt(total)
            )
    return replace(x, values=values)


def _norm_lower(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    given = (e.ragged(node), e.pointer(x), e.growing(), "i32 %m")
    squares = int(node.attrs["norm"] == "l2")
    e.refuse(f"items_norm_{e.suffix(x)}", *given, f"i32 {squares}")


#: Divided by the row's norm, unless that is zero.
NormItems = Op("sclbl.NormItems", _norm_infer, _norm, _norm_lower, FLOATS, exact=True, ragged=True)


def _rows_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    has_attrs(node)
    x = tensor(node, xs[0], NUMBERS)
    if x.ragged is not None or len(x.shape) != 1:
        raise fail(node, "takes rows of columns")
    return _like(x, x.dtype)


def _rows(attrs: Attrs, x: Array) -> Items:
    there = x != 0
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    return Items(offsets, np.nonzero(there)[1], x[there])


def _rows_lower(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    given = (e.ragged(node), e.pointer(x), e.growing(3), "i32 %m")
    e.refuse(f"items_rows_{e.suffix(x)}", *given, f"i32 {e.width(x)}")


#: The columns that are not zero.
SparseRows = Op(
    "sclbl.SparseRows", _rows_infer, _rows, _rows_lower, NUMBERS, exact=True, ragged=True
)


def _join_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    x, y = _sparse(node, xs, NUMBERS), _sparse(node, xs[1:], NUMBERS)
    if x.dtype != y.dtype:
        raise fail(node, f"does not take {x.dtype} and {y.dtype} together")
    has_attrs(node, first=x.width)
    return [(cast(DType, x.dtype), (x.width + y.width,), "sparse")]


def _join_lower(e: Emitter, node: Node) -> None:
    x, y = node.inputs
    given = (e.ragged(node), e.pointer(x), e.pointer(y), e.growing(3), "i32 %m")
    e.refuse(f"items_join_{e.suffix(x)}", *given, f"i32 {node.attrs['first']}")


def _join(attrs: Attrs, x: Items, y: Items) -> Items:
    rows = np.concatenate([np.repeat(np.arange(len(i)), np.diff(i.offsets)) for i in (x, y)])
    order = np.argsort(rows, kind="stable")
    keys = np.concatenate([np.asarray(x.keys), np.asarray(y.keys) + attrs["first"]])
    return Items(x.offsets + y.offsets, keys[order], np.concatenate([x.values, y.values])[order])


#: Rows side by side: the columns of the second behind those of the first.
JoinItems = Op("sclbl.JoinItems", _join_infer, _join, _join_lower, NUMBERS, exact=True, ragged=True)


def _choose_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, columns = _sparse(node, xs, NUMBERS), node.attrs.get("columns")
    if (
        set(node.attrs) != {"columns"}
        or not isinstance(columns, np.ndarray)
        or (columns.dtype, columns.ndim) != (np.int64, 1)
        or not columns.size
        or (np.diff(columns) <= 0).any()
        or not 0 <= columns[0] <= columns[-1] < x.width
    ):
        raise fail(node, "takes numbers of columns (int64), in order and each of them once")
    return [(cast(DType, x.dtype), columns.shape, "sparse")]


def _choose(attrs: Attrs, x: Items) -> Items:
    columns, keys = attrs["columns"], np.asarray(x.keys)
    at = np.minimum(np.searchsorted(columns, keys), len(columns) - 1)
    there = columns[at] == keys
    counts = np.concatenate([[0], np.cumsum(there)])
    return Items(counts[x.offsets], at[there], np.asarray(x.values)[there])


def _choose_lower(e: Emitter, node: Node) -> None:
    x, columns = node.inputs[0], np.asarray(node.attrs["columns"])
    given = (e.ragged(node), e.pointer(x), e.growing(3), "i32 %m")
    places = e.weight(columns.astype(np.int32), 4)
    e.refuse(f"items_choose_{e.suffix(x)}", *given, places, f"i32 {len(columns)}")


#: Some of the columns, in their order.
ChooseItems = Op(
    "sclbl.ChooseItems", _choose_infer, _choose, _choose_lower, NUMBERS, exact=True, ragged=True
)


def _above_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, threshold = _sparse(node, xs, NUMBERS), node.attrs.get("threshold")
    if set(node.attrs) != {"threshold"} or type(threshold) is not float or not threshold >= 0:
        raise fail(node, "takes a threshold, a number from 0 on")
    return _like(x, x.dtype)


def _above(attrs: Attrs, x: Items) -> Items:
    values = np.asarray(x.values)
    there = values > attrs["threshold"]
    counts = np.concatenate([[0], np.cumsum(there)])
    return Items(counts[x.offsets], np.asarray(x.keys)[there], np.ones_like(values[there]))


def _above_lower(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    given = (e.ragged(node), e.pointer(x), e.growing(3), "i32 %m")
    e.refuse(f"items_above_{e.suffix(x)}", *given, double(node.attrs["threshold"]))


#: 1 in the columns whose number is above a threshold.
ItemsAbove = Op(
    "sclbl.ItemsAbove", _above_infer, _above, _above_lower, NUMBERS, exact=True, ragged=True
)
