"""Models made of models: odd nestings, corners, and what they refuse."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_array, csr_array
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import (
    RFE,
    SelectFpr,
    SelectFromModel,
    SelectKBest,
    VarianceThreshold,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import sclbl
from sclbl.errors import (
    InfiniteValueError,
    MissingValueError,
    OutOfRangeError,
    UnsupportedModelError,
)
from sclbl.strippers import base, strip
from tests.conformance.beside import check

RNG = np.random.default_rng(5)
X = RNG.normal(size=(150, 4))
WORDS = np.array(["low", "mid", "top"])[np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])]
FLAGS = (X[:, 0] - X[:, 2] > 0).astype(int)
SCORE = X @ np.array([1.0, -2.0, 0.5, 0.1])
FRAME = pd.DataFrame(X[:, :3], columns=[*"abc"]).assign(kind=RNG.choice(["u", "v", "w"], 150))
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
CLOSE = {"rtol": 1e-11, "atol": 1e-13}


def fit(model: Any, rows: Any, y: Any = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(rows, y)


# ------------------------------------------------------------------------------- nestings


def columns() -> Any:
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "c"]), (OneHotEncoder(), ["kind"])
    )


def stack() -> Any:
    linear = make_pipeline(columns(), LogisticRegression())
    trees = make_pipeline(
        columns(), SelectKBest(k=3), RandomForestClassifier(3, max_depth=2, random_state=0)
    )
    return StackingClassifier([("linear", linear), ("trees", trees)], LogisticRegression(), cv=2)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (GridSearchCV(CalibratedClassifierCV(stack(), cv=2), {"method": ["isotonic"]}, cv=2),
         WORDS),
        (CalibratedClassifierCV(stack(), method="temperature", cv=2), FLAGS),
        (MultiOutputClassifier(make_pipeline(columns(), OneVsOneClassifier(TREE))),
         np.column_stack([WORDS, FLAGS.astype(str)])),
        (FixedThresholdClassifier(make_pipeline(columns(), LogisticRegression()), threshold=0.3),
         FLAGS),
        (make_pipeline(columns(), ClassifierChain(LogisticRegression(), order=[1, 0])),
         np.column_stack([FLAGS, 1 - FLAGS])),
        (make_pipeline(columns(), BaggingClassifier(
            make_pipeline(MinMaxScaler(), TREE), n_estimators=3, max_features=3)), WORDS),
        (make_pipeline(columns(), RFE(AdaBoostClassifier(n_estimators=3), n_features_to_select=3)),
         WORDS),
        (TransformedTargetRegressor(
            make_pipeline(columns(), BaggingRegressor(Ridge(), n_estimators=3)),
            func=np.arcsinh, inverse_func=np.sinh), SCORE),
        (OutputCodeClassifier(make_pipeline(columns(), LinearSVC()), random_state=0), WORDS),
        (VotingClassifier([("a", stack()), ("b", make_pipeline(columns(), TREE))]), WORDS),
        (make_pipeline(FeatureUnion([("a", columns()), ("b", columns())]),
                       SelectFromModel(TREE), OneVsRestClassifier(LinearSVC())), WORDS),
    ],
    ids=lambda v: type(v).__name__ if hasattr(v, "fit") else "",
)  # fmt: skip
def test_nestings(model: Any, y: Any) -> None:
    fit(model, FRAME, y)
    check(model, FRAME[:5], FRAME, **CLOSE)
    # Columns are found by name.
    shuffled = FRAME[["kind", "c", "a", "b"]]
    ours, theirs = sclbl.compile(model, FRAME[:5]).predict(shuffled), model.predict(FRAME)
    if theirs.dtype.kind == "f":
        np.testing.assert_allclose(ours, theirs, **CLOSE)
    else:
        np.testing.assert_array_equal(ours, theirs)


def test_frozen_models_where_others_would_be_fitted() -> None:
    inside = FrozenEstimator(fit(make_pipeline(columns(), LogisticRegression()), FRAME, WORDS))
    check(fit(CalibratedClassifierCV(inside), FRAME, WORDS), FRAME[:5], FRAME, **CLOSE)
    prefit = StackingClassifier([("linear", inside)], cv="prefit", final_estimator=TREE)
    check(fit(prefit, FRAME, WORDS), FRAME[:5], FRAME, **CLOSE)


@pytest.mark.parametrize(
    "model",
    [
        BaggingClassifier(LogisticRegression(), n_estimators=3),
        ClassifierChain(LogisticRegression()),
        CalibratedClassifierCV(LinearSVC(), cv=2),
        MultiOutputClassifier(LogisticRegression()),
        OneVsOneClassifier(LinearSVC()),
        SelectKBest(k=2),
        make_pipeline(VarianceThreshold(), StackingClassifier([("l", LogisticRegression())], cv=2)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_sparse_rows(model: Any) -> None:
    rows = csr_array(np.where(np.abs(X) < 0.7, 0, X))
    y = np.column_stack([FLAGS, 1 - FLAGS]) if hasattr(model, "order") else FLAGS
    y = np.column_stack([FLAGS, FLAGS]) if isinstance(model, MultiOutputClassifier) else y
    fit(model, rows, y)
    program = sclbl.compile(model, rows[:5])
    for method in program.methods:
        ours, theirs = getattr(program, method)(rows), getattr(model, method)(rows)
        theirs = theirs.toarray() if hasattr(theirs, "toarray") else theirs
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), **CLOSE)


# -------------------------------------------------------------------------------- corners


def test_labels_of_several_types_side_by_side() -> None:
    model = MultiOutputClassifier(TREE)
    model.estimators_ = [fit(TREE.__class__(max_depth=2), X, y) for y in (WORDS, FLAGS)]
    model.classes_ = [e.classes_ for e in model.estimators_]
    check(model, X[:5], X)


def test_a_chain_over_more_than_two_classes_predicts() -> None:
    y = np.column_stack([FLAGS, np.digitize(X[:, 1], [-0.5, 0.5])])
    model = fit(ClassifierChain(TREE), X, y)
    assert strip(model, X[:5]).methods == ("predict",)
    check(model, X[:5], X)


def test_bags_whose_estimators_know_some_of_the_classes() -> None:
    y = np.arange(150) // 10
    for inside in (TREE, make_pipeline(TREE), make_pipeline(LogisticRegression())):
        model = BaggingClassifier(inside, n_estimators=4, max_samples=8, random_state=0)
        check(fit(model, X, y), X[:5], X, **CLOSE)


def test_bags_of_text() -> None:
    inside = make_pipeline(OneHotEncoder(handle_unknown="ignore"), TREE)
    model = BaggingClassifier(inside, n_estimators=3, max_features=2, random_state=0)
    rows = RNG.choice(["a", "b", "c"], size=(60, 3)).astype(object)
    check(fit(model, rows, WORDS[:60]), rows[:5], rows)


def test_one_class() -> None:
    for model in (AdaBoostClassifier(n_estimators=2), BaggingClassifier(n_estimators=2)):
        check(fit(model, X, np.ones(len(X))), X[:5], X)


def test_the_median_is_the_first_prediction_with_half_of_the_weight() -> None:
    model = fit(AdaBoostRegressor(DecisionTreeRegressor(max_depth=1), n_estimators=4), X, SCORE)
    for weights in ([1, 1, 1, 1], [2, 1, 0, 1], [0, 0, 0, 1], [0.1, 0.2, 0.3, 0.6]):
        model.estimator_weights_ = np.array(weights, dtype=float)[: len(model.estimators_)]
        check(model, X[:5], X)


def test_scores_equal_to_the_offset_are_inliers() -> None:
    model = IsolationForest(n_estimators=20, contamination=0.1, random_state=0).fit(X[:101])
    assert (model.decision_function(X[:101]) == 0).any()
    program = sclbl.compile(model, X[:5])
    np.testing.assert_array_equal(program.predict(X), model.predict(X))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("out_of_bounds", ["nan", "clip"])
def test_isotonic_regression_on_its_thresholds(out_of_bounds: str, dtype: type) -> None:
    x = X[:, 0].astype(dtype)
    model = IsotonicRegression(out_of_bounds=out_of_bounds).fit(x, SCORE)
    limits = model.X_thresholds_
    rows = np.concatenate([limits, np.nextafter(limits, 9), np.nextafter(limits, -9), [-50, 50]])
    rows = rows.astype(dtype)[:, None]
    check(model, rows[:5], rows)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_isotonic_regression_that_refuses_what_is_out_of_bounds(dtype: type) -> None:
    x = X[:, 0].astype(dtype)
    model = IsotonicRegression(out_of_bounds="raise").fit(x, SCORE)
    limits = model.X_thresholds_
    rows = np.concatenate([limits, np.nextafter(limits, limits[::-1])])[:, None]
    check(model, rows[:5], rows)
    program = sclbl.compile(model, rows[:5])
    for beyond in (np.nextafter(limits[0], dtype(-9)), np.nextafter(limits[-1], dtype(9))):
        with pytest.raises(OutOfRangeError):
            program.predict(np.array([[beyond]]))
        with pytest.raises(ValueError, match="interpolation range"):
            model.predict(np.array([[beyond]]))


def test_isotonic_regression_on_one_number() -> None:
    model = IsotonicRegression(out_of_bounds="nan").fit(np.ones(5), np.arange(5.0))
    check(model, X[:5, :1], X[:, :1])


def test_dummies_look_at_nothing() -> None:
    rows = np.array([[np.nan, 1.0], [np.inf, 2.0]])
    for model in (DummyClassifier().fit(rows, [1, 2]), DummyRegressor().fit(rows, [-0.0, -0.0])):
        check(model, rows)
    check(DummyClassifier().fit(FRAME, WORDS), FRAME[:3])
    check(DummyClassifier().fit(X, csc_array(np.column_stack([FLAGS, FLAGS]))), X[:5])
    # SelectFpr, that no column is good enough for, hands on a table without columns.
    nothing = make_pipeline(SelectFpr(alpha=0.0), DummyRegressor())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(nothing.fit(X, FLAGS), X[:5])


def test_selectors_look_at_columns_that_they_leave_out() -> None:
    program = sclbl.compile(SelectKBest(k=1).fit(X, FLAGS), X[:5])
    dropped = int(np.argmin(SelectKBest(k=1).fit(X, FLAGS).scores_))
    for value, error in ((np.nan, MissingValueError), (np.inf, InfiniteValueError)):
        bad = X[:3].copy()
        bad[1, dropped] = value
        with pytest.raises(error, match=f"row 1, column '{dropped}'"):
            program.transform(bad)
    lenient = fit(SelectKBest(k=1).set_output(transform="pandas"), FRAME[[*"abc"]], FLAGS)
    holes = FRAME[[*"abc"]].where(np.abs(FRAME[[*"abc"]]) < 1)
    check(lenient, holes[:5], holes)


def test_regressors_decide_at_a_half() -> None:
    for model in (OneVsRestClassifier(LinearRegression()), OneVsOneClassifier(LinearRegression())):
        check(fit(model, X, FLAGS), X[:5], X, **CLOSE)


def test_orders_of_chains() -> None:
    y = np.column_stack([SCORE, SCORE**2, X[:, 1]])
    for order in ([2, 0, 1], [1, 2, 0]):
        check(fit(RegressorChain(Ridge(), order=order), X, y), X[:5], X, **CLOSE)
    check(fit(MultiOutputRegressor(Ridge()), X, y), X[:5], X, **CLOSE)


# ------------------------------------------------------------------------------- refusals


class Inverse(BaseEstimator):
    """A transformer that maps back, whose stripper does not."""

    def fit(self, x: Any, y: Any = None) -> Inverse:
        self.width_ = np.shape(x)[1]
        return self

    def transform(self, x: Any) -> Any:
        return x

    inverse_transform = transform


class OneWay(base.Stripper):
    @base.method
    def transform(self, model: Any, x: Any) -> Any:
        return x


def test_refusals() -> None:
    with pytest.raises(UnsupportedModelError, match=r"'uniform'\) predicts at random; fit it with"):
        strip(DummyClassifier(strategy="uniform").fit(X, FLAGS), X)
    with pytest.raises(UnsupportedModelError, match=r"as a column, x\.reshape\(-1, 1\)"):
        strip(IsotonicRegression(out_of_bounds="nan").fit(X[:, 0], SCORE), X[:5, 0])
    scaled = TransformedTargetRegressor(Ridge(), transformer=Inverse())
    sclbl.register(Inverse, OneWay())
    with pytest.raises(UnsupportedModelError, match=r"Inverse\) has no inverse that programs"):
        strip(fit(scaled, X, SCORE), X)
    chain = ClassifierChain(TREE)
    chain.estimators_ = [fit(TREE.__class__(), X, WORDS)]
    chain.order_ = [0]
    with pytest.raises(UnsupportedModelError, match="is text; fit it on labels that are numbers"):
        strip(chain, X)
    lines = DummyClassifier(strategy="stratified").fit(X, FLAGS)
    with pytest.raises(UnsupportedModelError, match="predicts at random"):
        strip(VotingClassifier([("a", lines)]).fit(X, FLAGS), X)


def test_fewer_bags_than_were_fitted() -> None:
    for cls, y in ((BaggingClassifier, FLAGS), (BaggingRegressor, SCORE)):
        model = cls(n_estimators=3, random_state=0).fit(X, y).set_params(n_estimators=2)
        check(model, X)
