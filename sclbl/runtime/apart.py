"""Compiling to machine code in a process of its own, which ends at its limits.

How long the engine takes for code with many branches cannot be told beforehand: wide pipelines pass
quickly, and code made to be slow takes hours. `bounds` says which code that may be.
"""

from __future__ import annotations

import subprocess
import sys

import wasmtime

from sclbl.errors import InvalidProgramError, LimitError
from sclbl.runtime import engine

#: Processor seconds, seconds on the clock, and bytes beside the program's own, of one process.
SECONDS, WAIT, MEMORY = 15, 120, 1024**3
#: What its exit code says: the module is invalid. Anything else but 0 is a limit.
INVALID = 3


def compile_apart(wasm: bytes) -> wasmtime.Module:
    """Compile a program in another process.

    Raises
    ------
    InvalidProgramError
        Where the bytes are no valid module.
    LimitError
        Where compiling takes too much time or memory.
    """
    # -S -E: what the user's interpreter would load first is of no use there. Its path is.
    size = MEMORY + 5 * len(wasm)
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from sclbl.runtime.apart import main; main({SECONDS}, {size})"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-E", "-c", code], input=wasm, capture_output=True, timeout=WAIT
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        reason = "it took too long" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        raise _beyond(reason) from None
    if done.returncode == INVALID:
        raise InvalidProgramError(
            f"the program is not a valid WebAssembly module ({done.stderr.decode(errors='replace')}"
            "); it is truncated or altered, so fetch or compile it again"
        )
    if done.returncode:
        raise _beyond(f"{SECONDS} s and {size:,} bytes are the limit")
    return wasmtime.Module.deserialize(engine.engine(), done.stdout)


def _beyond(reason: str) -> LimitError:
    return LimitError(
        f"the program's code is too complex to be compiled to machine code ({reason}); "
        "the file was altered, or the model is too large: fetch it again, or reduce the model"
    )


def main(seconds: int, size: int) -> None:
    """Compile the program that stands on standard input, and write the machine code."""
    wasm = sys.stdin.buffer.read()
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        machine = wasmtime.Module(engine.engine(), wasm).serialize()
    except wasmtime.WasmtimeError as error:
        sys.stderr.write(str(error).splitlines()[0])
        sys.stderr.flush()
        sys.exit(INVALID)
    sys.stdout.buffer.write(machine)
