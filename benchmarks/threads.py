"""Throughput of two threads on two cores against one."""

from __future__ import annotations

import statistics
import threading
import time

import numpy as np
from _measure import save, show
from _models import CASES, fresh

import sclbl

ROUNDS = 11


def throughput(call: object, parts: list[np.ndarray], threads: int, calls: int) -> float:
    """Return rows a second that `threads` threads reach, each making `calls` calls."""
    gate = threading.Barrier(threads + 1)

    def work(offset: int) -> None:
        gate.wait()
        for i in range(calls):
            call(parts[(offset + i) % len(parts)])  # type: ignore[operator]

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    gate.wait()
    begin = time.perf_counter()
    for worker in workers:
        worker.join()
    return threads * calls * len(parts[0]) / (time.perf_counter() - begin)


def main() -> None:
    table, results = [], {}
    for name in ("forest 100x10", "xgboost 500x6", "hist boosting 100"):
        model, x, method = CASES[name]()
        call = getattr(sclbl.compile(model, x[:5], methods=[method]), method)
        rows = fresh(name, 60_000)
        for batch, calls in ((20_000, 4), (1_000, 60)):
            parts = [rows[i : i + batch] for i in range(0, 60_000 - batch + 1, batch)]
            throughput(call, parts, 2, 2)
            found: dict[int, list[float]] = {1: [], 2: []}
            for _ in range(ROUNDS):
                for count in found:
                    found[count].append(throughput(call, parts, count, calls))
            one, two = (statistics.median(found[c]) for c in (1, 2))
            results[f"{name}, {batch} rows"] = {"one": one, "two": two, "ratio": two / one}
            table.append([name, f"{batch:,}", f"{one:,.0f}", f"{two:,.0f}", f"{two / one:.2f}x"])
    show("Rows a second", ["model", "rows a call", "one thread", "two threads", "ratio"], table)
    save("threads", results)


if __name__ == "__main__":
    main()
