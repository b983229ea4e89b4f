"""Distances between rows and points, and the trees that hold points: what searches share.

A search compares *reduced* distances, which order points alike and take less to compute: squared
Euclidean ones in place of Euclidean ones. Sums are made from left to right. Of float32 (`single`)
each difference and each reduced distance is rounded to it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sclbl.ops.record import Array, Attrs, Emitter, Operand, fail
from sclbl.spec import Node

#: In the order of the kernels' numbers (kernels/distances.h).
METRICS = (
    "euclidean", "manhattan", "chebyshev", "minkowski", "seuclidean", "mahalanobis", "haversine",
    "canberra", "braycurtis", "hamming", "jaccard", "dice", "rogerstanimoto", "russellrao",
    "sokalsneath", "product", "squared product", "cosine",
)  # fmt: skip
#: Computed as ``x·x - 2 x·y + y·y``; the squared length of a point stands behind it.
PRODUCTS = ("product", "squared product")
#: Those whose reduced distances are squares.
SQUARED = ("euclidean", "seuclidean", "mahalanobis", "product")
#: Those for which boxes bound points.
OF_BOXES = ("euclidean", "manhattan", "chebyshev", "minkowski")
BOXES, BALLS, NO_BOUNDS = range(3)
_ARRAYS = {
    "points": "float64", "numbers": "int64", "nodes": "int64", "bounds": "float64",
    "vector": "float64", "p": "float64",
}  # fmt: skip


# ------------------------------------------------------------------ what a node holds


def check_points(node: Node, x: Operand, attrs: dict[str, Any]) -> None:
    """Take the attributes of points, of their tree and of the metric, and check them."""
    shape, single = attrs.pop("shape", None), attrs.pop("single", None)
    metric = attrs.pop("metric", None)
    arrays = {name: attrs.pop(name, None) for name in _ARRAYS}
    if metric not in METRICS or shape not in (0, 1, 2) or single not in (0, 1):
        raise fail(node, "takes a known metric, and a tree's shape")
    if not all(isinstance(a, np.ndarray) and a.dtype == _ARRAYS[n] for n, a in arrays.items()):
        raise fail(node, "takes points, their numbers, nodes, bounds, a vector and an exponent")
    points, numbers, nodes, bounds, vector, p = arrays.values()
    columns, width = x.width, x.width + (metric in PRODUCTS)
    if x.ragged is not None or x.shape != (columns,) or not columns or not points.size:
        raise fail(node, "takes points, and rows of numbers")
    if points.shape[1:] != (width,) or points.ndim != 2 or numbers.shape != points.shape[:1]:
        raise fail(node, "takes points of as many columns as the rows, and a number for each")
    bound = (2 * columns, columns + 1, 0)[shape]
    if nodes.shape[1:] != (3,) or bounds.shape != (len(nodes), bound):
        raise fail(node, "takes nodes, and what bounds each")
    if (shape == BOXES and metric not in OF_BOXES) or (shape == BALLS and width > columns):
        raise fail(node, f"has bounds that {metric} distances do not keep to")
    wanted = {"seuclidean": (columns,), "mahalanobis": (columns * columns,)}.get(metric)
    if not (vector.shape == (wanted or (0,)) or (metric, *vector.shape) == ("minkowski", columns)):
        raise fail(node, f"has a vector of {vector.shape} numbers for {metric} distances")
    if p.shape != (1,) or (metric == "haversine" and columns != 2):
        raise fail(node, "takes one exponent, and of haversine distances two columns")
    if numbers.min() < 0 or numbers.max() > 2**31 - 1 or len(points) > 2**31 - 1:
        raise fail(node, "has more points than 32-bit numbers can name")
    if not _is_tree(nodes, len(points)) or (shape == NO_BOUNDS and len(nodes) != 1):
        raise fail(node, "takes nodes whose children share out their points")


def check_numbers(node: Node, xs: Sequence[Operand]) -> None:
    """Look through what bounds the nodes of a file, and at its exponent."""
    p = float(node.attrs["p"][0])
    if node.attrs["metric"] == "minkowski" and not 0 < p < np.inf:
        raise fail(node, f"has {p} as the exponent of its distances")
    if np.isnan(node.attrs["bounds"]).any():
        raise fail(node, "has bounds that are no numbers")


def _is_tree(nodes: Array, count: int) -> bool:
    """Return whether nodes [begin, end, is leaf], in a heap's order, share out the points."""
    level = np.zeros(1, dtype=np.int64)
    if not len(nodes) or nodes[0].tolist()[:2] != [0, count]:
        return False
    while len(level):
        begin, end, leaf = nodes[level].T
        if (begin > end).any() or not np.isin(leaf, (0, 1)).all():
            return False
        level, begin, end = level[leaf == 0], begin[leaf == 0], end[leaf == 0]
        left, right = 2 * level + 1, 2 * level + 2
        if (right >= len(nodes)).any():
            return False
        shared = (nodes[left, 0] == begin) & (nodes[left, 1] == nodes[right, 0])
        if not (shared & (nodes[right, 1] == end)).all():
            return False
        level = np.concatenate([left, right])
    return True


def search_arguments(e: Emitter, attrs: Attrs) -> tuple[list[str], list[str]]:
    """Return what kernels take of points: addresses, and numbers after the counts of their own."""
    array = {name: np.asarray(attrs[name]) for name in _ARRAYS}
    columns = array["points"].shape[1] - (attrs["metric"] in PRODUCTS)
    addresses = [
        e.weight(array["points"]),
        e.weight(array["numbers"].astype(np.int32), 4),
        e.weight(array["nodes"].astype(np.int32), 4),
        e.weight(array["bounds"]),
        e.weight(array["vector"]),
        e.workspace(8 * columns if attrs["metric"] == "mahalanobis" else 8),
    ]
    weighted = attrs["metric"] == "minkowski" and array["vector"].size > 0
    sizes = (attrs["shape"], METRICS.index(attrs["metric"]), columns, weighted, attrs["single"])
    return addresses, [*(f"i32 {int(n)}" for n in sizes), double(float(array["p"][0]))]


def double(value: float) -> str:
    """Return a number as an argument of a kernel."""
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    return f"double 0x{bits:016X}"


# ------------------------------------------------------------------ what it means


class Distance:
    """Distances of one row and many points, as a node's attributes say."""

    def __init__(self, attrs: Attrs) -> None:
        self.metric, self.single = attrs["metric"], bool(attrs["single"])
        self.vector, self.p = np.asarray(attrs["vector"]), float(np.asarray(attrs["p"])[0])

    def narrow(self, v: Any) -> Any:
        return np.asarray(v, np.float32).astype(np.float64) if self.single else v

    def reduced(self, row: Array, points: Array) -> Array:
        """Return the reduced distances of a row ``[columns]`` and points ``[count, …]``."""
        if self.metric in PRODUCTS:
            product = in_order(row * points[:, :-1])
            return np.asarray(
                np.maximum(in_order((row * row)[None]) + -2 * product + points[:, -1], 0.0)
            )
        if self.metric == "cosine":
            return np.asarray(np.clip(in_order(row * points) * -1 + 1, 0.0, 2.0))
        if self.metric in _FLAGS:
            return np.asarray(_FLAGS[self.metric](row != 0, points != 0), dtype=np.float64)
        if self.metric == "hamming":
            return np.asarray((row != points).sum(axis=1) / points.shape[1])
        return np.asarray(self.narrow(self._of_differences(row, points)))

    def _of_differences(self, row: Array, points: Array) -> Array:
        difference = self.narrow(row - points)
        size = np.abs(difference)
        if self.metric == "manhattan":
            return in_order(size)
        if self.metric == "chebyshev":
            return np.asarray(size.max(axis=1))
        if self.metric == "minkowski":
            powers = size**self.p
            return in_order(self.vector * powers if self.vector.size else powers)
        if self.metric == "mahalanobis":
            matrix = self.vector.reshape(len(row), -1)
            lines = [in_order(line * difference) for line in matrix]
            return in_order(np.column_stack(lines) * difference)
        if self.metric == "haversine":
            sines = np.sin(0.5 * difference)
            cosines = np.cos(row[0]) * np.cos(points[:, 0])
            return np.asarray(sines[:, 0] * sines[:, 0] + cosines * sines[:, 1] * sines[:, 1])
        both = np.abs(row) + np.abs(points)
        if self.metric == "canberra":
            return in_order(np.divide(size, both, out=np.zeros_like(both), where=both > 0))
        if self.metric == "braycurtis":
            one, whole = in_order(size), in_order(both)
            return np.divide(one, whole, out=np.zeros_like(one), where=whole > 0)
        squares = difference * difference
        return in_order(squares / self.vector if self.metric == "seuclidean" else squares)

    def to_distance(self, v: Any) -> Any:
        """Return the distances of reduced ones."""
        root = 1 / self.p if self.metric == "minkowski" else 0.0
        return self.narrow(self._turned(self.narrow(v), np.sqrt, root, _arc))

    def to_reduced(self, v: Any) -> Any:
        """Return the reduced distances of distances."""
        return self.narrow(self._turned(self.narrow(v), np.square, self.p, _chord))

    def _turned(self, v: Any, of_squares: Any, exponent: float, on_sphere: Any) -> Any:
        if self.metric in SQUARED:
            return of_squares(v)
        if self.metric == "minkowski":
            return np.power(v, exponent)
        return on_sphere(v) if self.metric == "haversine" else v

    def bounds(self, attrs: Attrs, row: Array, at: Sequence[int]) -> tuple[Array, Array]:
        """Return how near and how far the points of nodes may be; of boxes, reduced."""
        found, columns = np.asarray(attrs["bounds"])[list(at)], len(row)
        if attrs["shape"] == BALLS:
            center = self.to_distance(self.reduced(row, found[:, :columns]))
            return np.maximum(center - found[:, columns], 0.0), center + found[:, columns]
        below, above = found[:, :columns] - row, row - found[:, columns:]
        near = 0.5 * ((below + np.abs(below)) + (above + np.abs(above)))
        far = np.maximum(np.abs(below), np.abs(above))
        return self._of_sides(near), self._of_sides(far)

    def _of_sides(self, sides: Array) -> Array:
        if self.metric == "chebyshev":
            return np.asarray(sides.max(axis=1))
        powers = {"euclidean": np.square, "manhattan": np.abs}
        return in_order(powers.get(self.metric, lambda v: v**self.p)(sides))


def in_order(x: Array) -> Array:
    """Add the columns of each row from left to right."""
    total: Array = np.zeros(len(x))
    for column in x.T:
        total = total + column
    return total


def _arc(v: Any) -> Any:
    return 2 * np.arcsin(np.sqrt(v))


def _chord(v: Any) -> Any:
    return np.square(np.sin(0.5 * v))


def _jaccard(a: Array, b: Array) -> Array:
    some = (a | b).sum(axis=1)
    return np.asarray(np.divide((a != b).sum(axis=1), some, out=np.zeros(len(b)), where=some > 0))


def _unlike(a: Array, b: Array) -> Array:
    return np.asarray((a != b).sum(axis=1), dtype=np.float64)


#: Of truth values: distances of a row and points.
_FLAGS: Mapping[str, Any] = {
    "jaccard": _jaccard,
    "dice": lambda a, b: _unlike(a, b) / (2.0 * (a & b).sum(axis=1) + _unlike(a, b)),
    "rogerstanimoto": lambda a, b: 2.0 * _unlike(a, b) / (b.shape[1] + _unlike(a, b)),
    "russellrao": lambda a, b: (b.shape[1] - (a & b).sum(axis=1)) / b.shape[1],
    "sokalsneath": lambda a, b: _unlike(a, b) / (0.5 * (a & b).sum(axis=1) + _unlike(a, b)),
}
