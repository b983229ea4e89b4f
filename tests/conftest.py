"""What tests of several folders share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import programs


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config, "cache", None) is not None:
        programs.folder = config.cache.mkdir("programs")  # of all processes of the tests


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home of sclbl's own for one test, with no login from outside."""
    for name in ("SCLBL_URL", "SCLBL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "home"
    monkeypatch.setenv("SCLBL_HOME", str(path))
    return path
