"""Columns of every type that pandas, polars and pyarrow have, beside the model's own answer."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import OneHotEncoder

import sclbl
from sclbl.errors import DtypeError

X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 0.0, 5.0]})
DAY, MOMENT = datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)
WORDS = pa.array(["x", "y", "x"])
HALF = decimal.Decimal("1.5")


def arrow(values: Any, dtype: Any = None) -> pd.Series:
    array = pa.array(values, dtype) if not isinstance(values, pa.Array) else values
    return pd.Series(array, dtype=pd.ArrowDtype(array.type))


@pytest.fixture(scope="module")
def model() -> Any:
    return HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=1).fit(X, [1.0, 2.0, 4.0])


@pytest.fixture(scope="module")
def program(model: Any) -> Any:
    return sclbl.compile(model, X)


#: Columns of numbers; those whose values are missing in part are not taken by every example.
PANDAS: dict[str, Any] = {
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "UInt8": pd.array([1, 2, 3], dtype="UInt8"),
    "Float32": pd.array([1, None, 3], dtype="Float32"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "int64 of Arrow": arrow([1, None, 3]),
    "double of Arrow": arrow([1.0, None, 3.0]),
    "bool of Arrow": arrow([True, None, False]),
    "categories that are numbers": pd.Categorical([1, 2, 1]),
    "float16": np.array([1, 2, 3], np.float16),
}
POLARS: dict[str, Any] = {
    "UInt64": pl.Series([1, 2, 3], dtype=pl.UInt64),
    "Float32": pl.Series([1, None, 3], dtype=pl.Float32),
    "Null": pl.Series([None] * 3),
    "Object": pl.Series([1, 2.5, None], dtype=pl.Object),
    "Boolean": pl.Series([True, True, False]),
}
#: Those that rows may have and an example may not.
ROWS_ONLY: dict[str, tuple[Any, str]] = {
    "sparse floats": (pd.arrays.SparseArray([1.0, np.nan, 3.0]), "sparse values; densify first"),
    "sparse integers": (pd.arrays.SparseArray([1, 0, 3]), "sparse values; densify first"),
    "sparse booleans": (pd.arrays.SparseArray([True, False, True]), "sparse values"),
    "nulls of Arrow": (arrow([None] * 3, pa.null()), "give the column a type, for exam"),
    "a dictionary of Arrow": (arrow(pa.array([1, 2, 1]).dictionary_encode()), "take it apart"),
}


@pytest.mark.parametrize("name", PANDAS)
def test_pandas(name: str, model: Any, program: Any) -> None:
    rows = pd.DataFrame({"a": PANDAS[name], "b": [1.0, 2.0, 3.0]})
    want = model.predict(rows)
    np.testing.assert_array_equal(program.predict(rows), want)
    np.testing.assert_array_equal(sclbl.compile(model, rows).predict(rows), want)


@pytest.mark.parametrize("name", POLARS)
def test_polars(name: str, model: Any, program: Any) -> None:
    rows = pl.DataFrame({"a": POLARS[name], "b": [1.0, 2.0, 3.0]})
    want = model.predict(rows)
    np.testing.assert_array_equal(program.predict(rows), want)
    np.testing.assert_array_equal(sclbl.compile(model, rows).predict(rows), want)


@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns found")
@pytest.mark.parametrize("name", ROWS_ONLY)
def test_types_that_rows_alone_have(name: str, model: Any, program: Any) -> None:
    column, said = ROWS_ONLY[name]
    rows = pd.DataFrame({"a": column, "b": [1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(program.predict(rows), model.predict(rows))
    with pytest.raises(DtypeError, match=f"^column 'a' holds .*{said}"):
        sclbl.compile(model, rows)


def test_a_sparse_column_of_floats_is_held_to_its_type() -> None:
    single = X.astype("float32")
    program = sclbl.compile(LinearRegression().fit(single, [1.0, 2.0, 4.0]), single)
    rows = pd.DataFrame({"a": pd.arrays.SparseArray([0.5, 0.1]), "b": [1.0, 1.0]})
    with pytest.raises(
        DtypeError,
        match=r"row 1, column 'a' holds 0\.1, which is no float32; it is not a float32 number",
    ):
        program.predict(rows)


def test_sparse_frames_as_sparse_rows() -> None:
    dense = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    matrix = sparse.csr_matrix(dense)
    model = LinearRegression().fit(matrix, [1.0, 2.0, 3.0])
    program = sclbl.compile(model, matrix)
    want = program.predict(matrix)
    frame = pd.DataFrame({i: pd.arrays.SparseArray(dense[:, i], fill_value=0.0) for i in range(3)})
    np.testing.assert_array_equal(program.predict(frame), want)
    np.testing.assert_array_equal(program.predict(pd.DataFrame(dense)), want)
    other = pd.DataFrame({i: pd.arrays.SparseArray(dense[:, i], fill_value=1.0) for i in range(3)})
    np.testing.assert_array_equal(program.predict(other), want)


REFUSED: dict[str, tuple[Any, str]] = {
    "dates": (pd.DataFrame({"a": pd.to_datetime(["2020-01-01"] * 3)}), "dates; turn dates into"),
    "dates of a zone": (
        pd.DataFrame({"a": pd.to_datetime(["2020-01-01"] * 3, utc=True)}), "UTC.*turn dates into",
    ),
    "durations": (pd.DataFrame({"a": pd.to_timedelta([1, 2, 3])}), "turn dates into numbers"),
    "periods": (pd.DataFrame({"a": pd.period_range("2020", periods=3, freq="M")}), "turn dates"),
    "decimals": (pd.DataFrame({"a": [HALF] * 3}), r"'a' holds.* Decimal.* conv"),
    "decimals of Arrow": (pd.DataFrame({"a": arrow([HALF] * 3)}), "convert decimals first"),
    "instants of Arrow": (pd.DataFrame({"a": arrow([MOMENT] * 3)}), "turn dates into numbers"),
    "complex numbers": (pd.DataFrame({"a": [1j, 2, 3]}), "give the parts as two columns"),
    "lists": (pd.DataFrame({"a": [[1], [2], [3]]}), "give one value a cell"),
    "bytes": (pd.DataFrame({"a": [b"x"] * 3}), "decode bytes to text first"),
    "polars' Decimal": (
        pl.DataFrame({"a": pl.Series([HALF] * 3, dtype=pl.Decimal(9, 2))}), "convert decimals",
    ),
    "polars' Date": (pl.DataFrame({"a": [DAY] * 3}), "Date; turn dates into numbers first"),
    "polars' Datetime": (pl.DataFrame({"a": [MOMENT] * 3}), "Datetime.*turn dates into numbers"),
    "polars' Duration": (pl.DataFrame({"a": [datetime.timedelta(1)] * 3}), "turn dates into"),
    "polars' Time": (pl.DataFrame({"a": [datetime.time(1)] * 3}), "turn dates into numbers"),
    "polars' List": (pl.DataFrame({"a": [[1]] * 3}), "give one value a cell"),
    "polars' Array": (
        pl.DataFrame({"a": pl.Series([[1]] * 3, dtype=pl.Array(pl.Int64, 1))}), "one value a cell",
    ),
    "polars' Struct": (pl.DataFrame({"a": [{"x": 1}] * 3}), "give one value a cell"),
    "polars' Binary": (pl.DataFrame({"a": [b"x"] * 3}), "decode bytes to text first"),
    "polars' Int128": (
        pl.DataFrame({"a": pl.Series([1] * 3, dtype=pl.Int128)}), "Int128; .*cast to Int64",
    ),
    "Arrow's decimals": (pa.table({"a": pa.array([HALF] * 3)}), "convert decimals first"),
    "Arrow's instants": (pa.table({"a": pa.array([MOMENT] * 3)}), "turn dates into numbers first"),
    "Arrow's half floats": (
        pa.table({"a": pa.array(np.ones(3, np.float16))}), "halffloat; cast to float32",
    ),
    "Arrow's structs": (pa.table({"a": pa.array([{"x": 1}] * 3)}), "give one value a cell"),
    "Arrow's bytes": (pa.table({"a": pa.array([b"x"] * 3)}), "decode bytes to text first"),
    "Arrow's runs": (
        pa.table({"a": pa.RunEndEncodedArray.from_arrays([2, 3], [1.0, 2.0])}), "take it apart",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_what_to_do(name: str) -> None:
    rows, said = REFUSED[name]
    one = X[["a"]]
    model = LinearRegression().fit(one, [1.0, 2.0, 4.0])
    with pytest.raises(DtypeError, match=f"column 'a' holds.*{said.partition('holds')[2] or said}"):
        sclbl.compile(model, one).predict(rows)
    with pytest.raises(DtypeError, match=said):
        sclbl.compile(model, rows)


TEXTS: dict[str, Any] = {
    "str": pd.DataFrame({"a": ["x", "y", "x"]}),
    "string": pd.DataFrame({"a": pd.array(["x", "y", "x"], dtype="string")}),
    "string of Arrow": pd.DataFrame({"a": arrow(["x", "y", "x"])}),
    "categories": pd.DataFrame({"a": pd.Categorical(["x", "y", "x"])}),
    "dictionary of Arrow": pd.DataFrame({"a": arrow(WORDS.dictionary_encode())}),
    "objects": pd.DataFrame({"a": ["x", "y", "x"]}, dtype=object),
    "polars' String": pl.DataFrame({"a": ["x", "y", "x"]}),
    "polars' Categorical": pl.DataFrame({"a": pl.Series(["x", "y", "x"], dtype=pl.Categorical)}),
    "polars' Enum": pl.DataFrame({"a": pl.Series(["x", "y", "x"], dtype=pl.Enum(["y", "x"]))}),
    "polars' Object": pl.DataFrame({"a": pl.Series(["x", "y", "x"], dtype=pl.Object)}),
    "Arrow's table": pa.table({"a": ["x", "y", "x"]}),
    "Arrow's dictionary": pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode()}),
    "Arrow's views": pa.table({"a": pa.array(["x", "y", "x"], pa.string_view())}),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(name: str) -> None:
    model = OneHotEncoder(sparse_output=False).fit(TEXTS["str"])
    want = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    for example in ("str", name):
        found = sclbl.compile(model, TEXTS[example]).transform(TEXTS[name])
        np.testing.assert_array_equal(found, want)


def test_missing_objects_are_what_the_row_is_in_the_types_of_the_example(model: Any) -> None:
    """pandas.NA is refused among objects of numbers, and is what a nullable column holds."""
    rows = pd.DataFrame({"a": [pd.NA, 1], "b": [1, 2]}, dtype=object)
    with pytest.raises(TypeError, match="NAType"):
        model.predict(rows)
    for example in (X, X.astype(object)):
        with pytest.raises(
            DtypeError,
            match=r"row 0, column 'a' holds pandas\.NA.* pandas\.NA is another value",
        ):
            sclbl.compile(model, example).predict(rows)
    nullable = sclbl.compile(model, X.astype("Float64"))
    want = model.predict(rows.astype("Float64"))
    for given in (rows, rows.to_dict("records"), rows.astype("Float64")):
        np.testing.assert_array_equal(nullable.predict(given), want)
