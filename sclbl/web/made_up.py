"""Rows that are made up: ones, and values that a spec knows, where no example is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sclbl import example
from sclbl.signature import TABLE, Input, Kind, Signature
from sclbl.web.known import Known

_PLAIN: dict[Kind, Any] = {
    "float64": 1.0,
    "float32": 1.0,
    "integer": 1,
    "boolean": True,
    "text": "a",
}


def plain(signature: Signature) -> list[Any]:
    """Return a value for each column."""
    return [_PLAIN[column.kind] for column in signature.columns]


def better(
    values: list[Any],
    signature: Signature,
    known: Known | None = None,
    stated: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Any]:
    """Return values with others in their place, where some are known.

    Parameters
    ----------
    values : list
        A value for each column.
    signature : Signature
        What the columns are.
    known : Known, optional
        What the graph knows: categories, bounds.
    stated : mapping, optional
        What the uploader says of columns: an example, or what is least.
    """
    known, stated = known or Known(), stated or {}
    found = []
    for position, value in enumerate(values):
        said = stated.get(signature.label_of(position), {})
        if "example" in said:
            value = said["example"]
        elif position in known.categories:
            value = known.categories[position][0]
        elif signature.columns[position].kind not in ("text", "boolean"):
            low, high = known.bounds.get(position, (-math.inf, math.inf))
            low, high = said.get("minimum", low), said.get("maximum", high)
            value = min(max(value, low), high)
        found.append(value)
    return found


def row_of(values: list[Any], signature: Signature) -> Any:
    """Return values of the table, and a row of each other input, as an example."""
    rows = {given.name: _input_row(given) for given in signature.beside}
    if signature.columns:
        table = example.as_row(values, signature)
        for size in (signature.shape or ())[:0:-1]:
            table = [table[k : k + size] for k in range(0, len(table), size)]
        rows = {TABLE: table, **rows}
    return rows if len(rows) > 1 else next(iter(rows.values()))


def _input_row(given: Input) -> Any:
    """Return a row of an input beside the table, to begin with."""
    item: Any = {"text": "a", "bool": True, "int64": 1}.get(given.dtype, 1.0)
    if given.kind == "features":
        return {"a": 1.0}
    if given.kind == "list":
        return [item]
    if given.kind == "sparse":
        return {"columns": [0], "values": [item]}
    for size in reversed(given.shape):
        item = [item] * size
    return item
