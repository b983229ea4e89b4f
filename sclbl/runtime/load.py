"""From the bytes of a program to its machine code."""

from __future__ import annotations

import threading
from collections import OrderedDict

import wasmtime

from sclbl import manifest
from sclbl.errors import InvalidProgramError, LimitError
from sclbl.runtime.apart import compile_apart
from sclbl.runtime.engine import MAX_MEMORY, MAX_PROGRAM, engine, memory_bytes

#: How many small programs stay compiled, and what is small: one that was verified is asked again
#: soon, with its report in the manifest.
LATELY, SMALL = 8, 1024**2
_lately: OrderedDict[str, wasmtime.Module] = OrderedDict()
_lock = threading.Lock()


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
    if len(wasm) > SMALL:
        return _compiled(wasm, apart)
    code = manifest.code_sha256(wasm)
    with _lock:
        known = _lately.get(code)
        if known is not None:
            _lately.move_to_end(code)
            return known
    module = _compiled(wasm, apart)
    with _lock:
        _lately[code] = module
        if len(_lately) > LATELY:
            _lately.popitem(last=False)
    return module


def _compiled(wasm: bytes, apart: bool) -> wasmtime.Module:
    try:
        module = compile_apart(wasm) if apart else wasmtime.Module(engine(), wasm)
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
