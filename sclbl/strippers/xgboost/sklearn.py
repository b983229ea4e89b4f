"""`xgboost.sklearn`: the estimators, and their random-forest forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import Declared, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.xgboost import saved
from sclbl.strippers.xgboost.boosting import Boosting, lacks, matrix, missing_number


class XGBRegressor(Boosting):
    """What the scikit-learn interface predicts."""

    def offers(self, model: Any) -> Mapping[str, Declared]:
        lacking = lacks(model.get_booster())
        return {m: d for m, d in self.declared().items() if m not in lacking}

    @method(on_request=True)
    def apply(self, model: Any, x: Table) -> Wire:
        # A DMatrix is made here, which refuses infinity unless it stands for missing.
        read, missing = self.read(model, x), missing_number(model)
        rows = matrix(model, read, x, missing, finite=not np.isinf(missing))
        return ops.tree_leaves(rows, saved.leaf_numbers(read)).astype(np.float32)


class XGBClassifier(XGBRegressor):
    """Labels and probabilities of the booster's prediction."""

    @method
    def predict(self, model: Any, x: Table) -> Any:
        value, classes = self.value(model, x), int(model.n_classes_)
        if value.width > 1 and classes != 2:
            return ops.labels(np.argmax(value, axis=1), range(classes))
        if value.width > 1:
            # Several labels a row: XGBoost returns float64 zeros and ones.
            return (value > 0.5).astype(np.float64)
        if model.objective == "multi:softmax":
            return ops.labels(value, range(classes))
        return ops.labels(value > 0.5, range(2))

    @method
    def predict_proba(self, model: Any, x: Table) -> Any:
        if model.objective == "multi:softmax":
            return ops.softmax(self.margin(model, x))
        value = self.value(model, x)
        return value if value.width > 1 else ops.concat([1 - value, value])


CLASSES = {
    "XGBClassifier": XGBClassifier(),
    "XGBRFClassifier": XGBClassifier(),
    "XGBRFRegressor": XGBRegressor(),
    # A DataFrame's column `qid` is no feature, and columns are found by name.
    "XGBRanker": XGBRegressor(),
    "XGBRegressor": XGBRegressor(),
}
