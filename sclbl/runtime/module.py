"""A program that is ready to run, and how a call takes rows through it."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from sclbl.errors import (
    InfiniteValueError,
    InputError,
    InvalidProgramError,
    MissingValueError,
    OutOfRangeError,
    OutOfReachError,
    ProgramError,
    UnknownCategoryError,
    UnsupportedMethodError,
)
from sclbl.rows import Blocks, Encoder
from sclbl.rows.kinds import shown
from sclbl.runtime import bounds, session
from sclbl.runtime.engine import function_type, memory_bytes
from sclbl.runtime.general import General, Result
from sclbl.runtime.load import load
from sclbl.runtime.parallel import most_threads
from sclbl.runtime.pieces import Pieces
from sclbl.runtime.session import STORAGE, Session, columns_of
from sclbl.signature import Signature

#: Bytes of rows that are copied in before the program is called.
CHUNK_BYTES = 256 * 1024
CHUNK_MIN, CHUNK_MAX = 64, 16384
#: Seconds of work that are worth another thread: waking one and waiting for it costs a tenth.
WORTH_THREADS = 0.0008
#: Fewer rows tell little of how long a row takes.
TELLING_ROWS = 256
#: The greatest number that models of float32 take as it is.
_USUAL = float(np.finfo(np.float32).max)
#: What is said of a number that was computed, not given, by the program's error code.
_COMPUTED: dict[int, tuple[type[InputError], str]] = {
    1: (
        MissingValueError,
        "missing; it is NaN, as of 0/0 or of a negative number's logarithm: ",
    ),
    2: (InfiniteValueError, "infinite or too large for the model's precision; "),
}
_METHOD_TYPE = (("i32",) * 3, ("i32",))


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
        #: Turns rows of any kind into what `call` takes.
        self.encoder = Encoder(signature)
        self.seconds = seconds
        self._module = load(wasm, apart=bounds.costly(bounds.check(wasm)))
        types = {e.name: function_type(e.type) for e in self._module.exports}
        for method in signature.outputs:
            if types.get(method) != _METHOD_TYPE:
                raise InvalidProgramError(
                    f"the program's export {method!r} is not a method of ABI 2; see docs/abi.md"
                )
        if types.get("alloc") != (("i32",), ("i32",)) or types.get("reset") != ((), ()):
            raise InvalidProgramError("the program lacks alloc or reset as ABI 2 has them")
        itemsize = 4 if signature.numeric_dtype == "float32" else 8
        row = len(signature.numeric) * itemsize + 8 * len(signature.text)
        row += max((columns_of(o) for o in signature.outputs.values()), default=1) * 8
        row += sum(8 * max(given.width, 16) for given in signature.beside if given.kind != "sparse")
        chunk = int(np.clip(CHUNK_BYTES // max(row, 1), CHUNK_MIN, CHUNK_MAX))
        self.chunk = 1 if signature.one_row else chunk
        #: Seconds that a row takes, by method; 0 where nobody saw it yet.
        self.pace = dict.fromkeys(signature.outputs, 0.0)
        self._local = threading.local()

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory that an instance has when it starts, before blocks of rows."""
        return memory_bytes(self._module)

    def session(self) -> Session:
        """Return this thread's running instance."""
        try:
            running: Session = self._local.session
        except AttributeError:
            running = self._local.session = Session(self)
        return running

    def drop_session(self) -> None:
        """Let this thread's running instance go; the next call makes another."""
        self._local.__dict__.pop("session", None)

    def general(self, method: str, blocks: Blocks) -> tuple[Result, ...]:
        """Run any method on encoded rows, inputs beside the table included.

        Returns
        -------
        tuple of ndarray ``[rows, width]`` or RaggedRows
            Each in its storage type, as `call` returns it.

        Raises
        ------
        LimitError
            Where the program's memory does not hold what a chunk of rows needs.
        """
        try:
            general: General = self._local.general
        except AttributeError:
            general = self._local.general = General(self)
        try:
            return general.call(method, blocks)
        finally:
            if general.instance.grown > session.MOST_KEPT:
                del self._local.general

    def call(self, method: str, blocks: Blocks) -> np.ndarray:
        """Run a method with one plain result on encoded rows of the table alone.

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
        MissingValueError, InfiniteValueError, UnknownCategoryError, OutOfRangeError
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
        dtype: Any = object if output.storage == "text" else STORAGE[output.storage]
        result = np.empty((blocks.rows, output.width), dtype=dtype)
        done = 0
        if blocks.rows > self.chunk and not self.pace[method]:
            self._chunks(method, blocks, result, 0, self.chunk)
            done = self.chunk
        left = blocks.rows - done
        # Texts are read in Python, whose threads take turns.
        if (
            left * self.pace[method] < WORTH_THREADS
            or output.storage == "text"
            or (threads := most_threads()) < 2
        ):
            self._chunks(method, blocks, result, done, blocks.rows)
            return result
        pieces = Pieces(self, method, blocks, result, done, threads)
        pieces.run()
        if isinstance(pieces.error, InputError):
            # In a chunk of rows the program looks at one column after the other, so which of its
            # rows is refused first depends on where it begins: here where one thread begins it.
            first = pieces.failed_at // self.chunk * self.chunk
            self._chunks(method, blocks, result, first, blocks.rows)
        if pieces.error is not None:
            raise pieces.error
        return result

    def _chunks(
        self, method: str, blocks: Blocks, result: np.ndarray, first: int, last: int
    ) -> None:
        """Run rows in this thread, one chunk after the other."""
        session = self.session()
        begin = time.perf_counter()
        start = first
        while start < last:
            end = blocks.end_of_chunk(start, min(start + self.chunk, last))
            session.rows(method, blocks, start, end, result)
            start = end
        if last - first >= TELLING_ROWS:
            self.learn(method, time.perf_counter() - begin, last - first)

    def learn(self, method: str, seconds: float, rows: int) -> None:
        """Take in how long rows took."""
        found, known = seconds / rows, self.pace[method]
        # What else the machine does makes rows slower than they are, and nothing makes them faster.
        if known and found > known:
            found = known + 0.02 * (found - known)
        self.pace[method] = found

    def refusal(
        self, record: np.ndarray, code: int, start: int, blocks: Blocks
    ) -> InputError | ProgramError:
        """Return the exception for an error code of the program.

        Parameters
        ----------
        record : array
            The program's error record.
        code : int
            What it returned.
        start : int
            The number of the first row that it was given.
        blocks : Blocks
            These rows.
        """
        row, column = int(record[1]) + start, int(record[2])
        named = 0 <= column < len(self.signature.columns)
        label = self.signature.label_of(column) if named else None
        if not self.signature.columns and column >= 0:
            label = str(column)  # of sparse rows
        where = f"row {row}" if label is None else f"row {row}, column {label!r}"
        if code == 1 and named and self.signature.columns[column].kind == "text":
            return MissingValueError(
                f"{where} is missing; it holds a missing value that the model refuses there (None, "
                "NaN and pandas.NA are three values to it): fill it in, or fit the model with an "
                "imputer for it",
                row=row,
                column=label,
            )
        if code in _COMPUTED and named and self._is_usual(blocks, row - start, column):
            error, what = _COMPUTED[code]
            return error(
                f"{where}: what the model computes from it is {what}correct the value, or leave "
                "the row out",
                row=row,
                column=label,
            )
        if code == 1:
            return MissingValueError(
                f"{where} is missing; missing values are refused there: fill it in, leave the row "
                "out, or fit a model that takes missing values",
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
            shown = self._shown(blocks, row - start, column) if named else ""
            return UnknownCategoryError(
                f"{where} holds {shown}a category that the model was not fitted on; correct the "
                "value, or fit a model that takes unknown categories",
                row=row,
                column=label,
            )
        if code == 6:
            return OutOfRangeError(
                f"{where} is outside of the range of numbers that the model takes; correct the "
                "value, or leave the row out",
                row=row,
                column=label,
            )
        if code == 7:
            return OutOfReachError(
                f"{where} is too far from the rows that the model was fitted on; it has no answer "
                "there: correct the row, or fit the model with a larger radius or with an "
                "outlier_label",
                row=row,
                column=label,
            )
        return ProgramError(f"the program refused its arguments (code {code}, {where})")

    def _is_usual(self, blocks: Blocks, row: int, column: int) -> bool:
        """Return whether a cell holds a number, of a usual size: itself it was not refused."""
        if not 0 <= row < blocks.rows:
            return False
        try:
            value = blocks.cell(self.signature.numeric.index(column), row, text=False)
        except (LookupError, ValueError):
            return False
        return value is not None and abs(value) <= _USUAL

    def _shown(self, blocks: Blocks, row: int, column: int) -> str:
        """Return the value of a cell for a message, cut short, with a comma.

        Empty where it cannot be read: a program may have written over its rows.
        """
        try:
            return f"{self._value(blocks, row, column)}, " if 0 <= row < blocks.rows else ""
        except (LookupError, ValueError):
            return ""

    def _value(self, blocks: Blocks, row: int, column: int) -> str:
        kind = self.signature.columns[column].kind
        text = kind == "text"
        places = self.signature.text if text else self.signature.numeric
        return shown(blocks.cell(places.index(column), row, text=text))
