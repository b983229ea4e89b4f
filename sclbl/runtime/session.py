"""A running instance of a program and its blocks: rows in, results out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sclbl.errors import LimitError, ProgramError
from sclbl.missing import PRESENT, of_length, value_of
from sclbl.rows import Blocks, TextColumn
from sclbl.runtime.engine import check_time, clock
from sclbl.runtime.instance import Instance
from sclbl.signature import Output

if TYPE_CHECKING:
    from sclbl.runtime.module import Module

#: An instance that added more memory for one call is not kept for the next: memory never shrinks,
#: and each thread has an instance.
MOST_KEPT = 8 * 1024 * 1024
STORAGE = {
    "float64": "float64",
    "float32": "float32",
    "int64": "int64",
    "uint64": "uint64",
    "bool": "bool",
    "label": "int32",
    "text": "uint32",
}


#: ABI 2's code for rows that the memory does not hold.
NO_MEMORY = 5


def no_memory() -> LimitError:
    """Return the error for rows that the program's memory does not hold."""
    return LimitError("the program has no memory left for these rows; give it fewer rows a call")


def columns_of(output: Output) -> int:
    """Return the numbers per row of a result: a text is an address and a length."""
    return output.width * (2 if output.storage == "text" else 1)


#: Bytes of the texts that come back from one chunk of rows. They may lie over each other in the
#: program, so its memory does not bound them.
MAX_TEXT = 256 * 1024 * 1024
#: A text of more bytes takes a while to decode.
LONG_TEXT = 1024 * 1024


def texts_of(instance: Instance, block: np.ndarray) -> np.ndarray:
    """Return texts whose addresses and lengths are side by side in the columns of a block.

    Raises
    ------
    LimitError
        They have more than `MAX_TEXT` bytes.
    """
    texts = np.empty((len(block), block.shape[1] // 2), dtype=object)
    size = 0
    for i, row in enumerate(block.tolist()):
        for j in range(texts.shape[1]):
            address, length = row[2 * j], row[2 * j + 1]
            kind = of_length(length)
            if kind:
                texts[i, j] = value_of(kind)
                continue
            size += min(length, len(instance.bytes))
            if size > MAX_TEXT:
                raise LimitError(
                    f"the program gives more than {MAX_TEXT:,} bytes of text for these rows; "
                    "give it fewer rows a call"
                )
            if length > LONG_TEXT:
                check_time()
            texts[i, j] = _decoded(instance.bytes, address, length)
    return texts


def _decoded(data: np.ndarray, address: int, length: int) -> str:
    raw = data[address : address + length].tobytes()
    try:
        if len(raw) == length:
            return raw.decode()
        fault = "that lies outside its memory"
    except UnicodeDecodeError:
        fault = "that is not UTF-8"
    raise ProgramError(
        f"the program gave a text {fault}; the file was altered, so fetch or compile it again"
    )


class Session:
    """A running instance and its blocks, for one thread: a table in, one plain result out.

    What else a method may take and return is for `sclbl.runtime.general`.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.instance = Instance(module._module, tuple(module.signature.outputs), module.seconds)
        self.text_bytes = 0
        self._lay_out(4096 if module.signature.text else 0)

    def _lay_out(self, text_bytes: int) -> None:
        """Ask the program for blocks that hold a chunk of rows and `text_bytes` of text."""
        module, instance = self.module, self.instance
        signature, rows = module.signature, module.chunk
        columns, texts = len(signature.numeric), len(signature.text)
        itemsize = 4 if signature.numeric_dtype == "float32" else 8
        widest = max((columns_of(o) for o in signature.outputs.values()), default=1) * 8
        instance.reset()
        numeric = instance.alloc(rows * columns * itemsize) if columns else 0
        out = instance.alloc(rows * widest)
        # Values of the call stay 0, their defaults; see docs/abi.md.
        words = 4 * (1 + len(signature.inputs))
        inputs, outputs = instance.alloc(4 * words), instance.alloc(4)
        records = instance.alloc(12 * texts) if texts else 0
        offsets = [instance.alloc(4 * (rows + 1)) for _ in range(texts)]
        kinds = [instance.alloc(rows) for _ in range(texts)]
        self.text_at = instance.alloc(text_bytes) if texts else 0
        self.text_bytes = text_bytes
        record = instance.view(inputs, "uint32", (words,))
        record[:] = 0
        record[:2] = numeric, records
        instance.view(outputs, "uint32", (1,))[0] = out
        self.places = numeric, out, records, offsets, kinds
        self._see()
        if texts:
            self.records[:, 0] = offsets
            self.records[:, 2] = kinds
        self.calls = {}
        for method, output in signature.outputs.items():
            if output.is_plain:
                function = instance.function(method)
                function.prepare(inputs, outputs)
                self.calls[method] = function

    def _see(self) -> None:
        """Look at the blocks where they are, which may be elsewhere once the memory has grown."""
        signature, rows, view = self.module.signature, self.module.chunk, self.instance.view
        numeric, out, records, offsets, kinds = self.places
        columns, texts = len(signature.numeric), len(signature.text)
        self.numeric: Any = None
        if columns:
            self.numeric = view(numeric, signature.numeric_dtype, (rows, columns))
        if texts:
            self.records = view(records, "uint32", (texts, 3))
            self.offsets = [view(a, "uint32", (rows + 1,)) for a in offsets]
            self.kinds = [view(a, "uint8", (rows,)) for a in kinds]
            self.text = view(self.text_at, "uint8", (self.text_bytes,))
        self.outputs = {
            method: view(out, STORAGE[output.storage], (rows, columns_of(output)))
            for method, output in signature.outputs.items()
            if output.is_plain
        }

    def write(self, blocks: Blocks, start: int, end: int) -> None:
        """Copy rows into the program's memory."""
        if blocks.numeric is not None and self.numeric is not None:
            self.numeric[: end - start] = blocks.numeric[start:end]
        if not blocks.text:
            return
        needed = sum(int(t.offsets[end]) - int(t.offsets[start]) for t in blocks.text)
        if needed > self.text_bytes:
            try:
                self._lay_out(max(needed, 2 * self.text_bytes))
            except BaseException:
                # Its old blocks are given back, and it has no new ones.
                self.module.drop_session()
                raise
            self.write(blocks, start, end)
            return
        at = 0
        rows = end - start
        for k, column in enumerate(blocks.text):
            first, last = int(column.offsets[start]), int(column.offsets[end])
            np.subtract(
                column.offsets[start : end + 1],
                column.offsets[start],
                out=self.offsets[k][: rows + 1],
            )
            self.text[at : at + last - first] = column.data[first:last]
            self.records[k, 1] = self.text_at + at
            self.kinds[k][:rows] = PRESENT if column.kinds is None else column.kinds[start:end]
            at += last - first

    def rows(self, method: str, blocks: Blocks, start: int, end: int, result: np.ndarray) -> None:
        """Run a method on some of the rows, and put what comes back in its place."""
        self.write(blocks, start, end)
        self.run(method, end - start, start)
        result[start:end] = self.read(method, end - start)
        if self.text_bytes > MOST_KEPT:
            self.module.drop_session()

    def run(self, method: str, rows: int, start: int) -> None:
        """Run a method on the rows written; refusals count rows from `start`."""
        if self.instance.ticks != clock.ticks:
            self.instance.rewind()
        code = self.calls[method].again(rows)
        if self.text_bytes and self.instance.remap():
            self._see()  # what becomes of texts is put where the memory grows
        if code == NO_MEMORY and self.text_bytes:
            raise no_memory()
        if code:
            raise self.module.refusal(self.instance.record, code, start, self.written(rows))

    def finish(self, method: str, failed: int | None) -> None:
        """Raise what went wrong with a direct call."""
        code = self.calls[method].finish(failed)
        raise self.module.refusal(self.instance.record, code, 0, self.written(1))

    def written(self, rows: int) -> Blocks:
        """Return the rows that were written last, where they lie."""
        text = (
            tuple(
                TextColumn(offsets[: rows + 1], self.text[int(at) - self.text_at :], kinds[:rows])
                for offsets, kinds, at in zip(
                    self.offsets, self.kinds, self.records[:, 1], strict=True
                )
            )
            if self.module.signature.text
            else ()
        )
        return Blocks(rows, self.numeric, text)

    def one_row(self, method: str) -> tuple[Any, ...]:
        """Return what a call with one row of numbers needs: instance, views, `Function.direct`."""
        output = self.module.signature.outputs[method]
        block = self.outputs[method]
        if output.storage == "label":
            block = block.view(np.uint32)  # what is negative has no label
        found = block[:1, 0] if output.ndim == 1 else block[:1]
        return (self.instance, self.numeric[:1], found, *self.calls[method].direct())

    def read(self, method: str, rows: int) -> np.ndarray:
        """Return the results of the last run: a view, or objects for text."""
        block = self.outputs[method][:rows]
        if self.module.signature.outputs[method].storage != "text":
            return block
        return texts_of(self.instance, block)
