"""Results of any method as JSON-ready data, one entry a row.

A list of items is a list, a sparse row an object of its ``columns`` and ``values``; where a method
returns several results, an entry is the list of these. NaN and every missing text are None;
infinities, which JSON cannot hold, are ``"Infinity"`` and ``"-Infinity"``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sclbl.missing import is_missing
from sclbl.rows import RaggedRows
from sclbl.runtime.general import Result
from sclbl.runtime.outputs import finish, typed
from sclbl.signature import Output

#: Returns some of the rows, from one to before another.
Part = Callable[[int, int], list[Any]]


def in_slices(results: Sequence[tuple[Output, Result]], values: int) -> Iterator[list[Any]]:
    """Yield one entry a row, about so many values at a time.

    Parameters
    ----------
    results : sequence of Output and its array or ragged rows
        What `sclbl.runtime.method.general_results` returns.
    values : int
        At a time; a row of more comes alone.
    """
    parts = [_part(output, found) for output, found in results]
    ends = np.cumsum(np.sum([_lengths(found) for _, found in results], axis=0))
    start = 0
    while start < len(ends):
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + values, side="right")))
        entries = [part(start, end) for part in parts]
        yield entries[0] if len(parts) == 1 else [list(row) for row in zip(*entries, strict=True)]
        start = end


def count_values(results: Sequence[tuple[Output, Result]]) -> int:
    """Return how many values there are."""
    return sum(int(_lengths(found).sum()) for _, found in results)


def _lengths(found: Result) -> np.ndarray:
    """Return how many values each row has."""
    if isinstance(found, RaggedRows):
        return np.diff(found.offsets.astype(np.int64))
    return np.full(len(found), found.shape[1], dtype=np.int64)


def _part(output: Output, found: Result) -> Part:
    if isinstance(found, RaggedRows):
        return _ragged(output, found)
    finished = finish(output, found)
    if isinstance(finished, list):
        arrays: list[np.ndarray] = finished
        return lambda start, end: [
            list(row) for row in zip(*(_ready(a[start:end]) for a in arrays), strict=True)
        ]
    return lambda start, end: _ready(finished[start:end])


def _ragged(output: Output, found: RaggedRows) -> Part:
    values, keys, offsets = typed(output, found), found.keys, found.offsets

    def part(start: int, end: int) -> list[Any]:
        places = offsets[start : end + 1].tolist()
        first, last = places[0], places[-1]
        held = _ready(values[first:last])
        rows = [held[a - first : b - first] for a, b in pairwise(places)]
        if not isinstance(keys, np.ndarray):
            return rows
        named = keys[first:last].tolist()
        columns = [named[a - first : b - first] for a, b in pairwise(places)]
        return [{"columns": c, "values": v} for c, v in zip(columns, rows, strict=True)]

    return part


def _ready(array: np.ndarray) -> list[Any]:
    found: list[Any] = array.tolist()
    if array.dtype == object or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        return [_spelled(value) for value in found]
    return found


def _spelled(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled(v) for v in value]
    if is_missing(value):
        return None
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
