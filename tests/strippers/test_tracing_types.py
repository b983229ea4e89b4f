"""Which types users' code on DataFrames computes in, beside what pandas computes in."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer

import sclbl
from sclbl.errors import UnsupportedModelError

#: Numbers of float32, of which some are the nearest to those that the functions write.
VALUES = np.array([0.1, 0.2, 0.3, 1.1, -2.5, 7.0, 0.0, 1.1000001, 3.0, 1.0])
SINGLE = pd.DataFrame({"a": VALUES, "b": VALUES[::-1]}).astype("float32")
SERIES = pd.Series({"a": 1.1, "b": 0.2})
KNOWN = dict(zip(VALUES.astype("float32"), VALUES, strict=True))

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "a Series": lambda X: X - SERIES,
    "a Series of float32": lambda X: X - SERIES.astype("float32"),
    "a Series of integers": lambda X: X * pd.Series({"a": 3, "b": 7}),
    "a list on the left": lambda X: [1.1, 0.2] / (X + 10),
    "an array on the left": lambda X: np.array([1.1, 0.2]) / (X + 10),
    "an array": lambda X: X - np.array([1.1, 0.2]),
    "an array of float32": lambda X: X - np.array([1.1, 0.2], np.float32),
    "a list": lambda X: X - [1.1, 2],
    "a list of integers": lambda X: X * [3, 7],
    "a method": lambda X: X.add([1.1, 0.2]),
    "two steps": lambda X: (X - SERIES) / SERIES,
    "a number": lambda X: X - 1.1,
    "a number of NumPy's": lambda X: X - np.float64(1.1),
    "a number in an array": lambda X: X - np.array(1.1),
    "a function": lambda X: np.add(X, [1.1, 0.2]),
    "compared with a list": lambda X: X == [0.1, 0.2],
    "compared with an array": lambda X: X.gt(np.array([0.1, 0.2])),
    "compared with a Series": lambda X: X >= SERIES,
    "compared with a number": lambda X: X == 0.1,
    "compared with a number of NumPy's": lambda X: X.eq(np.float64(0.1)),
    "a column compared": lambda X: pd.DataFrame({"a": X.a > np.float64(0.1), "b": X.b > 0.1}),
    "a column and a function": lambda X: X.assign(a=np.greater(X.a, np.float64(0.1))),
    "is in": lambda X: X.isin([0.1, 0.3, 3]),
    "is in floats": lambda X: X.isin(list(np.float32([0.1, 0.3]))),
    "is in nothing that it holds": lambda X: X.isin([0.1]),
    "looked up": lambda X: X.assign(a=X.a.map({0.1: 1.0, 3: 2.0})),
    "looked up as floats": lambda X: X.assign(a=X.a.map(KNOWN)),
}


def same(function: Callable[[Any], Any], rows: pd.DataFrame) -> None:
    model = FunctionTransformer(function).fit(rows)
    program = sclbl.compile(model, rows[:3])
    wanted = np.asarray(model.transform(rows))
    found = program.transform(rows)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numbers_of_float32(name: str) -> None:
    same(FUNCTIONS[name], SINGLE)


@pytest.mark.parametrize("function", [operator.add, operator.mul, operator.truediv, operator.lt])
@pytest.mark.parametrize("given", ["int8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("own", ["int16", "int64", "uint8", "float32"])
def test_numbers_for_each_column_keep_their_type(
    own: str, given: str, function: Callable[[Any, Any], Any]
) -> None:
    rows = pd.DataFrame({"a": [1, 2, 100], "b": [30, 4, 5]}).astype(own)
    for numbers in (pd.Series({"a": 3, "b": 90}, dtype=given), np.array([3, 90], given)):
        same(lambda X, numbers=numbers: function(X, numbers), rows)  # type: ignore[misc]


@pytest.mark.parametrize("own", ["int8", "int64", "bool", "float64"])
def test_what_is_looked_up_in_columns_of_other_types(own: str) -> None:
    rows = pd.DataFrame({"a": [0, 1, 1, 0], "b": [1, 0, 1, 1]}).astype(own)
    same(lambda X: X.assign(a=X.a.isin([0, 2])), rows)
    same(lambda X: X.assign(a=X.a.isin([True])), rows)
    same(lambda X: X.assign(a=X.a.isin([1.5, 300])), rows)
    same(lambda X: X.assign(a=X.a.isin([0.0, True])), rows)
    same(lambda X: X.assign(a=X.a.map({0: 1.5, 1: 7.25})).astype(float), rows)
    same(lambda X: X.assign(a=X.a.map({True: 1.5})).astype(float), rows)
    same(lambda X: X.assign(a=X.a.map({0.5: 1.5})).astype(float), rows)


def test_values_of_each_column_or_row_are_refused() -> None:
    for function, why in (
        (lambda X: X.isin({"a": [0.1]}), "DataFrame.isin of anything but a list for all columns"),
        (lambda X: X.add([1.0, 2.0], axis=0), "a DataFrame and numbers for each row"),
        (lambda X: X == [1.0, "x"], "a DataFrame and values of object for each column"),
        (lambda X: X.assign(a=X.a.isin(["x"])), "isin of a column of numbers in a list of texts"),
    ):
        model = FunctionTransformer(function).fit(SINGLE)
        with pytest.raises(UnsupportedModelError, match=why):
            sclbl.compile(model, SINGLE)
