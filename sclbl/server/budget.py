"""One budget for all connections: bytes of large bodies and answers that are under way.

What is small is bounded by the number of connections and is not counted. Where the budget is used
up, a client that sends or reads slowly gives way to one that does not: otherwise one client could
hold it all with a few large bodies that never end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sclbl.errors import BusyError

#: Bytes of each body and answer that are free.
FREE_BYTES = 64 * 1024
#: A client gives way where it moves fewer bytes a second than this, after so many seconds.
SLOW_RATE = 256 * 1024
SLOW_SECONDS = 3.0


class Hold:
    """The bytes of one request that are in memory. Belongs to the task that made it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._task = asyncio.current_task()
        self._waits = False
        self._since = time.monotonic()
        self._moved = 0
        self.size = 0
        #: Whether it gave way to others.
        self.expelled = False

    def take(self, count: int) -> None:
        """Count bytes; raise `BusyError` where the budget is used up."""
        self._moved += count
        self._budget.take(self, count)

    def begin(self) -> None:
        """Count speed from now on."""
        self._since = time.monotonic()
        self._moved = 0

    def moved(self, count: int) -> None:
        """Note that bytes of the answer have gone to the client."""
        self._moved += count

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait, inside, for the client; raise `BusyError` where this request had to give way."""
        self._waits = True
        try:
            yield
        except asyncio.CancelledError:
            if not self.expelled or self._task is None or self._task.uncancel() > 0:
                raise
            raise busy() from None
        finally:
            self._waits = False

    def rate(self, now: float) -> float | None:
        """Return the bytes a second that the client moves; None where it is not to blame."""
        past = now - self._since
        return self._moved / past if self._waits and past > SLOW_SECONDS else None

    def expel(self) -> None:
        """Give up this request."""
        self.expelled = True
        self._budget.free(self)
        if self._task is not None:
            self._task.cancel()

    def free(self) -> None:
        """Count nothing any longer."""
        self._budget.free(self)


class Budget:
    """Bytes under way, over all connections of one server."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._holds: set[Hold] = set()
        self.used = 0

    def hold(self) -> Hold:
        """Return a new hold for the current task."""
        return Hold(self)

    def take(self, hold: Hold, count: int) -> None:
        """See `Hold.take`."""
        before = max(0, hold.size - FREE_BYTES)
        more = max(0, hold.size + count - FREE_BYTES) - before
        while more and self.used + more > self._total:
            self._make_room(hold)
        hold.size += count
        self.used += more
        if more:
            self._holds.add(hold)

    def free(self, hold: Hold) -> None:
        """See `Hold.free`."""
        if hold in self._holds:
            self._holds.remove(hold)
            self.used -= max(0, hold.size - FREE_BYTES)
        hold.size = 0

    def _make_room(self, newcomer: Hold) -> None:
        now = time.monotonic()
        rates = [(r, id(h), h) for h in self._holds if h is not newcomer and (r := h.rate(now))
                 is not None and r < SLOW_RATE]  # fmt: skip
        if not rates:
            raise busy()
        min(rates)[2].expel()


def busy() -> BusyError:
    """Return the error for a request that has no room."""
    return BusyError(
        "the server has as many bytes of requests and answers under way as it can hold; "
        "try again in a second, or send fewer rows at a time"
    )
