"""A running program: its memory as NumPy views, its functions called with little overhead.

wasmtime-py checks and converts every argument in Python, which costs several microseconds a call.
`wasmtime_func_call_unchecked` takes them from memory; their types are checked once, here.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import wasmtime
from wasmtime import _bindings as bindings

from sclbl.errors import InvalidProgramError, LimitError, ProgramError
from sclbl.runtime.engine import (
    MAX_GROWTH,
    allowance,
    call_seconds,
    clock,
    engine,
    memory_bytes,
    too_late,
)

#: The C function itself, without wasmtime-py's conversions and without ctypes' own: all arguments
#: are C values made once, addresses of memory that we own.
_CALL = ctypes.CFUNCTYPE(ctypes.c_void_p)(
    ctypes.cast(bindings.dll.wasmtime_func_call_unchecked, ctypes.c_void_p).value or 0
)
_MOST_ARGUMENTS = 3
_RAW = 16


class Function:
    """One exported function of a running program; takes and returns i32."""

    __slots__ = ("_arguments", "_direct", "_keep", "_trapped")

    def __init__(self, context: int, function: wasmtime.Func) -> None:
        raw = function._func
        self._keep = (function, raw)
        block = (ctypes.c_int32 * (_MOST_ARGUMENTS * _RAW // 4))()
        self._arguments = block
        self._trapped = ctypes.c_void_p()
        self._direct = (
            ctypes.c_void_p(context),
            ctypes.c_void_p(ctypes.addressof(raw)),
            ctypes.c_void_p(ctypes.addressof(block)),
            ctypes.c_size_t(_MOST_ARGUMENTS),
            ctypes.c_void_p(ctypes.addressof(self._trapped)),
        )

    def __call__(self, *arguments: int) -> int:
        block = self._arguments
        for i, value in enumerate(arguments):
            block[i * 4] = value
        return self.again(block[0])

    def prepare(self, *arguments: int) -> None:
        """Set arguments after the first; they stay for `again`."""
        for i, value in enumerate(arguments, start=1):
            self._arguments[i * 4] = value

    def again(self, first: int) -> int:
        """Call with a new first argument and the others as they were."""
        self._arguments[0] = first
        return self.finish(_CALL(*self._direct))

    def direct(self) -> tuple[Any, ...]:
        """Return the call itself, its five arguments, and the block of the first argument.

        For callers that count nanoseconds: set ``block[0]`` to a number that is not 0, call, and
        take anything but ``None`` returned and 0 left in ``block[0]`` to `finish`.
        """
        return (_CALL, *self._direct, self._arguments)

    def finish(self, failed: int | None) -> int:
        """Return the result of a call, or raise what went wrong with it."""
        if failed or self._trapped.value:
            self._raise(failed)
        return self._arguments[0]

    def _raise(self, failed: int | None) -> None:
        if failed:
            pointer = ctypes.cast(failed, ctypes.POINTER(bindings.wasmtime_error_t))
            raise ProgramError(
                f"the program could not run: {wasmtime.WasmtimeError._from_ptr(pointer)}"
            )
        pointer = ctypes.cast(self._trapped.value or 0, ctypes.POINTER(bindings.wasm_trap_t))
        self._trapped.value = None
        raise _stopped(wasmtime.Trap._from_ptr(pointer), "by itself")


def _stopped(trap: wasmtime.Trap, when: str) -> ProgramError:
    if trap.trap_code == wasmtime.TrapCode.INTERRUPT:
        return too_late()
    # The first lines tell where in the code it was; the last one tells what happened.
    return ProgramError(
        f"the program stopped {when}: {trap.message.strip().splitlines()[-1].strip()}"
    )


class Instance:
    """A program in memory. One thread uses it at a time.

    Parameters
    ----------
    module : wasmtime.Module
        The compiled program.
    methods : sequence of str
        Names of its method exports.
    seconds : float, optional
        Time limit of a call into it; by default what the thread allows (`engine.within`), else
        `engine.call_seconds`.
    """

    def __init__(
        self, module: wasmtime.Module, methods: Sequence[str], seconds: float | None = None
    ) -> None:
        self.store = wasmtime.Store(engine())
        self._seconds = seconds
        self.rewind()
        self.store.set_limits(
            memory_size=memory_bytes(module) + MAX_GROWTH, memories=1, tables=1, table_elements=1000
        )
        try:
            instance = wasmtime.Instance(self.store, module, [])
        except wasmtime.Trap as trap:
            raise _stopped(trap, "while starting") from None
        except wasmtime.WasmtimeError as error:
            raise LimitError(f"the program cannot start: {str(error).splitlines()[0]}") from None
        exports = instance.exports(self.store)
        context = ctypes.cast(self.store._context(), ctypes.c_void_p).value or 0
        memory = exports.get("memory")
        record = exports.get("error")
        constant = isinstance(record, wasmtime.Global) and record.type(self.store)
        if (
            not isinstance(memory, wasmtime.Memory)
            or not constant
            or str(constant.content) != "i32"
            or constant.mutable
        ):
            raise InvalidProgramError(
                "the program lacks the exports 'memory' and 'error' as ABI 2 has them; "
                "see docs/abi.md"
            )
        self.memory = memory
        self._first_bytes = int(memory.data_len(self.store))
        self._functions = {}
        for name in ("alloc", "reset", *methods):
            function = exports.get(name)
            if not isinstance(function, wasmtime.Func):
                raise InvalidProgramError(
                    f"the program exports no function {name!r}, which its manifest promises"
                )
            self._functions[name] = Function(context, function)
        self._error_at = int(record.value(self.store)) & 0xFFFFFFFF
        self._map()

    def _map(self) -> None:
        size = self.memory.data_len(self.store)
        self.bytes = np.frombuffer(self.memory.get_buffer_ptr(self.store), dtype=np.uint8)
        if self._error_at + 12 > size:
            raise InvalidProgramError("the program's error record lies outside its memory")
        self.record = self.view(self._error_at, "int32", (3,))

    def function(self, name: str) -> Function:
        """Return an exported function."""
        return self._functions[name]

    def view(self, address: int, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return memory at `address` as an array."""
        kind = np.dtype(dtype)
        size = int(np.prod(shape)) * kind.itemsize
        return self.bytes[address : address + size].view(kind).reshape(shape)

    def alloc(self, size: int) -> int:
        """Return the address of a new block of `size` bytes.

        Views made before may be stale afterwards: the memory may have grown.
        """
        address = self._functions["alloc"](size) & 0xFFFFFFFF
        if address == 0:
            raise LimitError(
                f"the program has no memory for a block of {size:,} bytes; "
                "give it fewer rows a call"
            )
        self.remap()
        if address + size > len(self.bytes):
            raise ProgramError("the program handed out a block outside its memory")
        return address

    @property
    def grown(self) -> int:
        """Bytes of memory that were added since the start. What is added stays."""
        return int(self.memory.data_len(self.store)) - self._first_bytes

    def remap(self) -> bool:
        """See all of the memory; return whether it has grown."""
        grown = bool(self.memory.data_len(self.store) != len(self.bytes))
        if grown:
            self._map()
        return grown

    def reset(self) -> None:
        """Give back every block; what a call takes counts from here."""
        self.rewind()
        self._functions["reset"]()

    def rewind(self) -> None:
        """Start the time limit anew, within what this thread may still take.

        Raises
        ------
        DeadlineError
            Nothing is left.
        """
        self.ticks = clock.ticks
        limits = []
        if self._seconds is not None or allowance.until is None:
            seconds = call_seconds() if self._seconds is None else self._seconds
            limits.append(max(2, int(seconds / clock.period) + 1))
        if allowance.until is not None:
            left = allowance.until - time.monotonic()
            if left <= 0:
                self.ticks = -1
                raise too_late()
            limits.append(max(1, int(left / clock.period)))
        self.store.set_epoch_deadline(min(limits))
