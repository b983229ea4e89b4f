"""Linear regressors and classifiers of scikit-learn, stripped, beside the models themselves."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
from beside_source import DTYPES, as_kind, block, check, run, wires
from sklearn import linear_model as lm
from sklearn.base import clone
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeRegressor

from sclbl.errors import (
    ColumnError,
    InfiniteValueError,
    MissingValueError,
    NotFittedError,
    UnsupportedModelError,
)
from sclbl.reference import evaluate
from sclbl.signature import Column, Signature
from sclbl.strippers import dispatch
from sclbl.strippers.graph import Builder

ROWS, COLUMNS = 90, 4
MANY = "many targets"
ONE = "one target"
COUNT = "positive target"

REGRESSORS = [
    (lm.LinearRegression(), ONE),
    (lm.LinearRegression(fit_intercept=False), MANY),
    (lm.LinearRegression(positive=True), MANY),
    (lm.Ridge(), ONE),
    (lm.Ridge(solver="lsqr"), MANY),
    (lm.RidgeCV(), ONE),
    (lm.RidgeCV(alpha_per_target=True), MANY),
    (lm.Lasso(alpha=0.1), ONE),
    (lm.Lasso(alpha=0.1), MANY),
    (lm.LassoCV(cv=3, alphas=5), ONE),
    (lm.ElasticNet(alpha=0.1), ONE),
    (lm.ElasticNet(alpha=0.1, fit_intercept=False), MANY),
    (lm.ElasticNetCV(cv=3, alphas=5), ONE),
    (lm.MultiTaskLasso(alpha=0.1), MANY),
    (lm.MultiTaskLassoCV(cv=3, alphas=5), MANY),
    (lm.MultiTaskElasticNet(alpha=0.1), MANY),
    (lm.MultiTaskElasticNetCV(cv=3, alphas=5), MANY),
    (lm.Lars(), ONE),
    (lm.Lars(), MANY),
    (lm.LarsCV(cv=3), ONE),
    (lm.LassoLars(alpha=0.01), MANY),
    (lm.LassoLarsCV(cv=3), ONE),
    (lm.LassoLarsIC(), ONE),
    (lm.OrthogonalMatchingPursuit(n_nonzero_coefs=2), MANY),
    (lm.OrthogonalMatchingPursuitCV(cv=3), ONE),
    (lm.BayesianRidge(), ONE),
    (lm.ARDRegression(), ONE),
    (lm.HuberRegressor(max_iter=1000), ONE),
    (lm.TheilSenRegressor(random_state=0, max_subpopulation=50), ONE),
    (lm.QuantileRegressor(alpha=0.01), ONE),
    (lm.SGDRegressor(random_state=0, loss="huber"), ONE),
    (lm.SGDRegressor(random_state=0, average=True), ONE),
    (LinearSVR(random_state=0, max_iter=100_000), ONE),
    (lm.PoissonRegressor(), COUNT),
    (lm.GammaRegressor(), COUNT),
    (lm.TweedieRegressor(power=1.5), COUNT),
    (lm.TweedieRegressor(power=0), ONE),
]

CLASSIFIERS = [
    (lm.LogisticRegression(max_iter=1000), "two integers"),
    (lm.LogisticRegression(max_iter=1000), "three strings"),
    (lm.LogisticRegression(max_iter=1000, fit_intercept=False), "twelve integers"),
    (lm.LogisticRegression(solver="liblinear"), "two strings"),
    (lm.LogisticRegression(solver="newton-cholesky"), "truths"),
    (
        lm.LogisticRegressionCV(cv=3, Cs=3, max_iter=1000, l1_ratios=(0,), scoring="accuracy"),
        "three strings",
    ),
    (OneVsRestClassifier(lm.LogisticRegression(solver="liblinear")), "three strings"),
    (OneVsRestClassifier(lm.LogisticRegression(solver="liblinear")), "two strings"),
    (OneVsRestClassifier(LinearSVC(random_state=0)), "twelve integers"),
    (OneVsRestClassifier(lm.LogisticRegression()), "several labels"),
    *(
        (lm.SGDClassifier(loss=loss, random_state=0, max_iter=2000), labels)
        for loss in (
            "hinge",
            "log_loss",
            "modified_huber",
            "squared_hinge",
            "perceptron",
            "squared_error",
            "huber",
            "epsilon_insensitive",
            "squared_epsilon_insensitive",
        )
        for labels in ("two strings", "three integers")
    ),
    (LinearSVC(random_state=0), "two integers"),
    (LinearSVC(random_state=0), "three strings"),
    (LinearSVC(random_state=0, multi_class="crammer_singer", max_iter=100_000), "two strings"),
    (lm.RidgeClassifier(), "truths"),
    (lm.RidgeClassifier(), "three strings"),
    (lm.RidgeClassifier(), "several labels"),
    (lm.RidgeClassifierCV(), "twelve integers"),
    (lm.Perceptron(random_state=0), "two integers"),
    (lm.Perceptron(random_state=0), "three objects"),
]


def make_rows() -> np.ndarray:
    return np.random.default_rng(0).normal(0.5, 1.0, (ROWS, COLUMNS))


def make_target(X: np.ndarray, kind: str) -> np.ndarray:
    score = X @ np.array([1.5, -2.0, 0.7, 1.1])
    rank = score.argsort().argsort()
    if kind == ONE:
        return score + 0.3 * np.sin(9 * score)
    if kind == MANY:
        return np.stack([score, score**2, np.sin(score)], axis=1)
    if kind == COUNT:
        return np.exp(score / 4)
    if kind == "several labels":
        return np.stack([score > 0, X[:, 0] > 0.5, X[:, 1] < 0], axis=1).astype(int)
    if kind == "truths":
        return score > 0.5
    number, _, names = kind.partition(" ")
    codes = rank * {"two": 2, "three": 3, "twelve": 12}[number] // ROWS
    if names == "integers":
        return codes * 7 - 3
    texts = np.array(["ünder", "a", "zzz"])
    return texts[codes].astype(object if names == "objects" else texts.dtype)


@cache
def fit_once(estimator: object, target: str, kind: str) -> object:
    X = make_rows()
    return clone(estimator).fit(as_kind(X, kind), make_target(X, target))


def fitted(estimator: object, target: str, kind: str = "float64") -> object:
    """Return a fitted model that a test may change."""
    return deepcopy(fit_once(estimator, target, kind))


def named(subjects: list[tuple[object, str]]) -> list[object]:
    return [pytest.param(*s, id=f"{s[0]}-{s[1]}".replace("\n", "")) for s in subjects]


EVERYTHING = named(REGRESSORS + CLASSIFIERS)
# The models of these tests are fitted on few rows, not to be good.
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:.*l1_ratios.*:FutureWarning",
    "ignore:.*use_legacy_attributes.*:FutureWarning",
    "ignore:Liblinear failed to converge",
)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize(("estimator", "target"), EVERYTHING)
def test_every_method_returns_the_source_numbers(estimator, target, kind):
    check(fitted(estimator, target, kind), as_kind(make_rows(), kind))


@pytest.mark.parametrize(("fit", "rows"), [("float64", "float32"), ("float32", "float64")])
@pytest.mark.parametrize(("estimator", "target"), EVERYTHING)
def test_rows_of_another_precision_than_the_fitted_one(estimator, target, fit, rows):
    check(fitted(estimator, target, fit), make_rows().astype(rows))


@pytest.mark.parametrize("rows", ["integer", "boolean"])
def test_whole_numbers_meet_float32_coefficients_as_numpy_promotes_them(rows):
    model = fitted(lm.LinearRegression(), ONE, "float32")
    X = make_rows() > 0 if rows == "boolean" else as_kind(make_rows(), rows)
    assert model.predict(X).dtype == (np.float32 if rows == "boolean" else np.float64)
    check(model, X)


@pytest.mark.parametrize(("estimator", "target"), EVERYTHING)
def test_extreme_and_single_rows(estimator, target):
    model = fitted(estimator, target)
    X = np.vstack(
        [
            np.zeros(COLUMNS),
            np.full(COLUMNS, -0.0),
            np.full(COLUMNS, 5e-324),
            np.full(COLUMNS, 1e6),
            np.full(COLUMNS, -1e150),
            np.eye(COLUMNS) * 700,
            np.eye(COLUMNS) * -37,
        ]
    )
    check(model, X)
    for row in X:
        check(model, row[None, :])


@pytest.mark.parametrize(("estimator", "target"), EVERYTHING)
def test_missing_and_infinite_values_are_refused(estimator, target):
    model = fitted(estimator, target)
    X = make_rows()[:3]
    X[2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(X)
    with pytest.raises(MissingValueError, match="row 2, column 1 is missing") as missing:
        run(model, X)
    assert (missing.value.row, missing.value.column) == (2, "1")
    X[2, 1] = -np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.predict(X)
    with pytest.raises(InfiniteValueError, match="row 2, column 1 is infinite"):
        run(model, X)


def test_each_method_alone_is_refused_too():
    model = fitted(lm.LogisticRegression(), "three strings")
    build, made = wires(model, make_rows())
    X = make_rows()
    X[4, 3] = np.nan
    for method in made:
        graph = build.finish({method: made[method]})
        with pytest.raises(MissingValueError, match="row 4, column 3"):
            evaluate(graph, X, None)


def test_scores_of_zero_are_the_first_class():
    X = np.array([[1.0, -1.0], [-1.0, 1.0]] * 10)
    model = lm.RidgeClassifier(fit_intercept=False).fit(X, ["b", "a"] * 10)
    ties = np.array([[0.0, 0.0], [1.0, 1.0], [5e-324, 0.0], [0.0, 5e-324]])
    check(model, ties)


def test_largest_scores_that_are_equal_go_to_the_first_class():
    model = fitted(lm.LogisticRegression(), "three strings")
    model.coef_ = np.vstack([model.coef_[0], model.coef_[0], model.coef_[0]])
    model.intercept_ = np.zeros(3)
    check(model, make_rows())
    model.intercept_ = np.array([0.0, 1.0, 1.0])
    assert set(run(model, make_rows())["predict"].ravel()) == {model.classes_[1]}


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_all_probabilities_zero_become_equal_ones(loss):
    model = fitted(lm.SGDClassifier(loss=loss, random_state=0), "three integers")
    model.coef_ = -np.ones((3, COLUMNS))
    X = np.vstack([np.full(COLUMNS, 1e4), np.full(COLUMNS, -1e4), np.full(COLUMNS, 0.1)])
    np.testing.assert_array_equal(model.predict_proba(X)[0], np.full(3, 1 / 3))
    check(model, X)


def test_one_vs_rest_leaves_rows_whose_probabilities_are_all_zero():
    model = fitted(OneVsRestClassifier(lm.LogisticRegression()), "three strings")
    for estimator in model.estimators_:
        estimator.coef_ = -np.ones((1, COLUMNS))
    X = np.vstack([np.full(COLUMNS, 1e4), np.full(COLUMNS, 0.1)])
    assert (model.predict_proba(X)[0] == 0).all()
    check(model, X)


@pytest.mark.parametrize(
    "estimator", [lm.LogisticRegression(), lm.SGDClassifier(random_state=0), LinearSVC()]
)
def test_sparse_coefficients(estimator):
    check(fitted(estimator, "three strings").sparsify(), make_rows())


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_losses_that_offer_probabilities(loss):
    model = fitted(lm.SGDClassifier(loss=loss), "two integers")
    assert dispatch.methods(model) == (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
    )


def test_only_methods_of_the_model_are_offered():
    for estimator in (lm.SGDClassifier(loss="hinge"), LinearSVC(), lm.RidgeClassifier()):
        model = fitted(estimator, "two integers")
        assert not hasattr(model, "predict_proba")
        assert dispatch.methods(model) == ("predict", "decision_function")


@pytest.mark.filterwarnings("ignore:Class PassiveAggressive:FutureWarning")
def test_passive_aggressive():
    check(fitted(lm.PassiveAggressiveClassifier(random_state=0), "three strings"), make_rows())
    check(fitted(lm.PassiveAggressiveRegressor(random_state=0), ONE), make_rows())


def test_columns_of_one_target_in_two_dimensions():
    X = make_rows()
    y = make_target(X, ONE)[:, None]
    for estimator in (lm.LinearRegression(), lm.Ridge(), lm.Lasso(alpha=0.1)):
        check(clone(estimator).fit(X, y), X)


@pytest.mark.parametrize(
    "estimator",
    [lm.Lasso(), lm.LogisticRegression(), lm.PoissonRegressor(), lm.SGDClassifier(), LinearSVC()],
)
def test_unfitted(estimator):
    with pytest.raises(NotFittedError, match=rf"{type(estimator).__name__} is not fitted; call"):
        dispatch.methods(estimator)


@pytest.mark.parametrize(("estimator", "target"), [REGRESSORS[0], CLASSIFIERS[0], CLASSIFIERS[6]])
def test_wrong_number_of_columns(estimator, target):
    name = type(estimator).__name__
    with pytest.raises(ColumnError, match=f"{name} was fitted on 4 columns, but 3 reach it; give"):
        run(fitted(estimator, target), make_rows()[:, :3])


def test_text_where_numbers_are_needed():
    build = Builder(Signature((Column("city", "text"),) + (Column(None, "float64"),) * 3, "table"))
    model = fitted(lm.Ridge(), ONE)
    with pytest.raises(UnsupportedModelError, match="Ridge needs number in column 'city'"):
        dispatch.apply(model, build.table(), build, frozenset({"predict"}))


def test_a_single_class_has_no_label_for_a_positive_score():
    model = lm.RidgeClassifier().fit(make_rows(), np.ones(ROWS))
    with pytest.raises(UnsupportedModelError, match="RidgeClassifier was fitted on 1 classes"):
        dispatch.methods(model)


def test_one_vs_rest_of_regressors_is_refused():
    model = fitted(OneVsRestClassifier(lm.Ridge()), "three strings")
    with pytest.raises(UnsupportedModelError, match="is built on Ridge, which has neither"):
        dispatch.methods(model)


def test_other_links_and_precisions_are_refused():
    poisson = fitted(lm.PoissonRegressor(), COUNT)
    poisson._base_loss.link = DecisionTreeRegressor()
    with pytest.raises(UnsupportedModelError, match="was fitted with the link DecisionTree"):
        dispatch.methods(poisson)
    ridge = fitted(lm.Ridge(), ONE)
    ridge.coef_ = ridge.coef_.astype(np.float16)
    ridge.intercept_ = np.float16(1)
    build = Builder(Signature((Column(None, "float32"),) * COLUMNS, "array"))
    dispatch.apply(ridge, build.table(), build, frozenset({"predict"}))
    ridge.coef_ = ridge.coef_.astype(np.longdouble)
    with pytest.raises(UnsupportedModelError, match=r"Ridge computes in (longdouble|float128)"):
        dispatch.apply(ridge, build.table(), build, frozenset({"predict"}))


def test_no_rows():
    model = fitted(lm.LogisticRegression(), "three strings")
    build, made = wires(model, make_rows())
    for output in evaluate(build.finish(made), block(make_rows()[:0]), None).values():
        assert len(output) == 0
