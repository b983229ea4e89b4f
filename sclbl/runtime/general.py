"""Calls with inputs beside the table, and of methods that give more than one plain result.

The short way, `sclbl.runtime.session`, keeps its blocks from one call to the next. Here each call
asks for what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sclbl.errors import ProgramError
from sclbl.missing import PRESENT
from sclbl.rows import Blocks, RaggedRows, TextColumn
from sclbl.runtime.engine import MAX_GROWTH
from sclbl.runtime.instance import Instance
from sclbl.runtime.session import NO_MEMORY, STORAGE, columns_of, no_memory, texts_of
from sclbl.signature import Output

if TYPE_CHECKING:
    from sclbl.runtime.module import Module

#: What one result is: an array, or ragged rows.
Result = np.ndarray | RaggedRows
#: ABI 2: words of an input's record and of a ragged result's.
WORDS = 4


class General:
    """A running instance, for one thread."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.instance = Instance(module._module, tuple(module.signature.outputs), module.seconds)

    def call(self, method: str, blocks: Blocks) -> tuple[Result, ...]:
        """Run a method on encoded rows and return its results, one after the other."""
        parts: list[list[Result]] = []
        start = end = 0
        while end < blocks.rows or not parts:
            end = blocks.end_of_chunk(start, min(start + self.module.chunk, blocks.rows))
            parts.append(self._chunk(method, blocks.part(start, end), start))
            start = end
        return tuple(_joined(list(same)) for same in zip(*parts, strict=True))

    def _chunk(self, method: str, blocks: Blocks, start: int) -> list[Result]:
        instance, signature = self.instance, self.module.signature
        instance.reset()
        outputs = [output for _, output in signature.results(method)]
        places = [instance.alloc(_bytes(output, blocks.rows)) for output in outputs]
        records = [self._table(blocks)] if signature.columns else []
        beside = blocks.beside or (None,) * len(signature.inputs)
        records += [self._beside(given) for given in beside]
        inputs = self._put(np.array(records, dtype=np.uint32))
        results = self._put(np.array(places, dtype=np.uint32))
        code = instance.function(method)(blocks.rows, inputs, results)
        if code == NO_MEMORY:
            raise no_memory()
        if code:
            raise self.module.refusal(instance.record, code, start, blocks)
        # The program may have grown its memory.
        instance.remap()
        return [self._read(o, at, blocks.rows) for o, at in zip(outputs, places, strict=True)]

    def _put(self, values: np.ndarray) -> int:
        """Copy an array into the program's memory and return its address."""
        address = self.instance.alloc(values.nbytes)
        raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.instance.bytes[address : address + len(raw)] = raw
        return address

    def _text(self, column: TextColumn) -> tuple[int, int]:
        offsets = column.offsets - column.offsets[0]
        data = column.data[int(column.offsets[0]) : int(column.offsets[-1])]
        return self._put(offsets.astype(np.uint32)), self._put(data)

    def _table(self, blocks: Blocks) -> list[int]:
        """Write the table and return its record."""
        numbers = 0 if blocks.numeric is None else self._put(blocks.numeric)
        cells = []
        for column in blocks.text:
            kinds = column.kinds
            if kinds is None:
                kinds = np.full(blocks.rows, PRESENT, dtype=np.uint8)
            cells += [*self._text(column), self._put(kinds)]
        return [numbers, self._put(np.array(cells, dtype=np.uint32)) if cells else 0, 0, 0]

    def _beside(self, given: np.ndarray | RaggedRows | None) -> list[int]:
        """Write an input beside the table and return its record."""
        if given is None:
            return [0] * WORDS
        if isinstance(given, np.ndarray):
            return [self._put(given), 0, 0, 0]
        first = given.offsets[0]
        record = [self._put((given.offsets - first).astype(np.uint32)), 0, 0, 0]
        for word, part in ((1, given.keys), (2, given.values)):
            if isinstance(part, TextColumn):
                record[1], record[3] = self._text(part)
            elif part is not None:
                record[word] = self._put(part)
        return record

    def _read(self, output: Output, address: int, rows: int) -> Result:
        """Return a copy of a result."""
        view = self.instance.view
        if output.ragged is None:
            block = view(address, STORAGE[output.storage], (rows, columns_of(output)))
            return texts_of(self.instance, block) if output.storage == "text" else block.copy()
        places = view(address, "uint32", (WORDS,)).tolist()
        offsets = self._copy(places[0], "uint32", rows + 1)
        if offsets[0] != 0 or (np.diff(offsets.astype(np.int64)) < 0).any():
            raise _altered()
        count = int(offsets[-1])
        # What a program gives lies in memory that it added; what lies elsewhere was not computed.
        if count * (4 + np.dtype(STORAGE[output.storage]).itemsize) > MAX_GROWTH:
            raise _altered()
        keys = None
        if output.ragged == "sparse":
            keys = self._copy(places[1], "int32", count)
            if count and (keys.min() < 0 or keys.max() >= output.width):
                raise _altered()
        return RaggedRows(offsets, keys, self._copy(places[2], STORAGE[output.storage], count))

    def _copy(self, address: int, dtype: str, count: int) -> np.ndarray:
        if address + count * np.dtype(dtype).itemsize > len(self.instance.bytes):
            raise _altered()
        return self.instance.view(address, dtype, (count,)).copy()


def _altered() -> ProgramError:
    return ProgramError(
        "the program gave ragged rows that do not fit its memory; the file was altered, so fetch "
        "or compile it again"
    )


def _bytes(output: Output, rows: int) -> int:
    if output.ragged is not None:
        return 4 * WORDS
    return rows * columns_of(output) * np.dtype(STORAGE[output.storage]).itemsize


def _joined(parts: list[Any]) -> Any:
    """Return the results of chunks as one."""
    if len(parts) == 1:
        return parts[0]
    if not isinstance(parts[0], RaggedRows):
        return np.concatenate(parts)
    offsets, at = [parts[0].offsets[:1].astype(np.int64)], 0
    for part in parts:
        offsets.append(part.offsets[1:].astype(np.int64) + at)
        at += int(part.offsets[-1])
    keys = None if parts[0].keys is None else np.concatenate([p.keys for p in parts])
    return RaggedRows(np.concatenate(offsets), keys, np.concatenate([p.values for p in parts]))
