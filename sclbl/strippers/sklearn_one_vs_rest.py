"""scikit-learn's `OneVsRestClassifier`: one binary estimator a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch
from sclbl.strippers.build import Builder
from sclbl.strippers.columns import Float, Table, Wire
from sclbl.strippers.sklearn_rows import require_columns, require_fitted


class OneVsRest:
    """`sklearn.multiclass.OneVsRestClassifier` over estimators that have strippers.

    An estimator's score is its ``decision_function``, else its probability of the second class.
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
        offered = set.intersection(*(set(dispatch.methods(e)) for e in model.estimators_))
        if not offered & {"decision_function", "predict_proba"}:
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
        offered = self.methods(model)
        require_columns(model, x)
        score = "decision_function" if "decision_function" in offered else "predict_proba"
        inner = set(methods & {"predict_proba", "decision_function"})
        if "predict" in methods:
            inner.add(score)
        parts = [dispatch.apply(e, x, build, frozenset(inner)) for e in model.estimators_]
        columns = {m: self._side_by_side(parts, m, build) for m in inner}
        results: dict[str, Wire | Table] = {}
        if "predict" in methods:
            threshold = 0.0 if score == "decision_function" else 0.5
            results["predict"] = self._predict(model, columns[score], threshold, build)
        if "predict_proba" in methods:
            results["predict_proba"] = self._normalised(model, columns["predict_proba"], build)
        if "decision_function" in methods:
            results["decision_function"] = columns["decision_function"]
        return results

    @staticmethod
    def _side_by_side(parts: list[Mapping[str, Wire | Table]], method: str, build: Builder) -> Wire:
        """Put one column of each estimator side by side, in their common type."""
        chosen = []
        for part in parts:
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
