"""scikit-learn's `OneVsRestClassifier`: one binary estimator a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch
from sclbl.strippers.columns import Float, Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_rows import require_columns, require_fitted


def _is_constant(estimator: Any) -> bool:
    """Return whether all rows of training, or none, had an estimator's class."""
    cls = type(estimator)
    return (cls.__module__, cls.__qualname__) == ("sklearn.multiclass", "_ConstantPredictor")


def _offered(estimator: Any) -> frozenset[str]:
    scores = frozenset({"decision_function", "predict_proba"})
    return scores if _is_constant(estimator) else scores.intersection(dispatch.methods(estimator))


def _score(estimator: Any) -> str:
    offered = _offered(estimator)
    return "decision_function" if "decision_function" in offered else "predict_proba"


def _apply(
    estimator: Any, x: Table, build: Builder, methods: frozenset[str]
) -> Mapping[str, Wire | Table]:
    if not _is_constant(estimator):
        return dispatch.apply(estimator, x, build, methods)
    y = float(estimator.y_[0])
    first = x.column(0)
    # A number for each row, whatever the row holds: zero times the outcome of some test, and y.
    test = build.binary("Equal", first, np.array("" if first.dtype == "text" else 0.0))
    zero = build.mul(build.cast(test, "float64"), 0.0)

    def column(value: float) -> Wire:
        return build.add(zero, value)

    chances = build.concat([column(1 - y), column(y)])
    return {"decision_function": column(y), "predict_proba": chances}


class OneVsRest:
    """`sklearn.multiclass.OneVsRestClassifier` over estimators that have strippers.

    An estimator's score is its ``decision_function``, else its probability of the second class. A
    class that all rows of training had, or none, has a constant for an estimator.
    """

    def methods(self, model: Any) -> tuple[str, ...]:
        """Return what the estimators offer in common.

        Raises
        ------
        NotFittedError
            Where the model is not fitted.
        UnsupportedModelError
            Where an estimator inside has no stripper, or is no classifier.
        """
        require_fitted(model)
        offered = set.intersection(*(set(_offered(e)) for e in model.estimators_))
        if not offered:
            raise UnsupportedModelError(
                f"{type(model).__name__} is built on {type(model.estimators_[0]).__name__}, which "
                "has neither decision_function nor predict_proba; build it on a classifier"
            )
        wanted = ("predict_proba", "decision_function")
        return ("predict", *(m for m in wanted if m in offered))

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write the methods.

        ``predict`` is a label, or int64 ``[rows, labels]`` where a row has several labels;
        ``decision_function`` is ``[rows, 1]`` or ``[rows, classes]`` and ``predict_proba`` is
        ``[rows, classes]``, float32 or float64.
        """
        require_columns(model, x)
        inner = methods & {"predict_proba", "decision_function"}
        scores = [_score(e) for e in model.estimators_]
        parts = []
        for estimator, score in zip(model.estimators_, scores, strict=True):
            wanted = inner | {score} if "predict" in methods else inner
            parts.append(_apply(estimator, x, build, wanted))
        columns = {m: self._side_by_side(parts, [m] * len(parts), build) for m in inner}
        results: dict[str, Wire | Table] = {}
        if "predict" in methods:
            first = model.estimators_[0]
            # A constant is no classifier to scikit-learn, whose threshold is the first one's.
            zero = scores[0] == "decision_function" and not _is_constant(first)
            own = self._side_by_side(parts, scores, build)
            results["predict"] = self._predict(model, own, 0.0 if zero else 0.5, build)
        if "predict_proba" in methods:
            results["predict_proba"] = self._normalised(model, columns["predict_proba"], build)
        if "decision_function" in methods:
            results["decision_function"] = columns["decision_function"]
        return results

    @staticmethod
    def _side_by_side(
        parts: list[Mapping[str, Wire | Table]], methods: list[str], build: Builder
    ) -> Wire:
        """Put one column of each estimator side by side, in their common type."""
        chosen = []
        for part, method in zip(parts, methods, strict=True):
            wire = part[method]
            if isinstance(wire, Table):
                wire = wire.matrix()
            chosen.append(build.columns(wire, [1]) if method == "predict_proba" else wire)
        wide: Float = "float64" if any(w.dtype == "float64" for w in chosen) else "float32"
        return build.concat([build.cast(w, wide) for w in chosen])

    @staticmethod
    def _predict(model: Any, scores: Wire, threshold: float, build: Builder) -> Wire:
        kind = str(model.label_binarizer_.y_type_)
        if kind == "multiclass":
            return build.labels(build.argmax(scores), [model.classes_])
        codes = build.cast(build.binary("Greater", scores, threshold), "int64")
        return codes if kind.startswith("multilabel") else build.labels(codes, [model.classes_])

    @staticmethod
    def _normalised(model: Any, p: Wire, build: Builder) -> Wire:
        """Divide by the sums of rows, except where they are zero and where labels are not alone."""
        if p.width == 1:
            p = build.concat([build.sub(1.0, p), p])
        if model.multilabel_:
            return p
        total = build.reduce("ReduceSum", p)
        return build.div(p, build.where(build.binary("Equal", total, 0.0), 1.0, total))


ONE_VS_REST = OneVsRest()
