"""JSON texts that hold the inputs of a model without a plain table, and rows of such inputs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer

from sclbl.errors import (
    ColumnError,
    DtypeError,
    InputError,
    ParameterError,
    RequestError,
    ShapeError,
)
from sclbl.json_calls import Call, form_of, read_call
from sclbl.rows import OneNull, RaggedRows
from sclbl.rows.beside import parameter, rows_beside
from sclbl.rows.encode import Encoder
from sclbl.signature import Column, Input, Signature

RADIUS = Input("radius", "parameter", "float64", default=1.0)
X = Input("X", "features", "float64")
FEATURES = Signature((), "array", inputs=(X,))
SPARSE = Signature((), "array", inputs=(Input("X", "sparse", "float64", (4,)),))
LISTS = Signature((), "array", inputs=(Input("X", "list", "text"),))
TABLE = Signature((Column("age", "float64"), Column("w", "float64")), "table", inputs=(RADIUS,))
TWO = Signature(
    (Column(None, "float64"),) * 2, "array", inputs=(Input("tokens", "list", "text"), RADIUS)
)


def read(value: Any, signature: Signature) -> Call:
    return read_call(json.dumps(value).encode(), signature)


def test_rows_in_every_form() -> None:
    row = {"city=x": 1.0, "a:b": 2}
    assert read([row, {}], FEATURES) == Call({"X": [row, {}]})
    assert read({"rows": [row]}, FEATURES) == Call({"X": [row]})
    assert read({"inputs": {"X": [row]}}, FEATURES) == Call({"X": [row]})
    assert read(row, FEATURES) == Call({"X": [row]})
    assert read({}, FEATURES) == Call({"X": [{}]})
    assert read([["a", "b"], []], LISTS) == Call({"X": [["a", "b"], []]})
    pairs = {"columns": [1], "values": [2.5]}
    assert read(pairs, SPARSE) == Call({"X": [pairs]})
    assert read({"rows": [pairs, [0, 1, 0, 0]]}, SPARSE) == Call({"X": [pairs, [0, 1, 0, 0]]})


def test_features_may_be_called_as_the_form_is() -> None:
    for row in ({"rows": 3.0}, {"inputs": "x"}, {"parameters": 1}):
        assert read(row, FEATURES) == Call({"X": [row]})
        assert read({"rows": [row]}, FEATURES) == Call({"X": [row]})


def test_values_of_the_call_stand_beside_the_rows() -> None:
    row = {"age": 1.0, "w": 2.0}
    said = {"radius": 0.5}
    assert read({"rows": [row], "parameters": said}, TABLE) == Call({"table": [row]}, said)
    assert read(row, TABLE) == Call({"table": [row]})
    inputs: dict[str, list[Any]] = {"table": [[1, 2]], "tokens": [["a"]]}
    assert read({"parameters": said, "inputs": inputs}, TWO) == Call(inputs, said)


@pytest.mark.parametrize(
    ("signature", "text", "error", "message"),
    [
        (FEATURES, "", RequestError, "the body is not JSON: it is empty; send"),
        (FEATURES, '[{"a": NaN}]', RequestError, "not JSON"),
        (FEATURES, "[" * 100_000, RequestError, "nested too deeply"),
        (FEATURES, '{"rows":' * 100_000, RequestError, "nested too deeply"),
        (FEATURES, "3", ShapeError, "the body holds int, not rows; send"),
        (FEATURES, "null", ShapeError, "the body holds NoneType, not rows"),
        (FEATURES, '{"rows": [], "row": 1}', RequestError, "the body has 'row' beside \"rows\""),
        (FEATURES, '{"rows": [], "inputs": {}}', RequestError, "has 'rows' beside \"inputs\""),
        (FEATURES, '{"inputs": {}}', ColumnError, "the inputs lack 'X'; the model takes 'X'"),
        (FEATURES, '{"inputs": {"X": [], "Y": []}}', ColumnError, "the inputs have 'Y'"),
        (FEATURES, '{"inputs": {"X": {}}}', ShapeError, "the input 'X' holds dict, not rows"),
        (FEATURES, '{"a": 1, "a": 2}', ColumnError, "the key 'a' twice"),
        (FEATURES, '[{"a": 1}, {"b": 1, "b": 1}]', ColumnError, "the key 'b' twice"),
        (FEATURES, '{"rows": [], "rows": []}', ColumnError, "the key 'rows' twice"),
        (FEATURES, '{"inputs": {"X": [], "X": []}}', ColumnError, "the key 'X' twice"),
        (LISTS, '{"a": 1}', ShapeError, "the body is an object that holds no rows"),
        (SPARSE, '{"columns": [1]}', ShapeError, "the body is an object that holds no rows"),
        (TABLE, '{"rows": [], "parameters": [1]}', RequestError, 'list under "parameters"; give'),
        (
            TABLE,
            '{"rows": [], "parameters": {"radius": 1, "radius": 2}}',
            ColumnError,
            "the key 'radius' twice",
        ),
        (TABLE, '{"radius": 3}', RequestError, "none of its keys is a column"),
        (TWO, "[[1, 2]]", ShapeError, "does not say which input its rows are of"),
        (TWO, '{"rows": [[1, 2]]}', ShapeError, "does not say which input its rows are of"),
        (TWO, '{"inputs": {"table": []}}', ColumnError, "the inputs lack 'tokens'"),
    ],
)
def test_refusals(signature: Signature, text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_call(text.encode(), signature)


def test_forms_are_spelled() -> None:
    assert form_of(FEATURES).startswith('send {"rows": [...]} or [...], each row an object of')
    assert '"parameters": {...}' in form_of(TABLE)
    assert form_of(TWO).startswith(
        'send {"inputs": {"table": [...], "tokens": [...]}, "parameters": {...}}'
    )


def test_parts_hold_every_row_once() -> None:
    call = Call({"a": [1, 2, 3, 4, 5], "b": list("vwxyz")})
    found = [(first, part["a"].rows, part["b"].rows) for first, part in call.parts(2)]
    assert found == [(0, [1, 2], ["v", "w"]), (2, [3, 4], ["x", "y"]), (4, [5], ["z"])]
    assert [part.rows for _, part in Call({"a": []}).parts(2)] == [[]]


def test_parts_hold_few_items() -> None:
    wide: list[Any] = [[1] * 5, [1] * 5, [1] * 30, [], {"columns": [1] * 9, "values": [1] * 9}]
    call = Call({"a": wide, "b": [[0]] * 5})
    ends = [(first, len(part["a"].rows)) for first, part in call.parts(9, 20)]
    assert ends == [(0, 2), (2, 1), (3, 1), (4, 1)]
    assert [first for first, _ in call.parts(1, 20)] == [0, 1, 2, 3, 4]


def test_inputs_of_different_lengths_come_whole() -> None:
    call = Call({"table": [[1.0, 2.0]] * 3, "tokens": [["a"]] * 2})
    ((first, part),) = call.parts(2)
    assert first == 0
    with pytest.raises(ShapeError, match="different numbers of rows: 'tokens' 2, 'table' 3"):
        Encoder(TWO).encode(part)


def dense(rows: Any) -> list[list[float]]:
    found = rows_beside(SPARSE.inputs[0], rows)
    assert isinstance(found, RaggedRows)
    assert isinstance(found.keys, np.ndarray)
    assert isinstance(found.values, np.ndarray)
    table = np.zeros((len(found), 4))
    for i in range(len(found)):
        some = slice(int(found.offsets[i]), int(found.offsets[i + 1]))
        table[i, found.keys[some]] = found.values[some]
    shown: list[list[float]] = table.tolist()
    return shown


def test_rows_of_pairs() -> None:
    first: dict[str, list[Any]] = {"columns": [3, 0], "values": [1.5, 2]}
    second: dict[str, list[Any]] = {"columns": [], "values": []}
    assert dense([first, second]) == [[2, 0, 0, 1.5], [0] * 4]
    assert dense([first, [0, 7, 0, 0.5]]) == [[2, 0, 0, 1.5], [0, 7, 0, 0.5]]
    assert dense(first) == [[2, 0, 0, 1.5]]
    assert dense([[0, 7, 0, 0.5]]) == [[0, 7, 0, 0.5]]
    assert dense([]) == []
    null = np.array(dense(OneNull([{"columns": [1], "values": [None]}, [None, 0, 0, 1]])))
    assert np.array_equal(null, [[0, np.nan, 0, 0], [np.nan, 0, 0, 1]], equal_nan=True)
    only = np.array(dense(OneNull([[None, 0, 0, 1]])))
    assert np.array_equal(only, [[np.nan, 0, 0, 1]], equal_nan=True)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        (
            {"columns": [4], "values": [1]},
            ColumnError,
            "row 1 holds 4, which is no column; the model takes 4",
        ),
        ({"columns": [-1], "values": [1]}, ColumnError, "row 1 holds -1, which is no column"),
        (
            {"columns": [10**400], "values": [1]},
            ColumnError,
            "row 1 holds 1000.*, which is no column",
        ),
        ({"columns": [1.0], "values": [1]}, ColumnError, "row 1 holds 1, which is no column"),
        ({"columns": [True], "values": [1]}, ColumnError, "row 1 holds True, which is no"),
        ({"columns": ["1"], "values": [1]}, ColumnError, "row 1 holds '1', which is no"),
        (
            {"columns": [1, 1], "values": [1, 2]},
            ColumnError,
            "row 1 holds 1, which is no column; it has it twice",
        ),
        (
            {"columns": [1, 2], "values": [1]},
            ShapeError,
            "no sparse row; it has 2 columns and 1 values",
        ),
        ({"columns": [1]}, ShapeError, r"no sparse row; it is a dict of \['columns'\]: give"),
        ({"columns": [1], "values": [1], "n": 1}, ShapeError, "no sparse row; it is a dict of"),
        ({"columns": 3, "values": [1]}, ShapeError, "row 1 holds a dict, which is no sparse row"),
        ({"columns": [1], "values": ["a"]}, DtypeError, "row 1 holds 'a', which is no float64"),
        ({"columns": [1], "values": [None]}, DtypeError, "row 1 holds None, which is no float64"),
        ({"columns": [1], "values": [2**53 + 1]}, DtypeError, r"beyond 2\*\*53"),
        ([1, 2, 3], ShapeError, "row 1 holds a list, which is no sparse row; the model takes 4"),
        ("text", ShapeError, "row 1 holds 'text', which is no sparse row"),
    ],
)
def test_pairs_that_are_refused(row: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        dense([{"columns": [], "values": []}, row])
    assert len(str(raised.value)) < 300


def test_a_null_is_the_number_that_the_model_makes_of_none() -> None:
    rows = [{"a": None, "b": 1.0}]
    expected = DictVectorizer(sparse=False).fit_transform(rows)
    found = Encoder(FEATURES).encode(OneNull(rows)).beside[0]
    assert isinstance(found, RaggedRows)
    assert isinstance(found.values, np.ndarray)
    assert np.array_equal(found.values, expected[0], equal_nan=True)


def test_large_values_are_shown_in_short() -> None:
    for value in ([0] * 100_000, "x" * 100_000, {str(i): i for i in range(1000)}):
        with pytest.raises(InputError) as raised:
            rows_beside(X, [{"a": [value]}])
        assert len(str(raised.value)) < 300
        with pytest.raises(ParameterError) as wrong:
            parameter(RADIUS, value)
        assert len(str(wrong.value)) < 300
    with pytest.raises(ParameterError, match="which is no float64"):
        parameter(RADIUS, 10**5000)


def test_integers_keep_every_digit() -> None:
    whole = Input("ids", "list", "int64")
    found = rows_beside(whole, [[2**53 + 1, -(2**63)], []])
    assert isinstance(found, RaggedRows)
    assert isinstance(found.values, np.ndarray)
    assert found.values.tolist() == [2**53 + 1, -(2**63)]
    with pytest.raises(DtypeError, match="which is no int64"):
        rows_beside(whole, [[2**63]])
