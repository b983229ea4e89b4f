"""Trees that are grown at random: `IsolationForest`, `RandomTreesEmbedding`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.estimator import require_columns
from sclbl.strippers.sklearn.tree import TreeModel, leaf_numbers, nodes_of
from sclbl.strippers.trees import join


class IsolationForest(Stripper):
    """How short the paths of a row are, which is measured against those of other rows.

    X is cast to float32, and no value is refused.
    """

    def rows(self, model: Any, x: Table) -> Any:
        require_columns(model, x)
        return replace(x.matrix("float32", model=model), sparse=x.sparse)

    @method
    def predict(self, model: Any, x: Any) -> Any:
        # Scores equal to the offset are inliers: the last digit of a power must not decide.
        inside = self.depths(model, x).ravel() >= _inlier_depth(model)
        return np.where(inside, 1, -1).astype(np.int64)

    @method
    def decision_function(self, model: Any, x: Any) -> Any:
        return self.score_samples(model, x) - model.offset_

    @method
    @once
    def score_samples(self, model: Any, x: Any) -> Any:
        depths, usual = self.depths(model, x), _usual_depth(model)
        shares = depths / usual if usual else np.ones_like(depths)
        return -np.power(2.0, -shares).ravel()

    @once
    def depths(self, model: Any, x: Any) -> Any:
        nodes, parts = [], []
        for i, (tree, columns) in enumerate(
            zip(model.estimators_, model.estimators_features_, strict=True)
        ):
            with x.builder.writing(tree, f"estimators_[{i}]"):
                own = nodes_of(i, tree.tree_)
            feature = np.where(own.leaf, -1, np.asarray(columns)[np.maximum(own.feature, 0)])
            # Of a sparse matrix scikit-learn compares NaN, which is not below anything.
            left = own.missing_left & (x.sparse is None)
            nodes.append(replace(own, feature=feature, missing_left=left))
            lengths = model._decision_path_lengths[i] + model._average_path_length_per_tree[i]
            parts.append((lengths - 1.0)[own.leaf])
        leaves = np.concatenate(parts)[:, None]
        numbers = np.arange(len(leaves), dtype=np.int32)
        return ops.trees(x, join(nodes, numbers, leaves, np.zeros(1), "<="))


def _usual_depth(model: Any) -> float:
    """Return the sum of the depths that rows have on average."""
    from sklearn.ensemble._iforest import _average_path_length

    return len(model.estimators_) * float(_average_path_length([model._max_samples])[0])


def _inlier_depth(model: Any) -> float:
    """Return the least sum of depths whose score, as NumPy computes it, is that of an inlier."""
    usual = _usual_depth(model)

    def is_inlier(depth: float) -> bool:
        share = np.array([depth / usual if usual else 1.0])
        return not (-(2**-share) - model.offset_ < 0)[0]

    low, high = 0.0, float(np.finfo(np.float32).max)
    if is_inlier(low) or not is_inlier(high):
        return -np.inf if is_inlier(low) else np.inf
    while low < (middle := low + (high - low) / 2) < high:
        low, high = (low, middle) if is_inlier(middle) else (middle, high)
    return high


class RandomTreesEmbedding(TreeModel):
    """One column a leaf: 1 where a row ends in it."""

    def trees(self, model: Any) -> list[Any]:
        return list(model.estimators_)

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        trees = [e.tree_ for e in model.estimators_]
        known = model.one_hot_encoder_.categories_
        for tree, leaves in zip(trees, known, strict=True):
            if not np.array_equal(leaves, np.flatnonzero(tree.children_left == -1)):
                raise UnsupportedModelError(
                    "RandomTreesEmbedding has leaves that no row of training ended in, for which "
                    "it has no column; fit it again"
                )
        found: Any = ops.tree_leaves(x, leaf_numbers(trees)).astype(np.float64)
        of_tree = np.repeat(np.arange(len(trees)), [len(leaves) for leaves in known])
        hot = (found[:, of_tree] == np.concatenate(known)).astype(np.float64)
        return replace(hot, sparse="csr" if model.one_hot_encoder_.sparse_output else None)


RANDOM_TREES: dict[str, Stripper] = {
    "IsolationForest": IsolationForest(),
    "RandomTreesEmbedding": RandomTreesEmbedding(),
}
