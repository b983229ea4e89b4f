"""pandas DataFrames and Series as rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sclbl.errors import ShapeError
from sclbl.rows.kinds import kind_of_dtype, kind_of_values, refuse_type
from sclbl.rows.source import ArraySource, Null, Source, as_array_source
from sclbl.signature import Kind

_OBJECTS = np.dtype(object)
#: Types whose numbers Python has, and no others.
_PYTHON = frozenset({np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.bool_)})


class PandasSource(Source):
    """A DataFrame; its column names are read as text, where they are `named`."""

    def __init__(self, frame: pd.DataFrame, *, named: bool = True) -> None:
        self._named = named
        self.frame = frame
        self.header = frame.columns
        self.rows, self.width = frame.shape
        # A Series costs thirty times what the array in it costs, so the arrays are asked for where
        # pandas has what its own loops over columns use.
        self._read: Callable[[int], Any] | None = None
        if type(frame) is pd.DataFrame:
            self._read = getattr(frame, "_get_column_array", None)
        self._arrays: dict[int, Any] = {}

    def _read_names(self) -> tuple[str, ...] | None:
        return tuple(map(str, self.header)) if self._named else None

    def has_header(self, header: Any) -> bool:
        # Slices of a frame have views of its columns.
        return self._named and bool(self.header.is_(header))

    def array(self, position: int) -> Any:
        """Return a column as pandas holds it: a NumPy array or an extension array."""
        found = self._arrays.get(position)
        if found is None:
            read = self._read
            found = self.column(position).array if read is None else read(position)
            if isinstance(found, pd.arrays.NumpyExtensionArray):
                found = found.to_numpy()
            self._arrays[position] = found
        return found

    def column(self, position: int) -> pd.Series[Any]:
        return self.frame.iloc[:, position]

    def kind(self, position: int) -> Kind:
        array = self.array(position)
        label, name = self.label(position), self.name(position)
        if isinstance(array.dtype, np.dtype):
            kind = kind_of_dtype(array.dtype, label, name)
            return kind or kind_of_values(array, label, name)
        return _extension_kind(array.dtype, label, name, self.column(position))

    def only_of_rows(self, position: int) -> str:
        dtype = self.array(position).dtype
        if isinstance(dtype, pd.SparseDtype):
            return "sparse values"
        if isinstance(dtype, pd.ArrowDtype) and self.kind(position) != "text":
            import pyarrow as pa

            arrow = dtype.pyarrow_dtype
            if pa.types.is_null(arrow) or pa.types.is_dictionary(arrow):
                return str(dtype)
        return ""

    def is_null_type(self, position: int) -> bool:
        return str(self.array(position).dtype) == "null[pyarrow]"

    def values(self, position: int) -> Any:
        array = self.array(position)
        dtype = array.dtype
        if isinstance(dtype, np.dtype):
            kind_of_dtype(dtype, self.label(position))
            return array
        if isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
            return array.__arrow_array__()
        if isinstance(dtype, pd.SparseDtype):
            return np.asarray(array)
        label, name = self.label(position), self.name(position)
        column = self.column(position)
        return _extension_values(column, _extension_kind(dtype, label, name, column))

    def is_literal(self, position: int) -> bool:
        dtype = self.array(position).dtype
        return isinstance(dtype, np.dtype) and dtype.kind == "O"

    def null(self, position: int) -> Null:
        return null_of(self.array(position).dtype)

    def record(self, positions: Sequence[int]) -> list[Any] | None:
        found = []
        for position in positions:
            array = self.array(position)
            dtype = array.dtype
            if type(dtype) is pd.StringDtype or dtype is _OBJECTS:
                found.append(array[0])
            elif dtype in _PYTHON:
                found.append(array.item())
            else:
                return None
        return found

    def block(self, positions: Sequence[int]) -> np.ndarray | None:
        first = self.array(positions[0])
        if not isinstance(first, np.ndarray):
            return None
        dtype = first.dtype
        if dtype.kind not in "biuf" or dtype.itemsize > 8:
            return None
        arrays = [self.array(p) for p in positions]
        if any(a.dtype != dtype for a in arrays):
            return None
        if list(positions) == list(range(self.width)):
            return self.frame.to_numpy()
        return np.stack(arrays).T


def null_of(dtype: Any) -> Null:
    """Return which missing value a column of a pandas dtype holds; ``own`` for objects."""
    if isinstance(dtype, np.dtype):
        return "own" if dtype.kind == "O" else "nan"
    if isinstance(dtype, pd.SparseDtype):
        return null_of(dtype.subtype)
    if isinstance(dtype, pd.CategoricalDtype):
        # Its codes know one missing value, and its categories which one that is.
        inner = null_of(dtype.categories.dtype)
        return "nan" if inner == "own" else inner
    return "na" if dtype.na_value is pd.NA else "nan"


def _extension_kind(dtype: Any, label: str, name: str | None, column: pd.Series[Any]) -> Kind:
    if isinstance(dtype, pd.CategoricalDtype):
        categories = dtype.categories
        if isinstance(categories.dtype, np.dtype):
            kind = kind_of_dtype(categories.dtype, label, name)
            return kind or kind_of_values(categories, label, name)
        return _extension_kind(categories.dtype, label, name, categories.to_series())
    if isinstance(dtype, pd.SparseDtype):
        kind = kind_of_dtype(dtype.subtype, label, name)
        return kind or kind_of_values(column, label, name)
    if isinstance(dtype, pd.StringDtype):
        return "text"
    types = pd.api.types
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_integer_dtype(dtype):
        return "integer"
    if types.is_float_dtype(dtype):
        size = getattr(dtype, "itemsize", 8)
        if size == 2:
            refuse_type("float16", label, name=name)
        return "float32" if size == 4 else "float64"
    described = str(dtype)
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow as pa

        arrow = dtype.pyarrow_dtype
        if pa.types.is_string(arrow) or pa.types.is_large_string(arrow):
            return "text"
        if pa.types.is_null(arrow):
            return "float64"
        if pa.types.is_dictionary(arrow) and not pa.types.is_nested(arrow.value_type):
            return kind_of_values(column.drop_duplicates(), label, name)
    refuse_type(described, label, name=name)


def _extension_values(column: Any, kind: Kind) -> Any:
    dtype = column.dtype
    if kind == "text":
        if isinstance(dtype, pd.ArrowDtype):
            import pyarrow as pa

            return pa.array(column.array)
        return column.to_numpy(dtype=object)
    if isinstance(dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        categories = dtype.categories.to_numpy()
        if not (codes < 0).any():
            return categories[codes]
        known = np.append(categories.astype(object), [None])
        return known[codes]
    if column.isna().any():
        if kind == "integer":
            return column.to_numpy(dtype=object, na_value=None)
        target = np.float32 if kind == "float32" else np.float64
        return column.to_numpy(dtype=target, na_value=np.nan)
    plain = {"boolean": np.bool_, "float32": np.float32, "float64": np.float64}
    if kind == "integer":
        return column.to_numpy(dtype=np.uint64 if "uint" in str(dtype).lower() else np.int64)
    return column.to_numpy(dtype=plain[kind])


def pandas_source(rows: Any, *, rows_of_text: bool) -> Source:
    """Return a DataFrame, or a Series (a row by name; rows where it is text by position)."""
    if isinstance(rows, pd.DataFrame):
        return PandasSource(rows)
    if isinstance(rows, pd.Series):
        named = bool(len(rows)) and all(isinstance(k, str) for k in rows.index)
        text = bool(len(rows)) and all(isinstance(v, str) for v in rows.head(1000))
        if not named and text and rows_of_text:
            return PandasSource(rows.to_frame(), named=False)
        if isinstance(rows.dtype, np.dtype) and rows.dtype != object:
            source: Source = as_array_source(rows.to_numpy(), rows_of_text=False)
        else:
            values = np.empty((1, len(rows)), dtype=object)
            values[0, :] = rows.to_numpy(dtype=object)
            source = ArraySource(values, literal=True)
        source.names = tuple(str(k) for k in rows.index)
        return source
    if isinstance(rows, (pd.Index, pd.api.extensions.ExtensionArray)):
        return as_array_source(np.asarray(rows), rows_of_text=rows_of_text)
    raise ShapeError(f"a pandas {type(rows).__name__} is not rows; give a DataFrame or a Series")
