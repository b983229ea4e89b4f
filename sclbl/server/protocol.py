"""HTTP for `sclbl serve`: uvicorn's protocol with a short cut for small predictions.

A prediction of a few rows takes microseconds, while a trip through an ASGI task takes tens of
them. So a small JSON prediction of a ref that is known and a program that is loaded is answered
here, in the callback that its last byte arrives in. Everything else, every error included, goes
the long way, so there is one place that decides what an answer looks like; both ways call
`Predictor.answer`.

It also bounds what uvicorn leaves open: the size of the head of a request, and the time that it
may take to arrive.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sclbl.server.context import Context
from sclbl.server.payload import JSON
from sclbl.server.predictor import INLINE_BYTES

#: Most bytes of a request line with its headers.
HEAD_BYTES = 64 * 1024
#: How long they may take to arrive, from the connection or the first byte on.
HEAD_SECONDS = 20.0
_URLS = 4096
_PREFIX = b"/v1/deployments/"
_SUFFIX = b"/predict"


def parse_url(url: bytes) -> tuple[str, str | None] | None:
    """Return the ref and the method of a prediction's URL; None where it is anything else."""
    path, _, query = url.partition(b"?")
    if not (path.startswith(_PREFIX) and path.endswith(_SUFFIX)):
        return None
    try:
        ref = unquote(path[len(_PREFIX) : -len(_SUFFIX)].decode("ascii"))
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query))
    except (UnicodeDecodeError, ValueError):
        return None
    if not ref or "/" in ref or len(pairs) > 1 or any(key != "method" for key, _ in pairs):
        return None
    return ref, pairs[0][1] if pairs else None


class PredictProtocol(HttpToolsProtocol):
    """One connection."""

    context: ClassVar[Context]
    _known_urls: ClassVar[dict[bytes, tuple[str, str | None]]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._head_bytes = 0
        # While a request may still take the short cut its body is held here; else None.
        self._held: bytes | None = None
        self._authorization: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._status: bytes = b""
        self._status_of: Any = None

    # ------------------------------------------------------- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # uvicorn narrows the transport's type in the same way.
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._held = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._count_head(len(data))
        super().data_received(data)
        if self._in_head and not self._head_bytes:
            self._count_head(len(data))
        if (self._in_head or self._held is not None) and self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"content-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._held is not None:
            # The long way has its own limit for bodies, and says so in its answer.
            self._release()
        elif self._in_head or self.cycle is None:
            self.transport.close()

    # ---------------------------------------------------------- one request

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        if self._may_be_short():
            self._held = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
            return
        self._held += body
        if len(self._held) > INLINE_BYTES:
            self._release()

    def on_message_complete(self) -> None:
        if self._held is not None:
            answer = self._answer(self._held)
            if answer is not None:
                self._held = None
                self._stop_timer()
                self.transport.write(self._head(len(answer)) + answer)
                self.on_response_complete()
                return
            self._release()
        super().on_message_complete()

    def _release(self) -> None:
        """Go the long way with what was held."""
        held, self._held = self._held, None
        self._stop_timer()
        super().on_headers_complete()
        if held:
            super().on_body(held)

    def _may_be_short(self) -> bool:
        if (
            self.url not in self._known_urls
            or self.expect_100_continue
            or self.pipeline
            or (self.cycle is not None and not self.cycle.response_complete)
            or self.flow.write_paused
            or self.parser.get_method() != b"POST"
            or self.parser.get_http_version() != "1.1"
            or not self.parser.should_keep_alive()
        ):
            return False
        self._authorization = None
        json = False
        for name, value in self.headers:
            if name == b"content-type":
                json = value == b"application/json"
            elif name == b"authorization":
                self._authorization = value.decode("latin-1")
            elif name in _LONG_HEADERS and (name != b"accept" or b"ndjson" in value.lower()):
                return False
        return json

    def _answer(self, body: bytes) -> bytes | None:
        """Return the answer, or None where the long way must give it."""
        context = self.context
        predictor = context.predictor
        try:
            target = predictor.known(*self._known_urls[self.url])
            if target is None or not predictor.inline(target, len(body)):
                return None
            if self._authorization is not None or context.guard.private:
                context.guard.check(self._authorization, write=False)
            return predictor.answer(target, body, JSON)
        except Exception:
            # Whatever it is, it happens again on the long way, which answers or logs it.
            return None

    def _head(self, size: int) -> bytes:
        default = self.server_state.default_headers
        if default is not self._status_of:
            lines = b"".join(b"%b: %b\r\n" % pair for pair in default)
            self._status = (
                b"HTTP/1.1 200 OK\r\n" + lines + b"content-type: application/json\r\n"
                b"content-length: "
            )
            self._status_of = default
        return b"%b%d\r\n\r\n" % (self._status, size)


#: Headers that send a request the long way: CORS, bodies in pieces, another form of answer.
_LONG_HEADERS = frozenset(
    (b"origin", b"transfer-encoding", b"content-encoding", b"upgrade", b"accept")
)


def remember_url(known: dict[bytes, tuple[str, str | None]], url: bytes) -> None:
    """Let later requests to this URL take the short cut, if it is one of a prediction."""
    if url not in known and len(url) <= 1024 and (parsed := parse_url(url)) is not None:
        if len(known) >= _URLS:
            known.clear()
        known[url] = parsed


def protocol_for(context: Context) -> type[PredictProtocol]:
    """Return the protocol class for one application; pass it to uvicorn as ``http``."""

    class Bound(PredictProtocol):
        pass

    Bound.context = context
    Bound._known_urls = context.known_urls
    return Bound
