"""Uploads are compiled within limits, and others go through meanwhile."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

import sclbl
from sclbl import fidelity, manifest, onnx_format, recompile
from sclbl.errors import FidelityError
from sclbl.program import Program
from sclbl.registry.local import LocalRegistry
from sclbl.registry.remote import RemoteRegistry
from sclbl.server.limits import Settings
from sclbl.signature import Column, Output, Signature
from sclbl.spec import Graph, Node, Provenance, Spec, Value
from tests.registry.real import make_program
from tests.server.conftest import Case, error, sha256, start
from tests.server.threads import serving

#: How long a machine that is busy may take for what takes a moment.
PATIENCE = 60.0


def chain(length: int, width: int = 1) -> bytes:
    """Return the spec of many operators, one after another."""
    names = ["numeric", *(f"v{i}" for i in range(length - 1)), "predict"]
    values = tuple(Value(name, "float64", (width,)) for name in names)
    nodes = tuple(
        Node(("Exp", "Tanh", "Sigmoid", "Erf")[i % 4], (names[i],), (names[i + 1],))
        for i in range(length)
    )
    graph = Graph(values[:1], values[-1:], nodes, {}, {v.name: v for v in values})
    outputs = {"predict": Output("float64", "float64", width, 2)}
    columns = tuple(Column(None, "float64") for _ in range(width))
    return onnx_format.write(Spec(graph, Signature(columns, "array", outputs), Provenance("x", {})))


def form(spec: bytes, sha: str = "0" * 64) -> dict[str, object]:
    details = json.dumps({"sha256": sha, "spec_sha256": sha256(spec)})
    return {"spec": ("s", zlib.compress(spec)), "details": (None, details)}


def post(url: str, token: str, name: str, spec: bytes) -> requests.Response:
    return requests.post(
        f"{url}/v1/deployments/{name}/versions",
        files=form(spec),
        headers={"Authorization": f"Bearer {token}"},
        timeout=300,
    )


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalRegistry]:
    with LocalRegistry(tmp_path / "registry") as registry:
        yield registry


def test_endless_uploads_end_and_others_go_through(local: LocalRegistry) -> None:
    settings = Settings(upload_seconds=8, quick_seconds=2, uploads_at_once=1)
    endless = chain(60_000)
    with serving(local, settings) as (url, token), ThreadPoolExecutor(3) as pool:
        assert post(url, token, "warm", make_program()[1]).status_code == 202
        long = [pool.submit(post, url, token, f"long-{i}", endless) for i in range(3)]
        done = post(url, token, "good", make_program(1)[1])
        assert not all(one.done() for one in long)
        assert done.status_code == 202
        found = [error(one.result()) for one in long]
    assert {status for status, _, _ in found} == {413, 503}
    for status, code, message in found:
        if status == 413:
            assert code == "limit"
            assert "took more than 8 s, the limit of this server; make the model" in message
        else:
            assert code == "busy"
            assert "takes more than 2 s, and 1 others that do are under way; try again" in message


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory so")
def test_an_upload_that_wants_much_memory_is_refused(local: LocalRegistry) -> None:
    settings = Settings(upload_memory=400 * 1024**2)
    with serving(local, settings) as (url, token):
        wide = zlib.compress(b"\0" * (500 * 1024**2))
        details = json.dumps({"sha256": "0" * 64, "spec_sha256": "0" * 64})
        response = requests.post(
            f"{url}/v1/deployments/wide/versions",
            files={"spec": ("s", wide), "details": (None, details)},
            headers={"Authorization": f"Bearer {token}"},
            timeout=300,
        )
        found = error(response)
        assert found[:2] == (413, "limit")
        assert "needs more memory than this server gives an upload (400 MiB)" in found[2]
        assert post(url, token, "good", make_program()[1]).status_code == 202


def test_a_spec_that_unpacks_to_too_much_is_refused(local: LocalRegistry) -> None:
    with serving(local, Settings(upload_bytes=1024 * 1024)) as (url, token):
        found = error(post(url, token, "bomb", b"\0" * 40 * 1024 * 1024))
        assert found[:2] == (413, "limit")
        assert "the spec has more than 1,048,576 bytes; this server takes no more" in found[2]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_client_that_goes_ends_its_upload(tmp_path: Path) -> None:
    served = start(tmp_path)
    try:
        assert post(served.url, served.token, "warm", make_program()[1]).status_code == 202
        (forge,) = children(served.process.pid)
        assert children(forge) == []
        request = requests.Request(
            "POST", f"{served.url}/v1/deployments/x/versions", files=form(chain(30_000))
        ).prepare()
        assert isinstance(request.body, bytes)
        where = urlsplit(served.url)
        with socket.create_connection((str(where.hostname), int(where.port or 0))) as connection:
            head = (
                f"POST {where.path}/v1/deployments/x/versions HTTP/1.1\r\nHost: {where.netloc}\r\n"
                f"Authorization: Bearer {served.token}\r\nContent-Length: {len(request.body)}\r\n"
                f"Content-Type: {request.headers['content-type']}\r\n\r\n"
            )
            connection.sendall(head.encode() + request.body)
            eventually(lambda: len(children(forge)) == 1)
        eventually(lambda: children(forge) == [])
        # Nor does one outlive its server, however that ends.
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(post, served.url, served.token, "y", chain(30_000))
            eventually(lambda: len(children(forge)) == 1)
            (child,) = children(forge)
            served.process.send_signal(signal.SIGKILL)
            assert isinstance(answer.exception(PATIENCE), requests.ConnectionError)
        eventually(lambda: not running(child) and not running(forge))
    finally:
        served.process.kill()
        served.process.communicate()
    with LocalRegistry(tmp_path) as registry:
        assert registry.deployments() == []


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --------------------------------------------------- another release of LLVM


def elsewhere(program: Program) -> Program:
    """Return the program as another release of LLVM might have made it: other bytes, same code."""
    section = b"\x05other" + os.urandom(8)
    padding = b"\0" + manifest.encode_leb(len(section)) + section
    code = manifest.code(program.wasm)
    found = {**program.manifest, "compiler": "llvm 99.0.0"}
    return Program(manifest.attach(code + padding, found), program.spec)


X = np.random.default_rng(5).normal(size=(40, 3))


@pytest.fixture(scope="module")
def case() -> Case:
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(X, X @ [1.0, 2.0, 3.0])
    made = elsewhere(sclbl.compile(model, X[:5]))
    assert made.spec is not None
    return Case(model, X, made.wasm, recompile.write(made.spec))


def test_other_bytes_are_verified_before_they_are_recorded(
    local: LocalRegistry, case: Case
) -> None:
    asked: list[bytes] = []

    def verify(wasm: bytes) -> fidelity.Report:
        assert local.deployments() == []
        asked.append(wasm)
        return fidelity.verify(case.model, onnx_format.read(case.spec), wasm, X[:5])

    with serving(local) as (url, token), RemoteRegistry(url, token) as registry:
        given = {"request_id": "k", "alias": "production", "tags": {"a": "b"}, "verify": verify}
        record = registry.create("churn", case.wasm, case.spec, **given)  # type: ignore[arg-type]
        again = registry.create("churn", case.wasm, case.spec, **given)  # type: ignore[arg-type]
    assert len(asked) == 1
    assert record == again
    assert (record.version, record.aliases, record.tags) == (1, ("production",), {"a": "b"})
    assert record.sha256 != sha256(case.wasm)
    stored = local.program(record)
    # What is stored was made here: its code is what this machine makes of the spec.
    made = recompile.recompile(case.spec, {})
    assert manifest.code(stored) == manifest.code(made.wasm)
    assert record.report is not None
    assert "LinearRegression" in record.report["against"]
    assert record.checked is not None
    assert record.checked["against"] == "the reference interpreter"
    np.testing.assert_allclose(Program(stored).run("predict", X), case.model.predict(X), rtol=1e-12)


def test_other_bytes_that_differ_from_the_model_are_forgotten(
    local: LocalRegistry, case: Case
) -> None:
    def verify(wasm: bytes) -> fidelity.Report:
        raise FidelityError("it differs")

    with serving(local) as (url, token), RemoteRegistry(url, token) as registry:
        with pytest.raises(FidelityError, match="it differs"):
            registry.create("churn", case.wasm, case.spec, verify=verify)
        assert registry.deployments() == []
    with local._database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pending").scalar() == 0


def test_a_copy_goes_through_its_spec(local: LocalRegistry, case: Case, tmp_path: Path) -> None:
    """A program of other bytes, without its model, is compiled anew wherever it is uploaded."""
    program = Program(case.wasm, case.spec)
    with (
        serving(local) as (url, token),
        RemoteRegistry(url, token) as remote,
        LocalRegistry(tmp_path / "copy") as copy,
    ):
        for registry in (remote, copy):
            made = sclbl.upload(program, name="copied", registry=registry)
            assert made.sha256 != program.sha256
            assert made.program.sha256 == made.sha256
            assert made.report is not None
            assert made.report.against == "the reference interpreter"
            assert made.checked is not None
            for label in (
                "stated by the uploader: program against model",
                "checked by this server: program against spec",
            ):
                assert label in made._repr_html_()
            np.testing.assert_array_equal(made.predict(X), program.run("predict", X))


def test_a_pending_upload_outlives_its_server(tmp_path: Path, case: Case) -> None:
    home = tmp_path / "registry"
    with LocalRegistry(home) as local:
        with serving(local) as (url, token):
            response = post(url, token, "churn", case.spec)
            pending = response.json()["pending"]
        with serving(local) as (url, token):
            auth = {"Authorization": f"Bearer {token}"}
            path = f"{url}{pending['url']}"
            wasm = requests.get(f"{path}.wasm", headers=auth, timeout=60).content
            assert sha256(wasm) == pending["sha256"]
            body = {"sha256": sha256(wasm)}
            made = requests.post(path, json=body, headers=auth, timeout=60)
            assert (made.status_code, made.json()["ref"]) == (201, "churn@1")
