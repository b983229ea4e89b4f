"""HTTP for `sclbl serve`: a short cut for small predictions over a hardened connection.

A prediction of a few rows takes microseconds, while a trip through an ASGI task takes tens of
them. So a small JSON prediction of a ref that is known and a program that is loaded is answered
here, in the callback that its last byte arrives in. Everything else, every error included, goes
the long way, so there is one place that decides what an answer looks like. Both ways ask the
`Gate` before and call `Predictor.answer` after: a rule belongs in one of these two, and then no
way skips it.

Clients that keep a connection open send the same head with each request, save for the length of
the body. A head that was parsed and found fit for the short cut is remembered as bytes, so that
the next one like it needs no parsing: one search, one look-up.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

from sclbl.server import connection
from sclbl.server.connection import Connection
from sclbl.server.context import Context
from sclbl.server.predictor import INLINE_BYTES

#: Heads remembered at most, and the longest one.
_HEADS = 1024
_LONGEST_HEAD = 2048


@dataclass(frozen=True, slots=True)
class _Head:
    """What a remembered head asks for."""

    ref: str
    method: str | None
    length: int
    authorization: str | None


class PredictProtocol(Connection):
    """One connection, with the short cut."""

    #: False where every request must be logged, which the long way does.
    short_cut: ClassVar[bool] = True
    _known_urls: ClassVar[dict[bytes, tuple[str, str | None]]]
    _known_heads: ClassVar[dict[bytes, _Head]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What came in when the parser last was between two requests.
        self._chunk: bytes | None = None
        # While a request may still take the short cut its body is held here; else None.
        self._held: bytes | None = None
        self._authorization: str | None = None
        # The timer that closes the connection after the last short answer.
        self._idle: asyncio.TimerHandle | None = None
        self._status: bytes = b""
        self._status_of: Any = None

    # ------------------------------------------------------- the connection

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._held = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._between:
            if self._is_idle() and self._answer_known(data):
                return
            self._chunk = data
        else:
            self._chunk = None
        super().data_received(data)
        if self._held is not None and self._timer is None:
            self._timer = self.loop.call_later(connection.HEAD_SECONDS, self._too_slow)

    def _is_idle(self) -> bool:
        """Return whether nothing is under way and an answer can be written."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and not self._deaf
            and not self.transport.is_closing()
        )

    def waits_for_client(self) -> bool:
        return self._held is not None or super().waits_for_client()

    def _answer_known(self, data: bytes) -> bool:
        """Answer a request whose head is remembered; return whether that was done."""
        end = data.find(b"\r\n\r\n") + 4
        head = self._known_heads.get(data[:end])
        if head is None or len(data) != end + head.length:
            return False
        answer = self._answer(head, data[end:])
        if answer is None:
            return False
        self._write(answer)
        return True

    def _write(self, answer: bytes) -> None:
        self._stop_timer()
        self._unset_keepalive_if_required()
        self.transport.write(self._status_line(len(answer)) + answer)
        self.server_state.total_requests += 1
        # A timer for each answer would cost as much as the answer, so one is left to run.
        self.heard = self.loop.time()
        if self._idle is None:
            self._idle = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _close_if_idle(self) -> None:
        self._idle = None
        waited = self.loop.time() - self.heard
        # Another timer runs where something is under way, or was answered the long way since.
        if self._timer is not None or self.timeout_keep_alive_task is not None:
            return
        if waited >= self.timeout_keep_alive and self._between and self._is_idle():
            self.transport.close()
            return
        self._idle = self.loop.call_later(
            max(self.timeout_keep_alive - waited, 1.0), self._close_if_idle
        )

    def _too_slow(self) -> None:
        if self._held is not None:
            # The long way has its own limit for bodies, and says so in its answer.
            self._timer = None
            self._release()
        else:
            super()._too_slow()

    # ---------------------------------------------------------- one request

    def begin(self) -> None:
        if self._may_be_short():
            self._held = b""
        else:
            super().begin()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
            return
        self._held += body
        if len(self._held) > INLINE_BYTES:
            self._release()

    def on_message_complete(self) -> None:
        if self._held is not None:
            body = self._held
            ref, method = self._known_urls[self.url]
            head = _Head(ref, method, len(body), self._authorization)
            answer = self._answer(head, body)
            if answer is not None:
                self._held = None
                self._ended()
                self._write(answer)
                self._remember(head)
                return
            self._release()
        super().on_message_complete()

    def _remember(self, head: _Head) -> None:
        """Remember the head of a request that came in one piece and by itself."""
        chunk, self._chunk = self._chunk, None
        if chunk is None:
            return
        end = chunk.find(b"\r\n\r\n") + 4
        if end <= _LONGEST_HEAD and len(chunk) == end + head.length:
            if len(self._known_heads) >= _HEADS:
                self._known_heads.clear()
            self._known_heads[chunk[:end]] = head

    def _release(self) -> None:
        """Go the long way with what was held."""
        held, self._held = self._held, None
        self._stop_timer()
        super().begin()
        if held:
            super().on_body(held)

    def _may_be_short(self) -> bool:
        if (
            not self.short_cut
            or self.url not in self._known_urls
            or self.expect_100_continue
            or not self._is_idle()
            or self.parser.get_method() != b"POST"
            or self.parser.get_http_version() != "1.1"
            or not self.parser.should_keep_alive()
        ):
            return False
        json = short = False
        authorizations: list[str] = []
        host = None
        for name, value in self.headers:
            if name == b"content-type":
                json = value == b"application/json"
            elif name == b"authorization":
                authorizations.append(value.decode("latin-1"))
            elif name == b"host":
                host = value.decode("latin-1")
            elif name == b"content-length":
                # The parser has checked that these are digits.
                short = int(value) <= INLINE_BYTES
            elif name in _LONG_HEADERS and (name != b"accept" or b"ndjson" in value.lower()):
                return False
        if not (json and short):
            return False
        # What the gate refuses goes the long way, which says why.
        self._authorization = authorizations[0] if authorizations else None
        return self.context.gate.admits(host, authorizations)

    def _answer(self, head: _Head, body: bytes) -> bytes | None:
        """Return the answer, or None where the long way must give it."""
        context = self.context
        if not context.gate.admits_token(head.authorization):
            return None
        return context.predictor.answer_inline(head.ref, head.method, body)

    def _status_line(self, size: int) -> bytes:
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
_LONG_HEADERS = frozenset((b"origin", b"transfer-encoding", b"content-encoding", b"accept"))


def protocol_for(
    context: Context, *, short_cut: bool = True, connections: int = 1000
) -> type[PredictProtocol]:
    """Return the protocol class for one application; pass it to uvicorn as ``http``."""

    class Bound(PredictProtocol):
        pass

    Bound.context = context
    Bound.most = connections
    Bound.short_cut = short_cut
    Bound._known_urls = context.known_urls
    Bound._known_heads = {}
    return Bound
