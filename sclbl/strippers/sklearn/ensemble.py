"""`sklearn.ensemble`: forests; boosting and votes stand in modules of their own.

With one job, a forest adds its trees' results to zeros in float64, tree after tree, and divides by
their number (`sklearn.ensemble._forest`). With more jobs the order is the threads'; the program
always takes the order of one job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.gradient_boosting import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)
from sclbl.strippers.sklearn.hist_boosting import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sclbl.strippers.sklearn.tree import TreeClassifier, TreeModel, TreeRegressor, flatten
from sclbl.strippers.sklearn.voting import VotingClassifier, VotingRegressor


class Forest(TreeModel):
    """The mean of the trees' leaves."""

    def trees(self, model: Any) -> Sequence[Any]:
        return list(model.estimators_)

    def leaves(self, model: Any, x: Wire, columns: np.ndarray) -> Any:
        trees = [e.tree_ for e in model.estimators_]
        return ops.trees(x, flatten(trees, columns, np.zeros(len(columns)))) / len(trees)


class ForestClassifier(Forest, TreeClassifier):
    """RandomForestClassifier and ExtraTreesClassifier."""


class ForestRegressor(Forest, TreeRegressor):
    """RandomForestRegressor and ExtraTreesRegressor."""


CLASSES = {
    "ExtraTreesClassifier": ForestClassifier(),
    "ExtraTreesRegressor": ForestRegressor(),
    "GradientBoostingClassifier": GradientBoostingClassifier(),
    "GradientBoostingRegressor": GradientBoostingRegressor(),
    "HistGradientBoostingClassifier": HistGradientBoostingClassifier(),
    "HistGradientBoostingRegressor": HistGradientBoostingRegressor(),
    "RandomForestClassifier": ForestClassifier(),
    "RandomForestRegressor": ForestRegressor(),
    "VotingClassifier": VotingClassifier(),
    "VotingRegressor": VotingRegressor(),
}
