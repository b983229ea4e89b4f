"""The signature that an example input fixes, over every container."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from sclbl.errors import ColumnError, DtypeError, ShapeError
from sclbl.rows.infer import infer


def kinds(example: object) -> list[str]:
    return [c.kind for c in infer(example).columns]


def names(example: object) -> list[str | None]:
    return [c.name for c in infer(example).columns]


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("float32", "float32"),
        ("float64", "float64"),
        ("int8", "integer"),
        ("float16", "float32"),
        ("uint8", "integer"),
        ("int32", "integer"),
        ("int64", "integer"),
        ("uint64", "integer"),
        ("bool", "boolean"),
        ("U3", "text"),
    ],
)
def test_array_dtypes(dtype: str, kind: str) -> None:
    signature = infer(np.zeros((2, 3), dtype=dtype))
    assert signature.layout == "array"
    assert [c.kind for c in signature.columns] == [kind] * 3
    assert [c.name for c in signature.columns] == [None] * 3


def test_numeric_block_is_float32_only_where_every_number_is() -> None:
    assert infer(np.zeros((1, 2), dtype=np.float32)).numeric_dtype == "float32"
    frame = pd.DataFrame({"a": np.float32([1]), "b": [1]})
    assert infer(frame).numeric_dtype == "float64"


def test_one_dimension_is_one_row_unless_it_is_text() -> None:
    assert kinds(np.array([1.0, 2.0, 3.0])) == ["float64"] * 3
    assert kinds([1, 2.5]) == ["integer", "float64"]
    assert kinds(["good", "bad", "ugly"]) == ["text"]
    assert kinds(np.array(["good", "bad"], dtype=object)) == ["text"]
    assert kinds(pd.Series(["good", "bad"])) == ["text"]
    assert kinds(pl.Series(["good", "bad"])) == ["text"]
    assert infer(pd.Series(["good", "bad"])).layout == "array"


def test_lists_are_looked_into_by_column() -> None:
    assert kinds([[1, "a", None], [2, None, 1.5]]) == ["integer", "text", "float64"]
    assert kinds([[1], [None]]) == ["float64"]
    assert kinds(np.array([[1, "a"], [True, "b"]], dtype=object)) == ["float64", "text"]
    assert kinds([(True,), (False,)]) == ["boolean"]


def test_series_is_a_row_with_names() -> None:
    signature = infer(pd.Series({"age": 3.0, "city": "Utrecht"}))
    assert signature.layout == "table"
    assert [(c.name, c.kind) for c in signature.columns] == [("age", "float64"), ("city", "text")]
    assert kinds(pd.DataFrame({"a": np.float32([1]), "b": np.float32([2])}).iloc[0]) == [
        "float32",
        "float32",
    ]


def test_dicts() -> None:
    assert names({"a": 1, "b": "x"}) == ["a", "b"]
    assert kinds({"a": 1, "b": "x"}) == ["integer", "text"]
    assert kinds({"a": [1, 2], "b": np.float32([1, 2]), "c": pd.Categorical(["u", "v"])}) == [
        "integer",
        "float32",
        "text",
    ]
    assert kinds([{"a": 1.5, "b": None}, {"a": None, "b": "x"}]) == ["float64", "text"]
    with pytest.raises(ColumnError, match=r"row 1 lacks 'b'; row 0 has this column"):
        infer([{"a": 1, "b": 2}, {"a": 1}])


def test_pandas_dtypes() -> None:
    frame = pd.DataFrame(
        {
            "int": [1, 2],
            "Int": pd.array([1, None], "Int64"),
            "Float": pd.array([1, None], "Float32"),
            "Bool": pd.array([True, None], "boolean"),
            "str": ["a", None],
            "pa": pd.array(["a", None], "string[pyarrow]"),
            "arrow": pd.array([1, None], "int32[pyarrow]"),
            "double": pd.array([1, None], "double[pyarrow]"),
            "cat": pd.Categorical(["a", "b"]),
            "num": pd.Categorical([10, 20]),
            "obj": pd.Series([1, None], dtype=object),
            "txt": pd.Series(["a", np.nan], dtype=object),
            "none": pd.Series([None, None], dtype=object),
            7: [True, False],
        }
    )
    expected = {
        "int": "integer",
        "Int": "integer",
        "Float": "float32",
        "Bool": "boolean",
        "str": "text",
        "pa": "text",
        "arrow": "integer",
        "double": "float64",
        "cat": "text",
        "num": "integer",
        "obj": "float64",
        "txt": "text",
        "none": "float64",
        "7": "boolean",
    }
    signature = infer(frame)
    assert {c.name: c.kind for c in signature.columns} == expected
    assert signature.layout == "table"


def test_polars_and_arrow_dtypes() -> None:
    frame = pl.DataFrame(
        {
            "a": pl.Series([1, None], dtype=pl.Int16),
            "b": pl.Series([1.0, 2.0], dtype=pl.Float32),
            "c": [True, None],
            "d": ["x", None],
            "e": pl.Series(["x", "y"], dtype=pl.Categorical),
            "f": [1.5, 2.5],
            "g": [None, None],
        }
    )
    expected = ["integer", "float32", "boolean", "text", "text", "float64", "float64"]
    assert kinds(frame) == expected
    assert kinds(frame.lazy()) == expected
    assert kinds(frame.to_arrow()) == expected
    assert kinds(frame.to_arrow().to_batches()[0]) == expected


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (pd.DataFrame({"d": pd.to_datetime(["2020-01-01"])}), r"column 'd' holds dates.*seconds"),
        (pl.DataFrame({"d": [datetime.date(2020, 1, 1)]}), r"column 'd' holds Date.*seconds"),
        (pa.table({"d": pa.array([0], pa.timestamp("s"))}), r"column 'd' holds timestamp"),
        ([[datetime.date(2020, 1, 1)]], r"row 0, column 0 holds date"),
        (np.zeros((1, 1), dtype="m8[s]"), r"column 0 holds dates"),
        (np.zeros((1, 1), dtype=complex), r"complex; models take real numbers"),
        (np.array([[b"x"]]), r"holds bytes; decode"),
        ([[b"x"]], r"holds bytes; decode"),
        (np.zeros((1, 1), dtype=np.longdouble), r"longdouble.*cast to float64"),
        (sparse.csr_matrix([[1.0]]), r"sparse.*toarray"),
        (pd.DataFrame({"s": pd.arrays.SparseArray([0.0, 1.0])}), r"column 's' holds sparse"),
        (pd.DataFrame({"l": [[1, 2]]}), r"row 0, column 'l' holds list"),
        (pd.DataFrame({"d": [Decimal("1.5")]}), r"column 'd' holds Decimal"),
        ([[1, "a"], ["b", "c"]], r"column 0 mixes text and numbers: row 1 holds 'b'"),
        (np.ma.masked_array([[1.0]], mask=[[True]]), r"masked arrays.*filled"),
        (np.zeros(2, dtype=[("a", "f8")]), r"structured arrays.*DataFrame"),
    ],
)
def test_refused_types(example: object, message: str) -> None:
    with pytest.raises(DtypeError, match=message):
        infer(example)


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ([], "has no rows"),
        (np.zeros((0, 3)), "has no rows"),
        (pd.DataFrame({"a": [1]}).iloc[:0], "has no rows"),
        (np.zeros((3, 0)), "has no columns"),
        ({}, "has no"),
        (np.zeros((2, 2, 2)), r"3 dimensions \(2, 2, 2\)"),
        ([[[1.0]]], "3 dimensions"),
        (np.float64(1), "0 dimensions"),
        (3.0, "3 is not rows"),
        ("abc", "'abc' is not rows"),
        ([[1, 2], [3]], "row 1 is a list of 1 and row 0 is a list of 2"),
        ([[1, 2], 3], "row 1 is one value"),
        ([{"a": 1}, [1]], "row 1 is a list of 1 and row 0 is a dict"),
        ({"a": [1, 2], "b": [1]}, "column 'b' is a list of 1 and column 'a' is a list of 2"),
        ({"a": [1, 2], "b": 1}, "column 'b' is one value"),
    ],
)
def test_refused_shapes(example: object, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        infer(example)


def test_repeated_names_are_refused() -> None:
    with pytest.raises(ColumnError, match="more than one column named 'a'"):
        infer(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(ColumnError, match="more than one column named '1'"):
        infer(pd.DataFrame([[1, 2]], columns=[1, "1"]))
