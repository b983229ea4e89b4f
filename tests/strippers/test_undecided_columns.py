"""Columns that are missing in every row of the example: the model says whether they hold text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import sclbl
from sclbl.errors import InputError, UnsupportedModelError

Y = [0] * 12 + [1] * 13


def cities(null: Any) -> pd.DataFrame:
    return pd.DataFrame({"city": [null] * 5 + ["Paris", "Rome"] * 10}, dtype=object)


def examples(null: Any) -> dict[str, Any]:
    found = {
        "frame": cities(null)[:5],
        "array": cities(null)[:5].to_numpy(),
        "columns": {"city": [null] * 3},
        "records": [{"city": null}] * 3,
        "lists": [[null]] * 3,
        "series": pd.Series({"city": null}, dtype=object),
    }
    if null is None:
        found["polars"] = pl.DataFrame({"city": [None] * 3})
        found["arrow"] = pa.table({"city": [None] * 3})
    return found


def steps(null: Any) -> list[Any]:
    filled = SimpleImputer(strategy="constant", fill_value="none", missing_values=null)
    return [[OneHotEncoder()], [OneHotEncoder(handle_unknown="ignore")], [filled, OneHotEncoder()]]


@pytest.mark.parametrize("null", [None, np.nan], ids=["None", "NaN"])
def test_text_that_the_example_does_not_show_is_text(null: Any) -> None:
    x = cities(null)
    for before in steps(null):
        model = make_pipeline(*before, LogisticRegression()).fit(x, Y)
        for container, example in examples(null).items():
            program = sclbl.compile(model, example)
            column = program.signature.columns[0]
            assert (column.kind, column.missing) == ("text", "none" if null is None else "nan")
            wanted = model.predict_proba(x)
            np.testing.assert_allclose(
                program.predict_proba(x), wanted, rtol=1e-12, err_msg=container
            )


def test_an_ordinal_encoder_of_text_and_numbers_that_are_there() -> None:
    x = cities(None).assign(age=np.arange(25.0))
    columns = make_column_transformer((OrdinalEncoder(), ["city"]), remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=3)).fit(x, Y)
    program = sclbl.compile(model, x[:5], verify_on=x)
    assert [c.kind for c in program.signature.columns] == ["text", "float64"]
    np.testing.assert_array_equal(program.predict_proba(x), model.predict_proba(x))


def test_numbers_that_the_example_does_not_show_stay_numbers() -> None:
    x = pd.DataFrame({"age": [None] * 5 + [1.0, 2.0] * 10}, dtype=object)
    model = make_pipeline(SimpleImputer(missing_values=np.nan), RandomForestClassifier(3))
    model.fit(x.astype(float), Y)
    program = sclbl.compile(model, x[:5].astype(float))
    assert program.signature.columns[0].kind == "float64"


def test_where_neither_fits_the_error_names_the_columns() -> None:
    x = cities(None).assign(age=[None] * 5 + [1.0, 2.0] * 10)
    columns = make_column_transformer((SimpleImputer(), ["age"]), (OneHotEncoder(), ["city"]))
    model = make_pipeline(columns, LogisticRegression()).fit(x.assign(age=x.age.astype(float)), Y)
    example = x[:5].astype(object)
    with pytest.raises(
        InputError,
        match=r"^columns 'city', 'age' are missing in every row of example_input; include a row "
        r"with a value\. Taken for numbers: column 'city' .* Taken for text: SimpleImputer ",
    ) as refused:
        sclbl.compile(model, example)
    assert refused.value.column == "city"


def test_another_reason_is_told_as_it_is() -> None:
    class Halves(OneHotEncoder):
        def transform(self, X: Any) -> Any:
            return super().transform(X) / 2

    x = cities(None)
    model = make_pipeline(Halves(), LogisticRegression()).fit(x, Y)
    with pytest.raises(UnsupportedModelError, match="Halves"):
        sclbl.compile(model, x[:5])


def test_nulls_of_polars_that_no_step_fills() -> None:
    model = SimpleImputer(strategy="most_frequent").fit(pl.DataFrame({"city": ["a", "b", None]}))
    nothing = pl.DataFrame({"city": [None] * 2})
    program = sclbl.compile(model, nothing)
    assert model.transform(nothing).tolist() == [[None], [None]]
    assert pd.isna(program.transform(nothing)).all()  # of numbers it has one missing value
    with pytest.raises(
        InputError, match=r"'a', which is no .* it is text, but the model takes numbers"
    ):
        program.transform(pl.DataFrame({"city": ["a"]}))
