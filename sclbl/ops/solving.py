"""Equations that each row has of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sclbl.ops.distances import double, in_order
from sclbl.ops.record import Array, Attrs, Emitter, Op, Operand, Typed, fail, has_inputs, tensor
from sclbl.spec import Node

_FLOAT64 = frozenset(("float64",))


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, attrs = tensor(node, xs[0], _FLOAT64), dict(node.attrs)
    count, added = attrs.pop("k", None), attrs.pop("added", None)
    if attrs or type(count) is not int or count < 1 or not x.width or x.width % count:
        raise fail(node, "takes as many numbers of each of `k` vectors")
    known = isinstance(added, np.ndarray) and (added.shape, added.dtype) == ((1,), np.float64)
    if not known or not 0 < added[0] < np.inf:
        raise fail(node, "takes what is added to the diagonal, a share of its sum")
    return [("float64", (count,))]


def _define(attrs: Attrs, x: Array) -> Array:
    k, made = attrs["k"], []
    with np.errstate(all="ignore"):
        for vectors in x.reshape(len(x), k, -1):
            g = np.array([in_order(vectors[a] * vectors) for a in range(k)])
            trace = float(in_order(np.diag(g)[None])[0])
            share = float(attrs["added"][0])
            added = share * trace if trace > 0 else share
            weights = _solved(g + np.diag(np.full(k, added)))
            made.append(weights / in_order(weights[None]))
    return np.array(made).reshape(-1, k)


def _solved(g: Array) -> Array:
    """Solve ``g w = 1`` by Cholesky's factors."""
    k = len(g)
    lower, w = np.zeros((k, k)), np.ones(k)
    for a in range(k):
        for b in range(a + 1):
            left = g[a, b]
            for t in range(b):
                left -= lower[a, t] * lower[b, t]
            lower[a, b] = np.sqrt(left) if a == b else left / lower[b, b]
    for a in range(k):
        for t in range(a):
            w[a] -= lower[a, t] * w[t]
        w[a] /= lower[a, a]
    for a in reversed(range(k)):
        for t in range(a + 1, k):
            w[a] -= lower[t, a] * w[t]
        w[a] /= lower[a, a]
    return w


def _lower(e: Emitter, node: Node) -> None:
    (x,), k = node.inputs, int(node.attrs["k"])
    added = double(float(np.asarray(node.attrs["added"])[0]))
    sizes = ("i32 %m", f"i32 {k}", f"i32 {e.width(x) // k}", added)
    e.call("solving_barycenter", e.output(node), e.pointer(x), e.workspace(8 * k * k), *sizes)


#: Weights of vectors, side by side, whose weighted sum is shortest: products of all pairs of them,
#: with ``added`` times the sum of the diagonal on it, solved for ones by Cholesky's factors, and
#: divided by their sum.
Barycenter = Op("sclbl.Barycenter", _infer, _define, _lower, _FLOAT64, exact=False)
