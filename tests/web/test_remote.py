"""Predictions by a server: the same answers and refusals as in the page, in parts, with a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline

import sclbl
from sclbl.registry.local import LocalRegistry
from sclbl.server.limits import Settings
from tests.server.threads import serving
from tests.web.browser import Browser, Page
from tests.web.deployed import ROWS, Deployed, deployed
from tests.web.hosting import Hosted, Reply, hosting

pytestmark = pytest.mark.browser

URL = "churn@production"
START = """
    const { load } = await import("/sclbl.js");
    const caught = (promise) => promise.then((found) => ({ found }),
      ({ name, code, message, row, column }) => ({ name, code, message, row, column }));
    const how = { where: "remote", token: given.token };
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    settings = Settings(cors=("*",), private=True)
    with deployed(tmp_path_factory.mktemp("registry"), settings) as found:
        yield found


@pytest.fixture(scope="module")
def host() -> Iterator[Hosted]:
    with hosting() as hosted:
        yield hosted


@pytest.fixture(scope="module")
def page(chromium: Browser, host: Hosted) -> Page:
    return chromium.page(host.url)


def asked(page: Page, server: Deployed, body: str, **given: Any) -> Any:
    """Run statements with `load`, and `how` to reach the server."""
    base = f"{server.url}/v1/deployments/"
    more = {"url": base + URL, "base": base, "token": server.token, "rows": ROWS}
    return page.run(START + body, {**more, **given})


def test_a_server_answers_as_the_page_does(page: Page, server: Deployed) -> None:
    body = """
        const model = await load(given.url, how);
        const { values, data, dtype, shape, where, why, sha256, ref } =
          await model.predict_proba(given.rows);
        const { data: labels } = await model.predict(given.rows);
        return [values, data.constructor.name, dtype, shape, where, why ?? null, sha256, ref,
          labels.constructor.name, [...labels].map(String)];
    """
    labels = [str(x) for x in server.programs[0].predict(np.array(ROWS))]
    assert asked(page, server, body) == [
        server.expected(), "Float64Array", "float64", [3, 3], "remote", None,
        server.versions[0].sha256, "churn@1", "BigInt64Array", labels,
    ]  # fmt: skip


def test_large_batches_go_in_parts(page: Page, server: Deployed) -> None:
    count = 70_000
    body = """
        const rows = Float64Array.from({ length: 4 * given.count }, (_, i) => Math.sin(i) * 3);
        const here = await load(given.url, { token: given.token });
        const there = await load(given.url, how);
        const [a, b] = await Promise.all([here.predict_proba(rows), there.predict_proba(rows)]);
        const sent = performance.getEntriesByType("resource");
        const parts = sent.filter(({ name }) => name.includes("/predict"));
        return [a.where, b.where, a.data.length, a.data.every((x, i) => Object.is(x, b.data[i])),
          parts.length];
    """
    found = asked(page, server, body, count=count)
    assert found[:4] == ["local", "remote", 3 * count, True]
    assert found[4] >= 2


def test_a_refused_row_of_a_later_part_has_its_own_number(page: Page, server: Deployed) -> None:
    body = """
        const rows = Array.from({ length: 40_000 }, () => [1, 2, 3, 4]);
        rows[39_321][2] = null;
        const found = [];
        for (const where of ["local", "remote"]) {
          const model = await load(given.url, { ...how, where });
          found.push(await caught(model.predict(rows)));
        }
        return found;
    """
    here, there = asked(page, server, body)
    assert here["code"] == there["code"] == "missing_value"
    assert here["row"] == there["row"] == 39_321
    assert here["column"] == there["column"]
    for found in (here, there):
        assert found["message"].startswith("row 39321, column '2' is missing")


def test_a_private_server_wants_its_token(page: Page, server: Deployed) -> None:
    for token in ("", "wrong"):
        body = "return await caught(load(given.url, { token: given.token, where: given.where }))"
        for where in ("auto", "local", "remote"):
            error = asked(page, server, body, token=token, where=where)
            assert error["code"] == "authentication"
            assert error["name"] == "SclblError"


def test_errors_of_the_server_are_ours(page: Page, server: Deployed) -> None:
    body = "return await caught(load(given.base + given.ref, how))"
    assert asked(page, server, body, ref="none")["code"] == "not_found"
    assert asked(page, server, body, ref="churn@9")["code"] == "not_found"
    body = "return await caught((await load(given.url, how)).run('none', given.rows))"
    assert asked(page, server, body)["code"] == "unsupported_method"


def test_a_signal_ends_a_call(page: Page, host: Hosted, server: Deployed) -> None:
    server.on(host)
    host.replies["/v1/deployments/churn@1/predict"] = lambda headers: Reply(b"{}", 503)
    body = """
        const url = "/v1/deployments/churn@production";
        const model = await load(url, { where: "remote", retries: 9 });
        const stop = new AbortController();
        const under = caught(model.predict(given.rows, { signal: stop.signal }));
        setTimeout(() => stop.abort(), 20);
        const early = caught(model.predict(given.rows, { signal: AbortSignal.abort() }));
        return [(await under).name, (await early).name];
    """
    assert asked(page, server, body) == ["AbortError", "AbortError"]


LIES = [
    b"null", b"[]", b"5", b"", b"<html>", b"{}", b'{"results": null}',
    b'{"results": {"length": 1}}',
    b'{"results": []}', b'{"results": [[0.5, 0.25]]}', b'{"results": [[0.5, 0.25, 0.25, 0]]}',
    b'{"results": [[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]}', b'{"results": [["a", 0.25, 0.25]]}',
    b'{"results": [["0.5", "0.25", "0.25"]]}', b'{"results": [[{}, 0.25, 0.25]]}',
    b'{"results": [{"columns": [0], "values": [1]}]}',
    b'{"results": [[0.5, 0.25, 0.25]], "sha256": "' + b"f" * 64 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_prediction_is_refused(
    page: Page, host: Hosted, server: Deployed, lie: bytes
) -> None:
    server.on(host)
    host.replies["/v1/deployments/churn@1/predict"] = Reply(lie)
    body = """
        const model = await load("/v1/deployments/churn@production", { where: "remote" });
        return await caught(model.predict_proba([[1, 2, 3, 4]]));
    """
    error = asked(page, server, body)
    assert (error["name"], error["code"]) == ("SclblError", "request")
    assert "answered what is no prediction of these rows; ask who runs it" in error["message"]


def test_rows_that_json_does_not_hold(page: Page, server: Deployed) -> None:
    body = """
        const model = await load(given.url, how);
        return await caught(model.predict([[1, 2, 3, 4], [1, 2, Infinity, 4]]));
    """
    error = asked(page, server, body)
    assert (error["code"], error["row"], error["column"]) == ("infinite_value", 1, "2")
    assert error["message"].startswith("row 1, column '2' is infinite, which JSON does not hold")


def test_names_and_lists_are_those_of_the_model(page: Page, tmp_path: Path) -> None:
    names = ["toString", "valueOf", "toJSON", "__proto__", "constructor"]
    dicts = [dict.fromkeys(names[: k + 1], float(k + 1)) for k in range(5)]
    model = make_pipeline(DictVectorizer(), LinearRegression()).fit(dicts, np.arange(5.0))
    points = np.random.default_rng(0).normal(size=(60, 2))
    near = NearestNeighbors(radius=1.0).fit(points)
    with LocalRegistry(tmp_path) as registry:
        sclbl.upload(model, dicts, name="dicts", registry=registry)
        sclbl.upload(near, points, name="near", methods=["radius_neighbors"], registry=registry)
        expected = [
            sclbl.load("dicts", registry=registry).predict(dicts).tolist(),
            [part.tolist() for part in near.radius_neighbors(points)[1]],
        ]
        with serving(registry, Settings(cors=("*",))) as (url, _):
            body = """
                const { load } = await import("/sclbl.js");
                const found = [];
                for (const where of ["local", "remote"]) {
                  const dicts = await load(`${given.url}/v1/deployments/dicts`, { where });
                  const near = await load(`${given.url}/v1/deployments/near`, { where });
                  const rows = JSON.parse(given.dicts);
                  found.push([
                    (await dicts.predict(rows)).values,
                    (await near.radius_neighbors(given.points, { parameters: null })).values[1],
                    await near.radius_neighbors([[1, 2]], { parameters: null }).then(() => "taken"),
                  ]);
                }
                return found;
            """
            given = {"url": url, "dicts": json.dumps(dicts), "points": points.tolist()}
            for found in page.run(body, given):
                assert found == [*expected, "taken"]


def test_predictions_are_asked_again_where_the_server_is_busy(
    page: Page, host: Hosted, server: Deployed
) -> None:
    server.on(host)
    answers = [Reply(b"{}", 503, {"retry-after": "0"}), Reply(b'{"results": [[0.5, 0.25, 0.25]]}')]
    host.replies["/v1/deployments/churn@1/predict"] = lambda headers: answers.pop(0)
    body = """
        const model = await load("/v1/deployments/churn@production", { where: "remote" });
        return (await model.predict_proba([[1, 2, 3, 4]])).values;
    """
    assert asked(page, server, body) == [[0.5, 0.25, 0.25]]
    # A refusal is an answer: it is not asked for again.
    answers[:] = [Reply(b'{"error": {"code": "limit", "message": "no"}}', 413)]
    body = body.replace("return (await model", "return await caught(model").replace(").values", ")")
    assert asked(page, server, body)["code"] == "limit"
