"""Results as DataFrames, as scikit-learn gives them where `set_output` asks for some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.errors import ParameterError
from sclbl.frame import Categories, Frame, Library, is_dtype, number_of
from sclbl.missing import is_missing
from sclbl.signature import Output

#: What polars holds in a type of its own, by the first letters of pandas' or NumPy's name for it.
_POLARS = {"float": "Float", "int": "Int", "uint": "UInt", "bool": "Boolean"}


def in_frame(output: Output, library: str, found: np.ndarray, index: Any = None) -> Any:
    """Return a result as a DataFrame.

    Parameters
    ----------
    output : Output
        What it is; its `frame` says how it stands in a DataFrame.
    library : {"pandas", "polars"}
        Whose DataFrame.
    found : array ``[rows]`` or ``[rows, width]``
        The result.
    index : pandas.Index, optional
        Of the rows; of polars' there is none.

    Raises
    ------
    ParameterError
        The library is not installed.
    """
    frame = output.frame
    if frame is None:
        raise ParameterError("the result is not offered as a DataFrame")
    names = frame.names or output.names or ()
    columns = found.reshape(len(found), output.width)
    if output.storage != "text" and columns.dtype == object:
        # Numbers as Python has them, of which some may be missing.
        columns = np.where(np.vectorize(is_missing, [bool])(columns), np.nan, columns)
        columns = columns.astype(np.float64)
    try:
        if library == "pandas":
            return _pandas(frame, columns, names, index if frame.indexed else None)
        return _polars(frame, columns, names)
    except ImportError:
        raise ParameterError(
            f"output={library!r} needs {library}, which is not installed: pip install {library}"
        ) from None


def other_index(rows: Any) -> Any:
    """Return rows with an index by which they are told from others, where they have one."""
    if index_of(rows) is None:
        return rows
    return rows.set_axis(np.arange(len(rows), 0, -1) * 3, axis="index")


def index_of(rows: Any) -> Any:
    """Return the index of rows in a pandas DataFrame; None for other rows."""
    if not hasattr(rows, "index") or not hasattr(rows, "iloc") or getattr(rows, "ndim", 0) != 2:
        return None
    return rows.index


def _pandas(frame: Frame, columns: np.ndarray, names: Sequence[str], index: Any) -> Any:
    import pandas as pd

    only = frame.dtypes[0]
    if len(frame.dtypes) == 1 and isinstance(only, str) and _is_numpy(only):
        made = pd.DataFrame(_cast(columns, np.dtype(only)), index=index)
    else:
        kept = frozenset(frame.kept)
        cells = {
            i: _pandas_column(frame.dtype(i), i in kept, columns[:, i])
            for i in range(columns.shape[1])
        }
        made = pd.DataFrame(cells)
        if index is not None:
            made.index = index
    made.columns = pd.Index(np.array(names, dtype=object))
    return made


def _pandas_column(dtype: str | Categories, kept: bool, values: np.ndarray) -> Any:
    import pandas as pd

    if isinstance(dtype, Categories):
        return _categorical(dtype, values)
    if _is_numpy(dtype):
        return _cast(values, np.dtype(dtype))
    if values.dtype.kind in "OUT":
        values = values.astype(object)
        if not kept:
            # As where a model makes a DataFrame of objects: pandas looks at what they are.
            return pd.DataFrame(values.reshape(-1, 1))[0]
        return pd.Series(values, dtype=object if dtype == "object" else dtype)
    if dtype == "object":
        return pd.Series(values.astype(object), dtype=object)
    return _nullable(values, dtype)


def _categorical(dtype: Categories, values: np.ndarray) -> Any:
    import pandas as pd

    categories = pd.Index(list(dtype.values), dtype=dtype.dtype)
    cells = [None if is_missing(v) else v for v in values.tolist()]
    codes = categories.get_indexer(pd.Index(cells, dtype=object))
    if any(c is not None and k < 0 for c, k in zip(cells, codes.tolist(), strict=True)):
        # A value that is no category stays what it is.
        if values.dtype.kind in "OUT" or dtype.dtype == "object":
            return pd.Series(cells, dtype=dtype.dtype)
        return _pandas_column(dtype.dtype, True, values)
    return pd.Series(pd.Categorical.from_codes(codes, categories, ordered=dtype.ordered))


def _nullable(values: np.ndarray, dtype: str) -> Any:
    """Return numbers in an extension dtype of pandas, NaN as missing; as they are where it holds
    not all of them."""
    import pandas as pd

    there = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), dtype=bool)
    plain = np.where(there, values, 0)
    kind, _ = number_of(dtype)
    if kind in ("int", "uint", "bool"):
        cast = plain.astype(bool if kind == "bool" else kind + "64")
        if not np.array_equal(cast, plain):
            return values
        plain = cast
    cells = [v if ok else None for v, ok in zip(plain.tolist(), there.tolist(), strict=True)]
    as_array: Any = pd.array  # whose types know the names of dtypes alone
    return pd.Series(as_array(cells, dtype=dtype))


def _polars(frame: Frame, columns: np.ndarray, names: Sequence[str]) -> Any:
    import polars as pl

    kept = frozenset(frame.kept)
    made = [
        _polars_column(frame.dtype(i), i in kept, columns[:, i]).alias(name)
        for i, name in enumerate(names)
    ]
    return pl.DataFrame(made)


def _polars_column(dtype: str | Categories, kept: bool, values: np.ndarray) -> Any:
    import polars as pl

    if values.dtype.kind in "OUT":
        cells = [None if is_missing(v) else v for v in values.tolist()]
        return pl.Series(
            cells, dtype=pl.Categorical if isinstance(dtype, Categories) else pl.String
        )
    held = dtype.dtype if isinstance(dtype, Categories) else dtype
    sort, bits = number_of(held)
    kind = _POLARS[sort]
    target = getattr(pl, kind if kind == "Boolean" else f"{kind}{bits}")
    # Of a column that came with the rows polars makes nulls where pandas has NaN.
    made = pl.Series(np.ascontiguousarray(values), nan_to_null=kept)
    if kind in ("Int", "UInt", "Boolean") and values.dtype.kind == "f":
        whole = made.drop_nulls().to_numpy()
        if not np.array_equal(
            whole, whole.astype("bool" if kind == "Boolean" else f"{sort}{bits}")
        ):
            return made
    return made.cast(target)


def holds(library: Library, dtype: str | Categories) -> bool:
    """Return whether columns of this dtype of pandas' are made in a library's DataFrames."""
    # Of float16 not every release of polars has a type.
    held = dtype.dtype if isinstance(dtype, Categories) else dtype
    if library == "polars" and isinstance(dtype, Categories) and held == "object":
        return is_dtype(dtype) and all(isinstance(v, str) for v in dtype.values)
    return is_dtype(dtype) and (library, held) != ("polars", "float16")


def _is_numpy(dtype: str) -> bool:
    return dtype in ("bool",) or (dtype.islower() and dtype[-1:].isdigit())


def _cast(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Return numbers in a dtype; as they are where these rows hold what it does not."""
    if values.dtype == dtype:
        return values
    with np.errstate(invalid="ignore", over="ignore"):
        cast = values.astype(dtype)
    if dtype.kind in "iub":
        return cast if np.array_equal(cast, values) else values
    return cast if np.array_equal(cast, values, equal_nan=True) else values
