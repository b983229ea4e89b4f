"""sklearn.model_selection: what a search found."""

from __future__ import annotations

from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # lets others be imported
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.conformance.domains import FLAGS, SCORE, TWO, WORDS
from tests.conformance.subject import Subject, fitted

_SCALED = make_pipeline(StandardScaler(), Ridge())
_ALPHAS = {"ridge__alpha": [0.1, 1.0, 10.0]}
_OPTIONS = {"cv": 2, "random_state": 0}

SUBJECTS = (
    Subject("GridSearchCV, LogisticRegression",
            fitted(GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2), WORDS)),
    Subject("RandomizedSearchCV, pipeline",
            fitted(RandomizedSearchCV(_SCALED, _ALPHAS, n_iter=2, **_OPTIONS), SCORE)),
    Subject("HalvingGridSearchCV, pipeline",
            fitted(HalvingGridSearchCV(_SCALED, _ALPHAS, **_OPTIONS), SCORE)),
    Subject("HalvingRandomSearchCV, pipeline",
            fitted(HalvingRandomSearchCV(_SCALED, _ALPHAS, n_candidates=3, **_OPTIONS), SCORE)),
    Subject("FixedThresholdClassifier", fitted(FixedThresholdClassifier(
            LogisticRegression(), threshold=0.3, pos_label="no"), FLAGS)),
    Subject("FixedThresholdClassifier, scores", fitted(FixedThresholdClassifier(
            LogisticRegression(), threshold=0.2, response_method="decision_function"), TWO)),
    Subject("TunedThresholdClassifierCV",
            fitted(TunedThresholdClassifierCV(LogisticRegression(), cv=2), TWO)),
)  # fmt: skip
