"""Loading in real browsers: what is resolved, fetched, checked, kept, and what is said when not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sclbl.server.limits import Settings
from tests.web.browser import Browser, Page
from tests.web.deployed import REF, ROWS, Deployed, deployed
from tests.web.hosting import Hosted, Reply, hosting

pytestmark = pytest.mark.browser

#: What pages may do: docs/javascript.md says that nothing looser is needed.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
#: An error as a page sees it.
CAUGHT = (
    "const caught = (promise) => promise.then((found) => ({ found }),"
    " ({ name, code, message }) => ({ name, code, message }));"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("registry"), Settings(cors=("*",))) as found:
        yield found


@pytest.fixture(params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Browser:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]  # a fixture's


@pytest.fixture
def host(server: Deployed) -> Iterator[Hosted]:
    """A page and a server that answers as ours does, of one origin."""
    with hosting() as hosted:
        server.on(hosted)
        yield hosted


@pytest.fixture
def page(browser: Browser, host: Hosted) -> Iterator[Page]:
    found = browser.page(host.url, alone=True)
    yield found
    found.close()


@pytest.fixture
def one_page(chromium: Browser, host: Hosted) -> Iterator[Page]:
    """A page of one browser, for what no browser has a part in."""
    found = chromium.page(host.url, alone=True)
    yield found
    found.close()


def asked(page: Page, body: str, given: Any = None) -> Any:
    """Run statements with `load`, and `fresh` for a `load` that remembers nothing in memory."""
    start = 'const { load } = await import("/sclbl.js");'
    fresh = "const fresh = async () => (await import(`/sclbl.js?${Math.random()}`)).load;"
    return page.run(start + fresh + CAUGHT + body, given)


ANSWER = """
    const { values, dtype, shape, where, why, sha256, ref } =
      await model.run("predict_proba", given.rows);
    return { values, dtype, shape, where, why: why ?? null, sha256, ref };
"""


def test_a_deployment_answers_in_the_page_what_python_answers(
    browser: Browser, server: Deployed
) -> None:
    """From a page of another origin: CORS, and a preflight for the token."""
    with hosting() as host:
        page = browser.page(host.url)
        page.run("document.cookie = 'session=secret'")
        given = {"url": f"{server.url}/v1/deployments/{REF}", "rows": ROWS, "token": server.token}
        found = asked(
            page, "const model = await load(given.url, { token: given.token });" + ANSWER, given
        )
        page.close()
    assert found == {
        "values": server.expected(),
        "dtype": "float64",
        "shape": [3, 3],
        "where": "local",
        "why": None,
        "sha256": server.versions[0].sha256,
        "ref": "churn@1",
    }


def test_the_token_crosses_origins_and_cookies_do_not(page: Page, host: Hosted) -> None:
    """The other origin is the same site, where browsers would send cookies if asked to."""
    with hosting() as other:
        allow = {
            "access-control-allow-origin": "*",
            "access-control-allow-headers": "authorization",
            "content-type": "application/json",
        }
        for path, reply in host.replies.items():
            if path.startswith("/v1/"):
                content = reply.content if isinstance(reply, Reply) else reply
                assert isinstance(content, bytes)
                other.replies[path] = Reply(content, headers=allow)
        page.run("document.cookie = 'session=secret; path=/'")
        for origin in (other, host):
            url = f"{origin.url}/v1/deployments/{REF}"
            asked(page, "await load(given, { token: 'a-token' })", url)
        reads = [headers for method, path, headers in other.asked if method == "GET"]
        assert len(reads) == 2
        assert {h.get("authorization") for h in reads} == {"Bearer a-token"}
        assert not [h for h in reads if "cookie" in h]
        assert [m for m, _, _ in other.asked].count("OPTIONS") >= 1
        # The page's own server gets them: a private one's pages hold the token in one.
        mine = [h for _, path, h in host.asked if path.startswith("/v1/")]
        assert mine
        assert {h.get("cookie") for h in mine} == {"session=secret"}


def test_the_policy_of_pages_is_enough(browser: Browser, server: Deployed) -> None:
    with hosting() as host:
        server.on(host)
        host.replies["/"] = Reply(b"<!doctype html>", headers={"content-security-policy": POLICY})
        # A worker has the policy that its own file comes with.
        loader = host.replies["/sclbl.js"]
        assert isinstance(loader, bytes)
        host.replies["/sclbl.js"] = Reply(loader, headers={"content-security-policy": POLICY})
        page = browser.page(host.url)
        body = "const model = await load(given.url, { workers: 1 });"
        body += "const at = model.workers; const found = await (async () => {" + ANSWER + "})();"
        body += "model.close(); return [at, found.where, found.values];"
        given = {"url": f"/v1/deployments/{REF}", "rows": ROWS}
        assert asked(page, body, given) == [1, "local", server.expected()]
        assert page.said == []
        page.close()


def test_without_leave_for_webassembly_the_server_is_asked(
    chromium: Browser, server: Deployed
) -> None:
    policy = POLICY.replace(" 'wasm-unsafe-eval'", "")
    with hosting() as host:
        server.on(host)
        host.replies["/"] = Reply(b"<!doctype html>", headers={"content-security-policy": policy})
        page = chromium.page(host.url)
        url = f"/v1/deployments/{REF}"
        found = asked(page, "const m = await load(given); return [m.where, m.why]", url)
        assert found[0] == "remote"
        assert "Content Security Policy" in found[1]
        error = asked(page, "return await caught(load(given, { where: 'local' }))", url)
        assert error["code"] == "error"
        assert "Content Security Policy" in error["message"]
        page.close()


def test_altered_bytes_are_not_run(page: Page, host: Hosted, server: Deployed) -> None:
    wasm, sha256 = bytearray(server.wasm()), server.versions[0].sha256
    wasm[-1] ^= 1
    host.replies[f"/v1/programs/{sha256}.wasm"] = bytes(wasm)
    body = """
        let made = 0;
        const { instantiate } = WebAssembly;
        WebAssembly.instantiate = (...given) => (made++, instantiate.apply(WebAssembly, given));
        const auto = await caught(load(given));
        const local = await caught(load(given, { where: "local" }));
        return { auto, local, made };
    """
    found = asked(page, body, f"/v1/deployments/{REF}")
    assert found["made"] == 0
    for error in (found["auto"], found["local"]):
        assert error["name"] == "SclblError"
        assert error["code"] == "corrupted"
        assert f"not {sha256}; it is not run" in error["message"]
    # Once the right bytes are there, the same page takes them.
    server.on(host)
    assert asked(page, "return (await load(given)).where", f"/v1/deployments/{REF}") == "local"


def test_a_file_with_another_hash_than_expected_is_refused(
    page: Page, host: Hosted, server: Deployed
) -> None:
    host.replies["/churn.wasm"] = server.wasm()
    given = {"sha256": "0" * 64, "right": server.versions[0].sha256, "rows": ROWS}
    body = """
        const bytes = await (await fetch("/churn.wasm")).arrayBuffer();
        const sources = ["/churn.wasm", new URL("/churn.wasm", location), bytes,
          new Uint8Array(bytes), new Blob([bytes]), () => fetch("/churn.wasm")];
        const found = [];
        for (const source of sources) {
          const at = async () => (typeof source === "function" ? source() : source);
          const wrong = await caught(load(await at(), { sha256: given.sha256 }));
          const model = await load(await at(), { sha256: given.right });
          found.push([wrong.code, model.where, (await model.predict_proba(given.rows)).values]);
        }
        return found;
    """
    assert asked(page, body, given) == [["corrupted", "local", server.expected()]] * 6
    body = "return await caught(load(given.url, { sha256: given.sha256 }))"
    found = asked(page, body, {"url": f"/v1/deployments/{REF}", "sha256": "0" * 64})
    assert found["code"] == "corrupted"
    assert f"not {'0' * 64}; it is not run" in found["message"]


def test_an_alias_that_moved_is_followed_without_a_reload(
    page: Page, host: Hosted, server: Deployed
) -> None:
    given = {"url": f"/v1/deployments/{REF}", "rows": ROWS}
    body = """
        window.model = await load(given.url, { interval: 0 });
        window.slow = await load(given.url, { interval: 3600 });
        return [(await model.run("predict_proba", given.rows)).ref, model.ref];
    """
    assert asked(page, body, given) == ["churn@1", "churn@1"]
    server.on(host, 2)
    body = """
        const under = model.run("predict_proba", given.rows);
        const { values, ref, sha256 } = await model.run("predict_proba", given.rows);
        const slowly = await slow.run("predict_proba", given.rows);
        return [values, ref, sha256, model.sha256, (await under).ref, slowly.ref];
    """
    sha256 = server.versions[1].sha256
    found = asked(page, body, given)
    assert found[:4] == [server.expected(2), "churn@2", sha256, sha256]
    # Who asked is told to all: nobody stays with less than the page knows.
    assert found[4:] == ["churn@2", "churn@2"]


def test_a_deployment_is_asked_for_once_an_interval(one_page: Page, host: Hosted) -> None:
    server_asks = f"/v1/deployments/{REF}"
    body = """
        const models = await Promise.all([load(given.url), load(given.url)]);
        await Promise.all(models.map((model) => model.predict(given.rows)));
        await models[0].predict(given.rows);
    """
    asked(one_page, body, {"url": server_asks, "rows": ROWS})
    assert host.paths().count(server_asks) == 1


def test_a_version_is_asked_for_once_in_a_page(
    one_page: Page, host: Hosted, server: Deployed
) -> None:
    server.on(host, ref="churn@1")
    body = """
        const model = await load("/v1/deployments/churn@1", { interval: 0 });
        for (let i = 0; i < 3; i++) await model.predict(given);
        await kept();
    """
    asked(one_page, KEPT + body, ROWS)
    assert host.paths().count("/v1/deployments/churn@1") == 1


def test_a_server_may_hold_another_registry_on_the_next_visit(
    one_page: Page, host: Hosted, server: Deployed
) -> None:
    server.on(host, 1, ref="churn@1")
    body = """
        const model = await (await fresh())("/v1/deployments/churn@1");
        const { values } = await model.predict_proba(given);
        await kept();
        return values;
    """
    assert asked(one_page, KEPT + body, ROWS) == server.expected(1)
    server.on(host, 2, ref="churn@1")
    assert asked(one_page, KEPT + body, ROWS) == server.expected(2)
    # What was kept is for when nobody answers, and for whom a server refuses it is not.
    host.replies["/v1/deployments/churn@1"] = Reply(b"", 502)
    assert asked(one_page, KEPT + body, ROWS) == server.expected(2)
    host.replies["/v1/deployments/churn@1"] = Reply(b"{}", 401)
    body = "return await caught((await fresh())('/v1/deployments/churn@1'))"
    assert asked(one_page, KEPT + body)["code"] == "request"


@pytest.mark.parametrize(
    "text", ["null", "5", "[]", "{}", '{"sha256": null}', '{"sha256": "../x"}', "<html>", ""]
)
def test_what_names_no_version_is_refused(one_page: Page, host: Hosted, text: str) -> None:
    host.replies["/v1/deployments/odd"] = Reply(text.encode())
    body = "return await caught((await fresh())('/v1/deployments/odd', { retries: 0 }))"
    error = asked(one_page, KEPT + body)
    assert error["name"] == "SclblError"
    assert error["code"] in ("request", "unreachable")


def test_an_error_of_a_server_is_text(one_page: Page, host: Hosted) -> None:
    said = b'{"error": {"name": "X", "code": {}, "message": {"a": 1}, "stack": 3}}'
    host.replies["/v1/deployments/odd"] = Reply(said, 404)
    body = "return await caught((await fresh())('/v1/deployments/odd', { retries: 0 }))"
    error = asked(one_page, KEPT + body)
    assert (error["name"], error["code"]) == ("SclblError", "request")
    assert error["message"].endswith("/v1/deployments/odd answered 404")


#: Waits until the program and its name are kept.
KEPT = """
    const kept = async () => {
      while ((await (await caches.open("sclbl")).keys()).length < 2) {
        await new Promise((done) => setTimeout(done, 5));
      }
    };
"""


def test_offline_after_the_first_load(page: Page, host: Hosted, server: Deployed) -> None:
    given = {"url": f"/v1/deployments/{REF}", "rows": ROWS}
    body = "await load(given.url); await kept(); window.again = await fresh();"
    asked(page, KEPT + body, given)
    host.replies.clear()  # every answer is now a 404 that no server of ours gives
    page.offline()
    try:
        body = "const model = await again(given.url);" + ANSWER
        found = page.run(body, given)
    finally:
        page.offline(False)
    assert (found["where"], found["values"]) == ("local", server.expected())
    assert found["sha256"] == server.versions[0].sha256


def test_a_server_that_is_gone_stops_nothing_that_runs(
    page: Page, host: Hosted, server: Deployed
) -> None:
    given = {"url": f"/v1/deployments/{REF}", "rows": ROWS}
    start = "window.model = await load(given.url, { interval: 0, retries: 0 });"
    asked(page, start, given)
    for status in (500, 502, 503):
        host.replies[f"/v1/deployments/{REF}"] = Reply(b"<html>oh</html>", status)
        assert page.run(ANSWER, given)["values"] == server.expected()
    # What is no answer of a server of ours: a network that asks for a password first.
    host.replies[f"/v1/deployments/{REF}"] = Reply(b"<html>log in</html>")
    assert page.run(ANSWER, given)["values"] == server.expected()
    body = "return await caught((await fresh())('/v1/deployments/other', { retries: 0 }))"
    host.replies["/v1/deployments/other"] = Reply(b"<html>oh</html>", 502)
    error = asked(page, body)
    assert error["code"] == "request"
    assert "answered 502" in error["message"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "authentication"), (403, "server_only"), (404, "not_found"), (410, "deleted")],
)
def test_a_refusal_of_the_server_is_said(
    one_page: Page, host: Hosted, status: int, code: str
) -> None:
    url = f"/v1/deployments/{REF}"
    asked(one_page, "window.model = await load(given, { interval: 0 });", url)
    error = {"error": {"code": code, "message": "because of that", "row": None, "column": None}}
    host.replies[url] = Reply(json.dumps(error).encode(), status)
    expected = {"name": "SclblError", "code": code, "message": "because of that"}
    assert asked(one_page, "return await caught(load(given, { interval: 0 }))", url) == expected
    # One that was deleted does not live on in pages that are open.
    assert asked(one_page, "return await caught(model.predict([[1, 2, 3, 4]]))") == expected


def test_without_an_answer_it_says_so(one_page: Page) -> None:
    with hosting() as other:
        gone = other.url
    body = "return await caught(load(given, { retries: 1 }))"
    error = asked(one_page, body, f"{gone}/v1/deployments/{REF}")
    assert error["code"] == "unreachable"
    assert error["message"].startswith(f"no answer from {gone}/v1/deployments/{REF}: ")


def test_a_server_that_does_not_answer_in_time(one_page: Page, host: Hosted) -> None:
    import threading

    let_go = threading.Event()

    def wait(headers: Any) -> Reply:
        let_go.wait()
        return Reply(b"{}")

    host.replies["/v1/deployments/slow"] = wait
    try:
        body = "return await caught(load('/v1/deployments/slow', { timeout: 50, retries: 1 }))"
        assert asked(one_page, body)["code"] == "unreachable"
    finally:
        let_go.set()


def test_busy_servers_are_asked_again(one_page: Page, host: Hosted, server: Deployed) -> None:
    path = f"/v1/deployments/{REF}"
    right = host.replies[path]
    assert isinstance(right, Reply)
    busy = {"error": {"code": "busy", "message": "busy"}}
    answers = [Reply(json.dumps(busy).encode(), 503, {"retry-after": "0"})] * 2 + [right]
    host.replies[path] = lambda headers: answers.pop(0)
    assert asked(one_page, "return (await load(given)).ref", path) == "churn@1"
    answers[:] = [Reply(json.dumps(busy).encode(), 503, {"retry-after": "0"})] * 2
    body = "return await caught((await fresh())(given + '?', { retries: 1 }))"
    host.replies["/v1/deployments/new"] = host.replies[path]
    assert asked(one_page, body, "/v1/deployments/new")["code"] == "busy"


def test_what_is_no_program_is_refused(page: Page, host: Hosted) -> None:
    host.replies["/page.wasm"] = b"<!doctype html>"
    host.replies["/cut.wasm"] = b"\0asm\1\0\0\0\1"
    host.replies["/empty.wasm"] = b"\0asm\1\0\0\0"
    for path in ("/page.wasm", "/cut.wasm", "/empty.wasm"):
        error = asked(page, "return await caught(load(given))", path)
        assert (error["name"], error["code"]) == ("SclblError", "invalid_program"), path
    assert asked(page, "return await caught(load('/none.wasm'))")["code"] == "request"


def test_options_are_checked(one_page: Page) -> None:
    for options, words in (
        ({"sha": "0"}, "load has no option sha"),
        ({"where": "remote"}, "a file has no server"),
    ):
        error = asked(one_page, "return await caught(load(new Uint8Array(8), given))", options)
        assert words in error["message"]


def test_programs_above_the_limit_are_left_to_the_server(one_page: Page, server: Deployed) -> None:
    given = f"/v1/deployments/{REF}"
    body = "const m = await load(given, { limit: 1000 }); return [m.where, m.why]"
    size = server.versions[0].size
    why = f"it has {size} bytes, above the limit"
    assert asked(one_page, body, given) == ["remote", why]
    body = "return (await load(given, { limit: 1000, where: 'local' })).where"
    assert asked(one_page, body, given) == "local"


def test_a_place_that_is_no_place_keeps_rows_here(one_page: Page) -> None:
    """A typing error must not send anyone's rows to a server."""
    body = """
        delete globalThis.WebAssembly;
        return await caught((await fresh())(given, { where: "Local" }));
    """
    error = asked(one_page, body, f"/v1/deployments/{REF}")
    assert error["code"] == "error"
    assert error["message"].endswith("there is no WebAssembly")


def test_deployments_that_are_server_only(one_page: Page, host: Hosted, server: Deployed) -> None:
    server.on(host, tags={"server-only": ""})
    given = f"/v1/deployments/{REF}"
    body = "const m = await load(given); return [m.where, m.why]"
    assert asked(one_page, body, given) == ["remote", "the deployment is server-only"]
    # Where a server refuses the program and its record does not say so.
    server.on(host)
    error = {"error": {"code": "server_only", "message": "this program stays here"}}
    path = f"/v1/programs/{server.versions[0].sha256}.wasm"
    host.replies[path] = Reply(json.dumps(error).encode(), 403)
    body = "const m = await (await fresh())(given); return [m.where, m.why]"
    assert asked(one_page, body, given) == ["remote", "this program stays here"]
    body = "return await caught((await fresh())(given, { where: 'local' }))"
    assert "this program stays here" in asked(one_page, body, given)["message"]


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("delete globalThis.WebAssembly", "there is no WebAssembly"),
        ("WebAssembly.validate = () => false", "WebAssembly has no SIMD"),
        (
            "WebAssembly.instantiate = async () => { throw new RangeError('no memory') }",
            "no memory",
        ),
    ],
)
def test_what_the_page_lacks(
    browser: Browser, host: Hosted, server: Deployed, before: str, why: str
) -> None:
    page = browser.page()
    page.before_all(before)
    page.goto(host.url)
    given = f"/v1/deployments/{REF}"
    body = "const m = await load(given); return [m.where, m.why]"
    where, said = asked(page, body, given)
    assert where == "remote"
    assert why in said
    error = asked(page, "return await caught(load(given, { where: 'local' }))", given)
    assert error["name"] == "SclblError"
    assert "it cannot run here: " in error["message"]
    assert why in error["message"]
    page.close()
