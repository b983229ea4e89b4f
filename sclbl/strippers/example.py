"""An example input as the model itself takes it, and what the model's own methods return for it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from sclbl.errors import ColumnError, InputError
from sclbl.missing import is_missing, value_of
from sclbl.rows.source import library_of
from sclbl.signature import TAKES, Kind, Signature
from sclbl.strippers import dispatch
from sclbl.strippers.base import Stripper
from sclbl.strippers.sequential import one_by_one


def as_rows(example: Any, signature: Signature) -> Any:
    """Return example rows as a DataFrame or a two-dimensional array, as the model takes them.

    Parameters
    ----------
    example : array, DataFrame, pyarrow Table, Series, dict of columns, list
        One row or more; one axis is one row.
    signature : Signature
        What `sclbl.rows.infer.infer` made of it.

    Returns
    -------
    DataFrame or ndarray ``[rows, columns]``
    """
    if isinstance(example, Mapping):
        import pandas as pd

        scalar = all(np.ndim(v) == 0 for v in example.values())
        frame = pd.DataFrame(dict(example), index=[0] if scalar else None)
        return _with_objects(frame, signature)
    if hasattr(example, "to_pandas") and hasattr(example, "column_names"):
        return _with_markers(example.to_pandas(), {}, signature)
    if type(example).__module__.partition(".")[0] == "polars" and hasattr(example, "get_columns"):
        return _of_polars(example, signature)
    if hasattr(example, "to_frame") and hasattr(example, "index"):
        if len(signature.columns) == 1 and len(example) != 1 and signature.text:
            return np.asarray(example, dtype=object).reshape(-1, 1)  # rows of one text each
        return _with_objects(example.to_frame().T.infer_objects(), signature)
    if hasattr(example, "to_list") and len(signature.columns) == 1 and signature.text:
        example = example.to_list()  # a polars Series of texts
    if isinstance(example, Sequence):
        if example and isinstance(example[0], Mapping):
            import pandas as pd

            return _with_objects(pd.DataFrame(list(example)), signature)
        # A list that holds text must not become an array of text altogether.
        example = np.array(example, dtype=object if signature.text else None)
        if example.dtype == object and not signature.text and _are_alike(signature):
            # None among numbers.
            example = example.astype(np.float64)
    if getattr(example, "ndim", 2) == 1:
        return np.asarray(example).reshape(-1, len(signature.columns))
    return example


def object_columns(rows: Any) -> frozenset[int]:
    """Return the columns of what `as_rows` returned that hold objects."""
    dtypes = getattr(rows, "dtypes", None)
    found = [rows.dtype] * rows.shape[1] if dtypes is None else list(dtypes)
    return frozenset(i for i, d in enumerate(found) if isinstance(d, np.dtype) and d.kind == "O")


def _are_alike(signature: Signature) -> bool:
    return all(set(TAKES) <= set(c.takes) for c in signature.columns)


def _of_polars(frame: Any, signature: Signature) -> Any:
    """Return a polars DataFrame as it is, where its null is None to the model, else as pandas'."""

    of_text = [c for c in signature.columns if c.kind == "text"]
    text = {c.name for c in of_text if c.missing != "none"}
    if not text:
        return frame.with_columns(
            column
            for c in signature.columns
            if c.name in frame.columns and (column := _with_type(frame[c.name], c.kind)) is not None
        )
    import pandas as pd

    columns = {s.name: s.to_list() if s.name in text else s.to_numpy() for s in frame}
    return _with_markers(pd.DataFrame(columns), columns, signature)


def _with_type(column: Any, kind: Kind) -> Any:
    """Return a column of polars' nulls alone, or of its objects, as one of a type that models take
    for the same; None for other columns."""
    import polars as pl

    if column.dtype not in (pl.Null, pl.Object):
        return None
    types = {"text": pl.String, "float32": pl.Float32, "integer": pl.Int64, "boolean": pl.Boolean}
    if column.dtype == pl.Object and kind == "text":
        return None  # in which None and NaN are two
    cells = [None if is_missing(v) else v for v in column.to_list()]
    return pl.Series(column.name, cells, dtype=types.get(kind, pl.Float64), strict=False)


def _with_objects(frame: Any, signature: Signature) -> Any:
    """Return a DataFrame that was made of Python objects, its columns of text still objects.

    pandas makes floats of a column that holds NaN alone.
    """
    for column in signature.columns:
        name = column.name
        if column.kind == "text" and name in frame and frame[name].dtype.kind == "f":
            frame[name] = frame[name].astype(object)
    return frame


def _with_markers(frame: Any, cells: Mapping[str, Any], signature: Signature) -> Any:
    """Return a DataFrame whose missing texts are the columns' own missing values."""
    import pandas as pd

    for column in signature.columns:
        if column.kind == "text" and column.name is not None and column.name in frame:
            marker = value_of(column.missing)
            values = cells.get(column.name, frame[column.name])
            texts = [v if isinstance(v, str) else marker for v in values]
            frame[column.name] = pd.Series(texts, dtype=object, index=frame.index)
    return frame


@dataclass(frozen=True, slots=True)
class Result:
    """What a method returned: dense arrays, one unless it returned a list.

    ``matrix`` is the class of `scipy.sparse` that the one array was of, where it was sparse, and
    ``library`` the one of whose frames or series it was.
    """

    arrays: tuple[np.ndarray, ...]
    is_list: bool
    matrix: str | None = None
    library: str = ""

    @property
    def dtype(self) -> str:
        """NumPy dtype of what was returned, the common one of a list."""
        return str(np.result_type(*self.arrays) if self.is_list else self.arrays[0].dtype)

    @property
    def widths(self) -> tuple[int, ...]:
        """Columns of each array."""
        return tuple(math.prod(a.shape[1:]) for a in self.arrays)


def call(model: Any, stripper: Stripper, method: str, rows: Any) -> Result:
    """Call a method of the model itself; see `call_itself`."""
    returned = call_itself(model, stripper, method, rows)
    if isinstance(returned, (list, tuple)) and returned and np.ndim(returned[0]) > 0:
        return Result(tuple(_dense(r) for r in returned), True)
    return Result((_dense(returned),), False, matrix_of(returned), library_of(type(returned)))


def matrix_of(returned: Any) -> str | None:
    """Return the class of `scipy.sparse` that a result is of; None where it is not sparse."""
    return type(returned).__name__ if hasattr(returned, "toarray") else None


def call_itself(model: Any, stripper: Stripper, method: str, rows: Any, **options: Any) -> Any:
    """Return what the model itself returns, asked sequentially (`sclbl.strippers.sequential`).

    Raises
    ------
    InputError
        Where the model refuses the rows, with its own words.
    """
    try:
        # The names of columns were checked already, and a warning about them says nothing new.
        with warnings.catch_warnings(), one_by_one():
            warnings.simplefilter("ignore")
            taken = stripper.as_taken(model, own_copy(rows))
            return stripper.call(model, method, taken, **options)
    except MemoryError:
        raise
    except Exception as error:
        # Libraries refuse rows with classes of their own (patsy, XGBoost) as well as Python's.
        advice = "give rows that the model itself takes"
        if isinstance(error, AttributeError) and hasattr(error.obj, "fit"):
            advice = "an option was changed after fit, or something that fit leaves: fit it again"
        raise InputError(
            f"{dispatch.qualified_name(type(model))}.{method} refuses example_input: "
            f"{dispatch.first_line(error)}; {advice}"
        ) from error


def own_copy(rows: Any) -> Any:
    """Return rows that a model may write into (``copy=False``, ``inplace=True``)."""
    if isinstance(rows, np.ndarray):
        return rows.copy(order="K")
    if isinstance(rows, (list, tuple)):
        return type(rows)(map(copy, rows))
    if library_of(type(rows)) == "polars":
        return rows.clone()
    return rows.copy() if hasattr(rows, "copy") else rows


def gives_empty(model: Any, stripper: Stripper, method: str, rows: Any, result: Result) -> bool:
    """Return whether a method gives an empty result, otherwise like `result`, for no rows."""
    try:
        none = call(model, stripper, method, rows[:0])
    except Exception:  # in whatever way a library refuses them
        return False
    return (
        all(len(a) == 0 for a in none.arrays)
        and (none.is_list, none.dtype, none.widths) == (result.is_list, result.dtype, result.widths)
        and [a.ndim for a in none.arrays] == [a.ndim for a in result.arrays]
    )


def _dense(returned: Any) -> np.ndarray:
    if hasattr(returned, "toarray"):
        returned = returned.toarray()
    elif hasattr(returned, "to_numpy"):
        frame, returned = returned, returned.to_numpy()
        if returned.dtype == object and hasattr(frame, "dtypes") and frame.ndim == 2:
            return _with_nan(frame, returned)
    return np.asarray(returned)


def _with_nan(frame: Any, array: np.ndarray) -> np.ndarray:
    """Return a DataFrame of numbers as an array, in which NaN stands for pandas.NA.

    Of columns that are alike pandas itself makes such an array, of others it makes objects.
    """
    from sclbl.strippers import promotion

    if not any(promotion.holds_na(dtype) for dtype in frame.dtypes):
        return array
    common = promotion.array_dtype(frame.dtypes)
    if common.kind not in "fiub":
        return array
    target = common if common.kind == "f" else np.dtype(np.float64)
    return np.asarray(frame.to_numpy(dtype=target, na_value=np.nan))


def needed_columns(model: Any, example: Any) -> Any:
    """Return the example without the columns that the model does not look at.

    scikit-learn finds the columns of a leading ColumnTransformer by name, in any order, and does
    not miss the ones that it drops; neither does the program. A stripper whose models also find
    their columns by name (a formula) has a method ``columns(model)``, None for a model that does
    not.
    """
    used = dispatch.used_by_name(model)
    columns = getattr(example, "columns", example if isinstance(example, Mapping) else None)
    arrow = hasattr(example, "column_names") and hasattr(example, "select")
    if arrow:
        columns = example.column_names
    if used is None or columns is None or callable(columns):
        return example
    names = [c for c in columns if c in used]
    if not names or len(names) == len(list(columns)):
        return example
    if arrow:
        return example.select(names)
    return {c: example[c] for c in names} if isinstance(example, Mapping) else example[names]


def check_columns(model: Any, signature: Signature) -> None:
    """Compare the example's columns with the ones that the model was fitted on.

    Raises
    ------
    ColumnError
        Where they differ in number, name or order.
    """
    name = dispatch.qualified_name(type(model))
    fitted = dispatch.fitted_names(model)
    if fitted is not None and signature.layout == "table":
        given = [str(c.name) for c in signature.columns]
        used = dispatch.used_by_name(model)
        if used is None:
            _check_names(name, list(fitted), given)
        else:
            _check_present(name, [f for f in fitted if f in used], given)
        return
    count = len(fitted) if fitted is not None else getattr(model, "n_features_in_", None)
    if count is not None and count != len(signature.columns):
        raise ColumnError(
            f"example_input has {len(signature.columns)} columns, "
            f"but {name} was fitted on {count}; give the columns it was fitted on"
        )


def _check_present(model: str, fitted: list[str], given: list[str]) -> None:
    absent = [c for c in fitted if c not in given]
    if absent:
        raise ColumnError(
            f"example_input lacks columns that {model} was fitted on: {listed(absent)}",
            column=absent[0],
        )


def _check_names(model: str, fitted: list[str], given: list[str]) -> None:
    _check_present(model, fitted, given)
    extra = [c for c in given if c not in fitted]
    if extra:
        raise ColumnError(
            f"example_input has columns that {model} was not fitted on: {listed(extra)}; "
            "leave them out",
            column=extra[0],
        )
    if fitted != given:
        raise ColumnError(
            f"example_input has the columns of {model} in another order; "
            f"give them as they were fitted: {listed(fitted)}"
        )


def listed(names: list[str], most: int = 10) -> str:
    """Return names for a message, the first ones of many."""
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
