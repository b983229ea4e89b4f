"""GaussianNB, k-means, polynomials, searches and votes: their programs beside the models."""

from __future__ import annotations

from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import sclbl
from sclbl.errors import (
    ColumnError,
    InfiniteValueError,
    MissingValueError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.strippers import strip
from tests.conformance.beside import run

X = np.random.default_rng(0).normal(size=(120, 9))
WORDS = np.array(["low", "mid", "top"])[np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])]
FLAGS = X[:, 0] > 0
SCORE = X @ np.linspace(-1, 1, 9)
NONE = None


def check(model: Any, rows: Any, y: Any = None) -> sclbl.Program:
    """Compile a model and compare each method on many rows and on one: values, dtype, shape."""
    model.fit(rows, y)
    program = sclbl.compile(model, rows[:5])
    single = np.asarray(rows).dtype == np.float32
    assert program.methods
    for method in program.methods:
        for some in (rows, rows[3:4]):
            ours, theirs = getattr(program, method)(some), getattr(model, method)(some)
            assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), method
            if theirs.dtype.kind == "f":
                # The digits of a product are BLAS's, and logarithms near 0 magnify them.
                rtol, atol = (1e-4, 1e-5) if single else (1e-11, 1e-13)
                np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=method)
            else:
                np.testing.assert_array_equal(ours, theirs, err_msg=method)
    return program


def refuses_what_is_not_finite(program: sclbl.Program, rows: np.ndarray) -> None:
    for value, error in ((np.nan, MissingValueError), (np.inf, InfiniteValueError)):
        bad = rows[:3].copy()
        bad[1, 4] = value
        with pytest.raises(error, match="row 1, column '4'"):
            program.run(program.methods[0], bad)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("model", "y"),
    [
        (GaussianNB(), WORDS),
        (GaussianNB(priors=[0.1, 0.9], var_smoothing=1e-3), FLAGS),
        (KMeans(4, n_init=1, random_state=0), NONE),
        (MiniBatchKMeans(3, n_init=1, random_state=0), NONE),
    ],
    ids=["bayes of three", "bayes of two", "k-means", "k-means by batches"],
)
def test_models(model: Any, y: Any, dtype: type) -> None:
    rows = X.astype(dtype)
    refuses_what_is_not_finite(check(model, rows, y), rows)


def test_naive_bayes_of_integers() -> None:
    check(GaussianNB(), np.rint(X * 3).astype(np.int16), WORDS)


@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(),
        KMeans(1, n_init=1),
        VotingClassifier([("bayes", GaussianNB())], voting="soft"),
        VotingClassifier([("bayes", GaussianNB()), ("tree", DecisionTreeClassifier())]),
    ],
    ids=["bayes", "k-means", "soft", "hard"],
)
def test_one_outcome(model: Any) -> None:
    check(model, X[:, :1], np.ones(len(X)))


def test_the_first_of_two_centers_alike_is_the_nearest() -> None:
    model = KMeans(3, init=X[:3], n_init=1, max_iter=1).fit(X)
    model.cluster_centers_[2] = model.cluster_centers_[1]
    labels = sclbl.compile(model, X[:5]).predict(X)
    assert set(labels) == {0, 1}
    np.testing.assert_array_equal(labels, model.predict(X))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("degree", [0, 1, 2, 4, (0, 2), (2, 2), (2, 3)])
@pytest.mark.parametrize("options", [(False, True), (False, False), (True, True), (True, False)])
def test_polynomials(degree: Any, options: tuple[bool, bool], dtype: type) -> None:
    interaction_only, include_bias = options
    model = PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=include_bias)
    if degree == 0 and not include_bias:
        return  # scikit-learn refuses to fit it
    rows = np.rint(X[:, :4] * 3).astype(dtype) if dtype == np.int64 else X[:, :4].astype(dtype)
    model.fit(rows)
    spec = strip(model, rows[:5])
    ours, theirs = run(spec, rows)["transform"], model.transform(rows)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_a_program_of_polynomials() -> None:
    rows = X.astype(np.float32)
    refuses_what_is_not_finite(check(PolynomialFeatures((1, 3)), rows), rows)
    frame = pd.DataFrame({"t": ["a", "b", "c"] * 8, "x": np.linspace(-1, 1, 24)})
    encoded = make_column_transformer(
        (OneHotEncoder(), ["t"]), (OneHotEncoder(drop="first"), ["x"]), sparse_threshold=1.0
    )
    program = check(make_pipeline(encoded, PolynomialFeatures(3), Ridge()), frame, frame["x"] * 2)
    assert program.methods == ("predict",)


# ------------------------------------------------------------------ searches


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_search_predicts_with_its_best_estimator(dtype: type) -> None:
    rows = X.astype(dtype)
    program = check(
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, n_jobs=1), rows, WORDS
    )
    assert program.methods == (
        "predict", "predict_proba", "predict_log_proba", "decision_function"
    )  # fmt: skip
    refuses_what_is_not_finite(program, rows)


def test_a_search_hands_on_what_its_estimator_does() -> None:
    frame = pd.DataFrame(X[:, :3], columns=[*"abc"]).assign(t=["u", "v", "w"] * 40)
    first = make_column_transformer(
        (OneHotEncoder(), ["t"]), (StandardScaler(), ["c", "a"]), remainder="drop"
    )
    model = RandomizedSearchCV(
        make_pipeline(first, Ridge()), {"ridge__alpha": [0.1, 1.0]}, n_iter=2, cv=2
    )
    program = check(model, frame, SCORE)
    assert [c.name for c in program.signature.columns] == ["a", "c", "t"]
    scaled = GridSearchCV(
        StandardScaler(), {"with_mean": [True]}, cv=2, scoring=lambda model, X, y=None: 0.0
    )
    assert check(scaled, X).methods == ("transform",)
    trees = GridSearchCV(DecisionTreeRegressor(), {"max_depth": [2]}, cv=2).fit(X, SCORE)
    with pytest.raises(UnsupportedMethodError, match="does not offer apply; it offers predict"):
        strip(trees, X, methods=["apply"])


def test_a_search_without_a_best_estimator() -> None:
    model = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2, refit=False).fit(X, SCORE)
    with pytest.raises(UnsupportedModelError, match=r"refit=False.*fit it with refit=True"):
        strip(model, X)


# --------------------------------------------------------------------- votes

CLASSIFIERS = [
    ("linear", LogisticRegression()),
    ("tree", DecisionTreeClassifier(max_depth=3, random_state=0)),
    ("left out", "drop"),
    ("bayes", GaussianNB()),
]
REGRESSORS = [
    ("linear", LinearRegression()),
    ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
    ("left out", "drop"),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weights", [None, [1, 0.5, 3, 0.5], [2, 3, 1, 1]])
@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_votes_of_classifiers(voting: str, weights: Any, dtype: type) -> None:
    rows = X.astype(dtype)
    model = VotingClassifier(CLASSIFIERS, voting=voting, weights=weights, n_jobs=2)
    with joblib.parallel_config(backend="threading"):  # quicker than to start processes
        program = check(model, rows, WORDS)
    chances = ("predict_proba",) if voting == "soft" else ()
    assert program.methods == ("predict", *chances, "transform")
    assert program.report is not None
    assert program.report.sequential
    refuses_what_is_not_finite(program, rows)


def test_votes_that_come_back_as_three_axes() -> None:
    model = VotingClassifier(CLASSIFIERS, voting="soft", flatten_transform=False).fit(X, FLAGS)
    assert strip(model, X).methods == ("predict", "predict_proba")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weights", [None, [1, 2, 5], [0.3, 0.2, 1.0]])
def test_votes_of_regressors(weights: Any, dtype: type) -> None:
    program = check(VotingRegressor(REGRESSORS, weights=weights), X.astype(dtype), SCORE)
    assert program.methods == ("predict", "transform")


def test_a_vote_is_a_step_like_any_other() -> None:
    votes = VotingClassifier(CLASSIFIERS, voting="soft")
    check(make_pipeline(StandardScaler(), votes, LogisticRegression()), X, WORDS)


def test_models_inside_are_recorded() -> None:
    inner = OneVsRestClassifier(make_pipeline(StandardScaler(), LinearSVC()))
    model = VotingClassifier(
        [("one", inner), ("forest", RandomForestClassifier(3, max_depth=2, n_jobs=2))]
    )
    spec = strip(model.fit(X, WORDS), X)
    assert [name.rpartition(".")[2] for name in spec.source.models] == [
        "VotingClassifier", "OneVsRestClassifier", "Pipeline", "StandardScaler", "LinearSVC",
        "RandomForestClassifier",
    ]  # fmt: skip
    assert spec.source.has_jobs
    assert "one.estimators_[2].standardscaler.var_" in spec.dropped


def test_columns_that_reach_a_model_inside() -> None:
    model = VotingRegressor(REGRESSORS).fit(X, SCORE)
    with pytest.raises(ColumnError, match="fitted on 9"):
        strip(model, X[:, :4])
