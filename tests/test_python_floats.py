"""Python's floats have no width, wherever they are; JSON that pandas wrote by column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import sclbl
from sclbl.errors import DtypeError, ShapeError
from sclbl.json_rows import read_json

X = pd.DataFrame({"a": [1.5, 2.0, 3.0], "b": [4.0, 5.0, 9.0]}, dtype="float32")
MODEL = LinearRegression().fit(X, [1.0, 2.0, 3.0])


def test_python_floats_among_objects_are_the_nearest_numbers() -> None:
    program = sclbl.compile(MODEL, X)
    rows = pd.DataFrame({"a": pd.Series([39.1], dtype=object), "b": np.array([1.0], "float32")})
    np.testing.assert_array_equal(program.predict(rows), program.predict(rows.astype("float32")))
    np.testing.assert_allclose(
        program.predict(rows), MODEL.predict(rows.astype("float32")), rtol=1e-5
    )
    for typed in (
        rows.assign(a=pd.Series([np.float64(39.1)], dtype=object)),
        rows.assign(a=[39.1]),
        rows.assign(a=pd.array([2**24 + 1], "Int64")),
        rows.assign(a=pd.array([39.1], "Float64")),
    ):
        with pytest.raises(DtypeError, match="is not a float32 number"):
            program.predict(typed)


def test_json_by_column_is_told_with_the_orientation() -> None:
    signature = sclbl.compile(MODEL, X).signature
    with pytest.raises(ShapeError, match=r"column 'a' holds an object, .*orient=\"records\"\)$"):
        read_json(X.to_json().encode(), signature)
    assert len(read_json(X.to_json(orient="records").encode(), signature)) == 3
