"""What a caller may write beside a version, and edit: docs, tags, metrics; and a request id."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sclbl.errors import RegistryError
from sclbl.registry.refs import check_alias, check_name

T = TypeVar("T")

MAX_DOCS = 1_000_000
MAX_ENTRIES = 1_000
MAX_TEXT = 10_000
MAX_REQUEST_ID = 128


@dataclass(frozen=True, slots=True)
class About:
    """What a new version is called and what is kept beside it, checked."""

    name: str
    alias: str | None = None
    docs: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    request_id: str | None = None


def check_about(
    name: object,
    *,
    alias: object = None,
    docs: object = None,
    tags: object = None,
    metrics: object = None,
    request_id: object = None,
) -> About:
    """Return what a caller wrote about a version.

    Raises
    ------
    InvalidNameError, RegistryError
        One of them is not what it must be.
    """
    return About(
        check_name(name),
        None if alias is None else check_alias(alias),
        check_docs(docs),
        check_tags(tags),
        check_metrics(metrics),
        check_request_id(request_id),
    )


def check_docs(docs: object) -> str:
    """Return docs as text, empty for None; raise `RegistryError` for anything else."""
    return "" if docs is None else _text(docs, "docs", MAX_DOCS)


def check_tags(tags: object) -> dict[str, str]:
    """Return tags as a dict of text to text; raise `RegistryError` for anything else."""
    return {key: _text(value, f"tag {key!r}", MAX_TEXT) for key, value in _items(tags, "tags")}


def check_metrics(metrics: object) -> dict[str, float]:
    """Return metrics as a dict of text to finite float; raise `RegistryError` otherwise."""
    return {key: _number(value, key) for key, value in _items(metrics, "metrics")}


@dataclass(frozen=True, slots=True)
class Edit:
    """A checked change of what is written about a version; None leaves that part as it is."""

    docs: str | None
    tags: Mapping[str, str | None] | None
    metrics: Mapping[str, float | None] | None

    def to_json(self) -> dict[str, Any]:
        """Return what is changed, as a merge patch."""
        given = {"docs": self.docs, "tags": self.tags, "metrics": self.metrics}
        return {key: value for key, value in given.items() if value is not None}

    def apply(
        self, docs: str, tags: Mapping[str, str], metrics: Mapping[str, float]
    ) -> dict[str, Any]:
        """Return docs, tags and metrics as they are after the change.

        Raises
        ------
        RegistryError
            There would be too many entries.
        """
        return {
            "docs": docs if self.docs is None else self.docs,
            "tags": check_tags(_merged(tags, self.tags)),
            "metrics": check_metrics(_merged(metrics, self.metrics)),
        }


def check_edit(docs: object, tags: object, metrics: object) -> Edit:
    """Return a change of docs, tags and metrics.

    Raises
    ------
    RegistryError
        A part is not what it must be, or there is none.
    """
    if docs is None and tags is None and metrics is None:
        raise RegistryError("nothing to edit; give docs, tags or metrics")
    return Edit(
        None if docs is None else check_docs(docs),
        None if tags is None else _split(tags, "tags", check_tags),
        None if metrics is None else _split(metrics, "metrics", check_metrics),
    )


def _split(given: object, what: str, check: Callable[[object], dict[str, Any]]) -> dict[str, Any]:
    entries = dict(_items(given, what))
    gone = {key: None for key, value in entries.items() if value is None}
    return {**gone, **check({k: v for k, v in entries.items() if v is not None})}


def _merged(old: Mapping[str, T], change: Mapping[str, T | None] | None) -> dict[str, T]:
    merged = {**old, **(change or {})}
    return {key: value for key, value in merged.items() if value is not None}


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
