"""What users' code asks of its rows beside values: how many there are, and what holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer

import sclbl
from sclbl.errors import DtypeError, UnsupportedModelError

RNG = np.random.default_rng(8)
ARRAY = RNG.normal(size=(40, 3))
FRAME = pd.DataFrame(ARRAY, columns=list("abc"))

ABOUT_ROWS: list[Callable[[Any], Any]] = [
    lambda X: X.shape[0] == 1,
    lambda X: X.shape[0] != 1,
    lambda X: X.shape[0] in (1, 2),
    lambda X: len(X) == 1,
    lambda X: X.shape == (1, 3),
    lambda X: X.shape in {(1, 3)},
    lambda X: {1: True}.get(X.shape[0], False),
    lambda X: bool(X.shape[0]),
    lambda X: str(X.shape[0]) == "1",
    lambda X: f"{X.shape[0]}" == "1",
    lambda X: repr(X.shape) == "(1, 3)",
    lambda X: X.shape[0] ** 2 > 1,
]


@pytest.mark.parametrize("asks", ABOUT_ROWS)
@pytest.mark.parametrize("rows", [ARRAY, FRAME], ids=["array", "frame"])
def test_no_decision_is_made_by_the_number_of_rows(asks: Callable[[Any], Any], rows: Any) -> None:
    model = FunctionTransformer(lambda X: X * 2 if asks(X) else X + 1).fit(rows)
    with pytest.raises(UnsupportedModelError, match="the number of rows depends on the other rows"):
        sclbl.compile(model, rows)


def test_rows_are_as_many_as_rows() -> None:
    def doubled(X: Any) -> Any:
        alike = X.shape == (X * 2).shape and isinstance(X.shape[0], int)
        return X * 2 if alike else X

    program = sclbl.compile(FunctionTransformer(doubled).fit(ARRAY), ARRAY)
    np.testing.assert_array_equal(program.transform(ARRAY), ARRAY * 2)


def by_kind(X: Any) -> Any:
    weights = np.asarray([1.0, 2.0, 3.0])
    known = type(weights) is np.ndarray and isinstance(type(X), type)
    made = type("Own", (), {"factor": 3.0})
    if type(X) is np.ndarray and known:
        return X * made.factor  # type: ignore[attr-defined]
    if type(X) is pd.DataFrame and type(X["a"]).__name__ == "Series":
        return {pd.DataFrame: X + 1.0}[X.__class__]
    return X


@pytest.mark.parametrize("rows", [ARRAY, FRAME], ids=["array", "frame"])
def test_kinds_are_those_of_the_model(rows: Any) -> None:
    model = FunctionTransformer(by_kind).fit(rows)
    program = sclbl.compile(model, rows)
    wanted = np.asarray(model.transform(rows))
    assert not np.array_equal(wanted, ARRAY)
    np.testing.assert_array_equal(program.transform(rows), wanted)


@pytest.mark.parametrize("other", ["int32", "uint64", "float64", "float32", "bool", "Int64"])
@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64", "UInt64"])
def test_integers_that_float64_rounds_are_refused(dtype: str, other: str) -> None:
    rows = pd.DataFrame({"a": [3, 5, 7], "b": [0, 1, 1]}).astype({"a": dtype, "b": other})
    program = sclbl.compile(FunctionTransformer(lambda X: X[["a"]]).fit(rows), rows)
    np.testing.assert_array_equal(program.transform(rows), [[3], [5], [7]])
    for number in (2**53 + 1, 2**60 + 1):
        beyond = pd.DataFrame({"a": [number], "b": [1]}).astype({"a": dtype, "b": other})
        with pytest.raises(
            DtypeError,
            match=f"row 0, column 'a' holds {number}, which is no float64; it is beyond 2\\*\\*53",
        ):
            program.transform(beyond)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda X: np.clip(X, 0, 1, out=X), r"np\.clip with out; assign its result"),
        (lambda X: np.where(True, X, 0), "np.where of a condition that is not computed from X"),
        (lambda X: X.tolist(), "the attribute tolist of an array has no equivalent"),
        (lambda X: X * X.nbytes, "the attribute nbytes of an array has no equivalent"),
    ],
)
def test_what_is_not_written_says_so(function: Callable[[Any], Any], why: str) -> None:
    with pytest.raises(UnsupportedModelError, match=why):
        sclbl.compile(FunctionTransformer(function).fit(ARRAY.copy()), ARRAY.copy())


def test_an_array_has_the_attributes_of_arrays() -> None:
    def asks(X: Any) -> Any:
        return X * 2 if hasattr(X, "tolist") and not hasattr(X, "iloc") else X

    program = sclbl.compile(FunctionTransformer(asks).fit(ARRAY), ARRAY)
    np.testing.assert_array_equal(program.transform(ARRAY), ARRAY * 2)
