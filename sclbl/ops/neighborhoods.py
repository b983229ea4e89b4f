"""What is made of the points that a search found: their values, votes, means, sparse rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.ops.distances import check_numbers, check_points, search_arguments
from sclbl.ops.neighbors import found_within
from sclbl.ops.ragged import Items
from sclbl.ops.record import Array, Attrs, Emitter, Op, Operand, Typed, fail, has_inputs, tensor
from sclbl.spec import Node

_INT64 = frozenset(("int64",))
_FLOAT64 = frozenset(("float64",))
_TABLES = ("float64", "float32", "int64")


def _array(node: Node, name: str, dtypes: Sequence[str], axes: int) -> Array:
    found = node.attrs.get(name)
    if not isinstance(found, np.ndarray) or found.dtype.name not in dtypes or found.ndim != axes:
        raise fail(node, f"takes {name} of {axes} axes, {' or '.join(dtypes)}")
    return found


def _count(node: Node, name: str, least: int, most: int) -> int:
    found = node.attrs.get(name)
    if type(found) is not int or not least <= found <= most:
        raise fail(node, f"takes {name} from {least} to {most}")
    return found


def _only(node: Node, *names: str) -> None:
    if set(node.attrs) != set(names):
        raise fail(node, f"takes {', '.join(names)}")


# ------------------------------------------------------------------ rows of a table


def _take_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, table = tensor(node, xs[0], _INT64), _array(node, "table", _TABLES, 2)
    _only(node, "table")
    if len(x.shape) != 1 or not table.size:
        raise fail(node, "takes numbers in columns, and a table")
    dtype: Any = table.dtype.name
    return [(dtype, (x.width * table.shape[1],))]


def _take(attrs: Attrs, x: Array) -> Array:
    table = attrs["table"]
    known = (x >= 0) & (x < len(table))
    found = np.where(known[..., None], table[np.where(known, x, 0)], 0)
    return np.asarray(found.reshape(len(x), -1), dtype=table.dtype)


def _take_lower(e: Emitter, node: Node) -> None:
    (x,), table = node.inputs, np.ascontiguousarray(node.attrs["table"])
    e.call(
        "neighborhoods_take",
        e.output(node),
        e.pointer(x),
        e.weight(table),
        e.cells(e.width(x)),
        f"i32 {len(table)}",
        f"i32 {table.shape[1] * table.itemsize}",
    )


#: The rows of a table with the given numbers, side by side; zeros for a number that it has not.
TakeRows = Op(
    "sclbl.TakeRows", _take_infer, _take, _take_lower, _INT64, exact=True, holds="values of points"
)


# ------------------------------------------------------------------ votes


def _votes_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    if len(xs) not in (1, 2):
        raise fail(node, "takes numbers of classes, and perhaps weights")
    tensor(node, xs[0], _INT64)
    if len(xs) == 2 and (tensor(node, xs[1], frozenset(("float64",))).shape != xs[0].shape):
        raise fail(node, "takes as many weights as numbers")
    _only(node, "classes", "pairs")
    classes = _count(node, "classes", 1, 2**31 - 1)
    _count(node, "pairs", 0, 1)
    return [("float64", (classes,))]


def _votes(attrs: Attrs, x: Array, weights: Array | None = None) -> Array:
    given = np.ones(x.shape) if weights is None else weights
    out = np.zeros((len(x), attrs["classes"]))
    known = (x >= 0) & (x < attrs["classes"])
    if attrs["pairs"]:
        for c in np.unique(x[known]).tolist():
            out[:, c] = [np.sum(row) for row in np.where(x == c, given, 0.0)]
        return out
    for numbers, weight, voted in zip(x.T, given.T, known.T, strict=True):
        out[np.flatnonzero(voted), numbers[voted]] += weight[voted]
    return out


def _votes_lower(e: Emitter, node: Node) -> None:
    x, *weights = node.inputs
    e.call(
        "neighborhoods_votes",
        e.output(node),
        e.pointer(x),
        e.pointer(weights[0]) if weights else "ptr null",
        "i32 %m",
        f"i32 {e.width(x)}",
        f"i32 {node.attrs['classes']}",
        f"i32 {node.attrs['pairs']}",
    )


#: The weights (or numbers) of each class, added one by one, or as `numpy.sum` adds those of a class
#: between zeros for the others (`pairs`).
Votes = Op("sclbl.Votes", _votes_infer, _votes, _votes_lower, _INT64, exact=True)


# ------------------------------------------------------------------ within a radius


_SEARCH = (
    "points", "numbers", "nodes", "bounds", "vector", "p", "shape", "single", "metric"
)  # fmt: skip


def _search(node: Node, xs: Sequence[Operand], values: str) -> int:
    """Check rows, radii and points, of which each has a value; return how many there are."""
    has_inputs(node, xs, 2)
    x, radius = (tensor(node, operand, _FLOAT64) for operand in xs)
    check_points(node, x, {name: node.attrs.get(name) for name in _SEARCH})
    count = len(node.attrs["points"])
    if radius.width != 1 or sorted(node.attrs["numbers"].tolist()) != [*range(count)]:
        raise fail(node, "takes a radius for each row, and numbers points from 0 on")
    if len(node.attrs[values]) != count:
        raise fail(node, f"takes {values} for each point")
    return count


def _weights(distances: Array, by_distance: int) -> Array:
    """Return weights of points: 1, or 1 / distance, where no point is the row itself."""
    if not by_distance:
        return np.ones(len(distances))
    same = distances == 0
    with np.errstate(divide="ignore"):
        return np.where(same.any(), same, 1.0 / distances)


def _within_votes_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    _only(node, "codes", "classes", "by_distance", *_SEARCH)
    classes = _count(node, "classes", 1, 2**31 - 1)
    codes = _array(node, "codes", ("int64",), 1)
    _count(node, "by_distance", 0, 1)
    _search(node, xs, "codes")
    if codes.min() < 0 or codes.max() >= classes:
        raise fail(node, "takes the class of each point")
    return [("float64", (classes,))]


def _within_votes(attrs: Attrs, x: Array, radius: Array) -> Array:
    out = np.zeros((len(x), attrs["classes"]))
    for i, (distances, numbers) in enumerate(found_within({**attrs, "sorted": 0}, x, radius)):
        np.add.at(out[i], attrs["codes"][numbers], _weights(distances, attrs["by_distance"]))
    return out


def _within_lower(e: Emitter, node: Node, kernel: str, arrays: Sequence[str], width: int) -> None:
    x, radius = node.inputs
    addresses, sizes = search_arguments(e, node.attrs)
    e.call(
        kernel,
        e.output(node),
        e.pointer(x),
        e.pointer(radius),
        *addresses,
        *arrays,
        e.workspace(16 * len(node.attrs["points"])),
        "i32 %m",
        f"i32 {width}",
        f"i32 {node.attrs['by_distance']}",
        *sizes,
    )


def _within_votes_lower(e: Emitter, node: Node) -> None:
    codes = e.weight(np.asarray(node.attrs["codes"]).astype(np.int32), 4)
    _within_lower(e, node, "neighborhoods_votes_within", [codes], node.attrs["classes"])


#: The weights of each class among the points within a radius, added one by one.
VotesWithin = Op(
    "sclbl.VotesWithin",
    _within_votes_infer,
    _within_votes,
    _within_votes_lower,
    _FLOAT64,
    check=check_numbers,
    holds="points and their classes",
)


def _within_means_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    _only(node, "table", "none", "by_distance", *_SEARCH)
    table = _array(node, "table", ("float64",), 2)
    _count(node, "by_distance", 0, 1)
    _search(node, xs, "table")
    if _array(node, "none", ("float64",), 1).shape != table.shape[1:] or not table.size:
        raise fail(node, "takes the values of each point, and those of none")
    return [("float64", table.shape[1:])]


def _within_means(attrs: Attrs, x: Array, radius: Array) -> Array:
    out = np.empty((len(x), attrs["table"].shape[1]))
    for i, (distances, numbers) in enumerate(found_within({**attrs, "sorted": 0}, x, radius)):
        values = attrs["table"][numbers]
        if not len(values):
            out[i] = attrs["none"]
        elif attrs["by_distance"]:
            weights = _weights(distances, 1).astype(np.float64)
            out[i] = (values * weights[:, None]).sum(axis=0) / weights.sum()
        else:
            out[i] = values.mean(axis=0)
    return out


def _within_means_lower(e: Emitter, node: Node) -> None:
    table, none = (np.asarray(node.attrs[name]) for name in ("table", "none"))
    arrays = [e.weight(table), e.weight(none)]
    _within_lower(e, node, "neighborhoods_means_within", arrays, table.shape[1])


#: The mean of the values of the points within a radius, added as `numpy.mean` adds along axis 0.
MeansWithin = Op(
    "sclbl.MeansWithin",
    _within_means_infer,
    _within_means,
    _within_means_lower,
    _FLOAT64,
    check=check_numbers,
    holds="points and their values",
)


# ------------------------------------------------------------------ sparse rows


def _lists(node: Node, xs: Sequence[Operand]) -> None:
    has_inputs(node, xs, 2)
    if [(x.ragged, x.dtype) for x in xs] != [("list", "float64"), ("list", "int64")]:
        raise fail(node, "takes lists of distances and of numbers")


def _sparse_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    _only(node, "columns", "ones")
    _count(node, "ones", 0, 1)
    columns = _count(node, "columns", 1, 2**31 - 1)
    if xs[0].ragged == "list":
        _lists(node, xs)
    elif xs[0].shape != xs[1].shape or [x.dtype for x in xs] != ["float64", "int64"]:
        raise fail(node, "takes as many distances as numbers")
    return [("float64", (columns,), "sparse")]


def _sparse(attrs: Attrs, distances: Any, numbers: Any) -> Items:
    if isinstance(distances, Items):
        offsets, values, keys = distances.offsets, distances.values, numbers.values
    else:
        offsets = np.arange(len(distances) + 1) * distances.shape[1]
        values, keys = distances.ravel(), numbers.ravel()
    # A number beyond the columns stands for the first of them.
    keys = np.where((keys >= 0) & (keys < attrs["columns"]), keys, 0)
    return Items(offsets, keys, np.ones(len(values)) if attrs["ones"] else values)


def _sparse_lower(e: Emitter, node: Node) -> None:
    distances, numbers = node.inputs
    maker = e.maker(distances)
    lists = maker is not None and maker.op == "sclbl.PointsWithin"
    e.refuse(
        f"neighborhoods_sparse_{'lists' if lists else 'rows'}",
        e.ragged(node),
        e.pointer(distances),
        e.pointer(numbers),
        e.growing(3),
        "i32 %m",
        *(() if lists else (f"i32 {e.width(distances)}",)),
        f"i32 {node.attrs['columns']}",
        f"i32 {node.attrs['ones']}",
    )


#: Sparse rows of the distances to points, in the columns of their numbers, or of ones.
SparseNeighbors = Op(
    "sclbl.SparseNeighbors",
    _sparse_infer,
    _sparse,
    _sparse_lower,
    frozenset(("float64",)),
    exact=True,
    ragged=True,
)
