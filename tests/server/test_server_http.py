"""What is below the routes: raw HTTP, limits, caching, CORS."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sclbl.registry.local import LocalRegistry
from sclbl.server.limits import Settings
from sclbl.server.urls import parse_url
from tests.server.conftest import Case, Served, error, start, stop
from tests.server.threads import serving

BODY = b'{"rows":[[0.5,1.0,2.0,3.0]]}'
HEAD = (
    b"POST /v1/deployments/numbers/predict HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
)


def connect(served: Served) -> socket.socket:
    parts = urlsplit(served.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def read_answer(stream: Any) -> tuple[int, dict[str, str], bytes]:
    status = int(stream.readline().split()[1])
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    return status, headers, stream.read(int(headers["content-length"]))


def request(body: bytes = BODY, more: bytes = b"") -> bytes:
    return HEAD % (len(body), more) + body


@pytest.mark.parametrize("size", [1, 7, 60, 130, 10_000])
def test_a_request_in_pieces_of_any_size(server: Served, size: int) -> None:
    whole = request()
    expected = server.predict("numbers", [[0.5, 1.0, 2.0, 3.0]]).json()["results"]
    with connect(server) as connection, connection.makefile("rb") as stream:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(3):
            for at in range(0, len(whole), size):
                connection.sendall(whole[at : at + size])
            status, headers, body = read_answer(stream)
            assert (status, headers["content-type"]) == (200, "application/json")
            assert json.loads(body)["results"] == expected


def test_pipelined_requests_are_answered_in_order(server: Served) -> None:
    rows = [[[float(i), -1.0, 2.0, 3.0]] for i in range(12)]
    expected = [
        server.predict("numbers", r, method="decision_function").json()["results"] for r in rows
    ]
    parts = []
    for i, row in enumerate(rows):
        # Every third goes the long way, every fourth is refused.
        body = b"{" if i % 4 == 3 else json.dumps(row).encode()
        head = HEAD.replace(b"/predict", b"/predict?method=decision_function")
        parts.append(head % (len(body), b"Origin: x\r\n" if i % 3 == 2 else b"") + body)
    with connect(server) as connection, connection.makefile("rb") as stream:
        connection.sendall(b"".join(parts))
        for i, wanted in enumerate(expected):
            status, _, body = read_answer(stream)
            if i % 4 == 3:
                assert status == 400
            else:
                assert json.loads(body)["results"] == wanted


def test_recognised_heads_follow_promotions(tmp_path: Path, cases: dict[str, Case]) -> None:
    """A head that is remembered names a ref, not a version."""
    with LocalRegistry(tmp_path) as registry:
        for name in ("numbers", "linear"):
            registry.create("numbers", cases[name].wasm, cases[name].spec)
        registry.promote("numbers@1", "production")
        served = start(tmp_path)
        try:
            whole = request().replace(b"numbers/", b"numbers@production/")
            with connect(served) as connection, connection.makefile("rb") as stream:

                def ask() -> str:
                    connection.sendall(whole)
                    ref: str = json.loads(read_answer(stream)[2])["ref"]
                    return ref

                assert [ask() for _ in range(4)] == ["numbers@1"] * 4
                path = f"{served.url}/v1/deployments/numbers/aliases/production"
                body = {"ref": "numbers@2"}
                # Through this server: seen by the next request.
                requests.put(path, json=body, headers=served.auth, timeout=30).raise_for_status()
                assert [ask() for _ in range(4)] == ["numbers@2"] * 4
                requests.post(f"{path}/rollback", headers=served.auth, timeout=30)
                assert ask() == "numbers@1"
                # By another process: seen within `Settings.revision_seconds`.
                registry.promote("numbers@2", "production")
                found = [ask() for _ in range(2000)]
                assert found[-1] == "numbers@2"
                path = f"{served.url}/v1/deployments/numbers"
                requests.delete(path, headers=served.auth, timeout=30).raise_for_status()
                connection.sendall(whole)
                assert read_answer(stream)[0] == 404
        finally:
            stop(served)


def test_a_declared_10_gb_is_refused_unread(server: Served) -> None:
    ten = 10 * 10**9
    message = "declares 9.313 GiB; this server takes at most"
    with connect(server) as connection, connection.makefile("rb") as stream:
        connection.sendall(
            b"POST /v1/deployments/numbers/versions HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer %b\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: %d\r\n\r\n--x\r\n" % (server.token.encode(), ten)
        )
        status, headers, body = read_answer(stream)
        assert stream.read() == b""  # closed
    assert (status, headers["connection"]) == (413, "close")
    found = json.loads(body)["error"]
    assert (found["code"], found["message"]) == ("limit", f"the upload {message} 512 MiB")
    with connect(server) as connection, connection.makefile("rb") as stream:
        connection.sendall(HEAD % (ten, b""))
        status, _, body = read_answer(stream)
    assert status == 413
    found = json.loads(body)["error"]["message"]
    assert found == f"the body of the prediction {message} 64 MiB"


def test_limits_hold_while_a_body_streams(tmp_path: Path, cases: dict[str, Case]) -> None:
    with LocalRegistry(tmp_path) as registry:
        registry.create("numbers", cases["numbers"].wasm, cases["numbers"].spec)
    served = start(
        tmp_path, "--max-predict-mb", "1", "--max-upload-mb", "1", "--max-rows", "10",
        "--cors", "https://a.example",
    )  # fmt: skip
    try:
        path = "/v1/deployments/numbers/predict"
        kind = {"Content-Type": "application/json"}
        pieces = (b"[" * 1 if i == 0 else b"1.0," * 16384 for i in range(40))
        response = served.post(path, data=pieces, headers=kind)
        message = "the body of the prediction is larger; this server takes at most 1 MiB"
        assert error(response) == (413, "limit", message)
        pieces = (b"--x\r\n" + b"a" * 65536 for _ in range(40))
        form = {"Content-Type": "multipart/form-data; boundary=x", **served.auth}
        response = served.post("/v1/deployments/numbers/versions", data=pieces, headers=form)
        assert response.status_code in (400, 413)
        message = "a request may hold at most 10 rows; send the rest in further requests"
        for count, status in ((10, 200), (11, 413)):
            rows = [[0.0, 1.0, 2.0, 3.0]] * count
            csv = "a,b,c,d\n" + "0,1,2,3\n" * count
            lines = "[0,1,2,3]\n" * count
            for body, media in ((csv, "text/csv"), (lines, "application/x-ndjson")):
                response = served.post(path, data=body, headers={"Content-Type": media})
                assert response.status_code == status
            response = served.predict("numbers", rows)
            assert response.status_code == status
        assert error(response) == (413, "limit", message)
        assert error(served.post(path, data="[]," * 1000, headers=kind))[:2] == (413, "limit")
        # CORS for the one origin that was given, on both ways.
        for origin, allowed in (("https://a.example", True), ("https://b.example", False)):
            for _ in range(3):
                found = served.post(path, json=[[0.0] * 4], headers={"Origin": origin})
                assert ("access-control-allow-origin" in found.headers) is allowed
    finally:
        stop(served)


def test_cors_is_off(server: Served) -> None:
    response = server.get("/v1/deployments", headers={"Origin": "https://a.example"})
    assert "access-control-allow-origin" not in response.headers


def test_a_head_without_end_is_cut_off(server: Served) -> None:
    for start_line in (b"GET /", b"POST /v1/deployments/numbers/predict HTTP/1.1\r\nX: "):
        with connect(server) as connection, connection.makefile("rb") as stream:
            try:
                connection.sendall(start_line)
                for _ in range(40):
                    connection.sendall(b"a" * 65536)
                first = stream.readline()
            except (BrokenPipeError, ConnectionResetError):
                continue  # closed under our hands, which is as good
            assert first == b"" or first.split()[1] in (b"431", b"400")


def send(url: str, *pieces: bytes) -> tuple[int, dict[str, str], bytes] | None:
    """Send pieces and return the answer; None where the server closes without one."""
    parts = urlsplit(url)
    address = (parts.hostname, parts.port)
    with socket.create_connection(address, timeout=30) as line, line.makefile("rb") as stream:
        for piece in pieces:
            line.sendall(piece)
        return read_answer(stream) if stream.peek(1) else None


@pytest.mark.parametrize(
    "settings", [Settings(idle_seconds=0.2), Settings(idle_seconds=30, body_seconds=0.2)]
)
def test_slow_requests_are_cut_off(
    tmp_path: Path, cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr("sclbl.server.connection.HEAD_SECONDS", 0.2)
    with LocalRegistry(tmp_path) as registry:
        registry.create("numbers", cases["numbers"].wasm, cases["numbers"].spec)
        with serving(registry, settings) as (url, _):
            # No head, half a head: closed without a word.
            assert send(url) is None
            assert send(url, request()[:30]) is None
            answer = send(url, request())
            assert answer is not None
            assert answer[0] == 200
            # Half a body, on the long way and on the short one.
            for more in (b"Origin: x\r\n", b"", b""):
                answer = send(url, request(more=more)[:-5])
                assert answer is not None
                assert (answer[0], answer[1]["connection"]) == (408, "close")
                found = json.loads(answer[2])["error"]
                assert found["code"] == "request_timeout"
                said = f"the body of the prediction arrived too slowly: {len(BODY) - 5} bytes so"
                assert found["message"].startswith(said)


def test_access_log_names_requests_and_no_secrets(tmp_path: Path, cases: dict[str, Case]) -> None:
    with LocalRegistry(tmp_path) as registry:
        registry.create("numbers", cases["numbers"].wasm, cases["numbers"].spec)
    served = start(tmp_path, "--access-log")
    try:
        with requests.Session() as session:
            for _ in range(3):
                path = f"{served.url}/v1/deployments/numbers/predict"
                found = session.post(path, json=[[0.0] * 4], headers=served.auth, timeout=30)
                found.raise_for_status()
    finally:
        stop(served)
    served.process.wait()
    log = (tmp_path / "stderr.log").read_text()
    assert log.count('"POST /v1/deployments/numbers/predict HTTP/1.1" 200') == 3
    assert served.token not in log


def test_broken_http_is_refused(server: Served) -> None:
    with connect(server) as connection, connection.makefile("rb") as stream:
        connection.sendall(b"\x16\x03\x01 is TLS\r\n\r\n")
        assert stream.readline().split()[1] == b"400"
    with connect(server) as connection, connection.makefile("rb") as stream:
        # Two lengths are how requests are smuggled.
        connection.sendall(request(more=b"Transfer-Encoding: chunked\r\n"))
        assert stream.readline().split()[1] == b"400"


def test_files_are_cached_for_ever(server: Served, cases: dict[str, Case]) -> None:
    record = server.get("/v1/deployments/numbers").json()
    for path, content, kind in (
        (f"/v1/programs/{record['sha256']}.wasm", cases["numbers"].wasm, "application/wasm"),
        (f"/v1/specs/{record['spec_sha256']}.onnx", cases["numbers"].spec, "application/octet"),
    ):
        response = server.get(path)
        assert response.content == content
        assert response.headers["content-type"].startswith(kind)
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        etag = response.headers["etag"]
        assert etag.strip('"') in path
        again = server.get(path, headers={"If-None-Match": f'W/"x", {etag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert server.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
    missing = "0" * 64
    assert error(server.get(f"/v1/programs/{missing}.wasm"))[:2] == (404, "not_found")
    assert error(server.get("/v1/programs/abc.wasm"))[2].startswith("'abc' is not a SHA-256")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (b"/v1/deployments/churn/predict", ("churn", None)),
        (b"/v1/deployments/churn@3/predict?method=transform", ("churn@3", "transform")),
        (b"/v1/deployments/churn%403/predict?method=", ("churn@3", "")),
        (b"/v1/deployments/churn/predict?", ("churn", None)),
        (b"/v1/deployments/a%2fb/predict", None),
        (b"/v1/deployments//predict", None),
        (b"/v1/deployments/churn/predict?method=a&method=b", None),
        (b"/v1/deployments/churn/predict?x=1", None),
        (b"/v1/deployments/churn/predict?&&", None),
        (b"/v1/deployments/churn", None),
        ("/v1/deployments/é/predict".encode(), None),
    ],
)
def test_urls_of_predictions(url: bytes, expected: Any) -> None:
    assert parse_url(url) == expected


def test_health(server: Served) -> None:
    assert server.get("/healthz").json() == {"status": "ok"}


def test_a_defect_is_logged_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(ref: str) -> None:
        raise RuntimeError("the inside story")

    with LocalRegistry(tmp_path) as registry, serving(registry) as (url, _):
        monkeypatch.setattr(registry, "get", fail)
        response = requests.get(f"{url}/v1/deployments/numbers", timeout=30)
        message = "the server failed on this request; its log says why"
        assert error(response) == (500, "error", message)
    assert "RuntimeError: the inside story" in capfd.readouterr().err
