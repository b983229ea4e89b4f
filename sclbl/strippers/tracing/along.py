"""What stand-ins of DataFrames make of the columns of each row: ``df.sum(axis=1)`` and its like."""

from __future__ import annotations

import functools
import operator
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.operators import EACH_VALUE, Index
from sclbl.strippers.tracing.options import as_in
from sclbl.strippers.tracing.reductions import added, extreme, variance
from sclbl.strippers.tracing.series import Series, column_of
from sclbl.strippers.wire import mixes_rows


class Along:
    """The methods of a DataFrame that reduce each row to one number."""

    _sclbl_columns: list[Series]
    _names: pd.Index[Any]
    _index: Index

    def _reduced(self, name: str, *args: Any, axis: Any = 0, **_: Any) -> NoReturn:
        if name in EACH_VALUE:
            raise UnsupportedModelError(f"DataFrame.{name} {EACH_VALUE[name]}")
        if axis in (1, "columns"):
            raise UnsupportedModelError(
                f"DataFrame.{name}(axis=1) is not written; use NumPy's functions on X.to_numpy()"
            )
        mixes_rows(f"DataFrame.{name}")

    @as_in(pd.DataFrame.sum)
    def sum(
        self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False, min_count: int = 0
    ) -> Series:
        """Add columns from the first one on; what is missing counts as 0."""
        whole = {c.dtype for c in self._sclbl_columns} in ({np.dtype(bool)}, {np.dtype("int64")})
        if axis in (1, "columns") and whole and min_count <= len(self._names):
            integers = [c.rename(None).astype("int64") for c in self._sclbl_columns]
            return functools.reduce(operator.add, integers)
        found, count = added(self._along(axis, "sum", numeric_only), skipna)
        if min_count > 0:
            found = np.where(count >= min_count, found, np.nan)
        return column_of(found, None, self._index)

    @as_in(pd.DataFrame.mean)
    def mean(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Series:
        values = self._along(axis, "mean", numeric_only)
        found, count = added(values, skipna)
        return column_of(found / (count if skipna else float(values.shape[1])), None, self._index)

    @as_in(pd.DataFrame.max)
    def max(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Series:
        found = extreme(np.maximum, self._along(axis, "max", numeric_only), skipna)
        return column_of(found, None, self._index)

    @as_in(pd.DataFrame.min)
    def min(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Series:
        found = extreme(np.minimum, self._along(axis, "min", numeric_only), skipna)
        return column_of(found, None, self._index)

    @as_in(pd.DataFrame.var)
    def var(
        self, axis: Any = 0, skipna: bool = True, ddof: int = 1, numeric_only: bool = False
    ) -> Series:
        found = variance(self._along(axis, "var", numeric_only), skipna, ddof)
        return column_of(found, None, self._index)

    @as_in(pd.DataFrame.std)
    def std(
        self, axis: Any = 0, skipna: bool = True, ddof: int = 1, numeric_only: bool = False
    ) -> Series:
        found: Any = np.sqrt(variance(self._along(axis, "std", numeric_only), skipna, ddof))
        return column_of(found, None, self._index)

    @as_in(pd.DataFrame.count)
    def count(self, axis: Any = 0) -> Any:
        if axis not in (1, "columns"):
            mixes_rows(f"DataFrame.count along axis {axis}")
        frame: Any = self
        return frame.notna().sum(axis=1)

    @as_in(pd.DataFrame.any)
    def any(self, axis: Any = 0) -> Series:
        return functools.reduce(operator.or_, self._truths(axis, "any"))

    @as_in(pd.DataFrame.all)
    def all(self, axis: Any = 0) -> Series:
        return functools.reduce(operator.and_, self._truths(axis, "all"))

    def _truths(self, axis: Any, what: str) -> list[Series]:
        """Return columns of truths, where they are reduced row by row."""
        if axis not in (1, "columns"):
            mixes_rows(f"DataFrame.{what} along axis {axis}")
        if any(c.dtype != bool for c in self._sclbl_columns):
            raise UnsupportedModelError(
                f"DataFrame.{what}(axis=1) of columns that are no truths; compare them first, "
                "(df != 0)"
            )
        return [c.rename(None) for c in self._sclbl_columns]

    def _along(self, axis: Any, what: str, numeric_only: bool = False) -> Array:
        """Return the columns as floats, where they are reduced row by row."""
        if axis not in (1, "columns"):
            mixes_rows(f"DataFrame.{what} along axis {axis}")
        if numeric_only:
            chosen: Any = self
            return chosen.select_dtypes(["number", "bool"])._along(axis, what)  # type: ignore[no-any-return]
        frame: Any = self
        values: Array = frame._sclbl_array()
        if values.dtype != np.float64:
            raise UnsupportedModelError(
                f"DataFrame.{what}(axis=1) of {values.dtype} columns; convert them with "
                '.astype("float64") first'
            )
        return values
