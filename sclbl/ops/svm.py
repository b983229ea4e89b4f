"""Support vector classifiers of many classes: sums for each pair, and their probabilities."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from sclbl import special
from sclbl.ops.record import (
    Array,
    Attrs,
    Body,
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
#: Bounds of a pair's probability, as in ``svm_predict_probability``.
_LEAST = 1e-7


def _classes(pairs: int) -> int:
    return (1 + math.isqrt(1 + 8 * pairs)) // 2


def _sums_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, coef, counts = tensor(node, xs[0], _FLOAT64), *map(node.attrs.get, ("coef", "counts"))
    if (
        set(node.attrs) != {"coef", "counts"}
        or not isinstance(coef, np.ndarray)
        or not isinstance(counts, np.ndarray)
        or (coef.dtype.name, counts.dtype.name, counts.ndim) != ("float64", "int64", 1)
        or len(counts) < 2
        or (counts < 0).any()
        or coef.shape != (len(counts) - 1, int(counts.sum()))
        or x.shape != coef.shape[1:]
    ):
        raise fail(node, "takes how many vectors each class has, and their coefficients")
    return [("float64", (len(counts) * (len(counts) - 1) // 2,))]


def _pair_terms(attrs: Attrs) -> list[tuple[Array, Array]]:
    """Return, for each pair, the numbers of its vectors and their coefficients."""
    coef, ends = attrs["coef"], np.cumsum(attrs["counts"])
    own = [np.arange(end - n, end) for end, n in zip(ends, attrs["counts"], strict=True)]
    return [
        (np.concatenate([own[i], own[j]]), np.concatenate([coef[j - 1, own[i]], coef[i, own[j]]]))
        for i, j in itertools.combinations(range(len(own)), 2)
    ]


def _sums(attrs: Attrs, x: Array) -> Array:
    none = np.zeros((len(x), 1))
    terms = (np.hstack([none, x[:, at] * coef]) for at, coef in _pair_terms(attrs))
    return np.column_stack([np.cumsum(t, axis=1)[:, -1] for t in terms])


def _sums_body(b: Body, node: Node) -> str:
    terms = _pair_terms(node.attrs)
    weights = np.zeros((node.attrs["coef"].shape[1], len(terms)))
    for k, (at, coef) in enumerate(terms):
        weights[at, k] = coef
    return b.op("MatMul", "x", b.tensor(weights))


def _sums_lower(e: Emitter, node: Node) -> None:
    coef, counts = node.attrs["coef"], node.attrs["counts"]
    classes = len(counts)
    e.call(
        "svm_pair_sums",
        e.output(node),
        e.pointer(node.inputs[0]),
        e.weight(np.ascontiguousarray(coef.T)),
        e.weight(counts.astype(np.int32), 4),
        e.workspace(8 * (classes * classes + classes)),
        "i32 %m",
        f"i32 {classes}",
        f"i32 {coef.shape[1]}",
    )


#: A sum for each pair of classes, over the vectors of the first class and then of the second, in
#: order. ``coef`` [classes - 1, vectors]: a vector's row against class c is c, or c - 1 where its
#: own class comes before.
PairSums = Op(
    "sclbl.PairSums",
    _sums_infer,
    _sums,
    _sums_lower,
    _FLOAT64,
    body=_sums_body,
    private=True,
    exact=True,
    holds="coefficients of support vectors",
)


def _couple_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], _FLOAT64)
    slopes, offsets = map(node.attrs.get, ("slopes", "offsets"))
    classes = _classes(x.width)
    if (
        set(node.attrs) != {"slopes", "offsets"}
        or not isinstance(slopes, np.ndarray)
        or not isinstance(offsets, np.ndarray)
        or {slopes.dtype.name, offsets.dtype.name} != {"float64"}
        or not slopes.shape == offsets.shape == x.shape
        or x.width != classes * (classes - 1) // 2
        or classes < 2
    ):
        raise fail(node, "takes a slope and an offset for each pair of classes")
    return [("float64", (classes,))]


def _couple(attrs: Attrs, x: Array) -> Array:
    classes = _classes(x.shape[1])
    f = x * attrs["slopes"] + attrs["offsets"]
    with np.errstate(all="ignore"):
        small = special.exp(np.where(f >= 0, -f, f))
        chances = np.where(f >= 0, small / (1.0 + small), 1.0 / (1 + small))
    # As in C++, where NaN is not more than the least.
    chances = np.where(chances > _LEAST, chances, _LEAST)
    chances = np.where(chances < 1 - _LEAST, chances, 1 - _LEAST)
    return np.array([_coupled(row, classes) for row in chances]).reshape(-1, classes)


def _coupled(chances: Array, k: int) -> list[float]:
    """Return the probabilities that go best with those of pairs (``multiclass_probability``)."""
    r = np.zeros((k, k))
    r[np.triu_indices(k, 1)] = chances
    r += np.tril(1 - r.T, -1)
    q = -r.T * r
    for t in range(k):
        q[t, t] = 0
        for j in range(k):
            q[t, t] += r[j, t] * r[j, t] if j != t else 0.0
    p, qp = [1.0 / k] * k, [0.0] * k
    for _ in range(max(100, k)):
        pqp = 0.0
        for t in range(k):
            qp[t] = 0.0
            for j in range(k):
                qp[t] += q[t, j] * p[j]
            pqp += p[t] * qp[t]
        if all(not abs(v - pqp) > 0 or abs(v - pqp) < 0.005 / k for v in qp):
            break
        for t in range(k):
            step = (-qp[t] + pqp) / q[t, t]
            p[t] += step
            pqp = (pqp + step * (step * q[t, t] + 2 * qp[t])) / (1 + step) / (1 + step)
            for j in range(k):
                qp[j] = (qp[j] + step * q[t, j]) / (1 + step)
                p[j] /= 1 + step
    return p


def _couple_lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    classes = _classes(e.width(x))
    e.call(
        "svm_couple",
        e.output(node),
        e.pointer(x),
        e.weight(np.asarray(node.attrs["slopes"])),
        e.weight(np.asarray(node.attrs["offsets"])),
        e.workspace(8 * (2 * classes * classes + classes)),
        "i32 %m",
        f"i32 {classes}",
    )


#: Probabilities of classes from decisions for pairs: Platt's sigmoids, coupled by Wu, Lin and
#: Weng's iteration to its own stopping rule. No standard operator says that, so files hold it as it
#: is.
CouplePairs = Op(
    "sclbl.CouplePairs",
    _couple_infer,
    _couple,
    _couple_lower,
    _FLOAT64,
    exact=True,
    holds="slopes and offsets of pairs",
)
