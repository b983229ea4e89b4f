"""`sklearn.dummy`: the same answer for every row, at which nothing looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.conversions import held_as

_ANY_ROW = np.zeros((1, 1))


class Dummy(Stripper):
    tells_missing = True


class DummyClassifier(Dummy):
    def check(self, model: Any) -> None:
        if model._strategy in ("stratified", "uniform"):
            raise UnsupportedModelError(
                f"DummyClassifier(strategy={model._strategy!r}) predicts at random; fit it with "
                'strategy="prior", "most_frequent" or "constant"'
            )

    @method
    def predict(self, model: Any, x: Table) -> Wire:
        given = model.predict(_ANY_ROW)
        if hasattr(given, "toarray"):  # it was fitted on a sparse matrix of outputs
            return _constant(x, given.toarray())
        rows = given.reshape(1, -1)
        codes = _constant(x, np.zeros(rows.shape, dtype=np.int64))
        return ops.labels(codes, *rows.T)

    @method
    def predict_proba(self, model: Any, x: Table) -> Wire:
        return _chances(x, model.predict_proba(_ANY_ROW))

    @method
    def predict_log_proba(self, model: Any, x: Table) -> Wire:
        with np.errstate(divide="ignore"):
            return _chances(x, model.predict_log_proba(_ANY_ROW))


class DummyRegressor(Dummy):
    @method
    def predict(self, model: Any, x: Table) -> Wire:
        made = _constant(x, np.atleast_2d(model.constant_))
        return made.ravel() if model.n_outputs_ == 1 else made


def _chances(x: Table, given: Any) -> Wire:
    outputs = given if isinstance(given, list) else [given]
    made = _constant(x, np.concatenate(outputs, axis=1))
    splits = tuple(p.shape[1] for p in outputs) if isinstance(given, list) else None
    return replace(made, splits=splits)


def _constant(x: Table, row: np.ndarray) -> Wire:
    """Return ``[rows, width]``: one row of numbers for each, in their own type."""
    # Of all numbers -0.0 alone leaves what is added to it as it is.
    made = x.builder.add(ops.constant_column(x, -0.0), row.astype(np.float64))
    if row.dtype.kind in "iub":
        return held_as(made, row.dtype)
    return made if row.dtype == np.float64 else replace(made.astype(row.dtype), ndim=2)


CLASSES: dict[str, Stripper] = {
    "DummyClassifier": DummyClassifier(),
    "DummyRegressor": DummyRegressor(),
}
