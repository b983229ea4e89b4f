"""`sklearn.kernel_ridge`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers.base import method
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.kernels import pairwise


class KernelRidge(Estimator):
    """A kernel's values at the training rows, times ``dual_coef_``."""

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        params = {"gamma": model.gamma, "degree": model.degree, "coef0": model.coef0}
        return np.dot(pairwise(model, x, model.X_fit_, model.kernel, **params), model.dual_coef_)


CLASSES = {"KernelRidge": KernelRidge()}
