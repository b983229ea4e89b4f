"""What hostile clients do to others: /healthz while a server is attacked, predictions beside it.

Everything stays on this machine's loopback, and is bounded in number and time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _measure import save, show

ROWS = b'{"rows":[[0.5,1.0,2.0,3.0]]}'
HEAD = (
    "POST /v1/deployments/%s/predict HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\n"
)
#: Connections that do nothing.
IDLE = 2050


class Target:
    """A server under attack."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        command = [sys.executable, "-m", "sclbl.cli", "serve", "--port", str(self.port)]
        with Path(folder, "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "SCLBL_HOME": folder, "OMP_NUM_THREADS": "1"},
            )
        assert self.process.stdout is not None
        self.token = ""
        for line in self.process.stdout:
            if line.startswith("token"):
                self.token = line.rpartition(" ")[2].strip()
            if line.startswith("serving"):
                break

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def post(self, name: str, body: bytes) -> str:
        """Send a prediction and return what came back, in a few words."""
        url = f"http://127.0.0.1:{self.port}/v1/deployments/{name}/predict"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        start, size = time.monotonic(), 0
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                while part := answer.read(1 << 20):
                    size += len(part)
                status = answer.status
        except urllib.error.HTTPError as error:
            status, size = error.code, len(error.read())
        except OSError as error:
            return type(error).__name__
        return f"{status}, {size / 2**20:.1f} MiB, {time.monotonic() - start:.1f} s"

    def memory(self) -> float:
        """Most memory that the server ever had, in MiB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(x for x in text.splitlines() if x.startswith("VmHWM")).split()[1]) / 1024

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def poll(port: int, stop: Any, found: Any) -> None:
    """Ask for /healthz over a new connection, over and over; put the seconds of each answer."""
    seconds = []
    while not stop.is_set():
        start = time.perf_counter()
        status = b"nothing"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
                line.sendall(
                    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                status = line.recv(4096)[9:12]
        except OSError as error:
            status = type(error).__name__.encode()
        seconds.append((time.perf_counter() - start, status.decode("latin-1")))
        time.sleep(0.02)
    found.put(seconds)


# ---------------------------------------------------------------- the attacks


def upgrade(target: Target) -> str:
    """An offer of HTTP/2, with another request as its body."""
    inner = b"GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = HEAD % "numbers" + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    found = []
    for body in (ROWS, inner):
        with target.connect() as line:
            line.settimeout(3)
            line.sendall((head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
            time.sleep(0.5)
            try:
                answer = line.recv(65536)
            except TimeoutError:
                answer = b""
        found.append(f"{answer[9:12].decode() or 'nothing'} ({answer.count(b'HTTP/1.1 ')} answers)")
    return "a prediction: " + found[0] + "; a request in its body: " + found[1]


def many_keys(target: Target) -> str:
    """An object of 4.8 million keys."""
    keys = ",".join(f'"k{i}":1' for i in range(4_800_000))
    return target.post("numbers", f'{{"rows":[{{{keys}}}]}}'.encode())


def many_rows(target: Target) -> str:
    """60 MB of rows for a forest."""
    row = "[" + ",".join(["1.25"] * 4) + "],"
    body = '{"rows":[' + row * 999_999 + row[:-1] + "]}"
    return target.post("forest", body.encode())


def wide_answer(target: Target) -> str:
    """A request of 390 KiB with an answer of hundreds of megabytes."""
    body = json.dumps({"rows": [["c1"]] * 48_000}, separators=(",", ":")).encode()
    return f"{len(body) / 1024:.0f} KiB: " + target.post("wide", body)


def slow_rows(target: Target) -> str:
    """Sixteen clients whose predictions are all work."""
    row = "[" + ",".join(["1.25"] * 4) + "],"
    body = ('{"rows":[' + row * 29_999 + row[:-1] + "]}").encode()
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(target.post("forest", body)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return f"{sum(f.startswith('200') for f in found)} of 16 answered 200, e.g. {found[-1]}"


def idle(target: Target) -> str:
    """2,050 connections that say nothing, and one client that does."""
    lines: list[socket.socket] = []
    try:
        while len(lines) < IDLE:
            lines += [target.connect()]
        time.sleep(0.5)
        return f"{len(lines)} idle; a prediction beside them: {target.post('numbers', ROWS)}"
    except OSError as error:
        return f"{len(lines)} idle, then {type(error).__name__}"
    finally:
        for line in lines:
            line.close()


def slow_bodies(target: Target) -> str:
    """Twelve bodies of 60 MB whose last byte does not come, and one that is whole."""
    head = (HEAD % "numbers" + f"Content-Length: {60 << 20}\r\n\r\n").encode()
    lines = []
    for _ in range(12):
        line = target.connect()
        line.settimeout(3)
        with contextlib.suppress(OSError):
            line.sendall(head + b"[" + b" " * ((60 << 20) - 10))
        lines.append(line)
    body = b'{"rows":[' + b" " * (1 << 20) + b"[0.5,1.0,2.0,3.0]]}"
    answer = target.post("numbers", body)
    for line in lines:
        line.close()
    return f"a whole one beside them: {answer}; server's peak {target.memory():,.0f} MiB"


def slow_readers(target: Target) -> str:
    """Eight clients that ask for large answers and read nothing."""
    body = json.dumps({"rows": [["c1"]] * 2_000}).encode()
    lines = []
    for _ in range(8):
        line = target.connect()
        head = (HEAD % "wide" + f"Content-Length: {len(body)}\r\n\r\n").encode()
        line.sendall(head + body)
        lines.append(line)
    time.sleep(8)
    answer = target.post("numbers", ROWS)
    for line in lines:
        line.close()
    return f"a prediction beside them: {answer}; server's peak {target.memory():,.0f} MiB"


def early_answer(target: Target) -> str:
    """An upload without a token that sends 400 MB all the same."""
    start, sent = time.monotonic(), 0
    with target.connect() as line:
        line.sendall(
            b"POST /v1/deployments/x/versions HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 419430400\r\n\r\n"
        )
        try:
            for _ in range(400):
                line.sendall(b"x" * (1 << 20))
                sent += 1
        except OSError:
            pass
    return f"{sent} MiB of 400 were taken in, {time.monotonic() - start:.1f} s"


def held_lock(target: Target) -> str:
    """Another process holds the registry's write lock, and twenty clients want to write."""
    held = sqlite3.connect(Path(target.folder, "registry.db"), isolation_level=None)
    held.execute("BEGIN IMMEDIATE")

    def write() -> None:
        url = f"http://127.0.0.1:{target.port}/v1/deployments/numbers/aliases/a"
        head = {"Authorization": f"Bearer {target.token}"}
        request = urllib.request.Request(url, b'{"ref":"numbers@1"}', head, method="PUT")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(request, timeout=30).close()

    threads = [threading.Thread(target=write) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(3)
    start = time.monotonic()
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{target.port}/v1/deployments", timeout=10).close()
        read = f"a read took {time.monotonic() - start:.2f} s"
    except OSError as error:
        read = f"a read: {type(error).__name__}"
    held.execute("COMMIT")
    held.close()
    for thread in threads:
        thread.join()
    return read


def wrong_tokens(target: Target) -> str:
    """Wrong tokens from thirty clients, and the right one."""
    url = f"http://127.0.0.1:{target.port}/v1/whoami"
    ended, counts = time.monotonic() + 4, []

    def guess() -> None:
        count = 0
        while time.monotonic() < ended:
            request = urllib.request.Request(url, headers={"Authorization": "Bearer guess"})
            try:
                urllib.request.urlopen(request, timeout=30).close()
            except OSError:
                count += 1
        counts.append(count)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    start = time.monotonic()
    right = urllib.request.Request(url, headers={"Authorization": f"Bearer {target.token}"})
    urllib.request.urlopen(right, timeout=30).close()
    took = time.monotonic() - start
    for thread in threads:
        thread.join()
    return f"{sum(counts) / 4:,.0f} guesses a second; the right token beside them {took:.2f} s"


ATTACKS: list[Callable[[Target], str]] = [
    upgrade, many_keys, many_rows, wide_answer, slow_rows, idle, slow_bodies, slow_readers,
    early_answer, held_lock, wrong_tokens,
]  # fmt: skip


def publish(folder: str) -> Any:
    """Fill a registry, and return a model for uploads."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder

    import sclbl

    os.environ["SCLBL_HOME"] = folder
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 4))
    labels = (x[:, 0] > 0).astype(int)
    numbers = LogisticRegression().fit(x, labels)
    sclbl.upload(numbers, x[:5], name="numbers", methods=["predict", "predict_proba"])
    forest = RandomForestRegressor(200, max_depth=14, random_state=0, n_jobs=1).fit(x, x[:, 0])
    sclbl.upload(forest, x[:5], name="forest")
    text = np.array([[f"c{i}"] for i in range(3000)], dtype=object)
    wide = OneHotEncoder(sparse_output=False).fit(text)
    sclbl.upload(wide, text[:5], name="wide")
    return numbers, x


def watched(target: Target, attack: Callable[[Target], str]) -> tuple[str, list[Any]]:
    """Attack while another process asks for /healthz."""
    stop, found = multiprocessing.Event(), multiprocessing.Queue()
    watcher = multiprocessing.Process(target=poll, args=(target.port, stop, found))
    watcher.start()
    time.sleep(0.3)
    try:
        said = attack(target)
    finally:
        stop.set()
        seconds = found.get()
        watcher.join()
    return said, seconds


def attack_all(names: list[str]) -> None:
    table, results = [], {}
    with tempfile.TemporaryDirectory() as folder:
        publish(folder)
        for attack in ATTACKS:
            if names and attack.__name__ not in names:
                continue
            target = Target(folder)
            if not target.token:  # shown once
                target.token = tokens[0]
            else:
                tokens.append(target.token)
            try:
                target.post("numbers", ROWS)
                said, seconds = watched(target, attack)
                peak = target.memory()
            finally:
                target.stop()
            times = sorted(s for s, _ in seconds)
            bad = sum(status != "200" for _, status in seconds)
            worst, middle = times[-1], statistics.median(times)
            cells = [f"{middle * 1e3:.0f} ms", f"{worst * 1e3:,.0f} ms", f"{bad} of {len(times)}"]
            results[attack.__name__] = {
                "said": said, "median": middle, "worst": worst, "not 200": bad,
                "asked": len(times), "peak_mib": peak,
            }  # fmt: skip
            print(f"{attack.__name__}: {said}; /healthz {cells}; peak {peak:,.0f} MiB", flush=True)
            table.append([attack.__name__, *cells, f"{peak:,.0f} MiB", said])
    columns = ["attack", "/healthz median", "worst", "not 200", "peak memory", "what came of it"]
    show("/healthz while the server is attacked", columns, table)
    save("attack", results)


tokens: list[str] = []


# ------------------------------------------------- many clients beside a bad one


async def client(port: int, rows: np.ndarray, wanted: np.ndarray, times: list[float]) -> int:
    """Predict row by row over one connection; return how many answers were wrong."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    wrong = 0
    for row, right in zip(rows, wanted, strict=True):
        body = json.dumps({"rows": [row.tolist()]}).encode()
        start = time.perf_counter()
        writer.write((HEAD % "numbers" + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(length))
        times.append(time.perf_counter() - start)
        if answer.get("results") != [right]:
            wrong += 1
            print(head[:12], answer, flush=True)
        await asyncio.sleep(0)
    writer.close()
    return wrong


def annoy(port: int, folder: str) -> None:
    """Attack a server until this process is ended."""
    target = Target.__new__(Target)
    target.port, target.folder = port, folder
    while True:
        for attack in (many_keys, slow_rows, wide_answer, many_rows):
            attack(target)


def upload(url: str, token: str, number: int) -> None:
    """Upload a model to a server."""
    from sklearn.linear_model import LinearRegression

    import sclbl

    os.environ.update(SCLBL_URL=url, SCLBL_TOKEN=token)
    x = np.random.default_rng(number).normal(size=(200, 4))
    sclbl.upload(LinearRegression().fit(x, x[:, 0]), x[:5], name=f"upload-{number}")


def crowd(clients: int, each: int) -> None:
    """Many clients beside four uploads and one hostile client."""
    with tempfile.TemporaryDirectory() as folder:
        model, _ = publish(folder)
        target = Target(folder)
        url = f"http://127.0.0.1:{target.port}"
        rng = np.random.default_rng(1)
        rows = rng.normal(size=(clients, each, 4))
        wanted = model.predict(rows.reshape(-1, 4)).reshape(clients, each).tolist()
        times: list[float] = []

        async def run() -> list[int]:
            work = (client(target.port, rows[i], wanted[i], times) for i in range(clients))
            return await asyncio.gather(*work)

        bad = multiprocessing.Process(target=annoy, args=(target.port, folder))
        uploads = [
            multiprocessing.Process(target=upload, args=(url, target.token, i)) for i in range(4)
        ]
        try:
            bad.start()
            time.sleep(1)
            for process in uploads:
                process.start()
            start = time.perf_counter()
            wrong = sum(asyncio.run(run()))
            took = time.perf_counter() - start
            for process in uploads:
                process.join()
        finally:
            bad.terminate()
            bad.join()
            target.stop()
        found = {
            "predictions": len(times), "wrong": wrong, "seconds": took,
            "uploads that failed": sum(process.exitcode != 0 for process in uploads),
            "p50": float(np.percentile(times, 50)), "p99": float(np.percentile(times, 99)),
            "worst": max(times),
        }  # fmt: skip
        print(json.dumps(found, indent=2))
        save("attack_crowd", found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attacks", nargs="*", help="names of attacks; all by default")
    parser.add_argument("--crowd", action="store_true", help="500 clients beside a hostile one")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--each", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.crowd:
        crowd(arguments.clients, arguments.each)
    else:
        attack_all(arguments.attacks)


if __name__ == "__main__":
    main()
