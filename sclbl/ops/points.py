"""Sums over the differences between each row and fixed points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sclbl.ops.record import (
    ELEMENTS,
    FLOATS,
    Array,
    Attrs,
    Body,
    Emitter,
    Op,
    Operand,
    Typed,
    fail,
    has_inputs,
    same_type,
    tensor,
)
from sclbl.spec import Node

#: Points that a kernel takes at a time, as in ``kernels/points.c``.
_BLOCK = 8


def _chi2(d: Array, total: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.where(total != 0, d * d / total, 0.0)


#: What is added for a column, of the difference and of the sum of two numbers, in float64.
TERMS: dict[str, Callable[[Array, Array], Array]] = {
    "squares": lambda d, total: d * d,
    "sizes": lambda d, total: np.abs(d),
    "chi2": _chi2,
}


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, points = tensor(node, xs[0], FLOATS), node.attrs.get("points")
    if set(node.attrs) != {"points", "terms"} or node.attrs["terms"] not in TERMS:
        raise fail(node, f"takes points, and terms out of {', '.join(TERMS)}")
    if (
        not isinstance(points, np.ndarray)
        or (points.ndim, points.dtype) != (2, x.dtype)
        or not points.size
        or x.shape != points.shape[1:]
    ):
        raise fail(node, "takes points [count, columns] of the type of its rows")
    return [(same_type(node, [x], FLOATS), points.shape[:1])]


def _define(attrs: Attrs, x: Array) -> Array:
    points, term = attrs["points"], TERMS[attrs["terms"]]
    total = np.zeros((len(x), len(points)))
    for j in range(points.shape[1]):
        row, column = x[:, j : j + 1], points[:, j]
        total += term((row - column).astype(np.float64), (row + column).astype(np.float64))
    return total.astype(x.dtype)


def _lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    points = np.asarray(node.attrs["points"])
    count, columns = points.shape
    # Blocks of points, the columns of a block one after the other.
    blocks = -(-count // _BLOCK)
    packed = np.zeros((blocks * _BLOCK, columns), points.dtype)
    packed[:count] = points
    packed = packed.reshape(blocks, _BLOCK, columns).transpose(0, 2, 1)
    kernel = f"points_{node.attrs['terms']}_{e.suffix(x)}"
    sizes = ("i32 %m", f"i32 {columns}", f"i32 {count}")
    e.call(kernel, e.output(node), e.pointer(x), e.weight(np.ascontiguousarray(packed)), *sizes)


def _body(b: Body, node: Node) -> str:
    points, terms = b.tensor(np.asarray(node.attrs["points"])), node.attrs["terms"]
    rows = b.op("Unsqueeze", "x", b.tensor([1], np.int64))
    wide = {"to": ELEMENTS["float64"]}
    difference = b.op("Cast", b.op("Sub", rows, points), **wide)
    made = b.op("Abs", difference) if terms == "sizes" else b.op("Mul", difference, difference)
    if terms == "chi2":
        total = b.op("Cast", b.op("Add", rows, points), **wide)
        zero = b.op("Equal", total, b.tensor(0.0))
        one = b.op("Where", zero, b.tensor(1.0), total)
        made = b.op("Where", zero, b.tensor(0.0), b.op("Div", made, one))
    added = b.op("ReduceSum", made, b.tensor([2], np.int64), keepdims=0)
    return b.op("CastLike", added, "x")


#: ``terms`` says what is added: squares of differences, their sizes, or squares divided by the sum
#: of the two numbers (nothing where that is 0). Differences and sums are of the rows' own type, the
#: terms float64, added from left to right.
PointSums = Op(
    "sclbl.PointSums",
    _infer,
    _define,
    _lower,
    FLOATS,
    body=_body,
    private=True,
    exact=True,
    holds="points",
)
