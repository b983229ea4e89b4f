"""sklearn.kernel_ridge."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.kernel_ridge import KernelRidge

from tests.conformance.domains import SCORE, SCORES
from tests.conformance.subject import Subject, fitted


def _terms(model: Any, rows: Any) -> np.ndarray:
    kernels: np.ndarray = model._get_kernel(np.asarray(rows), model.X_fit_)
    return np.abs(kernels) @ np.abs(model.dual_coef_)


SUBJECTS = (
    Subject("KernelRidge", fitted(KernelRidge(alpha=2.0), SCORE), terms=_terms),
    Subject("KernelRidge, rbf, 3 targets",
            fitted(KernelRidge(kernel="rbf", alpha=np.array([0.5, 1, 2])), SCORES), terms=_terms),
    Subject("KernelRidge, laplacian", fitted(KernelRidge(kernel="laplacian", gamma=0.3), SCORE),
            terms=_terms),
    Subject("KernelRidge, of a Gaussian process", fitted(KernelRidge(
            kernel=2.0 * Matern(1.5, nu=1.5) + WhiteKernel() + ConstantKernel(0.5)), SCORE),
            terms=_terms),
)  # fmt: skip
