"""One browser of each kind for a test file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.browser import Browser, running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running("chromium") as browser:
        yield browser


@pytest.fixture(scope="module")
def firefox() -> Iterator[Browser]:
    with running("firefox") as browser:
        yield browser
