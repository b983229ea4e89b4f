"""Connections of clients that mean harm, or that offer what this server does not speak."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sclbl.registry.local import LocalRegistry
from sclbl.server import process
from sclbl.server.connection import Connection
from sclbl.server.limits import Settings
from sclbl.server.line import Line
from tests.server.conftest import Case, Served
from tests.server.test_server_http import BODY, HEAD, read_answer, request
from tests.server.threads import serving

#: What the HttpClient of Java 17 sends, offering HTTP/2 as it does by default.
JAVA = (
    b"POST /v1/deployments/numbers/predict HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Content-Length: 28\r\nHost: 127.0.0.1:8000\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\nUpgrade: h2c\r\n"
    b"User-Agent: Java-http-client/17.0.15\r\nContent-Type: application/json\r\n\r\n"
    b'{"rows":[[0.5,1.0,2.0,3.0]]}'
)
GET = b"GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\n\r\n"
#: After this one the server closes, so that its answer is known to be the last.
LAST = b"GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def expected(server: Served) -> Any:
    return server.predict("numbers", [[0.5, 1.0, 2.0, 3.0]]).json()["results"]


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def answers(url: str, sent: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Return every answer to what is sent, until the server closes or a second passes."""
    found = []
    with connect(url) as line, line.makefile("rb") as stream:
        line.sendall(sent)
        line.settimeout(1)
        try:
            while stream.peek(1):
                found.append(read_answer(stream))
        except TimeoutError:
            pass
    return found


def pour(line: socket.socket, piece: bytes, times: int) -> None:
    for _ in range(times):
        line.sendall(piece)


# ------------------------------------------------------------------ upgrades


def test_java_predicts(server: Served, expected: Any) -> None:
    """A client that offers HTTP/2 with each request, in one piece and in many."""
    for size in (len(JAVA), 100, 1):
        with connect(server.url) as line, line.makefile("rb") as stream:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(3):
                for at in range(0, len(JAVA), size):
                    line.sendall(JAVA[at : at + size])
                status, headers, body = read_answer(stream)
                assert (status, json.loads(body)["results"]) == (200, expected)
                assert "upgrade" not in headers


def test_curl_with_http2_predicts(server: Served, expected: Any) -> None:
    command = [
        "curl",
        "-sS",
        "--http2",
        "-H",
        "Content-Type: application/json",
        "-d",
        BODY.decode(),
    ]
    url = f"{server.url}/v1/deployments/numbers/predict"
    found = subprocess.run([*command, url, url], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    assert found.stdout.count(json.dumps(expected, separators=(",", ":"))) == 2


@pytest.mark.parametrize("offer", [b"h2c", b"websocket", b"TLS/1.0, x"])
@pytest.mark.parametrize("way", [b"", b"Origin: x\r\n"])
def test_the_body_of_an_upgrade_is_no_request(
    server: Served, expected: Any, offer: bytes, way: bytes
) -> None:
    more = b"Connection: keep-alive, Upgrade\r\nUpgrade: %b\r\n%b" % (offer, way)
    # A request inside the body is rows that are not JSON, and gets no answer of its own.
    found = answers(server.url, request(GET, more) + request() + request(more=more) + LAST)
    assert [status for status, _, _ in found] == [400, 200, 200, 200]
    assert [json.loads(body)["results"] for _, _, body in found[1:3]] == [expected] * 2
    assert json.loads(found[3][2]) == {"write": False}


def test_an_upgrade_with_a_body_in_chunks(server: Served, expected: Any) -> None:
    head = HEAD.replace(b"Content-Length: %d\r\n%b", b"%b") % (
        b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n"
    )
    chunks = b"%x\r\n%b\r\n0\r\nAuthorization: Bearer x\r\n\r\n" % (len(BODY), BODY)
    *found, last = answers(server.url, (head + chunks) * 2 + LAST)
    assert [(s, json.loads(body)["results"]) for s, _, body in found] == [(200, expected)] * 2
    assert json.loads(last[2]) == {"write": False}


# --------------------------------------------------------------- strict heads


@pytest.mark.parametrize(
    "more",
    [
        b"Content-Length: 5\r\n",
        b"Content-Length: 28\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X: a\r\n folded\r\n",
        b"X: a\nY: b\r\n",
        b"X: a\rb\r\n",
        b"X: a\x00b\r\n",
        b"X\x00Y: a\r\n",
        b": nameless\r\n",
        b"Host: other\r\n",
        b"Content-Type: text/csv\r\n",
    ],
)
@pytest.mark.parametrize("way", [b"", b"Origin: x\r\n"])
def test_ambiguous_heads_are_refused_on_both_ways(server: Served, more: bytes, way: bytes) -> None:
    requests.post(  # so that the short cut knows the URL
        f"{server.url}/v1/deployments/numbers/predict", json=[[0.5, 1.0, 2.0, 3.0]], timeout=30
    ).raise_for_status()
    for extra in (more + way, way + more):
        found = answers(server.url, request(more=extra) + GET)
        assert [status for status, _, _ in found] == [400]
        assert found[0][1]["connection"] == "close"
        assert json.loads(found[0][2])["error"]["code"] == "request"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", "has no header host"),
        (b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", "is not HTTP/1.1"),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", "is no proxy"),
        (b"GET /healthz HTTP/1.1\nHost: localhost\n\n", "not HTTP"),
        (
            b"POST /healthz HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
            "two lengths",
        ),
    ],
)
def test_other_heads_that_are_refused(server: Served, head: bytes, said: str) -> None:
    ((status, _, body),) = answers(server.url, head + GET)
    assert status == 400
    assert said in json.loads(body)["error"]["message"]


def test_two_authorizations_are_refused_on_both_ways(server: Served) -> None:
    right = b"Authorization: Bearer %b\r\n" % server.token.encode()
    for more in (right + right, right + b"Authorization: Bearer x\r\n"):
        for way in (b"", b"Origin: x\r\n"):
            for _ in range(2):
                (status, _, body), last = answers(server.url, request(more=more + way) + LAST)
                message = json.loads(body)["error"]["message"]
                assert (status, message) == (
                    400, "the request has more than one header authorization; send one",
                )  # fmt: skip
                assert json.loads(last[2]) == {"write": False}


def test_a_broken_request_does_not_answer_for_the_one_before(server: Served, expected: Any) -> None:
    whole = request(more=b"Origin: x\r\n")
    found = answers(server.url, whole * 2 + b"nonsense\r\n\r\n")
    assert [status for status, _, _ in found] == [200, 200, 400]
    broken = HEAD.replace(b"Content-Length: %d\r\n%b", b"Transfer-Encoding: chunked\r\n")
    found = answers(server.url, whole + broken + b"zz\r\n")
    assert [status for status, _, _ in found] == [200, 400]


@pytest.mark.parametrize("spaces", [70_000, 100_000, 150_000, 200_000, 300_000])
def test_the_next_head_does_not_count_into_this_body(server: Served, spaces: int) -> None:
    """A large body with the first half of the next head right behind it."""
    whole = request(b'{"rows":[[0.5,1.0,2.0,3.0]' + b" " * spaces + b"]}")
    half = request()[:50]
    with connect(server.url) as line, line.makefile("rb") as stream:
        for _ in range(3):
            line.sendall(whole + half)
            assert read_answer(stream)[0] == 200
            line.sendall(request()[50:])
            assert read_answer(stream)[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"a" * 70_000),
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (b"X: a\r\n" * 200),
        b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 70_000),
    ],
)
def test_large_heads_are_refused(server: Served, head: bytes) -> None:
    ((status, _, body),) = answers(server.url, head)
    assert status == 431
    assert "more than 65536 bytes or 128 headers" in json.loads(body)["error"]["message"]
    # Just below the limits it is right.
    fine = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"a" * 60_000)
    assert [status for status, _, _ in answers(server.url, fine)] == [200]


# ------------------------------------------------- early answers, slow clients


def test_an_early_answer_closes_and_is_read(server: Served) -> None:
    """An upload without a token is answered at once; what it still sends is not taken in."""
    head = (
        b"POST /v1/deployments/x/versions HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n"
    )
    with connect(server.url) as line, line.makefile("rb") as stream:
        line.sendall(head % (8 << 20))
        for _ in range(4):
            line.sendall(b"x" * (1 << 20))  # a client that looks for its answer only later
        status, headers, body = read_answer(stream)
        assert (status, headers["connection"]) == (401, "close")
        assert "needs a token" in json.loads(body)["error"]["message"]
        assert stream.read() == b""
    # One that never stops is cut off long before its end.
    with connect(server.url) as line:
        line.sendall(head % (1 << 40))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            pour(line, b"x" * (1 << 20), 2048)


@pytest.fixture
def registry(tmp_path: Path, cases: dict[str, Case]) -> Iterator[LocalRegistry]:
    with LocalRegistry(tmp_path) as registry:
        for name in ("numbers", "scaler"):
            registry.create(name, cases[name].wasm, cases[name].spec)
        yield registry


def test_a_client_that_does_not_read_is_given_up(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sclbl.server.line.READ_RATE", 1 << 30)
    settings = Settings(write_seconds=0.3, flight_bytes=1 << 30)
    body = json.dumps([[0.1, 0.2, 0.3, 0.4]] * 150_000).encode()
    with serving(registry, settings) as (url, _), connect(url) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.sendall(HEAD.replace(b"numbers", b"scaler") % (len(body), b"") + body)
        taken = 0
        line.recv(1, socket.MSG_PEEK)  # the answer has begun
        time.sleep(2)
        with contextlib.suppress(ConnectionResetError):
            while part := line.recv(1 << 20):
                taken += len(part)
        assert taken < 11_000_000  # of 11.7 million


def test_idle_connections_make_room(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "connections_allowed", lambda wanted: 20)
    with serving(registry, Settings()) as (url, _):
        lines = [connect(url) for _ in range(60)]
        try:
            for more in (b"", b"Origin: x\r\n"):
                ((status, _, _),) = answers(url, request(more=more))
                assert status == 200
            time.sleep(0.2)
            # The oldest were closed, the newest were not.
            lines[0].settimeout(5)
            assert lines[0].recv(1) == b""
            lines[-1].sendall(request())
            with lines[-1].makefile("rb") as stream:
                assert read_answer(stream)[0] == 200
        finally:
            for line in lines:
                line.close()


def test_half_a_body_makes_room_too(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "connections_allowed", lambda wanted: 20)
    with serving(registry, Settings()) as (url, _):
        lines = [connect(url) for _ in range(20)]
        try:
            for line in lines:
                line.sendall(request(more=b"Origin: x\r\n")[:-5])
            ((status, _, _),) = answers(url, request())
            assert status == 200
        finally:
            for line in lines:
                line.close()


def test_connections_follow_the_limit_of_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    limits = [(256, 256), (1024, 1024), (1024, 1 << 20), (1 << 20, 1 << 20)]
    found = []
    for soft, hard in limits:
        now = [soft]
        monkeypatch.setattr(resource, "getrlimit", lambda kind, n=now, h=hard: (n[0], h))
        monkeypatch.setattr(resource, "setrlimit", lambda kind, x, n=now: n.__setitem__(0, x[0]))
        found.append((process.connections_allowed(4096), now[0]))
    assert found == [(128, 256), (768, 1024), (4096, 4352), (4096, 1 << 20)]


def test_pipelined_requests_do_not_pile_up(registry: LocalRegistry) -> None:
    """A client that sends faster than it is answered is not read faster than that."""
    with serving(registry, Settings()) as (url, _), connect(url) as line:
        whole = request(more=b"Origin: x\r\n") * 4000
        line.settimeout(1)
        # Without a reader the answers stop the server, and the server stops reading.
        with pytest.raises(TimeoutError):
            pour(line, whole, 100)


@pytest.mark.parametrize("left", [True, False])
def test_an_answer_to_a_client_that_left_ends_quietly(left: bool) -> None:
    """The loop has closed the socket, and has not yet told the protocol."""

    class Cycle:
        more_body = disconnected = False

        async def send(self, message: Any) -> None:
            raise RuntimeError("the handler is closed")

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.body"})

    connection, cycle = Connection.__new__(Connection), Cycle()
    connection._application = application
    connection.line = Line.__new__(Line)
    connection.line._gone = left
    connection.line._transport = SimpleNamespace(is_closing=lambda: False)  # type: ignore[assignment]
    answer = connection._closing_early({}, None, cycle.send)
    if left:
        asyncio.run(answer)
    else:
        with pytest.raises(RuntimeError, match="the handler is closed"):
            asyncio.run(answer)
    assert cycle.disconnected is left
