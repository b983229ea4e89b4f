"""Rows in plain Python: lists, dicts of columns, lists of dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from sclbl.errors import ColumnError, ShapeError
from sclbl.rows.kinds import article, kind_of_dtype, kind_of_values
from sclbl.rows.source import ArraySource, Null, Source, as_array_source, library_of
from sclbl.signature import Kind


class ColumnsSource(Source):
    """Columns by name, each an array of numbers or of objects, or a one-column source."""

    _names: tuple[str, ...]
    strict_names = True

    def __init__(
        self, names: tuple[str, ...], columns: list[np.ndarray | Source], rows: int, literal: bool
    ) -> None:
        self.names = names
        self.columns = columns
        self.rows = rows
        self.width = len(names)
        self.literal = literal

    def kind(self, position: int) -> Kind:
        column = self.columns[position]
        name = self._names[position]
        if isinstance(column, Source):
            return column.kind(0)
        label = self.label(position)
        return kind_of_dtype(column.dtype, label, name) or kind_of_values(column, label, name)

    def null(self, position: int) -> Null:
        column = self.columns[position]
        if isinstance(column, Source):
            return column.null(0)
        return "nan" if column.dtype.kind == "f" and not self.one_null else super().null(position)

    def nulls(self, position: int) -> np.ndarray | None:
        column = self.columns[position]
        return column.nulls(0) if isinstance(column, Source) else None

    def values(self, position: int) -> Any:
        column = self.columns[position]
        if isinstance(column, Source):
            return column.values(0)
        kind_of_dtype(column.dtype, self.label(position), self._names[position])
        return column


class RecordsSource(Source):
    """A list of dicts."""

    _names: tuple[str, ...]
    literal = True
    strict_names = True

    def __init__(self, records: Sequence[Mapping[Any, Any]]) -> None:
        self.records = records
        self.rows = len(records)
        self._keys = tuple(records[0])
        self.names = tuple(str(k) for k in self._keys)
        self.width = len(self._keys)
        if set(map(type, records)) != {dict}:  # others may make up what they do not have
            for key in self._keys:
                self._require(key)

    def kind(self, position: int) -> Kind:
        return kind_of_values(self.values(position), self.label(position), self._names[position])

    def values(self, position: int) -> np.ndarray:
        return objects(self.column(self._keys[position]))

    def flat(self, positions: Sequence[int]) -> list[Any]:
        keys = [self._keys[p] for p in positions]
        try:
            return [record[key] for record in self.records for key in keys]
        except KeyError:
            for key in keys:
                self.column(key)  # names the row and the column
            raise

    def column(self, key: Any) -> list[Any]:
        """Return the values of one key.

        Raises
        ------
        ColumnError
            Where a row does not have it.
        """
        try:
            return [record[key] for record in self.records]
        except KeyError:
            self._require(key)
            raise

    def _require(self, key: Any) -> None:
        row = next((i for i, record in enumerate(self.records) if key not in record), None)
        if row is not None:
            raise ColumnError(
                f"row {row} lacks {str(key)!r}; row 0 has this column: give every row the same "
                "columns, with None where a value is missing",
                row=row,
                column=str(key),
            ) from None


class RowsSource(Source):
    """A list of rows, each a list."""

    literal = True

    def __init__(self, lists: Sequence[Sequence[Any]]) -> None:
        self.lists = lists
        self.rows = len(lists)
        self.width = len(lists[0])
        for row, values in enumerate(lists):
            if len(values) != self.width:
                raise ShapeError(
                    f"row {row} is {_form(values)} and row 0 is {_form(lists[0])}; give every row "
                    "the same number of values",
                    row=row,
                )

    def flat(self, positions: Sequence[int]) -> list[Any]:
        if len(positions) == self.width and list(positions) == list(range(self.width)):
            return list(chain.from_iterable(self.lists))
        return [row[p] for row in self.lists for p in positions]

    def kind(self, position: int) -> Kind:
        return kind_of_values((row[position] for row in self.lists), self.label(position))

    def values(self, position: int) -> np.ndarray:
        return objects([row[position] for row in self.lists])


def objects(values: Sequence[Any]) -> np.ndarray:
    """Return values as a one-dimensional object array, whatever they are."""
    out = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # a slice assignment would unpack nested values
        out[i] = value
    return out


def columns_source(columns: Mapping[Any, Any]) -> Source:
    """Return a dict of columns (or of scalars: one row) as rows.

    Raises
    ------
    ShapeError
        Where columns differ in length or scalars and lists are mixed.
    """
    if columns and all(_is_scalar(v) for v in columns.values()):
        return RecordsSource([columns])
    names, read, lengths = [], [], {}
    _check_columns(columns)
    for key, values in columns.items():
        name = str(key)
        column: np.ndarray | Source
        if isinstance(values, (list, tuple)):
            column = objects(_held(values))
        elif isinstance(values, np.ndarray) and values.ndim == 1:
            column = values
        else:
            column = _one_column(values, name)
        names.append(name)
        read.append(column)
        lengths[name] = column.rows if isinstance(column, Source) else len(column)
    rows = next(iter(lengths.values()), 0)
    typed = all(not isinstance(v, (list, tuple)) for v in columns.values())
    return ColumnsSource(tuple(names), read, rows, literal=not typed)


def _form(value: Any) -> str:
    """Return what a row, or a column, is, as far as others must be the same."""
    if isinstance(value, Mapping):
        return "a dict"
    return "one value" if _is_scalar(value) else f"a list of {len(value)}"


def _check_columns(columns: Mapping[Any, Any]) -> None:
    """Raise `ShapeError` where not all columns are lists of one length."""
    forms = {str(key): _form(values) for key, values in columns.items()}
    first = next(iter(forms), "")
    other = next((name for name, form in forms.items() if form != forms[first]), None)
    if other is not None:
        raise ShapeError(
            f"column {other!r} is {forms[other]} and column {first!r} is {forms[first]}; give "
            "every column a list of the same length, or every column one value",
            column=other,
        )


def _one_column(values: Any, name: str) -> Source | np.ndarray:
    library = library_of(type(values))
    if library == "pandas" and hasattr(values, "to_frame"):
        from sclbl.rows.pandas_frames import pandas_source

        return pandas_source(values.to_frame(name), rows_of_text=True)
    if library == "polars" and hasattr(values, "to_frame"):
        from sclbl.rows.polars_frames import polars_source

        return polars_source(values.to_frame(name), rows_of_text=True)
    if library == "pyarrow":
        import pyarrow as pa

        from sclbl.rows.arrow_frames import arrow_source

        return arrow_source(pa.table({name: values}))
    array = np.asarray(values)
    if array.ndim != 1:
        raise ShapeError(
            f"column {name!r} has {array.ndim} dimensions; give a list of values", column=name
        )
    return array


#: What is read as it is.
_PLAIN = frozenset((list, tuple, dict, float, int, str, bool, type(None)))


def _held(values: Any) -> Any:
    """Return a list or tuple as the items that it holds, whatever a subclass says they are."""
    if type(values) in _PLAIN or not isinstance(values, (list, tuple)):
        return values
    kind: Any = list if isinstance(values, list) else tuple
    return kind.__getitem__(values, slice(None))


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, bytes)) or not hasattr(value, "__len__")


def _is_table(value: Any) -> bool:
    """Return whether an item of a list or tuple holds rows of its own."""
    if isinstance(value, (list, tuple)):
        return bool(value) and isinstance(value[0], (list, tuple, Mapping))
    if isinstance(value, Mapping):
        return bool(value) and not any(map(_is_scalar, value.values()))
    shape = getattr(value, "shape", ())
    return isinstance(shape, tuple) and len(shape) == 2


def _called(value: Any) -> str:
    if value is None or isinstance(value, np.ndarray):
        return "None" if value is None else "an array"
    return article(type(value).__name__)


def _refuse_tables(rows: Sequence[Any]) -> None:
    """Raise `ShapeError` for rows and something beside them, as in ``(X, y)``."""
    if not any(map(_is_table, rows)):
        return
    named = ["a table" if _is_table(v) else _called(v) for v in rows[:3]]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    held = ", ".join(named) + more if more or len(named) < 2 else " and ".join(named)
    raise ShapeError(
        f"{article(type(rows).__name__)} of {held} is not rows; give the rows alone, X in place "
        "of (X, y)"
    )


def list_source(rows: Sequence[Any], *, rows_of_text: bool) -> Source:
    """Return a list of dicts, of rows, of numbers (one row) or of strings (rows of text)."""
    rows = _held(rows)
    if not set(map(type, rows)) <= _PLAIN:
        held = [_held(row) for row in rows]
        rows = tuple(held) if isinstance(rows, tuple) else held
        _refuse_tables(rows)
    if not rows:
        return ArraySource(np.empty((0, 0)), literal=True)
    first = rows[0]
    if type(rows) is tuple and _is_table(first) and not all(map(_is_table, rows)):
        _refuse_tables(rows)
    if isinstance(first, Mapping):
        wrong = next((i for i, r in enumerate(rows) if not isinstance(r, Mapping)), None)
        if wrong is not None:
            raise ShapeError(
                f"row {wrong} is {_form(rows[wrong])} and row 0 is a dict; give every row as a "
                "dict",
                row=wrong,
            )
        return RecordsSource(rows)
    if all(_is_scalar(v) for v in rows):
        return as_array_source(objects(rows), rows_of_text=rows_of_text, literal=True)
    if all(isinstance(v, np.ndarray) for v in rows):
        if len({(v.shape, v.dtype) for v in rows}) == 1 or any(v.ndim != 1 for v in rows):
            return as_array_source(np.stack(rows), rows_of_text=rows_of_text)
        # Each of its own type: in one for all, integers might be rounded.
        return RowsSource(rows)
    kinds = [_is_scalar(r) or isinstance(r, Mapping) for r in rows]
    if any(kinds):
        wrong = next((i for i, r in enumerate(rows) if _form(r) != _form(first)))
        raise ShapeError(
            f"row {wrong} is {_form(rows[wrong])} and row 0 is {_form(first)}; give every row as "
            "a list",
            row=wrong,
        )
    source = RowsSource(rows)
    types = set(map(type, chain.from_iterable(rows)))
    if any(hasattr(t, "__len__") and not issubclass(t, (str, bytes)) for t in types):
        raise ShapeError(
            "the input is nested more than two deep (3 dimensions); give a list of rows, each a "
            "list of values"
        )
    return source
