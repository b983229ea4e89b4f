"""What refs name: methods of loaded programs, and what their predictions cost."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import numpy as np

from sclbl.program import Method, Program
from sclbl.registry.base import Record

#: Seconds that nobody measured yet; what a prediction that had to be stopped counts as, until later
#: measurements bring it down again.
_UNKNOWN = float("inf")
_STOPPED = 10.0


class Costs:
    """How long predictions took lately, by the number of rows: one entry for each power of two."""

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds = [_UNKNOWN] * 32

    def expected(self, rows: int) -> float:
        """Return the seconds that so many rows take; infinity where nothing like it was seen."""
        size = rows.bit_length()
        found = self._seconds[size]
        if found != _UNKNOWN:
            return found
        # From fewer rows, by proportion; what is unknown altogether is not guessed.
        for less in range(size - 1, 0, -1):
            if self._seconds[less] != _UNKNOWN:
                return self._seconds[less] * 2.0 ** (size - less)
        return _UNKNOWN

    def add(self, rows: int, seconds: float) -> None:
        """Take a measurement in."""
        size = min(rows.bit_length(), 31)
        found = self._seconds[size]
        if found == _UNKNOWN:
            self._seconds[size] = seconds
            return
        # Other threads take time from one call or another, which says nothing about the next: so
        # what is slower counts little, unless it happens again and again.
        self._seconds[size] = found + (seconds - found) * (0.25 if seconds < found else 0.05)

    def too_slow(self, rows: int) -> None:
        """Note that so many rows took longer than they should."""
        self._seconds[min(rows.bit_length(), 31)] = _STOPPED


@dataclass(slots=True)
class Target:
    """A method of a program that a ref named when it was last looked up."""

    record: Record
    program: Program
    method: str
    prefix: bytes
    call: Callable[[Any], Any]
    #: Whether the program takes more than a table, or the method gives more than a plain result.
    general: bool
    costs: Costs = field(default_factory=Costs)
    #: Bytes of a row of the result as an array, in which a text label has the room of its type.
    row_bytes: int = 0
    #: Bodies of this size and larger are known to take long.
    long_bytes: int = 1 << 62

    @property
    def width(self) -> int:
        """Values of one row of the answer."""
        return self.program.signature.outputs[self.method].width


def target_of(record: Record, program: Program, method: str) -> Target:
    """Return the target for a method of a record's program."""
    head = msgspec.json.encode(
        {
            "ref": record.ref,
            "name": record.name,
            "version": record.version,
            "sha256": record.sha256,
            "method": method,
        }
    )
    prefix = head[:-1] + b',"results":'
    # What a program has of its own stands in the way of a method of that name.
    found = vars(program).get(method)
    call = found if isinstance(found, Method) else partial(program.run, method)
    signature = program.signature
    general = bool(signature.inputs) or not signature.outputs[method].is_plain
    output = signature.outputs[method]
    item = np.dtype(output.dtype).itemsize if output.storage == "label" else 0
    return Target(
        record, program, method, prefix, call, general, row_bytes=output.width * max(item, 8)
    )


class Programs:
    """Loaded programs by SHA-256; the least recently used one goes when there are too many."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size
        self._held: OrderedDict[str, Program] = OrderedDict()
        self._bytes = 0

    def get(self, sha256: str) -> Program | None:
        """Return a program if it is loaded."""
        program = self._held.get(sha256)
        if program is not None:
            self._held.move_to_end(sha256)
        return program

    def put(self, program: Program) -> None:
        """Hold a program. One that is larger than the whole cache is held alone."""
        if program.sha256 in self._held:
            return
        self._held[program.sha256] = program
        self._bytes += program.memory_bytes
        while len(self._held) > 1 and (len(self._held) > self._count or self._bytes > self._size):
            _, gone = self._held.popitem(last=False)
            self._bytes -= gone.memory_bytes

    def __len__(self) -> int:
        return len(self._held)
