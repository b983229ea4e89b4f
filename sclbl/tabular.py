"""Rows as text: CSV and NDJSON, read by a signature.

In CSV an empty field is a missing value; numbers are written as in JSON, and ``nan``, ``inf`` in
any case are understood; booleans are ``true``/``false`` or ``1``/``0``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import msgspec
import numpy as np

from sclbl.errors import ColumnError, DtypeError, RequestError, ShapeError
from sclbl.json_faults import fault
from sclbl.rows.match import suggested
from sclbl.signature import Column, Kind, Signature

#: Longest CSV field.
FIELD_BYTES = 16 * 1024 * 1024
#: Rows of one chunk when a file is streamed.
CHUNK_ROWS = 16_384

_JSON = msgspec.json.Decoder()
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}

#: What a reader hands on: columns by name, or rows ``[rows, columns]`` where columns have no names.
Batch = dict[str, Any] | np.ndarray


def _number(text: str) -> float:
    # float() also takes digits grouped with underscores, which no CSV writer means as a number.
    if "_" in text:
        raise ValueError(text)
    return float(text) if text else np.nan


def _integer(text: str) -> float | int | None:
    if not text:
        return None
    if "_" in text:
        raise ValueError(text)
    try:
        # Exact, so that an integer too large for float64 is refused and not rounded.
        return int(text)
    except ValueError:
        # One of more digits than Python reads would be infinite.
        if text.strip().lstrip("+-").isdecimal():
            raise
        return float(text)


def _boolean(text: str) -> bool | None:
    if not text:
        return None
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError(text) from None


def _text(text: str) -> str | None:
    return text or None


_READ: dict[Kind, tuple[Callable[[str], Any], Any, str]] = {
    "float64": (_number, np.float64, "a number"),
    "float32": (_number, np.float64, "a number"),
    "integer": (_integer, object, "an integer"),
    "boolean": (_boolean, object, "true or false"),
    "text": (_text, object, "text"),
}


def _advice(field: str, column: Column) -> str:
    if column.kind != "boolean" and _DECIMAL_COMMA.fullmatch(field):
        both = _THOUSANDS.fullmatch(field)
        more = ", or thousands with thousands=','" if both else ""
        return f"write decimals with a point (pandas.read_csv reads commas with decimal=','{more})"
    if column.kind != "boolean" and _THOUSANDS.fullmatch(field):
        return (
            "write numbers without marks between thousands (pandas.read_csv reads them with "
            "thousands=...)"
        )
    if column.kind != "boolean" and _WITH_UNIT.fullmatch(field):
        return "write the number alone, without its unit"
    return "an empty field is a missing value"


def _column(fields: Sequence[str], column: Column, label: str, first_row: int) -> np.ndarray:
    read, dtype, what = _READ[column.kind]
    try:
        values = [read(f) for f in fields]
    except ValueError:
        for row, field in enumerate(fields):
            try:
                read(field)
            except ValueError:
                shown = field if len(field) <= 40 else field[:40] + "…"
                raise DtypeError(
                    f"row {first_row + row}, column {label} holds {shown!r}, which is not {what}; "
                    f"{_advice(field, column)}",
                    row=first_row + row,
                    column=column.name if column.name is not None else label,
                ) from None
        raise
    out = np.empty(len(values), dtype=dtype)
    out[:] = values
    if column.kind == "float32":
        out = _single(out, column, label, first_row)
    if dtype is object or "nan" in column.takes:
        return out
    # An empty field is the column's own missing value, which the word nan is not.
    cells = out.astype(object)
    cells[[not f for f in fields]] = None
    return cells


def _single(values: np.ndarray, column: Column, label: str, first_row: int) -> np.ndarray:
    """Return what was written in decimal as the nearest numbers of the column's own type."""
    held = column.dtype or "float32"
    with np.errstate(over="ignore"):
        out: np.ndarray = values.astype(held).astype(np.float32)
    large = np.isinf(out) & np.isfinite(values)
    if large.any():
        row = int(np.argmax(large))
        raise DtypeError(
            f"row {first_row + row}, column {label} holds {values[row].item()!r}, which is too "
            f"large for {held}, the type of the column",
            row=first_row + row,
            column=column.name if column.name is not None else label,
        )
    return out


#: How a file of another kind becomes one that is read here.
_CONVERT = (
    'save it as "CSV UTF-8 (comma delimited)", or convert it with pandas: '
    "pandas.read_csv(path{options}).to_csv(new_path, index=False)"
)
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3}(,\d{3}|[ '\u2019\u00a0\u202f]\d{3})+([.,]\d*)?\s*")
_WITH_UNIT = re.compile(r"\s*[$€£¥]\s*[+-]?[\d.,]+\s*|\s*[+-]?[\d.,]+\s*[%$€£¥]\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+\s*")


def _refuse_separator(header: Sequence[str]) -> None:
    """Raise `ColumnError` where a header that lacks columns has another separator than commas."""
    if header[0].lower().startswith("sep="):
        convert = _CONVERT.format(options=", sep=..., skiprows=1")
        raise ColumnError(
            f"the first line of the CSV is {','.join(header)!r}, which only spreadsheets read, and "
            f"not the names of the columns; delete that line, and where fields are not separated "
            f"by commas {convert}"
        )
    for mark, name, options in (
        (";", "semicolons", ", sep=';', decimal=','"),
        ("\t", "tabs", ", sep='\\t'"),
        ("|", "bars", ", sep='|'"),
    ):
        if len(header) == 1 and mark in header[0]:
            raise ColumnError(
                f"the CSV header is one column with {name} in it ({header[0][:80]!r}), so its "
                f"fields seem to be separated by {name}; they must be separated by commas: "
                f"{_CONVERT.format(options=options)}"
            )


#: By what they begin with: files of other kinds.
_OTHERS = {
    b"PK\x03\x04": (
        "a spreadsheet, or a zip file",
        'save the sheet as "CSV UTF-8 (comma delimited)", or convert it with pandas: '
        "pandas.read_excel(path).to_csv(new_path, index=False)",
    ),
    b"\xd0\xcf\x11\xe0": (
        "a spreadsheet of an old kind",
        'save it as "CSV UTF-8 (comma delimited)"',
    ),
    b"\x1f\x8b": ("a file that gzip compressed", "decompress it first"),
}


class _Lines:
    """What a writer of CSV writes to: it quotes the ends of all its lines, and ends them so."""

    def __init__(self, text: io.StringIO) -> None:
        self._text = text

    def write(self, line: str) -> None:
        self._text.write(f"{line[:-2]}\n")


def written(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as lines of CSV, which end in a line feed; texts with line ends are quoted."""
    text = io.StringIO(newline="")
    csv.writer(_Lines(text), lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def not_utf8(what: str, error: UnicodeDecodeError) -> RequestError:
    """Return the error for a CSV whose bytes are not UTF-8, with what they are likely to be.

    Parameters
    ----------
    what : str
        How the message calls the CSV.
    error : UnicodeDecodeError
        What reading its bytes raised.
    """
    begins = bytes(error.object[:4])
    for mark, (kind, advice) in _OTHERS.items():
        if begins.startswith(mark):
            return RequestError(f"{what} is no CSV but {kind}; {advice}")
    wide = begins[:2] in (b"\xff\xfe", b"\xfe\xff")
    guess, codec = ("UTF-16", "utf-16") if wide else ("Windows-1252 or Latin-1", "cp1252")
    return RequestError(
        f"{what} is not UTF-8 (byte {error.object[error.start]:#04x}), but probably {guess}; "
        + _CONVERT.format(options=f", encoding={codec!r}")
    )


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _refuse_row(header: Sequence[str]) -> None:
    """Raise `ColumnError` where a header is a row: all numbers, which do not count the columns."""
    counts = any(header == [str(k + first) for k in range(len(header))] for first in (0, 1))
    if not counts and all(map(_NUMBER.fullmatch, header)):
        raise ColumnError(
            f"the first line of the CSV is {','.join(header)[:80]!r}, which are numbers and no "
            "names of columns; put a line with their names above the rows"
        )


def _header(header: Sequence[str], signature: Signature) -> list[int]:
    """Return where in a line each column of the signature is."""
    if signature.layout == "array":
        if len(header) != len(signature.columns):
            _refuse_separator(header)
            raise ColumnError(
                f"the CSV header has {len(header)} columns and the model takes "
                f"{len(signature.columns)}, by position; give exactly these"
            )
        _refuse_row(header)
        return list(range(len(header)))
    places: dict[str, int] = {}
    for position, name in enumerate(header):
        if name in places:
            raise ColumnError(
                f"the CSV header has more than one column {name!r}; rename them", column=name
            )
        places[name] = position
    missing = [str(c.name) for c in signature.columns if c.name not in places]
    if missing:
        _refuse_separator(header)
        known = {str(c.name) for c in signature.columns}
        listed = ", ".join(suggested(m, header, known) for m in missing[:8])
        raise ColumnError(
            f"the CSV header lacks {listed}; its columns are {', '.join(map(repr, header[:20]))}",
            column=missing[0],
        )
    return [places[str(c.name)] for c in signature.columns]


def read_csv(
    lines: Iterable[str], signature: Signature, *, rows: int = CHUNK_ROWS
) -> Iterator[tuple[int, Batch]]:
    """Read CSV with a header, in chunks.

    Parameters
    ----------
    lines : iterable of str
        Lines of text; a file opened with ``newline=""`` is one.
    signature : Signature
        What the columns are. Columns are found by name where they have names; others are ignored.
    rows : int
        Most rows of a chunk.

    Yields
    ------
    tuple of int and rows
        How many rows, and what `sclbl.rows.encode` takes. At least one chunk is yielded.

    Raises
    ------
    ColumnError
        A column is missing or repeated, or a line is longer or shorter than the header.
    DtypeError
        A field is not what its column holds; row and column are set.
    RequestError
        The text is not CSV.
    """
    csv.field_size_limit(FIELD_BYTES)
    lines = iter(lines)
    # The mark of some spreadsheets stands before a name's quotes, of which it would make letters.
    begin = [line.removeprefix("\ufeff") for line in islice(lines, 1)]
    reader = csv.reader(chain(begin, lines), strict=True)
    try:
        header = next(reader, None)
        if not header:
            raise ColumnError("the CSV is empty; its first line must name the columns")
        places = _header(header, signature)
        first = 0
        while True:
            # A blank line is a row only where there is one column, which it leaves empty.
            found = (line or [""] for line in reader if line or len(header) == 1)
            chunk = list(islice(found, rows))
            if not chunk and first:
                return
            yield len(chunk), _chunk(chunk, places, len(header), signature, first)
            first += len(chunk)
            if len(chunk) < rows:
                return
    except csv.Error as error:
        why = str(error)
        if why == "unexpected end of data":
            why = (
                "it ends within double quotes, which were opened there or before and not closed; "
                'close them, and write a quote that stands for itself twice ("")'
            )
        raise RequestError(f"line {reader.line_num} is not CSV: {why}") from None


def _chunk(
    chunk: list[list[str]], places: list[int], width: int, signature: Signature, first: int
) -> Batch:
    for row, line in enumerate(chunk):
        if len(line) != width:
            raise ColumnError(
                f"row {first + row} has {len(line)} fields and the header has {width}; a field "
                "with a comma in it stands in double quotes, and decimals have a point",
                row=first + row,
            )
    fields = list(zip(*chunk, strict=True)) if chunk else [()] * width
    columns = [
        _column(fields[place], column, signature.label_of(i), first)
        for i, (place, column) in enumerate(zip(places, signature.columns, strict=True))
    ]
    if signature.layout == "table":
        return {str(c.name): values for c, values in zip(signature.columns, columns, strict=True)}
    kinds = {c.kind for c in signature.columns}
    table = np.empty(
        (len(chunk), len(columns)),
        dtype=np.float64 if kinds <= {"float64", "float32"} and signature.takes_nan else object,
    )
    for i, values in enumerate(columns):
        table[:, i] = values
    return table


def read_json_line(line: bytes | str, row: int) -> Any:
    """Return the row of one NDJSON line.

    Raises
    ------
    RequestError
        The line is not JSON.
    ShapeError
        It is neither an object nor an array.
    """
    try:
        value = _JSON.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        text = line.encode() if isinstance(line, str) else line
        why = fault(text, str(error), line=row) or str(error)
        raise RequestError(f"line {row + 1} is not JSON: {why}") from None
    if not isinstance(value, (dict, list)):
        raise ShapeError(
            f"line {row + 1} holds {type(value).__name__}; every line must be one row, as an "
            "object or an array",
            row=row,
        )
    return value


def read_ndjson(lines: Iterable[bytes], *, rows: int = CHUNK_ROWS) -> Iterator[list[Any]]:
    """Read NDJSON, one row a line, in chunks; blank lines are skipped. Raises as
    `read_json_line` does. At least one chunk is yielded."""
    first = 0
    found = (line for line in lines if line.strip())
    while True:
        chunk = [read_json_line(line, first + i) for i, line in enumerate(islice(found, rows))]
        if not chunk and first:
            return
        yield chunk
        first += len(chunk)
        if len(chunk) < rows:
            return
