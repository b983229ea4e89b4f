"""Tensors and columns of a graph under construction.

A `Wire` is a tensor ``[rows, width]`` of the graph; a `Table` is an ordered list of columns, each a
slice of some wire, which is what passes from one transformer to the next. Each column remembers
which input column it came from, so that a program can name it when it refuses a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import DType, Kind, Missing
from sclbl.strippers import conversions, promotion
from sclbl.strippers.promotion import Float as Float
from sclbl.strippers.wire import Sparse as Sparse
from sclbl.strippers.wire import Wire as Wire

if TYPE_CHECKING:
    from sclbl.strippers.graph import Builder


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a `Table`: column `index` of `wire`.

    ``dtype`` is the dtype that the source holds the column in: NumPy's, pandas' or polars'.
    ``shown`` is set for a column of the example that nothing has changed yet: the missing value
    that it shows, or that its dtype has. ``inferred`` is set for text in which pandas makes NaN of
    other missing values in some calls only (see `sclbl.strippers.inferred`).
    """

    wire: Wire
    index: int
    name: str | None
    kind: Kind
    dtype: Any
    shown: Missing | None = None
    inferred: bool = False

    @property
    def origin(self) -> int:
        return self.wire.origins[self.index]


@dataclass(frozen=True, slots=True)
class Table:
    """An ordered list of columns on their way from one transformer to the next.

    ``sparse`` is the form of the sparse matrix that the source hands on, if it does: in one
    scikit-learn's trees refuse NaN, and zeros are missing to XGBoost. ``frame`` says whether it
    hands on a DataFrame, ``dense`` whether it made an array of sparse rows.
    """

    builder: Builder
    cells: tuple[Cell, ...]
    sparse: Sparse | None = None
    frame: bool = False
    dense: bool = False

    @property
    def names(self) -> tuple[str | None, ...]:
        return tuple(c.name for c in self.cells)

    @property
    def width(self) -> int:
        return len(self.cells)

    @property
    def has_text(self) -> bool:
        return any(c.kind == "text" for c in self.cells)

    @property
    def float_dtype(self) -> Float:
        """What scikit-learn computes in, given these columns: float32 or float64."""
        return "float32" if self.checked_dtype(to_float=True) == np.float32 else "float64"

    def checked_dtype(self, *, to_float: bool) -> np.dtype[Any]:
        """Return the dtype of the columns after scikit-learn's `check_array`."""
        numbers = (c.dtype for c in self.cells if c.kind != "text")
        return promotion.checked_dtype(numbers, to_float=to_float)

    def select(self, indices: Sequence[int]) -> Table:
        """Take columns by position."""
        return Table(self.builder, tuple(self.cells[i] for i in indices), self.sparse, self.frame)

    def join(self, other: Table) -> Table:
        """Put two tables side by side."""
        return Table(self.builder, self.cells + other.cells, self.sparse or other.sparse)

    def column(self, index: int) -> Wire:
        """Return one column as a wire of width 1."""
        cell = self.cells[index]
        wire = replace(self.builder.columns(cell.wire, [cell.index]), ndim=2)
        return wire if cell.kind == "text" else self._as(wire, self._natural(cell))

    @staticmethod
    def _natural(cell: Cell) -> Float:
        return "float32" if cell.kind == "float32" else "float64"

    def _as(self, wire: Wire, dtype: DType) -> Wire:
        return self.builder.cast(wire, dtype)

    def held_matrix(self, held: np.dtype[Any], *, model: object = None) -> Wire:
        """Return all columns as one wire that stands for numbers of the source's type.

        Integers travel as float64, unless a column was computed in 64 bits, which that may not
        hold.
        """
        if held.kind in "iu" and any(c.wire.dtype in conversions.WIDE for c in self.cells):
            self.builder.pin([c for c in self.cells if c.wire.dtype == "float64"], wide=True)
            return self._matrix("number", cast(DType, held.name), model)
        stored: Float = "float32" if held in (np.float16, np.float32) else "float64"
        return conversions.held_as(self.matrix(stored, model=model), held)

    def results(self) -> Wire:
        """Return all columns as one wire, in a type that holds what they hold."""
        held = promotion.array_dtype(c.dtype for c in self.cells)
        narrow = held.kind in "iu" or held == np.float16
        return self.held_matrix(held) if narrow else self.matrix()

    def matrix(self, dtype: Float | None = None, *, model: object = None) -> Wire:
        """Return all columns as one numeric wire, in `dtype` or in `float_dtype`.

        Raises
        ------
        UnsupportedModelError
            Where a column holds text.
        """
        if dtype is None and self.float_dtype == "float32":
            self.builder.pin(self.cells)
        return self._matrix("number", dtype or self.float_dtype, model)

    def text(self, *, model: object = None) -> Wire:
        """Return all columns as one text wire.

        Raises
        ------
        UnsupportedModelError
            Where a column is numeric.
        """
        return self._matrix("text", None, model)

    def _matrix(self, want: str, dtype: DType | None, model: object) -> Wire:
        for i, cell in enumerate(self.cells):
            if (cell.kind == "text") != (want == "text"):
                raise UnsupportedModelError(
                    f"{type(model).__name__ if model is not None else 'the model'} needs {want} "
                    f"in column {cell.name if cell.name is not None else i!r}, which holds "
                    f"{'text' if cell.kind == 'text' else 'numbers'} in example_input; "
                    "give an example_input with the dtypes that the model was fitted on"
                )
        groups: list[tuple[Wire, list[int]]] = []
        for cell in self.cells:
            if groups and groups[-1][0].name == cell.wire.name:
                groups[-1][1].append(cell.index)
            else:
                groups.append((cell.wire, [cell.index]))
        parts = []
        for wire, indices in groups:
            part = self.builder.columns(wire, indices)
            parts.append(part if dtype is None else self._as(part, dtype))
        # Columns that were computed one by one are columns of a matrix here.
        return replace(self.builder.concat(parts), held=None, ndim=2)
