"""Answers to wrong tokens, slower with each one that a client sends.

Only the answer to a wrong token waits: the right one is let in at once, whatever others sent from
the same address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict

#: The first wait, the longest, and how long a client is remembered after its last wrong token.
FIRST_SECONDS = 0.1
MOST_SECONDS = 3.0
FORGET_SECONDS = 300.0
#: Clients remembered, and answers that wait, at most.
_CLIENTS = 4096
_WAITING = 256


class Slowdown:
    """Makes clients wait who send wrong tokens."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._waiting = 0

    def count(self, address: str) -> int:
        """Count a wrong token and return how many there were lately."""
        who, now = _network(address), time.monotonic()
        before, last = self._wrong.pop(who, (0, now))
        count = 1 if now - last > FORGET_SECONDS else before + 1
        self._wrong[who] = (count, now)
        if len(self._wrong) > _CLIENTS:
            self._wrong.popitem(last=False)
        return count

    async def wait(self, count: int) -> None:
        """Wait as long as it takes after so many wrong tokens."""
        if self._waiting >= _WAITING:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(min(FIRST_SECONDS * 2.0 ** min(count - 1, 16), MOST_SECONDS))
        finally:
            self._waiting -= 1


def _network(address: str) -> str:
    """Return the part of an address that one client cannot easily change."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        return str(ipaddress.ip_network((int(found), 64), strict=False))
    return address
