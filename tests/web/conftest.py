"""One browser of each kind for a process of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.browser import Browser, running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with running("chromium") as browser:
        yield browser


@pytest.fixture(scope="session")
def firefox() -> Iterator[Browser]:
    with running("firefox") as browser:
        yield browser
