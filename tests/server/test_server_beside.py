"""Predictions of programs with inputs beside the table, values of a call and ragged results."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import requests
import scipy.sparse as sp

import sclbl
from sclbl.compiler import compile_spec
from sclbl.errors import (
    ColumnError,
    InputError,
    LimitError,
    ParameterError,
    RequestError,
    SclblError,
)
from sclbl.json_calls import names_of
from sclbl.program import Program
from sclbl.registry.base import Record
from sclbl.registry.local import LocalRegistry
from sclbl.registry.remote import RemoteRegistry
from sclbl.rows import Encoder
from sclbl.server import general, large
from sclbl.server.limits import Settings
from sclbl.server.payload import CSV, JSON, NDJSON
from sclbl.server.programs import Target, target_of
from sclbl.signature import Column, Input, Output, Signature
from sclbl.spec import Graph, Node, Provenance, Spec, Value
from tests.server.beside import models, record, several
from tests.server.conftest import Served, error, start, stop
from tests.server.test_server_openapi import described
from tests.server.threads import serving

PATH = "/v1/deployments/{}/predict"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("beside")
    with LocalRegistry(home) as registry:
        record(registry)
    running = start(home)
    yield running
    stop(running)


def pairs(matrix: Any) -> list[dict[str, Any]]:
    """Return the rows of a sparse matrix as JSON has them."""
    matrix = sp.csr_matrix(matrix)
    matrix.sort_indices()
    edges = zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    return [
        {"columns": matrix.indices[a:b].tolist(), "values": matrix.data[a:b].tolist()}
        for a, b in edges
    ]


def ask(served: Served, name: str, body: Any, **query: str) -> Any:
    response = served.post(PATH.format(name), json=body, params=query)
    assert response.status_code == 200, response.text
    return response.json()["results"]


@pytest.mark.parametrize("name", ["dicts", "tokens"])
def test_ragged_rows_in_and_out(served: Served, name: str) -> None:
    case = models()[name]
    expected = pairs(case.model.transform(case.x))
    for body in ({"rows": case.x}, case.x, {"inputs": {"X": case.x}}):
        found = ask(served, name, body)
        for one, other in zip(found, expected, strict=True):
            order = np.argsort(one["columns"])
            assert [one["columns"][k] for k in order] == other["columns"]
            assert [one["values"][k] for k in order] == other["values"]


@pytest.mark.parametrize("name", ["chain", "sparse"])
def test_plain_results_of_ragged_rows(served: Served, name: str) -> None:
    case = models()[name]
    rows = case.x if name == "chain" else pairs(case.x)
    program = Program(case.wasm)
    for method in program.methods:
        found = ask(served, name, {"rows": rows}, method=method)
        assert found == program.run(method, case.x).tolist()
        np.testing.assert_allclose(found, getattr(case.model, method)(case.x), rtol=1e-12)


def test_sparse_rows_may_be_whole(served: Served) -> None:
    case = models()["sparse"]
    rows: list[Any] = pairs(case.x)
    dense = case.x.toarray().tolist()
    expected = case.model.predict(case.x).tolist()
    assert ask(served, "sparse", dense) == expected
    assert ask(served, "sparse", [*rows[:7], *dense[7:]]) == expected
    assert ask(served, "sparse", rows[3]) == expected[3:4]


def test_one_object_is_one_row(served: Served) -> None:
    case = models()["dicts"]
    (found,) = ask(served, "dicts", case.x[0])
    assert [found] == ask(served, "dicts", [case.x[0]])
    assert ask(served, "dicts", {}) == [{"columns": [], "values": []}]


def test_values_of_the_call(served: Served) -> None:
    case = models()["near"]
    rows = case.x[:20].tolist()
    for radius in (None, 0.0, 0.5, 2, -1):
        said = {} if radius is None else {"radius": radius}
        distances, numbers = case.model.radius_neighbors(case.x[:20], **said)
        expected = [[d.tolist(), i.tolist()] for d, i in zip(distances, numbers, strict=True)]
        assert ask(served, "near", {"rows": rows, "parameters": said}) == expected
        if radius is None:
            assert ask(served, "near", rows) == expected


def test_several_inputs(served: Served) -> None:
    rng = np.random.default_rng(1)
    table, more = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    rows = [{"b": b, "a": a} for a, b in table.tolist()]
    body = {"inputs": {"table": rows, "more": more.tolist()}, "parameters": {"scale": 3}}
    found = ask(served, "several", body)
    expected = [[x, y] for x, y in zip((table * 3 + more).tolist(), (table * 3).tolist())]  # noqa: B905
    assert found == expected


def test_lines_in_and_out(served: Served) -> None:
    case = models()["tokens"]
    body = "".join(json.dumps(row) + "\n" for row in case.x)
    headers = {"Content-Type": NDJSON, "Accept": NDJSON}
    response = served.post(PATH.format("tokens"), data=body, headers=headers)
    found = [json.loads(line) for line in response.text.splitlines()]
    assert found == ask(served, "tokens", case.x)
    assert response.headers["x-sclbl-ref"] == "tokens@1"


def test_csv_of_a_table_with_a_value_of_the_call(served: Served) -> None:
    case = models()["near"]
    body = "x,y,z\n" + "".join(",".join(map(repr, row)) + "\n" for row in case.x[:5].tolist())
    response = served.post(PATH.format("near"), data=body, headers={"Content-Type": CSV})
    assert response.json()["results"] == ask(served, "near", case.x[:5].tolist())


def test_numbers_that_json_cannot_hold() -> None:
    program = Program(several())
    body = {"inputs": {"table": [{"a": None, "b": 1e308}], "more": [[1.0, 1e308]]}}
    found = answered(body, program)
    assert found["results"] == [[[None, "Infinity"], [None, 1e308]]]


def target(program: Program) -> Target:
    """Return the first method of a program as a server holds it."""
    now = datetime.now(UTC)
    record = Record("x", 1, "0" * 64, "0" * 64, program.size, now)
    return target_of(record, program, program.methods[0])


def answered(
    body: Any, program: Program, settings: Settings | None = None, accept: str = JSON
) -> Any:
    """Return the answer of a program in this thread."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    parts, _ = general.answer(target(program), text, JSON, accept, settings or Settings())
    return json.loads(b"".join(parts))


@pytest.mark.parametrize("name", ["dicts", "tokens"])
def test_large_bodies_are_read_in_slices(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = models()[name]
    rows = [*case.x, *([{"x: [": 1.0}] if name == "dicts" else [["}, {", "], ["]])] * 3
    program = Program(case.wasm)
    expected = answered({"rows": rows}, program)
    assert len(expected["results"]) == len(rows)
    monkeypatch.setattr(large, "SLICE_BYTES", 64)
    monkeypatch.setattr(large, "WHOLE_BYTES", 0)
    monkeypatch.setattr(general, "PART_ROWS", 7)
    monkeypatch.setattr(general, "SLICE_VALUES", 5)
    for body in ({"rows": rows}, rows, {"rows": rows, "parameters": {}}):
        assert answered(body, program) == expected


def test_large_bodies_have_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    case = models()["near"]
    program = Program(case.wasm)
    body = {"rows": case.x.tolist(), "parameters": {"radius": 0.3}}
    expected = answered(body, program)
    monkeypatch.setattr(large, "SLICE_BYTES", 64)
    monkeypatch.setattr(large, "WHOLE_BYTES", 0)
    assert answered(body, program) == expected
    twice = json.dumps(body).encode().replace(b'{"radius"', b'{"radius": 1, "radius"')
    with pytest.raises(InputError, match="the key 'radius' twice"):
        answered(twice, program)


def test_rows_of_several_axes_are_cut_between_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.arange(60.0).reshape(5, 3, 2, 2)
    body = json.dumps(pictures.tolist()).encode()
    table = Signature((Column(None, "float64"),) * 12, "array", shape=(3, 2, 2))
    tensor = Signature((), "array", inputs=(Input("x", "tensor", "float64", (3, 2, 2)),))
    monkeypatch.setattr(large, "SLICE_BYTES", 16)
    monkeypatch.setattr(large, "MOST_COMMAS", 11)
    monkeypatch.setattr(large, "WHOLE_BYTES", 0)
    assert large.read(body, JSON, Encoder(table), 10).rows == pictures.tolist()
    parts = list(large.read_call(body, tensor, 10).parts(10))
    assert [first for first, _ in parts] == [0, 1, 2, 3, 4]
    assert [row for _, part in parts for row in part.rows] == pictures.tolist()


def sizes_of_parts(body: Any, media: str, program: Program) -> list[tuple[int, int]]:
    """Return how many rows, and items in them, a server has at a time."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    sizes: list[tuple[int, int]] = []
    run = general.general_results

    def watched(module: Any, method: str, rows: Any, values: Any) -> Any:
        given = rows.values() if isinstance(rows, dict) else [rows]
        sizes.append((len(rows.rows), sum(len(row) for one in given for row in one.rows)))
        return run(module, method, rows, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(general, "general_results", watched)
        general.answer(target(program), text, media, JSON, Settings())
    return sizes


@pytest.mark.parametrize("media", [JSON, NDJSON])
def test_rows_of_many_items_are_few_at_a_time(media: str) -> None:
    """Others wait while a part is encoded, and its rows take many times their text."""
    program = Program(models()["tokens"].wasm)
    rows = [[""] * 5000] * 12 + [["a"]] * 5000
    text = "\n".join(map(json.dumps, rows)) if media == NDJSON else json.dumps(rows)
    sizes = sizes_of_parts(text.encode(), media, program)
    assert sum(count for count, _ in sizes) == len(rows)
    assert max(items for _, items in sizes) < 11_000
    assert max(count for count, _ in sizes) <= general.PART_ROWS


@pytest.mark.parametrize("media", [JSON, NDJSON])
def test_rows_of_a_large_body_are_never_there_all_at_once(media: str) -> None:
    signature = Program(models()["dicts"].wasm).signature
    rows = [{f"name {k}": 1 for k in range(i, i + 9)} for i in range(2000)]
    lines = list(map(json.dumps, rows))
    text = "\n".join(lines) if media == NDJSON else f"[{', '.join(lines)}]"
    call = general.read(text.encode(), media, signature, 2000)
    assert call.count == 2000
    for _ in range(2):
        (held,) = call.inputs.values()
        assert not isinstance(held, list)
        assert max(len(piece) for piece in held.decode()) < 200
        assert [row for _, part in call.parts(64) for row in part.rows] == rows
    with pytest.raises(LimitError, match="at most 1,999 rows"):
        general.read(text.encode(), media, signature, 1999)


def test_large_bodies_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    case = models()["dicts"]
    program = Program(case.wasm)
    lines = [json.dumps(row) for row in case.x[:12]]

    def read(*more: str) -> Any:
        text = "\n".join([*lines[:7], "", " ", *lines[7:], *more, ""])
        parts, count = general.answer(
            target(program), text.encode(), NDJSON, JSON, Settings(rows=20)
        )
        assert count == 12
        return json.loads(b"".join(parts))

    expected = read()
    monkeypatch.setattr(large, "SLICE_BYTES", 100)
    assert read() == expected == answered(case.x[:12], program)
    with pytest.raises(RequestError, match="line 13 is not JSON"):
        read("{")
    with pytest.raises(ColumnError, match="the key 'b' twice"):
        read('{"b": 1, "b": 1}')
    with pytest.raises(InputError, match="line 13 holds int") as raised:
        read("5")
    assert raised.value.row == 12


@pytest.mark.parametrize(
    ("name", "row", "media"),
    [
        ("tokens", ["x" * 3000], JSON),
        ("tokens", ["x" * 3000], NDJSON),
        ("tokens", ["],[" * 1000], JSON),
        ("dicts", {"x" * 3000: 1}, JSON),
    ],
)
def test_a_row_of_too_many_bytes(
    name: str, row: Any, media: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(models()[name].wasm)
    text = json.dumps(row if media == NDJSON else [row]).encode()
    monkeypatch.setattr(large, "SLICE_BYTES", 500)
    general.answer(target(program), text, media, JSON, Settings())
    monkeypatch.setattr(large, "ROW_BYTES", 2000)
    with pytest.raises(LimitError, match="a row of the body has more than 2,000 bytes; send sh"):
        general.answer(target(program), text, media, JSON, Settings())
    with pytest.raises(LimitError, match="a row of the body has more than 2,000 bytes"):
        large.read(text, media, Encoder(Program(several()).signature), 10)


@pytest.mark.parametrize(
    ("name", "body", "status", "code", "message"),
    [
        (
            "near",
            {"rows": [[1, 2, 3]], "parameters": {"radius": None}},
            422,
            "parameter",
            "'radius' is null; give a value, or leave it out for its default",
        ),
        ("dicts", [], 422, "shape", "no rows to predict"),
        ("dicts", {"rows": [{"a": [1]}]}, 422, "dtype", "holds a list, which is no float64"),
        ("dicts", [{"a": {"b": 1}}], 422, "dtype", "holds a dict, which is no float64"),
        (
            "dicts",
            [{"a": 2**53 + 1}],
            422,
            "dtype",
            r"9007199254740993, which is no float64; it is beyond 2\*\*53",
        ),
        (
            "dicts",
            [{"a": 10**400}],
            422,
            "dtype",
            r"1000.*, which is no float64; it is beyond 2\*\*53",
        ),
        (
            "dicts",
            [["a"]],
            422,
            "shape",
            "row 0 holds a list, which is no dict; give dicts of names",
        ),
        ("dicts", ["a"], 422, "shape", "row 0 holds 'a', which is no dict"),
        ("dicts", [None], 422, "shape", "row 0 holds None, which is no dict"),
        ("tokens", {"a": 1}, 422, "shape", "an object that holds no rows"),
        ("tokens", [["a"], ["a", 1]], 422, "dtype", "row 1 holds 1, which is no text"),
        ("tokens", [["a"], "ab"], 422, "shape", "row 1 holds 'ab', which is no list"),
        ("tokens", [["a"], {"a": 1}], 422, "shape", "row 1 holds a dict, which is no list"),
        ("tokens", [[["a"]]], 422, "dtype", "row 0 holds a list, which is no text"),
        ("tokens", {"rows": [["a"]], "parameters": {"n": 1}}, 422, "parameter", "it has none"),
        ("sparse", [{"columns": [12], "values": [1]}], 422, "columns", "12, which is no column"),
        ("sparse", [{"columns": [0, 0], "values": [1, 1]}], 422, "columns", "it has it twice"),
        ("sparse", [{"columns": [0], "values": ["1"]}], 422, "dtype", "'1', which is no float64"),
        ("sparse", [{"columns": [0], "values": [None]}], 422, "missing_value", "row 0"),
        ("sparse", [[0] * 11], 422, "shape", "no sparse row; the model takes 12"),
        ("near", {"rows": [[1, 2, 3]], "parameters": {"r": 1}}, 422, "parameter", "it has radius"),
        ("near", {"rows": [[1, 2, 3]], "parameters": {"radius": "1"}}, 422, "parameter", "is '1'"),
        ("near", {"rows": [[1, 2, 3]], "parameters": {"radius": True}}, 422, "parameter", "True"),
        ("near", {"rows": [[1, 2, 3]], "parameters": {"radius": [1]}}, 422, "parameter", "a list"),
        (
            "near",
            {"rows": [[1, 2, 3]], "parameters": {"radius": 10**400}},
            422,
            "parameter",
            "no float64",
        ),
        ("near", {"rows": [[1, 2, 3]], "parameters": [1]}, 400, "request", 'under "parameters"'),
        ("near", {"rows": [[1, 2, 3]], "radius": 1}, 400, "request", "'radius' beside \"rows\""),
        ("near", {"rows": [[1, 2]]}, 422, "columns", "2 columns"),
        ("several", [[1, 2]], 422, "shape", "does not say which input its rows are of"),
        ("several", {"inputs": {"table": []}}, 422, "columns", "the inputs lack 'more'"),
        (
            "several",
            {"inputs": {"table": [{"a": 1, "b": 2}], "more": []}},
            422,
            "shape",
            "different numbers of rows|shape",
        ),
        (
            "several",
            {"inputs": {"table": [{"a": 1, "b": 2}], "more": [[1, 2, 3]]}},
            422,
            "shape",
            r"the rows have shape \(1, 3\); the input 'more' takes \(rows, 2\)",
        ),
        (
            "several",
            {"inputs": {"table": [{"a": 1, "b": 2}], "more": [["1", "2"]]}},
            422,
            "dtype",
            "row 0 holds '1', which is no",
        ),
    ],
)
def test_refusals(
    served: Served, name: str, body: Any, status: int, code: str, message: str
) -> None:
    found = error(served.post(PATH.format(name), json=body))
    assert found[:2] == (status, code), found
    assert re.search(message, found[2]), found[2]
    assert len(found[2]) < 500


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("dicts", b'[{"a": NaN}]', "request"),
        ("dicts", b'[{"a": 1e999}]', "request"),
        ("dicts", b'[{"\\ud800": 1}]', "request"),
        ("dicts", b"\xff", "request"),
        ("dicts", b"", "request"),
        ("dicts", b'[{"a":' * 60_000, "request"),
        ("tokens", b"[" * 300_000, "limit request"),
        ("near", b'{"rows": [[1, 2, 3]], "parameters": ' + b'{"a":' * 60_000, "request"),
        ("dicts", b'[{"a": 1, "a": 1}]', "columns"),
        ("near", b'{"rows": [[1,2,3]], "parameters": {"radius": 1, "radius": 2}}', "columns"),
        ("dicts", b"[{" + b'"a":1,' * 60_000 + b'"b":1}]', "limit"),
        ("dicts", b"[" + b"{}," * 1_100_000 + b"{}]", "limit"),
        ("sparse", b'[{"columns":[' + b"0," * 60_000 + b'0],"values":[1]}]', "limit"),
        ("several", b'{"inputs": {"table": [' + b"[1,2]," * 500_000 + b"[1,2]]}}", "limit"),
    ],
)
def test_hostile_bodies(served: Served, name: str, body: bytes, code: str) -> None:
    headers = {"Content-Type": JSON}
    found = error(served.post(PATH.format(name), data=body, headers=headers))
    assert found[1] in code.split(), found
    assert found[0] < 500
    assert len(found[2]) < 500
    assert served.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("dicts", CSV, 'text/csv does not hold what the model takes; as .* send {"rows": '),
        ("several", CSV, 'text/csv does not hold .* send {"inputs": {"table"'),
        ("several", NDJSON, "application/x-ndjson does not hold"),
    ],
)
def test_media_that_do_not_hold_the_rows(
    served: Served, name: str, kind: str, message: str
) -> None:
    found = error(served.post(PATH.format(name), data="a\n1\n", headers={"Content-Type": kind}))
    assert found[:2] == (415, "media_type")
    assert re.search(message, found[2])


def test_errors_count_rows_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    case = models()["sparse"]
    rows: list[Any] = pairs(case.x)
    rows[33]["values"] = [None] * len(rows[33]["values"])
    monkeypatch.setattr(general, "PART_ROWS", 5)
    with pytest.raises(InputError, match=r"row 33\b") as raised:
        answered(rows, Program(case.wasm))
    assert raised.value.row == 33


def test_lists_are_counted_before_all_rows_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    case = models()["near"]
    calls: list[int] = []
    run = general.general_results

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return run(*arguments)

    monkeypatch.setattr(general, "general_results", counted)
    monkeypatch.setattr(general, "LIST_ROWS", 2)
    body = {"rows": case.x[:50].tolist(), "parameters": {"radius": 1e100}}
    with pytest.raises(LimitError, match="the answer for 50 rows has more than 1,500 values"):
        answered(body, Program(case.wasm), Settings(answer_values=1500))
    assert len(calls) == 2


@pytest.mark.parametrize("limit", [{"rows": 10}, {"answer_values": 50}, {"answer_bytes": 200}])
def test_limits(limit: dict[str, int]) -> None:
    case = models()["near"]
    body = {"rows": case.x[:50].tolist(), "parameters": {"radius": 3.0}}
    with pytest.raises(LimitError):
        answered(body, Program(case.wasm), Settings(**limit))  # type: ignore[arg-type]


def test_plain_programs_do_not_take_parameters(served: Served) -> None:
    """A body of another form is refused as before."""
    chain = models()["chain"]
    found = error(
        served.post(PATH.format("chain"), json={"rows": chain.x[:1], "parameters": {"a": 1}})
    )
    assert found == (422, "parameter", "predict has no parameter 'a'; it has none")


def test_programs_of_the_language_take_the_same(served: Served) -> None:
    """What a server refuses, Python refuses with the same words."""
    program = Program(models()["near"].wasm)
    with pytest.raises(SclblError) as raised:
        program.run("radius_neighbors", [[1.0, 2.0, 3.0]], r=1)
    body = {"rows": [[1.0, 2.0, 3.0]], "parameters": {"r": 1}}
    assert error(served.post(PATH.format("near"), json=body))[2] == str(raised.value)
    with pytest.raises(RequestError):
        general.read(b"{", JSON, program.signature, 10)


# ------------------------------------------------------------------- openapi


@pytest.mark.parametrize("name", [*models(), "several"])
def test_the_description_holds(served: Served, name: str) -> None:
    _, path, operation = described(served, name)
    content = operation["requestBody"]["content"]
    media = content[JSON]
    checker = jsonschema.Draft202012Validator(media["schema"])
    answers = operation["responses"]["200"]["content"][JSON]["schema"]
    (method,) = (p for p in operation["parameters"] if p["name"] == "method")
    case = models().get(name)
    bodies = [media["example"]] if "example" in media else []
    if case is not None:
        rows = {"sparse": pairs, "near": np.ndarray.tolist}.get(name, list)(case.x)
        bodies += [{"rows": rows}, rows, {"inputs": {names_of_signature(case): rows}}]
    assert bodies
    for body in bodies:
        checker.validate(body)
        for each in method["schema"]["enum"]:
            answer = served.post(path, json=body, params={"method": each})
            assert answer.status_code == 200, answer.text
            jsonschema.validate(answer.json(), answers)
    csv = {"near": {CSV, NDJSON}, "several": set()}.get(name, {NDJSON})
    assert set(content) == {JSON, *csv}


def names_of_signature(case: Any) -> str:
    (name,) = names_of(Program(case.wasm).signature)
    return name


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("near", {"rows": [[1, 2, 3]], "parameters": {"radius": "1"}}),
        ("near", {"rows": [[1, 2, 3]], "parameters": {"r": 1}}),
        ("near", {"rows": [[1, 2, 3]], "radius": 1}),
        ("dicts", {"rows": [{"a": [1]}]}),
        ("tokens", {"rows": [["a", 1]]}),
        ("sparse", {"rows": [{"columns": [12], "values": [1]}]}),
        ("sparse", {"rows": [{"columns": [1, 1], "values": [1, 2]}]}),
        ("sparse", {"rows": [[1, 2]]}),
        ("several", {"inputs": {"table": [{"a": 1, "b": 2}]}}),
        ("several", {"inputs": {"table": [{"a": 1, "b": 2}], "more": [[1]]}}),
    ],
)
def test_the_description_excludes_what_is_refused(served: Served, name: str, wrong: Any) -> None:
    _, path, operation = described(served, name)
    schema = operation["requestBody"]["content"][JSON]["schema"]
    assert not jsonschema.Draft202012Validator(schema).is_valid(wrong)
    assert served.post(path, json=wrong).status_code in (400, 422)


def test_the_description_states_the_values_of_a_call(served: Served) -> None:
    _, _, operation = described(served, "near")
    schema = operation["requestBody"]["content"][JSON]["schema"]
    assert schema["anyOf"][0]["properties"]["parameters"]["properties"]["radius"] == {
        "type": "number",
        "default": 0.8,
        "description": "a value of the whole call, of radius_neighbors",
    }


def test_examples_are_made_up(served: Served) -> None:
    expected = {
        "dicts": {"rows": [{"a": 1.0}]},
        "tokens": {"rows": [["a"]]},
        "sparse": {"rows": [{"columns": [0], "values": [1.0]}]},
        "near": {"rows": [[1.0, 1.0, 1.0]]},
        "several": {"inputs": {"table": [{"a": 1.0, "b": 1.0}], "more": [[1.0, 1.0]]}},
    }
    for name, example in expected.items():
        _, _, operation = described(served, name)
        assert operation["requestBody"]["content"][JSON]["example"] == example


# ---------------------------------------------------------------- deployments


def test_an_upload_is_a_deployment_like_any_other(tmp_path: Path) -> None:
    case = models()["near"]
    with LocalRegistry(tmp_path) as registry:
        made = sclbl.upload(case.model, case.x[:5], name="near", registry=registry)
        expected = case.model.radius_neighbors(case.x[:4], radius=0.5)
        with serving(registry) as (url, _):
            remote = sclbl.get("near", registry=url)
            for deployment in (made, remote, pickle.loads(pickle.dumps(made))):
                found = deployment.radius_neighbors(case.x[:4], radius=0.5)
                for one, other in zip(found, expected, strict=True):
                    assert [row.tolist() for row in one] == [row.tolist() for row in other]
                with pytest.raises(ParameterError, match="no parameter 'r'; it has radius"):
                    deployment.radius_neighbors(case.x[:4], r=1)
            body = {"rows": case.x[:4].tolist(), "parameters": {"radius": 0.5}}
            path = f"{url}{PATH.format('near')}?method=radius_neighbors"
            answer = requests.post(path, json=body, timeout=30).json()
            assert [row[1] for row in answer["results"]] == [i.tolist() for i in expected[1]]
            sparse = sclbl.upload(
                models()["dicts"].model, models()["dicts"].x[:5], name="dicts", registry=registry
            )
            rows = models()["dicts"].x
            assert sp.issparse(sparse.transform(rows, output="sparse"))
            assert sparse.transform(rows).shape == (31, 4)


@pytest.mark.parametrize("name", ["dicts", "tokens", "sparse", "near"])
def test_uploads_to_a_server(tmp_path: Path, name: str) -> None:
    """The server compiles the spec, compares the program with it, and serves it."""
    case = models()[name]
    with (
        LocalRegistry(tmp_path) as registry,
        serving(registry) as (url, token),
        RemoteRegistry(url, token) as remote,
    ):
        made = sclbl.upload(case.model, case.x[:5], name=name, registry=remote)
        assert made.ref == f"{name}@1"
        assert made.checked is not None
        assert made.checked.ok
        rows = {"sparse": pairs, "near": np.ndarray.tolist}.get(name, list)(case.x)
        answer = requests.post(f"{url}{PATH.format(name)}", json={"rows": rows}, timeout=30)
        assert len(answer.json()["results"]) == len(rows)
        # Downloaded, it is the same program.
        assert registry.get(name).sha256 == sclbl.load(f"{name}@1", registry=remote).sha256


def test_an_example_is_of_columns(tmp_path: Path) -> None:
    case = models()["dicts"]
    with (
        LocalRegistry(tmp_path) as registry,
        pytest.raises(InputError, match="example=True shows a row of columns"),
    ):
        sclbl.upload(case.model, case.x[:5], name="dicts", example=True, registry=registry)


def test_a_method_may_be_called_as_something_of_a_program() -> None:
    given = Value("numeric", "float64", (1,))
    graph = Graph(
        (given,),
        (Value("report", "float64", (1,)),),
        (Node("Neg", ("numeric",), ("report",)),),
        {},
        {"numeric": given, "report": Value("report", "float64", (1,))},
    )
    outputs = {"report": Output("float64", "float64", 1, 1)}
    signature = Signature((Column("a", "float64"),), "table", outputs)
    program = Program(compile_spec(Spec(graph, signature, Provenance("test", {}))))
    assert target(program).call([[2.0]]).tolist() == [-2.0]
    with pytest.raises(ParameterError, match="report has no parameter 'b'; it has none"):
        program.run("report", [[2.0]], b=1)
    with pytest.raises(ParameterError, match="report has no output 'sparse'; it offers only its"):
        program.run("report", [[2.0]], output="sparse")
