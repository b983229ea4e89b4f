"""Read the bodies of requests: bounded in bytes and in time."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import Any

from starlette.requests import Request
from starlette.types import Message, Receive

from sclbl.errors import LimitError, RequestError, RequestTimeoutError
from sclbl.server.budget import Hold
from sclbl.server.limits import Settings


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:.4g} {unit}"
    return f"{count} bytes"


def too_large(what: str, limit: int, declared: int | None = None) -> LimitError:
    """Return the error for a body above its limit."""
    has = f"declares {size(declared)}" if declared is not None else "is larger"
    return LimitError(f"{what} {has}; this server takes at most {size(limit)}")


def declared_length(request: Request) -> int | None:
    """Return the Content-Length of a request; None where it has none."""
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise RequestError(f"Content-Length is {text!r}, which is not a number of bytes")
    return int(text)


class Bounded:
    """Bounds what is received for one request, in bytes and in time.

    Parameters
    ----------
    request : Request
        The request; its declared length is checked at once, before anything is read.
    what : str
        How messages call the body.
    limit : int
        Most bytes.
    settings : Settings
        Time limits.
    hold : Hold, optional
        Counts the bytes, where they stay in memory.
    """

    def __init__(
        self,
        request: Request,
        what: str,
        limit: int,
        settings: Settings,
        hold: Hold | None = None,
    ) -> None:
        declared = declared_length(request)
        if declared is not None and declared > limit:
            raise too_large(what, limit, declared)
        self._receive: Receive = request.receive
        self._what = what
        self._limit = limit
        self._settings = settings
        self._deadline = time.monotonic() + settings.body_seconds
        self._seen = 0
        self._hold = hold

    async def receive(self) -> Message:
        """Receive one message; stands in for the ASGI ``receive``."""
        wait = min(self._settings.idle_seconds, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(max(wait, 0)):
                with nullcontext() if self._hold is None else self._hold.waiting():
                    message = await self._receive()
        except TimeoutError:
            raise RequestTimeoutError(
                f"{self._what} arrived too slowly: {self._seen} bytes so far; it may pause for "
                f"{self._settings.idle_seconds:g} s and take {self._settings.body_seconds:g} s "
                "in all"
            ) from None
        if message["type"] == "http.disconnect":
            raise RequestError(f"{self._what} ended early: the client closed the connection")
        size = len(message.get("body", b""))
        self._seen += size
        if self._seen > self._limit:
            raise too_large(self._what, self._limit)
        if self._hold is not None:
            self._hold.take(size)
        return message

    async def read(self) -> bytes:
        """Return the whole body."""
        parts: list[Any] = []
        while True:
            message = await self.receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)
