"""The rows of a prediction request: JSON, NDJSON or CSV → what a program takes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import msgspec

from sclbl.errors import ColumnError, LimitError, MediaTypeError, RequestError, ShapeError
from sclbl.spec import Signature
from sclbl.tabular import read_csv, read_ndjson

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"

_DECODER = msgspec.json.Decoder()
_FORM = 'send {"rows": [...]} or [...], each row an object or an array'


def too_many(limit: int) -> LimitError:
    """Return the error for more rows than a request may hold."""
    return LimitError(
        f"a request may hold at most {limit:,} rows; send the rest in further requests"
    )


def read_json(body: bytes, signature: Signature, limit: int) -> Any:
    """Return the rows of a JSON body.

    Raises
    ------
    RequestError
        The body is not JSON, or holds no rows.
    ShapeError
        The rows are not a list.
    ColumnError
        An object has a key twice.
    LimitError
        There are more rows than `limit`.
    """
    # Counted before decoding, because a million empty arrays take a hundred times their text.
    if len(body) > 2 * limit and body.count(b"[") + body.count(b"{") > 2 * limit + 16:
        raise too_many(limit)
    try:
        value = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        why = str(error) if body.strip() else "it is empty"
        raise RequestError(f"the body is not JSON: {why}; {_FORM}") from None
    except RecursionError:
        raise RequestError(f"the body is nested too deeply; {_FORM}") from None
    keys = 0
    if type(value) is dict:
        if "rows" not in value:
            raise RequestError(f'the body is an object without "rows"; {_FORM}')
        if len(value) > 1:
            others = ", ".join(sorted(repr(k) for k in value if k != "rows")[:8])
            raise RequestError(f'the body has {others} beside "rows"; {_FORM}')
        value = value["rows"]
        keys = 1
    if type(value) is not list:
        raise ShapeError(f'"rows" holds {type(value).__name__}, not a list; {_FORM}')
    if len(value) > limit:
        raise too_many(limit)
    keys += sum(len(row) for row in value if type(row) is dict)
    # Every key is followed by one colon. More colons than keys: text holds one, or a key is there
    # twice, of which the decoder keeps the last without a word.
    if body.count(b":") != keys:
        _check_keys(body)
    return value


def _check_keys(text: bytes) -> None:
    try:
        json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ColumnError):
            raise
        raise RequestError(f"the body is not JSON: {error}; {_FORM}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ColumnError(f"an object has the key {twice!r} twice; give it once", column=twice)
    return found


def read_lines(body: bytes, signature: Signature, limit: int) -> Any:
    """Return the rows of an NDJSON body; raises as `sclbl.tabular.read_ndjson` does."""
    # One chunk above the limit is enough to know that there are too many.
    rows = next(read_ndjson(io.BytesIO(body), rows=limit + 1))
    if len(rows) > limit:
        raise too_many(limit)
    if body.count(b":") != sum(len(row) for row in rows if type(row) is dict):
        for line in body.splitlines():
            if line.strip():
                _check_keys(line)
    return rows


def read_table(body: bytes, signature: Signature, limit: int) -> Any:
    """Return the rows of a CSV body; raises as `sclbl.tabular.read_csv` does."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(f"the CSV is not UTF-8: {error}") from None
    count, rows = next(read_csv(io.StringIO(text, newline=""), signature, rows=limit + 1))
    if count > limit:
        raise too_many(limit)
    return rows


#: How each media type is read.
READERS: dict[str, Callable[[bytes, Signature, int], Any]] = {
    JSON: read_json,
    NDJSON: read_lines,
    "application/ndjson": read_lines,
    "application/jsonl": read_lines,
    CSV: read_table,
}


def media_type(content_type: str | None) -> str:
    """Return the media type of a Content-Type header.

    Raises
    ------
    MediaTypeError
        It is missing or not one that is read here, or its charset is not UTF-8.
    """
    name, _, parameters = (content_type or "").partition(";")
    name = name.strip().lower()
    if name not in READERS:
        said = f"the Content-Type is {name!r}" if name else "there is no Content-Type"
        raise MediaTypeError(f"{said}; send one of {JSON}, {NDJSON} or {CSV}")
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip(' "')
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise MediaTypeError(f"the charset is {charset!r}; send UTF-8")
    return name
