"""What is given in place of rows, and what the errors say."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression

import sclbl
from sclbl.errors import ShapeError

X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 9.0]})
Y = [1.0, 2.0, 3.0]
MODEL = LinearRegression().fit(X, Y)

GIVEN: dict[str, tuple[Any, str]] = {
    "frame, list": ((X, Y), "a tuple of a table and a list"),
    "frame, series": ((X, pd.Series(Y)), "a tuple of a table and a Series"),
    "arrays": ((X.to_numpy(), np.array(Y)), "a tuple of a table and an array"),
    "lists": ((X.to_numpy().tolist(), Y), "a tuple of a table and a list"),
    "columns": ((X.to_dict("list"), Y), "a tuple of a table and a list"),
    "records": ((X.to_dict("records"), Y), "a tuple of a table and a list"),
    "polars": ((pl.DataFrame(X), Y), "a tuple of a table and a list"),
    "arrow": ((pa.Table.from_pandas(X), Y), "a tuple of a table and a list"),
    "list": ([X, Y], "a list of a table and a list"),
    "frames": ((X, X), "a tuple of a table and a table"),
    "alone": ((X,), "a tuple of a table"),
    "no target": ((X, None), "a tuple of a table and None"),
    "many": ((X, Y, Y, Y), "a tuple of a table, a list, a list and 1 more"),
    "a number": (5, "5"),
    "text": ("rows", "'rows'"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_what_is_no_rows_is_named(case: str) -> None:
    given, what = GIVEN[case]
    said = re.escape(f"{what} is not rows; give ")
    with pytest.raises(ShapeError, match=f"^{said}"):
        sclbl.compile(MODEL, given)
    with pytest.raises(ShapeError, match=f"^verify_on is not what the model takes: {said}"):
        sclbl.compile(MODEL, X, verify_on=given)
    with pytest.raises(ShapeError, match=f"^{said}"):
        sclbl.compile(MODEL, X).predict(given)


def test_tuples_that_are_rows_are_rows() -> None:
    program = sclbl.compile(MODEL, X)
    wanted = MODEL.predict(X[:2])
    for rows in (((1.0, 4.0), (2.0, 5.0)), ([1.0, 4.0], [2.0, 5.0]), tuple(X[:2].to_numpy())):
        np.testing.assert_allclose(program.predict(rows), wanted, rtol=1e-12)
    np.testing.assert_allclose(program.predict(({"a": 1.0, "b": 4.0},)), wanted[:1], rtol=1e-12)
