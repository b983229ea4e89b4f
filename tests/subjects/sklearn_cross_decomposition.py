"""sklearn.cross_decomposition."""

from __future__ import annotations

from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression

from tests.conformance.domains import SCORE, SCORES
from tests.conformance.subject import Subject, backwards, fitted

SUBJECTS = (
    Subject("PLSRegression", fitted(PLSRegression(), SCORES)),
    Subject("PLSRegression, 1 target", fitted(PLSRegression(1, scale=False), SCORE)),
    backwards("PLSRegression, backwards", PLSRegression(4), SCORE),
    Subject("PLSCanonical", fitted(PLSCanonical(), SCORES)),
    Subject("CCA", fitted(CCA(1), SCORES)),
    Subject("PLSSVD", fitted(PLSSVD(2), SCORES)),
)  # fmt: skip
