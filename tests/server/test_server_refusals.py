"""Every refusal, by its status, code and text: the ones that Python raises."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from sclbl.errors import InputError, SclblError, _subclasses
from sclbl.program import Program
from sclbl.server.problems import STATUS, status_of
from tests.server.conftest import Case, Served, error

PATH = "/v1/deployments/{}/predict"


@pytest.mark.parametrize(
    ("name", "rows", "code", "row", "column"),
    [
        ("numbers", [[1.0, 2.0, 3.0]], "columns", None, None),
        ("numbers", [[1.0, 2.0, 3.0, None]], "missing_value", 0, "3"),
        ("numbers", [[1.0] * 4, [1.0, "a", 3.0, 4.0]], "dtype", 1, "1"),
        ("numbers", [[1.0] * 4, [1.0, "2", 3.0, 4.0]], "dtype", 1, "1"),
        ("numbers", [[1.0, 2.0, 3.0, 2**53 + 1]], "dtype", 0, "3"),
        ("numbers", [[1.0, 2.0, 3.0, 10**400]], "dtype", 0, "3"),
        ("numbers", [[1.0] * 4, [1.0] * 3], "shape", 1, None),
        ("numbers", [], "shape", None, None),
        ("numbers", [[[1.0] * 4]], "shape", None, None),
        ("numbers", [[[1.0] * 4] * 2] * 2, "shape", None, None),
        ("mixed", [{"age": 1.0}], "columns", None, "plan"),
        ("mixed", [{"age": 1.0, "plan": "gold"}, {"age": 1.0}], "columns", 1, "plan"),
        ("mixed", [{"age": 1.0, "plan": "silver"}], "unknown_category", 0, "plan"),
        ("mixed", [{"age": "old", "plan": "gold"}], "dtype", 0, "age"),
        ("mixed", [{"age": 1.0, "plan": 3}], "dtype", 0, "plan"),
        ("mixed", [{"age": 1.0, "plan": "gold"}, [1.0, "gold"]], "shape", 1, None),
    ],
)
def test_bad_rows(
    server: Served,
    cases: dict[str, Case],
    name: str,
    rows: Any,
    code: str,
    row: int | None,
    column: str | None,
) -> None:
    with pytest.raises(InputError) as raised:
        Program(cases[name].wasm).run("predict", rows)
    response = server.predict(name, rows)
    assert error(response) == (422, code, str(raised.value))
    body = response.json()["error"]
    assert (body["row"], body["column"]) == (row, column)


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        (b"", 400, "request", r"the body is not JSON: it is empty; send \{\"rows\""),
        (b"{", 400, "request", "the body is not JSON: Input data was truncated"),
        (b"\xff\xfe", 400, "request", "the body is not JSON"),
        (
            b'{"rows": [[NaN]]}',
            400,
            "request",
            "is not JSON: row 0, column .* is NaN; send null",
        ),
        (
            b'{"rows": [[1e999]]}',
            400,
            "request",
            "is not JSON: row 0, column .* is 1e999; no n",
        ),
        (b"[" * 100_000, 400, "request", "the body is nested too deeply"),
        (b"{}", 400, "request", 'the body is an object without "rows"'),
        (b'{"rows": [[1]], "row": 1}', 400, "request", "the body has 'row' beside \"rows\""),
        (b"3", 422, "shape", "the body holds int, not rows"),
        (b'{"rows": {"a": [1]}}', 422, "shape", '"rows" holds dict, not a list'),
        (
            b'[{"age": 1, "plan": "gold", "age": 2}]',
            422,
            "columns",
            "an object has the key 'age' twice",
        ),
        (
            b'{"rows": [{"age": 1, "plan": "gold"}], "rows": []}',
            422,
            "columns",
            "an object has the key 'rows' twice",
        ),
        (b'[{"age": 1, "plan": "\\ud800"}]', 400, "request", "the body is not JSON"),
    ],
)
def test_bad_json(server: Served, body: bytes, status: int, code: str, message: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = server.post(PATH.format("mixed"), data=body, headers=headers)
    found = error(response)
    assert found[:2] == (status, code)
    assert re.search(message, found[2])


@pytest.mark.parametrize(
    ("kind", "body", "status", "code", "message"),
    [
        ("text/csv", "", 422, "columns", "the CSV is empty; its first line must name the columns"),
        ("text/csv", "age\n1\n", 422, "columns", "the CSV header lacks 'plan'"),
        ("text/csv", "age,age,plan\n", 422, "columns", "more than one column 'age'"),
        ("text/csv", "age,plan\n1\n", 422, "columns", "row 0 has 1 fields and the header has 2"),
        ("text/csv", "age,plan\n1,gold\nold,gold\n", 422, "dtype", "row 1, column age holds 'old'"),
        ("text/csv", "age,plan\n1_0,gold\n", 422, "dtype", "'1_0', which is not a number"),
        ("text/csv", "age,plan\n", 422, "shape", r"no rows to predict \(0 rows\)"),
        ("text/csv", 'age,plan\n1,"gold', 400, "request", "line 2 is not CSV: it ends within"),
        ("text/csv", b"age,plan\n1,\xff\n", 400, "request", "the CSV is not UTF-8"),
        ("application/x-ndjson", "", 422, "shape", r"no rows to predict \(0 rows\)"),
        ("application/x-ndjson", '{"age": 1\n', 400, "request", "line 1 is not JSON"),
        ("application/x-ndjson", "{}\n3\n", 422, "shape", "line 2 holds int; every line must be"),
        (
            "application/x-ndjson",
            '{"age": 1, "plan": "gold", "plan": "basic"}',
            422,
            "columns",
            "an object has the key 'plan' twice",
        ),
        ("text/plain", "1", 415, "media_type", "the Content-Type is 'text/plain'; send one of"),
        (None, b"1", 415, "media_type", "there is no Content-Type; send one of application/json"),
        ("text/csv; charset=latin-1", "1", 415, "media_type", "charset is 'latin-1'; send UTF-8"),
    ],
)
def test_bad_bodies(
    server: Served, kind: str | None, body: Any, status: int, code: str, message: str
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    response = server.post(PATH.format("mixed"), data=body, headers=headers)
    found = error(response)
    assert found[:2] == (status, code)
    assert re.search(message, found[2])


@pytest.mark.parametrize(
    ("ref", "status", "code", "message"),
    [
        ("nobody", 404, "not_found", "no deployment 'nobody'; there are: linear, mixed"),
        ("numbers@7", 404, "not_found", "numbers has no version 7; live versions: 1"),
        ("numbers@beta", 404, "not_found", "numbers has no alias 'beta'; its aliases: production"),
        ("Numbers", 400, "invalid_ref", "'Numbers' is not a ref like"),
        ("numbers@01", 400, "invalid_ref", "'numbers@01' is not a ref"),
        ("numbers@", 400, "invalid_ref", "'numbers@' is not a ref"),
        ("%2e%2e", 400, "invalid_ref", r"'\.\.' is not a ref"),
    ],
)
def test_bad_refs(server: Served, ref: str, status: int, code: str, message: str) -> None:
    for response in (server.predict(ref, [[1.0] * 4]), server.get(f"/v1/deployments/{ref}")):
        found = error(response)
        assert found[:2] == (status, code)
        assert re.search(message, found[2])


def test_a_compressed_body(server: Served) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = server.post(PATH.format("mixed"), data=b"x", headers=headers)
    message = "the rows have the Content-Encoding 'gzip'; send them uncompressed"
    assert error(response) == (415, "media_type", message)


def test_bad_methods(server: Served) -> None:
    response = server.predict("linear", [[1.0] * 4], method="predict_proba")
    message = "linear@1 has no method 'predict_proba'; it offers predict"
    assert error(response) == (404, "unsupported_method", message)
    response = server.predict("linear", [[1.0] * 4], metod="predict")
    message = "'metod' is not a parameter of predict; there is only 'method'"
    assert error(response) == (400, "request", message)


def test_unknown_paths_and_verbs(server: Served) -> None:
    message = "there is nothing at /v2/models; see /openapi.json"
    assert error(server.get("/v2/models")) == (404, "not_found", message)
    message = "/healthz does not take POST; see /openapi.json"
    assert error(server.post("/healthz")) == (405, "request", message)
    message = "/v1/deployments/mixed/predict does not take GET; see /openapi.json"
    assert error(server.get(PATH.format("mixed"))) == (405, "request", message)


def test_refused_rows_leave_the_connection_and_the_program_sound(
    server: Served, cases: dict[str, Case]
) -> None:
    case = cases["numbers"]
    expected = case.model.predict(case.x[:1]).tolist()
    for bad in ([[None] * 4], [[np.finfo(float).max] * 3], "x"):
        assert server.predict("numbers", bad).status_code == 422
        assert server.predict("numbers", case.x[:1].tolist()).json()["results"] == expected


def test_every_error_has_a_status() -> None:
    for cls in _subclasses(SclblError):
        assert status_of(cls("text")) in range(400, 600)
    assert set(STATUS) <= set(_subclasses(SclblError))
