"""`sklearn.ensemble._bagging`: estimators on some of the columns each, and the mean of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.strippers import dispatch, ops
from sclbl.strippers.base import Declared, Stripper, method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.ensemble_trees import are_trees, node_values, tree_sums
from sclbl.strippers.sklearn.inside import answer, as_array, numbers


class Bagging(Stripper):
    """The rows' array is of what they hold, text too, and nothing is refused."""

    tells_missing = True

    def rows(self, model: Any, x: Table) -> Table:
        return as_array(model, x, dtype=None, ensure_all_finite=False)

    def parts(self, model: Any, x: Table, method: str) -> list[Any]:
        """Return what each estimator answers."""
        return [_part(model, x, i, method) for i in range(len(_estimators(model)))]


class BaggingClassifier(Bagging):
    def offers(self, model: Any) -> Mapping[str, Declared]:
        offered = [dispatch.offers(e) for e in model.estimators_]
        # Scores for different numbers of classes cannot be added, and scikit-learn fails.
        alike = len({len(e.classes_) for e in model.estimators_}) == 1
        scored = alike and all("decision_function" in o for o in offered)
        found = dict(super().offers(model))
        if not scored:
            found.pop("decision_function", None)
        if are_trees(model.estimators_) and "predict_log_proba" in found:
            # It takes the logarithms of each tree alone, and so the trees once more, one by one.
            found["predict_log_proba"] = replace(found["predict_log_proba"], on_request=True)
        return found

    @method
    def predict(self, model: Any, x: Table) -> Any:
        return ops.labels(np.argmax(self.predict_proba(model, x), axis=1), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Table) -> Any:
        count, estimators = len(model.classes_), _estimators(model)
        if are_trees(estimators):
            values = []
            for e in estimators:
                values.append(np.zeros((e.tree_.node_count, count)))
                values[-1][:, e.classes_] = node_values(e)[:, : len(e.classes_)]
            total = tree_sums(
                estimators,
                x,
                values,
                columns=model.estimators_features_[: len(estimators)],
                init=np.zeros(count),
            )
        else:
            total = _chances(model, x, 0)
            for i in range(1, len(estimators)):
                total = total + _chances(model, x, i)
        return total / model.n_estimators

    @method
    def predict_log_proba(self, model: Any, x: Table) -> Any:
        if not hasattr(model.estimator_, "predict_log_proba"):
            return np.log(self.predict_proba(model, x))
        total: Any = None
        for i, estimator in enumerate(_estimators(model)):
            made = _part(model, x, i, "predict_log_proba").astype(np.float64)
            own = _of_classes(made, estimator.classes_, len(model.classes_), -np.inf)
            total = own if total is None else _logaddexp(total, own)
        return total - np.log(model.n_estimators)

    @method
    def decision_function(self, model: Any, x: Table) -> Any:
        return _sum(self.parts(model, x, "decision_function")) / model.n_estimators


class BaggingRegressor(Bagging):
    @method
    def predict(self, model: Any, x: Table) -> Any:
        estimators = _estimators(model)
        if are_trees(estimators):
            total: Any = tree_sums(
                estimators,
                x,
                [node_values(e) for e in estimators],
                columns=model.estimators_features_[: len(estimators)],
                init=np.zeros(estimators[0].n_outputs_),
            )
        else:
            total = _sum(self.parts(model, x, "predict"))
        return total / model.n_estimators


def _estimators(model: Any) -> list[Any]:
    return list(model.estimators_[: model.n_estimators])


def _part(model: Any, x: Table, place: int, method: str) -> Any:
    rows = x.select(list(model.estimators_features_[place]))
    return answer(model.estimators_[place], rows, method, f"estimators_[{place}]")


def _chances(model: Any, x: Table, place: int) -> Any:
    """Return an estimator's probabilities, or its vote, for all classes."""
    estimator, count = model.estimators_[place], len(model.classes_)
    if hasattr(estimator, "predict_proba"):
        made = _part(model, x, place, "predict_proba").astype(np.float64)
        return _of_classes(made, estimator.classes_, count, 0.0)
    votes: Any = numbers(_part(model, x, place, "predict"))
    return (votes.reshape(-1, 1) == np.arange(count)).astype(np.float64)


def _of_classes(made: Any, classes: np.ndarray, count: int, absent: float) -> Any:
    """Return columns for all classes: those that an estimator was not fitted on are constant."""
    if len(classes) == count:
        return made
    places = np.full(count, made.width)
    places[classes] = np.arange(len(classes))
    return ops.concat([made, ops.constant_column(made, absent)])[:, places]


def _sum(parts: list[Any]) -> Any:
    """Add as Python's `sum`, which starts at 0."""
    total = parts[0] + 0
    for part in parts[1:]:
        total = total + part
    return total


def _logaddexp(a: Any, b: Any) -> Any:
    """Return what `numpy.logaddexp` computes."""
    apart = a - b
    rest = np.log1p(np.exp(-np.absolute(apart)))
    return np.where(a == b, a + np.log(2.0), np.where(apart > 0, a + rest, b + rest))


BAGGING: dict[str, Stripper] = {
    "BaggingClassifier": BaggingClassifier(),
    "BaggingRegressor": BaggingRegressor(),
}
