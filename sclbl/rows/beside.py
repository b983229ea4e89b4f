"""Inputs beside the table: tensors, ragged rows, values of the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import chain
from typing import Any, NamedTuple, NoReturn

import numpy as np

from sclbl.errors import ColumnError, DtypeError, ParameterError, ShapeError
from sclbl.rows.blocks import RaggedRows, TextColumn
from sclbl.rows.kinds import shortened, shown
from sclbl.rows.numbers import EXACT, array_of, beyond
from sclbl.rows.source import OneNull
from sclbl.rows.texts import LONE, text_column
from sclbl.signature import Input

#: What may stand for a number among Python objects.
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)
#: What a row of pairs holds where it is a dict.
PAIRS = ("columns", "values")


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
            f"the parameter {given.name!r} is {shown(value)}, which is no {given.dtype}; give a "
            f"{_KINDS[dtype.kind]}"
        )
    try:
        with np.errstate(over="ignore"):
            found = np.asarray(value, dtype=dtype)
        kept = dtype.kind == "f" or found.item() == value
    except (OverflowError, ValueError):
        kept = False
    if not kept or (np.isinf(found) and not np.isinf(value)):
        raise ParameterError(
            f"the parameter {given.name!r} is {shown(value)}, which is no {dtype.name}; give one "
            "that this type holds"
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
        array = array_of(rows)
    except ValueError:
        return np.empty(0, dtype=object)
    if null and array.dtype == object:
        return np.where(array == None, np.nan, array)  # noqa: E711 - each item, not the array
    return array


def _tensor(given: Input, rows: Any, null: bool) -> np.ndarray:
    if isinstance(rows, Mapping) and list(rows) == [given.name]:
        rows = rows[given.name]
    array = _array(rows, null)
    if array.shape == given.shape and given.shape:
        array = array[None]
    if array.shape[1:] != given.shape or array.ndim == 0:
        wanted = ", ".join(("rows", *map(str, given.shape)))
        raise ShapeError(
            f"the rows have shape {array.shape}; the input {given.name!r} takes ({wanted})"
        )
    starts = np.arange(len(array) + 1) * given.width
    return _exact(given, array, starts, literal=not hasattr(rows, "dtype"))


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
        offsets = matrix.indptr.astype(np.int64)
        return RaggedRows(offsets, keys, _exact(given, matrix.data, offsets))
    if isinstance(rows, Mapping):
        rows = [rows]
    if isinstance(rows, (list, tuple)):
        one = len(rows) > 0 and isinstance(rows[0], _NUMBERS)
        return _pairs(given, [rows] if one else rows, null)
    array = _array(rows, null)
    if array.ndim == 1 and len(array):
        array = array[None]
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise ShapeError(
            f"{shown(rows)} is not rows; give a SciPy sparse matrix, an array of "
            f"numbers of shape (rows, {columns}), or a list of dicts of 'columns' and 'values'"
        )
    if array.shape[1] != columns:
        raise ColumnError(f"the rows have {array.shape[1]:,} columns; the model takes {columns:,}")
    there = array != 0
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    values = _exact(given, array[there], offsets, literal=not hasattr(rows, "dtype"))
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
            if not isinstance(row, (list, tuple, np.ndarray)) or len(row) != given.width:
                raise _no_sparse_row(row, i, f"the model takes {given.width:,} columns")
            found = _items(row, i)
            there = [k for k, value in enumerate(found) if not _is_zero(value)]
            keys.append(np.array(there, dtype=np.int32))
            values += [found[k] for k in there]
    offsets = _offsets(keys)
    held = np.concatenate(keys) if keys else np.empty(0, np.int32)
    return RaggedRows(offsets, held, _numbers(given, values, offsets, null))


def _no_sparse_row(row: Any, number: int, why: str) -> ShapeError:
    return ShapeError(
        f"row {number} holds {shown(row)}, which is no sparse row; {why}: give 'columns' and "
        "'values', each a list, or all numbers of the row in one list",
        row=number,
    )


def _is_zero(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and value == 0


def _columns(given: Input, row: Mapping[Any, Any], number: int) -> np.ndarray:
    """Return the columns of a row, in which each stands once."""
    if set(row) != set(PAIRS):
        keys = shortened([str(key) for key in list(row)[:10]])
        raise _no_sparse_row(row, number, f"it is a dict of {keys}")
    if not all(isinstance(row[key], (list, tuple, np.ndarray)) for key in PAIRS):
        raise _no_sparse_row(row, number, "its columns or values are no list")
    columns, values = _items(row["columns"], number), _items(row["values"], number)
    if len(columns) != len(values):
        raise _no_sparse_row(
            row, number, f"it has {len(columns):,} columns and {len(values):,} values"
        )
    seen: set[Any] = set()
    for column in columns:
        whole = isinstance(column, (int, np.integer)) and not isinstance(column, bool)
        if not whole or not 0 <= column < given.width or column in seen:
            why = "it has it twice: give it once"
            if column not in seen:
                why = f"the model takes {given.width:,} columns, whole numbers counted from 0"
            raise ColumnError(
                f"row {number} holds {shown(column)}, which is no column; {why}",
                row=number,
                column=shown(column),
            )
        seen.add(column)
    return np.array(columns, dtype=np.int32)


def _list(given: Input, rows: Any, null: bool) -> RaggedRows:
    lists = [_items(row, i) for i, row in enumerate(_sequence(given, rows))]
    items, offsets = list(chain.from_iterable(lists)), _offsets(lists)
    if given.dtype == "text":
        return RaggedRows(offsets, None, _texts(items, offsets))
    return RaggedRows(offsets, None, _numbers(given, items, offsets, null))


def _features(given: Input, rows: Any, null: bool) -> RaggedRows:
    if isinstance(rows, Mapping):
        rows = [rows]
    names: list[list[Any]] = []
    values: list[Any] = []
    for i, row in enumerate(_sequence(given, rows)):
        pairs = row.items() if isinstance(row, Mapping) else row
        known = isinstance(row, (Mapping, list, tuple, set, frozenset, np.ndarray))
        if not known or not all(isinstance(p, tuple) and len(p) == 2 for p in pairs):
            raise ShapeError(
                f"row {i} holds {shown(row)}, which is no dict; give dicts of names and values, "
                "or tuples of two",
                row=i,
            )
        found = []
        for name, value in pairs:
            if value is None and not null:
                raise DtypeError(
                    f"row {i} has None for {shown(name)}; leave it out, or give NaN or a number",
                    row=i,
                    column=str(name),
                )
            if isinstance(value, np.bool_):
                raise DtypeError(
                    f"row {i} has a NumPy truth for {shown(name)}; give bool(value)",
                    row=i,
                    column=str(name),
                )
            # A text says which one of several things is there.
            if isinstance(value, str) and isinstance(name, str):
                name, value = f"{name}={value}", 1.0
            found.append(name)
            values.append(value)
        names.append(found)
    offsets = _offsets(names)
    keys = _texts(list(chain.from_iterable(names)), offsets)
    return RaggedRows(offsets, keys, _numbers(given, values, offsets, null))


def _sequence(given: Input, rows: Any) -> Iterable[Any]:
    if hasattr(rows, "tolist"):
        rows = rows.tolist()
    if not isinstance(rows, Sequence) or isinstance(rows, (str, bytes)):
        raise ShapeError(f"{shown(rows)} is not rows; give a list of rows")
    return rows


def _items(row: Any, number: int) -> Sequence[Any]:
    if isinstance(row, (set, frozenset)):
        return tuple(row)
    if isinstance(row, np.ndarray) and row.ndim == 1:
        return row.tolist()  # type: ignore[no-any-return]  # a list
    if isinstance(row, (list, tuple)):
        return row
    raise ShapeError(
        f"row {number} holds {shown(row)}, which is no list; give a list of items", row=number
    )


def _offsets(lists: Sequence[Sized]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum([len(row) for row in lists], dtype=np.int64)])


def _refuse(value: Any, place: int, offsets: np.ndarray, dtype: str, why: str) -> NoReturn:
    """Raise `DtypeError` for an item, at its place among those of all rows."""
    row = int(np.searchsorted(offsets, place, side="right")) - 1
    raise DtypeError(f"row {row} holds {shown(value)}, which is no {dtype}; {why}", row=row)


def _texts(items: list[Any], offsets: np.ndarray) -> TextColumn:
    for place, item in enumerate(items):
        if not isinstance(item, str):
            _refuse(item, place, offsets, "text", "give text")
        if not item.isascii():
            try:
                item.encode()
            except UnicodeEncodeError:
                _refuse(item, place, offsets, "text", LONE)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return text_column(array, "")


def _numbers(
    given: Input, items: list[Any], offsets: np.ndarray, null: bool = False, why: str = ""
) -> np.ndarray:
    dtype = np.dtype(given.dtype)
    whole = dtype.kind in "iu"
    why = why or f"the values of {given.name!r} are numbers of this type"
    low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if whole else (-EXACT, EXACT)
    if null and None in items:
        items = [np.nan if v is None else v for v in items]
    for place, item in enumerate(items):
        if not isinstance(item, _NUMBERS):
            _refuse(item, place, offsets, dtype.name, why)
        if isinstance(item, (int, np.integer)):
            if not low <= int(item) <= high:
                _refuse(item, place, offsets, dtype.name, why if whole else "it is beyond 2**53")
        # Beside other integers these are not to become floats.
        elif whole and not (float(item).is_integer() and low <= int(item) <= high):
            _refuse(item, place, offsets, dtype.name, why)
    if whole:
        return np.array([int(v) for v in items], dtype=dtype)
    # Python's numbers have no width, NumPy's have: those are brought over exactly.
    for place, value in enumerate(items):
        if isinstance(value, np.generic):
            _exact(given, np.asarray([value]), offsets - place)
    array = np.array(items, dtype=np.float64 if items else given.dtype)
    return _exact(given, array, offsets, literal=True)


def _exact(
    given: Input, array: np.ndarray, offsets: np.ndarray, literal: bool = False
) -> np.ndarray:
    """Return numbers in the input's type, each exactly, or rounded where they have no width.

    `offsets` says where rows begin among all of them.
    """
    dtype = np.dtype(given.dtype)
    if array.dtype == dtype:
        return np.ascontiguousarray(array)
    why = f"the input {given.name!r} takes numbers that {dtype.name} holds"
    if array.dtype.kind not in "fiub":
        items = array.astype(object).ravel().tolist()
        return _numbers(given, items, offsets, why=why).reshape(array.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        found = array.astype(dtype)
        back = found.astype(array.dtype)
    same = back == array
    if dtype.kind == "f":
        same |= np.isnan(array)
        if literal:
            same = np.isinf(found) == np.isinf(array)
        if array.dtype.kind in "iu":
            same &= ~beyond(array)
    elif dtype.kind == "b":
        same = np.isin(array, (0, 1))
    elif array.dtype.kind == "f":
        # 2**63 is a float and no int64, whatever a processor makes of it.
        same &= array < float(np.iinfo(dtype).max) + (np.iinfo(dtype).max < EXACT)
    elif array.dtype.kind in "iu":
        same &= (array < 0) == (found < 0)
    if not same.all():
        place = int(np.argmin(same.ravel()))
        _refuse(array.ravel()[place], place, offsets, dtype.name, why)
    return np.ascontiguousarray(found)


#: How the rows of an input are read, by its kind.
_WAYS: Mapping[str, Any] = {
    "tensor": _tensor,
    "sparse": _sparse,
    "list": _list,
    "features": _features,
}
