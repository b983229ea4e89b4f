"""Single-row JSON predictions a second: `sclbl serve` against FastAPI with joblib, by wrk."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import joblib
from _measure import save, show
from _models import CASES

#: What the same model usually runs in: one process, the model unpickled, a row as a typed body.
APP = """
import os

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

model = joblib.load(os.environ["BENCH_MODEL"])
app = FastAPI()


class Rows(BaseModel):
    rows: list[list[float]]


@app.get("/healthz")
def healthz() -> dict:
    return {}


@app.post("/predict")
async def predict(body: Rows) -> dict:
    return {"results": getattr(model, os.environ["BENCH_METHOD"])(np.asarray(body.rows)).tolist()}
"""
#: Every request carries another row.
LUA = """
local bodies = {}
for line in io.lines("bodies.ndjson") do bodies[#bodies + 1] = line end
local at = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end
"""


def start(command: list[str], folder: str, port: int, **environment: str) -> subprocess.Popen[Any]:
    """Start a server and return when it answers."""
    log = Path(folder, f"{port}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            start_new_session=True,
        )
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
            return process
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{command[0]} did not start:\n{log.read_text()}")


def wrk(url: str, folder: str, connections: int, seconds: int) -> tuple[float, str]:
    """Return requests a second and the 99th percentile of the latency."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", "wrk.lua", url]
    text = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"the server refused requests:\n{text}")
    rate, slow = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"99%\s+(\S+)", text)
    if rate is None or slow is None:
        raise SystemExit(f"wrk printed something else:\n{text}")
    return float(rate[1]), slow[1]


def port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def compare(name: str, seconds: int, rounds: int) -> dict[str, Any]:
    """Serve one model both ways, and load the two in turns."""
    import sclbl

    model, x, method = CASES[name]()
    found: dict[str, list[float]] = {"sclbl": [], "fastapi": []}
    slow = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SCLBL_HOME"] = folder
        joblib.dump(model, f"{folder}/model.joblib")
        Path(folder, "app.py").write_text(APP)
        Path(folder, "wrk.lua").write_text(LUA)
        bodies = (json.dumps({"rows": [row.tolist()]}) for row in x[:512])
        Path(folder, "bodies.ndjson").write_text("\n".join(bodies) + "\n")
        sclbl.upload(model, x[:5], name="bench", methods=[method])
        ours, theirs = port(), port()
        binaries = Path(sys.executable).parent
        uvicorn = [f"{binaries}/uvicorn", "app:app", "--port", str(theirs), "--log-level", "error"]
        settings = {"BENCH_MODEL": f"{folder}/model.joblib", "BENCH_METHOD": method}
        servers = [
            start([f"{binaries}/sclbl", "serve", "--port", str(ours)], folder, ours),
            start(uvicorn, folder, theirs, **settings),
        ]
        urls = {
            "sclbl": f"http://127.0.0.1:{ours}/v1/deployments/bench/predict?method={method}",
            "fastapi": f"http://127.0.0.1:{theirs}/predict",
        }
        try:
            for url in urls.values():
                wrk(url, folder, 16, 1)
            for _ in range(rounds):
                for who, url in urls.items():
                    rate, slow[who] = wrk(url, folder, 16, seconds)
                    found[who].append(rate)
        finally:
            for server in servers:
                os.killpg(server.pid, signal.SIGTERM)
                server.wait()
    rates = {who: statistics.median(r) for who, r in found.items()}
    return {"rate": rates, "p99": slow, "ratio": rates["sclbl"] / rates["fastapi"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=["logistic", "forest 100x10", "xgboost 500x6"])
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("this benchmark needs wrk: apt-get install wrk, or brew install wrk")
    table, results = [], {}
    for name in arguments.cases:
        found = results[name] = compare(name, arguments.seconds, arguments.rounds)
        cells = [f"{found['rate'][who]:,.0f}" for who in ("sclbl", "fastapi")]
        late = [found["p99"][who] for who in ("sclbl", "fastapi")]
        table.append([name, *cells, f"{found['ratio']:.1f}x", *late])
    columns = ["model", "sclbl serve", "FastAPI + joblib", "ratio", "p99 sclbl", "p99 FastAPI"]
    show("Single-row JSON predictions a second, one process, 16 connections", columns, table)
    save("serve", results)


if __name__ == "__main__":
    main()
