"""sklearn.decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import (
    PCA,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    KernelPCA,
    MiniBatchSparsePCA,
    SparsePCA,
    TruncatedSVD,
)

from tests.conformance.subject import Subject, asked, backwards, fitted


def _in_rows(model: Any, method: str, rows: Any) -> Any:
    """Return rows: of a single one the ridge regression of scikit-learn returns one axis."""
    return np.atleast_2d(asked(model, method, rows))


def _kernel_terms(model: Any, rows: Any) -> np.ndarray:
    kernels = model._get_kernel(np.asarray(rows), model.X_fit_)
    sizes = np.abs(kernels) + np.abs(model._centerer.K_fit_rows_)
    roots = np.abs(model.eigenvectors_ / np.sqrt(model.eigenvalues_))
    found: np.ndarray = sizes @ roots + np.mean(sizes, axis=1, keepdims=True) * roots.sum(axis=0)
    return found


SUBJECTS = (
    Subject("PCA", fitted(PCA())),
    Subject("PCA, whitened", fitted(PCA(whiten=True))),
    Subject("PCA, 2", fitted(PCA(2))),
    Subject("PCA, 2, whitened", fitted(PCA(2, whiten=True))),
    Subject("PCA, variance", fitted(PCA(0.8, svd_solver="full"))),
    Subject("PCA, likelihood", fitted(PCA("mle", svd_solver="full"))),
    Subject("PCA, eigenvalues", fitted(PCA(3, svd_solver="covariance_eigh", whiten=True))),
    Subject("PCA, arpack", fitted(PCA(2, svd_solver="arpack", random_state=0))),
    Subject("PCA, randomized",
            fitted(PCA(2, svd_solver="randomized", random_state=0, whiten=True))),
    Subject("IncrementalPCA", fitted(IncrementalPCA(3))),
    Subject("IncrementalPCA, whitened", fitted(IncrementalPCA(3, whiten=True, batch_size=20))),
    backwards("PCA, backwards", PCA(4, whiten=True, svd_solver="full")),
    backwards("IncrementalPCA, backwards", IncrementalPCA(4)),
    Subject("TruncatedSVD", fitted(TruncatedSVD(2, random_state=0))),
    backwards("TruncatedSVD, backwards", TruncatedSVD(4, algorithm="arpack", random_state=0)),
    Subject("FactorAnalysis", fitted(FactorAnalysis(2))),
    Subject("FactorAnalysis, rotated", fitted(FactorAnalysis(rotation="varimax"))),
    Subject("FastICA", fitted(FastICA(2, random_state=0))),
    Subject("FastICA, as it is", fitted(FastICA(whiten=False, random_state=0))),
    backwards("FastICA, backwards", FastICA(4, random_state=0)),
    Subject("SparsePCA", fitted(SparsePCA(2, random_state=0, max_iter=20)),
            asked=_in_rows),
    Subject("SparsePCA, wide", fitted(SparsePCA(6, alpha=0.1, random_state=0, max_iter=20)),
            asked=_in_rows),
    Subject("MiniBatchSparsePCA", fitted(MiniBatchSparsePCA(3, alpha=0.1, random_state=0,
                                                            max_iter=20)), asked=_in_rows),
    backwards("MiniBatchSparsePCA, backwards",
              MiniBatchSparsePCA(4, random_state=0, max_iter=20)),
    Subject("KernelPCA", fitted(KernelPCA(3)), terms=_kernel_terms,
            inside=True),
    Subject("KernelPCA, rbf", fitted(KernelPCA(2, kernel="rbf")), terms=_kernel_terms,
            inside=True),
    Subject("KernelPCA, cosine", fitted(KernelPCA(2, kernel="cosine")), terms=_kernel_terms,
            inside=True),
    backwards("KernelPCA, backwards",
              KernelPCA(4, kernel="sigmoid", gamma=0.01, fit_inverse_transform=True)),
)  # fmt: skip
