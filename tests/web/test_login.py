"""Pages of a private server: the token in a cookie, which reads and never changes anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

import sclbl
from sclbl.registry.local import LocalRegistry
from sclbl.server import slowdown
from tests.server.threads import TOKEN, serving
from tests.web.browser import Browser
from tests.web.test_pages import exact
from tests.web.uploaded import opened, settled

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    with opened(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def url(registry: LocalRegistry) -> Iterator[str]:
    with (
        pytest.MonkeyPatch.context() as patch,
        serving(registry, private=True) as (url, _),
    ):
        patch.setattr(slowdown, "MOST_SECONDS", 0.01)
        yield url


def logged_in(url: str, token: str = TOKEN, **headers: str) -> requests.Response:
    own = {"origin": url, "sec-fetch-site": "same-origin", **HTML, **headers}
    data = {"token": token, "next": "d/churn@1"}
    return requests.post(f"{url}/login", data=data, headers=own, timeout=30, allow_redirects=False)


@pytest.fixture(scope="module")
def cookie(url: str) -> dict[str, str]:
    answer = logged_in(url)
    assert answer.status_code == 303
    assert answer.headers["location"] == "./d/churn@1"
    name, value = answer.headers["set-cookie"].partition(";")[0].split("=", 1)
    return {"cookie": f"{name}={value}"}


def test_pages_ask_for_the_token(url: str) -> None:
    for path in ("/", "/d/churn"):
        answer = requests.get(url + path, headers=HTML, timeout=30)
        assert answer.status_code == 401
        assert '<input id="token" name="token" type="password"' in answer.text
        assert "churn@" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    answer = requests.get(f"{url}/d/churn", headers={"accept": "application/json"}, timeout=30)
    assert answer.json()["error"]["code"] == "authentication"


def test_the_cookie_is_out_of_reach(url: str) -> None:
    said = logged_in(url).headers["set-cookie"]
    port = url.rpartition(":")[2]
    assert said == f"sclbl-{port}={TOKEN}; HttpOnly; Path=/; SameSite=strict"
    secure = logged_in(url, **{"origin": url.replace("http:", "https:")}).headers["set-cookie"]
    assert secure == f"{said}; Secure"


def test_the_cookie_reads_and_predicts(url: str, cookie: dict[str, str]) -> None:
    own = {**cookie, "sec-fetch-site": "same-origin"}
    for path in ("/", "/d/churn", "/v1/deployments/churn", "/openapi.json"):
        assert requests.get(url + path, headers=own, timeout=30).status_code == 200, path
    rows = [[1.0, 2.0, 3.0]]
    path = f"{url}/v1/deployments/linear/predict"
    for _ in range(3):
        assert requests.post(path, json=rows, headers=own, timeout=30).status_code == 200
    assert requests.post(path, json=rows, timeout=30).status_code == 401


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("PATCH", "/v1/deployments/churn@1", {"docs": "mine"}),
        ("DELETE", "/v1/deployments/churn", None),
        ("PUT", "/v1/deployments/churn/aliases/evil", {"ref": "churn@1"}),
        ("POST", "/v1/deployments/churn/aliases/production/rollback", None),
        ("POST", "/v1/deployments/churn/versions", None),
    ],
)
def test_the_cookie_changes_nothing(
    url: str, cookie: dict[str, str], verb: str, path: str, body: object
) -> None:
    own = {**cookie, "origin": url, "sec-fetch-site": "same-origin"}
    answer = requests.request(verb, url + path, json=body, headers=own, timeout=30)
    assert answer.status_code == 401
    assert "none was sent" in answer.json()["error"]["message"]
    token = {"authorization": f"Bearer {TOKEN}"}
    shown = requests.get(f"{url}/v1/deployments/churn@1", headers=token, timeout=30).json()
    assert shown["docs"].startswith("# Churn")
    assert shown["aliases"] == ["production"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        # Another port of this machine is the same site, and sends the cookie.
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "null"},
        {},
    ],
)
def test_pages_of_others_predict_nothing_with_the_cookie(
    url: str, cookie: dict[str, str], headers: dict[str, str]
) -> None:
    path = f"{url}/v1/deployments/linear/predict"
    rows = [[1.0, 2.0, 3.0]]
    answer = requests.post(path, json=rows, headers={**cookie, **headers}, timeout=30)
    assert answer.status_code == 401
    assert "another origin" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "null"}],
)
def test_pages_of_others_log_nobody_in_or_out(url: str, headers: dict[str, str]) -> None:
    for path in ("/login", "/logout"):
        own = {**HTML, **headers}
        if "sec-fetch-site" not in headers:
            own["sec-fetch-site"] = "cross-site"
        answer = requests.post(
            url + path, data={"token": TOKEN}, headers=own, timeout=30, allow_redirects=False
        )
        assert answer.status_code == 401
        assert f"{TOKEN}" not in answer.headers.get("set-cookie", "")


def test_a_wrong_token_is_said_and_counted(url: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = logged_in(url, "sclbl_wrong")
    assert answer.status_code == 401
    assert "This is not the token of this server." in answer.text
    assert "set-cookie" not in answer.headers
    assert "sclbl_wrong" not in answer.text
    assert "sclbl_wrong" not in caplog.text
    wrong = {**HTML, "cookie": f"sclbl-{url.rpartition(':')[2]}=sclbl_old"}
    page = requests.get(f"{url}/d/churn", headers=wrong, timeout=30)
    assert page.status_code == 401
    assert "not right any longer" in page.text
    assert "Max-Age=0" in page.headers["set-cookie"]


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "d/../../x", "/\\evil", "javascript:1", ""]
)
def test_a_login_leads_to_pages_of_this_server_alone(url: str, target: str) -> None:
    own = {"sec-fetch-site": "same-origin", **HTML}
    data = {"token": TOKEN, "next": target}
    answer = requests.post(
        f"{url}/login", data=data, headers=own, timeout=30, allow_redirects=False
    )
    assert answer.headers["location"] == "./"


def test_a_body_that_is_too_large_is_refused(url: str) -> None:
    own = {"sec-fetch-site": "same-origin", **HTML}
    answer = requests.post(f"{url}/login", data=b"x" * 10_000, headers=own, timeout=30)
    assert answer.status_code == 413


def test_an_open_server_looks_at_no_cookie(registry: LocalRegistry) -> None:
    with serving(registry) as (url, _):
        wrong = {**HTML, "cookie": f"sclbl-{url.rpartition(':')[2]}=sclbl_old"}
        assert requests.get(f"{url}/d/churn", headers=wrong, timeout=30).status_code == 200


@pytest.mark.browser
def test_a_browser_logs_in_predicts_and_logs_out(
    chromium: Browser, url: str, registry: LocalRegistry
) -> None:
    page = chromium.page(alone=True)
    assert page.goto(f"{url}/d/linear") == 401
    page.drive("await page.type('#token', 'sclbl_nope'); await page.click('.login button')")
    page.drive("await page.waitForSelector('#wrong')")
    page.drive("await page.type('#token', given)", TOKEN)
    page.drive("await Promise.all([page.waitForNavigation(), page.click('.login button')])")
    assert page.evaluate("location.pathname") == "/d/linear"
    expected = sclbl.load("linear", registry=registry).predict([[1.0, 1.0, 1.0]])[0]
    settled(page)
    assert exact(page) == expected
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("(await fetch('/v1/whoami')).status") == 200
    page.drive("await Promise.all([page.waitForNavigation(), page.click('header button')])")
    assert page.goto(f"{url}/d/linear") == 401
    page.close()


@pytest.mark.browser
def test_a_link_of_another_site_leads_in(chromium: Browser, url: str) -> None:
    """The browser keeps the cookie back then, and sends it a moment later."""
    page = chromium.page(alone=True)
    page.goto(f"{url}/d/linear")
    page.drive("await page.type('#token', given)", TOKEN)
    page.drive("await Promise.all([page.waitForNavigation(), page.click('.login button')])")
    page.goto(f"data:text/html,<a id=a href='{url}/d/churn@1'>churn</a>")
    page.drive("await page.click('#a')")
    page.drive("await page.waitForSelector('#answer')")
    assert page.evaluate("location.pathname") == "/d/churn@1"
    page.close()
