"""One call on all processors: against one thread, two processes and ONNX Runtime.

What two independent processes reach in the same run, each with one thread, is what the machine
gives: the processors may share caches, memory and, in the cloud, a core.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from _measure import duration, save, show
from _models import CASES, fresh
from predict_latency import accept_numpy_integers, onnxruntime

import sclbl
from sclbl import settings
from sclbl.program import Program
from sclbl.runtime import method as methods
from sclbl.runtime import module

MODELS = ("forest 100x10", "forest 500x6", "xgboost 500x6", "hist boosting 100")
#: Rows of a call, how many calls a turn makes, and seconds of turns.
BATCHES = {20_000: (3, 5.0), 1_000_000: (1, 8.0)}
MOST_TURNS, CALLERS, SHORT_CALLS = 11, 3, 301


def serve(connection: Connection, path: str, name: str, method: str) -> None:
    """Predict in a process of its own: so many rows, so many times, whenever asked."""
    settings.use_threads(1)
    call = getattr(Program(Path(path).read_bytes()), method)
    rows: dict[int, np.ndarray] = {}
    while (asked := connection.recv()) is not None:
        count, calls = asked
        if count not in rows:
            rows = {count: fresh(name, count)}
        for _ in range(calls):
            call(rows[count])
        connection.send(None)


class Processes:
    """Two processes that predict at the same time."""

    def __init__(self, wasm: bytes, name: str, method: str) -> None:
        self._file = tempfile.NamedTemporaryFile(suffix=".wasm")  # noqa: SIM115 - closed below
        self._file.write(wasm)
        self._file.flush()
        context = get_context("spawn")
        self._ends = []
        for _ in range(2):
            ours, theirs = context.Pipe()
            context.Process(
                target=serve, args=(theirs, self._file.name, name, method), daemon=True
            ).start()
            self._ends.append(ours)

    def run(self, rows: int, calls: int) -> None:
        """Return when each has made so many calls."""
        for end in self._ends:
            end.send((rows, calls))
        for end in self._ends:
            end.recv()

    def close(self) -> None:
        """End them."""
        for end in self._ends:
            end.send(None)
        self._file.close()


def timed(call: Callable[[], Any], calls: int) -> float:
    """Return the seconds of one of so many calls."""
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begin) / calls


def large_calls(name: str) -> list[tuple[int, dict[str, float]]]:
    """Return, by number of rows, what a call takes in each way: medians of turns."""
    model, example, method = CASES[name]()
    program = sclbl.compile(model, example[:5], methods=[method])
    call = getattr(program, method)
    single, several = (onnxruntime(model, method, example, threads=k) for k in (1, 0))
    processes = Processes(program.wasm, name, method)
    found = []
    for rows, (calls, seconds) in BATCHES.items():
        x = fresh(name, rows)
        narrow = x.astype(np.float32)

        def with_threads(count: int | None, x: np.ndarray = x) -> None:
            settings.use_threads(count)
            call(x)

        ways: dict[str, Callable[[], Any]] = {
            "one": lambda: with_threads(1),
            "all": lambda: with_threads(None),
            "ort one": lambda x=narrow: single(x),
            "ort all": lambda x=narrow: several(x),
        }
        times: dict[str, list[float]] = {way: [] for way in (*ways, "processes")}
        processes.run(rows, 0)  # makes their rows
        end = time.perf_counter() + seconds
        for turn in range(MOST_TURNS + 1):
            made = {way: timed(run, calls) for way, run in ways.items()}
            made["processes"] = timed(partial(processes.run, rows, calls), 1) / calls
            # The first turn warms up, but calls that take a second need no warmth.
            if turn or min(made.values()) > 1:
                for way, took in made.items():
                    times[way].append(took)
                if time.perf_counter() > end:
                    break
        found.append((rows, {way: statistics.median(t) for way, t in times.items()}))
    processes.close()
    settings.use_threads(None)
    return found


def many_callers(name: str, batch: int = 1_000, calls: int = 30) -> dict[str, float]:
    """Return rows a second of calls from one thread and from two, each call in its thread."""
    model, x, method = CASES[name]()
    call = getattr(sclbl.compile(model, x[:5], methods=[method]), method)
    rows = fresh(name, 60_000)
    parts = [rows[i : i + batch] for i in range(0, 60_000 - batch + 1, batch)]
    settings.use_threads(1)

    def throughput(threads: int) -> float:
        gate = threading.Barrier(threads + 1)

        def work(offset: int) -> None:
            gate.wait()
            for i in range(calls):
                call(parts[(offset + i) % len(parts)])

        workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
        for worker in workers:
            worker.start()
        gate.wait()
        seconds = timed(lambda: [worker.join() for worker in workers], 1)
        return threads * calls * batch / seconds

    throughput(2)
    found = [(throughput(1), throughput(2)) for _ in range(CALLERS)]
    settings.use_threads(None)
    one, two = (statistics.median(f[k] for f in found) for k in (0, 1))
    return {"one": one, "two": two, "ratio": two / one}


def short_calls(name: str) -> list[list[str]]:
    """Return, for calls about as long as those that threads begin to share, what two threads gain.

    A call is shared from `module.WORTH_THREADS` seconds of work on: below it two threads should
    gain little, above it much.
    """
    model, x, method = CASES[name]()
    program = sclbl.compile(model, x[:5], methods=[method])
    call, rows = getattr(program, method), fresh(name, 20_000)
    call(rows)
    worth = module.WORTH_THREADS
    table = []

    def shared(part: np.ndarray, from_seconds: float) -> float:
        # Both modules ask it: for calls of one chunk of rows, and of more.
        module.WORTH_THREADS = methods.WORTH_THREADS = from_seconds
        return timed(lambda: call(part), 1)

    for times in (0.25, 0.5, 1, 2, 4):
        part = rows[: max(1, int(times * worth / program.module.pace[method]))]
        found = [(shared(part, float("inf")), shared(part, 0.0)) for _ in range(SHORT_CALLS)]
        one, two = (statistics.median(f[k] for f in found) for k in (0, 1))
        table.append([duration(times * worth), *map(duration, (one, two)), f"{one / two:.2f}x"])
    module.WORTH_THREADS = methods.WORTH_THREADS = worth
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS), help="names of cases")
    names = parser.parse_args().models
    warnings.simplefilter("ignore")
    accept_numpy_integers()
    table, results = [], {}
    for name in names:
        for rows, t in large_calls(name):
            gain, possible = t["one"] / t["all"], 2 * t["one"] / t["processes"]
            results[f"{name}, {rows} rows"] = {**t, "gain": gain, "two processes": possible}
            times = [duration(t[way]) for way in ("one", "all", "ort one", "ort all")]
            ratios = [gain, possible, gain / possible, t["ort one"] / t["one"]]
            ratios.append(t["ort all"] / t["all"])
            table.append([name, f"{rows:,}", *times, *(f"{ratio:.2f}x" for ratio in ratios)])
    # What two threads gain over one, what two processes do, and the one of the other.
    columns = ["model", "rows", "one thread", "all", "ort one", "ort all"]
    columns += ["gain", "2 processes", "of that", "ort / one", "ort / all"]
    show("One call", columns, table)
    table = []
    for name in names:
        t = many_callers(name)
        results[f"{name}, callers"] = t
        table.append([name, f"{t['one']:,.0f}", f"{t['two']:,.0f}", f"{t['ratio']:.2f}x"])
    show("Rows a second, 1,000 a call", ["model", "one caller", "two callers", "ratio"], table)
    columns = ["work", "one thread", "all", "gain"]
    show(f"Short calls of {names[0]}", columns, short_calls(names[0]))
    save("threads", results)


if __name__ == "__main__":
    main()
