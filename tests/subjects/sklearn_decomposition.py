"""sklearn.decomposition."""

from __future__ import annotations

from sklearn.decomposition import PCA, IncrementalPCA

from tests.conformance.subject import Subject, fitted

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
)  # fmt: skip
