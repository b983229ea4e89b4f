"""Predictions over HTTP are the model's."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import requests

from tests.server.conftest import Case, Served, error

Cases = dict[str, Case]


def test_rows_as_arrays(server: Served, cases: Cases) -> None:
    case = cases["numbers"]
    answer = server.predict("numbers@1", case.x.tolist()).json()
    assert answer["results"] == case.model.predict(case.x).tolist()
    assert set(answer) == {"ref", "name", "version", "sha256", "method", "results"}
    assert (answer["ref"], answer["version"], answer["method"]) == ("numbers@1", 1, "predict")
    assert len(answer["sha256"]) == 64


@pytest.mark.parametrize("ref", ["mixed", "mixed@1", "mixed@production"])
def test_rows_as_objects(server: Served, cases: Cases, ref: str) -> None:
    case = cases["mixed"]
    answer = server.predict(ref, case.x.to_dict("records")).json()
    assert answer["ref"] == "mixed@1"
    assert answer["results"] == case.model.predict(case.x).tolist()


def test_objects_may_be_reordered_and_have_more(server: Served, cases: Cases) -> None:
    case = cases["mixed"]
    row = {"note": "a: b", "plan": "gold", "age": 30}
    answer = server.predict("mixed", [row]).json()
    expected = case.model.predict(case.x[:0].assign(age=[30.0], plan=["gold"]))
    assert answer["results"] == expected.tolist()


@pytest.mark.parametrize("count", [1, 3, 64, 65, 5000])
def test_probabilities_are_the_programs_own(server: Served, cases: Cases, count: int) -> None:
    case = cases["numbers"]
    rows = np.resize(case.x, (count, 4))
    answer = server.predict("numbers", rows.tolist(), method="predict_proba").json()
    found = np.array(answer["results"])
    expected = case.model.predict_proba(rows)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-14


def test_the_second_request_of_a_connection_answers_the_same(server: Served, cases: Cases) -> None:
    """The first goes the long way, the second is parsed, the third is recognised."""
    case = cases["numbers"]
    with requests.Session() as session:
        found = [
            session.post(
                f"{server.url}/v1/deployments/numbers/predict?method=decision_function",
                json=[row],
                timeout=30,
            ).json()["results"][0]
            for row in [*case.x[:8].tolist(), *case.x[:8].tolist()]
        ]
    expected = case.model.decision_function(case.x[:8])
    assert np.allclose(found, [*expected, *expected], rtol=1e-13, atol=0)
    assert found[:8] == found[8:]


def test_transform_answers_where_there_is_no_predict(server: Served, cases: Cases) -> None:
    case = cases["scaler"]
    answer = server.predict("scaler", case.x[:3].tolist()).json()
    assert answer["method"] == "transform"
    assert answer["results"] == case.model.transform(case.x[:3]).tolist()


def test_bare_list_and_single_row(server: Served, cases: Cases) -> None:
    case = cases["numbers"]
    path = "/v1/deployments/numbers/predict"
    expected = case.model.predict(case.x[:2]).tolist()
    assert server.post(path, json=case.x[:2].tolist()).json()["results"] == expected
    assert server.post(path, json=case.x[0].tolist()).json()["results"] == expected[:1]


def test_integers_and_booleans_are_numbers(server: Served, cases: Cases) -> None:
    expected = cases["linear"].model.predict([[1, 1, 0, 2**53]])
    found = server.predict("linear", [[1, True, False, 2**53]]).json()["results"]
    assert np.allclose(found, expected, rtol=1e-12, atol=0)


def test_csv(server: Served, cases: Cases) -> None:
    case = cases["mixed"]
    text = case.x.assign(other="x,y").to_csv(index=False)
    answer = server.post(
        "/v1/deployments/mixed/predict",
        data=text,
        headers={"Content-Type": "text/csv; charset=utf-8"},
    ).json()
    assert answer["results"] == case.model.predict(case.x).tolist()


def test_ndjson_both_ways(server: Served, cases: Cases) -> None:
    case = cases["mixed"]
    lines = "\n".join(json.dumps(row) for row in case.x.to_dict("records")) + "\n\n"
    headers = {"Content-Type": "application/x-ndjson", "Accept": "application/x-ndjson"}
    path = "/v1/deployments/mixed/predict"
    response = server.post(path, data=lines, headers=headers, params={"method": "predict"})
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["x-sclbl-ref"] == "mixed@1"
    assert response.headers["x-sclbl-method"] == "predict"
    found = [json.loads(line) for line in response.text.splitlines()]
    assert found == case.model.predict(case.x).tolist()


def test_many_at_once(server: Served, cases: Cases) -> None:
    numbers, mixed = cases["numbers"], cases["mixed"]
    expected = {
        "numbers": numbers.model.predict(numbers.x).tolist(),
        "mixed": mixed.model.predict(mixed.x).tolist(),
    }
    records = mixed.x.to_dict("records")

    def ask(number: int) -> tuple[Any, Any]:
        name = ("numbers", "mixed")[number % 2]
        row = number % 80
        rows = [numbers.x[row].tolist()] if name == "numbers" else [records[row]]
        return server.predict(name, rows).json()["results"], [expected[name][row]]

    with ThreadPoolExecutor(8) as pool:
        for found, wanted in pool.map(ask, range(160)):
            assert found == wanted


def test_one_object_is_one_row(server: Served, cases: Cases) -> None:
    case = cases["mixed"]
    path = "/v1/deployments/mixed/predict"
    for row, expected in zip(
        case.x.to_dict("records")[:3], case.model.predict(case.x), strict=False
    ):
        for body in (row, [row], {"rows": [row]}):
            assert server.post(path, json=body).json()["results"] == [expected]
    refused = server.post(path, json={"age": 3})
    assert error(refused)[:2] == (422, "columns")
    assert "'plan'" in error(refused)[2]


def test_compressed_and_chunked_bodies(server: Served, cases: Cases) -> None:
    case = cases["numbers"]
    body = json.dumps({"rows": case.x[:2].tolist()}).encode()
    response = server.post(
        "/v1/deployments/numbers/predict",
        data=iter([body[:10], body[10:]]),
        headers={"Content-Type": "application/json"},
    )
    assert response.json()["results"] == case.model.predict(case.x[:2]).tolist()
