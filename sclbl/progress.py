"""Progress of long work: a bar in a terminal or a notebook, silence anywhere else."""

from __future__ import annotations

import html
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Protocol

from sclbl.printable import printable

#: Seconds before anything is shown: most work is done by then.
DELAY = 0.4
#: A notebook keeps what was shown, so there it is shown for work that is worth a line.
NOTEBOOK_DELAY = 3.0


class _Bar(Protocol):
    def show(self, done: int, total: int, text: str) -> None: ...
    def close(self, summary: str) -> None: ...


@contextmanager
def shown(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """Show `total` steps of work; call what this gives at the start of each step.

    Parameters
    ----------
    title : str
        What is being done.
    total : int
        How many steps it takes.
    """
    make = _kind_of_bar()
    if make is None:
        yield lambda step: None
        return
    state = _State(make, title, total)
    try:
        yield state.step
    finally:
        state.close()


class _State:
    """What the timer's thread and the worker share."""

    def __init__(self, make: Callable[[], _Bar], title: str, total: int) -> None:
        self._make, self._title, self._total = make, title, total
        self._lock = threading.Lock()
        self._begun, self._text = 0, ""
        self._bar: _Bar | None = None
        self._closed = False
        self._start = time.monotonic()
        delay = NOTEBOOK_DELAY if make is _NotebookBar else DELAY
        self._timer = threading.Timer(delay, self._begin)
        self._timer.daemon = True
        self._timer.start()

    def step(self, text: str) -> None:
        with self._lock:
            self._begun, self._text = self._begun + 1, text
            self._draw()

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._bar is not None:
                self._bar.close(f"{self._title}: {time.monotonic() - self._start:.1f} s")

    def _begin(self) -> None:
        with self._lock:
            if not self._closed:
                self._bar = self._make()
                self._draw()

    def _draw(self) -> None:
        if self._bar is not None:
            done = max(self._begun - 1, 0)
            self._bar.show(done, self._total, f"{self._title}: {self._text}")


def _kind_of_bar() -> Callable[[], _Bar] | None:
    # A kernel has loaded IPython long before it runs a cell; loading it here would only cost time.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and getattr(shell, "kernel", None) is not None:
        return _NotebookBar
    if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return _TerminalBar
    return None


class _TerminalBar:
    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(30))
        console = Console(stderr=True)
        self._progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._task = self._progress.add_task("", total=1)
        self._progress.start()

    def show(self, done: int, total: int, text: str) -> None:
        from rich.markup import escape

        self._progress.update(
            self._task, completed=done, total=total, description=escape(printable(text))
        )

    def close(self, summary: str) -> None:
        self._progress.stop()


class _NotebookBar:
    def __init__(self) -> None:
        # Its functions carry no types.
        self._display: Any = import_module("IPython.display")
        self._handle: Any = None

    def show(self, done: int, total: int, text: str) -> None:
        bar = f'<progress value="{done}" max="{total}"></progress> {html.escape(text)}'
        view = self._display.HTML(bar)
        if self._handle is None:
            self._handle = self._display.display(view, display_id=True)
        else:
            self._handle.update(view)

    def close(self, summary: str) -> None:
        # An output cannot be taken back, so it ends as something to read.
        self._handle.update(self._display.HTML(html.escape(summary)))
