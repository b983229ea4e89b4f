"""One engine for the process: compiles programs to machine code, counts time, sets limits."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import wasmtime

from sclbl.errors import InvalidProgramError, LimitError

#: Seconds between two ticks of the clock that running programs are checked against.
TICK = 0.5
#: Bytes of a program, and of the memory that it may ask for when it starts.
MAX_PROGRAM = 2 * 1024**3
MAX_MEMORY = 4 * 1024**3
#: Memory that a running program may add for blocks of rows and text.
MAX_GROWTH = 1024**3

_lock = threading.Lock()
_engine: wasmtime.Engine | None = None


class Clock:
    """Ticks of the engine's clock, as a number that is cheap to compare."""

    __slots__ = ("ticks",)

    def __init__(self) -> None:
        self.ticks = 0


clock = Clock()


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
        time.sleep(TICK)
        running.increment_epoch()
        clock.ticks += 1


def load(wasm: bytes, *, apart: bool = False) -> wasmtime.Module:
    """Compile a program to machine code; `apart` in a process of its own, within limits.

    Raises
    ------
    InvalidProgramError
        Where the bytes are no valid module, or the module imports something.
    LimitError
        Where it is too large, or asks for too much memory.
    """
    if len(wasm) > MAX_PROGRAM:
        raise LimitError(f"the program has {len(wasm):,} bytes; the limit is {MAX_PROGRAM:,}")
    try:
        if apart:
            from sclbl.runtime.apart import compile_apart

            module = compile_apart(wasm)
        else:
            module = wasmtime.Module(engine(), wasm)
    except wasmtime.WasmtimeError as error:
        reason = str(error).splitlines()[0]
        raise InvalidProgramError(
            f"the program is not a valid WebAssembly module ({reason}); it is truncated or "
            "altered, so fetch or compile it again"
        ) from None
    imports = [f"{i.module}.{i.name}" for i in module.imports]
    if imports:
        raise InvalidProgramError(
            f"the program imports {', '.join(imports[:3])}; a sclbl program imports nothing"
        )
    wanted = memory_bytes(module)
    if wanted > MAX_MEMORY:
        raise LimitError(
            f"the program asks for {wanted:,} bytes of memory; the limit is {MAX_MEMORY:,}"
        )
    return module


def memory_bytes(module: wasmtime.Module) -> int:
    """Return the bytes of memory that a program has when it starts."""
    kinds = (export.type for export in module.exports)
    return sum(k.limits.min * 65536 for k in kinds if isinstance(k, wasmtime.MemoryType))


def function_type(export: Any) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return parameter and result types of an exported function; None for anything else."""
    if not isinstance(export, wasmtime.FuncType):
        return None
    return tuple(map(str, export.params)), tuple(map(str, export.results))
