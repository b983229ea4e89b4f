"""Large JSON bodies, read a slice at a time.

The decoder holds the interpreter's lock for as long as it decodes, a second for some tens of
megabytes, and every other connection would wait. So a large body is cut between rows, and others
have their turn between two slices. Where a cut turns out to lie inside a row, the slice does not
decode, and grows; so what decodes is the rows, whatever they hold.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import numpy as np

from sclbl import json_calls, json_rows
from sclbl.errors import LimitError
from sclbl.json_calls import Call, Pieces, names_of
from sclbl.rows import Encoder, OneNull
from sclbl.runtime.engine import check_time
from sclbl.server.payload import JSON, READERS, too_many
from sclbl.shapes import elements
from sclbl.signature import TABLE, Signature
from sclbl.tabular import read_json_line

#: Bodies larger than this are read in slices of about this size: half a millisecond each.
SLICE_BYTES = 16 * 1024
#: A row that is larger than a slice may hold at most this many commas: each value needs one.
MOST_COMMAS = 20_000
#: And has at most this many bytes, or so many for each number where it has more of these.
ROW_BYTES, NUMBER_BYTES = 4 * 1024 * 1024, 32
#: A JSON body that is not read in slices may have this size: the decoder takes some milliseconds.
WHOLE_BYTES = 2 * 1024 * 1024
#: What stands behind the rows has at most this size.
TAIL_BYTES = 4 * 1024
#: What others wait for at least, between two slices.
BREATH = 0.0002

_HEAD = re.compile(rb'\s*(?:\{\s*"rows"\s*:\s*)?\[')
_TAIL = re.compile(rb"\]\s*(\}\s*)?\Z")
_CALL_TAIL = re.compile(rb'\]\s*((?:,\s*"parameters"\s*:\s*(\{[^{}\[\]]*\})\s*)?\}\s*)?\Z')
_CUT = re.compile(rb"[\]}]\s*,\s*(?=[\[{])")
_LINE = re.compile(rb"[^\n]*\n?")
_DECODE = msgspec.json.Decoder(list[Any]).decode


def read(body: bytes, media: str, encoder: Encoder, limit: int) -> Any:
    """Return the rows of a body of any size: as a block of numbers, or as a `OneNull`.

    Raises
    ------
    InputError, RequestError, LimitError
        As the reader of the media type does, or where one row holds too much.
    DeadlineError
        The time of this thread is used up.
    """
    if len(body) > SLICE_BYTES:
        if media == JSON:
            rows = _sliced(body, encoder, limit)
            if rows is not None:
                return rows
            # Not of the usual form, or wrong: the reader knows every form, and says what is wrong.
            _check_commas(body)
        else:
            check_lines(body, limit)
    return OneNull(READERS[media](body, encoder.signature, limit))


def read_call(body: bytes, signature: Signature, limit: int) -> Call:
    """Return the inputs and parameters in a JSON body of any size.

    Raises
    ------
    InputError, RequestError, LimitError
        As `sclbl.json_calls.read_call` does, or where it holds too much.
    DeadlineError
        The time of this thread is used up.
    """
    names = names_of(signature)
    if len(body) > SLICE_BYTES and len(names) == 1:
        call = _sliced_call(body, names[0], signature, limit)
        if call is not None:
            return call
    if len(body) > WHOLE_BYTES:
        raise LimitError(
            f"the body has {len(body):,} bytes, and one of several inputs, or of another form than "
            f'{{"rows": [...], "parameters": {{...}}}}, may have {WHOLE_BYTES:,}; send the rows in '
            "several requests"
        )
    return json_calls.read_call(body, signature)


def _sliced_call(body: bytes, name: str, signature: Signature, limit: int) -> Call | None:
    """Return the rows of the one input; None where the body is not of the usual form."""
    head = _HEAD.match(body, 0, 256)
    tail = _CALL_TAIL.search(body, max(0, len(body) - TAIL_BYTES))
    if head is None or tail is None or (b"{" in head[0]) != (tail[1] is not None):
        return None
    at, last = head.end(), tail.start()
    cells = name == TABLE and len(signature.columns) > 1
    places: list[tuple[int, int]] = []
    count = 0
    while at < last:
        rows, end, after = _slice(body, at, last, signature)
        if rows is None or (cells and rows and type(rows[0]) not in (list, dict)):
            return None
        places.append((at, end))
        count += len(rows)
        if count > limit:
            raise too_many(limit)
        at = after
    found: Pieces | list[Any] = Pieces(count, partial(_again, body, places)) if count else []
    if tail[2] is None:
        return Call({name: found})
    # Rows of their own form, so that its reader knows which key is the parameters'.
    said = json_calls.read_call(b'{"rows":[],"parameters":%b}' % tail[2], signature)
    return Call({name: found}, said.parameters)


def _again(body: bytes, places: list[tuple[int, int]]) -> Iterator[list[Any]]:
    """Yield the rows of slices that were decoded before."""
    for at, end in places:
        check_time()
        time.sleep(BREATH)
        yield _DECODE(b"[%b]" % body[at:end])


def read_lines(body: bytes, limit: int) -> Pieces | list[Any]:
    """Return the rows of an NDJSON body of any size.

    Raises
    ------
    RequestError, InputError, LimitError
        As the reader of the media type does, or where a line holds too much.
    DeadlineError
        The time of this thread is used up.
    """
    check_lines(body, limit)
    places: list[tuple[int, int, int]] = []
    count = at = 0
    while at < len(body):
        # Behind the line in which the slice ends.
        end = body.find(b"\n", min(at + SLICE_BYTES, len(body) - 1)) + 1 or len(body)
        rows = _lines(body, at, end, count)
        if body.count(b":", at, end) != sum(len(row) for row in rows if type(row) is dict):
            for line in filter(bytes.strip, body[at:end].split(b"\n")):
                json_rows.check_keys(line)
        places.append((at, end, count))
        count += len(rows)
        if count > limit:
            raise too_many(limit)
        at = end
    return Pieces(count, lambda: (_lines(body, *place) for place in places)) if count else []


def _lines(body: bytes, at: int, end: int, first: int) -> list[Any]:
    """Return the rows of some lines, of which the first is the row `first`."""
    check_time()
    lines = filter(bytes.strip, body[at:end].split(b"\n"))
    return [read_json_line(line, first + k) for k, line in enumerate(lines)]


def _sliced(body: bytes, encoder: Encoder, limit: int) -> Any:
    """Return the rows, or None where the body is not of the usual form."""
    head, tail = _HEAD.match(body, 0, 256), _TAIL.search(body, max(0, len(body) - 256))
    if head is None or tail is None or (b"{" in head[0]) != (tail[1] is not None):
        return None
    first, last = head.end(), tail.start()
    blocks: list[np.ndarray] | None = []
    found: list[Any] = []
    count = 0
    at = first
    while at < last:
        rows, _, at = _slice(body, at, last, encoder.signature)
        if rows is None:
            return None
        count += len(rows)
        if count > limit:
            raise too_many(limit)
        if blocks is not None:
            block = encoder.plain(OneNull(rows))
            if block is not None:
                blocks.append(block)
                continue
            if blocks:
                # Not all rows are plain numbers: once more from the start, as rows.
                blocks, found, count, at = None, [], 0, first
                continue
            blocks = None
        found += rows
    if blocks:
        return np.concatenate(blocks)
    return OneNull(found) if found else None


def _slice(
    body: bytes, at: int, last: int, signature: Signature
) -> tuple[list[Any] | None, int, int]:
    """Return the rows from `at` on, where they end and where the next ones begin.

    None in place of rows that do not decode.
    """
    size = SLICE_BYTES
    between, most = _between(signature), _most_commas(signature)
    while True:
        check_time()
        time.sleep(BREATH)
        seen = min(last, at + 2 * size)
        cut = between.search(body, at + size, seen) if at + size < last else None
        end, after = (seen, seen) if cut is None else (body.index(b",", cut.start()), cut.end())
        text = body[at:end]
        if len(text) > 2 * SLICE_BYTES:
            _check_size(len(text), signature)
            _check_commas(text, most)
        rows = _decoded(text) if cut is not None or end == last else None
        if rows is None:
            if end == last:
                return None, end, at
            size = max(2 * size, end - at)
            continue
        keys = sum(len(row) for row in rows if type(row) is dict)
        if text.count(b":") != keys:
            # Text holds a colon, or a key is there twice: its own reader looks, and says so.
            READERS[JSON](b"[%b]" % text, signature, len(text))
        return rows, end, after


def _between(signature: Signature) -> re.Pattern[bytes]:
    """Return what stands between two rows: brackets inside of a row of several axes do not."""
    shape = _shape(signature)
    if shape is None or len(shape) == 1:
        return _CUT
    return re.compile(rb"(?:\]\s*){%d},\s*" % len(shape) if shape else rb",\s*")


def _most_commas(signature: Signature) -> int:
    return max(MOST_COMMAS, elements(_shape(signature) or ()))


def _shape(signature: Signature) -> tuple[int, ...] | None:
    """Return the shape of a row of the only input, where it has one."""
    if signature.beside and not signature.columns and signature.beside[0].kind == "tensor":
        return signature.beside[0].shape
    return signature.shape


def _decoded(text: bytes) -> list[Any] | None:
    try:
        return _DECODE(b"[%b]" % text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def check_lines(body: bytes, limit: int) -> None:
    """Refuse lines that hold more than a row can; and more lines than rows are taken."""
    if body.count(b"\n") > 2 * limit + 16:
        raise too_many(limit)
    for line in _LINE.finditer(body):
        if line.end() - line.start() > SLICE_BYTES:
            _check_size(line.end() - line.start())
            _check_commas(line[0])


def _check_size(size: int, signature: Signature | None = None) -> None:
    """Refuse a row of so many bytes: whatever is done with it holds up others."""
    shape = (_shape(signature) if signature is not None else None) or ()
    most = max(ROW_BYTES, NUMBER_BYTES * elements(shape))
    if size > most:
        raise LimitError(
            f"a row of the body has more than {most:,} bytes; send shorter texts, and one row for "
            "each thing to predict"
        )


def _check_commas(text: bytes, most: int = MOST_COMMAS) -> None:
    if text.count(b",") > most + len(text) // 256:
        raise LimitError(
            f"a row of the body holds more than {most:,} values; "
            "send the columns of the model alone, one row for each thing to predict"
        )
