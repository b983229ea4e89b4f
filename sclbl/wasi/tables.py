"""What a command knows of its model: tables of constants, as ``kernels/command.h`` reads them."""

from __future__ import annotations

import json
import struct
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np

from sclbl.errors import SpecError
from sclbl.missing import CODES, NAMES
from sclbl.printable import printable
from sclbl.result_columns import column_names, plain, spelled
from sclbl.signature import Column, Output, Signature
from sclbl.tabular import CHUNK_ROWS, written
from sclbl.wasm import encode_leb

#: In the order of the enumerations in command.h.
_KINDS = ("float64", "float32", "integer", "boolean", "text")
_HELD = {"float64": 0, "float32": 1, "float16": 2}
_WHOLE = 3
_STORAGE = ("float64", "float32", "int64", "uint64", "bool", "text", "label")
_BYTES = (8, 4, 8, 8, 1, 8, 4)
_KEEP, _AS_FLOAT64, _AS_FLOAT32, _AS_WHOLE, _AS_BOOL = range(5)
#: float64 holds every integer up to here.
_EXACT = 2.0**53
#: Bytes that a chunk of rows may take with its results.
_MOST_BYTES = 1 << 31

_HEAD = struct.Struct("<16I2I2I")
_COLUMN = struct.Struct("<12I6I2d")
_METHOD = struct.Struct("<4I8I2d")


class _Writer:
    """Bytes, and where in them things are."""

    def __init__(self) -> None:
        self.bytes = bytearray(_HEAD.size)

    def put(self, raw: bytes, alignment: int = 8) -> int:
        self.bytes += bytes(-len(self.bytes) % alignment)
        at = len(self.bytes)
        self.bytes += raw
        return at

    def text(self, text: str | bytes) -> tuple[int, int]:
        raw = text.encode() if isinstance(text, str) else text
        return self.put(raw, 1), len(raw)


def tables(signature: Signature, methods: Sequence[str], first: str, chunk: int) -> bytes:
    """Return the tables of a command.

    Parameters
    ----------
    signature : Signature
        Of the program.
    methods : sequence of str
        The methods that the command offers.
    first : str
        The one that answers when none is named.
    chunk : int
        Rows that the program is given at once.

    Raises
    ------
    SpecError
        A result is of a type that no file holds, or a chunk of rows takes too much memory.
    """
    writer = _Writer()
    item = 4 if signature.numeric_dtype == "float32" else 8
    groups = _groups(signature)
    columns = b"".join(
        _column(writer, signature, i, groups.get(i, 0)) for i in range(len(signature.columns))
    )
    offered = b"".join(_method(writer, signature, name) for name in methods)
    row = len(signature.numeric) * item + len(signature.text) * 9
    row += max(signature.outputs[m].width * 8 for m in methods)
    if row * CHUNK_ROWS > _MOST_BYTES:
        raise SpecError(
            f"a row and its results take {row:,} bytes, and a command has no memory for the "
            f"{CHUNK_ROWS:,} rows that it reads at once; run the program with `sclbl run`"
        )
    zeros, runs = _letters()
    kinds = {c.kind for c in signature.columns}
    by_group = signature.layout == "array" and kinds <= {"float64", "float32"}
    head = (
        *(len(signature.columns), writer.put(columns)),
        *(len(methods), writer.put(offered), methods.index(first)),
        *(len(signature.numeric), len(signature.text), max(groups.values(), default=0), item),
        *(signature.layout == "table", by_group and signature.takes_nan),
        *(1 + len(signature.parameters), chunk),
        *(writer.put(zeros), len(zeros) // 4, writer.put(runs)),
        *writer.text(_help(signature, methods, first)),
        *writer.text(", ".join(methods)),
    )
    writer.bytes[: _HEAD.size] = _HEAD.pack(*head)
    return bytes(writer.bytes)


def _groups(signature: Signature) -> dict[int, int]:
    """Return which columns are checked together, in the order of `sclbl.rows.numbers`: those of one
    type that is not the block's own, then the block, where float64 does not fit into it."""
    own = signature.numeric_dtype
    found: dict[str, int] = {}
    for i in signature.numeric:
        held = signature.columns[i].stored
        if held != own:
            found.setdefault(held, len(found) + 1)
    found[own] = len(found) + 1
    return {i: found[signature.columns[i].stored] for i in signature.numeric}


def _column(writer: _Writer, signature: Signature, position: int, group: int) -> bytes:
    column, label = signature.columns[position], signature.label_of(position)
    places = signature.text if column.kind == "text" else signature.numeric
    takes = column.takes if "none" in column.takes else (*column.takes, "none")
    low, high = _limits(column)
    texts = (
        label,
        printable(repr(label)),
        printable(label),
        printable(json.dumps(label, ensure_ascii=False)),
        column.stored,
        " or ".join(NAMES[k] for k in takes),
    )
    return _COLUMN.pack(
        *(number for text in texts for number in writer.text(text)),
        _KINDS.index(column.kind),
        _HELD.get(column.stored, _WHOLE),
        CODES[column.missing],
        "nan" in column.takes,
        places.index(position),
        group,
        low,
        high,
    )


def _limits(column: Column) -> tuple[float, float]:
    """Return the least and the greatest number of a column of integers or booleans."""
    if column.kind == "text" or column.stored in _HELD:
        return 0.0, 0.0
    if column.stored == "bool":
        return 0.0, 1.0
    held = np.iinfo(column.stored)
    return max(float(held.min), -_EXACT), min(float(held.max), _EXACT)


def _method(writer: _Writer, signature: Signature, name: str) -> bytes:
    output = signature.outputs[name]
    names = column_names(name, signature)
    keys = b""
    if len(names) > 1:
        # As in a dict: of two results of one name the last one, at the place of the first.
        places = {found: i for i, found in enumerate(names)}
        for k, found in enumerate(dict.fromkeys(names)):
            text = (b"," if k else b"{") + msgspec.json.encode(found) + b":"
            keys += struct.pack("<3I", *writer.text(text), places[found])
    cast, low, high = _cast(output, name)
    storage = _STORAGE.index(output.storage)
    return _METHOD.pack(
        *writer.text(name),
        *writer.text(written([names])),
        output.width,
        storage,
        _BYTES[storage],
        cast,
        output.empty,
        len(keys) // 12,
        writer.put(keys),
        _labels(writer, output) if output.storage == "label" else 0,
        low,
        high,
    )


def _cast(output: Output, method: str) -> tuple[int, float, float]:
    """Return how `sclbl.runtime.outputs.finish` brings results to the model's own type."""
    if output.storage in ("text", "label") or output.dtype in (output.storage, "object"):
        return _KEEP, 0.0, 0.0
    dtype = np.dtype(output.dtype)
    if dtype.kind == "b":
        return _AS_BOOL, 0.0, 0.0
    if dtype.kind in "iu":
        held = np.iinfo(dtype)
        return _AS_WHOLE, float(held.min), float(int(held.max) + 1)
    if dtype.kind == "f" and dtype.itemsize == 2 and output.storage == "float32":
        return _KEEP, 0.0, 0.0  # every value is one of float16
    if dtype.kind == "f" and dtype.itemsize in (4, 8):
        return (_AS_FLOAT64 if dtype.itemsize == 8 else _AS_FLOAT32), 0.0, 0.0
    raise SpecError(
        f"{method} returns {output.dtype}, which a command does not write; run the program with "
        "`sclbl run`"
    )


def _labels(writer: _Writer, output: Output) -> int:
    """Write the labels of each column, as CSV and as JSON; return where the list of them is."""
    single = output.width == 1
    found = b""
    for labels in output.labels or ():
        array = np.array(labels, dtype=object if output.dtype == "object" else output.dtype)
        entries = b""
        for value in plain(array):
            written = msgspec.json.encode(spelled(value))
            texts = (*writer.text(_field(value, single=single)), *writer.text(written))
            entries += struct.pack("<4I", *texts)
        found += struct.pack("<2I", len(labels), writer.put(entries))
    return writer.put(found)


def _field(value: Any, *, single: bool) -> str:
    """Return a value as a field of CSV: where it is alone in its line, or not."""
    return written([[value]])[:-1] if single else written([[value, 0]]).removesuffix(",0\n")


@cache
def _letters() -> tuple[bytes, bytes]:
    """Return the zeros among Unicode's decimal digits, and which letters are printed: the lengths
    of runs of those that are and are not, from U+0080 on."""
    zeros = []
    runs = bytearray()
    printed, length = True, 0
    for code in range(128, sys.maxunicode + 1):
        letter = chr(code)
        if letter.isprintable() != printed:
            runs += encode_leb(length)
            printed, length = not printed, 0
        length += 1
        if unicodedata.decimal(letter, None) == 0:
            zeros.append(code)
    # No letter is beyond the last one.
    runs += encode_leb(length) + encode_leb(2**31)
    return struct.pack(f"<{len(zeros)}I", *zeros), bytes(runs)


def _help(signature: Signature, methods: Sequence[str], first: str) -> str:
    named = "columns by name" if signature.layout == "table" else "columns by position"
    labels = [signature.label_of(i) for i in range(len(signature.columns))]
    more = f", … ({len(labels)} in all)" if len(labels) > 20 else ""
    return printable(
        "Predict the rows on stdin, and write the results to stdout.\n\n"
        f"  --method NAME           {', '.join(methods)}; by default {first}\n"
        "  --format csv|ndjson     what the rows are (also --from); by default csv, with a header\n"
        "  --to csv|ndjson         what the results are; by default as the rows\n"
        "  --help                  this text\n\n"
        f"Takes {named}: {', '.join(labels[:20])}{more}\n"
        "A refusal is one line on stderr and exit code 1.\n"
    )
