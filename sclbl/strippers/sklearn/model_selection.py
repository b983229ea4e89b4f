"""`sklearn.model_selection`: searches, whose best estimator predicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Input
from sclbl.strippers import dispatch
from sclbl.strippers.base import Declared, Stripper
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder


class Search(Stripper):
    """The methods of ``best_estimator_``."""

    tells_missing = takes_sparse = True

    def check(self, model: Any) -> None:
        if not hasattr(model, "best_estimator_"):
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted with refit={model.refit!r}, which leaves it no "
                "best_estimator_ to predict with; fit it with refit=True, or pass a fitted model"
            )

    def offers(self, model: Any) -> Mapping[str, Declared]:
        inside = dispatch.offers(model.best_estimator_)
        return {m: d for m, d in inside.items() if hasattr(model, m)}

    def names(self, model: Any) -> tuple[str, ...] | None:
        return dispatch.fitted_names(model.best_estimator_)

    def beside(self, model: Any) -> Input | None:
        best = model.best_estimator_
        return dispatch.find(best).beside(best)

    def as_taken(self, model: Any, rows: Any) -> Any:
        return dispatch.find(model.best_estimator_).as_taken(model.best_estimator_, rows)

    def columns(self, model: Any) -> tuple[str, ...] | None:
        used = dispatch.used_by_name(model.best_estimator_)
        return None if used is None else tuple(used)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        return dispatch.hand_on(model.best_estimator_, x, build, methods, "best_estimator_")


_SEARCHES = "GridSearchCV HalvingGridSearchCV HalvingRandomSearchCV RandomizedSearchCV"
CLASSES = dict.fromkeys(_SEARCHES.split(), Search())
