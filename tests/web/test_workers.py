"""Batches in parts, in this thread and in workers: the order, refusals, ends, the page's turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import sclbl
from tests.web.browser import Browser, Page
from tests.web.deployed import REF, Deployed, deployed
from tests.web.hosting import Hosted, Reply, hosting

pytestmark = pytest.mark.browser

START = """
    const { load } = await import("/sclbl.js");
    const caught = (promise) => promise.then(() => null, ({ name, code, message, row }) =>
      ({ name, code: code ?? null, message, row: row ?? null }));
    const rows = (count) => Float64Array.from({ length: 4 * count }, (_, i) => (i * 7919) % 101);
    const bits = (data) => Array.from(new BigUint64Array(data.buffer), String);
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="module")
def host(server: Deployed) -> Iterator[Hosted]:
    with hosting(**{"/churn.wasm": server.wasm()}) as hosted:
        yield hosted


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def page(request: pytest.FixtureRequest, host: Hosted) -> Page:
    browser: Browser = request.getfixturevalue(request.param)
    return browser.page(host.url)


def asked(page: Page, body: str, given: Any = None) -> Any:
    return page.run(START + body, given)


def expected(server: Deployed, count: int) -> list[str]:
    """Return the bits that Python's program answers for `rows(count)`."""
    x = ((np.arange(4 * count, dtype=np.int64) * 7919) % 101).astype(float).reshape(count, 4)
    found = server.programs[0].predict_proba(x)
    return [str(bits) for bits in found.view(np.uint64).ravel()]


def test_workers_keep_the_order(page: Page, server: Deployed) -> None:
    body = """
        const model = await load("/churn.wasm", { workers: 2 });
        const small = await model.predict_proba(rows(3));
        const all = await Promise.all([1, 7, 5000, 20000].map((n) => model.predict_proba(rows(n))));
        const found = [model.workers, bits(small.data), all.map(({ data }) => bits(data))];
        model.close();
        return [...found, model.workers];
    """
    workers, small, all_of_them, left = asked(page, body)
    assert (workers, left) == (2, 0)
    assert small == expected(server, 3)
    assert all_of_them == [expected(server, n) for n in (1, 7, 5000, 20000)]


def test_without_workers_batches_are_run_in_parts(page: Page, server: Deployed) -> None:
    body = """
        const model = await load("/churn.wasm");
        return [model.workers, bits((await model.predict_proba(rows(30000))).data)];
    """
    assert asked(page, body) == [0, expected(server, 30000)]


def test_the_row_that_is_refused_is_pythons(page: Page, server: Deployed) -> None:
    """Of several refused rows it is the one that Python names, wherever parts end."""
    body = """
        const found = [];
        for (const workers of [0, 2]) {
          const model = await load("/churn.wasm", { workers });
          const x = rows(20000);
          for (const [row, column] of given) x[4 * row + column] = NaN;
          await model.predict(rows(500));
          found.push(await caught(model.predict(x)));
          model.close();
        }
        return found;
    """
    for bad in ([[19_999, 1]], [[12_345, 3], [12_350, 0]], [[8191, 2], [8192, 0], [100, 3]]):
        x = ((np.arange(80_000, dtype=np.int64) * 7919) % 101).astype(float).reshape(-1, 4)
        for row, column in bad:
            x[row, column] = np.nan
        with pytest.raises(sclbl.errors.InputError) as refused:
            server.programs[0].predict(x)
        for found in asked(page, body, bad):
            assert found["row"] == refused.value.row
            assert found["code"] == refused.value.code
            assert str(refused.value).startswith(found["message"].partition("; ")[0])


def test_calls_end_with_their_signal_and_with_the_model(page: Page) -> None:
    body = """
        const found = [];
        for (const workers of [0, 2]) {
          const model = await load("/churn.wasm", { workers });
          const stop = new AbortController();
          const under = caught(model.predict_proba(rows(200000), { signal: stop.signal }));
          setTimeout(() => stop.abort());
          found.push((await under).name);
          const next = await model.predict_proba(rows(2));
          found.push(next.shape[0]);
          const last = caught(model.predict_proba(rows(200000)));
          model.close();
          found.push((await last).message, (await caught(model.predict(rows(1)))).message);
        }
        return found;
    """
    closed = "the model was closed"
    assert asked(page, body) == ["AbortError", 2, closed, closed] * 2


def test_a_part_of_a_worker_that_dies_is_run_again(page: Page, server: Deployed) -> None:
    """One of two fails while it works, then the other: what is left is done in the page."""
    body = """
        const made = [];
        const Real = globalThis.Worker;
        globalThis.Worker = class extends Real {
          constructor(...given) { super(...given); made.push(this); }
        };
        const model = await load("/churn.wasm", { workers: 2 });
        globalThis.Worker = Real;
        const kill = (worker) => { worker.terminate(); worker.dispatchEvent(new Event("error")); };
        const both = model.predict_proba(rows(30000));
        kill(made[0]);
        const first = bits((await both).data);
        const left = model.workers;
        const last = model.predict_proba(rows(30000));
        kill(made[1]);
        return [first, left, bits((await last).data), model.workers];
    """
    right = expected(server, 30000)
    assert asked(page, body) == [right, 1, right, 0]


def test_pages_that_may_have_no_workers_run_it_themselves(page: Page, server: Deployed) -> None:
    body = """
        const Real = globalThis.Worker;
        globalThis.Worker = class {
          constructor() { throw new DOMException("no", "SecurityError"); }
        };
        const model = await load("/churn.wasm", { workers: 2 });
        globalThis.Worker = Real;
        return [model.workers, bits((await model.predict_proba(rows(9))).data)];
    """
    assert asked(page, body) == [0, expected(server, 9)]


def test_workers_of_a_version_end_with_it(page: Page, host: Hosted, server: Deployed) -> None:
    """A call that began with the version before ends with it."""
    path = f"/v1/deployments/{REF}"
    server.on(host, 2)
    second = host.replies[path]
    server.on(host, 1)
    answers = [x for x in (host.replies[path], host.replies[path], second) if isinstance(x, Reply)]
    host.replies[path] = lambda headers: answers.pop(0)
    body = """
        let ended = 0;
        const { terminate } = Worker.prototype;
        Worker.prototype.terminate = function () { ended++; terminate.call(this); };
        const model = await load("/v1/deployments/churn@production", { workers: 1, interval: 0 });
        const before = model.predict_proba(rows(20000));
        const after = model.predict_proba(rows(20000));
        const found = [(await before).ref, (await after).ref, ended, model.workers];
        model.close();
        Worker.prototype.terminate = terminate;
        return [...found, ended];
    """
    assert asked(page, body) == ["churn@1", "churn@2", 1, 1, 2]
