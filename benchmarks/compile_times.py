"""Processor time of compiling every subject of the conformance suite, and where it goes.

Each model is fitted, then compiled once, in one warm process on one thread: fitted model to
verified program (`sclbl.compile`), which includes what the model itself takes for the rows that it
is verified on. A few models are also the first of a process of their own, imports included.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
from _measure import duration, save, show

ROOT = Path(__file__).resolve().parents[1]
#: What is measured, and the functions that do it. Time in a function that one of them calls is that
#: function's alone; "emit" and "compare" are what is left of the compiler and of verification.
STAGES: dict[str, tuple[str, ...]] = {
    "strip": ("sclbl.strippers:strip",),
    "rewrite": (
        "sclbl.compiler:infer_values",
        "sclbl.compiler:simplify",
        "sclbl.compiler:fuse",
        "sclbl.compiler:fuse_rows",
    ),
    "emit": ("sclbl.pipeline:compile_spec",),
    "LLVM": ("sclbl.compiler.llvm:build",),
    "link": (
        "sclbl.compiler:link",
        "sclbl.compiler:parse",
        "sclbl.compiler:describe",
        "sclbl.manifest:attach",
        "sclbl.manifest:restate",
    ),
    "compare": ("sclbl.fidelity:verify",),
    "load": ("sclbl.runtime.load:_compiled",),
    "run": ("sclbl.program:Program.run",),
    "define": ("sclbl.fidelity.rounding:evaluate", "sclbl.fidelity.overflow:evaluate"),
    "model": ("sclbl.strippers.example:call", "sclbl.strippers.example:call_itself"),
}
VERIFICATION = ("compare", "load", "run", "define", "model")
#: Subjects that are compiled first in a process of their own.
FRESH = 5


class Stages:
    """Processor time of this process by stage, each without those that it calls."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0
        for stage, functions in STAGES.items():
            for place in functions:
                self._watch(stage, place)

    def _watch(self, stage: str, place: str) -> None:
        module, _, path = place.partition(":")
        *owners, name = path.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        setattr(owner, name, self._watched(stage, getattr(owner, name)))

    def _watched(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*given: Any, **named: Any) -> Any:
            with self.within(stage):
                return function(*given, **named)

        return watched

    @contextmanager
    def within(self, stage: str) -> Iterator[None]:
        """Count what happens inside to a stage."""
        self._turn()
        self._open.append(stage)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.process_time()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


def one(name: str) -> tuple[Any, Any, dict[str, Any]]:
    """Return the model of a subject, its example and how it is compiled."""
    from tests.conformance.ragged import EXAMPLE, ragged_subjects
    from tests.conformance.subject import subjects

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for ragged in ragged_subjects():
            if ragged.name == name:
                return ragged.make(ragged.train), ragged.train[:EXAMPLE], {}
        subject = next(s for s in subjects() if s.name == name)
        training = subject.domain.training(subject.form)
        known = subject.domain.form(subject.form, subject.domain.trained(subject.form), known=True)
        return subject.make(training), known[:5], {"methods": subject.methods or None}


def names() -> list[str]:
    """Return the names of all subjects."""
    from tests.conformance.ragged import ragged_subjects
    from tests.conformance.subject import subjects

    return [s.name for s in (*subjects(), *ragged_subjects())]


def warm(chosen: list[str]) -> dict[str, dict[str, Any]]:
    """Return what compiling each took, by stage."""
    import numpy as np

    import sclbl

    first = one(chosen[0])
    sclbl.compile(first[0], first[1], **first[2])
    stages, found = Stages(), {}
    for name in chosen:
        print(name, file=sys.stderr)
        model, example, options = one(name)
        stages.seconds.clear()
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"), stages.within("compare"):
                warnings.simplefilter("ignore")
                program = sclbl.compile(model, example, **options)
        except sclbl.errors.SclblError as error:
            print(f"not compiled: {name}: {error}", file=sys.stderr)
            continue
        taken = {stage: stages.seconds[stage] for stage in STAGES}
        total = sum(taken.values())
        without = total - sum(taken[stage] for stage in VERIFICATION)
        found[name] = {
            "total": total,
            "without": without,
            "stages": taken,
            "bytes": program.size,
            "nodes": len(program.spec.graph.nodes) if program.spec is not None else 0,
        }
    return found


def fresh(name: str) -> float:
    """Return what compiling a model takes, in seconds, where it is the first of its process."""
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(one(name), f"{folder}/model")
        command = [sys.executable, str(Path(__file__).resolve()), "--first", f"{folder}/model"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return float(done.stdout)


def first(path: str) -> float:
    """Compile a stored model in this process, and return the seconds that takes."""
    model, example, options = joblib.load(path)
    begin = time.process_time()
    import sclbl

    sclbl.compile(model, example, **options)
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="subjects whose names hold this")
    parser.add_argument("--slowest", type=int, default=20, help="how many are listed")
    parser.add_argument("--first", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        print(first(options.first))
        return
    # The subjects are those of the tests.
    sys.path.insert(0, str(ROOT))
    os.environ["SCLBL_THREADS"] = "1"
    chosen = [name for name in names() if options.only in name]
    if not chosen:
        raise SystemExit(f"no subject's name holds {options.only!r}")
    found = warm(chosen)

    def quantiles(values: list[float]) -> list[str]:
        ordered = sorted(values)
        at = (len(ordered) // 2, int(len(ordered) * 0.9), len(ordered) - 1)
        return [duration(ordered[k]) for k in at]

    table = [["verified", *quantiles([f["total"] for f in found.values()])]]
    table.append(["without verification", *quantiles([f["without"] for f in found.values()])])
    table += [[f"  {s}", *quantiles([f["stages"][s] for f in found.values()])] for s in STAGES]
    table.append(["bytes", *[f"{v:,.0f}" for v in _quantiles(found, "bytes")]])
    show(
        f"sclbl.compile, {len(found)} models, warm, one thread: processor time",
        ["", "median", "p90", "most"],
        table,
    )
    slowest = sorted(found.items(), key=lambda item: -item[1]["total"])[: options.slowest]
    show(
        "the slowest",
        ["model", "verified", *STAGES, "nodes", "bytes"],
        [
            [
                name,
                duration(f["total"]),
                *(duration(f["stages"][s]) for s in STAGES),
                f"{f['nodes']:,}",
                f"{f['bytes']:,}",
            ]
            for name, f in slowest
        ],
        width=190,
    )
    by_total = sorted(found, key=lambda name: found[name]["total"])
    step = max(1, len(by_total) // FRESH)
    firsts = {name: fresh(name) for name in by_total[step // 2 :: step][:FRESH]}
    show(
        "the first of a process, imports of sclbl, LLVM and wasmtime included",
        ["model", "first", "warm"],
        [[n, duration(s), duration(found[n]["total"])] for n, s in firsts.items()],
    )
    print(f"median {statistics.median(f['total'] for f in found.values()) * 1e3:.0f} ms")
    if not options.only:
        save("compile_times", {"warm": found, "first": firsts})


def _quantiles(found: dict[str, dict[str, Any]], what: str) -> list[float]:
    ordered = sorted(f[what] for f in found.values())
    return [ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.9)], ordered[-1]]


if __name__ == "__main__":
    main()
