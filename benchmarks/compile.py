"""Time and peak memory of sclbl.compile, verification included, each model in its own process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import joblib
from _measure import duration, save, show
from _models import CASES, rows, target

REPEAT = {"logistic": 15, "forest 100x10": 5, "forest of 10 million nodes": 1}


def large() -> tuple[Any, Any, str]:
    """Return a forest of ten million nodes: 50 fully grown trees on 100,000 noisy rows."""
    from sklearn.ensemble import ExtraTreesRegressor

    x = rows(100_000, 0)[:, :10].copy()
    forest = ExtraTreesRegressor(50, max_features=1, n_jobs=2, random_state=0)
    forest.fit(x, target(x))
    return forest.set_params(n_jobs=1), x, "predict"


def _memory(field: str) -> int:
    """Return a field of this process's memory statistics in bytes (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {field} in /proc/self/status: this benchmark needs Linux")


def measure(path: str, repeat: int) -> dict[str, Any]:
    """Compile a stored model in this process and return what it took."""
    model, example = joblib.load(path)
    import sclbl

    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    times, program = [], None
    for _ in range(repeat):
        begin = time.perf_counter()
        program = sclbl.compile(model, example)
        times.append(time.perf_counter() - begin)
    return {
        "first": times[0],
        "median": statistics.median(times),
        "before": before,
        "peak": _memory("VmHWM"),
        "size": program.size if program is not None else 0,
    }


def main() -> None:
    makers = {**CASES, "forest of 10 million nodes": large}
    table, results = [], {}
    for name, repeat in REPEAT.items():
        model, x, _ = makers[name]()
        with tempfile.TemporaryDirectory() as folder:
            joblib.dump((model, x[:5]), f"{folder}/model")
            del model, x
            command = [
                sys.executable,
                str(Path(__file__).resolve()),
                f"{folder}/model",
                str(repeat),
            ]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        found = json.loads(done.stdout)
        results[name] = found
        table.append(
            [
                name,
                duration(found["first"]),
                duration(found["median"]),
                f"{found['before'] / 2**20:,.0f} MiB",
                f"{found['peak'] / 2**20:,.0f} MiB",
                f"{found['size']:,}",
            ]
        )
    columns = ["model", "first", "median", "memory before", "peak memory", "bytes"]
    show("sclbl.compile, verification included", columns, table)
    save("compile", results)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
