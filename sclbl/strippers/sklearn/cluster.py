"""`sklearn.cluster`: k-means."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.sklearn.estimator import Estimator


class KMeans(Estimator):
    """Squared distances are ``||x||² - 2 x·c + ||c||²``; the nearest center needs no ``||x||²``."""

    dtype, makes_dense = "float", True

    @method
    def predict(self, model: Any, x: Any) -> Any:
        c = model.cluster_centers_
        return np.argmin(np.einsum("ij,ij->i", c, c) - 2 * (x @ c.T), axis=1)

    @method
    def transform(self, model: Any, x: Any) -> Any:
        """Distances, in float64; where both are float32 they are rounded before the root."""
        c, made = model.cluster_centers_, np.result_type(x.numbers, model.cluster_centers_)
        x, c = x.astype(np.float64), c.astype(np.float64)
        norms = ops.sum_in_order(x * x, keepdims=True)
        squared = -2 * (x @ c.T) + norms + np.einsum("ij,ij->i", c, c)
        return np.sqrt(np.maximum(squared.astype(made), 0))


CLASSES = {"KMeans": KMeans(), "MiniBatchKMeans": KMeans()}
