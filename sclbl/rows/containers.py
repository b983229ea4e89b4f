"""Which view takes which container of rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import DtypeError, ShapeError
from sclbl.rows.kinds import shown
from sclbl.rows.records import columns_source, list_source
from sclbl.rows.source import OneNull, Source, as_array_source, library_of


def open_source(rows: Any, *, rows_of_text: bool = True) -> Source:
    """Return a view of rows in any container that is known.

    Parameters
    ----------
    rows : object
        NumPy array, list, dict of columns, list of dicts, pandas or polars DataFrame or Series,
        pyarrow Table, or an object that NumPy turns into an array.
    rows_of_text : bool
        Whether one dimension of text is rows of one column (else one row of text columns).

    Raises
    ------
    DtypeError, ShapeError, ColumnError
        Where the container cannot be read as rows.
    """
    if isinstance(rows, OneNull):
        source = open_source(rows.rows, rows_of_text=rows_of_text)
        source.one_null = True
        return source
    if isinstance(rows, np.ndarray):
        return as_array_source(rows, rows_of_text=rows_of_text)
    if isinstance(rows, Mapping):
        return columns_source(rows)
    if isinstance(rows, (list, tuple)):
        return list_source(rows, rows_of_text=rows_of_text)
    library = library_of(type(rows))
    if library == "pandas":
        from sclbl.rows.pandas_frames import pandas_source

        return pandas_source(rows, rows_of_text=rows_of_text)
    if library == "polars":
        from sclbl.rows.polars_frames import polars_source

        return polars_source(rows, rows_of_text=rows_of_text)
    if library == "pyarrow":
        from sclbl.rows.arrow_frames import arrow_source

        return arrow_source(rows)
    scipy_sparse = sys.modules.get("scipy.sparse")
    if scipy_sparse is not None and scipy_sparse.issparse(rows):
        raise DtypeError("sparse rows are not taken; densify first, for example X.toarray()")
    if isinstance(rows, str) or not hasattr(rows, "__array__"):
        raise ShapeError(
            f"{shown(rows)} is not rows; give an array, a DataFrame, a list of "
            "rows, a dict of columns or a list of dicts"
        )
    return as_array_source(np.asarray(rows), rows_of_text=rows_of_text)
