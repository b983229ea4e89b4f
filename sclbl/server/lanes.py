"""Where a prediction runs: the event loop, threads for what is short, threads for the rest.

Each lane has a time limit. What is stopped on the loop is repeated in a thread, what is stopped
among the short ones is repeated among the long ones, and what is stopped there is refused. So
predictions that take long, or never end, leave the others alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

from sclbl.errors import BusyError
from sclbl.runtime.engine import allowance, clock, within
from sclbl.runtime.parallel import alone
from sclbl.server.pools import Pools

T = TypeVar("T")

#: A prediction runs on the loop where it is expected to take less, and is stopped after so long.
INLINE_SECONDS = 0.005
INLINE_LIMIT = 0.05
#: When a short prediction is stopped, and repeated among the long ones.
SHORT_LIMIT = 0.5
#: How exact time limits are.
PERIOD = 0.025


class Lanes:
    """Predictions in threads, each in one: others wait for the processors as well.

    Parameters
    ----------
    pools : Pools
        The threads.
    seconds : float
        How long a prediction may take, and wait for its turn.
    """

    def __init__(self, pools: Pools, seconds: float) -> None:
        clock.at_least_every(min(PERIOD, seconds / 2))
        self._pools = pools
        self._seconds = seconds

    async def short(self, call: Callable[[], T]) -> T:
        """Call in a thread for what should not take long.

        Raises
        ------
        DeadlineError
            It took long.
        """
        return await self._run("short", min(SHORT_LIMIT, self._seconds), call)

    async def long(self, call: Callable[[], T]) -> T:
        """Call in a thread for what may take as long as a prediction may.

        Raises
        ------
        DeadlineError
            It took longer.
        """
        return await self._run("long", self._seconds, call)

    async def _run(self, lane: Literal["short", "long"], limit: float, call: Callable[[], T]) -> T:
        asked = time.monotonic()

        def work() -> T:
            if time.monotonic() - asked > self._seconds:
                raise BusyError(
                    f"this prediction waited {self._seconds:g} s for its turn, because the server "
                    "has much to do; try again in a moment"
                )
            with within(limit), alone():
                return call()

        return await self._pools.run(lane, work)


def begin_inline() -> None:
    """Start the time limit of a prediction on the event loop, which stays there."""
    allowance.until = time.monotonic() + INLINE_LIMIT
    allowance.alone = True


def end_inline() -> None:
    """End it."""
    allowance.until = None
    allowance.alone = False
