"""`sklearn.cross_decomposition`: partial least squares; of two tables X alone is transformed."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.estimator import Estimator, transformed


class PLS(Estimator):
    """`_PLS`."""

    dtype = "float"

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        x -= model._x_mean
        made = x @ model.coef_.T + model.intercept_
        return made.ravel() if model._predict_1d else made

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        x -= model._x_mean
        x /= model._x_std
        return x @ model.x_rotations_

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        loadings = model.x_loadings_
        made = transformed(model, x, loadings.shape[1], to_float=True) @ loadings.T
        made *= model._x_std
        made += model._x_mean
        return made


class PLSSVD(Estimator):
    """Computed in float64."""

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        return ((x.astype(np.float64) - model._x_mean) / model._x_std) @ model.x_weights_


CLASSES: dict[str, Stripper] = {
    **dict.fromkeys(["CCA", "PLSCanonical", "PLSRegression"], PLS()),
    "PLSSVD": PLSSVD(),
}
