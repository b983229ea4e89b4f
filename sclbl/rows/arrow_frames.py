"""pyarrow Tables and record batches as rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import ShapeError
from sclbl.rows.kinds import refuse_type
from sclbl.rows.source import Source
from sclbl.signature import Kind


class ArrowSource(Source):
    """A Table or a RecordBatch."""

    one_null = True

    def __init__(self, table: Any) -> None:
        self.table = table
        self.rows, self.width = table.num_rows, table.num_columns
        self.names = tuple(table.schema.names)

    def kind(self, position: int) -> Kind:
        import pyarrow as pa

        arrow = self.table.schema.field(position).type
        if pa.types.is_dictionary(arrow):
            arrow = arrow.value_type
        is_type = pa.types
        if is_type.is_float32(arrow):
            return "float32"
        if is_type.is_float64(arrow) or is_type.is_null(arrow):
            return "float64"
        if is_type.is_integer(arrow):
            return "integer"
        if is_type.is_boolean(arrow):
            return "boolean"
        if (
            is_type.is_string(arrow)
            or is_type.is_large_string(arrow)
            or is_type.is_string_view(arrow)
        ):
            return "text"
        name = self.name(position)
        refuse_type(str(arrow), self.label(position), name=name)

    def values(self, position: int) -> Any:
        import pyarrow as pa

        kind = self.kind(position)
        column = self.table.column(position)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if kind == "text":
            return column
        if column.null_count and kind in ("integer", "boolean"):
            return np.array(column.to_pylist(), dtype=object)
        if pa.types.is_null(column.type):
            return np.full(self.rows, np.nan)
        return (
            column.to_numpy()
            if isinstance(column, pa.ChunkedArray)
            else column.to_numpy(zero_copy_only=False)
        )

    def is_null_type(self, position: int) -> bool:
        import pyarrow as pa

        return bool(pa.types.is_null(self.table.schema.field(position).type))

    def nulls(self, position: int) -> np.ndarray | None:
        found: np.ndarray = np.asarray(self.table.column(position).is_null())
        return found


def arrow_source(rows: Any) -> Source:
    """Return a Table or RecordBatch as rows."""
    import pyarrow as pa

    if isinstance(rows, (pa.Table, pa.RecordBatch)):
        return ArrowSource(rows)
    raise ShapeError(f"a pyarrow {type(rows).__name__} is not rows; give a Table")
