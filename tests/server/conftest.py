"""A real server, as its own process, over real programs."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sclbl import onnx_format
from sclbl.compiler import compile_spec
from sclbl.registry.local import LocalRegistry
from sclbl.strippers import strip


@dataclass(frozen=True)
class Case:
    """A fitted model with its rows, program and spec."""

    model: Any
    x: Any
    wasm: bytes
    spec: bytes


def build(model: Any, x: Any) -> Case:
    spec = strip(model, x[:5])
    return Case(model, x, compile_spec(spec), onnx_format.write(spec))


@pytest.fixture(scope="session")
def cases() -> dict[str, Case]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 4))
    labels = np.array(["no", "yes"])[(x[:, 0] + x[:, 1] > 0).astype(int)]
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, size=80).astype(float),
            "plan": rng.choice(["basic", "gold"], size=80),
        }
    )
    churned = np.array(["left", "stayed"])[(frame["age"] > 40).astype(int)]
    mixed = make_pipeline(
        make_column_transformer((StandardScaler(), ["age"]), (OneHotEncoder(), ["plan"])),
        LogisticRegression(),
    )
    return {
        "numbers": build(LogisticRegression().fit(x, labels), x),
        "mixed": build(mixed.fit(frame, churned), frame),
        "scaler": build(StandardScaler().fit(x), x),
        "linear": build(LinearRegression().fit(x, x @ [1.0, 2.0, 3.0, 4.0]), x),
    }


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Served:
    """A running server."""

    url: str
    token: str
    home: Path
    process: subprocess.Popen[str]

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=30, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        return requests.post(self.url + path, timeout=60, **more)

    def predict(self, ref: str, rows: Any, **query: str) -> requests.Response:
        return self.post(f"/v1/deployments/{ref}/predict", json={"rows": rows}, params=query)

    def upload(self, name: str, case: Case, **details: Any) -> requests.Response:
        said = {"sha256": sha256(case.wasm), "spec_sha256": sha256(case.spec), **details}
        files = {
            "spec": ("s.onnx.z", zlib.compress(case.spec)),
            "details": (None, json.dumps(said)),
        }
        path = f"/v1/deployments/{name}/versions"
        return self.post(path, files=files, headers=self.auth)


#: `sclbl`, with the longest wait for an answer to a wrong token.
QUICKER = """
from sclbl.cli import main
from sclbl.server import slowdown
slowdown.MOST_SECONDS = {most}
main()
"""


def start(home: Path, *options: str, most: float | None = None) -> Served:
    """Start `sclbl serve` on a free port and return when it listens.

    Parameters
    ----------
    home : Path
        The home of sclbl.
    *options : str
        Options of the command.
    most : float, optional
        The longest that answers to wrong tokens wait, where many tests send such to one server.
    """
    command = ["-m", "sclbl.cli"] if most is None else ["-c", QUICKER.format(most=most)]
    environment = {**os.environ, "SCLBL_HOME": str(home), "OMP_NUM_THREADS": "1"}
    with (home / "stderr.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "serve", "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
    assert process.stdout is not None
    token = ""
    for line in process.stdout:
        if line.startswith("token"):
            token = line.rpartition(" ")[2].strip()
        if line.startswith("serving"):
            return Served(line.rpartition(" ")[2].strip(), token, home, process)
    raise RuntimeError((home / "stderr.log").read_text())


def stop(served: Served) -> int:
    """Stop a server and return its exit code."""
    served.process.send_signal(signal.SIGTERM)
    code = served.process.wait(timeout=30)
    assert served.process.stdout is not None
    served.process.stdout.close()
    return code


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, cases: dict[str, Case]) -> Iterator[Served]:
    """A server with one version of each case; tests leave these alone."""
    home = tmp_path_factory.mktemp("served")
    with LocalRegistry(home) as registry:
        for name, case in cases.items():
            registry.create(name, case.wasm, case.spec, alias="production")
    served = start(home, most=0.01)
    yield served
    stop(served)


def error(response: requests.Response) -> tuple[int, str, str]:
    """Return status, code and message of an error."""
    body = response.json()["error"]
    assert response.headers["content-type"] == "application/json"
    assert set(body) - {"shell", "input"} == {"code", "message", "row", "column"}
    return response.status_code, body["code"], body["message"]
