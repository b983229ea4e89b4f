"""Uploads over HTTP: verified again, recorded once, refused with a reason."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sclbl import manifest
from sclbl.errors import NotFoundError, SclblError, by_code
from sclbl.registry.remote import RemoteRegistry
from sclbl.server.upload import AT_ONCE_BYTES, aside, once
from tests.server.conftest import Case, Served, error, sha256, start, stop

Cases = dict[str, Case]
DETAILS = json.dumps({"sha256": "0" * 64, "spec_sha256": "0" * 64})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that starts empty."""
    running = start(tmp_path_factory.mktemp("uploads"))
    yield running
    stop(running)


def test_upload_predict_and_delete(served: Served, cases: Cases) -> None:
    case = cases["mixed"]
    details = {"alias": "beta", "docs": "who leaves", "tags": {"a": "b"}, "metrics": {"auc": 0.5}}
    response = served.upload("whole", case, **details)
    assert response.status_code == 201
    record = response.json()
    assert response.headers["location"] == record["url"] == "/v1/deployments/whole@1"
    assert record["aliases"] == ["beta"]
    assert {key: record[key] for key in ("docs", "tags", "metrics")} == {
        key: details[key] for key in ("docs", "tags", "metrics")
    }
    answer = served.predict("whole@beta", case.x.to_dict("records")).json()
    assert answer["results"] == case.model.predict(case.x).tolist()
    with RemoteRegistry(served.url, served.token) as registry:
        assert registry.program(registry.get("whole")) == case.wasm
        assert registry.spec(registry.get("whole")) == case.spec
        registry.delete("whole")
        with pytest.raises(NotFoundError):
            registry.get("whole")
    assert served.predict("whole@beta", []).status_code == 404


def test_one_key_makes_one_version(served: Served, cases: Cases) -> None:
    with RemoteRegistry(served.url, served.token) as registry:
        for key in ("key", "a key: é%20", "é" * 128):
            name = f"once-{len(key)}"
            made = [
                registry.create(name, cases["linear"].wasm, cases["linear"].spec, request_id=key)
                for _ in range(2)
            ]
            assert [record.version for record in made] == [1, 1]
            assert len(registry.versions(name)) == 1


BROKEN = {
    "no spec": (lambda c: b"", "spec", "no inputs|no graph|not an ONNX file|opset"),
    "noise": (lambda c: b"\x08\x0a" + b"\xff" * 40, "spec", "not an ONNX file"),
    "truncated": (lambda c: c.spec[:-20], "spec", "not an ONNX file|truncated"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_no_spec_is_refused(served: Served, cases: Cases, how: str) -> None:
    case = cases["numbers"]
    alter, code, message = BROKEN[how]
    response = served.upload("broken", Case(case.model, case.x, case.wasm, alter(case)))
    found = error(response)
    assert found[:2] == (422, code), found[2]
    assert re.search(message, found[2]), found[2]
    assert error(served.get("/v1/deployments/broken"))[0] == 404


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not whole, or not compressed with zlib (it ends too early)"),
        (b"no zlib", "not whole, or not compressed with zlib"),
        (zlib.compress(b"x" * 4096)[:-3], "it ends too early"),
        (zlib.compress(b"x") + b"y", "something follows it"),
    ],
)
def test_what_is_not_compressed_is_refused(
    served: Served, cases: Cases, body: bytes, message: str
) -> None:
    files = {"spec": ("s", body), "details": (None, DETAILS)}
    path = "/v1/deployments/broken/versions"
    found = error(served.post(path, files=files, headers=served.auth))
    assert found[:2] == (422, "spec")
    assert message in found[2]


def test_no_code_that_is_sent_is_stored(served: Served, cases: Cases) -> None:
    """There is no way to send a program; a SHA-256 of other code leads to what was compiled."""
    import wasmtime

    case = cases["mixed"]
    loop = wasmtime.wat2wasm(
        '(module (memory (export "memory") 1) (func (export "predict") (loop (br 0))))'
    )
    hostile = manifest.attach(bytes(loop), manifest.read(case.wasm))
    path = "/v1/deployments/hostile/versions"
    files = {
        "program": ("p.wasm", hostile),
        "spec": ("s.onnx.z", zlib.compress(case.spec)),
        "details": (None, json.dumps({"sha256": sha256(hostile), "spec_sha256": "0"})),
    }
    assert error(served.post(path, files=files, headers=served.auth))[:2] == (400, "request")
    response = served.upload("hostile", Case(None, None, hostile, case.spec))
    assert response.status_code == 202
    pending = response.json()["pending"]
    assert error(served.get("/v1/deployments/hostile"))[0] == 404
    assert error(served.get(f"/v1/programs/{pending['sha256']}.wasm"))[0] == 404
    assert served.get(f"{pending['url']}.wasm", headers=served.auth).content == case.wasm
    # Neither is what waits confirmed by the SHA-256 of anything else.
    body = {"sha256": sha256(hostile), "stated": {}}
    found = error(served.post(pending["url"], json=body, headers=served.auth))
    assert found[:2] == (409, "conflict")
    for stated in ({"signature": {}}, {"spec": "0" * 64}, {"code": "0"}):
        body = {"sha256": sha256(hostile), "stated": stated}
        found = error(served.post(pending["url"], json=body, headers=served.auth))
        assert found[:2] == (422, "invalid_program")
        assert "an uploader cannot state" in found[2]
    assert error(served.get("/v1/deployments/hostile"))[0] == 404


def test_a_pending_upload_is_confirmed_once(served: Served, cases: Cases) -> None:
    case = cases["linear"]
    report = {"against": "it", "rows": 9, "refusals": 0, "ok": True, "methods": []}
    elsewhere = Case(case.model, case.x, b"other bytes, of another release of LLVM", case.spec)
    path = "/v1/deployments/once-more/versions"
    details = {"sha256": sha256(elsewhere.wasm), "spec_sha256": sha256(case.spec), "docs": "text"}
    files = {"spec": ("s", zlib.compress(case.spec)), "details": (None, json.dumps(details))}
    headers = {**served.auth, "Idempotency-Key": "once-more"}
    answers = [served.post(path, files=files, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    pending = answers[0].json()["pending"]
    assert answers[1].json()["pending"] == pending
    assert error(served.post(pending["url"], json={"sha256": "0"}))[0] == 401
    assert error(served.get(f"{pending['url']}.wasm"))[0] == 401
    final = manifest.restate(case.wasm, {"report": report})
    body = {"sha256": sha256(final), "stated": {"report": report}}
    made = [served.post(pending["url"], json=body, headers=served.auth) for _ in range(2)]
    made.append(served.post(path, files=files, headers=headers))
    assert [answer.status_code for answer in made] == [201, 201, 201]
    records = [answer.json() for answer in made]
    assert records[0] == records[1] == records[2]
    assert (records[0]["version"], records[0]["docs"]) == (1, "text")
    assert records[0]["sha256"] == sha256(final)
    assert records[0]["manifest"]["report"] == report
    assert records[0]["checked"]["against"] == "the reference interpreter"
    other = {"sha256": sha256(case.wasm), "stated": {}}
    assert error(served.post(pending["url"], json=other, headers=served.auth))[:2] == (
        409,
        "conflict",
    )
    assert served.get("/v1/deployments/once-more/versions").json()["versions"] == records[:1]


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ('{"sha256": "x", "spec_sha256": "%s"}', "Expected `str` matching regex"),
        ('{"sha256": "%s", "sha256": "x"}', "the key 'sha256' is there more than once"),
    ],
)
def test_details_that_are_malformed(served: Served, details: str, said: str) -> None:
    files = {"spec": ("s", b"x"), "details": (None, details % ("0" * 64))}
    path = "/v1/deployments/malformed/versions"
    found = error(served.post(path, files=files, headers=served.auth))
    assert found[:2] == (400, "request")
    assert said in found[2]


class Counted(str):
    """A key that counts how often it is compared."""

    __slots__ = ()
    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)


def test_the_key_that_is_there_twice_is_found_in_one_pass() -> None:
    pairs = [(Counted(f"k{i % 2000}"), 0) for i in range(2001)]
    Counted.compared = 0
    with pytest.raises(ValueError, match="the key 'k0' is there more than once"):
        once(pairs)
    assert Counted.compared < 100


def test_long_json_is_read_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(data: bytes) -> str:
        return threading.current_thread().name

    async def reads(size: int) -> bool:
        return await aside(read, bytes(size)) == threading.current_thread().name

    assert asyncio.run(reads(AT_ONCE_BYTES))
    assert not asyncio.run(reads(AT_ONCE_BYTES + 1))


def test_a_dropped_upload_is_gone(served: Served, cases: Cases) -> None:
    case = cases["scaler"]
    pending = served.upload("dropped", Case(None, None, b"other", case.spec)).json()["pending"]
    path = f"{served.url}{pending['url']}"
    assert error(requests.delete(path, timeout=30))[0] == 401
    assert requests.delete(path, headers=served.auth, timeout=30).status_code == 204
    found = error(served.get(f"{pending['url']}.wasm", headers=served.auth))
    assert found[:2] == (404, "not_found")
    assert "waits to be confirmed (each is gone after 60 minutes); upload the model" in found[2]
    assert error(served.get("/v1/deployments/dropped"))[0] == 404


FORM = "send multipart/form-data with the file 'spec' (.onnx, compressed with zlib) and the field"


@pytest.mark.parametrize(
    ("files", "status", "code", "message"),
    [
        ({}, 415, "media_type", "an upload has the Content-Type ''; send multipart/form-data"),
        ({"details": (None, DETAILS)}, 400, "request", f"has no file 'spec'; {FORM}"),
        ({"spec": b"x"}, 400, "request", "the upload has no field 'details'"),
        ({"spec": b"x", "details": b"x"}, 400, "request", "Too many files"),
        ({"spec": b"x", "model.pkl": b"x"}, 400, "request", "Too many files"),
        ({"model": b"x", "details": (None, DETAILS)}, 400, "request", "a part 'model' too many"),
        (
            {"spec": b"x", "details": (None, b"{")},
            400,
            "request",
            "the upload's details cannot be read: Expecting property name",
        ),
        (
            {"spec": b"x", "details": (None, b"[" * 100_000)},
            400,
            "request",
            "the upload's details cannot be read: maximum recursion depth",
        ),
        (
            {"spec": b"x", "details": (None, b'{"sha256": "%s"}' % (b"0" * 64))},
            400,
            "request",
            "missing required field `spec_sha256`",
        ),
        (
            {"spec": b"x", "details": (None, DETAILS.replace("sha", "sha1", 1))},
            400,
            "request",
            "unknown field `sha1256`",
        ),
        (
            {"spec": b"x", "details": (None, DETAILS[:-1] + ', "alias": "3"}')},
            400,
            "invalid_name",
            "the alias '3' is a number",
        ),
    ],
)
def test_bad_forms(
    served: Served, files: dict[str, Any], status: int, code: str, message: str
) -> None:
    response = served.post(
        "/v1/deployments/forms/versions", files=files or None, headers=served.auth
    )
    found = error(response)
    assert found[:2] == (status, code)
    assert message in found[2]


def test_bad_multipart(served: Served) -> None:
    for kind, body in (
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"no boundary here"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp"),
    ):
        headers = {**served.auth, "Content-Type": kind}
        response = served.post("/v1/deployments/forms/versions", data=body, headers=headers)
        assert error(response)[:2] == (400, "request")


@pytest.mark.parametrize("name", ["Churn", "a b", "churn@3", "-x", "x" * 65])
def test_bad_names(served: Served, cases: Cases, name: str) -> None:
    found = error(served.upload(name, cases["linear"]))
    assert found[:2] == (400, "invalid_name")
    with pytest.raises(by_code("invalid_name")) as raised:
        RemoteRegistry(served.url, served.token).create(name, b"", b"")
    assert str(raised.value) == found[2]


def test_promotion_bodies(served: Served, cases: Cases) -> None:
    served.upload("moved", cases["linear"])
    path = f"{served.url}/v1/deployments/moved/aliases/beta"
    for body, status, message in (
        (b"", 400, 'must be {"ref": "moved@VERSION"}'),
        (b'{"ref": 3}', 400, "Expected `str`, got `int`"),
        (b'{"ref": "moved@1", "x": 1}', 400, "unknown field `x`"),
        (b'{"ref": "other@1"}', 409, "other@1 is not a version of moved"),
        (b'{"ref": "moved@2"}', 404, "moved has no version 2"),
        (b'{"ref": "' + b"a" * 70_000 + b'"}', 413, "declares 68.37 KiB; this server takes"),
        (b'{"ref": "moved@1"}', 200, ""),
    ):
        response = requests.put(path, data=body, headers=served.auth, timeout=30)
        assert response.status_code == status
        assert message in (error(response)[2] if status != 200 else "")


def test_edits(served: Served, cases: Cases) -> None:
    served.upload("noted", cases["linear"], docs="a", tags={"t": "x", "u": "y"}).raise_for_status()
    url = f"{served.url}/v1/deployments/noted"

    def edit(body: str) -> requests.Response:
        return requests.patch(url, data=body.encode(), headers=served.auth, timeout=30)

    answer = edit('{"docs": null, "tags": {"t": null, "v": "z"}, "metrics": {"auc": 0.5}}')
    record = answer.json()
    assert (record["docs"], record["tags"], record["metrics"]) == (
        "", {"u": "y", "v": "z"}, {"auc": 0.5},
    )  # fmt: skip
    assert served.get("/v1/deployments/noted@1").json() == record
    for body, status, message in (
        ("{}", 422, "nothing to edit"),
        ('{"docs": 3}', 400, "the body of an edit must be"),
        ('{"alias": "beta"}', 400, "unknown field `alias`"),
        ('{"metrics": {"a": 1e999}}', 400, "the body of an edit must be"),
        ("", 400, "the body of an edit must be"),
        ('{"tags": {"a": "b", "a": "c"}}', 400, "the key 'a' is there more than once"),
        ('{"docs": "a", "docs": "b"}', 400, "the key 'docs' is there more than once"),
    ):
        found = error(edit(body))
        assert found[0] == status, body
        assert message in found[2]
    assert served.get("/v1/deployments/noted@1").json() == record


def test_errors_are_the_same_on_both_ends(served: Served, cases: Cases) -> None:
    with RemoteRegistry(served.url, served.token) as registry:
        registry.create("same", cases["linear"].wasm, cases["linear"].spec)
        acts = [
            ("/v1/deployments/same@9", lambda: registry.get("same@9")),
            ("/v1/deployments/nobody", lambda: registry.get("nobody")),
            ("/v1/deployments/nobody/versions", lambda: registry.versions("nobody")),
        ]
        for path, act in acts:
            code, message = error(served.get(path))[1:]
            with pytest.raises(by_code(code)) as raised:
                act()
            assert isinstance(raised.value, SclblError)
            assert str(raised.value) == message


def test_nothing_is_logged_but_failures(served: Served, tmp_path: Path) -> None:
    log = (served.home / "stderr.log").read_text()
    assert served.token not in log
    assert "Traceback" not in log
    assert json.dumps(served.url) not in log
