"""`sklearn.metrics`: distances, and the points that searches by them look through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.ops.distances import BALLS, BOXES, NO_BOUNDS
from sclbl.strippers import ops
from sclbl.strippers.wire import Wire

#: Classes of `sklearn.metrics.DistanceMetric`, without the width of their numbers.
_OF_CLASS = {
    "EuclideanDistance": "euclidean", "ManhattanDistance": "manhattan",
    "ChebyshevDistance": "chebyshev", "MinkowskiDistance": "minkowski",
    "SEuclideanDistance": "seuclidean", "MahalanobisDistance": "mahalanobis",
    "HaversineDistance": "haversine", "CanberraDistance": "canberra",
    "BrayCurtisDistance": "braycurtis", "HammingDistance": "hamming",
    "JaccardDistance": "jaccard", "DiceDistance": "dice",
    "RogersTanimotoDistance": "rogerstanimoto", "SokalMichenerDistance": "rogerstanimoto",
    "RussellRaoDistance": "russellrao", "SokalSneathDistance": "sokalsneath",
}  # fmt: skip
#: What a search without a tree computes through a product of matrices.
_PRODUCTS = {"euclidean": "product", "sqeuclidean": "squared product"}
#: What it computes by SciPy or NumPy where rows and points are not of one type of floats.
_OF_ANY_TYPE = frozenset({
    "euclidean", "l2", "sqeuclidean", "manhattan", "cityblock", "l1", "chebyshev", "minkowski",
    "seuclidean", "mahalanobis", "haversine", "canberra", "cosine",
})  # fmt: skip


def of_tree(tree: Any) -> dict[str, Any]:
    """Return the points of a `KDTree` or `BallTree` as attributes of a search."""
    points, order, nodes, bounds = map(np.asarray, tree.get_arrays())
    # A box is bounded by its corners, a ball by its center and its radius.
    balls = type(tree).__name__.startswith("Ball")
    ends = [bounds[0], nodes["radius"][:, None]] if balls else list(bounds)
    fields = ("idx_start", "idx_end", "is_leaf")
    return {
        "points": np.ascontiguousarray(np.asarray(points, dtype=np.float64)[order]),
        "numbers": order.astype(np.int64),
        "nodes": np.column_stack([nodes[name] for name in fields]).astype(np.int64),
        "bounds": np.column_stack(ends).astype(np.float64),
        "shape": BALLS if balls else BOXES,
        "single": 0,
        **_of_metric(tree.__getstate__()[-2]),
    }


def _of_metric(metric: Any) -> dict[str, Any]:
    """Return what a `DistanceMetric` computes, as attributes of a search."""
    known = _OF_CLASS.get(type(metric).__name__.rstrip("0123456789"))
    if known is None:
        raise UnsupportedModelError(
            f"distances are computed by {type(metric).__name__}, which programs do not have; use "
            f"one of {', '.join(sorted({*_OF_CLASS.values()}))}"
        )
    p, vector, matrix = metric.__getstate__()
    if known == "mahalanobis":
        vector = np.asarray(matrix).ravel()
    elif known not in ("minkowski", "seuclidean"):
        vector = ()
    vector = np.array(vector, dtype=np.float64)
    return {"metric": known, "vector": vector, "p": np.array([float(p)])}


def of_points(
    points: np.ndarray, x: np.dtype[Any], metric: Any, parameters: Mapping[str, Any], advice: str
) -> dict[str, Any]:
    """Return points that are looked through one by one as attributes of a search.

    Parameters
    ----------
    points : array ``[count, columns]``
        As the model holds them.
    x : dtype
        What the rows are held in.
    metric : str or DistanceMetric
        What is computed.
    parameters : mapping
        Its parameters.
    advice : str
        What to do where it cannot be written, for the message.
    """
    from sklearn.metrics import DistanceMetric
    from sklearn.metrics._pairwise_distances_reduction import ArgKmin

    single = x == points.dtype == np.float32
    # Rows and points of one type of floats are searched by a compiled loop of their own.
    compiled = x == points.dtype and x in (np.float32, np.float64)
    compiled = compiled and metric in ArgKmin.valid_metrics()
    if not compiled and (metric not in _OF_ANY_TYPE or (single and metric == "cosine")):
        raise UnsupportedModelError(
            f"the nearest of points with {'equal' if metric != 'cosine' else 'float32'} "
            f"{metric!r} distances are in an order that depends on the processor; {advice}"
        )
    whole = np.asarray(points, dtype=np.float64)
    product = _PRODUCTS.get("euclidean" if metric == "l2" and not compiled else str(metric))
    if product:
        found = {"metric": product, "vector": np.empty(0), "p": np.full(1, 2.0)}
        whole = np.column_stack([whole, squared_lengths(whole)])
        single = single and product == "product"
    elif metric == "cosine":
        found = {"metric": "cosine", "vector": np.empty(0), "p": np.full(1, 2.0)}
        whole = _unit(whole)
    else:
        found = _of_metric(DistanceMetric.get_metric(metric, np.float64, **parameters))
        single = single and compiled
    return {
        "points": whole,
        "numbers": np.arange(len(points)),
        "nodes": np.array([[0, len(points), 1]]),
        "bounds": np.empty((1, 0)),
        "shape": NO_BOUNDS,
        "single": int(single),
        **found,
    }


def require_order(name: str, points: np.ndarray, x: np.dtype[Any], metric: Any) -> None:
    """Refuse nearest points of which the source leaves those that are equally far in any order.

    Rows and points of one type of floats are searched by a compiled loop; others by
    `numpy.argpartition`, which takes other paths on other processors.
    """
    from sklearn.metrics._pairwise_distances_reduction import ArgKmin

    if x != points.dtype or x not in (np.float32, np.float64):
        raise UnsupportedModelError(
            f"{name} was fitted on {points.dtype} and searches {x} one by one, so that points that "
            "are equally far are in an order that depends on the processor; fit it on "
            'X.astype(float) and give such rows, or fit it with algorithm="ball_tree"'
        )
    if metric not in ArgKmin.valid_metrics():
        raise UnsupportedModelError(
            f"{name} finds points of equal {metric!r} distances in an order that depends on the "
            'processor; fit it with algorithm="ball_tree" and a metric of trees (behind a '
            'Normalizer, the Euclidean distance is in the order of "cosine")'
        )


def squared_lengths(points: np.ndarray) -> np.ndarray:
    """Return ``x·x`` of each point, added as a program adds it for a row."""
    total = np.zeros(len(points))
    for column in points.T:
        total += column * column
    return total


def _unit(points: Any) -> np.ndarray:
    """Return points of length 1, as `sklearn.preprocessing.normalize` makes them."""
    from sklearn.preprocessing import normalize

    return np.asarray(normalize(points))


def nearest(x: Wire, search: Mapping[str, Any], k: int) -> tuple[Wire, Wire]:
    """Return the k nearest points: their distances and their numbers, ``[rows, k]``."""
    distances, numbers = x.builder.nodes(
        "sclbl.NearestPoints", [_row(x, search)], 2, k=int(k), **search
    )
    return distances, numbers


def within(
    x: Wire, search: Mapping[str, Any], radius: Wire, *, in_order: bool = False
) -> tuple[Wire, Wire]:
    """Return the points within a radius: lists of distances and of numbers."""
    distances, numbers = x.builder.nodes(
        "sclbl.PointsWithin", [_row(x, search), radius], 2, sorted=int(in_order), **search
    )
    return distances, numbers


def made_within(op: str, x: Wire, search: Mapping[str, Any], radius: Wire, **attrs: Any) -> Wire:
    """Return what an operator makes of the points within a radius."""
    return x.builder.node(op, [_row(x, search), radius], **search, **attrs)


def _row(x: Wire, search: Mapping[str, Any]) -> Wire:
    """Return rows as a search compares them."""
    x = x.astype(np.float64)
    if search["metric"] != "cosine":
        return x
    lengths = np.sqrt(ops.sum_in_order(x * x, keepdims=True))
    # Lengths that are nothing but rounding count as 1.
    unit: Wire = x / np.where(lengths < 10 * np.finfo(np.float64).eps, 1.0, lengths)
    return unit


def _is_frame(x: Wire) -> bool:
    """Return whether X is a DataFrame's array, whose columns lie behind each other.

    The compiled searches do not take that; for float32, distances are rounded to it there.
    """
    return x.builder.signature.layout != "array" and x.width > 1


def argmin(x: Wire, points: np.ndarray, lengths: np.ndarray | None = None) -> Wire:
    """Return which point is nearest, as `pairwise_distances_argmin` does: int64 ``[rows]``.

    A model may keep the squared lengths of its points, which count as they are where rows and
    points are of one type, be they rounded to float32.
    """
    if x.numbers == points.dtype == np.float32 and _is_frame(x):
        rounded: Wire = np.argmin(euclidean_distances(x, points), axis=1)
        return rounded
    search = of_points(points, x.numbers, "euclidean", {}, "")
    if lengths is not None and x.numbers == points.dtype and points.dtype.kind == "f":
        search["points"][:, -1] = lengths
    _, numbers = nearest(x, search, 1)
    return numbers[:, 0]


def euclidean_distances(x: Wire, points: np.ndarray, *, squared: bool = False) -> Any:
    """Return Euclidean distances ``[rows, count]``, by the product of rows and points.

    Of two float32 arrays the squares are added up in float64, then rounded.
    """
    made = np.result_type(x.numbers, points.dtype)
    y, x = np.asarray(points, dtype=np.float64), x.astype(np.float64)
    found = -2 * (x @ y.T) + ops.sum_in_order(x * x, keepdims=True) + squared_lengths(y)
    if made == np.float32:
        found = found.astype(made)
    found = np.maximum(found, 0)
    return found if squared else np.sqrt(found)
