"""Codes of rows by the atoms of a dictionary: what weights of few atoms add up to a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sclbl.ops.iteration import gram_of, settings_of
from sclbl.ops.record import Array, Attrs, Emitter, Op, Operand, Typed, fail, has_inputs, tensor
from sclbl.spec import Node

_FLOAT64 = frozenset(("float64",))
EPSILON = float(np.finfo(np.float64).eps)


def _pursuit_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], _FLOAT64)
    gram = gram_of(node, x, ("most",), 0)
    if not 1 <= node.attrs["most"] <= len(gram):
        raise fail(node, f"takes 1 to {len(gram)} atoms")
    return [("float64", x.shape)]


def _pursuit(attrs: Attrs, x: Array) -> Array:
    gram, found = attrs["gram"], np.zeros_like(x)
    for products, code in zip(x, found, strict=True):
        chosen: list[int] = []
        # Atoms in the order of the source, which swaps those that it takes to the front.
        order, left = list(range(len(gram))), products
        weights = np.empty(0)
        while len(chosen) < attrs["most"]:
            best = int(np.argmax(np.abs(left[order])))
            atom = order[best]
            if best < len(chosen) or left[atom] ** 2 < EPSILON:
                break
            if chosen:
                within = np.linalg.cholesky(gram[np.ix_(chosen, chosen)])
                last = np.linalg.solve(within, gram[chosen, atom])
                if gram[atom, atom] - last @ last <= EPSILON:
                    break
            order[len(chosen)], order[best] = atom, order[len(chosen)]
            chosen.append(atom)
            weights = np.linalg.solve(gram[np.ix_(chosen, chosen)], products[chosen])
            left = products - gram[:, chosen] @ weights
        code[chosen] = weights
    return found


def _pursuit_lower(e: Emitter, node: Node) -> None:
    (x,) = node.inputs
    gram, most = np.ascontiguousarray(node.attrs["gram"]), node.attrs["most"]
    k = len(gram)
    work = e.workspace(8 * (most * most + 2 * most + k))
    sizes = ("i32 %m", f"i32 {k}", f"i32 {most}")
    given = (e.output(node), e.pointer(x), e.weight(gram), work, e.workspace(4 * k))
    e.call("coding_pursuit_f64", *given, *sizes)


#: Orthogonal matching pursuit, of the products of rows and atoms and those of atoms and atoms:
#: ``most`` times the atom that has most of what is left, and all weights anew; fewer where nothing
#: is left, or an atom is made of others.
MatchingPursuit = Op(
    "sclbl.MatchingPursuit",
    _pursuit_infer,
    _pursuit,
    _pursuit_lower,
    _FLOAT64,
    holds="gram",
)


def _lasso_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    x, squares = (tensor(node, operand, _FLOAT64) for operand in xs)
    gram_of(node, x, ("most", "positive"), 2)
    if squares.shape != (1,) or node.attrs["positive"] not in (0, 1):
        raise fail(node, "takes the squares of rows, and whether weights are positive")
    return [("float64", x.shape)]


def _lasso(attrs: Attrs, x: Array, squares: Array) -> Array:
    gram, (alpha, tolerance) = attrs["gram"], attrs["settings"].tolist()
    diagonal = np.diag(gram)
    found = np.zeros_like(x)
    for products, (own,), w in zip(x, squares, found, strict=True):
        kept = np.ones(len(w), dtype=bool)

        def gap(w: Array = w, products: Array = products, own: float = own) -> tuple[float, Array]:
            """Return the duality gap, and the products of atoms and what is left."""
            slope = products - gram @ w
            if alpha == 0:
                return slope @ slope, slope
            left = own + w @ gram @ w - 2 * (w @ products)
            scale = min(1.0, alpha / max(_top(slope, attrs), alpha))
            primal = 0.5 * left + alpha * np.abs(w).sum()
            return primal + 0.5 * scale**2 * left - scale * (own - w @ products), slope

        def screen(w: Array = w, kept: Array = kept) -> None:
            """Leave out what has no weight at the optimum."""
            distance, slope = gap()
            radius = np.sqrt(2 * abs(distance)) / alpha if alpha else np.inf
            near = np.abs(slope) / max(alpha, _top(slope, attrs)) if alpha else np.abs(slope)
            with np.errstate(all="ignore"):
                kept &= (diagonal != 0) & ((1 - near) / np.sqrt(diagonal) <= radius)
            w[~kept] = 0

        if 0 <= gap()[0] <= tolerance * own:
            continue
        screen()
        for n in range(attrs["most"]):
            before = w.copy()
            for j in np.flatnonzero(kept & (diagonal != 0)):
                v = products[j] - gram[j] @ w + w[j] * diagonal[j]
                beyond = np.sign(v) * max(abs(v) - alpha, 0) / diagonal[j]
                w[j] = 0 if attrs["positive"] and v < 0 else beyond
            largest, moved = np.abs(w).max(), np.abs(w - before).max()
            if largest == 0 or moved / largest <= tolerance or n == attrs["most"] - 1:
                if gap()[0] <= tolerance * own:
                    break
                screen()
    return found


def _top(slope: Array, attrs: Attrs) -> float:
    return float(slope.max() if attrs["positive"] else np.abs(slope).max())


def _lasso_lower(e: Emitter, node: Node) -> None:
    x, squares = node.inputs
    gram, attrs = np.ascontiguousarray(node.attrs["gram"]), node.attrs
    k = len(gram)
    sizes = ("i32 %m", f"i32 {k}", f"i32 {attrs['most']}", f"i32 {attrs['positive']}")
    given = (e.output(node), e.pointer(x), e.pointer(squares), e.weight(gram), e.workspace(24 * k))
    e.call("coding_lasso_f64", *given, *sizes, *settings_of(node))


#: Weights of least squares with a penalty on their sizes, of the products of rows and atoms, the
#: squares of rows, and the products of atoms: coordinate descent that leaves out what a duality gap
#: allows, ``most`` passes, until the gap is a tolerance of the row's square. Settings: the penalty,
#: the tolerance.
LassoCode = Op("sclbl.LassoCode", _lasso_infer, _lasso, _lasso_lower, _FLOAT64, holds="gram")
