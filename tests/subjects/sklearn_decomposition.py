"""sklearn.decomposition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.decomposition import (
    NMF,
    PCA,
    DictionaryLearning,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    KernelPCA,
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    MiniBatchNMF,
    MiniBatchSparsePCA,
    SparseCoder,
    SparsePCA,
    TruncatedSVD,
)

from tests.conformance.domains import COUNTED, NUMERIC, Domain
from tests.conformance.subject import Subject, asked, backwards, fitted


def _in_rows(model: Any, method: str, rows: Any) -> Any:
    """Return rows: of a single one the ridge regression of scikit-learn returns one axis."""
    return np.atleast_2d(asked(model, method, rows))


def _alone(model: Any, method: str, rows: Any) -> Any:
    """Return what a model makes of each row by itself, where it looks at all of a call."""
    if method != "transform" or not len(rows):
        return asked(model, method, rows)
    return np.vstack([model.transform(rows[i : i + 1]) for i in range(len(rows))])


def _factors(name: str, model: Any, domain: Domain) -> Subject:
    return Subject(
        f"{type(model).__name__}, {name}", fitted(model), domain, asked=_alone, inside=True
    )


_FLOATS = replace(NUMERIC, forms=("float64", "frame", "float64 frame", "int64"))
_ATOMS = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 0.6, -0.8], [0.5, 0.5, 0.5, 0.5]])
#: Of float32, rounding decides where these models stop.
_WIDE = replace(COUNTED, forms=("float64", "frame"))
_ABOVE = replace(_WIDE, columns={n: v + 0.5 for n, v in COUNTED.columns.items()}, least=1e-3)


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
    Subject("SparsePCA", fitted(SparsePCA(2, random_state=0, max_iter=20)), _FLOATS,
            asked=_in_rows),
    Subject("SparsePCA, wide", fitted(SparsePCA(6, alpha=0.1, random_state=0, max_iter=20)),
            _FLOATS, asked=_in_rows),
    Subject("MiniBatchSparsePCA", fitted(MiniBatchSparsePCA(3, alpha=0.1, random_state=0,
                                                            max_iter=20)), _FLOATS, asked=_in_rows),
    backwards("MiniBatchSparsePCA, backwards",
              MiniBatchSparsePCA(4, random_state=0, max_iter=20)),
    Subject("KernelPCA", fitted(KernelPCA(3)), terms=_kernel_terms,
            inside=True),
    Subject("KernelPCA, rbf", fitted(KernelPCA(2, kernel="rbf")), terms=_kernel_terms,
            inside=True),
    Subject("KernelPCA, cosine", fitted(KernelPCA(2, kernel="cosine")), terms=_kernel_terms,
            inside=True),
    backwards("KernelPCA, backwards",
              KernelPCA(4, kernel="sigmoid", gamma=0.01, fit_inverse_transform=True),
              domain=_FLOATS),
    _factors("descent", NMF(3, init="nndsvda", alpha_W=0.01, l1_ratio=0.3), COUNTED),
    _factors("updates", NMF(2, solver="mu"), _WIDE),
    _factors("updates, Kullback-Leibler", NMF(2, solver="mu", init="nndsvda", alpha_W=0.001,
             l1_ratio=0.5, beta_loss="kullback-leibler"), _WIDE),
    _factors("updates, Itakura-Saito", NMF(2, solver="mu", init="nndsvda",
             beta_loss="itakura-saito"), _ABOVE),
    backwards("NMF, backwards", NMF(4), domain=COUNTED),
    _factors("updates", MiniBatchNMF(2, random_state=0), _WIDE),
    _factors("updates, beta 1.5", MiniBatchNMF(2, random_state=0, beta_loss=1.5), _WIDE),
    Subject("LatentDirichletAllocation",
            fitted(LatentDirichletAllocation(3, random_state=0, max_iter=3)), _WIDE),
    Subject("SparseCoder, pursuit", fitted(SparseCoder(_ATOMS, transform_n_nonzero_coefs=2)),
            _FLOATS),
    Subject("DictionaryLearning, lasso", fitted(DictionaryLearning(
            3, max_iter=5, transform_algorithm="lasso_cd", random_state=0)), _FLOATS, inside=True),
    Subject("MiniBatchDictionaryLearning, threshold", fitted(MiniBatchDictionaryLearning(
            3, max_iter=2, transform_algorithm="threshold", split_sign=True, random_state=0)),
            single=True),
    backwards("SparseCoder, backwards",
              SparseCoder(np.vstack([np.eye(6)[:2]]), split_sign=True)),
)  # fmt: skip
