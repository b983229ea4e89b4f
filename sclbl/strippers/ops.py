"""What strippers write that NumPy has no function for, or whose order of sums is another one.

A source that loops (Cython, C++) adds in the order of its loop, `sum_in_order`; `numpy.sum` of a
wire adds in pairs, as NumPy does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.strippers.columns import Table
from sclbl.strippers.trees import Trees
from sclbl.strippers.wire import Wire


def concat(wires: Sequence[Wire]) -> Wire:
    """Put wires side by side, as `numpy.column_stack` does."""
    joined: Any = np.column_stack(list[Any](wires))
    return joined  # type: ignore[no-any-return]  # a wire of wires


def sum_in_order(x: Wire, *, keepdims: bool = False) -> Wire:
    """Add the columns of each row from left to right."""
    return replace(x.builder.reduce("ReduceSum", x), ndim=2 if keepdims else 1)


def operator(name: str, x: Wire) -> Wire:
    """Apply an element-wise operator by its name, in the type of x."""
    return replace(x.builder.unary(name, x), ndim=x.ndim)


def sigmoid(x: Wire) -> Wire:
    """Return ``1 / (1 + exp(-x))``, within an ULP of SciPy's ``expit``."""
    return operator("Sigmoid", x)


def libm_exp(x: Wire) -> Wire:
    """Return what the C library's ``exp`` (``expf`` of float32) gives."""
    return operator("sclbl.LibmExp", x)


def libm_sigmoid(x: Wire) -> Wire:
    """Return what SciPy's ``expit`` gives, which calls the C library's ``exp``."""
    return operator("sclbl.LibmSigmoid", x)


def softmax(x: Wire) -> Wire:
    """Return ``exp(x - max) / sum`` of each row, summed from left to right."""
    return x.builder.softmax(x)


def labels(codes: Wire, *classes: Any) -> Wire:
    """End a classifier: class numbers, one column an output, become labels."""
    return codes.builder.labels(codes.builder.cast(codes, "int64"), classes)


def label_numbers(x: Wire) -> Wire:
    """Return labels that are whole numbers as numbers (int64)."""
    if x.labels is None:
        return x
    codes, (numbers,) = x.builder.codes(x), x.labels
    if numbers == tuple(range(len(numbers))):
        return codes
    return x.builder.lookup(codes, range(len(numbers)), values=np.array(numbers))


def decide(scores: Any, classes: Any, *, ties_go_up: bool = False) -> Wire:
    """Return labels: of two classes by the sign of one score, of more by the largest one.

    A score of zero is the first class, or the second one where `ties_go_up`.
    """
    if scores.width > 1:
        return labels(np.argmax(scores, axis=1), classes)
    return labels(scores >= 0 if ties_go_up else scores > 0, classes)


def trees(x: Wire, ensemble: Trees, start: Wire | None = None) -> Wire:
    """Sum the leaves of an ensemble: ``[rows, outputs]``; see `Builder.trees`."""
    return x.builder.trees(x, ensemble, start)


def tree_leaves(x: Wire, ensemble: Trees) -> Wire:
    """Return which leaf each tree ends in: int64 ``[rows, trees]``."""
    return x.builder.tree_leaves(x, ensemble)


def constant_column(x: Wire | Table, value: float) -> Wire:
    """Return float64 ``[rows, 1]``: a number for each row, whatever the row holds."""
    if isinstance(x, Table):
        # A selection may have left none: then any column of the rows themselves.
        first = (x if x.width else x.builder.table()).column(0)
    else:
        first = x.builder.columns(x, [0])
    test = first.builder.binary("Equal", first, np.array("" if first.dtype == "text" else 0.0))
    build = first.builder
    # Zero times the outcome of some test.
    return build.add(build.mul(build.cast(test, "float64"), 0.0), value)


def constant_row(x: Wire, values: np.ndarray) -> Wire:
    """Return the same float64 numbers for each row, whatever it holds."""
    return replace(x.builder.add(constant_column(x, 0.0), np.asarray(values, np.float64)), ndim=2)


def refuse(x: Wire, *, nan: bool, inf: bool = True) -> Wire:
    """Pass x through; the program refuses the row where it holds NaN or an infinity."""
    checked = x.builder.refuse(x, nan=nan, inf=inf)
    return replace(checked, held=x.held, ndim=x.ndim, sparse=x.sparse)


def point_sums(x: Wire, points: np.ndarray, terms: str) -> Wire:
    """Add up what each row differs by from points: "squares", "sizes" or "chi2" of differences."""
    own = np.ascontiguousarray(points, dtype=x.dtype)
    return x.builder.node("sclbl.PointSums", [x], points=own, terms=terms)


def interp(x: Wire, points: np.ndarray, heights: np.ndarray) -> Wire:
    """Return `numpy.interp` of each column, between points ``[columns, count]`` of its own."""
    own = np.ascontiguousarray(points, dtype=np.float64)
    shared = np.ascontiguousarray(heights, dtype=np.float64)
    return x.builder.node("sclbl.Interp", [x], points=own, heights=shared)


def bsplines(x: Wire, knots: np.ndarray, degree: int, periodic: bool, products: bool) -> Wire:
    """Return each column's B-splines over its knots, one after the other.

    With `products` what is not finite is in all of a column's, as in products with zeros.
    """
    own = np.ascontiguousarray(knots, dtype=np.float64)
    flags = {"periodic": int(periodic), "products": int(products)}
    return x.builder.node("sclbl.BSplines", [x], None, knots=own, degree=degree, **flags)


def pair_sums(x: Wire, coef: np.ndarray, counts: Any) -> Wire:
    """Add up support vectors' kernels for each pair of classes, ``[rows, pairs]``."""
    sizes = np.asarray(counts, dtype=np.int64)
    return x.builder.node("sclbl.PairSums", [x], coef=coef.astype(np.float64), counts=sizes)


def couple(decisions: Wire, slopes: np.ndarray, offsets: np.ndarray) -> Wire:
    """Return probabilities of classes, from decisions for pairs of them."""
    a, b = (np.asarray(v, dtype=np.float64) for v in (slopes, offsets))
    return decisions.builder.node("sclbl.CouplePairs", [decisions], slopes=a, offsets=b)


def refuse_outside(x: Wire, low: Any = -np.inf, high: Any = np.inf) -> Wire:
    """Pass x through; the program refuses the row where it holds less than `low` or more than
    `high`, numbers or rows of them, in the type of x; NaN passes."""
    bounds = np.array([np.broadcast_to(v, x.width) for v in (low, high)], dtype=x.dtype)
    node = x.builder.node
    checked = node("sclbl.RefuseOutside", [x], x.origins, columns=x.origins, bounds=bounds)
    return replace(checked, held=x.held, ndim=x.ndim, sparse=x.sparse)


def refuse_zeros(x: Wire) -> Wire:
    """Pass x through; the program refuses a row of which nothing is left but zeros."""
    return replace(x.builder.node("sclbl.RefuseZeros", [x], x.origins), held=x.held, ndim=x.ndim)


def reduce(name: str, x: Wire) -> Wire:
    """Reduce each row to one number, ``[rows, 1]``, by an operator's name."""
    return x.builder.reduce(name, x)


def weighted_median(x: Wire, weights: np.ndarray) -> Wire:
    """Return the smallest number of each row up to which lies half of the weight."""
    own = np.ascontiguousarray(weights, dtype=np.float64)
    return replace(x.builder.node("sclbl.WeightedMedian", [x], weights=own), ndim=1)


def items_held_as(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Return sparse rows in the source's type; integers travel as int64."""
    if dtype.kind != "f":
        return replace(x, held=None if dtype == np.int64 else dtype)
    if x.dtype == dtype.name:
        return replace(x, held=None)
    return x.builder.node("sclbl.CastItems", [x], to=dtype.name)


def items_log(x: Wire) -> Wire:
    """Return ``1 + log(value)`` of the items of sparse rows."""
    return x.builder.node("sclbl.LogItems", [x])


def items_scale(x: Wire, factors: np.ndarray) -> Wire:
    """Multiply the items of sparse rows by their columns' factors, and keep their type."""
    return x.builder.node("sclbl.ScaleItems", [x, x.builder.constant(factors)])


def items_norm(x: Wire, norm: str) -> Wire:
    """Divide sparse rows by their norm, ``l1`` or ``l2``; a row of zeros stays as it is.

    Items that are no finite numbers are refused, as `sklearn.preprocessing.normalize` does.
    """
    x = x.builder.node("sclbl.RefuseItems", [x], nan=1, inf=1)
    return x.builder.node("sclbl.NormItems", [x], norm=norm)


def sparse_rows(x: Wire) -> Wire:
    """Return rows of columns as the sparse rows of those that are not zero."""
    return replace(x.builder.node("sclbl.SparseRows", [x]), held=x.held)


def items_join(x: Wire, y: Wire) -> Wire:
    """Put sparse rows side by side."""
    return x.builder.node("sclbl.JoinItems", [x, y], first=x.width)


def items_choose(x: Wire, columns: Sequence[int]) -> Wire:
    """Return some of the columns of sparse rows, in their order and each of them once."""
    chosen = np.asarray(columns, dtype=np.int64)
    return replace(x.builder.node("sclbl.ChooseItems", [x], columns=chosen), held=x.held)


def items_above(x: Wire, threshold: float) -> Wire:
    """Return sparse rows of 1 in the columns whose number is above a threshold of 0 or more."""
    return replace(x.builder.node("sclbl.ItemsAbove", [x], threshold=threshold), held=x.held)
