"""Columns of numbers as one dense block, every value exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from sclbl.errors import DtypeError
from sclbl.rows.kinds import is_missing, refuse_type, shortened
from sclbl.rows.source import Source
from sclbl.spec import Signature

#: float64 holds every integer up to here.
EXACT = 2**53
_PLAIN = frozenset((float, int, bool, type(None), np.float64, np.float32, np.bool_))


def numeric_block(source: Source, positions: Sequence[int], signature: Signature) -> np.ndarray:
    """Return the numeric columns as ``[rows, k]``, C-contiguous, in the signature's type.

    Parameters
    ----------
    source : Source
        The rows.
    positions : sequence of int
        For each numeric column of the signature, its position in `source`.
    signature : Signature
        What the program takes.

    Raises
    ------
    DtypeError
        Where a value is no number, or one that the program's number type does not hold exactly.
    """
    dtype = np.dtype(signature.numeric_dtype)
    labels = [signature.label_of(c) for c in signature.numeric]
    whole = source.block(positions)
    if whole is not None:
        return np.ascontiguousarray(_exact(whole, dtype, labels, literal=False))
    flat = source.flat(positions)
    if flat is not None:
        wide = floats(flat, labels).reshape(source.rows, len(positions))
        return _exact(wide, dtype, labels, literal=source.literal)
    out = np.empty((source.rows, len(positions)), dtype=dtype)
    for i, position in enumerate(positions):
        values = source.values(position)
        out[:, i] = column_of_numbers(values, dtype, labels[i], literal=source.literal)
    return out


def column_of_numbers(
    values: Any, dtype: np.dtype[Any], label: str, *, literal: bool
) -> np.ndarray:
    """Return one column ``[rows]`` of numbers in `dtype`."""
    if not isinstance(values, np.ndarray) or values.dtype.kind in "UT":
        items = values.tolist() if isinstance(values, np.ndarray) else values.to_pylist()
        for row, text in enumerate(items):
            if text is not None:
                _refuse_text(text, row, label)
        return np.full(len(values), np.nan, dtype=dtype)
    if values.dtype == object:
        wide = floats(values.tolist(), [label])
        return _exact(wide, dtype, [label], literal=literal)
    return _exact(values, dtype, [label], literal=False)


def floats(values: list[Any], labels: Sequence[str]) -> np.ndarray:
    """Return Python values (row after row, one label a column) as flat float64.

    Raises
    ------
    DtypeError
        Where a value is no number, or an integer that float64 does not hold.
    """
    types = set(map(type, values))
    if types <= _PLAIN:
        try:
            out = np.array(values, dtype=np.float64)
        except OverflowError:
            out = None
        if out is not None and (int not in types or not (np.abs(out) >= EXACT).any()):
            return out
    return np.array(
        [_float(v, i // len(labels), labels[i % len(labels)]) for i, v in enumerate(values)],
        dtype=np.float64,
    )


def _float(value: Any, row: int, label: str) -> float:
    if is_missing(value):
        return np.nan
    if isinstance(value, str):
        _refuse_text(value, row, label)
    if isinstance(value, (bool, np.bool_, float, np.float32, np.float16)):
        return float(value)
    if isinstance(value, (int, np.integer)):
        if not -EXACT <= int(value) <= EXACT:
            _refuse_integer(int(value), row, label)
        return float(value)
    refuse_type(type(value).__name__, f"column {label!r}", row=row, name=label)


def _exact(
    values: np.ndarray, dtype: np.dtype[Any], labels: Sequence[str], *, literal: bool
) -> np.ndarray:
    """Convert numbers ``[rows]`` or ``[rows, k]``, refusing what would change."""
    if values.dtype == dtype:
        return values
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8 and values.size:
        beyond = (
            (values > EXACT) if values.dtype.kind == "u" else (values > EXACT) | (values < -EXACT)
        )
        if beyond.any():
            row, column = _first(beyond)
            _refuse_integer(int(values.reshape(len(values), -1)[row, column]), row, labels[column])
    with np.errstate(over="ignore"):
        out = values.astype(dtype)
    if dtype == np.float32 and values.dtype.kind in "iuf" and values.dtype.itemsize > 2:
        if literal:
            changed = np.isinf(out) & np.isfinite(values)
        else:
            changed = (out.astype(np.float64) != values) & ~np.isnan(out)
        if changed.any():
            row, column = _first(changed)
            value = values.reshape(len(values), -1)[row, column].item()
            what = "is too large for float32" if literal else "is not a float32 number"
            raise DtypeError(
                f"row {row}, column {labels[column]!r}: {value!r} {what}, and the model's "
                "example_input was float32; cast the rows with .astype('float32') if that is "
                "meant, or compile the model with a float64 example_input",
                row=row,
                column=labels[column],
            )
    return out


def _first(bad: np.ndarray) -> tuple[int, int]:
    row, column = np.argwhere(bad.reshape(len(bad), -1))[0].tolist()
    return row, column


def _refuse_text(value: Any, row: int, label: str) -> NoReturn:
    raise DtypeError(
        f"row {row}, column {label!r}: {shortened(value)} is text, but the model takes numbers; "
        "convert the column to numbers, with NaN where a value is missing",
        row=row,
        column=label,
    )


def _refuse_integer(value: int, row: int, label: str) -> NoReturn:
    raise DtypeError(
        f"row {row}, column {label!r}: {value} is beyond 2**53, where float64 no longer holds "
        "every integer; give identifiers as text, or scale the numbers",
        row=row,
        column=label,
    )
