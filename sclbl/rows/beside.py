"""Inputs beside the table: tensors, ragged rows, values of the call."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from sclbl.errors import ColumnError, DtypeError, ParameterError, ShapeError
from sclbl.rows.blocks import RaggedRows, TextColumn
from sclbl.rows.numbers import EXACT
from sclbl.rows.source import OneNull
from sclbl.rows.texts import text_column
from sclbl.signature import Input

#: What may stand for a number among Python objects.
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)
#: What a row of pairs holds where it is a dict.
PAIRS = ("columns", "values")

_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 2, 60, 60


def _shown(value: Any) -> str:
    """Return a value for a message, however large it is."""
    try:
        return _REPR.repr(value)
    except ValueError:  # an integer of more digits than Python writes out
        return f"a long {type(value).__name__}"


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
            f"the parameter {given.name!r} is {_shown(value)}; give a {_KINDS[dtype.kind]}"
        )
    try:
        found = np.asarray(value, dtype=dtype)
        kept = dtype.kind == "f" or found.item() == value
    except (OverflowError, ValueError):
        kept = False
    if not kept or (np.isinf(found) and not np.isinf(value)):
        raise ParameterError(
            f"the parameter {given.name!r} is {_shown(value)}, which {dtype.name} does not hold"
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
        For a tensor an array ``[rows, *shape]``; for sparse rows a SciPy matrix or array, an array
        ``[rows, columns]``, or a list in which a row is a list of all its numbers or a dict of its
        ``columns`` and ``values``; for lists a list of lists; for features a list of dicts, or of
        lists of pairs. In a `OneNull` None is a missing number, NaN.

    Raises
    ------
    ShapeError, ColumnError, DtypeError
        Where they are not that, or hold what the input's type does not.
    """
    null = isinstance(rows, OneNull)
    if isinstance(rows, OneNull):
        rows = rows.rows
    found: np.ndarray | RaggedRows = _WAYS[given.kind](given, rows, null)
    return found


def _array(rows: Any, null: bool) -> np.ndarray:
    """Return an array; of objects where the rows are no rectangle of numbers."""
    try:
        array = np.asarray(rows)
    except ValueError:
        return np.empty(0, dtype=object)
    if null and array.dtype == object:
        flat = array.ravel().tolist()
        if None in flat and {type(v) for v in flat} <= {bool, int, float, type(None)}:
            flat = [np.nan if v is None else v for v in flat]
            return np.array(flat, dtype=np.float64).reshape(array.shape)
    return array


def _tensor(given: Input, rows: Any, null: bool) -> np.ndarray:
    if isinstance(rows, Mapping) and list(rows) == [given.name]:
        rows = rows[given.name]
    array = _array(rows, null)
    if array.shape == given.shape and given.shape:
        array = array[None]
    if array.shape[1:] != given.shape or array.ndim == 0:
        wanted = ", ".join(("rows", *map(str, given.shape)))
        raise ShapeError(f"the input {given.name!r} has shape {array.shape}; it takes ({wanted})")
    return _exact(given, array, literal=not hasattr(rows, "dtype"))


class _Rows(NamedTuple):
    """Sparse rows as a csr_matrix holds them."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: tuple[int, int]


def _of_sparse_columns(rows: Any) -> _Rows:
    """Return rows of pandas' sparse columns without SciPy, of which pandas wants a recent one."""
    columns = [rows.iloc[:, i].array for i in range(rows.shape[1])]
    places = [column.sp_index.to_int_index().indices for column in columns]
    found = np.repeat(np.arange(len(places)), [len(p) for p in places])
    values = np.concatenate([column.sp_values for column in columns])
    return _row_by_row(values, np.concatenate(places), found, rows.shape)


def _row_by_row(
    data: np.ndarray, row: np.ndarray, column: np.ndarray, shape: tuple[int, int]
) -> _Rows:
    """Return items by their coordinates row by row, those of a row as they come."""
    order = np.argsort(row, kind="stable")
    counts = np.bincount(row, minlength=shape[0])
    return _Rows(data[order], column[order], np.cumsum([0, *counts]), shape)


def _sparse(given: Input, rows: Any, null: bool) -> RaggedRows:
    columns = given.width
    if getattr(rows, "format", None) == "coo":
        # Not tocsr, which adds what lies in one place, in the type of the rows.
        matrix: Any = _row_by_row(rows.data, rows.row, rows.col, rows.shape)
    elif hasattr(rows, "tocsr"):
        matrix = rows.tocsr()
    elif _is_sparse_frame(rows) and rows.shape[1]:
        matrix = _of_sparse_columns(rows)
    else:
        matrix = None
    if matrix is not None:
        if matrix.shape[1] != columns:
            raise ColumnError(
                f"the rows have {matrix.shape[1]:,} columns; the model takes {columns:,}"
            )
        keys = matrix.indices.astype(np.int32)
        return RaggedRows(matrix.indptr.astype(np.int64), keys, _exact(given, matrix.data))
    if isinstance(rows, Mapping):
        rows = [rows]
    if isinstance(rows, (list, tuple)) and any(isinstance(row, Mapping) for row in rows):
        return _pairs(given, rows, null)
    array = _array(rows, null)
    if array.ndim == 1 and len(array):
        array = array[None]
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        if isinstance(rows, (list, tuple)) and not rows:
            return RaggedRows(np.zeros(1, np.int64), np.empty(0, np.int32), _exact(given, array))
        raise ShapeError(
            f"the rows are of type {type(rows).__name__}; give a SciPy sparse matrix, an array of "
            f"numbers of shape (rows, {columns}), or a list of dicts of 'columns' and 'values'"
        )
    if array.shape[1] != columns:
        raise ColumnError(f"the rows have {array.shape[1]:,} columns; the model takes {columns:,}")
    there = array != 0
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    values = _exact(given, array[there], literal=not hasattr(rows, "dtype"))
    return RaggedRows(offsets, np.nonzero(there)[1].astype(np.int32), values)


def _is_sparse_frame(rows: Any) -> bool:
    """Return whether rows are a pandas DataFrame whose columns are sparse, zeros left out."""
    frame = getattr(rows, "ndim", 0) == 2 and hasattr(rows, "dtypes") and hasattr(rows, "sparse")
    return frame and all(dtype.fill_value == 0 for dtype in rows.dtypes)


def _pairs(given: Input, rows: Sequence[Any], null: bool) -> RaggedRows:
    """Return rows of which some are dicts of columns and what these hold."""
    keys: list[np.ndarray] = []
    values: list[Any] = []
    for i, row in enumerate(rows):
        if isinstance(row, Mapping):
            keys.append(_columns(given, row, i))
            values += _items(row["values"], i)
        else:
            found = _items(row, i)
            if len(found) != given.width:
                raise ColumnError(
                    f"row {i} has {len(found):,} columns; the model takes {given.width:,}", row=i
                )
            there = [k for k, value in enumerate(found) if not _is_zero(value)]
            keys.append(np.array(there, dtype=np.int32))
            values += [found[k] for k in there]
    return RaggedRows(_offsets(keys), np.concatenate(keys), _numbers(given, values, null))


def _is_zero(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and value == 0


def _columns(given: Input, row: Mapping[Any, Any], number: int) -> np.ndarray:
    """Return the columns of a row, in which each stands once."""
    if set(row) != set(PAIRS):
        raise ShapeError(
            f"row {number} is a dict of {_shown(list(row))}; give 'columns' and 'values', each a "
            "list, or all numbers of the row in one list",
            row=number,
        )
    columns, values = _items(row["columns"], number), _items(row["values"], number)
    if len(columns) != len(values):
        raise ShapeError(
            f"row {number} has {len(columns):,} columns and {len(values):,} values; give a value "
            "for each column",
            row=number,
        )
    seen: set[Any] = set()
    for column in columns:
        if not isinstance(column, (int, np.integer)) or isinstance(column, bool):
            raise DtypeError(
                f"row {number} has {_shown(column)} as the number of a column; give whole numbers",
                row=number,
            )
        if not 0 <= column < given.width:
            raise ColumnError(
                f"row {number} has the column {_shown(column)}; the model takes {given.width:,} "
                "columns, counted from 0",
                row=number,
                column=_shown(column),
            )
        if column in seen:
            raise ColumnError(
                f"row {number} has the column {column} twice; give it once",
                row=number,
                column=str(column),
            )
        seen.add(column)
    return np.array(columns, dtype=np.int32)


def _list(given: Input, rows: Any, null: bool) -> RaggedRows:
    lists = [_items(row, i) for i, row in enumerate(_sequence(given, rows))]
    items = list(chain.from_iterable(lists))
    if given.dtype == "text":
        return RaggedRows(_offsets(lists), None, _texts(items, lists, "an item"))
    return RaggedRows(_offsets(lists), None, _numbers(given, items, null))


def _features(given: Input, rows: Any, null: bool) -> RaggedRows:
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
                    f"row {i} holds {_shown(pair)}; give dicts of names and values, or pairs of "
                    "them",
                    row=i,
                )
            name, value = pair
            if value is None and not null:
                raise DtypeError(
                    f"row {i} has None for {_shown(name)}; leave it out, or give NaN or a number",
                    row=i,
                    column=str(name),
                )
            if isinstance(value, np.bool_):
                raise DtypeError(
                    f"row {i} has a NumPy truth for {_shown(name)}; give bool(value)",
                    row=i,
                    column=str(name),
                )
            # A text says which one of several things is there.
            if isinstance(value, str) and isinstance(name, str):
                name, value = f"{name}={value}", 1.0
            found.append(name)
            values.append(value)
        names.append(found)
    keys = _texts(list(chain.from_iterable(names)), names, "a name")
    return RaggedRows(_offsets(names), keys, _numbers(given, values, null))


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
    raise ShapeError(f"row {number} holds {_shown(row)} where a list of items belongs", row=number)


def _offsets(lists: Sequence[Sized]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum([len(row) for row in lists], dtype=np.int64)])


def _texts(items: list[Any], lists: Sequence[Sequence[Any]], what: str) -> TextColumn:
    if set(map(type, items)) - {str}:
        for i, row in enumerate(lists):
            for item in row:
                if not isinstance(item, str):
                    raise DtypeError(f"row {i} has {_shown(item)} as {what}; it takes text", row=i)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return text_column(array, what)


def _numbers(given: Input, items: list[Any], null: bool = False) -> np.ndarray:
    whole = given.dtype == "int64"
    if null and not whole and None in items:
        items = [np.nan if v is None else v for v in items]
    for item in items:
        if not isinstance(item, _NUMBERS):
            raise DtypeError(f"{_shown(item)} is no number; the values of {given.name!r} are")
        if isinstance(item, int) and not whole and abs(item) > EXACT:
            raise DtypeError(
                f"{_shown(item)} is beyond 2**53; {given.dtype} does not hold it exactly"
            )
    if whole and all(isinstance(v, (int, np.integer)) for v in items):
        try:
            return np.array([int(v) for v in items], dtype=np.int64)
        except OverflowError:
            raise DtypeError(
                f"the input {given.name!r} holds a number that int64 does not hold"
            ) from None
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
