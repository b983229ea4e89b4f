"""Large JSON bodies, read a slice at a time.

The decoder holds the interpreter's lock for as long as it decodes, a second for some tens of
megabytes, and every other connection would wait. So a large body is cut between rows, and others
have their turn between two slices. Where a cut turns out to lie inside a row, the slice does not
decode, and grows; so what decodes is the rows, whatever they hold.
"""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec
import numpy as np

from sclbl.errors import LimitError
from sclbl.rows import Encoder, OneNull
from sclbl.runtime.engine import check_time
from sclbl.server.payload import JSON, READERS, too_many
from sclbl.signature import Signature

#: Bodies larger than this are read in slices of about this size: half a millisecond each.
SLICE_BYTES = 16 * 1024
#: A row that is larger than a slice may hold at most this many commas: each value needs one.
MOST_COMMAS = 20_000
#: What others wait for at least, between two slices.
BREATH = 0.0002

_HEAD = re.compile(rb'\s*(?:\{\s*"rows"\s*:\s*)?\[')
_TAIL = re.compile(rb"\]\s*(\}\s*)?\Z")
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
            _check_lines(body, limit)
    return OneNull(READERS[media](body, encoder.signature, limit))


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
        rows, at = _slice(body, at, last, encoder.signature)
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


def _slice(body: bytes, at: int, last: int, signature: Signature) -> tuple[list[Any] | None, int]:
    """Return the rows from `at` on and where the next ones begin; None where they do not decode."""
    size = SLICE_BYTES
    while True:
        check_time()
        time.sleep(BREATH)
        seen = min(last, at + 2 * size)
        cut = _CUT.search(body, at + size, seen) if at + size < last else None
        end, after = (seen, seen) if cut is None else (body.index(b",", cut.start()), cut.end())
        text = body[at:end]
        if len(text) > 2 * SLICE_BYTES:
            _check_commas(text)
        rows = _decoded(text) if cut is not None or end == last else None
        if rows is None:
            if end == last:
                return None, at
            size = max(2 * size, end - at)
            continue
        keys = sum(len(row) for row in rows if type(row) is dict)
        if text.count(b":") != keys:
            # Text holds a colon, or a key is there twice: its own reader looks, and says so.
            READERS[JSON](b"[%b]" % text, signature, len(text))
        return rows, after


def _decoded(text: bytes) -> list[Any] | None:
    try:
        return _DECODE(b"[%b]" % text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _check_lines(body: bytes, limit: int) -> None:
    """Refuse lines that hold more than a row can; and more lines than rows are taken."""
    if body.count(b"\n") > 2 * limit + 16:
        raise too_many(limit)
    for line in _LINE.finditer(body):
        if line.end() - line.start() > SLICE_BYTES:
            _check_commas(line[0])


def _check_commas(text: bytes) -> None:
    if text.count(b",") > MOST_COMMAS + len(text) // 256:
        raise LimitError(
            f"a row of the body holds more than {MOST_COMMAS:,} values; "
            "send the columns of the model alone, one row for each thing to predict"
        )
