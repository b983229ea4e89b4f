"""What a program returned, as JSON: one result a row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from sclbl.missing import is_missing
from sclbl.signature import Output

_ENCODE = msgspec.json.Encoder().encode


def by_row(result: Any) -> list[Any]:
    """Return results as a list with one entry a row.

    Parameters
    ----------
    result : array or list of arrays
        What `Program.run` returned: an array ``[rows]`` or ``[rows, width]``, a DataFrame, or a
        list of such arrays (several outputs), which become a list within each row.
    """
    if isinstance(result, (list, tuple)):
        return [list(row) for row in zip(*(by_row(part) for part in result), strict=True)]
    if not isinstance(result, np.ndarray):
        result = result.to_numpy()
    rows: list[Any] = result.tolist()
    return rows


def with_rows(result: Any, output: Output) -> Any:
    """Return a result with an axis of rows, of length one where the whole tensor is one row."""
    return result[np.newaxis] if output.is_whole else result


def in_slices(result: Any, values: int) -> Iterator[list[Any]]:
    """Yield results as `by_row` does, about so many values at a time."""
    parts = result if isinstance(result, (list, tuple)) else [result]
    arrays = [p if isinstance(p, np.ndarray) else p.to_numpy() for p in parts]
    width = sum(a.shape[1] if a.ndim > 1 else 1 for a in arrays)
    step = max(1, values // max(width, 1))
    for start in range(0, len(arrays[0]), step):
        piece = [a[start : start + step] for a in arrays]
        yield by_row(piece if isinstance(result, (list, tuple)) else piece[0])


def encode(rows: list[Any], output: Output) -> bytes:
    """Return results as JSON.

    NaN is ``null``, as is every missing text; infinities, which JSON cannot hold, are
    ``"Infinity"`` and ``"-Infinity"``.
    """
    text = _ENCODE(_nulls(rows) if output.storage == "text" else rows)
    if b"null" in text and output.storage in ("float64", "float32"):
        return _ENCODE(_spell(rows))
    return text


def encode_lines(rows: list[Any], output: Output) -> bytes:
    """Return results as NDJSON, one line a row."""
    return b"".join(encode(row, output) + b"\n" for row in rows)


def _nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_nulls(v) for v in value]
    return None if is_missing(value) else value


def _spell(value: Any) -> Any:
    if isinstance(value, list):
        return [_spell(v) for v in value]
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
