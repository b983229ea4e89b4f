"""`sklearn.model_selection`: searches, whose best estimator predicts, and thresholds of scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.sklearn.inside import Inside, answer, method_of, response


class Search(Inside):
    """The methods of ``best_estimator_``."""

    def check(self, model: Any) -> None:
        if not hasattr(model, "best_estimator_"):
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted with refit={model.refit!r}, which leaves it no "
                "best_estimator_ to predict with; fit it with refit=True, or pass a fitted model"
            )


class FixedThreshold(Inside):
    """One of two classes where its score is at least a threshold, the other one elsewhere."""

    def inside(self, model: Any) -> Any:
        return getattr(model, self.attribute, model.estimator)

    def class_and_threshold(self, model: Any, asked: str) -> tuple[Any, float]:
        """Return the class of large scores (None: the second one), and which scores those are."""
        usual = 0.5 if asked == "predict_proba" else 0.0
        return model.pos_label, usual if model.threshold == "auto" else float(model.threshold)

    @method
    def predict(self, model: Any, x: Any) -> Any:
        estimator = self.inside(model)
        asked = method_of(estimator, model._get_response_method())
        label, threshold = self.class_and_threshold(model, asked)
        made = answer(estimator, x, asked, self.attribute)
        above: Any = response(estimator, made, asked, label) >= threshold
        first = label is not None and model.classes_[0] == label
        return ops.labels(np.logical_not(above) if first else above, model.classes_)


class TunedThreshold(FixedThreshold):
    def class_and_threshold(self, model: Any, asked: str) -> tuple[Any, float]:
        return model._curve_scorer._get_pos_label(), float(model.best_threshold_)


_SEARCHES = "GridSearchCV HalvingGridSearchCV HalvingRandomSearchCV RandomizedSearchCV"
CLASSES: dict[str, Stripper] = {
    **dict.fromkeys(_SEARCHES.split(), Search("best_estimator_")),
    "FixedThresholdClassifier": FixedThreshold("estimator_"),
    "TunedThresholdClassifierCV": TunedThreshold("estimator_"),
}
