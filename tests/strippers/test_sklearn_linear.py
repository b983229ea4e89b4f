"""Linear models of scikit-learn in the corners: ties, zeros, other precisions, refused options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import linear_model as lm
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

import sclbl
from sclbl.errors import ColumnError, NotFittedError, UnsupportedModelError
from sclbl.strippers import dispatch, strip
from tests.conformance.beside import check as checked
from tests.conformance.beside import run

ROWS, COLUMNS = 90, 4
X = np.random.default_rng(0).normal(0.5, 1.0, (ROWS, COLUMNS))
SCORE = X @ np.array([1.5, -2.0, 0.7, 1.1])
RANK = SCORE.argsort().argsort()
TWO = RANK * 2 // ROWS * 7 - 3
THREE = RANK * 3 // ROWS * 7 - 3
WORDS = np.array(["ünder", "a", "zzz"])[RANK * 3 // ROWS]


def check(model: Any, rows: np.ndarray) -> None:
    checked(model, rows, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rows", ["integer", "boolean"])
def test_whole_numbers_meet_float32_coefficients_as_numpy_promotes_them(rows: str) -> None:
    model = lm.LinearRegression().fit(X.astype(np.float32), SCORE)
    whole = X > 0 if rows == "boolean" else np.rint(3 * X).astype(np.int64)
    assert model.predict(whole).dtype == (np.float32 if rows == "boolean" else np.float64)
    check(model, whole)


def test_scores_of_zero_are_the_first_class() -> None:
    even = np.array([[1.0, -1.0], [-1.0, 1.0]] * 10)
    model = lm.RidgeClassifier(fit_intercept=False).fit(even, ["b", "a"] * 10)
    check(model, np.array([[0.0, 0.0], [1.0, 1.0], [5e-324, 0.0], [0.0, 5e-324]]))


def test_largest_scores_that_are_equal_go_to_the_first_class() -> None:
    model = lm.LogisticRegression(max_iter=1000).fit(X, WORDS)
    model.coef_ = np.vstack([model.coef_[0], model.coef_[0], model.coef_[0]])
    model.intercept_ = np.zeros(3)
    check(model, X)
    model.intercept_ = np.array([0.0, 1.0, 1.0])
    assert set(run(strip(model, X), X)["predict"]) == {model.classes_[1]}


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_all_probabilities_zero_become_equal_ones(loss: str) -> None:
    model = lm.SGDClassifier(loss=loss, random_state=0).fit(X, THREE)
    model.coef_ = -np.ones((3, COLUMNS))
    rows = np.vstack([np.full(COLUMNS, 1e4), np.full(COLUMNS, -1e4), np.full(COLUMNS, 0.1)])
    np.testing.assert_array_equal(model.predict_proba(rows)[0], np.full(3, 1 / 3))
    check(model, rows)


def test_one_vs_rest_leaves_rows_whose_probabilities_are_all_zero() -> None:
    model = OneVsRestClassifier(lm.LogisticRegression()).fit(X, WORDS)
    for estimator in model.estimators_:
        estimator.coef_ = -np.ones((1, COLUMNS))
    rows = np.vstack([np.full(COLUMNS, 1e4), np.full(COLUMNS, 0.1)])
    assert (model.predict_proba(rows)[0] == 0).all()
    check(model, rows)


@pytest.mark.parametrize(
    "estimator", [lm.LogisticRegression(), lm.SGDClassifier(random_state=0), LinearSVC()]
)
def test_sparse_coefficients(estimator: Any) -> None:
    check(estimator.fit(X, WORDS).sparsify(), X)


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_losses_that_offer_probabilities(loss: str) -> None:
    assert dispatch.methods(lm.SGDClassifier(loss=loss).fit(X, TWO)) == (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
    )


def test_only_methods_of_the_model_are_offered() -> None:
    for estimator in (lm.SGDClassifier(loss="hinge"), LinearSVC(), lm.RidgeClassifier()):
        model = estimator.fit(X, TWO)
        assert not hasattr(model, "predict_proba")
        assert dispatch.methods(model) == ("predict", "decision_function")


@pytest.mark.parametrize(
    "estimator",
    [lm.Lasso(), lm.LogisticRegression(), lm.PoissonRegressor(), lm.SGDClassifier(), LinearSVC()],
)
def test_unfitted(estimator: Any) -> None:
    with pytest.raises(NotFittedError, match=rf"{type(estimator).__name__} is not fitted; call"):
        dispatch.methods(estimator)


@pytest.mark.parametrize(
    "estimator",
    [lm.LinearRegression(), lm.LogisticRegression(), OneVsRestClassifier(LinearSVC())],
    ids=lambda e: type(e).__name__,
)
def test_wrong_number_of_columns(estimator: Any) -> None:
    words = f"has 3 columns, but .*{type(estimator).__name__} was fitted on 4"
    with pytest.raises(ColumnError, match=words):
        strip(estimator.fit(X, TWO), X[:, :3])


def test_text_where_numbers_are_needed() -> None:
    model = lm.Ridge().fit(X, SCORE)
    rows = pd.DataFrame(X, columns=["city", "b", "c", "d"]).assign(city="Oslo")
    with pytest.raises(UnsupportedModelError, match="Ridge needs number in column 'city'"):
        strip(model, rows)


def test_a_single_class_has_no_label_for_a_positive_score() -> None:
    model = lm.RidgeClassifier().fit(X, np.ones(ROWS))
    with pytest.raises(UnsupportedModelError, match="RidgeClassifier was fitted on 1 classes"):
        dispatch.methods(model)


def test_one_vs_rest_of_regressors() -> None:
    model = OneVsRestClassifier(lm.Ridge()).fit(X, WORDS)
    assert dispatch.methods(model) == ("predict",)
    np.testing.assert_array_equal(sclbl.compile(model, X[:4]).predict(X), model.predict(X))


def test_other_links_and_precisions_are_refused() -> None:
    poisson = lm.PoissonRegressor().fit(X, np.exp(SCORE / 4))
    poisson._base_loss.link = DecisionTreeRegressor()
    with pytest.raises(UnsupportedModelError, match="was fitted with the link DecisionTree"):
        dispatch.methods(poisson)
    single = X.astype(np.float32)
    ridge = lm.Ridge().fit(X, SCORE)
    ridge.coef_ = ridge.coef_.astype(np.float16)
    ridge.intercept_ = np.float16(1)
    strip(ridge, single)
    ridge.coef_ = ridge.coef_.astype(np.longdouble)
    with pytest.raises(UnsupportedModelError, match=r"Ridge computes in (longdouble|float128)"):
        strip(ridge, single)
