"""Uploads over HTTP: verified again, recorded once, refused with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from sklearn.linear_model import LogisticRegression

from sclbl import manifest
from sclbl.errors import NotFoundError, SclblError, by_code
from sclbl.registry.remote import RemoteRegistry
from tests.server.conftest import Case, Served, error, start, stop

Cases = dict[str, Case]


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


def altered(wasm: bytes, **changes: Any) -> bytes:
    return manifest.attach(wasm, {**manifest.read(wasm), **changes})


def other(case: Case) -> bytes:
    """Return the code of another model under the manifest of this one."""
    from sclbl.compiler import compile_spec
    from sclbl.strippers import strip

    flipped = LogisticRegression().fit(-np.asarray(case.x), case.model.predict(case.x))
    return manifest.attach(compile_spec(strip(flipped, case.x[:5])), manifest.read(case.wasm))


BROKEN = {
    "empty": (lambda c: (b"", c.spec), "invalid_program", "not a WebAssembly module"),
    "foreign": (lambda c: (b"MZ" + c.wasm, c.spec), "invalid_program", "not a WebAssembly module"),
    "truncated": (lambda c: (c.wasm[:-9], c.spec), "invalid_program", "truncated"),
    "half": (lambda c: (c.wasm[: len(c.wasm) // 2], c.spec), "invalid_program", "truncated"),
    "bare": (lambda c: (manifest.code(c.wasm), c.spec), "invalid_program", "no sclbl manifest"),
    "abi": (lambda c: (altered(c.wasm, abi=99), c.spec), "invalid_program", "has ABI 99"),
    "other code": (lambda c: (other(c), c.spec), "fidelity", ""),
    "spec hash": (
        lambda c: (altered(c.wasm, spec="0" * 64), c.spec),
        "invalid_program",
        "compiled from",
    ),
    "no spec": (lambda c: (c.wasm, b""), "spec", ""),
    "spec of noise": (lambda c: (c.wasm, b"\x08\x0a" + b"\xff" * 40), "spec", ""),
    "truncated spec": (lambda c: (c.wasm, c.spec[:-20]), "spec", ""),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_not_a_verified_program_is_refused(served: Served, cases: Cases, how: str) -> None:
    case = cases["numbers"]
    alter, code, message = BROKEN[how]
    wasm, spec = alter(case)
    response = served.upload("broken", Case(case.model, case.x, wasm, spec))
    found = error(response)
    assert found[:2] == (422, code), found[2]
    assert re.search(message, found[2])
    assert error(served.get("/v1/deployments/broken"))[0] == 404


def test_a_flipped_bit_is_refused(served: Served, cases: Cases) -> None:
    """Anywhere in the code or the data; in the manifest it changes what is said, not what is."""
    case = cases["linear"]
    code = manifest.code(case.wasm)
    rng = np.random.default_rng(3)
    for at in rng.integers(8, len(code), size=6).tolist():
        broken = bytearray(code)
        broken[at] ^= 1 << int(rng.integers(8))
        wasm = manifest.attach(bytes(broken), manifest.read(case.wasm))
        response = served.upload("flipped", Case(case.model, case.x, wasm, case.spec))
        if response.status_code == 201:
            # The bit was in what no engine runs, a name say: the program is still the model.
            rows = case.x[:5]
            found = served.predict("flipped", rows.tolist()).json()["results"]
            assert np.allclose(found, case.model.predict(rows), rtol=1e-12, atol=1e-12)
        else:
            assert error(response)[0] == 422


def test_a_program_that_imports_is_refused(served: Served, cases: Cases) -> None:
    from wasmtime import wat2wasm

    module = wat2wasm('(module (import "wasi_snapshot_preview1" "fd_write" (func)))')
    wasm = manifest.attach(bytes(module), manifest.read(cases["linear"].wasm))
    response = served.upload("imports", Case(None, None, wasm, cases["linear"].spec))
    found = error(response)
    assert found[:2] == (422, "invalid_program")
    assert "import" in found[2]


FORM = "send multipart/form-data with the files 'program' (.wasm) and 'spec' (.onnx) and, if"


@pytest.mark.parametrize(
    ("files", "status", "code", "message"),
    [
        ({}, 415, "media_type", "an upload has the Content-Type ''; send multipart/form-data"),
        ({"program": b"x"}, 400, "request", f"the upload has no part 'spec'; {FORM}"),
        ({"spec": b"x"}, 400, "request", "the upload has no part 'program'"),
        (
            {"program": b"x", "spec": b"x", "model.pkl": b"x"},
            400,
            "request",
            "Too many files",
        ),
        ({"program": b"x", "model": b"x"}, 400, "request", "has a part 'model' too many"),
        (
            {"program": b"x", "spec": b"x", "details": (None, b"{")},
            400,
            "request",
            "the upload's details cannot be read: Input data was truncated",
        ),
        (
            {"program": b"x", "spec": b"x", "details": (None, b'{"tag": {}}')},
            400,
            "request",
            "unknown field `tag`",
        ),
        (
            {"program": b"x", "spec": b"x", "details": (None, b'{"alias": "3"}')},
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
    import requests

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
