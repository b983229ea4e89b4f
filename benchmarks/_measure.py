"""What every benchmark shares: interleaved timing, the printed table, the JSON file."""

from __future__ import annotations

import gc
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


def interleave(
    contenders: Mapping[str, tuple[Callable[[Any], Any], Sequence[Any]]],
    *,
    rounds: int = 15,
    budget: float = 0.05,
) -> dict[str, float]:
    """Time contenders in turns and return each one's median seconds a call.

    Every call gets another input, so that a branch predictor cannot learn them by heart. Turns
    make a disturbance of the machine hit all contenders alike.

    Parameters
    ----------
    contenders : mapping of str to (function, inputs)
        What to call, and the inputs to call it with, one after the other, over and over.
    rounds : int
        Turns of each contender.
    budget : float
        Seconds that one turn takes, about; at least one call is made.
    """
    calls, start = {}, dict.fromkeys(contenders, 0)
    for name, (function, inputs) in contenders.items():
        function(inputs[0])
        begin = time.perf_counter()
        function(inputs[-1])
        calls[name] = max(1, min(20_000, int(budget / max(time.perf_counter() - begin, 1e-7))))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, (function, inputs) in contenders.items():
                first, count = start[name], calls[name]
                order = [inputs[(first + i) % len(inputs)] for i in range(count)]
                start[name] = first + count
                begin = time.perf_counter()
                for item in order:
                    function(item)
                times[name].append((time.perf_counter() - begin) / count)
    finally:
        gc.enable()
    return {name: statistics.median(t) for name, t in times.items()}


def duration(seconds: float | None) -> str:
    """Return a duration with the unit that suits it."""
    if seconds is None:
        return "-"
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def show(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], width: int = 150
) -> None:
    """Print a table; numbers stand to the right."""
    table = Table(title=title, title_justify="left")
    for i, name in enumerate(columns):
        table.add_column(name, justify="left" if i == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=width).print(table)


def save(name: str, results: Any) -> None:
    """Write results with the machine and the versions that they were measured on."""
    versions = {}
    for package in ("numpy", "scikit-learn", "xgboost-cpu", "onnxruntime", "treelite", "wasmtime"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    RESULTS.mkdir(exist_ok=True)
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
        "results": results,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
