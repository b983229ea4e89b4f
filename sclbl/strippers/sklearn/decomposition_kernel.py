"""`sklearn.decomposition`: principal components of a kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.estimator import Estimator, transformed
from sclbl.strippers.sklearn.kernels import pairwise


class KernelPCA(Estimator):
    """The kernel, centred, on the scaled eigenvectors."""

    makes_dense = True

    @method
    def transform(self, model: Any, x: Any) -> Any:
        center = model._centerer
        kernel = self._kernel(model, x, model.X_fit_)
        if kernel.numbers.kind != "f":
            kernel = kernel.astype(np.float64)
        # What is centred is checked: NaN first, as wherever it is.
        kernel = ops.refuse(ops.refuse(kernel, nan=True, inf=False), nan=False)
        means = (np.sum(kernel, axis=1) / center.K_fit_rows_.shape[0])[:, None]
        kernel -= center.K_fit_rows_
        kernel -= means
        kernel += center.K_fit_all_
        roots = np.zeros_like(model.eigenvectors_)
        some = np.flatnonzero(model.eigenvalues_)
        roots[:, some] = model.eigenvectors_[:, some] / np.sqrt(model.eigenvalues_[some])
        return kernel @ roots

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        points = model.X_transformed_fit_
        given = transformed(model, x, points.shape[1])
        return self._kernel(model, given, points) @ model.dual_coef_

    def offers(self, model: Any) -> Any:
        offered = dict(super().offers(model))
        if not model.fit_inverse_transform:
            del offered["inverse_transform"]
        return offered

    def _kernel(self, model: Any, x: Any, points: Any) -> Any:
        params = {"gamma": model.gamma_, "degree": model.degree, "coef0": model.coef0}
        return pairwise(model, x, points, model.kernel, **params)
