"""What tests of several folders share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from sclbl.compiler import llvm
from tests import kept


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--one-of-each",
        action="store_true",
        help="take one fitted model of each class, and every third parameter of other tests: "
        "for a second run, with other releases",
    )


#: Of so many parameters one is taken by `--one-of-each`.
ONE_OF = 3


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave parameters out where one of each is enough, but the subjects, which choose theirs."""
    if not config.getoption("one_of_each"):
        return
    seen: Counter[str] = Counter()
    left, kept_items = [], []
    for item in items:
        name = item.nodeid.partition("[")[0]
        chosen = "[" not in item.nodeid or "/conformance/" in name or seen[name] % ONE_OF == 0
        seen[name] += 1
        (kept_items if chosen else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept_items


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config, "cache", None) is not None:
        kept.keep_in(config.cache.mkdir("compiled"), clean=not hasattr(config, "workerinput"))


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Take one process more than there are cores: one of them often waits for a server."""
    return (yield) + 1


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let LLVM make what was made before."""
    monkeypatch.setattr(llvm, "build", kept.real_build)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home of sclbl's own for one test, with no login from outside."""
    for name in ("SCLBL_URL", "SCLBL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "home"
    monkeypatch.setenv("SCLBL_HOME", str(path))
    return path
