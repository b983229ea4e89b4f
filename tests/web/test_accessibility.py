"""Pages for everyone: axe-core finds nothing, and the layout holds at every width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sclbl
from tests.server.threads import TOKEN, serving
from tests.web.browser import Browser, Page
from tests.web.test_pages import given
from tests.web.test_site import hosted
from tests.web.uploaded import filled, opened, settled

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (360, 768, 1440)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of an open server, of a private one and of a site."""
    folder = tmp_path_factory.mktemp("site")
    with opened(tmp_path_factory.mktemp("registry")) as registry:
        sclbl.get("churn", registry=registry).site(folder / "churn")
        with (
            serving(registry) as (url, _),
            serving(registry, private=True) as (private, _),
            hosted(folder) as site,
        ):
            yield {"open": url, "private": private, "site": site}


def faults(page: Page) -> list[str]:
    """Return what axe-core finds, in both schemes and at every width; and what sticks out."""
    found = []
    page.drive("await page.setBypassCSP(true)")
    for width in WIDTHS:
        page.size(width, 900)
        for dark in (False, True):
            page.dark(dark)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                found.append(f"{wide} wide at {width}")
            if width == WIDTHS[1]:
                continue
            result = page.run(
                """
                if (!window.axe) (0, eval)(given);
                const found = await axe.run(document, { resultTypes: ["violations"] });
                return found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`);
                """,
                AXE.read_text(encoding="utf-8"),
            )
            found += [f"{width} {'dark' if dark else 'light'} {text}" for text in result]
    return found


def look(browser: Browser) -> Page:
    page = browser.page()
    page.drive("await page.setBypassCSP(true)")
    return page


@pytest.mark.parametrize("ref", ["churn", "churn@1", "sentiment", "features", "kept", "near"])
def test_pages_of_deployments(chromium: Browser, places: dict[str, str], ref: str) -> None:
    page = look(chromium)
    page.goto(f"{places['open']}/d/{ref}")
    settled(page)
    assert faults(page) == []
    page.close()


def test_a_page_with_an_error(chromium: Browser, places: dict[str, str], tmp_path: Path) -> None:
    page = look(chromium)
    page.goto(f"{places['open']}/d/churn")
    settled(page)
    filled(page, "#f0", "x")
    filled(page, "#f3", "other")
    path = tmp_path / "rows.csv"
    path.write_text("age;plan\n1;2\n")
    given(page, path)
    assert faults(page) == []
    page.close()


def test_a_page_with_a_table(chromium: Browser, places: dict[str, str], tmp_path: Path) -> None:
    page = look(chromium)
    page.goto(f"{places['open']}/d/linear")
    settled(page)
    path = tmp_path / "rows.csv"
    path.write_text("a,b,c\n1,2,3\n")
    assert given(page, path).startswith("1 row predicted")
    assert faults(page) == []
    page.close()


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("open", "/"),
        ("open", "/?q=nothing"),
        ("open", "/d/nobody"),
        ("private", "/"),
        ("private", "/login"),
        ("site", "/churn/"),
    ],
)
def test_other_pages(chromium: Browser, places: dict[str, str], place: str, path: str) -> None:
    page = look(chromium)
    page.goto(places[place] + path)
    if place == "site":
        settled(page)
    assert faults(page) == []
    page.close()


def test_a_login_that_failed(chromium: Browser, places: dict[str, str]) -> None:
    page = look(chromium)
    page.goto(f"{places['private']}/login")
    page.drive("await page.type('#token', 'wrong')")
    page.drive("await Promise.all([page.waitForNavigation(), page.click('.login button')])")
    assert page.evaluate("document.getElementById('wrong').innerText")
    assert faults(page) == []
    page.drive("await page.type('#token', given)", TOKEN)
    page.drive("await Promise.all([page.waitForNavigation(), page.click('.login button')])")
    assert faults(page) == []
    page.close()
