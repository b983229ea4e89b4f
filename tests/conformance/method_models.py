"""Fitted models for the methods that no subject has: they complete the page of coverage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import cluster, cross_decomposition, decomposition, feature_selection, preprocessing
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # adds two searches
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)
from sklearn.svm import NuSVC

_RNG = np.random.default_rng(0)
X = np.abs(_RNG.normal(size=(150, 6))).round(2)
Y = (X[:, 0] + 0.5 * _RNG.normal(size=150) > X[:, 1]).astype(int)
TEXTS = _RNG.choice(["Breda", "Ede", "Ühlingen"], size=(150, 2)).astype(object)
PROBABILITIES = ("predict_proba", "predict_log_proba", "decision_function")


@dataclass(frozen=True)
class MethodModel:
    """A fitted model, the rows of its methods, and which these are."""

    model: Any
    rows: Any
    methods: tuple[str, ...]


def backwards() -> Iterator[MethodModel]:
    """Yield transformers with what they made of the training rows."""
    models = [
        cross_decomposition.CCA(1),
        cross_decomposition.PLSCanonical(1),
        decomposition.DictionaryLearning(3, max_iter=10, random_state=0),
        decomposition.MiniBatchDictionaryLearning(3, max_iter=10, random_state=0),
        decomposition.MiniBatchNMF(3, random_state=0),
        decomposition.SparsePCA(3, max_iter=10, random_state=0),
        cluster.FeatureAgglomeration(3),
        preprocessing.FunctionTransformer(np.log1p, inverse_func=np.expm1),
        preprocessing.KBinsDiscretizer(4, encode="onehot-dense", quantile_method="linear"),
    ]
    for model in models:
        model.fit(X, Y)
        yield MethodModel(model, np.asarray(model.transform(X)), ("inverse_transform",))
    for encoder in (
        preprocessing.OrdinalEncoder(),
        preprocessing.OneHotEncoder(sparse_output=False),
    ):
        yield MethodModel(encoder.fit(TEXTS), encoder.transform(TEXTS), ("inverse_transform",))


def chosen() -> Iterator[MethodModel]:
    """Yield selections of columns, which leave zeros where they go back."""
    inner = LogisticRegression()
    models = [
        feature_selection.GenericUnivariateSelect(mode="k_best", param=3),
        feature_selection.RFE(inner, n_features_to_select=3),
        feature_selection.SelectFdr(alpha=0.9),
        feature_selection.SelectFpr(alpha=0.9),
        feature_selection.SelectFwe(alpha=0.9),
        feature_selection.SelectFromModel(inner),
        feature_selection.SelectKBest(k=2),
        feature_selection.SelectPercentile(percentile=50),
        feature_selection.SequentialFeatureSelector(inner, n_features_to_select=2, cv=2),
        feature_selection.VarianceThreshold(0.3),
    ]
    for model in models:
        yield MethodModel(model.fit(X, Y), model.transform(X), ("inverse_transform",))
    chosen = feature_selection.RFECV(inner, cv=2).fit(X, Y)
    yield MethodModel(chosen, X, PROBABILITIES)
    yield MethodModel(chosen, chosen.transform(X), ("inverse_transform",))


def searches() -> Iterator[MethodModel]:
    kinds = {
        GridSearchCV: {"cv": 2},
        HalvingGridSearchCV: {"cv": 2, "random_state": 0},
        HalvingRandomSearchCV: {"cv": 2, "random_state": 0},
        RandomizedSearchCV: {"cv": 2, "random_state": 0, "n_iter": 2},
    }
    for kind, options in kinds.items():
        found = kind(LogisticRegression(), {"C": [0.5, 2.0]}, **options).fit(X, Y)
        yield MethodModel(found, X, PROBABILITIES)
        found = kind(decomposition.PCA(2), {"whiten": [True, False]}, **options).fit(X, Y)
        yield MethodModel(found, X, ("transform", "score_samples"))
        yield MethodModel(found, found.transform(X), ("inverse_transform",))


def neighbors() -> Iterator[MethodModel]:
    nearest = (KNeighborsClassifier, KNeighborsRegressor, KNeighborsTransformer, LocalOutlierFactor)
    for kind in nearest:
        novelty = {"novelty": True} if kind is LocalOutlierFactor else {}
        yield MethodModel(kind(algorithm="kd_tree", **novelty).fit(X, Y), X, ("kneighbors",))
    within = (RadiusNeighborsClassifier, RadiusNeighborsRegressor, RadiusNeighborsTransformer)
    for kind in within:
        yield MethodModel(kind(algorithm="ball_tree").fit(X, Y), X, ("radius_neighbors",))


def others() -> Iterator[MethodModel]:
    sigmoid = NuSVC(probability=True, random_state=0).fit(X, Y)
    yield MethodModel(sigmoid, X, ("predict_proba", "predict_log_proba"))


GROUPS: tuple[Callable[[], Iterator[MethodModel]], ...] = (
    backwards,
    chosen,
    searches,
    neighbors,
    others,
)
