"""Stand-ins of scikit-learn's checks, in code that users wrote: they write what the checks do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
from sklearn import exceptions
from sklearn.utils import validation

from sclbl.errors import NotFittedError, UnsupportedModelError
from sclbl.strippers import ops, promotion
from sclbl.strippers.columns import Table
from sclbl.strippers.conversions import is_integer
from sclbl.strippers.sklearn.estimator import require_columns
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.tables import table_of
from sclbl.strippers.wire import Wire

#: What of a check's options makes no difference to what a row becomes.
_IDLE = frozenset({
    "accept_sparse", "accept_large_sparse", "order", "copy", "ensure_2d", "estimator",
    "ensure_min_samples", "ensure_min_features", "input_name", "allow_nd", "force_writeable",
    "cast_to_ndarray", "multi_output", "y_numeric",
})  # fmt: skip


def replaced() -> dict[int, tuple[Any, Any]]:
    """Return which checks have stand-ins, by their `id`, and those."""
    pairs: list[tuple[Any, Any]] = [
        (validation.check_array, check_array),
        (validation.assert_all_finite, assert_all_finite),
        (validation.as_float_array, as_float_array),
        (validation.check_is_fitted, check_is_fitted),
        (validation.check_X_y, _of_fit),
    ]
    pairs.append((validation.validate_data, validate_data))
    return {id(own): (own, stand_in) for own, stand_in in pairs}


def check_is_fitted(estimator: Any, *args: Any, **options: Any) -> None:
    """Ask whether the model itself is fitted.

    Raises
    ------
    NotFittedError
        Where it is not.
    """
    model = vars(estimator)["_sclbl"][1] if "_sclbl" in vars(estimator) else estimator
    try:
        validation.check_is_fitted(model, *args, **options)
    except exceptions.NotFittedError as error:
        raise NotFittedError(
            f"{type(model).__name__} is not fitted; call its fit method first"
        ) from error


def _of_fit(*_: Any, **__: Any) -> NoReturn:
    raise UnsupportedModelError("check_X_y takes targets, which rows to predict have none of")


def validate_data(
    estimator: Any, /, X: Any = "no_validation", y: Any = "no_validation", reset: bool = True,
    validate_separately: Any = False, skip_check_array: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """Write what scikit-learn's `validate_data` refuses of rows to predict."""
    if not isinstance(y, str) and y is not None:
        _of_fit()
    table = table_of(X)
    if not reset:
        require_columns(estimator, table)
    return X if skip_check_array else check_array(X, **options)


def check_array(array: Any, accept_sparse: Any = False, **options: Any) -> Any:
    """Write what scikit-learn's `check_array` refuses, and the type that it makes of numbers."""
    dtype = options.pop("dtype", "numeric")
    finite = options.pop("ensure_all_finite", options.pop("force_all_finite", True))
    options.pop("force_all_finite", None)
    negative = options.pop("ensure_non_negative", False)
    other = set(options) - _IDLE
    if other:
        raise UnsupportedModelError(f"check_array with {', '.join(sorted(other))} is not written")
    if type(array) is Array and array.ndim == 1 and options.get("ensure_2d", True):
        raise ValueError("Expected 2D array, got 1D array instead")
    x = _in(table_of(array), dtype)
    if not is_integer(x):
        x = ops.refuse(x, nan=finite is True, inf=bool(finite))
    if negative:
        x = ops.refuse_outside(x, low=0.0)
    if type(array) is Array and x.name == array.wire.name and not options.get("copy"):
        return array
    return Array(replace(x, ndim=array.ndim if type(array) is Array else 2))


def _in(table: Table, dtype: Any) -> Wire:
    """Return columns in the type that a check makes of them."""
    build = table.builder
    several = isinstance(dtype, (list, tuple))
    if several or (isinstance(dtype, str) and dtype == "numeric"):
        held = table.checked_dtype(to_float=several)
        if several and held not in [np.dtype(d) for d in dtype]:
            return table.held_matrix(_own(table)).astype(np.dtype(dtype[0]))
    else:
        held = _own(table)
        if dtype is not None and held != np.dtype(dtype):
            return table.held_matrix(held).astype(np.dtype(dtype))
    if held == np.float32:
        build.pin(table.cells)
    return table.held_matrix(held)


def _own(table: Table) -> np.dtype[Any]:
    held = promotion.array_dtype(c.dtype for c in table.cells)
    return np.dtype(np.float64) if held.kind == "O" else held


def assert_all_finite(X: Any, *, allow_nan: bool = False, **_: Any) -> None:
    """Write the check of `sklearn.utils.assert_all_finite`."""
    ops.refuse(table_of(X).matrix(), nan=not allow_nan, inf=True)


def as_float_array(X: Any, *, ensure_all_finite: Any = True, **_: Any) -> Any:
    """Write `sklearn.utils.as_float_array`."""
    return check_array(X, dtype=[np.float64, np.float32], ensure_all_finite=ensure_all_finite)
