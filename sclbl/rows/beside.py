"""Inputs beside the table: tensors, ragged rows, values of the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from sclbl.errors import ColumnError, DtypeError, ParameterError, ShapeError
from sclbl.rows.blocks import RaggedRows, TextColumn
from sclbl.rows.numbers import EXACT
from sclbl.rows.source import OneNull
from sclbl.rows.texts import text_column
from sclbl.signature import Input

#: What may stand for a number among Python objects.
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


def parameter(given: Input, value: Any) -> np.ndarray:
    """Return the value of a call's parameter in its type, ``()``.

    Raises
    ------
    ParameterError
        Where it is no number, or one that the type does not hold.
    """
    dtype = np.dtype(given.dtype)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, _NUMBERS) or isinstance(value, (bool, np.bool_)) != (
        dtype.kind == "b"
    ):
        raise ParameterError(
            f"the parameter {given.name!r} is {value!r:.60}; give a {_KINDS[dtype.kind]}"
        )
    try:
        found = np.asarray(value, dtype=dtype)
        kept = dtype.kind == "f" or found.item() == value
    except (OverflowError, ValueError):
        kept = False
    if not kept or (np.isinf(found) and not np.isinf(value)):
        raise ParameterError(
            f"the parameter {given.name!r} is {value!r:.60}, which {dtype.name} does not hold"
        )
    return found


_KINDS = {"f": "number", "i": "whole number", "b": "boolean"}


def rows_beside(given: Input, rows: Any) -> np.ndarray | RaggedRows:
    """Return the rows of an input beside the table.

    Parameters
    ----------
    given : Input
        The input, with rows.
    rows : object
        For a tensor an array ``[rows, *shape]``; for sparse rows a SciPy matrix or array, or an
        array ``[rows, columns]``; for lists a list of lists; for features a list of dicts, or of
        lists of pairs.

    Raises
    ------
    ShapeError, ColumnError, DtypeError
        Where they are not that, or hold what the input's type does not.
    """
    if isinstance(rows, OneNull):
        rows = rows.rows
    found: np.ndarray | RaggedRows = _WAYS[given.kind](given, rows)
    return found


def _tensor(given: Input, rows: Any) -> np.ndarray:
    try:
        array = np.asarray(rows)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.shape == given.shape and given.shape:
        array = array[None]
    if array.shape[1:] != given.shape or array.ndim == 0:
        wanted = ", ".join(("rows", *map(str, given.shape)))
        raise ShapeError(f"the input {given.name!r} has shape {array.shape}; it takes ({wanted})")
    return _exact(given, array, literal=not hasattr(rows, "dtype"))


def _sparse(given: Input, rows: Any) -> RaggedRows:
    columns = given.width
    if hasattr(rows, "tocsr"):
        matrix = rows.tocsr()
        if matrix.shape[1] != columns:
            raise ColumnError(
                f"the rows have {matrix.shape[1]:,} columns; the model takes {columns:,}"
            )
        keys = matrix.indices.astype(np.int32)
        return RaggedRows(matrix.indptr.astype(np.int64), keys, _exact(given, matrix.data))
    array = np.asarray(rows)
    if array.ndim == 1:
        array = array[None]
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise ShapeError(
            f"the rows are of type {type(rows).__name__}; give a SciPy sparse matrix, or an array "
            f"of numbers of shape (rows, {columns})"
        )
    if array.shape[1] != columns:
        raise ColumnError(f"the rows have {array.shape[1]:,} columns; the model takes {columns:,}")
    there = array != 0
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    values = _exact(given, array[there], literal=not hasattr(rows, "dtype"))
    return RaggedRows(offsets, np.nonzero(there)[1].astype(np.int32), values)


def _list(given: Input, rows: Any) -> RaggedRows:
    lists = [_items(row, i) for i, row in enumerate(_sequence(given, rows))]
    items = list(chain.from_iterable(lists))
    if given.dtype == "text":
        return RaggedRows(_offsets(lists), None, _texts(items, lists, "an item"))
    return RaggedRows(_offsets(lists), None, _numbers(given, items))


def _features(given: Input, rows: Any) -> RaggedRows:
    if isinstance(rows, Mapping):
        rows = [rows]
    names: list[list[Any]] = []
    values: list[Any] = []
    for i, row in enumerate(_sequence(given, rows)):
        pairs = row.items() if isinstance(row, Mapping) else _items(row, i)
        found = []
        for pair in pairs:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ShapeError(
                    f"row {i} holds {pair!r:.60}; give dicts of names and values, or pairs of them",
                    row=i,
                )
            name, value = pair
            # A text says which one of several things is there.
            if isinstance(value, str) and isinstance(name, str):
                name, value = f"{name}={value}", 1.0
            found.append(name)
            values.append(value)
        names.append(found)
    keys = _texts(list(chain.from_iterable(names)), names, "a name")
    return RaggedRows(_offsets(names), keys, _numbers(given, values))


def _sequence(given: Input, rows: Any) -> Iterable[Any]:
    if hasattr(rows, "tolist"):
        rows = rows.tolist()
    if not isinstance(rows, Sequence) or isinstance(rows, (str, bytes)):
        raise ShapeError(f"the rows are of type {type(rows).__name__}; give a list of rows")
    return rows


def _items(row: Any, number: int) -> Sequence[Any]:
    if isinstance(row, (set, frozenset)):
        return tuple(row)
    if isinstance(row, np.ndarray) and row.ndim == 1:
        return row.tolist()  # type: ignore[no-any-return]
    if isinstance(row, (list, tuple)):
        return row
    raise ShapeError(f"row {number} is {row!r:.60}; give each row as a list of items", row=number)


def _offsets(lists: Sequence[Sequence[Any]]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum([len(row) for row in lists], dtype=np.int64)])


def _texts(items: list[Any], lists: Sequence[Sequence[Any]], what: str) -> TextColumn:
    if set(map(type, items)) - {str}:
        for i, row in enumerate(lists):
            for item in row:
                if not isinstance(item, str):
                    raise DtypeError(f"row {i} has {item!r:.60} as {what}; it takes text", row=i)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return text_column(array, what)


def _numbers(given: Input, items: list[Any]) -> np.ndarray:
    for item in items:
        if not isinstance(item, _NUMBERS):
            raise DtypeError(f"{item!r:.60} is no number; the values of {given.name!r} are")
        if isinstance(item, int) and abs(item) > EXACT and given.dtype != "int64":
            raise DtypeError(f"{item} is beyond 2**53; {given.dtype} does not hold it exactly")
    # Python's numbers have no width, NumPy's have: those are brought over exactly.
    typed = [v for v in items if isinstance(v, np.generic)]
    for value in typed:
        _exact(given, np.asarray([value]))
    return _exact(given, np.array(items, dtype=np.float64 if items else given.dtype), literal=True)


def _exact(given: Input, array: np.ndarray, literal: bool = False) -> np.ndarray:
    """Return numbers in the input's type, each exactly, or rounded where they have no width."""
    dtype = np.dtype(given.dtype)
    if array.dtype == dtype:
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"the input {given.name!r} holds {array.dtype}; it takes {dtype.name}")
    with np.errstate(over="ignore", invalid="ignore"):
        found = array.astype(dtype)
        back = found.astype(array.dtype)
    same = (back == array) | (array != array)
    if literal and dtype.kind == "f":
        same = np.isinf(found) == np.isinf(array)
    elif dtype.kind == "f" and array.dtype.kind in "iu":
        same &= np.abs(array.astype(np.float64)) <= EXACT
    elif dtype.kind == "b":
        same = np.isin(array, (0, 1))
    if not same.all():
        wrong = array[~same].flat[0]
        raise DtypeError(
            f"the input {given.name!r} holds {wrong!r}, which {dtype.name} does not hold exactly"
        )
    return np.ascontiguousarray(found)


#: How the rows of an input are read, by its kind.
_WAYS: Mapping[str, Any] = {
    "tensor": _tensor,
    "sparse": _sparse,
    "list": _list,
    "features": _features,
}
