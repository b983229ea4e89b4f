"""The rows of a prediction request: JSON, NDJSON or CSV → what a program takes."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from sclbl import json_rows
from sclbl.errors import LimitError, MediaTypeError
from sclbl.signature import Signature
from sclbl.tabular import not_utf8, read_csv, read_ndjson

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"


def too_many(limit: int) -> LimitError:
    """Return the error for more rows than a request may hold."""
    return LimitError(
        f"a request may hold at most {limit:,} rows; send the rest in further requests"
    )


def read_json(body: bytes, signature: Signature, limit: int) -> Any:
    """Return the rows of a JSON body; raises as `sclbl.json_rows.read_json` does.

    Raises
    ------
    LimitError
        There are more rows than `limit`.
    """
    # Counted before decoding, because a million empty arrays take a hundred times their text.
    if len(body) > 2 * limit and body.count(b"[") + body.count(b"{") > 2 * limit + 16:
        raise too_many(limit)
    rows = json_rows.read_json(body, signature)
    if len(rows) > limit:
        raise too_many(limit)
    return rows


def read_lines(body: bytes, signature: Signature, limit: int) -> Any:
    """Return the rows of an NDJSON body; raises as `sclbl.tabular.read_ndjson` does."""
    # One chunk above the limit is enough to know that there are too many.
    rows = next(read_ndjson(io.BytesIO(body), rows=limit + 1))
    if len(rows) > limit:
        raise too_many(limit)
    if body.count(b":") != sum(len(row) for row in rows if type(row) is dict):
        for line in body.splitlines():
            if line.strip():
                json_rows.check_keys(line)
    return rows


def read_table(body: bytes, signature: Signature, limit: int) -> Any:
    """Return the rows of a CSV body; raises as `sclbl.tabular.read_csv` does."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8("the CSV", error) from None
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
