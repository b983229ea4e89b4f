"""`sklearn.ensemble._weight_boosting`: AdaBoost, weighted votes and weighted medians."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.ensemble_trees import are_trees, node_values, tree_sums
from sclbl.strippers.sklearn.inside import answer, as_array


class AdaBoost(Stripper):
    tells_missing = True

    def rows(self, model: Any, x: Table) -> Table:
        return as_array(model, x, dtype=None)


class AdaBoostClassifier(AdaBoost):
    """An estimator adds its weight to the class it predicts, and takes it from the others."""

    @method
    def predict(self, model: Any, x: Table) -> Wire:
        scores = self.decision_function(model, x)
        if len(model.classes_) == 2:
            return ops.labels(scores > 0, model.classes_)
        return ops.labels(np.argmax(scores, axis=1), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Table) -> Any:
        count = len(model.classes_)
        if count == 1:
            return ops.constant_column(x, 1.0)
        scores = self.decision_function(model, x)
        if count == 2:
            return ops.softmax(ops.concat([-scores, scores]) / 2)
        return ops.softmax(scores / (count - 1))

    @method
    def predict_log_proba(self, model: Any, x: Table) -> Any:
        return np.log(self.predict_proba(model, x))

    @method
    @once
    def decision_function(self, model: Any, x: Table) -> Any:
        count, estimators = len(model.classes_), list(model.estimators_)
        if count == 1:
            return ops.constant_column(x, 0.0)
        weights = model.estimator_weights_[: len(estimators)]
        if are_trees(estimators):
            values = [
                np.where(_predicted(e)[:, None] == model.classes_, w, -1 / (count - 1) * w)
                for e, w in zip(estimators, weights, strict=True)
            ]
            total: Any = tree_sums(estimators, x, values, init=np.zeros(count))
        else:
            total = 0
            for i, (e, w) in enumerate(zip(estimators, weights, strict=True)):
                made = answer(e, x, "predict", f"estimators_[{i}]")
                total = total + np.where(_is_class(made, model.classes_), w, -1 / (count - 1) * w)
        total = total / model.estimator_weights_.sum()
        return np.sum(total * np.array([-1.0, 1.0]), axis=1) if count == 2 else total


def _predicted(tree: Any) -> np.ndarray:
    """Return the label that a tree predicts at each of its nodes."""
    chances = node_values(tree)[:, : len(tree.classes_)]
    labels: np.ndarray = tree.classes_.take(np.argmax(chances, axis=1))
    return labels


def _is_class(made: Wire, classes: np.ndarray) -> Any:
    """Return which class a prediction is, one column each."""
    if made.labels is None:
        return made.reshape(-1, 1) == classes
    codes: Any = made.builder.codes(made)
    own = np.array(made.labels[0], dtype=classes.dtype)
    columns = [np.flatnonzero(own == c) for c in classes]
    return codes == np.array([c[0] if len(c) else -1 for c in columns])


class AdaBoostRegressor(AdaBoost):
    """The smallest prediction up to which lies half of the weight."""

    @method
    def predict(self, model: Any, x: Table) -> Wire:
        estimators = list(model.estimators_)
        if are_trees(estimators):
            apart: Any = tree_sums(
                estimators,
                x,
                [node_values(e) for e in estimators],
                init=np.full(len(estimators), -0.0),
                apart=True,
            )
        else:
            parts = [answer(e, x, "predict", f"estimators_[{i}]") for i, e in enumerate(estimators)]
            apart = ops.concat([p.reshape(-1, 1) for p in parts])
        return ops.weighted_median(apart, model.estimator_weights_[: len(estimators)])


BOOSTING: dict[str, Stripper] = {
    "AdaBoostClassifier": AdaBoostClassifier(),
    "AdaBoostRegressor": AdaBoostRegressor(),
}
