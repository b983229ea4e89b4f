"""What a caller may write beside a version: docs, tags, metrics, a request id."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping

from sclbl.errors import RegistryError

MAX_DOCS = 1_000_000
MAX_ENTRIES = 1_000
MAX_TEXT = 10_000
MAX_REQUEST_ID = 128


def check_docs(docs: object) -> str:
    """Return docs as text, empty for None; raise `RegistryError` for anything else."""
    return "" if docs is None else _text(docs, "docs", MAX_DOCS)


def check_tags(tags: object) -> dict[str, str]:
    """Return tags as a dict of text to text; raise `RegistryError` for anything else."""
    return {key: _text(value, f"tag {key!r}", MAX_TEXT) for key, value in _items(tags, "tags")}


def check_metrics(metrics: object) -> dict[str, float]:
    """Return metrics as a dict of text to finite float; raise `RegistryError` otherwise."""
    return {key: _number(value, key) for key, value in _items(metrics, "metrics")}


def check_request_id(request_id: object) -> str | None:
    """Return a request id; raise `RegistryError` where it is not 1 to 128 characters of text."""
    if request_id is None:
        return None
    text = _text(request_id, "request_id", MAX_REQUEST_ID)
    if not text:
        raise RegistryError("request_id is empty; leave it out or give a unique text")
    return text


def _items(given: object, what: str) -> list[tuple[str, object]]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise RegistryError(f"{what} must be a mapping, not {type(given).__name__}")
    if len(given) > MAX_ENTRIES:
        raise RegistryError(f"{what} has {len(given)} entries; at most {MAX_ENTRIES} are kept")
    return [(_text(key, f"a name in {what}", MAX_TEXT), value) for key, value in given.items()]


def _text(value: object, what: str, limit: int) -> str:
    if not isinstance(value, str):
        raise RegistryError(f"{what} must be text, not {type(value).__name__}")
    if len(value) > limit:
        raise RegistryError(f"{what} has {len(value)} characters; at most {limit} are kept")
    # No database stores these two alike.
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise RegistryError(f"{what} holds a NUL or a lone surrogate, which is not text")
    return value


def _number(value: object, key: str) -> float:
    # bool is a number to Python and hardly ever meant as a metric.
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise RegistryError(f"metric {key!r} must be a number, not {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number):
        raise RegistryError(f"metric {key!r} is {number}; metrics must be finite, so leave it out")
    return number
