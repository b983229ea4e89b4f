"""One HTTP connection: uvicorn's protocol, made to hold against clients that mean harm.

What it adds: strict heads, bounded in bytes, in number and in time; offers to upgrade are passed
over; pipelined requests that wait are bounded; an answer before the end of its request closes the
connection so that the client can read it; a client that does not read is given up; and when there
are too many connections, the one that has waited longest for its client makes room.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sclbl.server.context import Context
from sclbl.server.line import Line
from sclbl.server.problems import error_body

#: Most bytes of a request line with its headers, and most headers.
HEAD_BYTES = 64 * 1024
HEADERS = 128
#: How long they may take to arrive, from the connection or the first byte on.
HEAD_SECONDS = 20.0
#: Bytes that the parser gets at once: so many more than `HEAD_BYTES` may pass before it is noticed.
_SLICE = 64 * 1024
#: What is never passed on: this server speaks HTTP/1.1 and nothing else.
_UPGRADES = frozenset((b"upgrade", b"http2-settings"))


class Refused(Exception):
    """A head that is not taken; the parser stops there."""


class _Flow(FlowControl):
    """Reads on only while no whole request waits for its turn."""

    waiting: Any = ()

    def resume_reading(self) -> None:
        if not self.waiting:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """One connection."""

    context: ClassVar[Context]
    #: Most connections at once.
    most: ClassVar[int] = 1000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = httptools.HttpRequestParser(self)
        self._application = self.app
        self.app = self._closing_early
        # Whether the parser is between two requests, or in the head of one.
        self._between = True
        self._in_head = False
        # Bytes that came since the parser last made something of them, and of the current head.
        self._quiet = 0
        self._head_bytes = 0
        self._upgrading = False
        # After a request that cannot be read nothing is: the last words wait for their turn.
        self._deaf = False
        self._last_words: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None
        #: When bytes last came.
        self.heard = 0.0

    # ------------------------------------------------------- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.line = Line(transport, self.loop, self.context.settings.write_seconds)
        super().connection_made(self.line)  # type: ignore[arg-type]
        self.flow = flow = _Flow(self.transport)
        flow.waiting = self.pipeline
        self.heard = self.loop.time()
        self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self.line.gone()
        # Its memory goes now: the client may have sent much, and nobody will ask for it.
        self.pipeline.clear()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        """Close connections that wait for their clients, those that wait longest first."""
        waiting = [
            c
            for c in self.connections
            if isinstance(c, Connection) and c is not self and c.waits_for_client()
        ]
        # Several at a time, so that a crowd at the door does not cost a look at all for each.
        for c in heapq.nsmallest(1 + self.most // 64, waiting, key=lambda c: c.heard):
            c.line.request_ended = True
            c.transport.close()
        if len(self.connections) > self.most + self.most // 8:
            self.line.abort()
        elif not waiting:
            message = "the server has as many connections as it can hold; try again in a second"
            self._refuse(503, "busy", message, b"retry-after: 1\r\n")

    def waits_for_client(self) -> bool:
        """Return whether nothing happens here until the client sends something."""
        if self.transport.is_closing() or self.flow.write_paused or self.pipeline:
            return False
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def pause_writing(self) -> None:
        super().pause_writing()
        self.line.watch_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.line.stop_watching()

    # ------------------------------------------------------------ what comes

    def data_received(self, data: bytes) -> None:
        if self.line.discard(len(data)) or self._deaf:
            return
        self.heard = self.loop.time()
        self._unset_keepalive_if_required()
        try:
            if len(data) <= _SLICE:
                self._feed(data)
            else:
                whole = memoryview(data)
                for start in range(0, len(data), _SLICE):
                    self._feed(whole[start : start + _SLICE])
        except Refused:
            pass
        except httptools.HttpParserError:
            if not self._deaf:
                self._unreadable()
        if self._in_head and self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _feed(self, data: bytes | memoryview) -> None:
        self._quiet += len(data)
        rest = [data]
        while rest:
            data = rest.pop()
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                # The parser takes what follows for another protocol. To us it is the body, or the
                # next request: the head is read again without the offer.
                offset: int = stopped.args[0]
                rest += [data[offset:], self._without_upgrade()]
                self.parser = httptools.HttpRequestParser(self)
            if self.transport.is_closing() or self._deaf:
                raise Refused
        if self._quiet > HEAD_BYTES + _SLICE:
            self._head_too_large()
            raise Refused

    def _without_upgrade(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version.encode())]
        for name, value in self.headers:
            if name == b"connection":
                kept = [t for t in value.split(b",") if t.strip().lower() not in _UPGRADES]
                value = b",".join(kept).strip()
                if not value:
                    continue
            if name not in _UPGRADES:
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

    # ----------------------------------------------------------- one request

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._between = False
        self._in_head = True
        self._upgrading = False
        self.line.request_ended = False
        self._quiet = self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        # A trailer is no header: what it says was not there when the request was judged.
        if self._in_head:
            super().on_header(name, value)
            self._head_bytes += len(name) + len(value) + 4

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._quiet = 0
        self._stop_timer()
        self._upgrading = self.parser.should_upgrade()
        if self._upgrading and self.parser.get_method() != b"CONNECT":
            return
        self._check_head()
        self.begin()

    def begin(self) -> None:
        """Start a request whose head is complete and sound."""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._quiet = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._upgrading:
            self._ended()
            super().on_message_complete()

    def _ended(self) -> None:
        self._between = True
        self._quiet = 0
        self.line.request_ended = True

    def _check_head(self) -> None:
        """Refuse a head that two readers might read in two ways."""
        if self._head_bytes > HEAD_BYTES or len(self.headers) > HEADERS:
            self._head_too_large()
            raise Refused
        seen: dict[bytes, int] = {}
        encoding = b"chunked"
        for name, value in self.headers:
            if name in _ONCE:
                seen[name] = seen.get(name, 0) + 1
                if name == b"transfer-encoding":
                    encoding = value.lower()
        version = self.parser.get_http_version()
        why = None
        if self.parser.get_method() == b"CONNECT":
            why = "this server is no proxy"
        elif version not in ("1.0", "1.1"):
            why = "the request is not HTTP/1.1"
        elif max(seen.values(), default=0) > 1:
            double = next(name for name, count in seen.items() if count > 1)
            why = f"the request has more than one header {double.decode()}"
        elif version == "1.1" and b"host" not in seen:
            why = "the request has no header host"
        elif b"transfer-encoding" in seen and (b"content-length" in seen or version == "1.0"):
            why = "the request's body has two lengths"
        elif encoding != b"chunked":
            why = "the transfer-encoding is not chunked"
        if why is not None:
            self._refuse(400, "request", f"{why}; nothing was done")
            raise Refused

    # --------------------------------------------------------------- answers

    async def _closing_early(self, scope: Any, receive: Any, send: Any) -> None:
        """Call the application; an answer before the end of the request is the last one."""
        cycle = send.__self__

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start" and cycle.more_body:
                cycle.keep_alive = False
            try:
                await send(message)
            except RuntimeError:
                # The client has left and the loop has closed its socket, but not yet said so.
                if not self.line.is_gone():
                    raise
                cycle.disconnected = True

        await self._application(scope, receive, sending)

    def on_response_complete(self) -> None:
        last = not self.pipeline
        super().on_response_complete()
        if last and self._last_words is not None:
            self._say(self._last_words)

    def _unreadable(self) -> None:
        """Answer bytes that are no request, or no body of the one that is under way."""
        if not self._between and not self._in_head and self.cycle is not None:
            # The body of the newest request is broken, so that request is not answered otherwise.
            self._deaf = True
            words = _answer(400, "request", "the body of the request cannot be read")
            if self.pipeline:
                self.pipeline.popleft()
                self._last_words = words
            elif self.cycle.response_started:
                self.transport.close()
            else:
                self._say(words)
            return
        if self.cycle is not None and not self.cycle.keep_alive:
            # What comes after a request that asked to close is not looked at.
            self._deaf = True
            return
        self._refuse(400, "request", "the request is not HTTP, or not written strictly")

    def _head_too_large(self) -> None:
        text = f"the head of the request has more than {HEAD_BYTES} bytes or {HEADERS} headers"
        self._refuse(431, "request", text)

    def _refuse(self, status: int, code: str, message: str, more: bytes = b"") -> None:
        """Answer once what came before is answered, and close; nothing more is read."""
        self._deaf = True
        answer = _answer(status, code, message, more)
        if self.cycle is None or (self.cycle.response_complete and not self.pipeline):
            self._say(answer)
        else:
            self._last_words = answer

    def _say(self, answer: bytes) -> None:
        self._last_words = None
        if not self.transport.is_closing():
            self.line.request_ended = False  # whatever still comes is not read
            self.transport.write(answer)
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "request", msg)

    # ----------------------------------------------------------------- time

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._in_head or self.cycle is None:
            self.line.request_ended = True
            self.transport.close()


#: Headers that may be there once.
_ONCE = frozenset((b"host", b"content-length", b"transfer-encoding", b"content-type"))


def _answer(status: int, code: str, message: str, more: bytes = b"") -> bytes:
    body = error_body(code, message)
    size = b"content-length: %d\r\n" % len(body)
    head = (STATUS_LINE[status], b"content-type: application/json\r\n", more, size)
    return b"".join([*head, b"connection: close\r\n\r\n", body])
