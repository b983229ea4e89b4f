"""`xgboost.core`: a bare Booster, what ``predict(DMatrix(rows))`` returns, with all its rounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import Declared, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.xgboost import saved
from sclbl.strippers.xgboost.boosting import Boosting, lacks, matrix, missing_number


class Booster(Boosting):
    in_place = False

    def booster(self, model: Any) -> Any:
        return model

    def names(self, model: Any) -> tuple[str, ...] | None:
        return None if model.feature_names is None else tuple(model.feature_names)

    def call(self, model: Any, method: str, rows: Any, **parameters: Any) -> Any:
        """Return what the booster predicts for rows put into a DMatrix."""
        options = {"predict_margin": {"output_margin": True}, "predict": {}}
        return self.asked(model, rows, **options.get(method, {method: True}))

    def asked(self, model: Any, rows: Any, **options: Any) -> Any:
        import xgboost

        own = {}
        if not hasattr(rows, "columns"):
            own = {"feature_names": model.feature_names, "feature_types": model.feature_types}
        matrix = xgboost.DMatrix(rows, enable_categorical=True, **own)
        return model.predict(matrix, **options)

    def offers(self, model: Any) -> Mapping[str, Declared]:
        lacking = lacks(model)
        return {m: d for m, d in self.declared().items() if m not in lacking}

    @method(on_request=True, ask="predict")
    def pred_leaf(self, model: Any, x: Table) -> Wire:
        read = self.read(model, x)
        rows = matrix(model, read, x, missing_number(model), finite=True)
        return ops.tree_leaves(rows, saved.leaf_numbers(read)).astype(np.float32)


CLASSES = {"Booster": Booster()}
