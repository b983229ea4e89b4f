"""`xgboost.core`: a bare Booster, what ``predict(DMatrix(rows))`` returns, with all its rounds."""

from __future__ import annotations

from typing import Any

from sclbl.strippers.xgboost.boosting import Boosting


class Booster(Boosting):
    in_place = False

    def booster(self, model: Any) -> Any:
        return model

    def names(self, model: Any) -> tuple[str, ...] | None:
        return None if model.feature_names is None else tuple(model.feature_names)

    def call(self, model: Any, method: str, rows: Any, **parameters: Any) -> Any:
        """Return what the booster predicts for rows put into a DMatrix."""
        import xgboost

        own = {}
        if not hasattr(rows, "columns"):
            own = {"feature_names": model.feature_names, "feature_types": model.feature_types}
        matrix = xgboost.DMatrix(rows, enable_categorical=True, **own)
        return model.predict(matrix, output_margin=method == "predict_margin")


CLASSES = {"Booster": Booster()}
