"""Answers of a server, read within limits of size and time, whatever the server sends.

Sockets time out between two bytes, so a server that sends one now and then would hold its client
for ever; one that sends without end would fill its memory. An `Allowance` counts both where bytes
come from the socket, heads and framing included.
"""

from __future__ import annotations

import io
import socket
import time
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sclbl.errors import RequestError

#: Bytes that come in at once, and bytes a second below which a body comes too slowly.
PIECE, PACE = 64 * 1024, 64 * 1024
#: The most of an answer in JSON: the newest versions of thousands of deployments.
JSON_BYTES = 128 * 1024**2
#: The most of an answer that says what went wrong.
ERROR_BYTES = 1024**2
#: Bytes of heads, and of what frames a body that comes in pieces.
FRAME_BYTES = 8 * 1024**2


class Allowance:
    """What one answer may take.

    Parameters
    ----------
    limit : int
        Bytes of its body.
    seconds : float
        How long it may take, beside a second for each `PACE` bytes.

    Attributes
    ----------
    broken : str or None
        Which limit was passed.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self._bytes = 2 * limit + FRAME_BYTES
        self._start = time.monotonic()
        self._received = 0
        self.broken: str | None = None

    def begin(self) -> None:
        """Count the time from now, when the request is sent."""
        self._start = time.monotonic()

    def left(self) -> float:
        """Return how many seconds there are; raise `TimeoutError` where there are none."""
        allowed = self.seconds + self._received / PACE
        left = self._start + allowed - time.monotonic()
        if left <= 0:
            self.broken = f"its answer was not complete after {allowed:.0f} s"
            raise TimeoutError(self.broken)
        return left

    def spend(self, count: int) -> None:
        """Count bytes that came in; raise `OSError` where they are too many."""
        self._received += count
        if self._received > self._bytes:
            self.broken = f"it answered with more than {self._bytes:,} bytes"
            raise OSError(self.broken)


#: The allowance of the answer that this thread waits for.
allowance: ContextVar[Allowance] = ContextVar("allowance")


class _Stream(io.RawIOBase):
    """The bytes of a socket, within the allowance."""

    def __init__(self, sock: Any, within: Allowance) -> None:
        self._socket, self._within = sock, within
        self._raw = sock.makefile("rb", buffering=0)
        self._pause = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._within.left()
        self._socket.settimeout(left if self._pause is None else min(left, self._pause))
        try:
            count = cast("int | None", self._raw.readinto(buffer))
        except TimeoutError:
            self._within.left()  # says so where it is the allowance that ended
            raise
        finally:
            if self._socket.fileno() >= 0:
                self._socket.settimeout(self._pause)
        self._within.spend(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Bounded:
    """A socket as `HTTPResponse` uses it: to read from."""

    def __init__(self, sock: Any, within: Allowance) -> None:
        self._socket, self._within = sock, within

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Stream(self._socket, self._within))


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        within = allowance.get()
        within.begin()
        super().__init__(cast("socket.socket", _Bounded(sock, within)), *args, **kwargs)


class _Http(HTTPConnection):
    response_class = _Response


class _Https(HTTPSConnection):
    response_class = _Response


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class Adapter(HTTPAdapter):
    """Connections whose answers keep to the allowance."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See `HTTPAdapter`."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """See `HTTPAdapter`."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class HttpSession(requests.Session):
    """A session that follows no redirection, and reads no body of one."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return that there is none: even unfollowed ones would be read, whatever their size."""


def body(url: str, response: requests.Response, limit: int) -> bytes:
    """Return the body of an answer.

    Of an answer that is an error, what is beyond `ERROR_BYTES` is left unread; of a redirection,
    all is.

    Raises
    ------
    RequestError
        It is larger than `limit`, or compressed, which is never asked for: a few bytes can stand
        for gigabytes.
    """
    if 300 <= response.status_code < 400:
        return b""
    good = response.status_code < 300
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", ""):
        if not good:
            return b""
        raise RequestError(
            f"{url} answered with a body compressed as {coding[:40]!r}, which was not asked for; "
            "check that this is the URL of an sclbl server, and that no proxy compresses"
        )
    limit = limit if good else min(limit, ERROR_BYTES)
    stated = response.headers.get("content-length", "")
    if good and stated.isascii() and stated.isdigit() and len(stated) < 20 and int(stated) > limit:
        raise _too_large(url, limit)
    pieces, size = [], 0
    while piece := response.raw.read(PIECE, decode_content=False):
        size += len(piece)
        if size > limit:
            if not good:
                break
            raise _too_large(url, limit)
        pieces.append(piece)
    return b"".join(pieces)


def _too_large(url: str, limit: int) -> RequestError:
    return RequestError(
        f"{url} answered with more than {limit:,} bytes, which no answer of this kind has; "
        "check that this is the URL of an sclbl server"
    )
