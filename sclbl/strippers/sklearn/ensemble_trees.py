"""Trees inside a model, on some of its columns each: one ensemble, whatever is made of a leaf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.strippers import dispatch, ops
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.tree import (
    TreeClassifier,
    TreeRegressor,
    float32_matrix,
    nodes_of,
    takes_missing,
)
from sclbl.strippers.trees import join


def are_trees(estimators: Sequence[Any]) -> bool:
    """Return whether estimators are decision trees of scikit-learn."""
    return all(
        type(dispatch.find(e)) in (TreeClassifier, TreeRegressor)
        and type(e).__module__ == "sklearn.tree._classes"
        for e in estimators
    )


def tree_sums(
    estimators: Sequence[Any],
    x: Table,
    values: Sequence[np.ndarray],
    *,
    columns: Sequence[Sequence[int]] | None = None,
    init: np.ndarray,
    apart: bool = False,
) -> Wire:
    """Sum over trees what their leaves hold, tree after tree, in float64.

    Parameters
    ----------
    estimators : sequence of object
        Fitted trees.
    x : Table
        The array of the rows.
    values : sequence of float64 ``[nodes, width]``
        What a node adds, by tree; those of leaves count.
    columns : sequence of sequence of int, optional
        Which columns each tree was fitted on; all by default.
    init : float64 ``[outputs]``
        Where the sums start.
    apart : bool
        Whether each tree has an output of its own (then `width` is 1).
    """
    chosen = [np.asarray(c) for c in columns or [range(x.width)] * len(estimators)]
    used = np.unique(np.concatenate(chosen))
    rows = _rows(estimators[0], x.select(used.tolist()))
    nodes, parts = [], []
    for i, (estimator, own, made) in enumerate(zip(estimators, chosen, values, strict=True)):
        with x.builder.writing(estimator, f"estimators_[{i}]"):
            dispatch.offers(estimator)
            tree = nodes_of(i, estimator.tree_)
        if estimator.tree_.n_features != len(own):
            raise ValueError(f"tree {i} takes {estimator.tree_.n_features} columns of {len(own)}")
        places = np.where(tree.leaf, -1, np.searchsorted(used, own)[np.maximum(tree.feature, 0)])
        nodes.append(replace(tree, feature=places))
        parts.append(np.asarray(made, dtype=np.float64)[tree.leaf])
    leaves = np.concatenate(parts)
    targets = np.arange(len(nodes), dtype=np.int32) if apart else None
    numbers = np.arange(len(leaves), dtype=np.int32)
    return ops.trees(rows, join(nodes, numbers, leaves, init, "<=", targets))


def _rows(tree: Any, x: Table) -> Wire:
    return float32_matrix(tree, x, missing=takes_missing(tree))


def node_values(estimator: Any) -> np.ndarray:
    """Return what a tree predicts at each node, its outputs and classes side by side."""
    values: np.ndarray = estimator.tree_.value.reshape(estimator.tree_.node_count, -1)
    return values
