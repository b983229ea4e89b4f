"""One view of whatever holds rows: how many, the columns' names, kinds and values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sclbl.errors import DtypeError, ShapeError
from sclbl.rows.kinds import described, kind_of_dtype, kind_of_values
from sclbl.signature import Kind, Missing

#: What is missing in a column: ``own``, each the Python object that it is; ``column``, the
#: container's one null, which stands for the column's own missing value (`Column.missing`), while
#: a float NaN is NaN; else the only one that the dtype has.
Null = Missing | Literal["own", "column"]


@dataclass(frozen=True, slots=True)
class OneNull:
    """Rows in Python objects that were read from a text with one null (JSON, CSV)."""

    rows: Any


class Source(ABC):
    """Rows in some container.

    Attributes
    ----------
    rows, width : int
        Rows and columns.
    strict_names : bool
        Whether names must not be ignored: a record's keys say what its values are, while a
        frame may be read by position.
    literal : bool
        Whether numbers are Python's, without a dtype of their own.
    one_null : bool
        Whether the container has one null, which stands for each column's own missing value.
    header : object
        What names the columns of a frame, and never changes.
    """

    rows: int
    width: int
    strict_names: bool = False
    literal: bool = False
    one_null: bool = False
    header: Any = None
    _names: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the columns; None where they have none."""
        if self._names is None:
            self._names = self._read_names()
        return self._names

    @names.setter
    def names(self, names: tuple[str, ...] | None) -> None:
        self._names = names

    @abstractmethod
    def kind(self, position: int) -> Kind:
        """Return the kind of a column; raise `DtypeError` for one that no model takes."""

    @abstractmethod
    def values(self, position: int) -> Any:
        """Return a column: a NumPy array ``[rows]`` of numbers, booleans, text or objects, or a
        pyarrow array of text. Missing numbers are NaN."""

    def only_of_rows(self, position: int) -> str:
        """Return the type of a column that rows may have, and an example may not; else empty.

        Libraries make something else of that type than of the values in it.
        """
        return ""

    def nan_type(self, position: int) -> str:
        """Return the type of a column without values, of which a model makes NaN; else empty.

        That is another value than None, the null of the container's texts.
        """
        return ""

    def null(self, position: int) -> Null:
        """Return which missing value what is missing in a column is."""
        return "column" if self.one_null else "own"

    def is_literal(self, position: int) -> bool:
        """Return whether a column's Python numbers have no dtype of their own."""
        return self.literal

    def is_null_type(self, position: int) -> bool:
        """Return whether a column has the type of nulls, which holds no value at all."""
        return False

    def nulls(self, position: int) -> np.ndarray | None:
        """Return, for a column of floats, where what `values` gives as NaN is the one null.

        None where the container has no such null beside NaN.
        """
        return None

    def block(self, positions: Sequence[int]) -> np.ndarray | None:
        """Return numeric columns as one array ``[rows, k]``, or None where that is no faster."""
        return None

    def flat(self, positions: Sequence[int]) -> list[Any] | None:
        """Return columns as Python values, row after row, or None where they are not Python's."""
        return None

    def record(self, positions: Sequence[int]) -> list[Any] | None:
        """Return the values of the only row as Python's own, or None where some have other types.

        Each is what its column holds, so that nothing is lost on the way.
        """
        return None

    def _read_names(self) -> tuple[str, ...] | None:
        """Return the names where they were not set."""
        return None

    def has_header(self, header: Any) -> bool:
        """Return whether the columns are surely named as by another source's header."""
        return False

    def label(self, position: int) -> str:
        """Return how messages call a column."""
        return described(self.name(position), position)

    def name(self, position: int) -> str | None:
        """Return the column's name, if it has one."""
        return None if self.names is None else self.names[position]


class ArraySource(Source):
    """A two-dimensional NumPy array."""

    def __init__(self, array: np.ndarray, literal: bool = False) -> None:
        self.array = array
        self.literal = literal
        self.rows, self.width = array.shape

    def kind(self, position: int) -> Kind:
        column = self.label(position)
        kind = kind_of_dtype(self.array.dtype, column)
        return kind or kind_of_values(self.array[:, position], column)

    def null(self, position: int) -> Null:
        typed = self.array.dtype.kind == "f" and not self.one_null
        return "nan" if typed else super().null(position)

    def values(self, position: int) -> np.ndarray:
        column: np.ndarray = self.array[:, position]
        kind_of_dtype(column.dtype, self.label(position))
        return column

    def block(self, positions: Sequence[int]) -> np.ndarray | None:
        if self.array.dtype.kind not in "biuf" or self.array.dtype.itemsize > 8:
            return None
        if list(positions) == list(range(self.width)):
            return self.array
        chosen: np.ndarray = self.array[:, list(positions)]
        return chosen


def as_array_source(array: np.ndarray, *, rows_of_text: bool, literal: bool = False) -> ArraySource:
    """Return an array as rows; one dimension is one row, or a column where it is all text.

    Raises
    ------
    ShapeError
        For a scalar or for more than two dimensions.
    DtypeError
        For a masked or structured array.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise DtypeError(
            "masked arrays are not taken; fill the masked values first, for example "
            "X.filled(numpy.nan)"
        )
    if array.dtype.names is not None:
        raise DtypeError(
            "structured arrays are not taken; make a DataFrame of it, pandas.DataFrame(X)"
        )
    array = np.asarray(array)
    if array.ndim == 1:
        text = array.dtype.kind in "UT" or (
            array.dtype == object and len(array) > 0 and all(isinstance(v, str) for v in array)
        )
        array = array.reshape(-1, 1) if text and rows_of_text else array.reshape(1, -1)
    if array.ndim != 2:
        raise ShapeError(
            f"the input has {array.ndim} dimensions {array.shape}; give one row (1 dimension) or "
            "a table of rows (2 dimensions), for example X.reshape(len(X), -1)"
        )
    return ArraySource(array, literal)


def library_of(kind: type) -> str:
    """Return which library of frames a class is of, or is derived from one of; else empty."""
    for base in kind.__mro__:
        library = base.__module__.partition(".")[0]
        if library in ("pandas", "polars", "pyarrow"):
            return library
    return ""
