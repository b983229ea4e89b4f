"""What is wrong with a text that is nearly JSON: the numbers and words that JSON has not."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from sclbl.signature import Signature

#: Longest text that is read again to say where the fault is: Python's reader takes its time.
MOST_BYTES = 64 * 1024
#: Where the decoder stopped, in its words.
_BYTE = re.compile(r"\(byte (\d+)\)")
#: What is written where a value belongs, and what to send instead.
_WORDS = re.compile(
    rb"(?<![\w\"])[+-]?(nan|null|na|n/a|infinity|inf|none|true|false|undefined)\b", re.I
)
_ADVICE = {
    "nan": "send null for a missing value",
    "infinity": "JSON holds no infinity; send a number, or leave the row out",
    "none": "Python's None is null in JSON",
    "true": "JSON writes true",
    "false": "JSON writes false",
    "'": "JSON writes text in double quotes",
    "number": "no number of 64 bits is so large; send one, or leave the row out",
}
_KEYS = {"inf": "infinity", "null": "nan", "na": "nan", "n/a": "nan", "undefined": "nan"}


class _Odd(str):
    """A number that JSON's own decoder refuses, as it is written."""

    __slots__ = ()


def fault(
    text: bytes, why: str, signature: Signature | None = None, line: int | None = None
) -> str:
    """Return where a text holds what JSON has not, and what to send; empty where it is else.

    Parameters
    ----------
    text : bytes
        What the decoder refused.
    why : str
        What it said.
    signature : Signature, optional
        What the columns are called.
    line : int, optional
        Where it holds one row: which one that is.
    """
    found = _find(text) if len(text) <= MOST_BYTES else None
    if found is not None:
        path, written = found
        path = path if line is None else [line, *path]
        key = _key(written) if written.lower().strip("+-") in ("nan", "infinity") else "number"
        return f"{_place(path, signature)}{written[:40]}; {_ADVICE[key]}"
    at = _BYTE.search(why)
    if at is None:
        return ""
    # The decoder stops at a word's first letter that none of its own has, or behind four of them.
    near = int(at[1])
    for word in _WORDS.finditer(text, max(0, near - 10), near + 10):
        if word.start() <= near <= word.end() + 2 and word[0] not in (b"null", b"true", b"false"):
            return f"it has {word[0].decode()} where a value belongs; {_ADVICE[_key(word[0])]}"
    return f"it has a single quote; {_ADVICE[chr(39)]}" if text[near : near + 1] == b"'" else ""


def _key(word: str | bytes) -> str:
    plain = (word.decode() if isinstance(word, bytes) else word).lower().strip("+-")
    return _KEYS.get(plain, plain)


def _find(text: bytes) -> tuple[list[Any], str] | None:
    """Return the way to the first number that JSON has not, and how it is written."""
    try:
        return _way(json.loads(text, parse_constant=_Odd, parse_float=_float), [])
    except (ValueError, RecursionError):
        return None


def _float(written: str) -> Any:
    return _Odd(written) if math.isinf(float(written)) else 0.0


def _way(value: Any, path: list[Any]) -> tuple[list[Any], str] | None:
    if isinstance(value, _Odd):
        return path, str(value)
    parts = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value if type(value) is list else ())
    )
    for key, part in parts:
        found = _way(part, [*path, key])
        if found is not None:
            return found
    return None


def _place(path: list[Any], signature: Signature | None) -> str:
    """Return which row and column a way leads to."""
    numbers = [key for key in path if isinstance(key, int)]
    if path[:1] == ["parameters"]:
        return f"the parameter {str(path[-1])!r:.80} is "
    row = numbers[0] if numbers else 0
    after = path[path.index(row) + 1 :] if numbers else path
    if not after:
        return f"row {row} is "
    label = after[0]
    if isinstance(label, int) and signature is not None and label < len(signature.columns):
        label = signature.label_of(label)
    return f"row {row}, column {str(label)!r:.80} is "
