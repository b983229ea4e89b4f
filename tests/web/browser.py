"""A real browser for tests: Chromium or Firefox, driven by puppeteer-core in a process of Node.

Start one for a test file, and a page for each test::

    @pytest.fixture(scope="module")
    def chromium(tmp_path_factory):
        with running("chromium") as browser:
            yield browser

    page = chromium.page("http://127.0.0.1:1234/")
    assert page.evaluate("document.title") == "churn"
    page.drive("await page.mouse.click(10, 20)")        # anything that puppeteer can do
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DRIVER = HERE / "browser.mjs"
#: Each browser as it is installed, and what it needs to start in a test.
PROGRAMS = {"chromium": "chromium", "firefox": "firefox"}
ARGUMENTS: Mapping[str, Sequence[str]] = {
    # Tests may run as root, where its sandbox does not start; /dev/shm may be small.
    "chromium": ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"),
    "firefox": (),
}


class BrowserError(AssertionError):
    """What a page or the browser answered instead of a value."""


class Browser:
    """A browser that runs; made by `running`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def drive(self, code: str, given: Any = None, *, on: int | None = None) -> Any:
        """Run a body of JavaScript in Node, with `browser` (puppeteer's), `page` and `given`."""
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        pipe.write(json.dumps({"code": code, "on": on, "given": given}) + "\n")
        pipe.flush()
        line = answers.readline()
        if not line:
            raise BrowserError("the browser's driver ended")
        answer = json.loads(line)
        if "error" in answer:
            raise BrowserError(answer["error"])
        return answer["value"]

    def page(self, url: str | None = None, *, alone: bool = False) -> Page:
        """Open a page; `alone` in a context without the others' storage (Chromium: incognito)."""
        where = "await browser.createBrowserContext()" if alone else "browser"
        page = Page(self, self.drive(f"return await opened({where})"))
        if url is not None:
            page.goto(url)
        return page


class Page:
    """One tab. What its console says and what nobody catches in it stands in `said`."""

    def __init__(self, browser: Browser, number: int) -> None:
        self._browser, self._number = browser, number

    def drive(self, code: str, given: Any = None) -> Any:
        """Run a body of JavaScript in Node, where `page` is this one; return what it returns."""
        return self._browser.drive(code, given, on=self._number)

    def goto(self, url: str) -> int | None:
        """Go to an address, wait until it is loaded and return the status."""
        status = self.drive("return (await page.goto(given))?.status()", url)
        return None if status is None else int(status)

    def evaluate(self, expression: str, given: Any = None) -> Any:
        """Return the value of an expression in the page (awaited), as JSON; `given` is at hand."""
        code = f"async (given) => ({expression})"
        return self.drive(f"return await page.evaluate({code}, given)", given)

    def run(self, body: str, given: Any = None) -> Any:
        """Run statements in the page, in an async function; return what they return, as JSON."""
        code = f"async (given) => {{ {body} }}"
        return self.drive(f"return await page.evaluate({code}, given)", given)

    def before_all(self, body: str) -> None:
        """Run statements in each document of this page from now on, before its own scripts."""
        self.drive(f"await page.evaluateOnNewDocument(() => {{ {body} }})")

    def offline(self, state: bool = True) -> None:
        """Cut the page off from the network, or connect it again."""
        self.drive("await page.setOfflineMode(given)", state)

    def size(self, width: int, height: int) -> None:
        """Set the size of the window."""
        self.drive("await page.setViewport(given)", {"width": width, "height": height})

    def dark(self, state: bool = True) -> None:
        """Choose the dark colour scheme, or the light one (Chromium alone)."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if state else "light"}]
        self.drive("await page.emulateMediaFeatures(given)", scheme)

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page."""
        self.drive("await page.screenshot({ path: given, fullPage: true })", str(path))

    @property
    def said(self) -> list[str]:
        """What the console said, and errors that nobody caught, since the page was opened."""
        return list(self.drive("return page.said"))

    def close(self) -> None:
        """Close the tab."""
        self.drive("await page.close()")


@contextmanager
def running(
    name: str,
    *,
    arguments: Sequence[str] = (),
    preferences: Mapping[str, Any] | None = None,
) -> Iterator[Browser]:
    """Start a browser with a profile of its own, and end it.

    Parameters
    ----------
    name : {"chromium", "firefox"}
        Which one.
    arguments : sequence of str
        More arguments of its command line.
    preferences : mapping, optional
        Preferences: of Firefox by name (``about:config``), of Chromium as its profile holds them.
    """
    program = shutil.which(PROGRAMS[name])
    assert program is not None, f"{name} is missing; `make browsers` installs it"
    node = str(Path(sys.executable).with_name("node"))
    with tempfile.TemporaryDirectory(prefix="sclbl-browser-") as folder:
        options: dict[str, Any] = {
            "browser": name,
            "executablePath": program,
            "args": [*ARGUMENTS[name], *arguments],
        }
        if name == "firefox":
            options["extraPrefsFirefox"] = dict(preferences or {})
        else:
            profile = Path(folder) / "profile" / "Default"
            profile.mkdir(parents=True)
            (profile / "Preferences").write_text(json.dumps(preferences or {}))
            options["userDataDir"] = str(profile.parent)
        process = subprocess.Popen(
            [node, str(DRIVER), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("SCLBL_TEST_VERBOSE") else subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        try:
            yield Browser(process)
        finally:
            assert process.stdin is not None
            assert process.stdout is not None
            # At its end the driver closes the browser.
            process.stdin.close()
            process.stdout.close()
            process.wait()
