"""`sklearn.multiclass`: OneVsRestClassifier, one binary estimator a class.

An estimator's score is its ``decision_function``, else its probability of the second class. A class
that all rows of training had, or none, has a constant for an estimator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, ops
from sclbl.strippers.base import Declared, Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn.estimator import require_columns

_SCORES = frozenset({"decision_function", "predict_proba"})


class OneVsRestClassifier(Stripper):
    """`OneVsRestClassifier` over estimators that have strippers."""

    def offers(self, model: Any) -> Mapping[str, Declared]:
        offered = frozenset.intersection(*map(_offered, model.estimators_))
        if not offered:
            raise UnsupportedModelError(
                f"{type(model).__name__} is built on {type(model.estimators_[0]).__name__}, which "
                "has neither decision_function nor predict_proba; build it on a classifier"
            )
        return {m: d for m, d in self.declared().items() if m in offered or m == "predict"}

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        require_columns(model, x)
        scores = [min(_offered(e)) for e in model.estimators_]  # decision_function of both
        parts = []
        for i, (estimator, score) in enumerate(zip(model.estimators_, scores, strict=True)):
            wanted = (methods & _SCORES) | ({score} if "predict" in methods else set())
            parts.append(_apply(estimator, x, build, wanted, f"estimators_[{i}]"))
        own = {"predict": scores, **{m: [m] * len(parts) for m in _SCORES}}
        return {m: getattr(self, m)(model, _side_by_side(parts, own[m])) for m in sorted(methods)}

    @method
    def predict(self, model: Any, x: Any) -> Any:
        kind, first = str(model.label_binarizer_.y_type_), model.estimators_[0]
        if kind == "multiclass":
            return ops.decide(x, model.classes_)
        # A constant is no classifier to scikit-learn, whose threshold is the first one's.
        zero = "decision_function" in _offered(first) and not _is_constant(first)
        codes = x > (0 if zero else 0.5)
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


def _is_constant(estimator: Any) -> bool:
    """Return whether all rows of training, or none, had an estimator's class."""
    cls = type(estimator)
    return (cls.__module__, cls.__qualname__) == ("sklearn.multiclass", "_ConstantPredictor")


def _offered(estimator: Any) -> frozenset[str]:
    return _SCORES if _is_constant(estimator) else _SCORES.intersection(dispatch.offers(estimator))


def _apply(
    estimator: Any, x: Table, build: Builder, methods: frozenset[str], name: str
) -> Mapping[str, Wire | Table]:
    if not _is_constant(estimator):
        return dispatch.apply(estimator, x, build, methods, name)
    y = float(estimator.y_[0])
    of_class = ops.constant_column(x, y)
    chances = ops.concat([ops.constant_column(x, 1 - y), of_class])
    return {"decision_function": of_class, "predict_proba": chances}


def _side_by_side(parts: list[Mapping[str, Wire | Table]], methods: list[str]) -> Wire:
    """Put one column of each estimator side by side, in their common type."""
    chosen = []
    for part, name in zip(parts, methods, strict=True):
        made = part[name]
        wire = made.matrix() if isinstance(made, Table) else made
        chosen.append(wire[:, 1] if name == "predict_proba" else wire)
    return ops.concat(chosen)


CLASSES = {"OneVsRestClassifier": OneVsRestClassifier()}
