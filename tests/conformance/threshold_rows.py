"""Rows that tell tree comparisons apart: on thresholds, one ULP beside them, and at the edges."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sclbl.spec import Graph

EDGES = (
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    1e-45,
    -1e-45,
    1.1754944e-38,
    2.2250738585072014e-308,
    1.0,
    -1.0,
    2.0**24 + 1,
    3.4028234e38,
    -3.4028234e38,
)
#: Only where the model does not refuse what float32 cannot hold.
HUGE = (1e300, -1e300, 1.7976931348623157e308)
INFINITE = (np.inf, -np.inf)


def thresholds(graph: Graph) -> list[np.ndarray]:
    """Return, for each column that the trees of a graph test, the thresholds on it."""
    found: dict[int, list[np.ndarray]] = {}
    for node in graph.nodes:
        if node.op in ("sclbl.TreeEnsemble", "sclbl.TreeLeaves"):
            feature = node.attrs["feature"]
            for column in np.unique(feature[feature >= 0]).tolist():
                limits = node.attrs["threshold"][feature == column]
                found.setdefault(column, []).append(limits.astype(np.float64))
    width = max(found, default=-1) + 1
    return [
        np.unique(np.concatenate(found[c])) if c in found else np.zeros(1) for c in range(width)
    ]


def neighbours(limits: np.ndarray) -> np.ndarray:
    """Return numbers and what lies one ULP beside them, in float64 and in float32."""
    finite = limits[np.isfinite(limits)]
    single = finite.astype(np.float32)
    beside = [finite, np.nextafter(finite, -np.inf), np.nextafter(finite, np.inf)]
    for near in (
        single,
        np.nextafter(single, np.float32(-np.inf)),
        np.nextafter(single, np.float32(np.inf)),
    ):
        wide = near.astype(np.float64)
        beside += [wide, np.nextafter(wide, -np.inf), np.nextafter(wide, np.inf)]
        # Halfway between two float32 numbers: where a cast rounds to even.
        after = np.nextafter(near, np.float32(np.inf)).astype(np.float64)
        beside.append((wide + after) / 2)
    values = np.concatenate(beside)
    return values[np.isfinite(values.astype(np.float32))]


def adversarial(
    x: np.ndarray,
    limits: Iterable[np.ndarray],
    *,
    rows: int = 3000,
    extra: tuple[float, ...] = (),
    missing: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    """Return rows of float64 that stress trees.

    Parameters
    ----------
    x : ndarray ``[rows, columns]``
        Ordinary rows.
    limits : iterable of ndarray
        Thresholds of each column.
    rows : int
        How many rows to return.
    extra : tuple of float
        Numbers beyond `EDGES` that the model takes.
    missing : float
        Share of NaN.
    seed : int
        Of the choice.
    """
    rng = np.random.default_rng(seed)
    columns = []
    pools = [neighbours(limit) for limit in limits]
    pools += [np.zeros(1)] * (x.shape[1] - len(pools))
    for column, pool in enumerate(pools):
        usual = x[rng.integers(len(x), size=rows), column].astype(np.float64)
        near = rng.choice(pool, size=rows) if pool.size else usual
        edge = rng.choice(np.array(EDGES + extra), size=rows)
        kind = rng.choice(3, p=[0.15, 0.75, 0.10], size=rows)
        values = np.choose(kind, [usual, near, edge])
        values[rng.random(rows) < missing] = np.nan
        columns.append(values)
    return np.column_stack(columns)
