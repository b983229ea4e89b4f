"""Kill -9 a local upload and a server at random moments; the registry must stay whole.

After every kill the registry is opened again, and: every version that it lists has its program and
spec with the right SHA-256; every version that was confirmed before the kill is there; numbers
run on without a gap below a confirmed one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from _measure import save, show


def upload_for_ever(home: str, number: int) -> None:
    """Train, upload and confirm on standard output, until killed."""
    import numpy as np
    from sklearn.linear_model import LinearRegression

    import sclbl

    os.environ["SCLBL_HOME"] = home
    rng = np.random.default_rng(number)
    while True:
        x = rng.normal(size=(50, 3))
        model = LinearRegression().fit(x, x.sum(axis=1) + rng.normal(size=50))
        made = sclbl.upload(model, x[:5], name="local", alias="production")
        print(json.dumps([made.version, made.sha256]), flush=True)


def check(home: Path, name: str, confirmed: dict[int, str]) -> int:
    """Open the registry and check it; return how many versions it has."""
    from sclbl.errors import NotFoundError
    from sclbl.registry.local import LocalRegistry

    with LocalRegistry(home) as registry:
        try:
            records = registry.versions(name)
        except NotFoundError:
            records = []
        found = {r.version: r.sha256 for r in records}
        for record in records:
            registry.program(record)  # raises where it is missing or altered
            registry.spec(record)
    lost = {v: s for v, s in confirmed.items() if found.get(v) != s}
    if lost:
        raise SystemExit(f"confirmed versions are lost: {lost}")
    return len(found)


def kill_uploads(home: Path, times: int, rng: random.Random) -> tuple[int, int]:
    """Kill a process that uploads; return versions confirmed and versions found."""
    confirmed: dict[int, str] = {}
    count = 0
    for i in range(times):
        command = [sys.executable, __file__, "--child", str(home), str(i)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        # The clock starts with the first upload that is done, or most kills would hit imports.
        first = child.stdout.readline()
        time.sleep(rng.uniform(0, 0.6))
        child.kill()
        rest = child.stdout.read()
        child.wait()
        for line in [first, *rest.splitlines(keepends=True)]:
            if line.endswith("\n"):
                version, sha256 = json.loads(line)
                confirmed[version] = sha256
        count = check(home, "local", confirmed)
    return len(confirmed), count


def start_server(home: Path, port: int) -> subprocess.Popen[Any]:
    """Start a server in a session of its own and return when it answers."""
    with (home / "log").open("ab") as output:
        server = subprocess.Popen(
            [Path(sys.executable).parent / "sclbl", "serve", "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SCLBL_HOME": str(home)},
            start_new_session=True,
        )
    for _ in range(600):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
            return server
        time.sleep(0.05)
    raise SystemExit(f"the server did not start:\n{(home / 'log').read_text()}")


def upload_until_error(
    registry: Any, number: int, confirmed: dict[int, str], first: threading.Event
) -> None:
    """Upload one model after the other until the server is gone."""
    import numpy as np
    from sklearn.linear_model import LinearRegression

    import sclbl
    from sclbl.errors import SclblError

    rng = np.random.default_rng(number)
    while True:
        x = rng.normal(size=(50, 3))
        model = LinearRegression().fit(x, x.sum(axis=1) + rng.normal(size=50))
        try:
            made = sclbl.upload(model, x[:5], name="served", registry=registry)
        except SclblError:
            return
        confirmed[made.version] = made.sha256
        first.set()


def kill_servers(home: Path, times: int, rng: random.Random) -> tuple[int, int]:
    """Kill a server that takes uploads; return versions confirmed and versions found."""
    from sclbl.registry.remote import RemoteRegistry

    confirmed: dict[int, str] = {}
    count, token = 0, ""
    for i in range(times):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = start_server(home, port)
        if not token:
            shown = re.search(r"sclbl_[\w-]+", (home / "log").read_text())
            if shown is None:
                raise SystemExit("the server printed no token")
            token = shown[0]
        registry = RemoteRegistry(f"http://127.0.0.1:{port}", token)
        first = threading.Event()
        client = threading.Thread(target=upload_until_error, args=(registry, i, confirmed, first))
        client.start()
        first.wait(10)
        time.sleep(rng.uniform(0, 0.6))
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        client.join()
        count = check(home, "served", confirmed)
    return len(confirmed), count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="kills of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("HOME", "NUMBER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        upload_for_ever(arguments.child[0], int(arguments.child[1]))
    rng = random.Random(arguments.seed)
    table, results = [], {}
    for kind, kill in (("local upload", kill_uploads), ("server", kill_servers)):
        with tempfile.TemporaryDirectory() as home:
            confirmed, found = kill(Path(home), arguments.times, rng)
        results[kind] = {"kills": arguments.times, "confirmed": confirmed, "found": found}
        table.append([kind, str(arguments.times), str(confirmed), str(found), "0"])
    columns = ["killed", "times", "versions confirmed", "versions found", "lost or torn"]
    show("kill -9 at random moments", columns, table)
    save("crash", results)


if __name__ == "__main__":
    main()
