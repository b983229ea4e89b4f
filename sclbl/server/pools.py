"""The threads that a server has beside its event loop, by what they wait or work for.

A kind of work has threads of its own, so that it waits for its like alone: a change waits for the
registry's write lock, and no read waits with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from sclbl.settings import threads

T = TypeVar("T")

Kind = Literal["short", "long", "load", "read", "change", "health", "revision"]


class Pools:
    """The threads of one server.

    ``short`` and ``long`` predictions compute, so there are as many threads for them as predictions
    may take (`sclbl.settings.threads`), and two of each at least, because one may be stopped only
    after a while. What the others do is mostly waiting for a disk: they ``load`` programs, ``read``
    the registry, ``change`` it, and ask it for its ``health`` and its ``revision``.
    """

    def __init__(self) -> None:
        processors = threads()
        sizes: dict[Kind, int] = {
            "short": max(2, processors),
            "long": max(2, processors // 2),
            "load": 4,
            "read": 8,
            "change": 4,
            "health": 1,
            "revision": 1,
        }
        self._pools = {
            kind: ThreadPoolExecutor(size, thread_name_prefix=kind) for kind, size in sizes.items()
        }

    def run(self, kind: Kind, call: Callable[[], T]) -> asyncio.Future[T]:
        """Call in a thread for that kind of work; the future belongs to the running event loop.

        A future that is cancelled while its call waits for a thread takes the call out of the
        queue.
        """
        return asyncio.get_running_loop().run_in_executor(self._pools[kind], call)

    def close(self) -> None:
        """Let the threads go; what they are at, they end."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
