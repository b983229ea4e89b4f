"""`sklearn.ensemble._stacking`: an estimator on what others answer."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.strippers import dispatch, ops
from sclbl.strippers.base import Declared, Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.inside import answer, numbers
from sclbl.strippers.sklearn.stack import hstack


class Stacking(Stripper):
    """The estimators get the rows as they came, the final one an array of their answers."""

    tells_missing = makes_dense = True

    def offers(self, model: Any) -> Mapping[str, Declared]:
        final = dispatch.offers(model.final_estimator_)
        found = super().offers(model)
        return {m: d for m, d in found.items() if m == "transform" or m in final}

    @method
    def predict(self, model: Any, x: Table) -> Any:
        return self.final(model, x, "predict")

    @method
    def transform(self, model: Any, x: Table) -> Table:
        return self.stacked(model, x)

    @once
    def stacked(self, model: Any, x: Table) -> Table:
        """Return what the final estimator is given."""
        names = [name for name, estimator in model.estimators if not isinstance(estimator, str)]
        asked = [m for m in model.stack_method_ if m is not None]
        parts = []
        for name, estimator, m in zip(names, model.estimators_, asked, strict=True):
            made = _columns(model, answer(estimator, x, m, name), m)
            parts.append(dispatch.as_table(made))
        if model.passthrough:
            parts.append(x)
        return hstack(parts, x.builder)

    def final(self, model: Any, x: Table, asked: str) -> Wire:
        """Return what the final estimator answers."""
        return answer(model.final_estimator_, self.stacked(model, x), asked, "final_estimator")


class StackingClassifier(Stacking):
    """Estimators are fitted on the numbers of the classes."""

    @method
    def predict(self, model: Any, x: Table) -> Wire:
        made: Any = numbers(self.final(model, x, "predict"))
        encoders = model._label_encoder
        several = isinstance(encoders, list)
        return ops.labels(made, *(e.classes_ for e in (encoders if several else [encoders])))

    @method
    def predict_proba(self, model: Any, x: Table) -> Any:
        made = self.final(model, x, "predict_proba")
        if not isinstance(model._label_encoder, list):
            return made
        ends = np.cumsum([0, *(made.splits or ())])[:-1]
        return made[:, ends]

    @method
    def decision_function(self, model: Any, x: Table) -> Any:
        return self.final(model, x, "decision_function")


def _columns(model: Any, made: Wire, asked: str) -> Wire:
    """Return an estimator's answer without the columns that follow from the others."""
    if made.splits is not None:
        ends = np.cumsum([0, *made.splits]).tolist()
        return made[:, [c for a, b in itertools.pairwise(ends) for c in range(a + 1, b)]]
    made = numbers(made)
    if made.ndim == 1 or made.width == 1:
        return made.reshape(-1, 1)
    # Scikit-learn counts the outputs, where there are several.
    if asked == "predict_proba" and len(model.classes_) == 2:
        return made[:, 1:]
    return made


STACKING: dict[str, Stripper] = {
    "StackingClassifier": StackingClassifier(),
    "StackingRegressor": Stacking(),
}
