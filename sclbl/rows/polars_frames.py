"""polars DataFrames and Series as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sclbl.errors import ShapeError
from sclbl.rows.kinds import kind_of_values, refuse_type
from sclbl.rows.source import Null, Source, as_array_source
from sclbl.signature import Kind

if TYPE_CHECKING:
    import polars as pl


class PolarsSource(Source):
    """A DataFrame."""

    one_null = True

    def __init__(self, frame: pl.DataFrame) -> None:
        self.columns = frame.get_columns()
        self.rows, self.width = frame.shape
        self.names = tuple(frame.columns)

    def null(self, position: int) -> Null:
        import polars as pl

        return "own" if self.columns[position].dtype == pl.Object else super().null(position)

    def kind(self, position: int) -> Kind:
        import polars as pl

        column = self.columns[position]
        dtype = column.dtype
        name = self.name(position)
        if dtype == pl.Float32:
            return "float32"
        if dtype == pl.Float64:
            return "float64"
        if dtype.is_integer():
            if str(dtype).endswith("128"):  # which NumPy has no type for
                refuse_type(str(dtype), self.label(position), name=name)
            return "integer"
        if dtype == pl.Boolean:
            return "boolean"
        if dtype in (pl.String, pl.Categorical, pl.Enum):
            return "text"
        if dtype == pl.Null:
            return "float64"
        if dtype == pl.Object:
            return kind_of_values(column.to_list(), self.label(position), name)
        refuse_type(str(dtype), self.label(position), name=name)

    def values(self, position: int) -> Any:
        kind = self.kind(position)
        column = self.columns[position]
        if kind == "text":
            import polars as pl

            return _text(column if column.dtype == pl.Object else column.cast(pl.String))
        if kind in ("integer", "boolean") and column.null_count():
            return np.array(column.to_list(), dtype=object)
        return column.to_numpy()

    def is_null_type(self, position: int) -> bool:
        import polars as pl

        return self.columns[position].dtype == pl.Null

    def nan_type(self, position: int) -> str:
        column = self.columns[position]
        if column.dtype.is_float():
            return str(column.dtype) * bool((column.is_null() | column.is_nan()).all())
        return str(column.dtype) * self.is_null_type(position)

    def nulls(self, position: int) -> np.ndarray | None:
        return self.columns[position].is_null().to_numpy()


def _text(column: pl.Series) -> Any:
    import importlib.util

    import polars as pl

    if column.dtype != pl.Object and importlib.util.find_spec("pyarrow") is not None:
        return column.to_arrow()
    return np.array(column.to_list(), dtype=object)


def polars_source(rows: Any, *, rows_of_text: bool) -> Source:
    """Return a DataFrame, or a Series (one row; rows of one column where it is text)."""
    import polars as pl

    if isinstance(rows, pl.LazyFrame):
        rows = rows.collect()
    if isinstance(rows, pl.DataFrame):
        return PolarsSource(rows)
    if isinstance(rows, pl.Series):
        if rows.dtype == pl.String and rows_of_text:
            source = PolarsSource(rows.to_frame())
            source.names = None
            return source
        if rows.dtype.is_numeric() and not rows.null_count():
            return as_array_source(rows.to_numpy(), rows_of_text=False)
        row = as_array_source(
            np.array(rows.to_list(), dtype=object), rows_of_text=rows_of_text, literal=True
        )
        row.one_null = rows.dtype != pl.Object
        return row
    raise ShapeError(f"a polars {type(rows).__name__} is not rows; give a DataFrame or a Series")
