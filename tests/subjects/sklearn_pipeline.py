"""sklearn.pipeline."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.conformance.domains import FLAGS, HOLES, MIXED, SCORE, SCORES, WORDS, Domain
from tests.conformance.subject import Subject, fitted, of_trees

_FOREST: dict[str, Any] = {"n_estimators": 8, "random_state": 0, "max_depth": 6, "n_jobs": 1}
_FRAMES = Domain(MIXED.columns, MIXED.frame, ("frame",))
_OBJECTS = Domain(MIXED.columns, MIXED.frame, ("objects",))


def _mixed(remainder: Any = "drop", *, by: Literal["name", "position"]) -> ColumnTransformer:
    numeric: Any = ["age", "rooms"] if by == "name" else [0, 2]
    text: Any = ["city", "plan"] if by == "name" else slice(1, 4, 2)
    fill = SimpleImputer(strategy="most_frequent", missing_values=np.nan)
    if by == "position":
        fill.missing_values = None
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    hot = make_pipeline(fill, OneHotEncoder(handle_unknown="ignore"))
    return ColumnTransformer(
        [("number", scaled, numeric), ("text", hot, text)], remainder=remainder
    )


SUBJECTS = (
    Subject("FeatureUnion", fitted(FeatureUnion(
            [("scaled", StandardScaler()), ("components", PCA(2))],
            transformer_weights={"components": 0.3}))),
    Subject("Pipeline, impute, scale, components", fitted(make_pipeline(
            SimpleImputer(add_indicator=True), StandardScaler(), PCA(3))), HOLES),
    Subject("Pipeline, scale, LogisticRegression", fitted(make_pipeline(
            StandardScaler(), LogisticRegression()), WORDS)),
    Subject("Pipeline, mixed by name, LogisticRegression", fitted(make_pipeline(
            _mixed(by="name"), LogisticRegression()), FLAGS), _FRAMES),
    Subject("Pipeline, mixed by position, LogisticRegression", fitted(make_pipeline(
            _mixed("passthrough", by="position"), LogisticRegression()), WORDS), _OBJECTS),
    Subject("Pipeline, mixed, Ridge", fitted(make_pipeline(
            _mixed("passthrough", by="name"), Ridge()), SCORES), _FRAMES),
    of_trees("Pipeline, scale, RandomForestClassifier", fitted(make_pipeline(
             StandardScaler(), RandomForestClassifier(**_FOREST)), WORDS)),
    of_trees("Pipeline, mixed, RandomForestRegressor", fitted(make_pipeline(
             _mixed("passthrough", by="name"), RandomForestRegressor(**_FOREST)), SCORE),
             _FRAMES),
)  # fmt: skip
