"""The token: made once, shown once, kept as a hash, asked for at every change."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path

import pytest
import requests

from sclbl.errors import AuthenticationError, CorruptedError
from sclbl.registry.local import LocalRegistry
from sclbl.server import auth
from tests.server.conftest import Case, Served, error, start, stop

MISSING = (
    "this needs a token and none was sent; log in with `sclbl login URL`, or send the header "
    "`Authorization: Bearer TOKEN`"
)
WRONG = (
    "the token is wrong; log in with the token that the server printed when it first started, or "
    "make a new one with `sclbl serve --new-token`"
)
CHANGES = [
    ("POST", "/v1/deployments/numbers/versions"),
    ("PUT", "/v1/deployments/numbers/aliases/beta"),
    ("PATCH", "/v1/deployments/numbers@1"),
    ("POST", "/v1/deployments/numbers/aliases/production/rollback"),
    ("DELETE", "/v1/deployments/numbers"),
]


@pytest.mark.parametrize(("verb", "path"), CHANGES)
def test_changes_need_the_token(server: Served, verb: str, path: str) -> None:
    for headers, message in (
        ({}, MISSING),
        ({"Authorization": "Basic c2NsYmw6"}, MISSING),
        ({"Authorization": "Bearer "}, WRONG),
        ({"Authorization": f"Bearer {server.token}x"}, WRONG),
        ({"Authorization": f"Bearer {server.token.upper()}"}, WRONG),
    ):
        response = requests.request(verb, server.url + path, headers=headers, timeout=30)
        assert error(response) == (401, "authentication", message)
        assert response.headers["www-authenticate"] == 'Bearer realm="sclbl"'
    assert server.get("/v1/deployments/numbers").status_code == 200


def test_a_token_in_the_url_is_none(server: Served) -> None:
    path = f"/v1/deployments/numbers?token={server.token}"
    assert requests.delete(server.url + path, timeout=30).status_code == 401


def test_a_wrong_token_is_refused_where_none_is_needed(server: Served) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    assert error(server.get("/v1/deployments", headers=wrong)) == (401, "authentication", WRONG)
    path = "/v1/deployments/numbers/predict"
    with requests.Session() as session:
        # Recognised requests are checked like the first one.
        for headers, status in ((server.auth, 200), (wrong, 401), ({}, 200)) * 3:
            rows = [[0.0, 1.0, 2.0, 3.0]]
            found = session.post(server.url + path, json=rows, headers=headers, timeout=30)
            assert found.status_code == status


def test_whoami(server: Served) -> None:
    assert server.get("/v1/whoami").json() == {"write": False}
    assert server.get("/v1/whoami", headers=server.auth).json() == {"write": True}


def test_private_server_and_new_token(tmp_path: Path, cases: dict[str, Case]) -> None:
    with LocalRegistry(tmp_path) as registry:
        registry.create("linear", cases["linear"].wasm, cases["linear"].spec)
    first = start(tmp_path, "--private")
    try:
        assert first.token
        for path in ("/v1/deployments", "/v1/deployments/linear", "/openapi.json", "/v1/whoami"):
            assert error(first.get(path)) == (401, "authentication", MISSING)
            assert first.get(path, headers=first.auth).status_code == 200
        assert error(first.predict("linear", [[0.0] * 4])) == (401, "authentication", MISSING)
        assert first.get("/healthz").status_code == 200
        path = "/v1/deployments/linear/predict"
        with requests.Session() as session:
            for headers, status in ((first.auth, 200), ({}, 401)) * 3:
                rows = [[0.0] * 4]
                found = session.post(first.url + path, json=rows, headers=headers, timeout=30)
                assert found.status_code == status
    finally:
        assert stop(first) in (0, -15)
    second = start(tmp_path)
    try:
        assert second.token == ""  # shown once
        assert second.get("/v1/whoami", headers=first.auth).status_code == 200
    finally:
        stop(second)
    third = start(tmp_path, "--new-token", "--access-log")
    try:
        assert third.token not in ("", first.token)
        assert third.get("/v1/whoami", headers=first.auth).status_code == 401
        assert third.get("/v1/whoami", headers=third.auth).status_code == 200
    finally:
        stop(third)
    log = (tmp_path / "stderr.log").read_text()
    for token in (first.token, third.token):
        assert token not in log
        for path in tmp_path.rglob("*"):
            assert path.is_dir() or token.encode() not in path.read_bytes()


def test_nothing_is_readable_by_others(server: Served) -> None:
    token = server.home / "server-token.sha256"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert token.read_text().strip() == hashlib.sha256(server.token.encode()).hexdigest()
    for path in server.home.rglob("*"):
        reachable = [p for p in (path, *path.parents) if p.is_relative_to(server.home)]
        closed = any(not stat.S_IMODE(p.stat().st_mode) & 0o077 for p in reachable)
        assert closed or path.name == "stderr.log", path


def test_tokens_are_long_and_differ(tmp_path: Path) -> None:
    tokens = {auth.new_token(tmp_path / "token") for _ in range(3)}
    assert len(tokens) == 3
    assert all(re.fullmatch(r"sclbl_[A-Za-z0-9_-]{43}", token) for token in tokens)
    assert os.listdir(tmp_path) == ["token"]


def test_guard_shows_nothing(tmp_path: Path) -> None:
    token = auth.new_token(tmp_path / "token")
    guard = auth.Guard(auth.stored_digest(tmp_path / "token") or "")
    guard.check(f"bearer {token}", write=True)
    with pytest.raises(AuthenticationError, match="the token is wrong") as raised:
        guard.check("Bearer sclbl_guess\udcff", write=False)
    assert "guess" not in str(raised.value)
    assert repr(guard) == "<Guard private=False>"


def test_a_damaged_token_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "token"
    assert auth.stored_digest(path) is None
    path.write_text("secret")
    with pytest.raises(CorruptedError, match=r"does not hold the hash.*--new-token") as e:
        auth.stored_digest(path)
    assert "secret" not in str(e.value)
