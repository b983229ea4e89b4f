"""Points within a radius of each row, found as a search tree finds them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from sclbl.ops.ragged import Items
from sclbl.ops.record import Array, Attrs, Emitter, Op, Operand, Typed, fail, has_inputs, tensor
from sclbl.spec import Node

_FLOAT64 = frozenset(("float64",))


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    x, radius = (tensor(node, operand, _FLOAT64) for operand in xs)
    attrs = dict(node.attrs)
    balls = attrs.pop("balls", None)
    arrays = [attrs.pop(name, None) for name in ("points", "numbers", "nodes", "bounds")]
    if attrs or balls not in (0, 1) or not all(isinstance(a, np.ndarray) for a in arrays):
        raise fail(node, "takes points, their numbers, nodes, bounds, and whether these are balls")
    points, numbers, nodes, bounds = (np.asarray(a) for a in arrays)
    columns = points.shape[1] if points.ndim == 2 else 0
    if (
        x.ragged is not None
        or radius.ragged is not None
        or radius.width != 1
        or not points.size
        or x.shape != (columns,)
        or {points.dtype.name, bounds.dtype.name} != {"float64"}
        or {numbers.dtype.name, nodes.dtype.name} != {"int64"}
        or numbers.shape != points.shape[:1]
        or nodes.shape[1:] != (3,)
        or bounds.shape != (len(nodes), columns + 1 if balls else 2 * columns)
    ):
        raise fail(node, "takes points of as many columns, a number for each, and a radius")
    if not _is_tree(nodes, len(points)):
        raise fail(node, "takes nodes whose children share out their points")
    return [("float64", (), "list"), ("int64", (), "list")]


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


def _within(attrs: Attrs, x: Array, radius: Array) -> tuple[Items, Items]:
    points, numbers = attrs["points"], attrs["numbers"]
    distances, found, offsets = [], [], [0]
    for row, r in zip(x, radius.reshape(-1).tolist(), strict=True):
        squares = np.zeros(len(points))
        for j, value in enumerate(row):
            squares += (value - points[:, j]) ** 2
        # Of a node's points all count, or those that are near themselves.
        parts = [
            np.arange(begin, end)[whole | (squares[begin:end] <= r * r)]
            for begin, end, whole in _nodes(attrs, row.tolist(), r)
        ]
        near = np.concatenate([np.empty(0, np.int64), *parts])
        distances.append(np.sqrt(squares[near]))
        found.append(numbers[near])
        offsets.append(offsets[-1] + len(near))
    at = np.array(offsets)
    return (
        Items(at, None, np.concatenate([np.empty(0), *distances])),
        Items(at, None, np.concatenate([np.empty(0, np.int64), *found])),
    )


def _nodes(attrs: Attrs, row: list[float], r: float) -> Iterator[tuple[int, int, bool]]:
    """Return the nodes whose points may be near: the first, the last, and whether all are."""
    nodes, bounds = attrs["nodes"], attrs["bounds"]
    todo = [0]
    while todo:
        at = todo.pop()
        begin, end, leaf = nodes[at].tolist()
        low, high = _distances(bounds[at].tolist(), row, attrs["balls"])
        if low > r:
            continue
        if high <= r or leaf:
            yield begin, end, high <= r
        else:
            todo += [2 * at + 2, 2 * at + 1]


def _distances(bound: list[float], row: list[float], balls: int) -> tuple[float, float]:
    """Return how near and how far the points of a node may be."""
    columns = len(row)
    if balls:
        center = math.sqrt(_squares(v - c for v, c in zip(row, bound, strict=False)))
        return max(0.0, center - bound[columns]), center + bound[columns]
    sides = [(bound[j] - v, v - bound[columns + j]) for j, v in enumerate(row)]
    low = _squares(0.5 * ((a + abs(a)) + (b + abs(b))) for a, b in sides)
    high = _squares(abs(a) if abs(a) > abs(b) else abs(b) for a, b in sides)
    return math.sqrt(low), math.sqrt(high)


def _squares(terms: Iterator[float]) -> float:
    """Add squares from left to right; `sum` of newer Pythons keeps more digits."""
    total = 0.0
    for term in terms:
        total += term * term
    return total


def _lower(e: Emitter, node: Node) -> None:
    x, radius = node.inputs
    attrs = node.attrs
    e.refuse(
        "neighbors_within",
        e.ragged(node, 0),
        e.ragged(node, 1),
        e.pointer(x),
        e.pointer(radius),
        e.weight(np.asarray(attrs["points"])),
        e.weight(np.asarray(attrs["numbers"])),
        e.weight(np.asarray(attrs["nodes"]).astype(np.int32), 4),
        e.weight(np.asarray(attrs["bounds"])),
        e.growing(3),
        "i32 %m",
        f"i32 {np.asarray(attrs['points']).shape[1]}",
        f"i32 {int(attrs['balls'])}",
    )


#: Points [count, columns] in the order of a tree's leaves; its nodes [begin, end, is leaf] in the
#: order of a heap; what bounds a node: a box's lower and upper corner, or a ball's center and
#: radius. A node that is surely beyond the radius is left out, one that is surely within it counts
#: whole; the points of other leaves count by their squared distances, added from left to right.
PointsWithin = Op(
    "sclbl.PointsWithin",
    _infer,
    _within,
    _lower,
    _FLOAT64,
    exact=True,
    holds="points",
    ragged=True,
)
