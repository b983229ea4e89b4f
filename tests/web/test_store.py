"""Where programs are kept between visits, and pages that may keep nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.web.browser import Browser, Page, running
from tests.web.deployed import REF, ROWS, Deployed, deployed
from tests.web.hosting import Hosted, hosting

pytestmark = pytest.mark.browser

#: A host that is no secure context, as one of a private network; both names lead to this machine.
PLAIN = "models.test"
URL = f"/v1/deployments/{REF}"
START = """
    const fresh = async () => (await import(`/sclbl.js?${Math.random()}`)).load;
    const load = await fresh();
    const until = async (ready) => {
      while (!(await ready())) await new Promise((done) => setTimeout(done, 5));
    };
"""
#: What stands in IndexedDB.
DATABASE = """
    const inDatabase = () => new Promise((done) => {
      const opening = indexedDB.open("sclbl");
      opening.onsuccess = () => {
        const base = opening.result;
        if (!base.objectStoreNames.length) return done([]);
        const asking = base.transaction("sclbl").objectStore("sclbl").getAllKeys();
        asking.onsuccess = () => { base.close(); done(asking.result); };
      };
    });
"""
ANSWER = """
    const { values, where, sha256 } = await model.run("predict_proba", given.rows);
    return { values, where, sha256 };
"""
GIVEN: dict[str, Any] = {"url": URL, "rows": ROWS}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def host(server: Deployed) -> Iterator[Hosted]:
    with hosting() as hosted:
        server.on(hosted)
        yield hosted


def right(server: Deployed) -> dict[str, Any]:
    """Return the answer that Python gives."""
    sha256 = server.versions[0].sha256
    return {"values": server.expected(), "where": "local", "sha256": sha256}


def programs(host: Hosted) -> int:
    """Return how often a program was asked for."""
    return len([path for path in host.paths() if path.endswith(".wasm")])


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def plain(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A browser for which the plain host is this machine."""
    arguments = [f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1"]
    with running(
        request.param,
        arguments=arguments if request.param == "chromium" else (),
        preferences={"network.dns.localDomains": PLAIN} if request.param == "firefox" else None,
    ) as browser:
        yield browser


def test_without_a_secure_context(plain: Browser, host: Hosted, server: Deployed) -> None:
    """The hash is computed by the loader, and programs are kept in IndexedDB."""
    page = plain.page(f"http://{PLAIN}:{host.port}")
    assert page.evaluate("[isSecureContext, typeof caches, typeof crypto.subtle]") == [
        False,
        "undefined",
        "undefined",
    ]
    body = START + DATABASE + "const model = await load(given.url);"
    body += "await until(async () => (await inDatabase()).length === 2);" + ANSWER
    assert page.run(body, GIVEN) == right(server)
    asked = programs(host)
    assert page.run(START + "const model = await load(given.url);" + ANSWER, GIVEN) == right(server)
    assert programs(host) == asked == 1
    body = "try { await (await fresh())(new Uint8Array(given.size), { sha256: given.sha256 }) }"
    body += "catch (error) { return [error.code, error.message] }"
    # Sizes around the edges of a block of SHA-256, and above the slices that it is computed in.
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 3_000_001):
        given = {"size": size, "sha256": "0" * 64}
        code, message = page.run(START + body, given)
        assert code == "corrupted"
        assert f" SHA-256 {hashlib.sha256(bytes(size)).hexdigest()}, not " in message
    page.close()


def test_a_damaged_copy_is_fetched_again(chromium: Browser, host: Hosted, server: Deployed) -> None:
    page = chromium.page(host.url, alone=True)
    body = """
        const cache = await caches.open("sclbl");
        await load(given.url);
        await until(async () => (await cache.keys()).length === 2);
        for (const key of await cache.keys()) {
          const bytes = new Uint8Array(await (await cache.match(key)).arrayBuffer());
          bytes[bytes.length >> 1] ^= 1;
          await cache.put(key, new Response(bytes));
        }
        const model = await (await fresh())(given.url);
    """
    assert page.run(START + body + ANSWER, GIVEN) == right(server)
    assert programs(host) == 2
    page.close()


def test_what_is_kept_is_bounded(plain: Browser, server: Deployed) -> None:
    """The oldest go first; in IndexedDB, which knows no age, some do."""
    with hosting() as host:
        for i in range(20):
            server.on(host, 1 + i % 2, ref=f"m{i}")
        secure = plain.page(host.url, alone=True)
        load = "for (let i = 0; i < 20; i++) await load(`/v1/deployments/m${i}`);"
        keys = "const keys = async () => (await (await caches.open('sclbl')).keys()).length;"
        body = START + keys + load + "await until(async () => await keys() > 2); return keys();"
        assert secure.run(body) <= 32
        page = plain.page(f"http://{PLAIN}:{host.port}")
        body = START + DATABASE + "await load('/v1/deployments/m0');"
        body += "await until(async () => (await inDatabase()).length > 1);"
        page.run(body)
        # Forty more, as those of forty other deployments.
        body = """
            const base = await new Promise((done) => {
              const opening = indexedDB.open("sclbl");
              opening.onsuccess = () => done(opening.result);
            });
            const store = base.transaction("sclbl", "readwrite").objectStore("sclbl");
            for (let i = 0; i < 40; i++) store.put(new Uint8Array(9), `old${i}`);
            await new Promise((done) => (store.transaction.oncomplete = done));
            await load("/v1/deployments/m1");
            await until(async () => (await inDatabase()).length <= 32);
        """
        page.run(START + DATABASE + body)
        page.close()
        secure.close()


def test_a_full_storage(chromium: Browser, host: Hosted, server: Deployed) -> None:
    page = chromium.page(host.url, alone=True)
    quota = """
        const session = await page.createCDPSession();
        await session.send("Storage.overrideQuotaForOrigin", given);
    """
    page.drive(quota, {"origin": host.url, "quotaSize": 1})
    body = START + "const model = await load(given.url);" + ANSWER
    assert page.run(body, GIVEN) == right(server)
    assert page.run(body, GIVEN) == right(server)
    assert programs(host) == 2
    # Room for one program: older ones make it.
    page.drive(quota, {"origin": host.url, "quotaSize": 60_000})
    fill = """
        const cache = await caches.open("sclbl");
        await cache.put("https://sclbl.invalid/old", new Response(new Uint8Array(30_000)));
        const model = await load(given.url);
        await until(async () => (await cache.keys()).some((k) => k.url.endsWith(model.sha256)));
    """
    assert page.run(START + fill + ANSWER, GIVEN) == right(server)
    page.close()


DENIED: Mapping[str, Mapping[str, Any]] = {
    "chromium": {"profile": {"default_content_setting_values": {"cookies": 2}}},
    "firefox": {"network.cookie.cookieBehavior": 2},
}
PRIVATE = {"browser.privatebrowsing.autostart": True, "network.dns.localDomains": PLAIN}


def twice(page: Page, server: Deployed) -> None:
    """Load and ask, then load again in the same page: it is the right answer each time."""
    body = START + "const model = await load(given.url);" + ANSWER
    assert page.run(body, GIVEN) == right(server)
    assert page.run(body, GIVEN) == right(server)


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_a_denied_storage(name: str, host: Hosted, server: Deployed) -> None:
    with running(name, preferences=DENIED[name]) as browser:
        page = browser.page(host.url)
        kept = page.run("return caches.open('x').then(() => true, (error) => error.name)")
        assert kept == "SecurityError"
        twice(page, server)


def test_private_windows(chromium: Browser, host: Hosted, server: Deployed) -> None:
    page = chromium.page(host.url, alone=True)
    twice(page, server)
    page.close()
    with running("firefox", preferences=PRIVATE) as browser:
        twice(browser.page(host.url), server)
        # Plain http in a private window: neither Cache Storage nor a hash of the browser's own.
        twice(browser.page(f"http://{PLAIN}:{host.port}"), server)


def test_a_page_that_wants_nothing_kept(chromium: Browser, host: Hosted, server: Deployed) -> None:
    page = chromium.page(host.url, alone=True)
    body = START + "const model = await load(given.url, { store: 'none' });" + ANSWER
    assert page.run(body, GIVEN) == right(server)
    assert page.run("return (await (await caches.open('sclbl')).keys()).length") == 0
    page.close()
