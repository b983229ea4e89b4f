"""sklearn.dummy."""

from __future__ import annotations

from sklearn.dummy import DummyClassifier, DummyRegressor

from tests.conformance.domains import MIXED, PAIRS, SCORE, SCORES, THREE, WORDS
from tests.conformance.subject import Subject, fitted

SUBJECTS = (
    Subject("DummyClassifier", fitted(DummyClassifier(), WORDS), MIXED),
    Subject("DummyClassifier, most frequent, 2 outputs",
            fitted(DummyClassifier(strategy="most_frequent"), PAIRS)),
    Subject("DummyClassifier, constant", fitted(DummyClassifier(
            strategy="constant", constant=2), THREE)),
    Subject("DummyRegressor, quantile",
            fitted(DummyRegressor(strategy="quantile", quantile=0.3), SCORE)),
    Subject("DummyRegressor, 3 outputs", fitted(DummyRegressor(), SCORES)),
)  # fmt: skip
