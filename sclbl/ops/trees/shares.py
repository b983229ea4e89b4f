"""What contributions mean: plain recursions, a row and a tree at a time, in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.ops.record import Array

Arrays = Mapping[str, Any]
POINTS = 8
_F = np.float32


def rule() -> tuple[Array, Array]:
    """Return points and sizes of the quadrature: Gauss and Legendre's on 0 to 1, squared."""
    x, w = np.polynomial.legendre.leggauss(POINTS)
    s = 0.5 * (x + 1.0)
    return (s * s).astype(_F), (2.0 * s * (0.5 * w)).astype(_F)


def define(attrs: Arrays, x: Array) -> Array:
    """Return float32 ``[rows, sums * (columns + 1)]``."""
    init = np.asarray(attrs["init"], dtype=_F)
    out = np.zeros((len(x), len(init), x.shape[1] + 1), dtype=_F)
    out[:, :, -1] = init
    tree = _by_quadrature if attrs["quadrature"] else _by_paths
    with np.errstate(all="ignore"):
        for i, row in enumerate(x):
            trees = zip(attrs["roots"], attrs["targets"], attrs["weights"], strict=True)
            for root, target, weight in trees:
                phi = np.zeros(x.shape[1], dtype=_F)
                tree(attrs, row, int(root), phi)
                out[i, target, :-1] += phi * _F(weight)
    return out.reshape(len(x), -1)


def _is_category(a: Arrays, at: int) -> bool:
    return a.get("category_start") is not None and a["category_start"][at] >= 0


def _goes_left(a: Arrays, at: int, row: Array) -> bool:
    value = row[a["feature"][at]]
    if np.isnan(value):
        return bool(a["missing_left"][at])
    if not _is_category(a, at):
        return bool(value < a["threshold"][at])
    if value < 0 or value >= 2**31:
        return bool(a["missing_left"][at])
    code, start = int(value), a["category_start"][at]
    if code >= 32 * a["category_count"][at]:
        return False
    return bool(a["category_words"][start + code // 32] >> np.uint32(code % 32) & 1)


# ------------------------------------------------------------------------------- paths


def _by_paths(a: Arrays, row: Array, root: int, phi: Array) -> None:
    _down(a, row, root, phi, [], _F(1), _F(1), -1)


def _down(
    a: Arrays, row: Array, at: int, phi: Array, path: list[Any], zero: Any, one: Any, column: int
) -> None:
    """Go down from a node; elements of a path are column, zero, one and weight."""
    path = [list(element) for element in path]
    depth = len(path)
    path.append([column, zero, one, _F(0 if depth else 1)])
    for i in range(depth - 1, -1, -1):
        path[i + 1][3] += one * path[i][3] * _F(i + 1) / _F(depth + 1)
        path[i][3] = zero * path[i][3] * _F(depth - i) / _F(depth + 1)
    tested = int(a["feature"][at])
    if tested < 0:
        value = a["values"][a["left"][at], 0]
        for i in range(1, depth + 1):
            phi[path[i][0]] += _unwound(path, i) * (path[i][2] - path[i][1]) * value
        return
    left, right = int(a["left"][at]), int(a["right"][at])
    hot, cold = (left, right) if _goes_left(a, at, row) else (right, left)
    zero, one = _F(1), _F(1)
    known = next((k for k in range(1, depth + 1) if path[k][0] == tested), 0)
    if known:
        zero, one = path[known][1], path[known][2]
        path = _unwind(path, known)
    _down(a, row, hot, phi, path, a["share"][hot] * zero, one, tested)
    _down(a, row, cold, phi, path, a["share"][cold] * zero, _F(0), tested)


def _unwind(path: list[Any], k: int) -> list[Any]:
    depth, (_, zero, one, _) = len(path) - 1, path[k]
    following, weights = path[depth][3], [element[3] for element in path]
    for i in range(depth - 1, -1, -1):
        if one != 0:
            weight = following * _F(depth + 1) / (_F(i + 1) * one)
            following = weights[i] - weight * zero * _F(depth - i) / _F(depth + 1)
            weights[i] = weight
        else:
            weights[i] = weights[i] * _F(depth + 1) / (zero * _F(depth - i))
    kept = [element for i, element in enumerate(path) if i != k]
    return [[*element[:3], weight] for element, weight in zip(kept, weights, strict=False)]


def _unwound(path: list[Any], k: int) -> Any:
    depth, (_, zero, one, _) = len(path) - 1, path[k]
    following, total = path[depth][3], _F(0)
    for i in range(depth - 1, -1, -1):
        part = _F(depth - i) / _F(depth + 1)
        if one != 0:
            found = following * _F(depth + 1) / (_F(i + 1) * one)
            total += found
            following = path[i][3] - found * zero * part
        else:
            total += path[i][3] / zero / part
    return total


# -------------------------------------------------------------------------- quadrature


def _by_quadrature(a: Arrays, row: Array, root: int, phi: Array) -> None:
    if a["feature"][root] >= 0:
        factors: dict[int, Any] = {}
        _integrated(a, row, root, phi, factors, np.ones(POINTS, dtype=_F), _F(1))


def _integrated(
    a: Arrays, row: Array, at: int, phi: Array, factors: dict[int, Any], above: Array, weight: Any
) -> Array:
    points, sizes = rule()
    tested = int(a["feature"][at])
    if tested < 0:
        reached: Array = above * (weight * a["values"][a["left"][at], 0]) * sizes
        return reached
    goes_left = _goes_left(a, at, row)
    before, found = factors.get(tested), []
    # Sets of categories say what goes right in the source, so there left comes second.
    for side in ("right", "left") if _is_category(a, at) else ("left", "right"):
        child = int(a[side][at])
        share = a["share"][child]
        goes = goes_left == (side == "left")
        entered = (_F(1) if before is None else before) / share if goes else _F(0)
        inside = above * (_F(1) + (entered - _F(1)) * points)
        if before is not None and before != 1:
            inside = inside / (_F(1) + (before - _F(1)) * points)
        factors[tested] = entered
        h = _integrated(a, row, child, phi, factors, inside, weight * share)
        phi[tested] += _gained(points, h, entered, _F(1) if before is None else before)
        found.append(h)
    if before is None:
        del factors[tested]
    else:
        factors[tested] = before
    both: Array = found[0] + found[1]
    return both


def _gained(points: Array, h: Array, enter: Any, leave: Any) -> Any:
    total = _F(0)
    for factor, sign in ((enter, _F(1)), (leave, _F(-1))):
        if factor != 1:
            change = factor - _F(1)
            for part in change * h / (_F(1) + change * points):
                total += sign * part
    return total
