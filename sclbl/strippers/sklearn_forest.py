"""Forests of scikit-learn: RandomForest*, ExtraTrees*.

With one job, a forest adds its trees' results to zeros in float64, tree after tree, and divides by
their number (`sklearn.ensemble._forest`). With more jobs the order is the threads'; the program
always takes the order of one job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.strippers.build import Builder
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn_tree import (
    classify,
    flatten,
    float32_matrix,
    leaf_numbers,
    probability_columns,
    takes_missing,
)


class _Forest:
    """Strips a fitted forest."""

    def optional(self, model: Any) -> tuple[str, ...]:
        return ("apply",)

    def _rows(self, model: Any, x: Table, build: Builder) -> Wire:
        return float32_matrix(model, x, build, missing=takes_missing(model.estimators_[0]))

    def _average(self, model: Any, x: Wire, build: Builder, columns: np.ndarray) -> Wire:
        trees = [e.tree_ for e in model.estimators_]
        total = build.trees(x, flatten(trees, columns, np.zeros(len(columns))))
        return build.div(total, float(len(trees)))

    def _apply(
        self, model: Any, x: Wire, build: Builder, methods: frozenset[str]
    ) -> dict[str, Wire]:
        if "apply" not in methods:
            return {}
        trees = [e.tree_ for e in model.estimators_]
        return {"apply": build.tree_leaves(x, leaf_numbers(trees))}


class _ForestClassifier(_Forest):
    def methods(self, model: Any) -> tuple[str, ...]:
        return ("predict", "predict_proba", "predict_log_proba")

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        rows = self._rows(model, x, build)
        written = self._apply(model, rows, build, methods)
        if methods.difference(written):
            probabilities = self._average(model, rows, build, probability_columns(model))
            written |= classify(model, probabilities, build, methods)
        return written


class _ForestRegressor(_Forest):
    def methods(self, model: Any) -> tuple[str, ...]:
        return ("predict",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        rows = self._rows(model, x, build)
        written = self._apply(model, rows, build, methods)
        if "predict" in methods:
            written["predict"] = self._average(model, rows, build, np.arange(model.n_outputs_))
        return written


CLASSIFIER = _ForestClassifier()
REGRESSOR = _ForestRegressor()
