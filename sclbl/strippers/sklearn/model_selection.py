"""`sklearn.model_selection`: searches, whose best estimator predicts."""

from __future__ import annotations

from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.sklearn.inside import Inside


class Search(Inside):
    """The methods of ``best_estimator_``."""

    def check(self, model: Any) -> None:
        if not hasattr(model, "best_estimator_"):
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted with refit={model.refit!r}, which leaves it no "
                "best_estimator_ to predict with; fit it with refit=True, or pass a fitted model"
            )


_SEARCHES = "GridSearchCV HalvingGridSearchCV HalvingRandomSearchCV RandomizedSearchCV"
CLASSES = dict.fromkeys(_SEARCHES.split(), Search("best_estimator_"))
