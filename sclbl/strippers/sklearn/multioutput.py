"""`sklearn.multioutput`: one estimator an output, each for itself or in a chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.strippers import dispatch, ops
from sclbl.strippers.base import Declared, Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.inside import answer, as_array, numbers, response


class MultiOutput(Stripper):
    """The estimators get the rows as they came."""

    tells_missing = takes_sparse = True

    def offers(self, model: Any) -> Mapping[str, Declared]:
        offered = [dispatch.offers(e) for e in model.estimators_]
        found = super().offers(model)
        return {m: d for m, d in found.items() if all(m in inside for inside in offered)}

    @method
    def predict(self, model: Any, x: Any) -> Wire:
        parts = _each(model, x, "predict")
        if all(part.labels is not None for part in parts):
            return _labels_side_by_side(parts)
        return ops.concat([numbers(part) for part in parts])


class MultiOutputClassifier(MultiOutput):
    @method
    def predict_proba(self, model: Any, x: Any) -> Wire:
        parts = _each(model, x, "predict_proba")
        return replace(ops.concat(parts), splits=tuple(part.width for part in parts))


def _each(model: Any, x: Any, method: str) -> list[Wire]:
    return [answer(e, x, method, f"estimators_[{i}]") for i, e in enumerate(model.estimators_)]


def _labels_side_by_side(parts: list[Wire]) -> Wire:
    """Return labels as the array that NumPy makes of several: one type for all."""
    classes = [np.array(labels) for part in parts for labels in part.labels or ()]
    common = np.result_type(*classes)
    codes = ops.concat([part.builder.codes(part) for part in parts])
    return ops.labels(codes, *(labels.astype(common) for labels in classes))


class Chain(Stripper):
    """Each estimator gets the rows in float64, and what those before it answered."""

    def offers(self, model: Any) -> Mapping[str, Declared]:
        offered = [dispatch.offers(e) for e in model.estimators_]
        found = super().offers(model)
        # Of more than two classes no one number a row remains but the prediction.
        classes = max(len(getattr(e, "classes_", ())) for e in model.estimators_)
        return {
            m: d
            for m, d in found.items()
            if (m == "predict" or classes <= 2)
            and hasattr(model, asked := _ASKED.get(m, m))
            and all(asked in o for o in offered)
        }

    def rows(self, model: Any, x: Table) -> Table:
        return as_array(model, x)

    @once
    def each(self, model: Any, x: Table) -> list[Table]:
        """Return the rows of each estimator."""
        link = getattr(model, "chain_method_", "predict")
        columns = [x.matrix("float64")]
        tables = []
        for i, estimator in enumerate(model.estimators_):
            tables.append(replace(dispatch.as_table(ops.concat(columns)), sparse=x.sparse))
            columns.append(self.answer(i, estimator, tables[-1], link))
        return tables

    def answer(self, place: int, estimator: Any, x: Table, method: str) -> Any:
        made = answer(estimator, x, method, f"estimators_[{place}]")
        return response(estimator, made, method).astype(np.float64)[:, None]

    def outputs(self, model: Any, x: Table, method: str) -> Any:
        """Return what the estimators answer, in the order of the outputs."""
        found = [
            self.answer(i, estimator, rows, method)
            for i, (estimator, rows) in enumerate(
                zip(model.estimators_, self.each(model, x), strict=True)
            )
        ]
        return ops.concat([found[place] for place in np.argsort(model.order_)])

    @method
    def predict(self, model: Any, x: Table) -> Any:
        return self.outputs(model, x, "predict")


class ClassifierChain(Chain):
    @method
    def predict_proba(self, model: Any, x: Table) -> Any:
        return self.outputs(model, x, "predict_proba")

    @method
    def predict_log_proba(self, model: Any, x: Table) -> Any:
        return np.log(self.predict_proba(model, x))

    @method
    def decision_function(self, model: Any, x: Table) -> Any:
        return self.outputs(model, x, "decision_function")


#: What estimators are asked for a method, where that is another one.
_ASKED = {"predict_log_proba": "predict_proba"}
CLASSES: dict[str, Stripper] = {
    "ClassifierChain": ClassifierChain(),
    "MultiOutputClassifier": MultiOutputClassifier(),
    "MultiOutputRegressor": MultiOutput(),
    "RegressorChain": Chain(),
}
