"""The client against a server that wants it to hang, to fill its memory, or to be misled."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from sclbl.errors import (
    InvalidProgramError,
    RemoteError,
    RequestError,
    SclblError,
    ServerUnreachableError,
)
from sclbl.registry import replies, transport
from sclbl.registry.remote import FILE_BYTES, RemoteRegistry
from sclbl.runtime.engine import MAX_PROGRAM
from tests.registry.test_transport import RECORD, TOKEN

#: Long enough on any machine, and far below what a client would wait where nothing bounds it.
SOON = 25.0
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


#: As it closes after each answer, it says so: a client would use the connection again.
CLOSING = b"Connection: close\r\nContent-Length: %d\r\n\r\n"


class Raw:
    """A server that sends the bytes it is told, whatever it is asked, until nobody listens."""

    def __init__(self) -> None:
        self.pieces: Callable[[], Iterable[bytes]] = list
        self.heads: list[bytes] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(SOON)
                head = b""
                while not _whole(head) and (piece := connection.recv(65536)):
                    head += piece
                self.heads.append(head)
                try:
                    for piece in self.pieces():
                        if self.stopped.is_set():
                            return
                        connection.sendall(piece)
                except OSError:
                    continue

    def say(self, *pieces: bytes) -> None:
        self.pieces = lambda: pieces

    def answer(self, body: bytes, head: bytes = b"") -> None:
        self.say(OK + head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def stop(self) -> None:
        self.stopped.set()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join()


def _whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


@pytest.fixture
def server() -> Iterator[Raw]:
    server = Raw()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "WAITS", ())


@pytest.fixture
def registry(server: Raw) -> Iterator[RemoteRegistry]:
    with RemoteRegistry(server.url, TOKEN) as registry:
        yield registry


def slowly(*pieces: bytes) -> Callable[[], Iterator[bytes]]:
    def give() -> Iterator[bytes]:
        for piece in pieces:
            for i in itertools.count() if piece == b"..." else range(len(piece)):
                yield b"." if piece == b"..." else piece[i : i + 1]
                if piece == b"...":
                    time.sleep(0.05)

    return give


def forever(start: bytes, piece: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.chain([start], itertools.repeat(piece))


@pytest.mark.parametrize(
    "pieces",
    [
        slowly(b"..."),
        slowly(OK, b"X: ", b"..."),
        slowly(OK, b"Content-Length: 100000\r\n\r\n", b"..."),
        slowly(OK, CHUNKED, b"10000\r\n", b"..."),
        slowly(OK, b"\r\n", b"..."),
    ],
    ids=["status", "head", "body", "chunk", "until closed"],
)
def test_a_trickle_ends(server: Raw, registry: RemoteRegistry, pieces: Any) -> None:
    server.pieces = pieces
    begin = time.monotonic()
    with pytest.raises(ServerUnreachableError, match=r"its answer was not complete after \d+ s"):
        registry._transport.send("GET", "/v1/deployments", timeout=0.5)
    assert time.monotonic() - begin < SOON
    assert len(server.heads) == 1  # not asked again


@pytest.mark.parametrize(
    ("pieces", "error", "message"),
    [
        (
            forever(OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65536),
            RequestError,
            "answered with more than 1,048,576 bytes, which no answer of this kind has",
        ),
        (
            forever(OK + CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
            RequestError,
            "answered with more than 1,048,576 bytes",
        ),
        (forever(OK + b"\r\n", b"x" * 65536), RequestError, "answered with more than 1,048,576"),
        (
            forever(OK + CHUNKED + b"-1\r\n", b"x" * 65536),
            ServerUnreachableError,
            "it answered with more than 2,162,688 bytes",
        ),
        (
            forever(OK + CHUNKED + b"0\r\n", b"X: y\r\n" * 10_000),
            ServerUnreachableError,
            "it answered with more than 2,162,688 bytes",
        ),
        (
            forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
            ServerUnreachableError,
            "it answered with more than 2,162,688 bytes",
        ),
        (forever(OK, b"X: y\r\n"), ServerUnreachableError, "got more than 100 headers"),
        (forever(OK + b"X: ", b"x" * 65536), ServerUnreachableError, "got more than 65536 bytes"),
        (forever(b"", b"x" * 65536), ServerUnreachableError, "no answer from"),
        (
            forever(b"HTTP/1.1 500 No\r\n\r\n", b"x" * 65536),
            RequestError,
            "answered with status 500 and no error of sclbl's",
        ),
        (
            forever(b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n", b"x" * 65536),
            RequestError,
            r"redirects to 'http://\[', and redirections are not followed",
        ),
    ],
    ids=[
        "stated", "chunks", "until closed", "a chunk of -1", "trailers", "100", "headers",
        "a header", "a status", "an error", "a redirection",
    ],
)  # fmt: skip
def test_a_flood_ends(
    server: Raw,
    registry: RemoteRegistry,
    monkeypatch: pytest.MonkeyPatch,
    pieces: Any,
    error: type[SclblError],
    message: str,
) -> None:
    monkeypatch.setattr(replies, "FRAME_BYTES", 65536)
    server.pieces = pieces
    tracemalloc.start()
    try:
        with pytest.raises(error, match=message) as raised:
            registry._transport.send("GET", "/v1/deployments", limit=1024**2, timeout=SOON)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    finally:
        tracemalloc.stop()
    assert TOKEN not in str(raised.value)
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x" * 500])
def test_nothing_is_decompressed(server: Raw, registry: RemoteRegistry, coding: str) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    server.answer(bomb, f"Content-Encoding: {coding}\r\n".encode())
    with pytest.raises(RequestError, match=f"compressed as '{coding[:40]}', which was not asked"):
        registry.deployments()
    assert b"accept-encoding: identity" in server.heads[0].lower()


def test_a_redirection_does_not_get_the_token(server: Raw, registry: RemoteRegistry) -> None:
    other = Raw()
    try:
        for status in (301, 302, 303, 307, 308):
            server.heads.clear()
            there = f"Location: {other.url}/v1\r\nContent-Length: 0\r\n\r\n".encode()
            server.say(b"HTTP/1.1 %d Go\r\n" % status + there)
            with pytest.raises(RequestError, match="redirections are not followed"):
                registry.promote("churn@1", "production")
            assert len(server.heads) == 1
        assert other.heads == []
    finally:
        other.stop()


def test_the_largest_program_can_be_downloaded() -> None:
    assert FILE_BYTES == MAX_PROGRAM


def test_an_error_of_a_server_is_text_of_a_bounded_length(
    server: Raw, registry: RemoteRegistry
) -> None:
    for error in (
        {"code": ["x"], "message": "m"},
        {"code": "input", "message": 3},
        {"code": "input", "message": "m", "row": "x"},
        {"code": "input", "message": "m", "column": {}},
        {"code": "input", "message": "m", "shell": []},
        {"code": "input"},
        [],
        None,
    ):
        body = json.dumps({"error": error}).encode()
        server.say(b"HTTP/1.1 422 No\r\n" + CLOSING % len(body) + body)
        with pytest.raises(RequestError, match="status 422 and no error of sclbl's"):
            registry.get("churn")
    for body in (b"[" * 100_000, b'{"error":' * 100_000, b"\xff", b'{"error": 1e999999}'):
        server.say(b"HTTP/1.1 422 No\r\n" + CLOSING % len(body) + body)
        with pytest.raises(RequestError, match="status 422 and no error of sclbl's"):
            registry.get("churn")
    body = json.dumps({"error": {"code": "conflict", "message": "m" * 500_000}}).encode()
    server.say(b"HTTP/1.1 409 No\r\n" + CLOSING % len(body) + body)
    with pytest.raises(SclblError, match=r"^m{20000}$"):
        registry.get("churn")


UNREADABLE = r"the server's answer cannot be read \("


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../../evil"}, {"name": "other"}, {"name": 3}, {"name": "\x1b[2J"}, {"name": None},
        {"version": 0}, {"version": -1}, {"version": 2**31}, {"version": 10**400},
        {"version": "1"}, {"version": 1.5}, {"version": True}, {"version": 2},
        {"sha256": "0" * 63}, {"sha256": "A" * 64}, {"sha256": "0" * 64 + "\n"}, {"sha256": 0},
        {"spec_sha256": None}, {"size": -1}, {"size": "3"}, {"size": 0.5},
        {"created_at": "yesterday"}, {"created_at": 5}, {"created_at": "2026-01-01T00:00:00"},
        {"created_at": "9999-12-31T23:59:59-23:59"}, {"created_at": "0001-01-01T00:00:00+23:59"},
        {"docs": None}, {"docs": ["x"]}, {"tags": []}, {"tags": {"a": 1}},
        {"metrics": {"a": "1"}}, {"metrics": None}, {"aliases": "x"}, {"aliases": [1]},
        {"aliases": ["../x"]}, {"aliases": {"a": "b"}}, {"manifest": []}, {"manifest": None},
        {"manifest": {"source": []}}, {"manifest": {"source": {"libraries": []}}},
        {"manifest": {"source": {"model": 3}}}, {"manifest": {"signature": []}},
        {"manifest": {"signature": {"outputs": []}}}, {"manifest": {"report": []}},
        {"checked": []}, {"checked": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_a_version_that_is_none(
    server: Raw, registry: RemoteRegistry, change: dict[str, Any]
) -> None:
    data = {**RECORD, **change}
    server.answer(json.dumps(data).encode())
    with pytest.raises(RequestError, match=UNREADABLE):
        registry.get("churn@1")
    if change not in ({"name": "other"}, {"version": 2}):
        server.answer(json.dumps({"deployments": [data]}).encode())
        with pytest.raises(RequestError, match=UNREADABLE):
            registry.deployments()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{}", b"3", b'"x"', b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe",
        b'{"deployments": {}}', b'{"deployments": "x"}', b'{"deployments": [[]]}',
        b'{"deployments": [null]}', b'{"versions": 1}', b'{"history": [{}]}', b'{"history": {}}',
        b'{"history": [{"alias": "a", "version": -1, "at": "x", "action": "promote"}]}',
        b'{"history": [{"alias": "a", "version": 1, "at": "2026-01-01T00:00:00Z", "action": "x"}]}',
        b'{"write": "yes"}', b'{"write": 1}', b'{"pending": {"id": "../x"}}', b"1e999999",
        b"9" * 100_000,
    ],
    ids=lambda b: repr(b[:40]),
)  # fmt: skip
def test_other_answers_that_are_none(server: Raw, registry: RemoteRegistry, body: bytes) -> None:
    server.answer(body)
    for ask in (
        registry.deployments,
        registry.whoami,
        lambda: registry.versions("churn"),
        lambda: registry.get("churn"),
        lambda: registry.history("churn", "production"),
        lambda: registry.promote("churn@1", "production"),
        lambda: registry.rollback("churn", "production"),
    ):
        with pytest.raises(RemoteError, match=r"answered what is not JSON|answer cannot be read"):
            ask()


def test_a_record_with_an_unreadable_signature_or_report(
    server: Raw, registry: RemoteRegistry
) -> None:
    from sclbl.deployment import Deployment

    report = {"against": "m", "rows": "x", "refusals": 0, "ok": True, "methods": []}
    signature = {"columns": [3], "outputs": {}, "layout": "table"}
    manifest = {"signature": signature, "report": report}
    server.answer(json.dumps({**RECORD, "manifest": manifest, "checked": {}}).encode())
    deployment = Deployment(registry.get("churn"), registry)
    with pytest.raises(InvalidProgramError, match="has no readable signature"):
        _ = deployment.signature
    for read in (lambda: deployment.report, lambda: deployment.checked):
        with pytest.raises(InvalidProgramError, match="has no readable report"):
            read()


def test_replies_are_read_on_time_where_the_pace_is_right(
    server: Raw, registry: RemoteRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "PACE", 1_000)

    def pieces() -> Iterator[bytes]:
        yield OK + b"Content-Length: 40000\r\n\r\n"
        for _ in range(20):
            yield b" " * 1_999 + b"1"
            time.sleep(0.05)

    server.pieces = pieces
    assert len(registry._transport.send("GET", "/", timeout=0.6).content) == 40_000
