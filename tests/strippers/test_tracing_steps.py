"""Functions of users as steps among others: what they hand on, and what the next step is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    PolynomialFeatures,
    StandardScaler,
)

from tests.conformance.beside import check

FLOATS = pd.DataFrame(np.random.default_rng(3).uniform(0, 9, (80, 4)), columns=list("abcd"))
FLOATS.loc[::9, "a"] = np.nan
INTEGERS = pd.DataFrame({"a": np.arange(40), "b": np.arange(40)[::-1].copy()})


def filled(df: Any) -> Any:
    return df.fillna(0)


def of_columns(df: Any) -> Any:
    return pd.DataFrame({"x": df["b"] + 1, "y": df["a"].fillna(0)})


@pytest.mark.parametrize(
    "after",
    [StandardScaler(), PolynomialFeatures(2), FunctionTransformer(of_columns),
     FunctionTransformer(np.abs), make_pipeline(FunctionTransformer(filled), Normalizer())],
    ids=["a scaler", "products", "columns by name", "a function", "rows"],
)  # fmt: skip
@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize("data", [FLOATS, INTEGERS, FLOATS.astype("float32")])
def test_functions_of_each_number_hand_on_columns(after: Any, output: str, data: Any) -> None:
    data = data.fillna(1) if isinstance(after, PolynomialFeatures) else data
    model = make_pipeline(FunctionTransformer(np.log1p), after).set_output(transform=output)
    check(model.fit(data), data, rtol=1e-6 if data.dtypes.iloc[0] == np.float32 else 1e-12)


def test_functions_within_a_column_transformer() -> None:
    scaled = make_pipeline(FunctionTransformer(np.sqrt), StandardScaler())
    log = FunctionTransformer(np.log1p, feature_names_out="one-to-one")
    model = ColumnTransformer([("l", log, ["a", "c"]), ("s", scaled, ["b", "d"])])
    check(make_pipeline(model, FunctionTransformer(np.square)).fit(FLOATS), FLOATS, rtol=1e-12)
    named = ColumnTransformer([("s", StandardScaler(), ["d"])], remainder="passthrough")
    check(make_pipeline(FunctionTransformer(np.log1p), named).fit(FLOATS), FLOATS, rtol=1e-12)


@pytest.mark.parametrize("function", [lambda d: d.b / d.c, lambda d: d["b"]])
def test_functions_that_return_one_column(function: Callable[[Any], Any]) -> None:
    check(FunctionTransformer(function).fit(FLOATS), FLOATS, rtol=1e-12)
