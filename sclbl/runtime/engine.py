"""One engine for the process: compiles programs to machine code, counts time, sets limits."""

from __future__ import annotations

import itertools
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import wasmtime

from sclbl.errors import DeadlineError, LimitError

#: Seconds between two ticks of the clock that running programs are checked against, where nobody
#: asked for finer ones.
TICK = 0.5
#: Seconds that one call into a program may take where nothing else bounds it. A call handles a
#: chunk of rows, however many are predicted, so a sound program is far below.
CALL_SECONDS = 30.0
#: Bytes of a program, and of the memory that it may ask for when it starts.
MAX_PROGRAM = 2 * 1024**3
MAX_MEMORY = 4 * 1024**3
#: Memory that a running program may add for blocks of rows and text.
MAX_GROWTH = 1024**3

_lock = threading.Lock()
_engine: wasmtime.Engine | None = None


class Clock:
    """The engine's clock.

    ``ticks`` is another number after each tick, and after each new allowance: a running program
    that sees another number than before asks how long it may go on. ``period`` is the seconds
    between two ticks.
    """

    __slots__ = ("_count", "_sooner", "period", "ticks")

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self._sooner = threading.Event()
        self.period = TICK
        self.ticks = 0

    def mark(self) -> None:
        """Make every program ask again."""
        # The counter hands out each number once, whatever threads do.
        self.ticks = next(self._count)

    def at_least_every(self, seconds: float) -> None:
        """Tick at least this often from now on."""
        if seconds < self.period:
            self.period = seconds
            self._sooner.set()

    def pause(self) -> None:
        """Wait for the next tick."""
        if self._sooner.wait(self.period):
            self._sooner.clear()


clock = Clock()


class _Allowance(threading.local):
    """What this thread's work may take.

    ``until`` is when, in `time.monotonic`, it has to end; None where it may go on. ``alone`` keeps
    it in this thread.
    """

    until: float | None = None
    alone: bool = False


allowance = _Allowance()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Bound, in seconds, what this thread does inside: programs, and what calls `check_time`."""
    before = allowance.until
    until = time.monotonic() + seconds
    allowance.until = until if before is None else min(before, until)
    clock.mark()
    try:
        yield
    finally:
        allowance.until = before
        clock.mark()


def check_time() -> None:
    """Raise `DeadlineError` where this thread's allowance is used up."""
    if allowance.until is not None and time.monotonic() > allowance.until:
        raise too_late()


def call_seconds() -> float:
    """Return `CALL_SECONDS`, or what the environment sets in its place."""
    given = os.environ.get("SCLBL_CALL_SECONDS")
    if given is None:
        return CALL_SECONDS
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 1e9:
        raise LimitError(
            f"SCLBL_CALL_SECONDS is {given[:40]!r}, which is no number of seconds above 0; "
            "correct it, or remove it from the environment"
        )
    return seconds


def too_late() -> DeadlineError:
    """Return the error for a call that took too long."""
    # Who bounds a thread has a setting of his own, a server's --predict-seconds for one.
    how = " (SCLBL_CALL_SECONDS)" if allowance.until is None else ""
    return DeadlineError(
        "the program ran longer than its time limit and was stopped; "
        f"give it fewer rows a call, or a higher limit{how}"
    )


def engine() -> wasmtime.Engine:
    """Return the process's engine, made when first asked for."""
    global _engine
    with _lock:
        if _engine is None:
            config = wasmtime.Config()
            # A forked child has lost the threads of its parent's pool, and would wait for them.
            config.parallel_compilation = False
            config.epoch_interruption = True
            # Results must be the same bits on every engine and processor.
            config.wasm_relaxed_simd = False
            config.wasm_threads = False
            # One memory of 32-bit addresses is all that a program has: limits rely on it.
            config.wasm_multi_memory = False
            config.wasm_memory64 = False
            _engine = wasmtime.Engine(config)
            _start_clock()
        return _engine


def _start_clock() -> None:
    """Start the clock's thread; a forked child has lost its parent's."""
    if _engine is not None:
        threading.Thread(target=_tick, args=(_engine,), name="sclbl-clock", daemon=True).start()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_clock)


def _tick(running: wasmtime.Engine) -> None:
    while True:
        clock.pause()
        running.increment_epoch()
        clock.mark()


def memory_bytes(module: wasmtime.Module) -> int:
    """Return the bytes of memory that a program has when it starts."""
    kinds = (export.type for export in module.exports)
    return sum(k.limits.min * 65536 for k in kinds if isinstance(k, wasmtime.MemoryType))


def function_type(export: Any) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return parameter and result types of an exported function; None for anything else."""
    if not isinstance(export, wasmtime.FuncType):
        return None
    return tuple(map(str, export.params)), tuple(map(str, export.results))
