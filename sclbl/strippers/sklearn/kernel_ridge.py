"""`sklearn.kernel_ridge`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers.base import method
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.gaussian_process_kernels import covariance, for_all, require_known
from sclbl.strippers.sklearn.kernels import pairwise


class KernelRidge(Estimator):
    """A kernel's values at the training rows, times ``dual_coef_``."""

    def check(self, model: Any) -> None:
        if _is_covariance(model.kernel):
            require_known(model, model.kernel)

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        if _is_covariance(model.kernel):
            made = covariance(model, model.kernel, x, np.asarray(model.X_fit_))
            return np.dot(for_all(x, made, len(model.X_fit_)), model.dual_coef_)
        params = {"gamma": model.gamma, "degree": model.degree, "coef0": model.coef0}
        return np.dot(pairwise(model, x, model.X_fit_, model.kernel, **params), model.dual_coef_)


def _is_covariance(kernel: Any) -> bool:
    """Return whether a kernel is one of Gaussian processes."""
    return not isinstance(kernel, str) and hasattr(kernel, "theta")


CLASSES = {"KernelRidge": KernelRidge()}
