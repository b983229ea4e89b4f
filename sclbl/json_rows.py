"""Rows in a JSON text: a list of rows, ``{"rows": [...]}``, or one row as an object."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec

from sclbl.errors import ColumnError, RequestError, ShapeError
from sclbl.json_faults import fault
from sclbl.signature import Signature

FORM = 'send {"rows": [...]} or [...], each row an object or an array, or one row as an object'
#: How many columns a message lists.
LISTED = 8

_DECODER = msgspec.json.Decoder()


def read_json(text: bytes, signature: Signature, what: str = "the body") -> list[Any]:
    """Return the rows of a JSON text.

    An object that has a list under ``rows`` holds rows. Any other object is one row, as in Python;
    no column of a row is a list, so a column may be called ``rows`` too.

    Parameters
    ----------
    text : bytes
        UTF-8.
    signature : Signature
        What the columns are called.
    what : str
        How messages call the text.

    Raises
    ------
    RequestError
        The text is not JSON, or holds no rows.
    ShapeError
        The rows are not a list.
    ColumnError
        An object has a key twice.
    """
    try:
        value = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(error, text, what, FORM, signature) from None
    keys = 0
    if type(value) is dict:
        held = value.get("rows")
        if type(held) is list:
            if len(value) > 1:
                others = ", ".join(sorted(repr(k) for k in value if k != "rows")[:LISTED])
                raise RequestError(f'{what} has {others} beside "rows"; {FORM}')
            value, keys = held, 1
        else:
            check_row(value, signature, what)
            value = [value]
    elif type(value) is not list:
        raise ShapeError(f"{what} holds {type(value).__name__}, not rows; {FORM}")
    keys += sum(len(row) for row in value if type(row) is dict)
    # Every key is followed by one colon. More colons than keys: text holds one, or a key is there
    # twice, of which the decoder keeps the last without a word.
    if text.count(b":") != keys:
        check_keys(text, what)
    return value


def not_json(
    error: Exception, text: bytes, what: str, form: str, signature: Signature
) -> RequestError:
    """Return the error for a text that cannot be decoded; `form` says what to send instead."""
    if isinstance(error, RecursionError):
        return RequestError(f"{what} is nested too deeply; {form}")
    why = str(error) if text.strip() else "it is empty"
    found = fault(text, why, signature)
    if found:
        return RequestError(f"{what} is not JSON: {found}")
    return RequestError(f"{what} is not JSON: {why}; {form}")


def check_row(value: dict[str, Any], signature: Signature, what: str) -> None:
    """Raise where an object is no row of this model: none of its keys is a column, or it holds
    columns in place of a row."""
    positions = range(len(signature.columns))
    if any(signature.label_of(i) in value for i in positions):
        for label in map(signature.label_of, positions):
            if type(value.get(label)) is dict:
                raise ShapeError(
                    f"{what} is one object, so one row, and its column {label!r} holds an object, "
                    "as pandas' to_json writes columns; write rows with "
                    'to_json(orient="records")',
                    column=label,
                )
        if list in set(map(type, value.values())):
            for label in map(signature.label_of, positions):
                if type(value.get(label)) is list:
                    raise ShapeError(
                        f"{what} is one object, so one row, and its column {label!r} holds a list; "
                        f"send a list with an object for each row: [{{{label!r}: …}}, …]",
                        column=label,
                    )
        return
    if "rows" in value:
        raise ShapeError(f'"rows" holds {type(value["rows"]).__name__}, not a list; {FORM}')
    more = ", …" if len(positions) > LISTED else ""
    listed = ", ".join(repr(signature.label_of(i)) for i in positions[:LISTED]) + more
    raise RequestError(
        f'{what} is an object without "rows", and no row either, because none of its keys is a '
        f"column of the model ({listed}); {FORM}"
    )


def check_keys(text: bytes, what: str = "the body") -> None:
    """Raise `ColumnError` where an object in a JSON text has a key twice."""
    try:
        json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ColumnError):
            raise
        raise RequestError(f"{what} is not JSON: {error}; {FORM}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise ColumnError(f"an object has the key {twice!r} twice; give it once", column=twice)
    return found
