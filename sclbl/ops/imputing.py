"""Missing numbers from the nearest points that have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sclbl.ops.distances import double, in_order
from sclbl.ops.record import Array, Attrs, Emitter, Op, Operand, Typed, fail, has_inputs, tensor
from sclbl.spec import Node

_FLOAT64 = frozenset(("float64",))
#: Points that the kernel takes at a time, as in ``kernels/imputing.c``.
_BLOCK = 8
#: Squares of float32 from here on are infinite.
_MOST_SINGLE = 2.0**128 - 2.0**103


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, attrs = tensor(node, xs[0], _FLOAT64), node.attrs
    if set(attrs) != {"points", "means", "k", "by_distance", "single"}:
        raise fail(node, "takes points, means, k, by_distance and single")
    points, means = attrs["points"], attrs["means"]
    for given, axes in ((points, 2), (means, 1)):
        if not isinstance(given, np.ndarray) or (given.dtype, given.ndim) != (np.float64, axes):
            raise fail(node, "takes points [count, columns] and means [columns], in float64")
    if x.shape != points.shape[1:] or x.shape != means.shape or not points.size:
        raise fail(node, "takes points, and means, of as many columns as its rows")
    if attrs["by_distance"] not in (0, 1) or attrs["single"] not in (0, 1):
        raise fail(node, "takes 0 or 1 for by_distance and for single")
    if type(attrs["k"]) is not int or not 0 < attrs["k"] <= len(points):
        raise fail(node, "takes how many points are asked, no more than there are")
    return [("float64", x.shape)]


def most_square(attrs: Attrs) -> float:
    """Return from where on squares leave the range of the type that distances are computed in."""
    return _MOST_SINGLE if attrs["single"] else np.inf


def distances(attrs: Attrs, row: Array) -> Array:
    """Return a row's distances to all points over the columns that both have; NaN without any.

    A number whose square is infinite makes NaN of every distance, as products with zeros do.
    """
    points, width = attrs["points"], len(row)
    if (row * row >= most_square(attrs)).any():
        return np.full(len(points), np.nan)
    both = ~(np.isnan(row) | np.isnan(points))
    difference = np.where(both, row - points, 0.0)
    with np.errstate(all="ignore"):
        return np.asarray(np.sqrt(in_order(difference * difference) / both.sum(axis=1) * width))


def weights(near: Array, by_distance: int) -> Array:
    """Return what points count: 1, or 1 / distance, where no point is the row itself."""
    if not by_distance:
        return np.ones(len(near))
    with np.errstate(divide="ignore"):
        found = 1.0 / near
    infinite = np.isinf(found)
    return infinite.astype(np.float64) if infinite.any() else found


def _define(attrs: Attrs, x: Array) -> Array:
    points, out = attrs["points"], x.copy()
    for i, row in enumerate(x):
        missing = np.flatnonzero(np.isnan(row))
        near = distances(attrs, row) if missing.size else np.empty(0)
        for j in missing.tolist():
            donors = np.flatnonzero(~np.isnan(points[:, j]) & ~np.isnan(near))
            if not donors.size:
                out[i, j] = attrs["means"][j]
                continue
            chosen = donors[np.argsort(near[donors], kind="stable")[: attrs["k"]]]
            own = weights(near[chosen], attrs["by_distance"])
            (total,), (whole,) = in_order((points[chosen, j] * own)[None]), in_order(own[None])
            out[i, j] = total / whole if whole else 0.0
    return out


def _lower(e: Emitter, node: Node) -> None:
    (x,), attrs = node.inputs, node.attrs
    points = np.asarray(attrs["points"])
    count, columns = points.shape
    # Blocks of points, the columns of a block one after the other.
    blocks = -(-count // _BLOCK)
    packed = np.full((blocks * _BLOCK, columns), np.nan)
    packed[:count] = points
    packed = packed.reshape(blocks, _BLOCK, columns).transpose(0, 2, 1)
    e.call(
        "imputing_nearest",
        e.output(node),
        e.pointer(x),
        e.weight(np.ascontiguousarray(packed)),
        e.weight(np.asarray(attrs["means"])),
        e.workspace(8 * blocks * _BLOCK),
        e.workspace(16 * attrs["k"]),
        "i32 %m",
        f"i32 {columns}",
        f"i32 {blocks}",
        f"i32 {attrs['k']}",
        f"i32 {int(attrs['by_distance'])}",
        double(most_square(attrs)),
    )


#: Each NaN of a row becomes the mean of the k nearest points that have a number there, the first
#: ones of those that are equally near; all count alike, or as 1 / distance (``by_distance``).
#: Distances are Euclidean over the columns that both have, as if the others were as far on average.
#: Where no point with a number shares a column, it is the column's mean. ``single`` says that the
#: source computes distances in float32, whose range is shorter.
ImputeNearest = Op(
    "sclbl.ImputeNearest",
    _infer,
    _define,
    _lower,
    _FLOAT64,
    holds="points and means",
)
