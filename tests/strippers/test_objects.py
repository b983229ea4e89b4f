"""Columns of Python objects between steps: scikit-learn keeps them as they are, and looks less."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import sclbl
from sclbl.errors import UnsupportedModelError

INF = np.inf
CELLS: dict[str, list[Any]] = {
    "numbers": [1.0, 2.0, 3.5],
    "infinity": [1.0, INF, 2.0],
    "booleans": [True, False, True],
}
ENCODERS = {
    "ignore": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    "number": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    "error": OrdinalEncoder(),
}


def objects(cells: list[Any], container: str) -> Any:
    column = np.empty((len(cells), 1), dtype=object)
    column[:, 0] = cells
    return pd.DataFrame(column, columns=["c"]) if container == "frame" else column


def imputed(encoder: str, strategy: str, marker: Any) -> Pipeline:
    options = {"fill_value": 1.0} if strategy == "constant" else {}
    imputer = SimpleImputer(strategy=strategy, missing_values=marker, **options)
    return make_pipeline(imputer, ENCODERS[encoder])


@pytest.mark.parametrize("container", ["frame", "array"])
@pytest.mark.parametrize(("strategy", "marker"), [("most_frequent", np.nan), ("constant", None)])
@pytest.mark.parametrize("encoder", ["ignore", "number"])
@pytest.mark.parametrize("cells", ["numbers", "infinity"])
def test_infinity_among_imputed_objects(
    cells: str, encoder: str, strategy: str, marker: Any, container: str
) -> None:
    X = objects(CELLS[cells], container)
    model = imputed(encoder, strategy, marker).fit(X)
    program = sclbl.compile(model, X)
    rows = objects([INF, -INF, 2.0, 7.0], container)
    np.testing.assert_array_equal(program.transform(rows), model.transform(rows))


@pytest.mark.parametrize("container", ["frame", "array"])
@pytest.mark.parametrize(("strategy", "marker"), [("most_frequent", -1), ("constant", np.nan)])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_booleans_among_objects(encoder: str, strategy: str, marker: Any, container: str) -> None:
    X = objects(CELLS["booleans"], container)
    model = imputed(encoder, strategy, marker).fit(X)
    program = sclbl.compile(model, X)
    rows = objects([False, True, True], container)
    np.testing.assert_array_equal(program.transform(rows), model.transform(rows))


def with_none() -> Pipeline:
    """Return a model that learned None, or the NaN that pandas makes of it, as a category."""
    return make_pipeline(SimpleImputer(strategy="most_frequent"), ENCODERS["ignore"])


@pytest.mark.parametrize("container", ["array", "polars"])
def test_missing_text_that_depends_on_the_rows_beside_it(container: str) -> None:
    cells = ["a", None, None]
    X = pl.DataFrame({"c": cells}) if container == "polars" else objects(cells, container)
    model = with_none().set_output(transform="pandas").fit(X)
    alone, beside = model.transform(X[1:2]), model.transform(X)[1:2]
    assert not np.array_equal(alone, beside)  # the model's own answers for one row
    words = "OneHotEncoder looks for missing values in column .*depends on the rows beside it; use"
    with pytest.raises(UnsupportedModelError, match=words):
        sclbl.compile(model, X)


def test_missing_text_in_arrays_does_not() -> None:
    X = objects(["a", None, None], "array")
    model = with_none().fit(X)
    program = sclbl.compile(model, X)
    np.testing.assert_array_equal(program.transform(X[1:2]), model.transform(X[1:2]))
