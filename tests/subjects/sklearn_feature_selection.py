"""sklearn.feature_selection."""

from __future__ import annotations

from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.conformance.domains import HOLES, SCORE, THREE, WORDS
from tests.conformance.subject import Subject, fitted, of_trees

_FOREST = RandomForestRegressor(4, max_depth=4, random_state=0)

SUBJECTS = (
    Subject("GenericUnivariateSelect",
            fitted(GenericUnivariateSelect(mode="k_best", param=2), THREE)),
    Subject("SelectFdr", fitted(SelectFdr(), WORDS)),
    Subject("SelectFpr", fitted(SelectFpr(), WORDS)),
    Subject("SelectFwe", fitted(SelectFwe(), WORDS)),
    Subject("SelectKBest", fitted(SelectKBest(k=2), THREE)),
    Subject("SelectKBest, a step of frames", fitted(make_pipeline(
            StandardScaler(), SelectKBest(k=2), LogisticRegression()
            ).set_output(transform="pandas"), WORDS)),
    Subject("SelectPercentile", fitted(SelectPercentile(percentile=60), THREE)),
    Subject("SelectFromModel", fitted(SelectFromModel(Ridge(), threshold="0.5*mean"), SCORE)),
    Subject("SelectFromModel, missing", fitted(SelectFromModel(_FOREST), SCORE), HOLES),
    Subject("SequentialFeatureSelector", fitted(SequentialFeatureSelector(
            Ridge(), n_features_to_select=2, cv=2), SCORE)),
    Subject("VarianceThreshold", fitted(VarianceThreshold(0.1)), HOLES),
    Subject("RFE", fitted(RFE(LogisticRegression(), n_features_to_select=2), WORDS)),
    of_trees("RFECV", fitted(RFECV(_FOREST, cv=2), SCORE)),
)  # fmt: skip
