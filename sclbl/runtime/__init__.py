"""Running a program: the only package that knows wasmtime.

A `Module` is compiled once and shared; each thread gets a running instance of its own, so calls
from several threads run in parallel. Rows go through in chunks that stay in the cache, whatever the
size of the batch.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from sclbl.errors import (
    InfiniteValueError,
    InputError,
    InvalidProgramError,
    MissingValueError,
    ProgramError,
    UnknownCategoryError,
    UnsupportedMethodError,
)
from sclbl.missing import PRESENT, of_length, value_of
from sclbl.rows import Blocks
from sclbl.runtime import bounds
from sclbl.runtime.engine import clock, function_type, load, memory_bytes
from sclbl.runtime.instance import Instance
from sclbl.signature import Output, Signature

#: Bytes of rows that are copied in before the program is called.
CHUNK_BYTES = 256 * 1024
CHUNK_MIN, CHUNK_MAX = 64, 16384
STORAGE = {
    "float64": "float64",
    "float32": "float32",
    "int64": "int64",
    "bool": "bool",
    "label": "int32",
    "text": "uint32",
}
_METHOD_TYPE = (("i32",) * 4, ("i32",))


def _columns(output: Output) -> int:
    """Numbers per row: a text is an address and a length."""
    return output.width * (2 if output.storage == "text" else 1)


class Module:
    """A program, ready to run.

    Parameters
    ----------
    wasm : bytes
        The program.
    signature : Signature
        From its manifest.
    seconds : float, optional
        Time limit of one call into the program, which handles one chunk of rows; by default
        `engine.CALL_SECONDS`, or what the environment or the thread (`engine.within`) sets.

    Raises
    ------
    InvalidProgramError, LimitError
        Where the bytes are no program, or one beyond the limits.
    """

    def __init__(self, wasm: bytes, signature: Signature, seconds: float | None = None) -> None:
        self.signature = signature
        self.seconds = seconds
        self._module = load(wasm, apart=bounds.costly(bounds.check(wasm)))
        types = {e.name: function_type(e.type) for e in self._module.exports}
        for method in signature.outputs:
            if types.get(method) != _METHOD_TYPE:
                raise InvalidProgramError(
                    f"the program's export {method!r} is not a method of ABI 1; see docs/abi.md"
                )
        if types.get("alloc") != (("i32",), ("i32",)) or types.get("reset") != ((), ()):
            raise InvalidProgramError("the program lacks alloc or reset as ABI 1 has them")
        itemsize = 4 if signature.numeric_dtype == "float32" else 8
        row = len(signature.numeric) * itemsize + 8 * len(signature.text)
        row += max((_columns(o) for o in signature.outputs.values()), default=1) * 8
        self.chunk = int(np.clip(CHUNK_BYTES // max(row, 1), CHUNK_MIN, CHUNK_MAX))
        self._local = threading.local()

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory that an instance has when it starts, before blocks of rows."""
        return memory_bytes(self._module)

    def session(self) -> Session:
        """Return this thread's running instance."""
        try:
            session: Session = self._local.session
        except AttributeError:
            session = self._local.session = Session(self)
        return session

    def call(self, method: str, blocks: Blocks) -> np.ndarray:
        """Run a method on encoded rows.

        Parameters
        ----------
        method : str
            One of the signature's outputs.
        blocks : Blocks
            Encoded rows.

        Returns
        -------
        ndarray ``[rows, width]``
            In the method's storage type; class numbers (int32) for labels, objects for text.

        Raises
        ------
        MissingValueError, InfiniteValueError, UnknownCategoryError
            Where the program refuses a row.
        UnsupportedMethodError
            Where it has no such method.
        """
        output = self.signature.outputs.get(method)
        if output is None:
            raise UnsupportedMethodError(
                f"the program has no method {method!r}; it offers "
                f"{', '.join(self.signature.outputs)}"
            )
        session = self.session()
        dtype = object if output.storage == "text" else STORAGE[output.storage]
        result = np.empty((blocks.rows, output.width), dtype=dtype)
        for start in range(0, blocks.rows, self.chunk):
            end = min(start + self.chunk, blocks.rows)
            session.write(blocks, start, end)
            session.run(method, end - start, start)
            result[start:end] = session.read(method, end - start)
        return result

    def refusal(self, record: np.ndarray, code: int, start: int) -> InputError | ProgramError:
        """Return the exception for an error code of the program."""
        row, column = int(record[1]) + start, int(record[2])
        named = 0 <= column < len(self.signature.columns)
        label = self.signature.label_of(column) if named else None
        where = f"row {row}, column {label!r}" if named else f"row {row}"
        if code == 1 and named and self.signature.columns[column].kind == "text":
            return MissingValueError(
                f"{where} holds a missing value that the model refuses there (None, NaN and "
                "pandas.NA are three values to it); fill it in, or fit the model with an imputer "
                "for it",
                row=row,
                column=label,
            )
        if code == 1:
            return MissingValueError(
                f"{where} is missing, and missing values are refused there; "
                "fill it in, leave the row out, or fit a model that takes missing values",
                row=row,
                column=label,
            )
        if code == 2:
            return InfiniteValueError(
                f"{where} is infinite or too large for the model's precision; correct the value",
                row=row,
                column=label,
            )
        if code == 3:
            return UnknownCategoryError(
                f"{where} holds a category that the model was not fitted on; correct the value, "
                "or fit a model that takes unknown categories",
                row=row,
                column=label,
            )
        return ProgramError(f"the program refused its arguments (code {code}, {where})")


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
    """A running instance and its blocks, for one thread."""

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
        widest = max((_columns(o) for o in signature.outputs.values()), default=1) * 8
        instance.reset()
        numeric = instance.alloc(rows * columns * itemsize) if columns else 0
        out = instance.alloc(rows * widest)
        records = instance.alloc(12 * texts) if texts else 0
        offsets = [instance.alloc(4 * (rows + 1)) for _ in range(texts)]
        kinds = [instance.alloc(rows) for _ in range(texts)]
        self.text_at = instance.alloc(text_bytes) if texts else 0
        self.text_bytes = text_bytes
        view = instance.view
        self.numeric: Any = None
        if columns:
            self.numeric = view(numeric, signature.numeric_dtype, (rows, columns))
        if texts:
            self.records = view(records, "uint32", (texts, 3))
            self.records[:, 0] = offsets
            self.records[:, 2] = kinds
            self.offsets = [view(a, "uint32", (rows + 1,)) for a in offsets]
            self.kinds = [view(a, "uint8", (rows,)) for a in kinds]
            self.text = view(self.text_at, "uint8", (text_bytes,))
        self.outputs = {}
        self.calls = {}
        for method, output in signature.outputs.items():
            shape = (rows, _columns(output))
            self.outputs[method] = view(out, STORAGE[output.storage], shape)
            function = instance.function(method)
            function.prepare(numeric, records, out)
            self.calls[method] = function

    def write(self, blocks: Blocks, start: int, end: int) -> None:
        """Copy rows into the program's memory."""
        if blocks.numeric is not None and self.numeric is not None:
            self.numeric[: end - start] = blocks.numeric[start:end]
        if not blocks.text:
            return
        needed = sum(int(t.offsets[end]) - int(t.offsets[start]) for t in blocks.text)
        if needed > self.text_bytes:
            self._lay_out(max(needed, 2 * self.text_bytes))
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

    def run(self, method: str, rows: int, start: int) -> None:
        """Run a method on the rows written; refusals count rows from `start`."""
        if self.instance.ticks != clock.ticks:
            self.instance.rewind()
        code = self.calls[method].again(rows)
        if code:
            raise self.module.refusal(self.instance.record, code, start)

    def finish(self, method: str, failed: int | None) -> None:
        """Raise what went wrong with a direct call."""
        code = self.calls[method].finish(failed)
        raise self.module.refusal(self.instance.record, code, 0)

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
        data = self.instance.bytes
        texts = np.empty((rows, block.shape[1] // 2), dtype=object)
        for i, row in enumerate(block.tolist()):
            for j in range(texts.shape[1]):
                address, length = row[2 * j], row[2 * j + 1]
                kind = of_length(length)
                texts[i, j] = value_of(kind) if kind else _decoded(data, address, length)
        return texts
