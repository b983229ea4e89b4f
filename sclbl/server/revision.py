"""Whether the registry changed, asked in a thread: the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sclbl.registry.base import Registry
from sclbl.server.pools import Pools

log = logging.getLogger("sclbl.server")

#: How long a prediction waits for a registry that does not answer. After that it goes on with what
#: was last known: nobody can have promoted anything through a registry that does not answer.
PATIENCE = 1.0


class Revision:
    """The registry's revision as it was a moment ago.

    A change made by another process is seen `seconds` after it was made, as long as the registry
    answers. While predictions come, the revision is asked for ahead of time, so that none waits.

    Parameters
    ----------
    registry : Registry
        What is asked.
    seconds : float
        How old the revision may be.
    changed : callable
        Called, on the event loop, when it is another one.
    pools : Pools
        The threads to ask in.
    """

    def __init__(
        self, registry: Registry, seconds: float, changed: Callable[[], None], pools: Pools
    ) -> None:
        self._registry = registry
        self._pools = pools
        self._seconds = seconds
        self._changed = changed
        self._known: int | None = None
        self._asked = float("-inf")
        self._asking: asyncio.Future[int | None] | None = None
        self._late = False
        self._failed = False

    @property
    def known(self) -> bool:
        """Whether the registry tells its changes at all."""
        return self._known is not None

    def fresh(self) -> bool:
        """Return whether the revision is young enough; never waits."""
        age = time.monotonic() - self._asked
        if age > self._seconds / 4 and self._asking is None:
            self._ask()
        return age <= self._seconds

    async def renew(self) -> None:
        """Return when the revision is young enough, or the registry does not answer or fails."""
        if self.fresh():
            return
        now = time.monotonic()
        # One that is under way may have been asked for too early.
        while self._asked < now - self._seconds:
            asking = self._asking or self._ask()
            left = now + PATIENCE - time.monotonic()
            done, _ = await asyncio.wait([asking], timeout=max(left, 0))
            if not done:
                if not self._late:
                    log.warning("the registry does not answer; predictions go on without it")
                self._late = True
                return
            if asking.exception() is not None:  # said in the log by `_answered`
                return
            self._late = False

    def _ask(self) -> asyncio.Future[int | None]:
        asked = time.monotonic()
        self._asking = self._pools.run("revision", self._registry.revision)
        self._asking.add_done_callback(lambda done: self._answered(done, asked))
        return self._asking

    def _answered(self, done: asyncio.Future[int | None], asked: float) -> None:
        self._asking = None
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            # Said once: while predictions come, it is asked many times a second.
            if not self._failed:
                log.warning("the registry cannot be asked for changes: %s", error)
            self._failed = True
            self._asked = asked
            return
        self._failed = False
        revision = done.result()
        if revision != self._known or revision is None:
            self._known = revision
            self._changed()
        self._asked = asked
