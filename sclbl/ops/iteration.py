"""Iterations of each row alone, until a rule of the source's own ends them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.ops.record import (
    FLOATS,
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
#: What is smaller is taken for it: NumPy's epsilon of float32, of all types.
LEAST = float(np.finfo(np.float32).eps)
EPSILON = float(np.finfo(np.float64).eps)


def _own(node: Node, counts: Sequence[str], settings: int, array: str) -> Array:
    """Require attributes: whole numbers, a matrix, which is returned, and so many settings."""
    attrs = dict(node.attrs)
    matrix, own = attrs.pop(array, None), attrs.pop("settings", None)
    if set(attrs) != set(counts) or not isinstance(matrix, np.ndarray):
        raise fail(node, f"takes {', '.join((array, 'settings', *counts))}")
    if any(type(n) is not int or not 0 <= n < 2**31 for n in attrs.values()):
        raise fail(node, f"takes whole numbers from 0 on for {', '.join(counts)}")
    if (
        not isinstance(own, np.ndarray)
        or (own.shape, own.dtype) != ((settings,), np.float64)
        or not np.isfinite(own).all()
    ):
        raise fail(node, f"takes {settings} finite settings")
    return matrix


def _rows_of(node: Node, x: Operand, weights: Array) -> int:
    """Return the rows of a matrix that has as many columns as x."""
    if weights.ndim != 2 or weights.dtype != x.dtype or x.shape != weights.shape[1:]:
        raise fail(node, "takes a matrix of as many columns, and of the type of its rows")
    if not weights.size:
        raise fail(node, "takes a matrix that is not empty")
    return len(weights)


def gram_of(node: Node, x: Operand, counts: Sequence[str], settings: int) -> Array:
    """Require a square matrix as wide as x, whole numbers, and so many settings."""
    gram = _own(node, counts, settings, "gram")
    if _rows_of(node, x, gram) != gram.shape[1]:
        raise fail(node, "takes a square matrix")
    return gram


def settings_of(node: Node) -> list[str]:
    """Return the settings as arguments of a kernel."""
    bits = np.asarray(node.attrs["settings"]).view(np.uint64).tolist()
    return [f"double 0x{b:016X}" for b in bits]


def _contiguous(node: Node, name: str) -> Array:
    return np.ascontiguousarray(node.attrs[name])


# ------------------------------------------------------------- coordinate descent


def _descent_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], FLOATS)
    gram_of(node, x, ("most",), 1)
    return [("float32" if x.dtype == "float32" else "float64", x.shape)]


def _descent(attrs: Attrs, x: Array) -> Array:
    gram, found, (tolerance,) = attrs["gram"], np.zeros_like(x), attrs["settings"].tolist()
    for products, w in zip(x, found, strict=True):
        first = 0.0
        for n in range(attrs["most"]):
            violation = x.dtype.type(0)
            for t in range(len(gram)):
                slope = np.cumsum([-products[t], *(gram[t] * w)], dtype=x.dtype)[-1]  # in order
                violation += abs(slope) if w[t] != 0 or slope < 0 else 0
                if gram[t, t] != 0:
                    w[t] = max(w[t] - slope / gram[t, t], x.dtype.type(0))
            first = float(violation) if n == 0 else first
            if first == 0 or float(violation) / first <= tolerance:
                break
    return found


def _descent_lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    sizes = ("i32 %m", f"i32 {e.width(x)}", f"i32 {node.attrs['most']}")
    gram = e.weight(_contiguous(node, "gram"))
    kernel = f"iteration_descent_{e.suffix(x)}"
    e.call(kernel, e.output(node), e.pointer(x), gram, *sizes, *settings_of(node))


#: Numbers from 0 on whose product with a square matrix is nearest to a row, by passes of coordinate
#: descent from 0 on, ``most`` of them, until one violates the conditions of the least distance by
#: the one setting, a part of what the first one did.
NonNegativeDescent = Op(
    "sclbl.NonNegativeDescent",
    _descent_infer,
    _descent,
    _descent_lower,
    FLOATS,
    holds="gram",
)

# ------------------------------------------------------------- multiplicative updates


def _updates_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    x, start = (tensor(node, operand, _FLOAT64) for operand in xs)
    h = _own(node, ("most", "moves"), 5, "weights")
    if start.shape != (1,) or node.attrs["moves"] not in (0, 1):
        raise fail(node, "takes one number to start from, and whether it looks at moves")
    return [("float64", (_rows_of(node, x, h),))]


def _updates(attrs: Attrs, x: Array, start: Array) -> Array:
    h = attrs["weights"]
    rows = [_update(attrs, row, np.full(len(h), s[0])) for row, s in zip(x, start, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(x), len(h))


def _update(attrs: Attrs, x: Array, w: Array) -> Array:
    h, moves = attrs["weights"], attrs["moves"]
    beta, gamma, l1, l2, tolerance = attrs["settings"].tolist()
    kept = h.sum(axis=1)
    first = last = 0.0 if moves else _divergence(x, w, h, beta)
    for n in range(1, attrs["most"] + 1):
        if beta == 2:
            up, down = h @ x, h @ h.T @ w
        else:
            made = w @ h
            safe = np.where(made < LEAST, LEAST, made) if beta < 2 else made
            made = np.where(made < LEAST, LEAST, made) if beta < 1 else made
            up, down = h @ (safe ** (beta - 2) * x), h @ made ** (beta - 1)
            down = kept if beta == 1 else down
        down = down + l1
        if l2 <= 0:
            down = np.where(down == 0, LEAST, down)
        kept = kept if moves else down
        if l2 > 0:
            down = down + l2 * w
            down = np.where(down == 0, LEAST, down)
        before, w = w, w * (up / down) ** gamma
        if moves:
            moved, size = (np.sqrt((v * v).sum()) for v in (w - before, w))
            if tolerance > 0 and moved / size <= tolerance:
                break
            continue
        w = np.where(w < EPSILON, 0.0, w) if beta < 1 else w
        if tolerance > 0 and n % 10 == 0:
            now = _divergence(x, w, h, beta)
            if (last - now) / first < tolerance:
                break
            last = now
    return w


def _divergence(x: Array, w: Array, h: Array, beta: float) -> Any:
    """Return the root of twice the beta-divergence of x from w @ h."""
    made = w @ h
    if beta == 2:
        return np.sqrt(((x - made) ** 2).sum())
    kept = x > LEAST
    own, safe = x[kept], np.maximum(made[kept], LEAST)
    if beta == 1:
        found = (own * np.log(own / safe)).sum() + (made.sum() - own.sum())
    elif beta == 0:
        found = (own / safe).sum() - len(x) - np.log(own / safe).sum()
    else:
        found = (own**beta).sum() - beta * (own * safe ** (beta - 1)).sum()
        found = (found + (made**beta).sum() * (beta - 1)) / (beta * (beta - 1))
    return np.sqrt(2 * max(found, 0.0))


def _updates_lower(e: Emitter, node: Node) -> None:
    x, start = node.inputs
    h, attrs = _contiguous(node, "weights"), node.attrs
    k, d = h.shape
    e.call(
        "iteration_updates_f64",
        e.output(node),
        e.pointer(x),
        e.pointer(start),
        e.weight(h),
        e.weight(np.ascontiguousarray(h @ h.T)),
        e.weight(h.sum(axis=1)),
        e.workspace(8 * (2 * d + 4 * k)),
        "i32 %m",
        f"i32 {d}",
        f"i32 {k}",
        f"i32 {attrs['most']}",
        f"i32 {attrs['moves']}",
        *settings_of(node),
    )


#: Numbers whose product with ``weights`` has the least beta-divergence from a row, by updates that
#: multiply, to the power of gamma, from a number on, ``most`` of them: until ten let the divergence
#: fall by less than a tolerance, a part of the first one, or where ``moves`` until one moves them
#: by no more than that. Settings: beta, gamma, penalties l1 and l2, the tolerance. As in the
#: source, what l1 adds to sums of the weights (of beta 1) stays from one update to the next.
MultiplicativeUpdates = Op(
    "sclbl.MultiplicativeUpdates",
    _updates_infer,
    _updates,
    _updates_lower,
    _FLOAT64,
    holds="weights",
)

# ------------------------------------------------------------- topics


def _topics_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], _FLOAT64)
    words = _own(node, ("most",), 3, "weights")
    return [("float64", (_rows_of(node, x, words),))]


def _psi(x: float) -> float:
    """Return the digamma function as the source has it, for speed."""
    if x <= 1e-6:
        return float(-np.euler_gamma - np.float64(1) / x)
    found = 0.0
    while x < 6:
        found -= 1 / x
        x += 1
    r = 1 / x
    found += math.log(x) - 0.5 * r
    r *= r
    return found - r * (1 / 12 - r * (1 / 120 - r * (1 / 252)))


def _topics(attrs: Attrs, x: Array) -> Array:
    words, (prior, start, tolerance) = attrs["weights"], attrs["settings"].tolist()
    found = np.ones((len(x), len(words)))
    for i, row in enumerate(x):
        likely, kept = np.full(len(words), start), row != 0
        for _ in range(attrs["most"]):
            norm = likely @ words[:, kept] + EPSILON
            last = found[i].copy()
            found[i] = likely * (words[:, kept] @ (row[kept] / norm)) + prior
            total = _psi(float(sum(found[i].tolist())))
            likely = np.exp([_psi(v) - total for v in found[i].tolist()])
            if np.abs(last - found[i]).mean() < tolerance:
                break
    return found


def _topics_lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    words, attrs = _contiguous(node, "weights"), node.attrs
    k, d = words.shape
    sizes = ("i32 %m", f"i32 {d}", f"i32 {k}", f"i32 {attrs['most']}")
    work = e.workspace(8 * (d + 2 * k))
    given = (e.output(node), e.pointer(x), e.weight(words), work)
    e.call("iteration_topics_f64", *given, *sizes, *settings_of(node))


#: How much of each topic a row of counts of words holds, beside a prior: ``most`` updates from one
#: of each on, until they move by less than a tolerance on average. Settings: the prior, what the
#: exponential of the expected logarithm of a share is at the start, the tolerance.
TopicShares = Op(
    "sclbl.TopicShares",
    _topics_infer,
    _topics,
    _topics_lower,
    _FLOAT64,
    holds="words",
)
