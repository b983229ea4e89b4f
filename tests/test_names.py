"""Columns by name, where the example has none and the model knows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import sclbl
from sclbl.errors import ColumnError
from sclbl.rows import infer as signatures

FRAME = pd.DataFrame(np.random.default_rng(2).normal(size=(40, 3)), columns=list("abc"))
LABELS = (FRAME.sum(axis=1) > 0).astype(int)
ARRAY = FRAME.to_numpy()

MODELS: dict[str, Callable[[], Any]] = {
    "linear": LinearRegression,
    "hist": lambda: HistGradientBoostingRegressor(max_iter=4),
    "one-vs-rest": lambda: OneVsRestClassifier(LogisticRegression()),
    "passed first": lambda: make_pipeline("passthrough", StandardScaler()),
    "function first": lambda: make_pipeline(FunctionTransformer(), LinearRegression()),
    "union": lambda: make_union("passthrough", StandardScaler()),
    "positions": lambda: make_pipeline(
        ColumnTransformer([("s", StandardScaler(), [2, 0])]), LinearRegression()
    ),
    "xgboost": lambda: xgboost.XGBRegressor(n_estimators=3),
}


def method_of(model: Any) -> str:
    return "predict" if hasattr(model, "predict") else "transform"


@pytest.mark.parametrize("name", MODELS)
def test_names_come_from_the_model(name: str) -> None:
    model = MODELS[name]().fit(FRAME, LABELS)
    program = sclbl.compile(model, ARRAY[:5])
    assert program.signature.layout == "table"
    assert [c.name for c in program.signature.columns] == ["a", "b", "c"]
    want = getattr(model, method_of(model))(FRAME)
    predict = getattr(program, method_of(model))
    for rows in (FRAME, ARRAY, FRAME[["c", "b", "a"]], FRAME.assign(z=1)[["z", "b", "a", "c"]]):
        np.testing.assert_allclose(predict(rows), want, rtol=1e-12)
    with pytest.raises(ColumnError, match=r"the rows lack 'b'"):
        predict(FRAME[["a", "c"]])
    with pytest.raises(ColumnError, match=r"the rows have 2 columns and the model takes 3"):
        predict(ARRAY[:, :2])
    with pytest.raises(ColumnError, match=r"more than one column named 'a'"):
        predict(pd.concat([FRAME, FRAME[["a"]]], axis=1))


def test_names_of_a_booster() -> None:
    booster = xgboost.XGBRegressor(n_estimators=3).fit(FRAME, LABELS).get_booster()
    program = sclbl.compile(booster, ARRAY[:5])
    want = booster.predict(xgboost.DMatrix(FRAME))
    np.testing.assert_array_equal(program.predict(FRAME[["c", "b", "a"]]), want)
    np.testing.assert_array_equal(program.predict(ARRAY), want)
    with pytest.raises(ColumnError, match=r"has 2 columns, but xgboost.core.Booster .* on 3"):
        sclbl.compile(booster, ARRAY[:5, :2])


def test_xgboost_names_columns_that_are_numbers() -> None:
    frame = FRAME.set_axis([10, 20, 30], axis=1)
    model = xgboost.XGBRegressor(n_estimators=3).fit(frame, LABELS)
    program = sclbl.compile(model, ARRAY[:5])
    want = model.predict(frame)
    np.testing.assert_array_equal(program.predict(frame[[30, 10, 20]]), want)
    np.testing.assert_array_equal(program.predict({"30": 0.1, "20": 0.2, "10": 0.3}).shape, (1,))


@pytest.mark.parametrize(
    "columns", [[10, 20, 30], pd.MultiIndex.from_product([["x"], list("abc")])]
)
def test_a_model_without_names_goes_by_position(columns: Any) -> None:
    frame = FRAME.set_axis(columns, axis=1)
    model = LinearRegression().fit(frame, LABELS)
    assert not hasattr(model, "feature_names_in_")
    by_position = sclbl.compile(model, ARRAY[:5])
    assert by_position.signature.layout == "array"
    turned = frame[list(frame.columns[::-1])]
    np.testing.assert_allclose(by_position.predict(turned), model.predict(turned), rtol=1e-12)
    # Compiled from the frame, a program finds its columns by name, read as text.
    by_name = sclbl.compile(model, frame[:5])
    np.testing.assert_allclose(by_name.predict(turned), model.predict(frame), rtol=1e-12)


def test_statsmodels_goes_by_position_without_a_formula() -> None:
    results = sm.OLS(LABELS, FRAME).fit()
    turned = FRAME[["c", "b", "a"]]
    program = sclbl.compile(results, ARRAY[:5])
    np.testing.assert_allclose(program.predict(turned), results.predict(turned), rtol=1e-12)
    by_name = sclbl.compile(results, FRAME[:5])
    np.testing.assert_allclose(by_name.predict(turned), results.predict(FRAME), rtol=1e-12)


def test_names_that_are_not_distinct_are_refused() -> None:
    """A release of scikit-learn that fits such a frame leaves these."""
    model = LinearRegression().fit(FRAME, LABELS)
    model.feature_names_in_ = np.array(["a", "a", "b"], dtype=object)
    with pytest.raises(ColumnError, match=r"fitted on more than one column named 'a'.*rename"):
        sclbl.compile(model, ARRAY[:5])


def test_a_signature_takes_names() -> None:
    given = signatures.infer(ARRAY)
    named = signatures.named(given, ["x", "y", "z"], "the model")
    assert named.layout == "table"
    assert [c.name for c in named.columns] == ["x", "y", "z"]
    assert tuple(replace(c, name=None) for c in named.columns) == given.columns
