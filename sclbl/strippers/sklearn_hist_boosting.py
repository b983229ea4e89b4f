"""HistGradientBoostingClassifier and HistGradientBoostingRegressor of scikit-learn.

Trees compare float64 values with ``<=``; NaN goes where each node says, infinity is an ordinary
value, and the sums are float64 from the baseline on. Categorical columns pass through the model's
own ordinal encoder first: a category that it does not know becomes NaN, so it counts as missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sclbl.missing import is_missing
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import tree_nodes
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_links import LINKS, decide, probabilities
from sclbl.strippers.trees import Trees

#: 32-bit words of one bitset: scikit-learn bins categories into at most 256.
_WORDS = 8


def _matrix(model: Any, x: Table, build: Builder) -> Wire:
    """Return X as the trees take it: float64, the encoded categories first."""
    # Absent before scikit-learn 1.4, where categories were given as numbers already.
    preprocessor = getattr(model, "_preprocessor", None)
    if preprocessor is None:
        return x.matrix("float64", model=model)
    categorical = np.asarray(model.is_categorical_, dtype=bool)
    encoder = preprocessor.named_transformers_["encoder"]
    parts = [
        _codes(model, x.select([column]), categories, build)
        for column, categories in zip(
            np.flatnonzero(categorical).tolist(), getattr(encoder, "categories_", ()), strict=True
        )
    ]
    numeric = np.flatnonzero(~categorical).tolist()
    if numeric:
        parts.append(x.select(numeric).matrix("float64", model=model))
    return build.concat(parts)


def _codes(model: Any, column: Table, categories: np.ndarray, build: Builder) -> Wire:
    """Return the position of each value among `categories`, NaN where it has none."""
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
        return build.mul(build.cast(build.lookup(values, [missing]), "float64"), np.nan)
    codes = build.cast(build.lookup(values, known), "float64")
    return build.where(build.binary("Less", codes, 0.0), np.nan, codes)


def _check(model: Any, predictors: Sequence[Any]) -> None:
    """Check what the compiled predict of the trees looks up without looking (see `tree_nodes`)."""
    categorical = np.asarray(model._bin_mapper.is_categorical_, dtype=bool)
    for i, predictor in enumerate(predictors):
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        feature = nodes["feature_idx"].astype(np.int64)
        tree_nodes.check(
            i,
            nodes["left"].astype(np.int64),
            nodes["right"].astype(np.int64),
            feature,
            leaf,
            len(categorical),
        )
        tests = nodes["is_categorical"].astype(bool) & ~leaf
        if not tests.any():
            continue
        sets = nodes["bitset_idx"][tests].max()
        shape = predictor.raw_left_cat_bitsets.shape
        if len(shape) != 2 or shape[1] != _WORDS or sets >= shape[0]:
            raise ValueError(f"tree {i} takes the set of categories {sets} of {shape}")
        if not categorical[feature[tests]].all():
            raise ValueError(f"tree {i} tests categories of a column that has none")


def _ensemble(model: Any) -> Trees:
    """Return the trees of all iterations, class after class within each."""
    predictors = [p for iteration in model._predictors for p in iteration]
    _check(model, predictors)
    outputs = int(model.n_trees_per_iteration_)
    nodes = [p.nodes for p in predictors]
    sizes = np.array([len(n) for n in nodes], dtype=np.int64)
    roots = np.cumsum(sizes) - sizes
    base = np.repeat(roots, sizes)

    def gather(field: str, dtype: type) -> np.ndarray:
        return np.concatenate([n[field].astype(dtype) for n in nodes])

    leaf = gather("is_leaf", bool)
    categorical = gather("is_categorical", bool) & ~leaf
    values = gather("value", np.float64)[leaf][:, None]
    left = (gather("left", np.int64) + base).astype(np.int32)
    right = (gather("right", np.int64) + base).astype(np.int32)
    left[leaf] = np.arange(len(values), dtype=np.int32)
    right[leaf] = -1
    start = count = words = None
    if categorical.any():
        bitsets = [p.raw_left_cat_bitsets.reshape(-1, _WORDS) for p in predictors]
        heights = np.array([len(b) for b in bitsets], dtype=np.int64)
        rows = np.repeat(np.cumsum(heights) - heights, sizes) + gather("bitset_idx", np.int64)
        start = np.where(categorical, rows * _WORDS, -1).astype(np.int32)
        count = np.where(categorical, _WORDS, 0).astype(np.int32)
        words = np.concatenate(bitsets).astype(np.uint32).ravel()
    init = np.zeros(outputs) + np.asarray(model._baseline_prediction, dtype=np.float64).ravel()
    return Trees(
        roots=roots.astype(np.int32),
        feature=np.where(leaf, -1, gather("feature_idx", np.int32)).astype(np.int32),
        threshold=np.where(leaf | categorical, 0.0, gather("num_threshold", np.float64)),
        left=left,
        right=right,
        missing_left=gather("missing_go_to_left", bool) & ~leaf,
        values=values,
        init=init,
        rule="<=",
        targets=None
        if outputs == 1
        else np.tile(np.arange(outputs, dtype=np.int32), len(model._predictors)),
        category_start=start,
        category_count=count,
        category_words=words,
    )


class _Classifier:
    """Strips a HistGradientBoostingClassifier."""

    def methods(self, model: Any) -> tuple[str, ...]:
        return ("predict", "predict_proba", "decision_function")

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        raw = build.trees(_matrix(model, x, build), _ensemble(model))
        written: dict[str, Wire] = {}
        if "decision_function" in methods:
            written["decision_function"] = raw
        if "predict" in methods:
            written["predict"] = decide(build, raw, model.classes_, "Greater")
        if "predict_proba" in methods:
            link = type(model._loss.link).__name__
            written["predict_proba"] = probabilities(build, raw, link, by_rows=False)
        return written


class _Regressor:
    """Strips a HistGradientBoostingRegressor."""

    def methods(self, model: Any) -> tuple[str, ...]:
        return ("predict",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        raw = build.trees(_matrix(model, x, build), _ensemble(model))
        return {"predict": LINKS[type(model._loss.link).__name__].inverse(build, raw)}


CLASSIFIER = _Classifier()
REGRESSOR = _Regressor()
