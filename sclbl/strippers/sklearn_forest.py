"""Forests of scikit-learn: RandomForest*, ExtraTrees*.

With one job, a forest adds its trees' results to zeros in float64, tree after tree, and divides by
their number (`sklearn.ensemble._forest`). With more jobs the order is the threads'; the program
always takes the order of one job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_tree import Classifier, Regressor, flatten


class _Forest:
    """The trees of a forest: the mean of their leaves."""

    def trees(self, model: Any) -> Sequence[Any]:
        return list(model.estimators_)

    def results(self, model: Any, x: Wire, build: Builder, columns: np.ndarray) -> Wire:
        trees = [e.tree_ for e in model.estimators_]
        total = build.trees(x, flatten(trees, columns, np.zeros(len(columns))))
        return build.div(total, float(len(trees)))


CLASSIFIER = Classifier(_Forest())
REGRESSOR = Regressor(_Forest())
