"""`sklearn.covariance`: squared Mahalanobis distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator


class Covariance(Estimator):
    """`EmpiricalCovariance`: SciPy's distance, squared again; SciPy computes in float64."""

    @method
    def mahalanobis(self, model: Any, x: Any) -> Any:
        difference = x.astype(np.float64) - model.location_.astype(np.float64)
        product = difference @ np.asarray(model.get_precision(), dtype=np.float64).T
        return np.sqrt(ops.sum_in_order(difference * product)) ** 2


class EllipticEnvelope(Covariance):
    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return np.where(self.decision_function(model, x) >= 0, 1, -1).astype(np.int64)

    @method
    def decision_function(self, model: Any, x: Wire) -> Any:
        return self.score_samples(model, x) - model.offset_

    @method
    def score_samples(self, model: Any, x: Wire) -> Any:
        return -self.mahalanobis(model, x)


_COVARIANCES = """EmpiricalCovariance GraphicalLasso GraphicalLassoCV LedoitWolf MinCovDet OAS
    ShrunkCovariance"""
CLASSES: dict[str, Stripper] = {
    **dict.fromkeys(_COVARIANCES.split(), Covariance()),
    "EllipticEnvelope": EllipticEnvelope(),
}
