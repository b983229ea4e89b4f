"""Which type the source computes in: the containers' own rules, asked rather than imitated.

NumPy makes float32 of int8 beside float32, and float64 of int32 beside it; pandas makes objects of
booleans beside numbers; scikit-learn makes float64 of whatever is not NumPy's own. So the question
is put to an empty container with the columns' dtypes, or to a function of NumPy itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal, cast

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Kind, Signature

Float = Literal["float32", "float64"]
#: Those that wires have beside them: no block of rows does.
Half = Literal["float16", "float32", "float64"]

#: The dtype of a column of which only the kind is known.
NATURAL: dict[Kind, np.dtype[Any]] = {
    "float64": np.dtype(np.float64),
    "float32": np.dtype(np.float32),
    "integer": np.dtype(np.int64),
    "boolean": np.dtype(np.bool_),
    "text": np.dtype(object),
}


def kind_of(dtype: np.dtype[Any]) -> Kind:
    """Return the kind of the numbers in an array; objects are read as float64."""
    if dtype.kind in "iu":
        return "integer"
    if dtype.kind == "b":
        return "boolean"
    return "float32" if dtype in (np.float16, np.float32) else "float64"


def dtypes_of(rows: Any, signature: Signature) -> tuple[Any, ...]:
    """Return the dtype of each column of rows as the model takes them: NumPy's, or the frame's."""
    found: Iterable[Any]
    if hasattr(rows, "dtypes"):
        found = list(rows.dtypes)
    else:
        found = [np.asarray(rows).dtype] * len(signature.columns)
    return tuple(found)


def _is_polars(dtype: Any) -> bool:
    return not isinstance(dtype, np.dtype) and (
        getattr(dtype, "__module__", type(dtype).__module__).partition(".")[0] == "polars"
        or type(dtype).__module__.partition(".")[0] == "polars"
    )


def _empty(dtypes: Iterable[Any]) -> Any:
    """Return a frame without rows that has columns of these dtypes."""
    kinds = list(dtypes)
    if any(_is_polars(d) for d in kinds):
        import polars as pl

        schema = {str(i): d if _is_polars(d) else _polars(d) for i, d in enumerate(kinds)}
        return pl.DataFrame(schema=schema)
    import pandas as pd

    return pd.DataFrame({i: pd.Series([], dtype=d) for i, d in enumerate(kinds)})


def _polars(dtype: np.dtype[Any]) -> Any:
    import polars as pl

    return pl.Series(np.empty(0, dtype)).dtype


@lru_cache(maxsize=1024)
def _array_dtype(dtypes: frozenset[Any]) -> np.dtype[Any]:
    plain = all(isinstance(d, np.dtype) for d in dtypes)
    if plain and len({d.kind == "b" for d in dtypes}) <= 1:
        return np.result_type(*dtypes)
    made: np.dtype[Any] = np.asarray(_empty(dtypes)).dtype
    return made


def is_polars(dtypes: Iterable[Any]) -> bool:
    """Return whether columns with these dtypes are those of a polars DataFrame."""
    return any(_is_polars(d) for d in dtypes)


def holds_na(dtype: Any) -> bool:
    """Return whether what is missing in columns of a dtype is pandas.NA, as scikit-learn asks."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and getattr(dtype, "na_value", None) is pandas.NA


def array_dtype(dtypes: Iterable[Any]) -> np.dtype[Any]:
    """Return the dtype of the array that NumPy makes of columns of one container."""
    return _array_dtype(frozenset(dtypes))


@lru_cache(maxsize=1024)
def _checked_dtype(dtypes: frozenset[Any], to_float: bool) -> np.dtype[Any]:
    if all(isinstance(d, np.dtype) and d.kind != "O" for d in dtypes):
        # scikit-learn asks this of the columns of a frame of NumPy dtypes, too.
        common = np.result_type(*dtypes)
    elif any(isinstance(d, np.dtype) and d.kind == "O" for d in dtypes):
        common = np.dtype(np.float64)
    else:
        from sklearn.utils import check_array

        wanted: Any = [np.float64, np.float32] if to_float else "numeric"
        frame = _empty(dtypes)
        common = check_array(
            frame, dtype=wanted, ensure_min_samples=0, ensure_all_finite=False
        ).dtype
    if common == np.float16 and to_float:
        raise UnsupportedModelError(
            "a step that computes in floats is given float16 numbers, which some of scikit-learn "
            "keep and others do not; cast example_input to float32 or float64"
        )
    if common.kind == "f" or not to_float:
        return common
    return np.dtype(np.float64)


def checked_dtype(dtypes: Iterable[Any], *, to_float: bool) -> np.dtype[Any]:
    """Return the dtype that scikit-learn's `check_array` gives columns of numbers.

    Parameters
    ----------
    dtypes : iterable of dtype
        NumPy's, pandas' or polars'; objects are read as numbers.
    to_float : bool
        Whether what is neither float32 nor float64 becomes float64 (``dtype=[float64, float32]``);
        otherwise integers and booleans stay (``dtype="numeric"``).
    """
    known = frozenset(dtypes)
    return _checked_dtype(known, to_float) if known else np.dtype(np.float64)


@lru_cache(maxsize=1024)
def _unconverted_dtype(dtypes: frozenset[Any]) -> np.dtype[Any]:
    from sklearn.utils import check_array

    made: np.dtype[Any] = check_array(
        _empty(dtypes), dtype=None, ensure_min_samples=0, ensure_all_finite=False
    ).dtype
    return made


def unconverted_dtype(dtypes: Iterable[Any]) -> np.dtype[Any]:
    """Return the dtype that scikit-learn's `check_array` gives columns with ``dtype=None``."""
    known = frozenset(dtypes)
    if len(known) == 1 and isinstance(first := next(iter(known)), np.dtype):
        return first
    return _unconverted_dtype(known)


def numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the NumPy dtype that a column's values have, whatever holds them."""
    if isinstance(dtype, np.dtype):
        return dtype
    if _is_polars(dtype):
        made: np.dtype[Any] = _empty([dtype]).to_numpy().dtype
        return made
    if hasattr(dtype, "categories"):
        return numpy_dtype(dtype.categories.dtype)
    return np.dtype(getattr(dtype, "numpy_dtype", object))


def loop_of(function: np.ufunc, operands: Iterable[Any]) -> tuple[np.dtype[Any], ...]:
    """Return the types that NumPy computes a universal function in, its result's last.

    Parameters
    ----------
    function : numpy.ufunc
        With one result.
    operands : iterable of dtype or type
        ``int`` and ``float`` stand for Python's numbers, which take the others' type.
    """
    resolve: Any = function.resolve_dtypes
    try:
        found: tuple[np.dtype[Any], ...] = resolve((*operands, None))
    except TypeError as error:
        raise UnsupportedModelError(
            f"np.{function.__name__} takes other numbers: {error}"
        ) from error
    return found


def result_type(operands: Iterable[Any]) -> np.dtype[Any]:
    """Return the common type of operands, as `loop_of` takes them."""
    common: np.dtype[Any] = np.result_type(*(d() if isinstance(d, type) else d for d in operands))
    return common


def float_type(dtype: np.dtype[Any], model: str) -> Half:
    """Return the name of the float type that programs compute in, given the source's type.

    Raises
    ------
    UnsupportedModelError
        Where that is wider than float64.
    """
    if dtype.kind in "iub":
        return "float64"
    if dtype not in (np.float16, np.float32, np.float64):
        raise UnsupportedModelError(
            f"{model} computes in {dtype}, which no program does; fit it on float64 or float32"
        )
    return cast(Half, dtype.name)


def model_name(build: Any) -> str:
    """Return what a message calls the model that is being written."""
    return "the model" if build.model is None else type(build.model).__name__
