"""Contributions of columns (`pred_contribs`), as the installed release computes them.

Before release 3.3 XGBoost follows paths (`predictor/treeshap.cc`), from then on it integrates
(`predictor/interpretability/shap.cc`). Both take from the trees what share of its parent's weight
(``sum_hessian``) each node had in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.ops.trees.contributions import DEEPEST, depth_of
from sclbl.strippers.columns import Wire
from sclbl.strippers.xgboost import saved

#: The first release that integrates.
_INTEGRATES = (3, 3)
_SMALLEST = np.float32(1e-12)


def write(name: str, model: saved.Model, x: Wire) -> Wire:
    """Return float32 ``[rows, outputs * (columns + 1)]`` of rows in which NaN is missing."""
    if saved.leaf_width(model) > 1:
        raise UnsupportedModelError(
            f"{name} has trees with vector leaves, whose contributions are not computed; fit it "
            "with multi_strategy='one_output_per_tree'"
        )
    trees = saved.scalar_ensemble(model)
    attrs = trees.attrs()
    deep = depth_of(trees.feature, trees.left, trees.right, trees.roots)
    if deep > DEEPEST:
        raise UnsupportedModelError(
            f"{name} has a tree of {deep} levels, and contributions are computed of {DEEPEST} at "
            "most; fit it with a smaller max_depth"
        )
    integrates = model.release >= _INTEGRATES
    shares = np.concatenate([_shares(name, i, tree) for i, tree in enumerate(model.trees)])
    if integrates:
        shares = np.maximum(shares, _SMALLEST)
    weights = np.ones(len(model.trees), dtype=np.float32)
    if model.weights is not None:
        weights = model.weights
    attrs["init"] = (_integrated_bias if integrates else _bias)(model, weights)
    attrs["targets"] = model.groups.astype(np.int32)
    own: dict[str, Any] = {"share": shares, "weights": weights, "quadrature": int(integrates)}
    return x.builder.node("sclbl.TreeContributions", [x], **attrs, **own)


def _shares(name: str, number: int, tree: Mapping[str, Any]) -> np.ndarray:
    """Return each node's part of its parent's weight, 1 for the root."""
    cover: np.ndarray = np.asarray(tree["sum_hessian"], dtype=np.float32)
    left, right = (np.asarray(tree[side]) for side in ("left_children", "right_children"))
    inner = np.flatnonzero(left != -1)
    found = np.ones(len(cover), dtype=np.float32)
    if len(inner) and not (cover[np.concatenate([inner, left[inner], right[inner]])] > 0).all():
        raise UnsupportedModelError(
            f"{name} has a node without weight in tree {number}, by which contributions are "
            "divided; fit it with min_child_weight above 0"
        )
    for side in (left, right):
        found[side[inner]] = cover[side[inner]] / cover[inner]
    return found


def _means(tree: Mapping[str, Any], dtype: type) -> Any:
    """Return the mean of a tree's leaves by their weight, each step in a type."""
    cover: np.ndarray = np.asarray(tree["sum_hessian"], dtype=np.float32).astype(dtype)
    left, right = (np.asarray(tree[side]).tolist() for side in ("left_children", "right_children"))
    mean: np.ndarray = np.asarray(tree["split_conditions"], dtype=np.float32).astype(dtype)
    order, waiting = [], [0]
    while waiting:
        at = waiting.pop()
        if left[at] != -1:
            order.append(at)
            waiting += [left[at], right[at]]
    for at in reversed(order):
        a, b = left[at], right[at]
        mean[at] = (mean[a] * cover[a] + mean[b] * cover[b]) / cover[at]
    return mean[0]


def _bias(model: saved.Model, weights: np.ndarray) -> np.ndarray:
    """Return the last column: trees' means in turn, then the base margin, in float32."""
    found = np.zeros(len(model.base), dtype=np.float32)
    for tree, group, weight in zip(model.trees, model.groups, weights, strict=True):
        found[group] += _means(tree, np.float32) * weight
    made: np.ndarray = found + model.base
    return made


def _integrated_bias(model: saved.Model, weights: np.ndarray) -> np.ndarray:
    """Return the same, the means added up in float64."""
    found = np.zeros(len(model.base), dtype=np.float64)
    for tree, group, weight in zip(model.trees, model.groups, weights, strict=True):
        found[group] += _means(tree, np.float64) * np.float64(weight)
    made: np.ndarray = found.astype(np.float32) + model.base
    return made
