"""Predict files in chunks: readers and writers by format."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np

from sclbl import json_results
from sclbl.cli.output import data_bytes, progress
from sclbl.cli.versions import output_file
from sclbl.errors import LimitError, RequestError
from sclbl.json_calls import Call, form_of, names_of, read_call
from sclbl.json_rows import read_json
from sclbl.plain_file import open_file
from sclbl.result_columns import column_names, plain, spelled
from sclbl.rows import OneNull
from sclbl.rows.numbering import numbered_from
from sclbl.runtime.method import check_options, general_results
from sclbl.signature import Output, Signature
from sclbl.tabular import CHUNK_ROWS, not_utf8, read_csv, read_ndjson, written

if TYPE_CHECKING:
    from sclbl.program import Program

#: Values that are written at a time where results are no table.
SLICE_VALUES = 64 * 1024
#: Bytes that the texts of rows of Parquet may take when they are written out.
MOST_TEXT = 256 * 1024 * 1024
#: Rows of a chunk, their number, and how much of the file is read.
Chunk = tuple[Any, int, int]


class Writer(Protocol):
    """Writes results, chunk by chunk; `finish` comes after the last one, `close` always.

    `write_rows` takes what is no table: one JSON-ready value a row.
    """

    def write(self, names: list[str], columns: list[np.ndarray]) -> None: ...
    def write_rows(self, rows: list[Any]) -> None: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...


def predict_file(
    program: Program,
    method: str,
    source: Path | None,
    source_format: str,
    target: Path | None,
    target_format: str,
    parameters: Mapping[str, Any] | None = None,
) -> int:
    """Predict a file and return how many rows it had.

    Parameters
    ----------
    program : Program
        What predicts.
    method : str
        One of its methods.
    source, target : Path or None
        The files; None is stdin and stdout. The target appears only when it is complete.
    source_format, target_format : {"csv", "json", "ndjson", "parquet"}
        What they hold.
    parameters : mapping, optional
        Values of the call, by name, beside those that a JSON file holds.

    Raises
    ------
    InputError
        A row is not what the model takes; `row` counts from the file's first one.
    RequestError
        The file is not what its format says, or the format does not hold what the model takes or
        returns.
    """
    signature = program.signature
    output = signature.outputs[method]
    names = column_names(method, signature)
    _check_formats(signature, method, source_format, target_format)
    said = dict(parameters or {})
    done = 0
    # A chunk is as large as it is, whatever is sparse in it.
    dense = {"output": "dense"} if output.matrix and output.is_plain else {}
    with ExitStack() as stack:
        chunks = READERS[source_format](source, signature)
        if source_format == "json" and signature.inputs:
            call, size = _read_call(source, signature)
            twice = sorted(said.keys() & call.parameters.keys())
            if twice:
                raise RequestError(
                    f"the parameter {twice[0]!r} is given on the command line and in the file; "
                    "give it once"
                )
            said.update(call.parameters)
            chunks = _parts(call, size)
        check_options(signature, method, None, said)
        path = None if target is None else str(stack.enter_context(output_file(target)))
        writer = WRITERS[target_format](path)
        stack.callback(writer.close)
        advance = stack.enter_context(progress(source))
        for rows, count, position in chunks:
            if count == 0 and done:
                continue
            with numbered_from(done):
                if output.is_plain:
                    found = as_columns(program.run(method, rows, **dense, **said), output)
                    writer.write(names, found)
                else:
                    results = general_results(program.module, method, rows, said)
                    for some in json_results.in_slices(results, SLICE_VALUES):
                        writer.write_rows(some)
            done += count
            advance(position)
        writer.finish()
    return done


def _check_formats(signature: Signature, method: str, source: str, target: str) -> None:
    """Refuse files that do not hold what the model takes, or what the method returns."""
    several = len(names_of(signature)) > 1
    if source != "json" and (several or (source != "ndjson" and signature.beside)):
        lines = "" if several else ", or one row a line as ndjson"
        raise RequestError(
            f"{source} does not hold what the model takes; give a file of json{lines}: "
            f"{form_of(signature)}"
        )
    if target in ("csv", "parquet") and not signature.outputs[method].is_plain:
        raise RequestError(
            f"{target} does not hold what {method} returns, which is no table; write it with "
            "--to ndjson or --to json"
        )


def as_columns(result: Any, output: Output) -> list[np.ndarray]:
    """Return a result as one array a column."""
    parts = result if isinstance(result, (list, tuple)) else [result]
    columns: list[np.ndarray] = []
    for part in parts:
        array = part if isinstance(part, np.ndarray) else part.to_numpy()
        if output.shape is not None:  # of rows of several axes each element is a column
            array = array.reshape(-1, output.width)
        columns += [array] if array.ndim == 1 else list(array.T)
    return columns


# -------------------------------------------------------------------- readers


def _open(source: Path | None) -> IO[bytes]:
    return sys.stdin.buffer if source is None else open_file(source, pipe=True)


def _csv(source: Path | None, signature: Signature) -> Iterator[Chunk]:
    with _open(source) as raw:
        position = raw.tell if raw.seekable() else lambda: 0
        text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        try:
            for count, rows in read_csv(text, signature):
                yield OneNull(rows), count, position()
        except UnicodeDecodeError as error:
            raise not_utf8(str(source or "stdin"), error) from None


def _ndjson(source: Path | None, signature: Signature) -> Iterator[Chunk]:
    with _open(source) as raw:
        position = raw.tell if raw.seekable() else lambda: 0
        for rows in read_ndjson(raw):
            yield OneNull(rows), len(rows), position()


def _json(source: Path | None, signature: Signature) -> Iterator[Chunk]:
    with _open(source) as raw:
        text = raw.read().removeprefix(codecs.BOM_UTF8)
    rows = read_json(text, signature, str(source or "stdin"))
    for first in range(0, len(rows), CHUNK_ROWS):
        chunk = rows[first : first + CHUNK_ROWS]
        yield OneNull(chunk), len(chunk), len(text) * (first + len(chunk)) // len(rows)


def _read_call(source: Path | None, signature: Signature) -> tuple[Call, int]:
    """Return what a JSON file asks for, and its size."""
    with _open(source) as raw:
        text = raw.read().removeprefix(codecs.BOM_UTF8)
    return read_call(text, signature, str(source or "stdin")), len(text)


def _parts(call: Call, size: int) -> Iterator[Chunk]:
    """Yield the rows of a call, with how much of its file they are."""
    for first, rows in call.parts(CHUNK_ROWS):
        count = min(CHUNK_ROWS, call.count - first)
        yield rows, count, size * (first + count) // max(call.count, 1)


def _parquet(source: Path | None, signature: Signature) -> Iterator[Chunk]:
    pa, pq = pyarrow()
    # Parquet is read from its end, so what comes from a pipe is taken whole.
    given = io.BytesIO(sys.stdin.buffer.read()) if source is None else str(source)
    if source is not None:
        open_file(source).close()
    try:
        # A long text that is there once, for thousands of rows, is not written out for each.
        texts = [f.name for f in pq.read_schema(given) if pa.types.is_string(f.type)]
        if isinstance(given, io.BytesIO):
            given.seek(0)
        with pq.ParquetFile(given, read_dictionary=texts) as file:
            wanted = None
            if signature.layout == "table":
                known = set(file.schema_arrow.names)
                wanted = [str(c.name) for c in signature.columns if c.name in known]
            groups = file.metadata.num_rows or 1
            size = source.stat().st_size if source is not None else 0
            read = 0
            for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=wanted):
                step = _rows_at_once(batch)
                for first in range(0, batch.num_rows, step):
                    rows = batch.slice(first, step)
                    read += rows.num_rows
                    yield pa.Table.from_batches([rows]), rows.num_rows, size * read // groups
            if not read:
                yield file.schema_arrow.empty_table(), 0, size
    except (MemoryError, OverflowError) as error:
        raise LimitError(
            f"{source or 'stdin'} holds more than memory does ({error}); write it with fewer rows "
            "in each row group"
        ) from None
    except pa.ArrowInvalid as error:
        raise RequestError(f"{source or 'stdin'} is not a Parquet file: {error}") from None


def _is_text(column: Any) -> bool:
    kind = getattr(column, "dictionary", column).type
    return hasattr(column, "dictionary") and str(kind) in ("string", "large_string")


def _rows_at_once(batch: Any) -> int:
    """Return how many rows of a batch are taken at once, as the longest of their texts allow."""
    import pyarrow.compute as pc

    dictionaries = [c.dictionary for c in batch.columns if _is_text(c)]
    longest = [pc.max(pc.binary_length(d)).as_py() or 0 for d in dictionaries if len(d)]
    size = max(sum(longest), 1)
    return max(MOST_TEXT // size, 1)


READERS: dict[str, Callable[[Path | None, Signature], Iterator[Chunk]]] = {
    "csv": _csv,
    "json": _json,
    "ndjson": _ndjson,
    "parquet": _parquet,
}


# -------------------------------------------------------------------- writers


class FileWriter:
    """Writes to a file, or to stdout, which stays open."""

    def __init__(self, path: str | None) -> None:
        self._own = None if path is None else open(path, "wb")  # noqa: SIM115 - closed in `close`
        self._file = self._own or data_bytes()

    def write_rows(self, rows: list[Any]) -> None:
        """Write one value a row, which only JSON holds."""
        raise RequestError("results that are no table are written as ndjson or json")

    def finish(self) -> None:
        """Write what follows the last row: nothing, for most formats."""

    def close(self) -> None:
        if self._own is not None:
            self._own.close()
        else:
            self._file.flush()


class CsvWriter(FileWriter):
    """CSV with a header; a missing value is an empty field."""

    def __init__(self, path: str | None) -> None:
        super().__init__(path)
        self._started = False

    def write(self, names: list[str], columns: list[np.ndarray]) -> None:
        header = () if self._started else (names,)
        self._started = True
        rows = zip(*map(plain, columns), strict=True)
        self._file.write(written(chain(header, rows)).encode())


class NdjsonWriter(FileWriter):
    """NDJSON: a value a row where there is one column, else an object."""

    def write(self, names: list[str], columns: list[np.ndarray]) -> None:
        self.write_rows(_by_row(names, columns))

    def write_rows(self, rows: list[Any]) -> None:
        self._file.write(msgspec.json.Encoder().encode_lines(rows))


class JsonWriter(FileWriter):
    """JSON: a list of what NDJSON has a line for."""

    def __init__(self, path: str | None) -> None:
        super().__init__(path)
        self._before = b"["

    def write(self, names: list[str], columns: list[np.ndarray]) -> None:
        self.write_rows(_by_row(names, columns))

    def write_rows(self, rows: list[Any]) -> None:
        lines = msgspec.json.Encoder().encode_lines(rows)
        if lines:
            # No line holds a line's end: in JSON's text it is written as an escape.
            self._file.write(self._before + lines[:-1].replace(b"\n", b",\n"))
            self._before = b",\n"

    def finish(self) -> None:
        self._file.write(b"[]\n" if self._before == b"[" else b"]\n")


class ParquetWriter:
    """Parquet, a row group a chunk."""

    def __init__(self, path: str | None) -> None:
        if path is None:
            raise RequestError("parquet cannot be written to stdout; give a file with -o")
        self._pa, self._pq = pyarrow()
        self._path = path
        self._writer: Any = None

    def write(self, names: list[str], columns: list[np.ndarray]) -> None:
        arrays = [
            self._pa.array(plain(c) if c.dtype == object else np.ascontiguousarray(c))
            for c in columns
        ]
        table = self._pa.table(arrays, names=names)
        if self._writer is None:
            self._writer = self._pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table.cast(self._writer.schema))

    def write_rows(self, rows: list[Any]) -> None:
        raise RequestError("results that are no table are written as ndjson or json")

    def finish(self) -> None:
        """The file's end is written when it is closed."""

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


WRITERS: dict[str, Callable[[str | None], Writer]] = {
    "csv": CsvWriter,
    "json": JsonWriter,
    "ndjson": NdjsonWriter,
    "parquet": ParquetWriter,
}


def _by_row(names: list[str], columns: list[np.ndarray]) -> list[Any]:
    """Return the results of each row: a value where there is one column, else an object."""
    found = [plain(column) for column in columns]
    if len(names) == 1:
        return [spelled(value) for value in found[0]]
    rows = zip(*found, strict=True)
    return [spelled(dict(zip(names, row, strict=True))) for row in rows]


def pyarrow() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet module.

    Raises
    ------
    RequestError
        It is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise RequestError(
            "Parquet files need pyarrow, which is not installed: pip install pyarrow"
        ) from None
    return pa, pq
