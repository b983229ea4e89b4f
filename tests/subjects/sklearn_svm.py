"""sklearn.svm."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM

from tests.conformance.domains import FLAGS, SCORE, THREE, TWELVE, WORDS
from tests.conformance.subject import Subject, fitted


def _terms(model: Any, rows: Any) -> np.ndarray:
    """Return what libsvm adds for each decision: kernels of a linear, rbf or other SVM, at most."""
    x, vectors = np.asarray(rows, dtype=np.float64), model.support_vectors_
    sizes = np.abs(x) @ np.abs(vectors).T
    if model.kernel == "rbf":
        sizes = np.ones_like(sizes)
    elif model.kernel == "poly":
        sizes = (model._gamma * sizes + abs(model.coef0)) ** model.degree
    elif model.kernel == "sigmoid":
        sizes = 1 + model._gamma * sizes
    return np.abs(sizes) @ np.abs(model.dual_coef_).sum(axis=0)[:, None]


SUBJECTS = (
    Subject("LinearSVR", fitted(LinearSVR(random_state=0, max_iter=100_000), SCORE)),
    Subject("LinearSVC", fitted(LinearSVC(random_state=0), FLAGS)),
    Subject("LinearSVC, 3", fitted(LinearSVC(random_state=0), THREE)),
    Subject("LinearSVC, 3, text", fitted(LinearSVC(random_state=0), WORDS)),
    Subject("LinearSVC, Crammer-Singer",
            fitted(LinearSVC(random_state=0, multi_class="crammer_singer"), FLAGS)),
    Subject("SVC", fitted(SVC(probability=True, random_state=0), WORDS), terms=_terms),
    Subject("SVC, binary, poly", fitted(SVC(kernel="poly", degree=2, coef0=0.5), FLAGS),
            terms=_terms),
    Subject("SVC, pairs, ties", fitted(SVC(kernel="linear", break_ties=True), TWELVE),
            terms=_terms),
    Subject("NuSVC, pairs",
            fitted(NuSVC(nu=0.2, decision_function_shape="ovo"), THREE), terms=_terms),
    Subject("SVR", fitted(SVR(C=3), SCORE), terms=_terms),
    Subject("NuSVR, sigmoid", fitted(NuSVR(kernel="sigmoid", gamma=0.1), SCORE), terms=_terms),
    Subject("OneClassSVM", fitted(OneClassSVM(nu=0.2)), terms=_terms),
)  # fmt: skip
