"""Functions of one column that are made of pieces: straight lines between points, and splines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sclbl.ops.record import (
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Typed,
    fail,
    has_inputs,
    tensor,
)
from sclbl.spec import Node

_FLOAT64 = frozenset(("float64",))


def _interp_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, points, heights = tensor(node, xs[0], _FLOAT64), *map(node.attrs.get, ("points", "heights"))
    if (
        set(node.attrs) != {"points", "heights"}
        or not isinstance(points, np.ndarray)
        or not isinstance(heights, np.ndarray)
        or {points.dtype.name, heights.dtype.name} != {"float64"}
        or points.ndim != 2
        or not points.shape[1]
        or heights.shape != points.shape[1:]
        or x.shape != points.shape[:1]
        or not (points[:, :-1] <= points[:, 1:]).all()
    ):
        raise fail(node, "takes ascending points [columns, count] and a height for each")
    return [("float64", x.shape)]


def _interp(attrs: Attrs, x: Array) -> Array:
    columns = (
        np.interp(values, points, attrs["heights"])
        for values, points in zip(x.T, attrs["points"], strict=True)
    )
    # To NumPy NaN is at a single point.
    return np.where(np.isnan(x), np.nan, np.stack(list(columns), axis=1))


def _interp_lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    points = np.asarray(node.attrs["points"])
    e.call(
        "curves_interp",
        e.output(node),
        e.pointer(x),
        e.weight(np.ascontiguousarray(points)),
        e.weight(np.asarray(node.attrs["heights"])),
        "i32 %m",
        *(f"i32 {n}" for n in points.shape),
    )


#: `numpy.interp` of each column (NaN stays NaN), between points of its own and heights
#: that all columns share.
Interp = Op(
    "sclbl.Interp",
    _interp_infer,
    _interp,
    _interp_lower,
    _FLOAT64,
    exact=True,
    holds="points of curves",
)


def _spline_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, knots = tensor(node, xs[0], _FLOAT64), node.attrs.get("knots")
    degree = node.attrs.get("degree")
    if (
        set(node.attrs) != {"knots", "degree", "periodic", "products"}
        or not isinstance(knots, np.ndarray)
        or not isinstance(degree, int)
        or node.attrs["periodic"] not in (0, 1)
        or node.attrs["products"] not in (0, 1)
        or (knots.dtype.name, knots.ndim) != ("float64", 2)
        or degree < 0
        or knots.shape[1] < 2 * degree + 2
        or x.shape != knots.shape[:1]
        or not (knots[:, :-1] <= knots[:, 1:]).all()
    ):
        raise fail(node, "takes ascending knots [columns, count], a degree and two flags")
    return [("float64", (len(knots) * _splines(node.attrs),))]


def _splines(attrs: Attrs) -> int:
    """Return how many functions a column has."""
    degree = int(attrs["degree"])
    return int(attrs["knots"].shape[1]) - 1 - degree * (2 if attrs["periodic"] else 1)


def _spline(attrs: Attrs, x: Array) -> Array:
    count = _splines(attrs)
    made = [
        _of_column(t, values, count, attrs) for t, values in zip(attrs["knots"], x.T, strict=True)
    ]
    return np.ascontiguousarray(np.concatenate(made, axis=1))


def _of_column(t: Array, x: Array, count: int, attrs: Attrs) -> Array:
    """Return the functions' values by de Boor's recursion, as SciPy writes it."""
    degree = int(attrs["degree"])
    last = len(t) - degree - 1
    if attrs["periodic"]:
        low, period = t[degree], t[last] - t[degree]
        x = low + (x - low) % period if period > 0 else np.zeros_like(x)
    out = np.full((len(x), count), np.nan)
    for row, value in enumerate(x):
        if np.isnan(value):
            continue
        at = int(np.clip(np.searchsorted(t, value, side="right") - 1, degree, last - 1))
        h = [1.0] + [0.0] * degree
        for j in range(1, degree + 1):
            before = h[:j]
            h[0] = 0.0
            for n in range(1, j + 1):
                right, left = t[at + n], t[at + n - j]
                if right == left:
                    h[n] = 0.0
                    continue
                w = before[n - 1] / (right - left)
                h[n - 1] += w * (right - value)
                h[n] = w * (value - left)
        out[row] = 0.0
        for a in range(degree + 1):
            own = np.arange(count) == (at + a - degree) % count
            out[row] += own * h[a] if attrs["products"] else np.where(own, h[a], 0.0)
    return out


def _spline_lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    knots, degree = np.asarray(node.attrs["knots"]), node.attrs["degree"]
    e.call(
        "curves_spline",
        e.output(node),
        e.pointer(x),
        e.weight(np.ascontiguousarray(knots)),
        e.workspace(16 * (degree + 1)),
        "i32 %m",
        *(f"i32 {n}" for n in knots.shape),
        f"i32 {degree}",
        f"i32 {_splines(node.attrs)}",
        f"i32 {node.attrs['periodic']}",
        f"i32 {node.attrs['products']}",
    )


#: The B-splines of each column over its knots, one after the other, continued beyond them; NaN
#: gives NaN. Those that repeat are of the place in the period, and their ends are added. With
#: ``products`` what is not finite is in all functions of a column.
BSplines = Op(
    "sclbl.BSplines",
    _spline_infer,
    _spline,
    _spline_lower,
    _FLOAT64,
    exact=True,
    holds="knots",
)
