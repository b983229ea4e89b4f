"""Who may do what, what is written about it, and what the registry's troubles look like."""

from __future__ import annotations

import errno
import hashlib
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sclbl.errors import (
    AuthenticationError,
    CorruptedError,
    HostError,
    RegistryError,
    RequestError,
    StorageError,
)
from sclbl.registry.local import LocalRegistry
from sclbl.server import auth, process
from sclbl.server.gate import Gate
from sclbl.server.limits import Settings
from sclbl.server.slowdown import Slowdown
from tests.server.conftest import Case, Served, error, start, stop
from tests.server.threads import serving

ALIAS = "/v1/deployments/numbers/aliases/beta"


@pytest.fixture
def registry(tmp_path: Path, cases: dict[str, Case]) -> Iterator[LocalRegistry]:
    with LocalRegistry(tmp_path) as registry:
        registry.create("numbers", cases["numbers"].wasm, cases["numbers"].spec)
        yield registry


def promote(url: str, token: str) -> requests.Response:
    head = {"Authorization": f"Bearer {token}"}
    return requests.put(url + ALIAS, json={"ref": "numbers@1"}, headers=head, timeout=120)


def predict(url: str, **headers: str) -> requests.Response:
    path = f"{url}/v1/deployments/numbers/predict"
    return requests.post(path, json=[[0.0] * 4], headers=headers, timeout=60)


# ---------------------------------------------------------------------- hosts


def test_a_page_of_another_name_reads_nothing(server: Served) -> None:
    """A name of somebody else's that comes to point at this machine."""
    port = server.url.rpartition(":")[2]
    predict(server.url).raise_for_status()
    for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", "127.0.0.2", ""):
        for answer in (
            server.get("/v1/deployments", headers={"Host": host}),
            server.get("/openapi.json", headers={"Host": host}),
            server.get("/v1/deployments", headers={"Host": host, **server.auth}),
            predict(server.url, Host=host),
            predict(server.url, Host=host, Origin="https://evil.example"),
        ):
            status, code, message = error(answer)
            assert (status, code) == (421, "host")
            assert message.startswith(f"this server does not answer for the host {host!r}; it ")
    for host in ("localhost", f"LOCALHOST:{port}", "localhost.", "127.0.0.1:1", "[::1]:8000"):
        assert server.get("/v1/deployments", headers={"Host": host}).status_code == 200
        assert predict(server.url, Host=host).status_code == 200


def test_hosts_are_asked_for_on_loopback_only() -> None:
    own = ("localhost", "127.0.0.1", "[::1]")
    with socket.create_server(("127.0.0.1", 0)) as local:
        assert process.hosts_for(local) == own
        assert process.hosts_for(local, ["models.example"]) == (*own, "models.example")
        assert process.hosts_for(local, ["*"]) == ()
    with socket.create_server(("127.0.0.3", 0)) as local:
        assert process.hosts_for(local) == (*own, "127.0.0.3")
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        assert process.hosts_for(everywhere) == ()
        assert process.hosts_for(everywhere, ["models.example"]) == ("models.example",)


def test_the_gate_says_the_same_on_both_ways() -> None:
    digest = hashlib.sha256(b"right").hexdigest()
    for private in (False, True):
        guard = auth.Guard(digest, private=private)
        gate = Gate(guard, Settings(hosts=("localhost",)))
        for host in ("localhost:80", "other", None):
            for sent in ([], ["Bearer right"], ["Bearer wrong"], ["Bearer right"] * 2, ["Basic x"]):
                refused = False
                try:
                    gate.check_host(host)
                    gate.check(sent, write=False)
                except (HostError, RequestError, AuthenticationError):
                    refused = True
                short = gate.admits(host, sent) and gate.admits_token(sent[0] if sent else None)
                assert short is not refused


# ---------------------------------------------------------------------- token


def test_a_new_token_takes_effect_in_servers_that_run(
    tmp_path: Path, cases: dict[str, Case]
) -> None:
    with LocalRegistry(tmp_path) as registry:
        registry.create("numbers", cases["numbers"].wasm, cases["numbers"].spec)
    first = start(tmp_path, "--private")
    try:
        predict(first.url, **first.auth).raise_for_status()
        second = start(tmp_path, "--new-token")
        stop(second)
        assert second.token not in ("", first.token)
        for _ in range(600):
            if first.get("/v1/whoami", headers=second.auth).status_code == 200:
                break
            time.sleep(0.05)
        for headers, status in ((second.auth, 200), (first.auth, 401)) * 2:
            assert predict(first.url, **headers).status_code == status
    finally:
        stop(first)
    log = (tmp_path / "stderr.log").read_text()
    mark = hashlib.sha256(second.token.encode()).hexdigest()[:8]
    assert f"the token changed: the one with the fingerprint {mark} is right from now on" in log


def test_without_its_file_no_token_is_right(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = auth.new_token(path)
    guard = auth.Guard(auth.stored_digest(path) or "", path=path)
    guard.renew()
    guard.check(f"Bearer {token}", write=True)
    for damage in ("secret", None):
        if damage is None:
            path.unlink()
        else:
            path.write_text(damage)
        guard.renew()
        for wrong in (token, "", "x"):
            with pytest.raises(AuthenticationError, match="the token is wrong"):
                guard.check(f"Bearer {wrong}", write=False)
    token = auth.new_token(path)
    guard.renew()
    guard.check(f"Bearer {token}", write=True)


def test_changes_and_wrong_tokens_are_logged(
    registry: LocalRegistry, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(registry) as (url, token):
        assert promote(url, token).status_code == 200
        requests.delete(
            f"{url}/v1/deployments/numbers@1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        for _ in range(3):
            assert promote(url, "sclbl_guess").status_code == 401
        requests.get(f"{url}/v1/deployments", timeout=30).raise_for_status()
    log = capfd.readouterr().err
    lines = [json.loads(x.partition(" audit ")[2]) for x in log.splitlines() if " audit " in x]
    who = {"client": "127.0.0.1", "token": hashlib.sha256(token.encode()).hexdigest()[:8]}
    assert lines == [
        {**who, "did": "promote", "on": ["numbers@1", "beta"], "result": "numbers@1"},
        {**who, "did": "delete", "on": ["numbers@1"], "failed": "conflict"},
    ]
    wrong = [json.loads(x.partition("token ")[2]) for x in log.splitlines() if "refused token" in x]
    mark = hashlib.sha256(b"sclbl_guess").hexdigest()[:8]
    assert wrong == [
        {"client": "127.0.0.1", "token": mark, "path": ALIAS, "count": n} for n in (1, 2)
    ]
    assert token not in log
    assert "sclbl_guess" not in log


def test_slow_answers_to_wrong_tokens_lock_nobody_out(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sclbl.server.slowdown.FIRST_SECONDS", 600.0)
    monkeypatch.setattr("sclbl.server.slowdown.MOST_SECONDS", 600.0)
    monkeypatch.setattr("sclbl.server.process.STOP_SECONDS", 1)  # nor does the end wait for it
    with serving(registry) as (url, token):
        wrong = {"Authorization": "Bearer x"}
        with pytest.raises(requests.Timeout):
            requests.get(f"{url}/v1/whoami", headers=wrong, timeout=0.5)
        # The right one, from the same address, does not wait.
        assert promote(url, token).status_code == 200
        assert predict(url, Authorization=f"Bearer {token}").status_code == 200


def test_the_slowdown_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slowdown()
    assert [slow.count("10.0.0.1") for _ in range(3)] == [1, 2, 3]
    assert slow.count("10.0.0.2") == 1
    # One network of IPv6 is one client.
    assert [slow.count(f"2001:db8::{n}") for n in range(1, 4)] == [1, 2, 3]
    for n in range(10_000):
        slow.count(f"10.1.{n // 256}.{n % 256}")
    assert len(slow._wrong) <= 4096
    assert slow.count("10.0.0.1") == 1
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1000)
    assert slow.count("10.1.39.15") == 1


# --------------------------------------------------------- a registry in trouble


def test_reads_and_health_do_not_wait_for_writers(registry: LocalRegistry, tmp_path: Path) -> None:
    with serving(registry) as (url, token):
        predict(url).raise_for_status()
        other = sqlite3.connect(tmp_path / "registry.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writers = [threading.Thread(target=promote, args=(url, token)) for _ in range(20)]
        try:
            for writer in writers:
                writer.start()
            time.sleep(0.3)
            for _ in range(3):
                assert requests.get(f"{url}/healthz", timeout=20).json() == {"status": "ok"}
                assert requests.get(f"{url}/v1/deployments", timeout=20).status_code == 200
                assert predict(url).status_code == 200
                assert predict(url, Origin="x").status_code == 200
            assert all(writer.is_alive() for writer in writers)
        finally:
            other.execute("COMMIT")
            other.close()
            for writer in writers:
                writer.join()


def test_a_registry_that_does_not_answer(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health says so; predictions go on with what was last known, on both ways."""
    monkeypatch.setattr("sclbl.server.context.HEALTH_SECONDS", 0.2)
    monkeypatch.setattr("sclbl.server.revision.PATIENCE", 0.2)
    stuck, revision = threading.Event(), registry.revision
    with serving(registry) as (url, _):
        predict(url).raise_for_status()
        monkeypatch.setattr(registry, "revision", lambda: (stuck.wait(60), revision())[1])
        try:
            time.sleep(0.1)
            for _ in range(2):
                answer = requests.get(f"{url}/healthz", timeout=30)
                message = "the registry did not answer within 0.2 s"
                assert error(answer) == (503, "busy", message)
                assert predict(url).status_code == 200
        finally:
            stuck.set()
        for _ in range(200):
            if requests.get(f"{url}/healthz", timeout=30).status_code == 200:
                break
            time.sleep(0.05)
        assert requests.get(f"{url}/healthz", timeout=30).status_code == 200


def test_a_registry_whose_database_is_deleted(
    registry: LocalRegistry, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Health says so, and predictions go on with what was loaded, on both ways."""
    path = tmp_path / "registry.db"
    with serving(registry) as (url, _):
        predict(url).raise_for_status()
        kept = path.rename(tmp_path / "kept.db")
        for _ in range(3):
            answer = requests.get(f"{url}/healthz", timeout=30)
            assert error(answer)[:2] == (503, "storage")
            assert "was deleted while it was open; restore it from a backup" in answer.text
            assert str(tmp_path) not in answer.text
            time.sleep(0.05)
            assert predict(url).status_code == 200
            assert predict(url, Origin="x").status_code == 200
        said = capfd.readouterr().err
        assert said.count("cannot be asked for changes") == 1
        kept.rename(path)
        assert requests.get(f"{url}/healthz", timeout=30).status_code == 200
        assert predict(url).status_code == 200


@pytest.mark.parametrize("bytes_left", [b"", b"not a database" * 1000])
def test_the_revision_of_what_is_no_database(
    registry: LocalRegistry, tmp_path: Path, bytes_left: bytes
) -> None:
    registry.revision()
    registry.close()
    for file in tmp_path.glob("registry.db*"):
        file.unlink()
    if bytes_left:
        (tmp_path / "registry.db").write_bytes(bytes_left)
    kind = CorruptedError if bytes_left else StorageError
    with pytest.raises(kind, match="is damaged" if bytes_left else "was deleted"):
        registry.revision()


SAID = "the server's storage does not work just now: why; the server's log says more"


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        (errno.ENOSPC, 507, "storage_full"),
        (errno.EDQUOT, 507, "storage_full"),
        (errno.EROFS, 503, "read_only"),
        (errno.EACCES, 503, "read_only"),
        (errno.EMFILE, 503, "exhausted"),
        (errno.EIO, 503, "storage"),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_failing_disk_is_not_the_clients_fault(
    registry: LocalRegistry,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    number: int,
    status: int,
    code: str,
    wrapped: bool,
) -> None:
    place = f"{registry.location}/blobs/secret"

    def fail(*args: Any) -> None:
        try:
            raise OSError(number, "why", place)
        except OSError as error:
            if not wrapped:
                raise
            raise RegistryError(f"{place} could not be written: why") from error

    monkeypatch.setattr(registry, "promote", fail)
    with serving(registry) as (url, token):
        answer = promote(url, token)
        assert error(answer) == (status, code, SAID)
        assert answer.headers["retry-after"] == "1"
        assert registry.location not in answer.text
    assert place in capfd.readouterr().err


def test_where_the_registry_lies_is_not_said(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(ref: str) -> None:
        raise CorruptedError(
            f"the registry {registry.location} is damaged: {registry.location}/blobs/x is missing"
        )

    monkeypatch.setattr(registry, "get", damaged)
    with serving(registry) as (url, _):
        answer = requests.get(f"{url}/v1/deployments/numbers", timeout=30)
        message = "the registry is damaged: blobs/x is missing"
        assert error(answer) == (500, "corrupted", message)
