"""sklearn.naive_bayes."""

from __future__ import annotations

from sklearn.naive_bayes import GaussianNB

from tests.conformance.domains import FLAGS, WORDS
from tests.conformance.subject import Subject, fitted

SUBJECTS = (
    Subject("GaussianNB", fitted(GaussianNB(), WORDS)),
    Subject("GaussianNB, binary, priors",
            fitted(GaussianNB(priors=[0.2, 0.8], var_smoothing=1e-3), FLAGS)),
)  # fmt: skip
