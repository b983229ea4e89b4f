"""Generated rows in the container, and with the dtypes, of the example.

A row that the example's dtypes cannot hold (an unknown category in a categorical column, a missing
value among NumPy integers) is left out; integers become float64 where `widened` says so. Objects
hold None, NaN and pandas.NA, other dtypes the one that they have, and rows of a container with one
null the column's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from sclbl.fidelity.rows import Sample
from sclbl.missing import kind_of, of_text, value_of
from sclbl.rows.containers import open_source
from sclbl.rows.source import Source
from sclbl.signature import MISSING, Kind, Missing, Signature

Column = tuple[Any, np.ndarray]  # values as the container takes them; which rows it can hold


class Maker:
    """Makes rows like an example.

    Parameters
    ----------
    example : DataFrame (pandas or polars) or array ``[rows, columns]``
        As the model takes it.
    signature : Signature
        Its columns.
    given : object
        The example as it was given, whose container may have one null where `example` has three.
    """

    def __init__(self, example: Any, signature: Signature, given: Any) -> None:
        self.example = example
        self.signature = signature
        self.holds = _holds(open_source(example), signature, has_one_null(given))
        library = type(example).__module__.partition(".")[0]
        makers: dict[str, Callable[[Sample, bool], tuple[Any, np.ndarray]]] = {
            "numpy": self._array,
            "pandas": self._pandas,
            "polars": self._polars,
        }
        self._make: Callable[[Sample, bool], tuple[Any, np.ndarray]] = makers.get(
            library, self._array
        )

    def make(self, rows: Sample, widened: bool = False) -> tuple[Any, np.ndarray]:
        """Return a container of the rows that it can hold, and bool ``[rows]``: which those are."""
        return self._make(rows, widened)

    @property
    def holds_text(self) -> list[tuple[Missing, ...]]:
        """Which missing values each column of text can hold."""
        return [self.holds[i] for i in self.signature.text]

    def _columns(self, rows: Sample) -> list[tuple[int, Kind, np.ndarray]]:
        found: list[tuple[int, Kind, np.ndarray]] = []
        numeric, text = iter(rows.numeric.T), iter(rows.text.T)
        for i, column in enumerate(self.signature.columns):
            found.append((i, column.kind, next(text if column.kind == "text" else numeric)))
        return found

    def _held(self, position: int, values: np.ndarray) -> np.ndarray:
        """Return which rows a column takes: one that is held to a dtype takes none missing."""
        if self.signature.columns[position].dtype in (None, "float16"):
            return np.ones(len(values), dtype=bool)
        return np.asarray(~np.isnan(values))

    # ------------------------------------------------------------------ arrays

    def _array(self, rows: Sample, widened: bool) -> tuple[np.ndarray, np.ndarray]:
        dtype = np.asarray(self.example).dtype
        fits = np.ones(len(rows), dtype=bool)
        if dtype.kind in "fiub":
            widened = widened and all(c.dtype is None for c in self.signature.columns)
            for i, kind, values in self._columns(rows):
                fits &= _fits(values, dtype, widened) & _holds_missing(kind, values, self.holds[i])
            target = np.float64 if widened and dtype.kind in "iu" else dtype
            return rows.numeric[fits].astype(target), fits
        out = np.empty((len(rows), len(self.signature.columns)), dtype=object)
        for i, kind, values in self._columns(rows):
            if dtype.kind == "U":  # such an array holds text alone
                fits &= _holds_missing(kind, values, ())
            fits &= _holds_missing(kind, values, self.holds[i]) & _is_python(kind, values)
            out[:, i] = _python(kind, values, self.holds[i])
        return (out[fits].astype(dtype) if dtype.kind == "U" else out[fits]), fits

    # ------------------------------------------------------------------ pandas

    def _pandas(self, rows: Sample, widened: bool) -> tuple[Any, np.ndarray]:
        import pandas as pd

        data: dict[int, Any] = {}
        fits = np.ones(len(rows), dtype=bool)
        for i, kind, values in self._columns(rows):
            column = self.example.iloc[:, i]
            wide = widened and self.signature.columns[i].dtype is None
            data[i], good = _pandas_column(column, kind, values, self.holds[i], wide)
            fits &= _holds_missing(kind, values, self.holds[i])
            fits &= good
            fits &= self._held(i, values)
        frame = pd.DataFrame(data)
        frame.columns = self.example.columns
        return frame[fits].reset_index(drop=True), fits

    # ------------------------------------------------------------------ polars

    def _polars(self, rows: Sample, widened: bool) -> tuple[Any, np.ndarray]:
        import polars as pl

        data = []
        fits = np.ones(len(rows), dtype=bool)
        for i, kind, values in self._columns(rows):
            column = self.example.to_series(i)
            dtype = column.dtype
            fits &= _holds_missing(kind, values, self.holds[i])
            if dtype.is_float():
                made = pl.Series(column.name, values, dtype=pl.Float64).cast(dtype)
            elif kind == "text":
                cells = [None if of_text(v) else v for v in values.tolist()]
                if isinstance(dtype, pl.Enum):
                    known = set(dtype.categories)
                    fits &= np.array([v is None or v in known for v in cells], dtype=bool)
                    cells = [v if v in known else None for v in cells]
                made = pl.Series(column.name, cells, dtype=dtype)
            else:
                if not widened and not column.null_count():  # with a null they would be floats
                    fits &= ~np.isnan(values)
                limits = np.dtype(bool if kind == "boolean" else str(dtype).lower())
                fits &= _fits(np.where(np.isnan(values), 0, values), limits, False)
                made = pl.Series(column.name, _python(kind, values, ("none",)), strict=False)
                made = made.cast(dtype, strict=False)
            fits &= self._held(i, values)
            data.append(made)
        return pl.DataFrame(data).filter(pl.Series(fits)), fits


def _pandas_column(
    column: Any, kind: Kind, values: np.ndarray, holds: Sequence[Missing], widened: bool
) -> Column:
    import pandas as pd

    dtype = column.dtype
    everything = np.ones(len(values), dtype=bool)
    if isinstance(dtype, pd.CategoricalDtype):
        cells = _python(kind, values, ("none",))
        cells = [None if kind_of(v) else v for v in cells]
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
        return pd.Series(_python(kind, values, holds), dtype=object), _is_python(kind, values)
    fits = everything
    if kind in ("integer", "boolean"):
        name = "bool" if kind == "boolean" else str(dtype).partition("[")[0].lower()
        fits = _fits(np.where(np.isnan(values), 0, values), np.dtype(name), False)
    cells = _python(kind, np.where(fits, values, 0) if kind != "text" else values, ("none",))
    cells = [None if kind_of(v) else v for v in cells]
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
    # The greatest number of 64 bits is no float64, and the first one beyond it is.
    return np.asarray(whole & (values >= limits.min) & (values < float(limits.max) + 1))


def has_one_null(rows: Any) -> bool:
    """Return whether a container has one null, whatever its columns hold."""
    return type(rows).__module__.partition(".")[0] in ("polars", "pyarrow")


def _holds(source: Source, signature: Signature, one_null: bool) -> list[tuple[Missing, ...]]:
    """Return which missing values each column of an example can hold, as the program takes them."""
    found: list[tuple[Missing, ...]] = []
    for i, column in enumerate(signature.columns):
        null = source.null(i)
        kinds: tuple[Missing, ...] = MISSING if null == "own" else (column.missing,)
        if null in MISSING:
            # A number that is missing in a dtype of its own is NaN to the model.
            kinds = (null,) if column.kind == "text" or null in column.takes else ("nan",)
        elif one_null:
            kinds = (column.missing,)
        if column.kind != "text":
            kinds = tuple(k for k in kinds if k in column.takes)
        found.append(kinds)
    return found


def _holds_missing(kind: Kind, values: np.ndarray, holds: Sequence[Missing]) -> np.ndarray:
    """Return which rows a column can hold, as far as they are missing."""
    if kind == "text":
        kinds = [of_text(v) for v in values.tolist()]
        return np.array([k is None or k in holds for k in kinds], dtype=bool)
    return np.asarray(bool(holds) | ~np.isnan(values.astype(np.float64)))


def _is_python(kind: Kind, values: np.ndarray) -> np.ndarray:
    """Return which values `_python` gives as they are: of booleans, 0, 1 and what is missing."""
    if kind != "boolean":
        return np.ones(len(values), dtype=bool)
    return np.asarray(np.isin(values, (0.0, 1.0)) | np.isnan(values))


def _python(kind: Kind, values: np.ndarray, holds: Sequence[Missing]) -> list[Any]:
    """Return values as Python's; missing numbers are one after the other of what a column holds."""
    if kind == "text":
        return [value_of(k) if (k := of_text(v)) else v for v in values.tolist()]
    turn: Callable[[float], Any] = float
    if kind == "integer":
        turn = _whole
    elif kind == "boolean":
        turn = bool
    markers = cycle([value_of(k) for k in holds] or [np.nan])
    return [next(markers) if v != v else turn(v) for v in values.tolist()]


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) < 2**63 else value
