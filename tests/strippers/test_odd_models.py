"""Models that are legal and odd, or that somebody changed: right numbers, or sclbl's own errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
import xgboost as xgb
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import sclbl
from sclbl.errors import (
    InputError,
    NotFittedError,
    UnknownCategoryError,
    UnsupportedModelError,
)
from sclbl.strippers import dispatch, strip

RNG = np.random.default_rng(5)
X = RNG.normal(size=(90, 3))
Y = (X[:, 0] > 0).astype(int)


def equal(model: Any, rows: Any = X) -> sclbl.Program:
    """Compile a model and compare every method with it."""
    program = sclbl.compile(model, rows[:5])
    for method in set(program.methods) - {"predict_margin"}:
        ours, theirs = program.run(method, rows), np.asarray(getattr(model, method)(rows))
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    return program


# ----------------------------------------------------------------- one versus rest


@pytest.mark.parametrize(
    "base", [LogisticRegression(), RandomForestClassifier(4, random_state=0)], ids=str
)
@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize("value", [0, 1])
def test_a_class_that_every_row_has_or_none(base: Any, place: int, value: int) -> None:
    labels = np.column_stack([X[:, 0] > 0, X[:, 1] > 0.3, X[:, 2] > 0]).astype(int)
    labels[:, place] = value
    with pytest.warns(UserWarning, match="is present in all training examples"):
        model = OneVsRestClassifier(base).fit(X, labels)
    equal(model)


def test_a_constant_score_without_chances() -> None:
    labels = np.column_stack([np.ones(90, int), X[:, 1] > 0.3])
    with pytest.warns(UserWarning, match="is present in all training examples"):
        model = OneVsRestClassifier(Perceptron()).fit(X, labels)
    assert set(equal(model).methods) == {"predict", "decision_function"}


# ----------------------------------------------------------------------- XGBoost


@pytest.mark.parametrize(
    ("cls", "y"),
    [
        (xgb.XGBRegressor, X[:, 0]),
        (xgb.XGBClassifier, Y),
        (xgb.XGBClassifier, np.arange(90) % 3),
    ],
)
def test_without_rounds_the_base_is_all(cls: Any, y: np.ndarray) -> None:
    model = cls(n_estimators=0).fit(X, y)
    equal(model)
    assert dispatch.optional(model) == ()


def test_a_booster_without_rounds_and_one_that_holds_nothing() -> None:
    booster = xgb.train({}, xgb.DMatrix(X, Y), 0)
    expected = booster.predict(xgb.DMatrix(X))
    np.testing.assert_array_equal(sclbl.compile(booster, X[:5]).predict(X), expected)
    with pytest.raises(NotFittedError, match=r"Booster holds no model: train it with xgboost\."):
        strip(xgb.Booster(), X)


@pytest.mark.parametrize("make", [lambda f: f, pl.from_pandas], ids=["pandas", "polars"])
def test_categories_that_training_had_not_are_refused_whatever_xgboost_does(make: Any) -> None:
    known = ["ant", "cow", "eel", "zebu"]
    kinds = pd.Categorical(np.array(known)[np.arange(90) % 4], categories=known)
    frame = pd.DataFrame({"size": X[:, 0], "kind": kinds})
    model = xgb.XGBRegressor(n_estimators=4, enable_categorical=True, max_cat_to_onehot=2)
    model.fit(make(frame), X[:, 1] + (frame["kind"] == "cow"))
    # XGBoost refuses a category after the known ones, and takes "bee" for the next one, "cow".
    example = frame[:5].assign(kind=kinds[:5].add_categories(["bee"]))
    program = sclbl.compile(model, make(example))
    np.testing.assert_array_equal(program.predict(make(frame)), model.predict(make(frame)))
    for unknown in ("bee", "zzz"):
        with pytest.raises(UnknownCategoryError, match="row 0, column 'kind'"):
            program.predict({"size": [1.0], "kind": [unknown]})


def test_libraries_of_models_inside_are_recorded() -> None:
    model = OneVsRestClassifier(xgb.XGBClassifier(n_estimators=2)).fit(X, np.arange(90) % 3)
    assert set(strip(model, X[:5]).source.libraries) == {"numpy", "sklearn", "xgboost"}


# ------------------------------------------------------------------- statsmodels


def test_a_column_that_is_called_intercept() -> None:
    frame = pd.DataFrame(X, columns=["Intercept", "x", "y"])
    results = smf.ols("y ~ 0 + Intercept + x", frame).fit()
    program = sclbl.compile(results, frame)
    assert [c.name for c in program.signature.columns] == ["Intercept", "x"]
    np.testing.assert_allclose(program.predict(frame), results.predict(frame), rtol=1e-12)
    constant = smf.ols("y ~ x", frame).fit()
    program = sclbl.compile(constant, frame)
    assert [c.name for c in program.signature.columns] == ["x"]
    np.testing.assert_allclose(program.predict(frame), constant.predict(frame), rtol=1e-12)


# ------------------------------------------------------------------------ labels


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([b"no", b"yes"]), r"labels of the model are bytes.* \(the first is b'no'\)"),
        (np.array(["2020-01-01", "2021-01-01"], dtype="M8[D]"), "labels of the model are datetime"),
        (np.array([1, 2], dtype="m8[D]"), "labels of the model are timedelta64"),
    ],
    ids=["bytes", "dates", "durations"],
)
def test_labels_that_no_program_can_give_back(labels: np.ndarray, words: str) -> None:
    model = DecisionTreeClassifier(max_depth=2).fit(X, labels[Y])
    with pytest.raises(UnsupportedModelError, match=words) as caught:
        strip(model, X[:5])
    assert "as in y.astype(str)" in str(caught.value)


def test_labels_that_utf8_cannot_hold() -> None:
    model = DecisionTreeClassifier().fit(X, np.array(["a\ud800", "b"], dtype=object)[Y])
    with pytest.raises(UnsupportedModelError, match="text that UTF-8 cannot hold"):
        strip(model, X[:5])


# ---------------------------------------------------------------- changed models


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("coef_", None), ("coef_", "x"), ("intercept_", np.zeros((2, 2))), ("coef_", [1.0])],
)
def test_attributes_that_somebody_changed(attribute: str, value: Any) -> None:
    model = LinearRegression().fit(X, Y)
    setattr(model, attribute, value)
    with pytest.raises((UnsupportedModelError, InputError)):
        strip(model, X[:5])


def test_attributes_that_are_gone() -> None:
    model = LinearRegression().fit(X, Y)
    del model.intercept_
    with pytest.raises(
        NotFittedError, match=r"LinearRegression is not fitted: it has no intercept_ .*fit it again"
    ) as caught:
        strip(model, X[:5])
    assert isinstance(caught.value.__cause__, AttributeError)
    half = make_pipeline(StandardScaler(), LogisticRegression())
    half[0].fit(X)
    with pytest.raises(NotFittedError, match="call its fit method first"):
        strip(half, X[:5])


TABLE = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "x"]})
INTERRUPTED = [
    (ColumnTransformer([("scaled", StandardScaler(), ["a", "b"])]), "transformers_"),
    (SimpleImputer(), "_fit_dtype"),
    (OneHotEncoder(categories=[[3.0, 2.0], ["x"]]), "drop_idx_"),
    (OrdinalEncoder(categories=[[1.0, 2.0, 3.0], ["x"]]), "_missing_indices"),
]


@pytest.mark.parametrize(("model", "lacking"), INTERRUPTED)
def test_a_fit_that_raised(model: Any, lacking: str) -> None:
    with pytest.raises(NotFittedError, match="is not fitted; call its fit method first"):
        strip(model, TABLE)
    with pytest.raises(ValueError, match=r"could not convert|Unsorted|Found unknown|Cannot"):
        model.fit(TABLE)
    for fitted in (model, Pipeline([("only", model), ("last", "passthrough")])):
        with pytest.raises(
            NotFittedError, match=rf"not fitted: it has no {lacking} .*fit it again"
        ):
            strip(fitted, TABLE)


@pytest.mark.parametrize("steps", [[], [("a", "what")], [("a", StandardScaler)]], ids=str)
def test_pipelines_that_cannot_be(steps: list[Any]) -> None:
    with pytest.raises(UnsupportedModelError, match=r"Pipeline cannot be read \("):
        strip(Pipeline(steps), X[:5])


def test_a_model_that_refuses_in_its_own_way() -> None:
    class Broken(Exception):
        pass

    model = LinearRegression().fit(X, Y)

    def predict(rows: Any) -> Any:
        raise Broken("not today\nnor tomorrow")

    model.predict = predict
    with pytest.raises(InputError, match=r"predict refuses example_input: not today; give rows"):
        strip(model, X[:5])


@pytest.mark.parametrize("steps", [[], [StandardScaler()]], ids=["alone", "pipeline"])
def test_a_model_that_labels_its_own_rows_alone(steps: list[Any]) -> None:
    model = make_pipeline(*steps, LocalOutlierFactor()).fit(X)
    for given in (model, model[-1]):
        with pytest.raises(UnsupportedModelError, match=r"novelty=False .*; fit it with novelty=T"):
            sclbl.compile(given, X[:5])
    equal(make_pipeline(*steps, LocalOutlierFactor(novelty=True)).fit(X))
