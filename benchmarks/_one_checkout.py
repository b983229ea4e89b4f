"""Measure stored models with the sclbl that this process imports: ``before_after.py`` runs it.

It imports nothing that a model does not need: there are many such processes.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import joblib

#: What is measured: the rows of a call.
ROWS = {"one row": 1, "100 rows": 100, "20,000 rows": 20_000}
#: Turns of a number of rows in a process, and about how long one takes.
TURNS, SECONDS = 3, 0.02
#: A compilation is repeated for so long.
COMPILE_SECONDS = 0.15


def per_call(call: Callable[[Any], Any], parts: Sequence[Any]) -> float:
    """Return the median, over turns, of the seconds that a call takes; each has other rows."""
    call(parts[0])
    begin = time.perf_counter()
    call(parts[-1])
    each = max(1, min(5_000, int(SECONDS / (time.perf_counter() - begin))))
    found, at = [], 0
    for _ in range(TURNS):
        turn = [parts[(at + i) % len(parts)] for i in range(each)]
        at += each
        begin = time.perf_counter()
        for part in turn:
            call(part)
        found.append((time.perf_counter() - begin) / each)
    return statistics.median(found)


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Measure every stored model with the sclbl that this process imports."""
    import sclbl  # the other side reads this file without one

    warnings.simplefilter("ignore")
    found = {}
    for file in sorted(folder.iterdir()):
        name, model, method, x = joblib.load(file)
        if not found:
            sclbl.compile(model, x[:5], methods=[method])  # the first one loads the compiler
        times: list[float] = []
        while sum(times) < COMPILE_SECONDS:
            begin = time.perf_counter()
            program = sclbl.compile(model, x[:5], methods=[method])
            times.append(time.perf_counter() - begin)
        call = getattr(program, method)
        made = {"bytes": float(program.size), "compile": statistics.median(times)}
        for what, rows in ROWS.items():
            count = max(1, min(512, len(x) // rows))
            made[what] = per_call(call, [x[i * rows : (i + 1) * rows] for i in range(count)])
        found[name] = made
    return found


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
