"""Random ensembles of trees, and rows that tell their branches apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers.trees import Trees


def grow(rng: np.random.Generator, inner: int, shape: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the children (-1 at a leaf) of a tree with so many inner nodes, in random order.

    `shape` is ``random`` (any leaf splits next), ``even`` (the oldest leaf splits, so the tree is
    balanced) or ``chain`` (one of the two newest leaves splits, so it is as deep as can be).
    """
    left, right = np.full(2 * inner + 1, -1), np.full(2 * inner + 1, -1)
    leaves = [0]
    for used in range(1, 2 * inner, 2):
        at = {"random": rng.integers(len(leaves)), "even": 0, "chain": -rng.integers(1, 3)}[shape]
        node = leaves.pop(int(at) if len(leaves) > 1 else 0)
        left[node], right[node] = used, used + 1
        leaves += [used, used + 1]
    return left, right


def ensemble(
    rng: np.random.Generator,
    inners: list[int],
    columns: int,
    *,
    shape: str = "random",
    rule: str = "<=",
    threshold: Any = np.float32,
    value: Any = np.float64,
    outputs: int = 1,
    targets: bool = False,
    distinct: int = 0,
    categories: tuple[int, ...] = (),
    used: np.ndarray | None = None,
) -> Trees:
    """Return an ensemble with a tree for each number of inner nodes.

    Parameters
    ----------
    inners : list of int
        Inner nodes of each tree; 0 is a single leaf.
    columns : int
        Width of X.
    distinct : int
        How many different leaves there are; 0: all differ.
    categories : tuple of int
        Columns whose nodes test categories.
    used : ndarray, optional
        Columns that are tested at least once, in turn; random ones by default.
    """
    parts: dict[str, list[np.ndarray]] = {k: [] for k in ("left", "right", "feature")}
    roots, base, leaves = [], 0, 0
    for inner in inners:
        left, right = grow(rng, inner, shape)
        leaf = left < 0
        feature = np.full(len(left), -1)
        feature[~leaf] = rng.integers(columns, size=inner)
        if used is not None:
            feature[~leaf] = used[(np.arange(inner) + base // 2) % len(used)]
        left = np.where(leaf, leaves + np.cumsum(leaf) - 1, left + base)
        roots.append(base)
        for name, array in (("left", left), ("right", np.where(leaf, -1, right + base))):
            parts[name].append(array)
        parts["feature"].append(feature)
        base, leaves = base + len(left), leaves + inner + 1
    feature = np.concatenate(parts["feature"]).astype(np.int32)
    # Few different thresholds, so that columns hold equal ones and rows can stand on them.
    pool = np.r_[rng.normal(size=40), 0.0, -0.0, 1e-40, 1e30, -1e30, 0.5].astype(threshold)
    limits = rng.choice(pool, size=len(feature))
    limits[feature < 0] = np.nan
    wide = 1 if targets else outputs
    values = rng.normal(size=(leaves, wide)).astype(value)
    if distinct:
        values = values[rng.integers(distinct, size=leaves)]
    trees = Trees(
        roots=np.array(roots, dtype=np.int32),
        feature=feature,
        threshold=limits,
        left=np.concatenate(parts["left"]).astype(np.int32),
        right=np.concatenate(parts["right"]).astype(np.int32),
        missing_left=rng.random(len(feature)) < 0.5,
        values=values,
        init=rng.normal(size=outputs).astype(value),
        rule=rule,  # type: ignore[arg-type] # a literal at every caller
        targets=rng.integers(outputs, size=len(roots)).astype(np.int32) if targets else None,
        **_categories(rng, feature, categories),
    )
    return trees


def _categories(
    rng: np.random.Generator, feature: np.ndarray, columns: tuple[int, ...]
) -> dict[str, np.ndarray]:
    if not columns:
        return {}
    tests = np.isin(feature, columns)
    count = np.where(tests, rng.integers(0, 4, size=len(feature)), 0)
    start = np.where(tests, np.cumsum(count) - count, -1)
    words = rng.integers(2**32, size=int(count.sum()) + 1, dtype=np.uint32)
    return {
        "category_start": start.astype(np.int32),
        "category_count": count.astype(np.int32),
        "category_words": words,
    }


def beside(trees: Trees, rows: int, columns: int, dtype: Any, rng: np.random.Generator) -> Any:
    """Return rows on the thresholds of their columns, one ULP beside them, and far from them."""
    x = (rng.normal(size=(rows, columns)) * 2).astype(dtype)
    limits = trees.threshold[trees.feature >= 0]
    if not len(limits):
        return x
    with np.errstate(over="ignore"):
        near = rng.choice(limits, size=(rows, columns)).astype(dtype)
    sides = (near, np.nextafter(near, dtype(-np.inf)), np.nextafter(near, dtype(np.inf)), x)
    x = np.choose(rng.integers(4, size=(rows, columns)), sides)
    edges = np.array([0.0, -0.0, np.inf, -np.inf, 5e-324, 3e38, -3e38, 1e300], dtype=np.float64)
    edge = rng.random((rows, columns)) < 0.05
    with np.errstate(over="ignore"):
        x[edge] = rng.choice(edges, size=int(edge.sum())).astype(dtype)
    return x
