"""JSON texts that hold rows, and what each form of them means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sclbl.errors import ColumnError, RequestError, ShapeError
from sclbl.json_rows import read_json
from sclbl.signature import Column, Signature

PEOPLE = Signature((Column("age", "float64"), Column("city", "text")), "table")
WITH_ROWS = Signature((Column("rows", "float64"), Column("age", "float64")), "table")
ONLY_ROWS = Signature((Column("rows", "float64"),), "table")
ARRAY = Signature((Column(None, "float64"),) * 2, "array")

ROW = {"age": 41, "city": "Breda"}


def read(value: Any, signature: Signature = PEOPLE) -> list[Any]:
    return read_json(json.dumps(value).encode(), signature)


@pytest.mark.parametrize("value", [ROW, [ROW], {"rows": [ROW]}])
def test_one_row_in_every_form(value: Any) -> None:
    assert read(value) == [ROW]


def test_one_object_is_one_row() -> None:
    assert read({"age": 41}) == [{"age": 41}]  # what is missing is said when the row is encoded
    assert read({"age": 41, "city": None, "other": [1]}) == [
        {"age": 41, "city": None, "other": [1]}
    ]
    assert read({"age": 41, "city": "x", "rows": 3}) == [{"age": 41, "city": "x", "rows": 3}]
    assert read({"0": 1, "1": 2}, ARRAY) == [{"0": 1, "1": 2}]


def test_a_column_may_be_called_rows() -> None:
    row = {"rows": 3, "age": 41}
    for value in (row, [row], {"rows": [row]}):
        assert read(value, WITH_ROWS) == [row]
    assert read({"rows": 3}, ONLY_ROWS) == [{"rows": 3}]
    assert read({"rows": None}, ONLY_ROWS) == [{"rows": None}]
    # A list can only be the rows, because no column of a row holds one.
    assert read({"rows": [{"rows": 3}, [4]]}, ONLY_ROWS) == [{"rows": 3}, [4]]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            '{"instances": [[1, 2]]}',
            RequestError,
            r"object without .rows., and no row .*'age', 'ci",
        ),
        ("{}", RequestError, 'the body is an object without "rows"'),
        ('{"rows": 3}', ShapeError, '"rows" holds int, not a list'),
        ('{"rows": {"age": 1}}', ShapeError, '"rows" holds dict, not a list'),
        ('{"rows": [[1, "a"]], "age": 3}', RequestError, "the body has 'age' beside \"rows\""),
        ("3", ShapeError, "the body holds int, not rows"),
        (
            '{"age": [1, 2], "city": ["a", "b"]}',
            ShapeError,
            "its column 'age' holds a list; send a",
        ),
        ("null", ShapeError, "the body holds NoneType, not rows"),
        ("", RequestError, "the body is not JSON: it is empty"),
        ('{"age": 1', RequestError, "the body is not JSON"),
        (
            '{"rows": [[1, "a"], [NaN, "b"]]}',
            RequestError,
            "row 1, column 'age' is NaN; send n",
        ),
        (
            '[{"age": 1}, {"age": -Infinity}]',
            RequestError,
            "row 1, column 'age' is -Infinity; J",
        ),
        (
            '[{"age": 1}, {"age": 1e400}]',
            RequestError,
            "row 1, column 'age' is 1e400; no number",
        ),
        ('{"age": -1e999, "city": "a"}', RequestError, "row 0, column 'age' is -1e999; no number"),
        ("[[1, NaN, 3]]", RequestError, "row 0, column 'city' is NaN"),
        ("[NaN]", RequestError, "row 0 is NaN; send null"),
        ('{"parameters": {"k": NaN}, "rows": []}', RequestError, "the parameter 'k' is NaN"),
        ("[[1, None]]", RequestError, "it has None where a value belongs; Python's None is null"),
        ("[[nan, 1]]", RequestError, "it has nan where a value belongs; send null"),
        ("[[null, x]]", RequestError, "JSON is malformed"),
        ("[[True, 1]]", RequestError, "it has True where a value belongs; JSON writes true"),
        ("[{'age': 1}]", RequestError, "it has a single quote; JSON writes text in double quotes"),
        (
            "[[1, " + "1," * 40_000 + "NaN]]",
            RequestError,
            "it has NaN where a value belongs; ",
        ),
        ("[" * 100_000, RequestError, "nested too deeply"),
        ('{"age": 1, "age": 2}', ColumnError, "has the key 'age' twice"),
        ('{"rows": [], "rows": []}', ColumnError, "has the key 'rows' twice"),
    ],
)
def test_refusals(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_json(text.encode(), PEOPLE)
