"""Generated rows in the container, and with the dtypes, of the example.

A row that the example's dtypes cannot hold (an unknown category in a categorical column, a missing
value among NumPy integers) is left out; integers become float64 where `widened` says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.fidelity.rows import Rows
from sclbl.rows.kinds import is_missing
from sclbl.spec import Kind, Signature

Column = tuple[Any, np.ndarray]  # values as the container takes them; which rows it can hold


class Maker:
    """Makes rows like an example.

    Parameters
    ----------
    example : DataFrame (pandas or polars) or array ``[rows, columns]``
        As the model takes it.
    signature : Signature
        Its columns.
    """

    def __init__(self, example: Any, signature: Signature) -> None:
        self.example = example
        self.signature = signature
        library = type(example).__module__.partition(".")[0]
        makers: dict[str, Callable[[Rows, bool], tuple[Any, np.ndarray]]] = {
            "numpy": self._array,
            "pandas": self._pandas,
            "polars": self._polars,
        }
        if library == "pyarrow":
            self.example, library = example.to_pandas(), "pandas"
        self._make: Callable[[Rows, bool], tuple[Any, np.ndarray]] = makers.get(
            library, self._array
        )

    def make(self, rows: Rows, widened: bool = False) -> tuple[Any, np.ndarray]:
        """Return a container of the rows that it can hold, and bool ``[rows]``: which those are."""
        return self._make(rows, widened)

    def _columns(self, rows: Rows) -> list[tuple[int, Kind, np.ndarray]]:
        found: list[tuple[int, Kind, np.ndarray]] = []
        numeric, text = iter(rows.numeric.T), iter(rows.text.T)
        for i, column in enumerate(self.signature.columns):
            found.append((i, column.kind, next(text if column.kind == "text" else numeric)))
        return found

    def _held(self, position: int, values: np.ndarray) -> np.ndarray:
        """Return which rows a column takes: one that is held to a dtype takes none missing."""
        if self.signature.columns[position].dtype is None:
            return np.ones(len(values), dtype=bool)
        return np.asarray(~np.isnan(values))

    # ------------------------------------------------------------------ arrays

    def _array(self, rows: Rows, widened: bool) -> tuple[np.ndarray, np.ndarray]:
        dtype = np.asarray(self.example).dtype
        fits = np.ones(len(rows), dtype=bool)
        if dtype.kind in "fiub":
            widened = widened and all(c.dtype is None for c in self.signature.columns)
            for _, _, values in self._columns(rows):
                fits &= _fits(values, dtype, widened)
            target = np.float64 if widened and dtype.kind in "iu" else dtype
            return rows.numeric[fits].astype(target), fits
        out = np.empty((len(rows), len(self.signature.columns)), dtype=object)
        given = np.asarray(self.example)
        for i, kind, values in self._columns(rows):
            marker = _marker(given[:, i])
            fits &= _holds_missing(kind, values, marker)
            out[:, i] = _python(kind, values, marker)
        return (out[fits].astype(dtype) if dtype.kind == "U" else out[fits]), fits

    # ------------------------------------------------------------------ pandas

    def _pandas(self, rows: Rows, widened: bool) -> tuple[Any, np.ndarray]:
        import pandas as pd

        data: dict[int, Any] = {}
        fits = np.ones(len(rows), dtype=bool)
        for i, kind, values in self._columns(rows):
            column = self.example.iloc[:, i]
            wide = widened and self.signature.columns[i].dtype is None
            data[i], good = _pandas_column(column, kind, values, wide)
            fits &= good
            fits &= self._held(i, values)
        frame = pd.DataFrame(data)
        frame.columns = self.example.columns
        return frame[fits].reset_index(drop=True), fits

    # ------------------------------------------------------------------ polars

    def _polars(self, rows: Rows, widened: bool) -> tuple[Any, np.ndarray]:
        import polars as pl

        data = []
        fits = np.ones(len(rows), dtype=bool)
        for i, kind, values in self._columns(rows):
            column = self.example.to_series(i)
            dtype = column.dtype
            if dtype.is_float():
                made = pl.Series(column.name, values, dtype=pl.Float64).cast(dtype)
            elif kind == "text":
                known = None
                if isinstance(dtype, pl.Enum):
                    known = set(dtype.categories)
                    fits &= np.array([v is None or v in known for v in values], dtype=bool)
                cells = [v if known is None or v in known else None for v in values]
                made = pl.Series(column.name, cells, dtype=dtype)
            else:
                limits = np.dtype(bool if kind == "boolean" else str(dtype).lower())
                fits &= _fits(np.where(np.isnan(values), 0, values), limits, False)
                made = pl.Series(column.name, _python(kind, values, None), strict=False)
                made = made.cast(dtype, strict=False)
            fits &= self._held(i, values)
            data.append(made)
        return pl.DataFrame(data).filter(pl.Series(fits)), fits


def _pandas_column(column: Any, kind: Kind, values: np.ndarray, widened: bool) -> Column:
    import pandas as pd

    dtype = column.dtype
    everything = np.ones(len(values), dtype=bool)
    if isinstance(dtype, pd.CategoricalDtype):
        cells = _python(kind, values, None)
        known = set(dtype.categories)
        fits = np.array([v is None or v in known for v in cells], dtype=bool)
        cells = [v if ok else None for v, ok in zip(cells, fits.tolist(), strict=True)]
        codes = dtype.categories.get_indexer(pd.Index(cells, dtype=object))
        return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype)), fits
    if isinstance(dtype, np.dtype) and dtype.kind in "fiub":
        fits = _fits(values, dtype, widened)
        target = np.dtype(np.float64) if widened and dtype.kind in "iu" else dtype
        return np.where(fits, values, 0).astype(target), fits
    if isinstance(dtype, np.dtype):  # objects
        marker = _marker(column)
        fits = _holds_missing(kind, values, marker)
        return pd.Series(_python(kind, values, marker), dtype=object), fits
    fits = everything
    if kind in ("integer", "boolean"):
        name = "bool" if kind == "boolean" else str(dtype).partition("[")[0].lower()
        fits = _fits(np.where(np.isnan(values), 0, values), np.dtype(name), False)
    cells = _python(kind, np.where(fits, values, 0) if kind != "text" else values, None)
    return pd.Series(pd.array(cells, dtype=dtype)), fits


def _fits(values: np.ndarray, dtype: np.dtype[Any], widened: bool) -> np.ndarray:
    """Return which numbers a NumPy dtype holds exactly."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            back = values.astype(dtype).astype(np.float64)
        return np.asarray((back == values) | np.isnan(values))
    if dtype.kind == "b":
        return np.isin(values, (0.0, 1.0))
    if widened:
        return np.ones(len(values), dtype=bool)
    limits = np.iinfo(dtype)
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(values) & (values == np.rint(values))
    # 2**63 as float64 is beyond int64, whose largest number float64 does not hold.
    return np.asarray(whole & (values >= limits.min) & (values < float(limits.max)))


_NONE_SEEN = object()


def _marker(column: Any) -> Any:
    """Return what stands for missing in an object column; `_NONE_SEEN` where nothing does."""
    return next((v for v in column if is_missing(v)), _NONE_SEEN)


def _holds_missing(kind: Kind, values: np.ndarray, marker: Any) -> np.ndarray:
    if marker is not _NONE_SEEN:
        return np.ones(len(values), dtype=bool)
    if kind == "text":
        return np.array([v is not None for v in values], dtype=bool)
    return ~np.isnan(values.astype(np.float64))


def _python(kind: Kind, values: np.ndarray, marker: Any) -> list[Any]:
    """Return values as Python's, `marker` where one is missing."""
    if kind == "text":
        return [marker if v is None else v for v in values.tolist()]
    turn: Callable[[float], Any] = float
    if kind == "integer":
        turn = _whole
    elif kind == "boolean":
        turn = bool
    return [marker if v != v else turn(v) for v in values.tolist()]


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) < 2**63 else value
