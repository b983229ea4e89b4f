"""Points within a radius of each row, and the points that are nearest to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sclbl.ops.distances import (
    BOXES,
    NO_BOUNDS,
    Distance,
    check_numbers,
    check_points,
    double,
    search_arguments,
)
from sclbl.ops.nearest import Heap
from sclbl.ops.ragged import Items
from sclbl.ops.record import Array, Attrs, Emitter, Op, Operand, Typed, fail, has_inputs, tensor
from sclbl.spec import Node

_FLOAT64 = frozenset(("float64",))


def _within_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    x, radius = (tensor(node, operand, _FLOAT64) for operand in xs)
    attrs = dict(node.attrs)
    in_order = attrs.pop("sorted", None)
    check_points(node, x, attrs)
    if attrs or in_order not in (0, 1) or radius.ragged is not None or radius.width != 1:
        raise fail(node, "takes a radius for each row, and whether the nearest come first")
    return [("float64", (), "list"), ("int64", (), "list")]


def _within(attrs: Attrs, x: Array, radius: Array) -> tuple[Items, Items]:
    found = list(found_within(attrs, x, radius))
    at = np.cumsum([0, *(len(numbers) for _, numbers in found)])
    distances = np.concatenate([np.empty(0), *(d for d, _ in found)])
    numbers = np.concatenate([np.empty(0, np.int64), *(n for _, n in found)])
    return Items(at, None, distances), Items(at, None, numbers)


def found_within(attrs: Attrs, x: Array, radius: Array) -> Iterator[tuple[Array, Array]]:
    """Yield for each row the distances and the numbers of the points within its radius."""
    points, numbers, metric = attrs["points"], attrs["numbers"], Distance(attrs)
    for row, r in zip(x, radius.reshape(-1).tolist(), strict=True):
        near = metric.reduced(row, points)
        most = r if attrs["metric"] == "squared product" else metric.to_reduced(r)
        # Of a node's points all count, or those that are near themselves.
        parts = [
            np.arange(begin, end)[whole | (near[begin:end] <= most)]
            for begin, end, whole in _nodes(attrs, metric, row, r)
        ]
        chosen = np.concatenate([np.empty(0, np.int64), *parts])
        found = Heap.of(metric.to_distance(near[chosen]).tolist(), numbers[chosen].tolist())
        if attrs["sorted"] and len(chosen):
            found.sort()
        yield np.array(found.values), np.array(found.numbers, dtype=np.int64)


def _nodes(attrs: Attrs, metric: Distance, row: Array, r: float) -> Iterator[tuple[int, int, bool]]:
    """Return the nodes whose points may be near: the first, the last, and whether all are."""
    nodes = attrs["nodes"]
    if attrs["shape"] == NO_BOUNDS:
        yield 0, int(nodes[0, 1]), False
        return
    todo = [0]
    while todo:
        at = todo.pop()
        begin, end, leaf = nodes[at].tolist()
        (low,), (high,) = metric.bounds(attrs, row, [at])
        if attrs["shape"] == BOXES:
            low, high = metric.to_distance(low), metric.to_distance(high)
        if low > r:
            continue
        if high <= r or leaf:
            yield begin, end, bool(high <= r)
        else:
            todo += [2 * at + 2, 2 * at + 1]


def _within_lower(e: Emitter, node: Node) -> None:
    x, radius = node.inputs
    addresses, sizes = search_arguments(e, node.attrs)
    e.refuse(
        "neighbors_within",
        e.ragged(node, 0),
        e.ragged(node, 1),
        e.pointer(x),
        e.pointer(radius),
        *addresses,
        e.growing(3),
        "i32 %m",
        f"i32 {int(node.attrs['sorted'])}",
        *sizes,
    )


#: Points [count, columns] in the order of a tree's leaves; its nodes [begin, end, is leaf] in the
#: order of a heap; what bounds a node: a box's lower and upper corner, or a ball's center and
#: radius. A node that is surely beyond the radius is left out, one that is surely within it counts
#: whole; the points of other leaves count by their reduced distances. A search without a tree has
#: one leaf and no bounds.
PointsWithin = Op(
    "sclbl.PointsWithin",
    _within_infer,
    _within,
    _within_lower,
    _FLOAT64,
    exact=True,
    check=check_numbers,
    holds="points",
    ragged=True,
)


def _nearest_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, attrs = tensor(node, xs[0], _FLOAT64), dict(node.attrs)
    k = attrs.pop("k", None)
    check_points(node, x, attrs)
    if attrs or type(k) is not int or not 0 < k <= len(node.attrs["points"]):
        raise fail(node, "takes how many points are wanted, no more than there are")
    return [("float64", (k,)), ("int64", (k,))]


def _most(attrs: Attrs) -> float:
    """Return what a heap holds before there are as many points as are wanted."""
    return float(np.finfo(np.float64).max) if attrs["shape"] == NO_BOUNDS else np.inf


def _nearest(attrs: Attrs, x: Array) -> tuple[Array, Array]:
    metric, k = Distance(attrs), attrs["k"]
    distances, numbers = np.empty((len(x), k)), np.empty((len(x), k), np.int64)
    for i, row in enumerate(x):
        heap = Heap(k, _most(attrs))
        near = metric.reduced(row, attrs["points"]).tolist()
        for begin, end in _leaves(attrs, metric, row, heap):
            for at in range(begin, end):
                heap.push(near[at], int(attrs["numbers"][at]))
        heap.sort()
        distances[i] = metric.to_distance(np.maximum(heap.values, 0.0))
        numbers[i] = heap.numbers
    return distances, numbers


def _leaves(attrs: Attrs, metric: Distance, row: Array, heap: Heap) -> Iterator[tuple[int, int]]:
    """Return the leaves whose points may be nearest, the nearer ones first."""
    nodes, todo = attrs["nodes"], [(0, 0.0)]
    while todo:
        at, least = todo.pop()
        if least > heap.values[0]:
            continue
        begin, end, leaf = nodes[at].tolist()
        if leaf:
            yield begin, end
            continue
        low, _ = metric.bounds(attrs, row, [2 * at + 1, 2 * at + 2])
        if attrs["shape"] != BOXES:
            low = metric.to_reduced(low)
        left, right = (2 * at + 1, float(low[0])), (2 * at + 2, float(low[1]))
        todo += [right, left] if left[1] <= right[1] else [left, right]


def _nearest_lower(e: Emitter, node: Node) -> None:
    addresses, sizes = search_arguments(e, node.attrs)
    e.call(
        "nearest_points",
        e.output(node, 0),
        e.output(node, 1),
        e.pointer(node.inputs[0]),
        *addresses,
        "i32 %m",
        f"i32 {int(node.attrs['k'])}",
        *sizes,
        double(_most(node.attrs)),
    )


#: The k nearest points of `PointsWithin`'s kind of tree: distances, and the points' numbers. Equal
#: ones are in the order that a heap and an introsort leave them in (`sclbl.ops.nearest`).
NearestPoints = Op(
    "sclbl.NearestPoints",
    _nearest_infer,
    _nearest,
    _nearest_lower,
    _FLOAT64,
    exact=True,
    check=check_numbers,
    holds="points",
)
