"""The fields of a form: what the signature, the graph and the uploader say of columns."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import RadiusNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PowerTransformer

import sclbl
from sclbl.signature import Column, Input, Output, Signature
from sclbl.web.fields import MOST_FIELDS, Field, fields, stated_in
from sclbl.web.known import known
from sclbl.web.made_up import better, plain, row_of
from tests.web.uploaded import churn, customers

RNG = np.random.default_rng(0)


def of(model: object, example: object, row: object = None) -> dict[str | int, Field]:
    spec = sclbl.strip(model, example)
    made = fields(spec.signature, known(spec.signature, spec.graph), row)
    return {field.name: field for field in made}


def test_categories_are_choices_and_the_rest_is_typed() -> None:
    row = {"age": 41.0, "income": None, "plan": "gold", "city": "Breda"}
    found = of(churn(), customers()[:5], row)
    assert [f.kind for f in found.values()] == ["number", "number", "choice", "choice"]
    assert found["plan"].categories == ("basic", "gold", "silver")
    assert found["city"].categories == ("Amsterdam", "Breda", "Delft")
    assert [f.shown for f in found.values()] == ["41", "", "gold", "Breda"]
    assert [f.absent for f in found.values()] == [False, True, False, False]


def test_categories_and_bounds_are_found_behind_an_imputer() -> None:
    frame = pd.DataFrame(
        {
            "size": RNG.uniform(1, 2, 40),
            "plan": RNG.choice(np.array(["basic", "gold", np.nan], dtype=object), 40),
            "floor": RNG.integers(0, 3, 40),
        }
    )
    model = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), PowerTransformer("box-cox")), ["size"]),
            (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["plan"]),
            (OrdinalEncoder(), ["floor"]),
        ),
        LinearRegression(),
    ).fit(frame, RNG.normal(size=40))
    found = of(model, frame[:5])
    assert found["size"].help == "more than 0"
    assert found["size"].maximum is None
    assert found["plan"].categories == ("basic", "gold")
    assert found["floor"].categories == (0.0, 1.0, 2.0)


def test_a_text_that_is_taken_apart_has_room() -> None:
    texts = pd.Series(["good film", "bad film"] * 4)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [0, 1] * 4)
    (field,) = of(model, texts[:2]).values()
    assert (field.kind, field.long) == ("text", True)
    assert not any(f.long for f in of(churn(), customers()[:5]).values())


def test_types_that_hold_less_have_their_ranges() -> None:
    output = {"predict": Output("float64", "float64", 1, 1)}
    columns = (Column("a", "integer", "uint8"), Column("b", "integer"), Column("c", "boolean"))
    a, b, c = fields(Signature(columns, "table", output))
    assert (a.minimum, a.maximum, a.step, a.help) == (0, 255, 1, "0 to 255")
    assert (b.minimum, b.maximum, b.step, b.help) == (None, None, None, "")
    assert a.to_json()["minimum"] == 0
    assert c.kind == "boolean"


def test_values_of_a_call_and_other_inputs() -> None:
    x = RNG.normal(size=(30, 2))
    model = RadiusNeighborsRegressor(radius=3.0).fit(x, x[:, 0])
    spec = sclbl.strip(model, x[:5], methods=["radius_neighbors"])
    assert [f.role for f in fields(spec.signature)] == ["column", "column", "parameter"]
    output = {"run": Output("float64", "float64", 1, 1)}
    inputs = (Input("x", "tensor", "float32", (2, 3)), Input("words", "list", "text"))
    signature = Signature((), "array", output, inputs=inputs)
    example = {"x": [[1.0] * 3] * 2, "words": ["a"]}
    first, second = fields(signature, example=example)
    assert (first.kind, first.role, json.loads(first.shown)) == ("json", "row", example["x"])
    assert "shape 2 by 3" in first.help
    assert json.loads(second.shown) == ["a"]


def test_many_columns_are_one_field() -> None:
    output = {"predict": Output("float64", "float64", 1, 1)}
    columns = (Column(None, "float64"),) * (MOST_FIELDS + 1)
    signature = Signature(columns, "array", output)
    row = row_of(plain(signature), signature)
    (field,) = fields(signature, example=row)
    assert (field.role, field.kind) == ("row", "json")
    assert json.loads(field.shown) == [1.0] * (MOST_FIELDS + 1)
    assert len(fields(Signature(columns[1:], "array", output))) == MOST_FIELDS


def test_made_up_rows_hold_what_is_known() -> None:
    spec = sclbl.strip(churn(), customers()[:5])
    stated = {"age": {"minimum": 18, "maximum": 80}, "city": {"example": "Breda"}}
    ones, knowledge = plain(spec.signature), known(spec.signature, spec.graph)
    values = better(ones, spec.signature, knowledge, stated)
    assert row_of(values, spec.signature) == {
        "age": 18,
        "income": 1.0,
        "plan": "basic",
        "city": "Breda",
    }


def test_what_the_uploader_states() -> None:
    said = {"age": {"help": "in years", "minimum": 18, "maximum": 80, "step": 1, "example": 30}}
    stated, wrong = stated_in({"form": json.dumps(said)})
    assert wrong == ""
    spec = sclbl.strip(churn(), customers()[:5])
    age, income, *_ = fields(spec.signature, example=None, stated=stated)
    assert (age.minimum, age.maximum, age.step, age.help) == (18, 80, 1, "in years; 18 to 80")
    assert (age.shown, income.shown) == ("30", "")
    assert stated_in({}) == ({}, "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        ("[1]", "it is list"),
        ('{"age": 3}', "'age' is int"),
        ('{"age": {"onclick": "x"}}', "'onclick' is none of"),
        ('{"age": {"minimum": "1"}}', "minimum of 'age' is str"),
        ('{"age": {"minimum": true}}', "minimum of 'age' is bool"),
        ('{"age": {"minimum": NaN}}', "NaN is no JSON"),
        ('{"age": {"maximum": 1e999}}', "maximum of 'age' is too large"),
        (f'{{"age": {{"maximum": {"9" * 400}}}}}', "maximum of 'age' is too large"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_tag_that_cannot_be_read_is_said(text: str, why: str) -> None:
    stated, wrong = stated_in({"form": text})
    assert stated == {}
    assert wrong.startswith("The tag form cannot be read")
    assert why in wrong
