"""`sklearn.multiclass`: binary estimators, one a class, a pair of classes, or a bit of a code.

An estimator's score is its ``decision_function``, else its probability of the second class; what a
regressor predicts is a score itself. A class that all rows of training had, or none, has a constant
for an estimator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, ops
from sclbl.strippers.base import Declared, Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn.estimator import require_columns
from sclbl.strippers.sklearn.inside import as_array, numbers

_SCORES = frozenset({"decision_function", "predict_proba"})


class OneVsRestClassifier(Stripper):
    """`OneVsRestClassifier` over estimators that have strippers."""

    tells_missing = True

    def offers(self, model: Any) -> Mapping[str, Declared]:
        offered = frozenset.intersection(*map(_offered, model.estimators_))
        if not all(_score(e) in _offered(e) for e in model.estimators_):
            raise UnsupportedModelError(
                f"{type(model).__name__} is built on {type(model.estimators_[0]).__name__}, which "
                "has neither decision_function nor predict_proba; build it on a classifier"
            )
        return {m: d for m, d in self.declared().items() if m in offered or m == "predict"}

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        require_columns(model, x)
        scores = [_score(e) for e in model.estimators_]
        parts = []
        for i, (estimator, score) in enumerate(zip(model.estimators_, scores, strict=True)):
            wanted = (methods & _SCORES) | ({score} if "predict" in methods else set())
            parts.append(_apply(estimator, x, build, wanted, f"estimators_[{i}]"))
        own = {"predict": scores, **{m: [m] * len(parts) for m in _SCORES}}
        return {m: getattr(self, m)(model, _side_by_side(parts, own[m])) for m in sorted(methods)}

    @method
    def predict(self, model: Any, x: Any) -> Any:
        kind = str(model.label_binarizer_.y_type_)
        if kind == "multiclass":
            return ops.decide(x, model.classes_)
        codes = x > _threshold(model.estimators_[0])
        if kind.startswith("multilabel"):
            return codes.astype(np.int64)
        return ops.labels(codes, model.classes_)

    @method
    def predict_proba(self, model: Any, x: Any) -> Any:
        """Divide by the sums of rows, except where they are zero and where labels are not alone."""
        p = ops.concat([1 - x, x]) if x.width == 1 else x
        if model.multilabel_:
            return p
        total = ops.sum_in_order(p, keepdims=True)
        return p / np.where(total == 0, 1, total)

    @method
    def decision_function(self, model: Any, x: Any) -> Any:
        return x


class OneVsOneClassifier(Stripper):
    """The class of most votes, ties broken by the sum of its estimators' scores."""

    def rows(self, model: Any, x: Table) -> Table:
        return as_array(model, x, ensure_all_finite=False)

    @method
    def predict(self, model: Any, x: Table) -> Wire:
        scores = self.decision_function(model, x)
        if len(model.classes_) == 2:
            return ops.labels(scores > _threshold(model.estimators_[0]), model.classes_)
        return ops.labels(np.argmax(scores, axis=1), model.classes_)

    @method
    def decision_function(self, model: Any, x: Table) -> Any:
        chosen = model.pairwise_indices_ or [range(x.width)] * len(model.estimators_)
        scores, predicted = [], []
        for i, (estimator, columns) in enumerate(zip(model.estimators_, chosen, strict=True)):
            asked = frozenset({_score(estimator), "predict"})
            made = _apply(estimator, x.select(columns), x.builder, asked, f"estimators_[{i}]")
            scores.append(_column(made, _score(estimator)))
            predicted.append(numbers(_wire(made["predict"])).ravel().astype(np.float64))
        made = _votes(ops.concat(scores), ops.concat(predicted), len(model.classes_))
        return made[:, 1] if len(model.classes_) == 2 else made


def _votes(scores: Any, predicted: Any, classes: int) -> Any:
    """`sklearn.utils.multiclass._ovr_decision_function`: votes, and sums of scores below 1/3."""
    won: Any = ops.concat(
        [(predicted == 0).astype(np.float64), (predicted == 1).astype(np.float64)]
    )
    scores = scores.astype(np.float64)
    first, second = np.triu_indices(classes, 1)
    pairs = len(first)
    votes, confidences = [], []
    for c in range(classes):
        # A column for each pair that the class is in, in order: its votes, its signed scores.
        own = np.flatnonzero((first == c) | (second == c))
        votes.append(ops.sum_in_order(won[:, own + pairs * (second[own] == c)], keepdims=True))
        signs = np.where(second[own] == c, 1.0, -1.0)
        confidences.append(ops.sum_in_order(scores[:, own] * signs, keepdims=True))
    total = ops.concat(confidences)
    return ops.concat(votes) + total / (3 * (np.absolute(total) + 1))


class OutputCodeClassifier(Stripper):
    """The class whose code is nearest to the scores, by the squares of Euclidean distances."""

    tells_missing = takes_sparse = True

    @method
    def predict(self, model: Any, x: Any) -> Wire:
        parts = []
        for i, estimator in enumerate(model.estimators_):
            score = _score(estimator)
            made = _apply(estimator, x, x.builder, frozenset({score}), f"estimators_[{i}]")
            parts.append(_column(made, score))
        scores = ops.refuse(ops.concat(parts).astype(np.float64), nan=True)
        codes = np.asarray(model.code_book_, dtype=np.float64)
        products = -2 * (scores @ codes.T)
        distances = ops.sum_in_order(scores * scores, keepdims=True) + products
        distances = np.maximum(distances + np.einsum("ij,ij->i", codes, codes), 0.0)
        return ops.labels(np.argmin(distances, axis=1), model.classes_)


def _is_constant(estimator: Any) -> bool:
    """Return whether all rows of training, or none, had an estimator's class."""
    cls = type(estimator)
    return (cls.__module__, cls.__qualname__) == ("sklearn.multiclass", "_ConstantPredictor")


def _score(estimator: Any) -> str:
    """Return the method that gives an estimator's score."""
    from sklearn.base import is_regressor

    if is_regressor(estimator):
        return "predict"
    return "decision_function" if hasattr(estimator, "decision_function") else "predict_proba"


def _threshold(estimator: Any) -> float:
    """Return above which score it is the second class."""
    from sklearn.base import is_classifier

    # A constant is no classifier to scikit-learn.
    return 0.0 if hasattr(estimator, "decision_function") and is_classifier(estimator) else 0.5


def _offered(estimator: Any) -> frozenset[str]:
    if _is_constant(estimator):
        return _SCORES | {"predict"}
    return frozenset(dispatch.offers(estimator))


def _apply(
    estimator: Any, x: Any, build: Builder, methods: frozenset[str] | set[str], name: str
) -> Mapping[str, Wire | Table]:
    if not _is_constant(estimator):
        return dispatch.apply(estimator, x, build, frozenset(methods), name)
    y = float(estimator.y_[0])
    of_class = ops.constant_column(x, y)
    chances = ops.concat([ops.constant_column(x, 1 - y), of_class])
    return {"decision_function": of_class, "predict": of_class, "predict_proba": chances}


def _wire(made: Wire | Table) -> Wire:
    return made.matrix() if isinstance(made, Table) else made


def _column(made: Mapping[str, Wire | Table], method: str) -> Wire:
    """Return one column of what an estimator answers."""
    wire = _wire(made[method])
    return wire[:, [1]] if method == "predict_proba" else replace(wire, ndim=2)


def _side_by_side(parts: list[Mapping[str, Wire | Table]], methods: list[str]) -> Wire:
    """Put one column of each estimator side by side, in their common type."""
    return ops.concat([_column(p, m) for p, m in zip(parts, methods, strict=True)])


CLASSES: dict[str, Stripper] = {
    "OneVsOneClassifier": OneVsOneClassifier(),
    "OneVsRestClassifier": OneVsRestClassifier(),
    "OutputCodeClassifier": OutputCodeClassifier(),
}
