"""The rows of one large call, which several threads take piece by piece."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sclbl.rows import Blocks
from sclbl.runtime import parallel
from sclbl.runtime.engine import allowance

if TYPE_CHECKING:
    from sclbl.runtime.module import Module
    from sclbl.runtime.session import Session

#: Seconds that a piece should take: what Python does for it should not count, nor should threads
#: that are done wait long for the last one.
SECONDS = 0.0005
#: Trees are walked so many rows at a time.
LANES = 32


class Pieces:
    """Rows that threads work on.

    Pieces are handed out in order. So where one fails, all before it are under way, and the error
    kept is that of the first one that fails, whichever thread had it.

    Parameters
    ----------
    module : Module
        What runs.
    method : str
        One of its methods.
    blocks : Blocks
        The rows.
    result : ndarray
        Where the results of all rows go.
    first : int
        The first row to run.
    threads : int
        How many there are to share the work, this one included.

    Attributes
    ----------
    error : Exception or None
        What went wrong, and with
    failed_at : int
        the piece that starts at this row.
    """

    def __init__(
        self,
        module: Module,
        method: str,
        blocks: Blocks,
        result: np.ndarray,
        first: int,
        threads: int,
    ) -> None:
        self._module, self._method = module, method
        self._blocks, self._result, self._first = blocks, result, first
        left = blocks.rows - first
        size = min(module.chunk, max(int(SECONDS / module.pace[method]), module.chunk // 8, LANES))
        count = -(-left // size)
        if count < 8 * threads:
            count = -(-count // threads) * threads
        size = -(-left // count)
        self._size = min(module.chunk, -(-size // LANES) * LANES)
        self._starts = itertools.count(first, self._size)
        self._until = allowance.until
        self._lock = threading.Lock()
        self.error: Exception | None = None
        self.failed_at = blocks.rows

    def run(self) -> None:
        """Run all of them, or up to one that fails."""
        session = self._module.session()
        begin = time.perf_counter()
        done = 0

        def work() -> None:
            nonlocal done
            done = self._work(session, lambda: False)

        pieces = -(-(self._blocks.rows - self._first) // self._size)
        parallel.run(work, self._help, pieces - 1)
        if done:
            self._module.learn(self._method, time.perf_counter() - begin, done)

    def _help(self, leave: Callable[[], bool]) -> None:
        """Work in another thread than the caller's, within the caller's time."""
        allowance.until = self._until
        try:
            session = self._module.session()
            # Its limit is that of the call before.
            session.instance.rewind()
        except Exception:
            # No memory for one more instance, or no time left: the caller goes on, and meets what
            # it would meet alone.
            return
        self._work(session, leave)

    def _work(self, session: Session, leave: Callable[[], bool]) -> int:
        """Run pieces as long as there are any; return how many rows that were."""
        rows = self._blocks.rows
        done = 0
        while not leave():
            start = next(self._starts)
            if start >= self.failed_at:
                break
            end = min(start + self._size, rows)
            try:
                session.rows(self._method, self._blocks, start, end, self._result)
            except Exception as error:
                with self._lock:
                    if start < self.failed_at:
                        self.failed_at, self.error = start, error
                break
            done += end - start
        return done
