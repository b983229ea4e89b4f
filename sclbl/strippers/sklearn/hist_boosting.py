"""HistGradientBoostingClassifier and HistGradientBoostingRegressor of scikit-learn.

Trees compare float64 values with ``<=``; NaN goes where each node says, infinity is an ordinary
value, and the sums are float64 from the baseline on. Categorical columns pass through the model's
own ordinal encoder first: a category that it does not know becomes NaN, so it counts as missing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.missing import is_missing
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import ops, tree_nodes
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.links import inverse_link, probabilities
from sclbl.strippers.trees import Nodes, Trees, join

#: 32-bit words of one bitset: scikit-learn bins categories into at most 256.
_WORDS = 8


def _matrix(model: Any, x: Table) -> Wire:
    """Return X as the trees take it: float64, the encoded categories first."""
    # Absent before scikit-learn 1.4, where categories were given as numbers already.
    preprocessor = getattr(model, "_preprocessor", None)
    if preprocessor is None:
        return x.matrix("float64", model=model)
    categorical = np.asarray(model.is_categorical_, dtype=bool)
    encoder = preprocessor.named_transformers_["encoder"]
    parts = [
        _codes(model, x.select([column]), categories)
        for column, categories in zip(
            np.flatnonzero(categorical).tolist(), getattr(encoder, "categories_", ()), strict=True
        )
    ]
    numeric = np.flatnonzero(~categorical).tolist()
    if numeric:
        parts.append(x.select(numeric).matrix("float64", model=model))
    return x.builder.concat(parts)


def _codes(model: Any, column: Table, categories: np.ndarray) -> Any:
    """Return the position of each value among `categories`, NaN where it has none."""
    build = column.builder
    known = [c for c in categories.tolist() if not is_missing(c)]
    missing: str | float
    if any(isinstance(c, str) for c in known):
        values, missing = column.text(model=model), MISSING_TEXTS["nan"]
    else:
        # The encoder refuses an infinity, though the trees would take it.
        values = build.refuse(column.matrix("float64", model=model), nan=False, inf=True)
        known, missing = [float(c) for c in known], np.nan
    if not known:
        # The column was missing throughout, so every value is unknown.
        return build.lookup(values, [missing]).astype(np.float64) * np.nan
    codes = build.lookup(values, known).astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _nodes(number: int, predictor: Any, categorical: np.ndarray) -> Nodes:
    """Return one tree; what its compiled predict looks up without looking is checked."""
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    left, right, feature = (nodes[k].astype(np.int64) for k in ("left", "right", "feature_idx"))
    tree_nodes.check(number, left, right, feature, leaf, len(categorical))
    tests = nodes["is_categorical"].astype(bool) & ~leaf
    if tests.any():
        sets, shape = nodes["bitset_idx"][tests].max(), predictor.raw_left_cat_bitsets.shape
        if len(shape) != 2 or shape[1] != _WORDS or sets >= shape[0]:
            raise ValueError(f"tree {number} takes the set of categories {sets} of {shape}")
        if not categorical[feature[tests]].all():
            raise ValueError(f"tree {number} tests categories of a column that has none")
    threshold = np.where(tests, 0.0, nodes["num_threshold"])
    return Nodes(leaf, left, right, feature, threshold, nodes["missing_go_to_left"])


def _ensemble(model: Any) -> Trees:
    """Return the trees of all iterations, class after class within each."""
    predictors = [p for iteration in model._predictors for p in iteration]
    known = np.asarray(model._bin_mapper.is_categorical_, dtype=bool)
    trees = [_nodes(i, p, known) for i, p in enumerate(predictors)]
    outputs = int(model.n_trees_per_iteration_)
    targets = np.tile(np.arange(outputs, dtype=np.int32), len(model._predictors))
    nodes = np.concatenate([p.nodes for p in predictors])
    leaf = nodes["is_leaf"].astype(bool)
    values = nodes["value"].astype(np.float64)[leaf][:, None]
    made = join(
        trees,
        np.arange(len(values), dtype=np.int32),
        values,
        np.zeros(outputs) + np.asarray(model._baseline_prediction, dtype=np.float64).ravel(),
        "<=",
        None if outputs == 1 else targets,
    )
    categorical = nodes["is_categorical"].astype(bool) & ~leaf
    if not categorical.any():
        return made
    bitsets = [p.raw_left_cat_bitsets.reshape(-1, _WORDS) for p in predictors]
    heights = np.array([len(b) for b in bitsets], dtype=np.int64)
    first = np.repeat(np.cumsum(heights) - heights, [len(t.leaf) for t in trees])
    rows = first + nodes["bitset_idx"].astype(np.int64)
    return replace(
        made,
        category_start=np.where(categorical, rows * _WORDS, -1).astype(np.int32),
        category_count=np.where(categorical, _WORDS, 0).astype(np.int32),
        category_words=np.concatenate(bitsets).astype(np.uint32).ravel(),
    )


class HistGradientBoosting(Stripper):
    """The sums of the trees' leaves."""

    def rows(self, model: Any, x: Table) -> Wire:
        return _matrix(model, x)

    @once
    def raw(self, model: Any, x: Wire) -> Wire:
        return ops.trees(x, _ensemble(model))


class HistGradientBoostingClassifier(HistGradientBoosting):
    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        return ops.decide(self.raw(model, x), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        return probabilities(model, self.raw(model, x), by_rows=False)

    @method
    def decision_function(self, model: Any, x: Wire) -> Wire:
        return self.raw(model, x)


class HistGradientBoostingRegressor(HistGradientBoosting):
    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return inverse_link(model, self.raw(model, x))
