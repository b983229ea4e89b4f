"""Several threads on one call: one pool for the process, whoever predicts.

The thread that calls always works itself. Others of the pool join it where they have nothing else
to do, and it never waits for one that did not. So calls from many threads, and calls from within
calls, neither hinder each other nor run more threads than `sclbl.settings.threads` says.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sclbl.runtime.engine import allowance
from sclbl.settings import threads

#: A thread without work ends after so long, and gives back the instances that it holds.
IDLE_SECONDS = 10.0

#: What another thread does of a call: it returns when nothing is left to begin, or soon after the
#: function that it is given says that the thread should go. It raises nothing.
Help = Callable[[Callable[[], bool]], None]


@contextmanager
def alone() -> Iterator[None]:
    """Keep what is run inside in this thread."""
    before, allowance.alone = allowance.alone, True
    try:
        yield
    finally:
        allowance.alone = before


class _Offer:
    """Work that is under way, how many of the pool are at it, and whether it was broken off."""

    __slots__ = ("help", "joined", "over")

    def __init__(self, help: Help) -> None:
        self.help = help
        self.joined = 0
        self.over = False


class _Pool:
    """Threads that help.

    ``busy`` counts the threads that work on large calls: those that call, and those that help.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offered = threading.Condition(self._lock)
        self._left = threading.Condition(self._lock)
        self._offers: deque[_Offer] = deque()
        self._threads = 0
        self._idle = 0
        self.busy = 0
        self.limit = 1

    def run(self, work: Callable[[], None], help: Help, most: int) -> None:
        """Work in this thread and in up to `most` others; see `run`."""
        offer = _Offer(help)
        self.limit = threads()
        with self._lock:
            self.busy += 1
            wanted = min(most, self.limit - self.busy)
            for _ in range(wanted):
                self._offers.append(offer)
            if wanted > 0:
                self._offered.notify(wanted)
            missing = min(len(self._offers) - self._idle, self.limit - 1 - self._threads)
        try:
            for _ in range(missing):
                self._start()
            work()
        except BaseException:
            offer.over = True
            raise
        finally:
            with self._lock:
                self.busy -= 1
                while offer in self._offers:
                    self._offers.remove(offer)
                while offer.joined:
                    self._left.wait()

    def _start(self) -> None:
        with self._lock:
            self._threads += 1
        # What a thread does stops with the call that it helps, so none is at work at the end.
        thread = threading.Thread(target=self._serve, name="sclbl-predict", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The system gives no more threads, or the interpreter is about to end: those that
            # there are do the work.
            with self._lock:
                self._threads -= 1

    def _serve(self) -> None:
        while (offer := self._next()) is not None:
            try:
                offer.help(partial(self._should_leave, offer))
            finally:
                with self._lock:
                    self.busy -= 1
                    offer.joined -= 1
                    self._left.notify_all()
            # Nothing of a call is held while waiting for the next.
            del offer

    def _next(self) -> _Offer | None:
        """Return what was offered next; None where nothing was for long."""
        with self._lock:
            self._idle += 1
            found = self._offered.wait_for(lambda: self._offers, IDLE_SECONDS)
            self._idle -= 1
            if not found:
                self._threads -= 1
                return None
            offer = self._offers.popleft()
            offer.joined += 1
            self.busy += 1
            return offer

    def _should_leave(self, offer: _Offer) -> bool:
        return offer.over or self.busy > self.limit


_pool = _Pool()


def _renew() -> None:
    """Begin anew: a forked child has lost the threads of its parent."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def most_threads() -> int:
    """Return how many threads a call of this thread may use, itself among them."""
    return 1 if allowance.alone else threads()


def run(work: Callable[[], None], help: Help, most: int) -> None:
    """Work in this thread, and have others help, as far as threads are free.

    Parameters
    ----------
    work : callable
        What this thread does. When it returns, or raises, it is waited for those that help.
    help : callable
        What others do; see `Help`.
    most : int
        How many others at most.
    """
    _pool.run(work, help, most)
