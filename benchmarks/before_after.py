"""Two checkouts of sclbl side by side: size, prediction at three numbers of rows, compilation.

    python benchmarks/before_after.py OLD NEW

Processes of the two alternate, each on one thread, so that what else the machine does meets both. A
process measures every model once. A ratio is new to old, of two processes that follow each other:
the median of the pairs, and the interval that holds it in 95 % of resamplings of the pairs. An
interval that lies wholly above --limit is marked, and so is a size that grew by more than 200 bytes
and by more than 2 %.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from _measure import duration, save, show
from _models import CASES, fresh
from _one_checkout import ROWS
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

WHAT = (*ROWS, "compile")
MOST_BYTES, MOST_GROWTH = 200, 1.02


def prepare(folder: Path, names: Sequence[str]) -> None:
    """Store the models, so that both measure the same ones, with rows to predict."""
    for k, name in enumerate(names):
        if name == PLAIN:
            x, y = load_breast_cancer(return_X_y=True)
            made: Any = (LogisticRegression(max_iter=10_000).fit(x, y), x, "predict_proba")
            rows = fresh("logistic", 40_000)
        else:
            made, rows = CASES[name](), fresh(name, 40_000)
        joblib.dump((name, made[0], made[2], rows), folder / f"{k:02}")


#: The smallest program: no scaling.
PLAIN = "logistic regression"


def run(checkout: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Measure in a process of its own, with a checkout's sclbl."""
    variables = os.environ | {
        "PYTHONPATH": str(checkout),
        "OMP_NUM_THREADS": "1",
        "SCLBL_THREADS": "1",
    }
    script = Path(__file__).resolve().with_name("_one_checkout.py")
    command = [sys.executable, str(script), str(folder)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def interval(pairs: np.ndarray) -> tuple[float, float, float]:
    """Return the median of ratios and its 95 % interval, by resampling."""
    rng = np.random.default_rng(0)
    drawn = np.median(rng.choice(pairs, size=(10_000, len(pairs))), axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(np.median(pairs)), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path, help="a checkout, its kernels built")
    parser.add_argument("new", type=Path, help="another one")
    parser.add_argument("models", nargs="*", default=[PLAIN, *CASES], help="names of cases")
    parser.add_argument("--processes", type=int, default=20, help="of each of the two")
    parser.add_argument("--limit", type=float, default=1.02, help="no ratio should be above it")
    arguments = parser.parse_args()
    sides = {"old": arguments.old.resolve(), "new": arguments.new.resolve()}
    for checkout in sides.values():
        if not (checkout / "sclbl" / "__init__.py").exists():
            raise SystemExit(f"{checkout} is no checkout of sclbl; give the folder that holds it")
    found: dict[str, list[dict[str, dict[str, float]]]] = {"old": [], "new": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, arguments.models)
        for k in range(arguments.processes):
            order = list(sides) if k % 2 == 0 else list(sides)[::-1]
            for side in order:
                found[side].append(run(sides[side], folder))
    table, slower, results = [], [], {}
    for model in arguments.models:
        old, new = ([p[model] for p in found[side]] for side in sides)
        size = (old[0]["bytes"], new[0]["bytes"])
        grown = size[1] - size[0] > max(MOST_BYTES, (MOST_GROWTH - 1) * size[0])
        if grown:
            slower.append(f"{model}: bytes")
        result: dict[str, Any] = {"bytes": size}
        cells = [f"{size[0]:,.0f}", f"{size[1] - size[0]:+,.0f}{' !' if grown else ''}"]
        for what in WHAT:
            pairs = np.array([b[what] / a[what] for a, b in zip(old, new, strict=True)])
            ratio, low, high = interval(pairs)
            worse = low > arguments.limit
            if worse:
                slower.append(f"{model}: {what}")
            before = statistics.median(p[what] for p in old)
            result[what] = {"old": before, "ratio": ratio, "low": low, "high": high}
            mark = " !" if worse else ""
            cells.append(f"{duration(before)} {ratio:.2f} ({low:.2f} to {high:.2f}){mark}")
        results[model] = result
        table.append([model, *cells])
    title = f"New against old, {arguments.processes} processes each: old, ratio, its 95 % interval"
    show(title, ["model", "bytes", "change", *WHAT], table, width=190)
    print("beyond the limit: " + ("; ".join(slower) if slower else "nothing"))
    save("before_after", results)


if __name__ == "__main__":
    main()
