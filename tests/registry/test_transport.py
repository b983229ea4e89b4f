"""The client against servers that break, lie, redirect or are not there."""

from __future__ import annotations

import json
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from sclbl.errors import (
    AuthenticationError,
    ColumnError,
    CorruptedError,
    DeletedError,
    RegistryError,
    RequestError,
    SclblError,
    ServerUnreachableError,
)
from sclbl.registry import transport
from sclbl.registry.remote import RemoteRegistry
from tests.registry.programs import make_program

TOKEN = "sclbl_very-secret"
#: What a scripted server does with one request; None closes the connection without an answer.
Reply = tuple[int, bytes, dict[str, str]] | None


class Scripted:
    """A server that answers from a list, and keeps what it was asked."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {key.lower(): value for key, value in self.headers.items()}
                headers["from"] = str(self.client_address[1])
                outer.seen.append((self.command, self.path, headers))
                reply = outer.replies.pop(0)
                if reply is None:
                    self.close_connection = True
                    return
                status, body, more = reply
                self.send_response(status)
                for key, value in {"Content-Length": str(len(body)), **more}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.stop()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Do not wait between tries; keep what would have been waited."""
    waited: list[float] = []
    # Not time.sleep itself, which other threads of this process use.
    monkeypatch.setattr(transport, "time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture
def registry(scripted: Scripted) -> Iterator[RemoteRegistry]:
    with RemoteRegistry(scripted.url, TOKEN) as registry:
        yield registry


def ok(data: Any, status: int = 200) -> Reply:
    return status, json.dumps(data).encode(), {}


def refusal(status: int, code: str, message: str, **more: Any) -> Reply:
    body = {"error": {"code": code, "message": message, "row": None, "column": None, **more}}
    return status, json.dumps(body).encode(), {}


RECORD = {
    "name": "churn",
    "version": 1,
    "sha256": "0" * 64,
    "spec_sha256": "1" * 64,
    "size": 3,
    "created_at": "2026-01-01T00:00:00+00:00",
    "docs": "",
    "tags": {},
    "metrics": {},
    "aliases": [],
    "manifest": {},
}


def test_busy_and_broken_answers_are_tried_again(
    scripted: Scripted, registry: RemoteRegistry, waits: list[float]
) -> None:
    scripted.replies = [None, (503, b"", {"Retry-After": "3"}), (502, b"", {}), ok(RECORD)]
    assert registry.get("churn").version == 1
    assert len(scripted.seen) == 4
    low, high = zip(*((w * 0.75, w * 1.25) for w in (0.2, 3.0, 1.8)), strict=True)
    assert all(a <= w <= b for a, w, b in zip(low, waits, high, strict=True))


def test_a_server_that_stays_busy_is_said(scripted: Scripted, registry: RemoteRegistry) -> None:
    scripted.replies = [(503, b"", {"Retry-After": "0"})] * 4
    with pytest.raises(RequestError, match=r"/v1/deployments/churn answered with status 503"):
        registry.get("churn")


def test_a_repeated_upload_carries_one_key(scripted: Scripted, registry: RemoteRegistry) -> None:
    scripted.replies = [None, ok(RECORD, 201), ok(RECORD, 201)]
    registry.create("churn", *make_program(0))
    registry.create("churn", *make_program(0), request_id="mine")
    keys = [headers["idempotency-key"] for _, _, headers in scripted.seen]
    assert len(keys[0]) == 32
    assert keys[0] == keys[1]
    assert keys[2] == "mine"


def test_a_deletion_that_was_done_is_done(scripted: Scripted, registry: RemoteRegistry) -> None:
    gone = refusal(410, "deleted", "churn@1 was deleted on Monday")
    scripted.replies = [None, gone]
    registry.delete("churn@1")
    scripted.replies = [gone]
    with pytest.raises(DeletedError, match=r"^churn@1 was deleted on Monday$"):
        registry.delete("churn@1")


def test_a_rollback_is_not_repeated(scripted: Scripted, registry: RemoteRegistry) -> None:
    scripted.replies = [None]
    said = "the request may have been carried out, so look before repeating it"
    with pytest.raises(ServerUnreachableError, match=said):
        registry.rollback("churn", "production")
    assert len(scripted.seen) == 1


def test_nobody_there(waits: list[float]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    said = rf"no answer from {url} \(.*refused.*\); check the URL, that `sclbl serve` runs there"
    acts: list[Callable[[RemoteRegistry], Any]] = [
        lambda r: r.get("churn"),
        lambda r: r.rollback("churn", "production"),
        lambda r: r.whoami(),
    ]
    for act in acts:
        waits.clear()
        with RemoteRegistry(url, TOKEN) as registry, pytest.raises(ServerUnreachableError) as e:
            act(registry)
        assert e.match(said)
        assert TOKEN not in str(e.value)
        assert waits == []


def test_a_server_that_goes_away_is_waited_for(
    scripted: Scripted, registry: RemoteRegistry, waits: list[float], monkeypatch: Any
) -> None:
    scripted.replies = [None]

    def sleep(seconds: float) -> None:
        if not waits:
            scripted.server.shutdown()
            scripted.server.server_close()
        waits.append(seconds)

    monkeypatch.setattr(transport.time, "sleep", sleep)
    with pytest.raises(ServerUnreachableError, match="refused"):
        registry.get("churn")
    assert len(waits) == 3


def test_unknown_host() -> None:
    registry = RemoteRegistry("http://nowhere.invalid")
    with registry, pytest.raises(ServerUnreachableError, match=r"from http://nowhere\.invalid"):
        registry.deployments()


@pytest.mark.parametrize("code", ["columns", "missing_value", "unknown_category"])
def test_errors_come_back_as_they_were(
    scripted: Scripted, registry: RemoteRegistry, code: str
) -> None:
    from sclbl.errors import by_code

    scripted.replies = [refusal(422, code, "the text", row=3, column="age")]
    with pytest.raises(ColumnError if code == "columns" else by_code(code)) as raised:
        registry.deployments()
    assert type(raised.value) is by_code(code)
    assert (str(raised.value), raised.value.row, raised.value.column) == ("the text", 3, "age")


def test_a_code_of_a_newer_server(scripted: Scripted, registry: RemoteRegistry) -> None:
    scripted.replies = [refusal(422, "from_the_future", "the text")]
    with pytest.raises(SclblError, match=r"^the text$") as raised:
        registry.deployments()
    assert type(raised.value) is SclblError


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        ((200, b"<html>", {}), RequestError, "answered what is not JSON; check that this is the"),
        ((200, b"[]", {}), RequestError, r"cannot be read \(.*Expected `object`"),
        ((200, b'{"deployments": [{}]}', {}), RequestError, "cannot be read .* field `name`"),
        ((404, b"<html>", {}), RequestError, "answered with status 404 and no error of sclbl's"),
        ((401, b"", {}), AuthenticationError, r"asks for other credentials \(status 401\)"),
        ((500, b'{"error": "x"}', {}), RequestError, "answered with status 500 and no error"),
        (
            (302, b"", {"Location": "https://evil.example/v1"}),
            RequestError,
            "redirects to 'evil.example', and redirections are not followed, so that the token",
        ),
    ],
)
def test_answers_that_are_none(
    scripted: Scripted,
    registry: RemoteRegistry,
    reply: Reply,
    error: type[SclblError],
    message: str,
) -> None:
    scripted.replies = [reply]
    with pytest.raises(error, match=message) as raised:
        registry.deployments()
    assert TOKEN not in str(raised.value)
    assert len(scripted.seen) == 1


def test_connections_are_kept(scripted: Scripted, registry: RemoteRegistry) -> None:
    scripted.replies = [ok({"deployments": []}), refusal(404, "not_found", "m"), ok(RECORD)]
    registry.deployments()
    with pytest.raises(SclblError, match="m"):
        registry.get("other")
    registry.get("churn")
    assert len({headers["from"] for _, _, headers in scripted.seen}) == 1


def test_altered_downloads_are_not_used(scripted: Scripted, registry: RemoteRegistry) -> None:
    scripted.replies = [(200, b"something else", {})] * 2
    for read, what in ((registry.program, "program"), (registry.spec, "spec")):
        with pytest.raises(CorruptedError, match=rf"the {what} that {scripted.url} sent has the"):
            read("0" * 64)


def test_the_token_is_sent_and_never_shown(scripted: Scripted, registry: RemoteRegistry) -> None:
    scripted.replies = [ok({"deployments": []})]
    registry.deployments()
    assert scripted.seen[0][2]["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in scripted.seen[0][1]
    inside = registry._transport
    for shown in (repr(registry), repr(inside), repr(inside._bearer), registry.location):
        assert TOKEN not in shown
    assert TOKEN.encode() not in pickle.dumps(registry)


def test_a_netrc_is_not_sent(
    scripted: Scripted, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    scripted.replies = [ok({"deployments": []})] * 2
    for token in (None, TOKEN):
        with RemoteRegistry(scripted.url, token) as registry:
            registry.deployments()
    sent = [headers.get("authorization") for _, _, headers in scripted.seen]
    assert sent == [None, f"Bearer {TOKEN}"]


@pytest.mark.parametrize("url", ["http://models.example.org", "http://10.0.0.7:8000"])
def test_the_token_does_not_travel_unencrypted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "the token would travel to .* unencrypted, where others can read it; use https://"
    with pytest.raises(AuthenticationError, match=said) as raised:
        RemoteRegistry(url, TOKEN)
    assert TOKEN not in str(raised.value)
    RemoteRegistry(url).close()  # reading needs none
    RemoteRegistry(url, TOKEN, allow_http=True).close()
    monkeypatch.setenv("SCLBL_ALLOW_HTTP", "1")
    RemoteRegistry(url, TOKEN).close()


@pytest.mark.parametrize(
    "url",
    ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1", "https://models.example.org"],
)
def test_where_the_token_may_travel(url: str) -> None:
    assert RemoteRegistry(url, TOKEN).location == url


def test_a_look_alike_of_this_machine_is_another() -> None:
    for url in ("http://localhost.example.org", "http://127.0.0.1.example.org"):
        with pytest.raises(AuthenticationError, match="unencrypted"):
            RemoteRegistry(url, TOKEN)


def test_secrets_in_urls_are_refused() -> None:
    with pytest.raises(RegistryError, match="carries a user or password") as raised:
        RemoteRegistry("https://me:hunter2@models.example.org")
    assert "hunter2" not in str(raised.value)
