"""The checks by which a program refuses what its model refuses. Each passes its input on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sclbl.errors import (
    InfiniteValueError,
    MissingValueError,
    OutOfRangeError,
    OutOfReachError,
    UnknownCategoryError,
)
from sclbl.ops.record import (
    FLOATS,
    Array,
    Attrs,
    Body,
    Emitter,
    Infer,
    Op,
    Operand,
    Typed,
    Types,
    fail,
    has_inputs,
    same_type,
    tensor,
)
from sclbl.signature import MISSING
from sclbl.spec import MISSING_TEXTS, Node


def _infer(types: Types, flags: tuple[str, ...]) -> Infer:
    def infer(node: Node, xs: Sequence[Operand]) -> Typed:
        has_inputs(node, xs, 1)
        x = tensor(node, xs[0], types)
        if len(x.shape) != 1:
            raise fail(node, "checks columns, and its rows are not of one axis")
        columns = node.attrs.get("columns")
        names = {"columns", *flags}
        if set(node.attrs) != names or len(columns or ()) != x.width:
            raise fail(node, f"takes {', '.join(sorted(names))}, one column each")
        if min(columns or (0,)) < -1 or any(node.attrs[f] not in (0, 1) for f in flags):
            raise fail(node, "has a column number or flag out of range")
        return [(same_type(node, [x], types), x.shape)]

    return infer


def _body(b: Body, node: Node) -> str:
    # Other runtimes do not refuse rows.
    return b.op("Identity", "x")


def _columns(e: Emitter, node: Node) -> str:
    columns = node.attrs["columns"]
    if tuple(columns) == tuple(range(len(columns))):
        return "ptr null"
    return e.weight(np.array(columns, dtype=np.int32), 4)


def _check(e: Emitter, node: Node, kernel: str, *flags: str) -> None:
    e.alias(node)
    place = (_columns(e, node), "i32 %m", "i32 %row")
    sizes = (f"i32 {e.width(name)}" for name in node.inputs)
    given = tuple(f"i32 {int(node.attrs[f])}" for f in flags)
    e.refuse(kernel, *(e.pointer(name) for name in node.inputs), *place, *sizes, *given)


def _refuse_lower(e: Emitter, node: Node) -> None:
    # The compiler may let it look at products of its rows first: they stand before the rows.
    kernel = "refuse" if len(node.inputs) == 1 else "refuse_behind"
    _check(e, node, f"{kernel}_{e.suffix(node.inputs[0])}", *_NUMBER_FLAGS)


def _first(bad: Array, attrs: Attrs) -> tuple[int, int]:
    """Return the row and the input's column of the first cell that is refused."""
    row, column = (int(v[0]) for v in np.nonzero(bad))
    return row, attrs["columns"][column]


_NUMBER_FLAGS = ("nan", "inf")


def _refuse(attrs: Attrs, x: Array) -> Array:
    for flag, bad, error, what in (
        (attrs["nan"], np.isnan(x), MissingValueError, "is missing (NaN)"),
        (attrs["inf"], np.isinf(x), InfiniteValueError, "is infinite or too large"),
    ):
        if flag and bad.any():
            row, origin = _first(bad, attrs)
            raise error(f"row {row}, column {origin} {what}", row=row, column=str(origin))
    return x


Refuse = Op(
    "sclbl.Refuse",
    _infer(FLOATS, _NUMBER_FLAGS),
    _refuse,
    _refuse_lower,
    FLOATS,
    body=_body,
    exact=True,
    role="passes",
    refuses=True,
)


def _refuse_unknown(attrs: Attrs, x: Array) -> Array:
    if (x < 0).any():
        row, origin = _first(x < 0, attrs)
        raise UnknownCategoryError(
            f"row {row}, column {origin} holds an unknown category", row=row, column=str(origin)
        )
    return x


RefuseUnknown = Op(
    "sclbl.RefuseUnknown",
    _infer(frozenset(("int64",)), ()),
    _refuse_unknown,
    lambda e, node: _check(e, node, "refuse_unknown"),
    frozenset(("int64",)),
    body=_body,
    exact=True,
    role="passes",
    refuses=True,
)


def _refuse_missing_text(attrs: Attrs, x: Array) -> Array:
    bad = np.isin(x, [MISSING_TEXTS[k] for k in MISSING if attrs[k]])
    if bad.any():
        row, origin = _first(bad, attrs)
        raise MissingValueError(
            f"row {row}, column {origin} is missing", row=row, column=str(origin)
        )
    return x


RefuseMissingText = Op(
    "sclbl.RefuseMissingText",
    _infer(frozenset(("text",)), MISSING),
    _refuse_missing_text,
    lambda e, node: _check(e, node, "refuse_missing_text", *MISSING),
    frozenset(("text",)),
    body=_body,
    exact=True,
    role="passes",
    refuses=True,
)


def _outside_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    bounds = node.attrs.get("bounds")
    plain = replace(node, attrs={k: v for k, v in node.attrs.items() if k != "bounds"})
    typed = _infer(FLOATS, ())(plain, xs)
    wanted = (2, xs[0].width)
    if not isinstance(bounds, np.ndarray) or (bounds.shape, bounds.dtype) != (wanted, xs[0].dtype):
        raise fail(node, f"takes two rows of bounds of type {xs[0].dtype}")
    return typed


def _refuse_outside(attrs: Attrs, x: Array) -> Array:
    low, high = attrs["bounds"]
    bad = (x < low) | (x > high)
    if bad.any():
        row, origin = _first(bad, attrs)
        raise OutOfRangeError(
            f"row {row}, column {origin} is out of range", row=row, column=str(origin)
        )
    return x


def _outside_lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    e.alias(node)
    bounds = e.weight(np.asarray(node.attrs["bounds"]))
    place = (_columns(e, node), bounds, "i32 %m", "i32 %row", f"i32 {e.width(x)}")
    e.refuse(f"refuse_outside_{e.suffix(x)}", e.pointer(x), *place)


#: Numbers below a column's first bound, or above its second, are refused; NaN is not.
RefuseOutside = Op(
    "sclbl.RefuseOutside",
    _outside_infer,
    _refuse_outside,
    _outside_lower,
    FLOATS,
    body=_body,
    exact=True,
    role="passes",
    refuses=True,
)


def _zeros_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], frozenset(("float64",)))
    if len(x.shape) != 1 or node.attrs:
        raise fail(node, "checks columns, and takes no attributes")
    return [("float64", x.shape)]


def _refuse_zeros(attrs: Attrs, x: Array) -> Array:
    none = ~(x != 0).any(axis=1)
    if none.any():
        row = int(np.argmax(none))
        raise OutOfReachError(f"row {row} is too far from all points", row=row)
    return x


def _zeros_lower(e: Emitter, node: Node) -> None:
    e.alias(node)
    (x,) = node.inputs
    e.refuse("refuse_zeros", e.pointer(x), "i32 %m", "i32 %row", f"i32 {e.width(x)}")


#: A row of which nothing is left but zeros: no neighbour, or none that counts.
RefuseZeros = Op(
    "sclbl.RefuseZeros",
    _zeros_infer,
    _refuse_zeros,
    _zeros_lower,
    frozenset(("float64",)),
    body=_body,
    exact=True,
    role="passes",
    refuses=True,
)
