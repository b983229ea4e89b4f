"""sklearn.ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.conformance.domains import (
    CATEGORIES,
    COUNTS,
    FLAGS,
    HOLES,
    LABELS,
    NUMBERS_AND_CODES,
    NUMERIC,
    PAIRS,
    POSITIVE,
    ROWS,
    SCORE,
    SCORES,
    THREE,
    TINY,
    TWELVE,
    TWO,
    WORDS,
    Domain,
)
from tests.conformance.subject import Subject, boosted, fitted, of_trees

_SMALL: dict[str, Any] = {"n_estimators": 8, "random_state": 0}
_FOREST: dict[str, Any] = {**_SMALL, "max_depth": 6, "n_jobs": 1}
_ROUNDS: dict[str, Any] = {"max_iter": 8, "min_samples_leaf": 5, "random_state": 0}


def _classes(variation: str, y: np.ndarray, **options: Any) -> Subject:
    model = GradientBoostingClassifier(**{**_SMALL, **options})
    return boosted(f"GradientBoostingClassifier, {variation}", fitted(model, y))


def _numbers(variation: str, **options: Any) -> Subject:
    model = GradientBoostingRegressor(**{**_SMALL, **options})
    return boosted(f"GradientBoostingRegressor{variation}", fitted(model, SCORE))


def _bins_of_classes(
    variation: str, y: np.ndarray, domain: Domain = NUMERIC, **options: Any
) -> Subject:
    model = HistGradientBoostingClassifier(**{**_ROUNDS, **options})
    return boosted(f"HistGradientBoostingClassifier, {variation}", fitted(model, y), domain)


def _bins_of_numbers(
    variation: str, y: np.ndarray, domain: Domain = NUMERIC, *also: str, **options: Any
) -> Subject:
    model = HistGradientBoostingRegressor(**{**_ROUNDS, **options})
    return boosted(f"HistGradientBoostingRegressor{variation}", fitted(model, y), domain, *also)


# Trees among them would refuse what is too large for float32, and others in float32 are less exact
# than an average in float64: `tests/strippers` looks at both.
_VOTERS = [("linear", LogisticRegression()), ("bayes", GaussianNB())]
_MEANS = [("linear", LinearRegression()), ("ridge", Ridge(alpha=30.0))]
_TREES: Any = [("tree", DecisionTreeClassifier(max_depth=3, random_state=0)), ("gone", "drop"),
               ("forest", RandomForestClassifier(3, max_depth=3, random_state=0))]  # fmt: skip
_FEW: dict[str, Any] = {"n_estimators": 5, "random_state": 0}

SUBJECTS = (
    # ---------------------------------------------------------------------- forests
    of_trees("RandomForestClassifier", fitted(RandomForestClassifier(**_FOREST), THREE)),
    of_trees("RandomForestClassifier, text",
             fitted(RandomForestClassifier(**_FOREST, class_weight="balanced"), WORDS), TINY),
    of_trees("RandomForestClassifier, entropy", fitted(RandomForestClassifier(
             **_FOREST, criterion="entropy", class_weight="balanced_subsample"), TWELVE)),
    # Even numbers of stumps make ties of the averaged probabilities.
    of_trees("RandomForestClassifier, stumps",
             fitted(RandomForestClassifier(2, max_depth=1, random_state=3), THREE)),
    of_trees("RandomForestClassifier, 2 outputs",
             fitted(RandomForestClassifier(**_FOREST), PAIRS)),
    of_trees("RandomForestClassifier, missing",
             fitted(RandomForestClassifier(**_FOREST), FLAGS), HOLES),
    of_trees("RandomForestRegressor", fitted(RandomForestRegressor(**_FOREST), SCORE)),
    of_trees("RandomForestRegressor, Poisson", fitted(RandomForestRegressor(
             **_FOREST, criterion="poisson"), POSITIVE)),
    of_trees("RandomForestRegressor, absolute", fitted(RandomForestRegressor(
             **{**_FOREST, "max_depth": 3}, criterion="absolute_error"), SCORE)),
    of_trees("RandomForestRegressor, 3 outputs",
             fitted(RandomForestRegressor(**_FOREST), SCORES)),
    of_trees("RandomForestRegressor, missing",
             fitted(RandomForestRegressor(**_FOREST), SCORE), HOLES),
    of_trees("ExtraTreesClassifier",
             fitted(ExtraTreesClassifier(**_SMALL, max_leaf_nodes=20), WORDS)),
    of_trees("ExtraTreesClassifier, 2 outputs", fitted(ExtraTreesClassifier(**_FOREST), PAIRS)),
    of_trees("ExtraTreesClassifier, missing",
             fitted(ExtraTreesClassifier(**_FOREST), THREE), HOLES),
    of_trees("ExtraTreesRegressor", fitted(ExtraTreesRegressor(**_FOREST), SCORE)),
    of_trees("ExtraTreesRegressor, monotonic", fitted(ExtraTreesRegressor(
             **_FOREST, bootstrap=True, monotonic_cst=[1, 0, 0, 0]), SCORE)),
    of_trees("ExtraTreesRegressor, 3 outputs", fitted(ExtraTreesRegressor(**_FOREST), SCORES)),
    # ------------------------------------------------------------- gradient boosting
    _classes("binary", FLAGS),
    _classes("exponential", TWO, loss="exponential"),
    _classes("zero", FLAGS, init="zero"),
    _classes("3", WORDS, subsample=0.7),
    _classes("3, zero", THREE, init="zero", learning_rate=1.0),
    _classes("3, prior", THREE, init=DummyClassifier()),
    _classes("12", TWELVE),
    # From eight classes on, the order in which numpy.sum adds shows in the last digits.
    *(_classes(f"{n}", np.arange(ROWS) % n, n_estimators=2, max_depth=2) for n in (8, 17, 140)),
    _classes("stopped", FLAGS, n_estimators=60, n_iter_no_change=3),
    _numbers(""),
    _numbers(", absolute", loss="absolute_error"),
    _numbers(", Huber", loss="huber", alpha=0.8),
    _numbers(", quantile", loss="quantile", alpha=0.3),
    _numbers(", zero", init="zero", subsample=0.5),
    _numbers(", median", init=DummyRegressor(strategy="median")),
    _numbers(", after a tree", init=DecisionTreeRegressor(max_depth=2, random_state=0)),
    # -------------------------------------------------------------- with histograms
    _bins_of_classes("binary", FLAGS),
    _bins_of_classes("missing", TWO, HOLES),
    _bins_of_classes("3", WORDS, HOLES),
    _bins_of_classes("12", TWELVE, HOLES, learning_rate=0.4, max_leaf_nodes=5),
    _bins_of_classes("20", np.arange(ROWS) % 20, HOLES, max_iter=3),
    _bins_of_classes("stopped", FLAGS, early_stopping=True, max_iter=50),
    _bins_of_classes("codes", FLAGS, NUMBERS_AND_CODES, categorical_features=[2]),
    _bins_of_classes("codes, mask", THREE, NUMBERS_AND_CODES,
                     categorical_features=[False, False, True]),
    _bins_of_classes("categories", WORDS, CATEGORIES),
    _bins_of_numbers("", SCORE),
    _bins_of_numbers(", missing", SCORE, HOLES),
    _bins_of_numbers(", absolute", SCORE, loss="absolute_error"),
    _bins_of_numbers(", quantile", SCORE, loss="quantile", quantile=0.2),
    _bins_of_numbers(", monotonic", SCORE, monotonic_cst=[1, 0, 0, -1]),
    _bins_of_numbers(", Poisson", COUNTS, NUMERIC, "predict", loss="poisson"),
    _bins_of_numbers(", gamma", POSITIVE, HOLES, "predict", loss="gamma"),
    _bins_of_numbers(", codes", SCORE, NUMBERS_AND_CODES, categorical_features=[2]),
    _bins_of_numbers(", categories", SCORE, CATEGORIES),
    _bins_of_numbers(", categories by name", SCORE, CATEGORIES,
                     categorical_features=["city", "rank"]),
    # ----------------------------------------------------------------------- votes
    Subject("VotingClassifier, hard", fitted(VotingClassifier(_VOTERS, weights=[1, 2]), WORDS)),
    Subject("VotingClassifier, soft", fitted(VotingClassifier(_VOTERS, voting="soft"), WORDS),
            chances=frozenset({"predict_proba", "transform"})),
    Subject("VotingClassifier, soft, binary", fitted(VotingClassifier(
            _VOTERS, voting="soft", flatten_transform=False), FLAGS)),
    Subject("VotingRegressor", fitted(VotingRegressor(_MEANS), SCORE)),
    # --------------------------------------------------------- estimators of one kind
    of_trees("BaggingClassifier", fitted(BaggingClassifier(**_FEW), THREE)),
    of_trees("BaggingClassifier, some columns", fitted(BaggingClassifier(
             n_estimators=3, max_samples=9, max_features=2, bootstrap_features=True,
             random_state=0), TWELVE)),
    Subject("BaggingClassifier, linear", fitted(BaggingClassifier(
            LogisticRegression(), max_features=3, **_FEW), WORDS)),
    Subject("BaggingClassifier, votes", fitted(BaggingClassifier(LinearSVC(), **_FEW), FLAGS)),
    of_trees("BaggingRegressor, missing", fitted(BaggingRegressor(**_FEW), SCORE), HOLES),
    Subject("BaggingRegressor, linear", fitted(BaggingRegressor(
            Ridge(), max_features=0.5, **_FEW), SCORE)),
    boosted("AdaBoostClassifier", fitted(AdaBoostClassifier(**_FEW), WORDS)),
    boosted("AdaBoostClassifier, binary", fitted(AdaBoostClassifier(**_FEW), FLAGS)),
    Subject("AdaBoostClassifier, linear", fitted(AdaBoostClassifier(
            LogisticRegression(), **_FEW), THREE)),
    of_trees("AdaBoostRegressor",
             fitted(AdaBoostRegressor(n_estimators=20, random_state=0), SCORE)),
    Subject("AdaBoostRegressor, linear", fitted(AdaBoostRegressor(Ridge(), **_FEW), SCORE)),
    Subject("IsolationForest", fitted(IsolationForest(**_FEW)), HOLES),
    Subject("IsolationForest, some columns", fitted(IsolationForest(
            contamination=0.1, max_features=2, **_FEW))),
    of_trees("RandomTreesEmbedding",
             fitted(RandomTreesEmbedding(4, max_depth=3, random_state=0))),
    # -------------------------------------------------------------------- in two layers
    Subject("StackingClassifier", fitted(StackingClassifier(
            [("linear", LogisticRegression()), ("vectors", LinearSVC())], cv=2), FLAGS)),
    Subject("StackingClassifier, predictions and columns", fitted(StackingClassifier(
            _VOTERS, cv=2, stack_method="predict", passthrough=True), WORDS)),
    of_trees("StackingClassifier, trees, labels", fitted(StackingClassifier(
             _TREES, final_estimator=DecisionTreeClassifier(max_depth=3, random_state=0),
             cv=2), LABELS)),
    Subject("StackingRegressor", fitted(StackingRegressor(_MEANS, cv=2), SCORE)),
)  # fmt: skip
