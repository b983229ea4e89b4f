"""A bar where someone looks, silence elsewhere."""

from __future__ import annotations

import io
import re
import sys
import threading
import types
from typing import Any

import pytest

from sclbl import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work(steps: int = 3) -> None:
    with progress.shown("upload [b]churn", steps) as step:
        for number in range(steps):
            step(f"step {number}")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the bar without a thread, as soon as the work begins."""

    class Timer:
        daemon = False

        def __init__(self, delay: float, begin: Any) -> None:
            self.start, self.cancel = begin, lambda: None

    monkeypatch.setattr(threading, "Timer", Timer)


@pytest.mark.usefixtures("at_once")
def test_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    work()
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("at_once")
def test_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    work()
    shown = terminal.getvalue()
    assert "upload [b]churn" in shown
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stderr", again := Terminal())
    work()
    assert again.getvalue() == ""


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "DELAY", 1e6)
    work()
    assert terminal.getvalue() == ""
    for timer in [t for t in threading.enumerate() if isinstance(t, threading.Timer)]:
        timer.join(30)
        assert not timer.is_alive()


@pytest.mark.usefixtures("at_once")
def test_bar_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    handle = types.SimpleNamespace(update=shown.append)

    def show(view: str, display_id: bool) -> Any:
        shown.append(view)
        return handle

    shell = types.SimpleNamespace(kernel=object())
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]  # a stand-in for the module
    display = types.ModuleType("IPython.display")
    display.HTML = str  # type: ignore[attr-defined]  # a stand-in for the module
    display.display = show  # type: ignore[attr-defined]  # same
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with progress.shown("upload <b>", 2) as step:
        step("strip")
        step("compile")
    assert shown[-2] == '<progress value="1" max="2"></progress> upload &lt;b&gt;: compile'
    # What stays is something to read; and nothing was shown that is empty.
    assert re.fullmatch(r"upload &lt;b&gt;: \d+\.\d s", shown[-1])
    assert all(shown)


def test_a_notebook_keeps_nothing_of_short_work(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr(progress, "_kind_of_bar", lambda: progress._NotebookBar)
    monkeypatch.setattr(progress._NotebookBar, "__init__", lambda self: shown.append(self))
    monkeypatch.setattr(progress, "NOTEBOOK_DELAY", 1e6)
    monkeypatch.setattr(progress, "DELAY", 0.0)
    work()
    for timer in [t for t in threading.enumerate() if isinstance(t, threading.Timer)]:
        timer.join(30)
    assert shown == []


@pytest.mark.usefixtures("at_once")
def test_bar_goes_away_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    class Bar:
        def show(self, done: int, total: int, text: str) -> None: ...

        def close(self, summary: str) -> None:
            closed.append(True)

    monkeypatch.setattr(progress, "_kind_of_bar", lambda: Bar)
    with pytest.raises(ZeroDivisionError), progress.shown("upload", 2):
        raise ZeroDivisionError
    assert closed == [True]
