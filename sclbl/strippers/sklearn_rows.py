"""The rows that a scikit-learn estimator takes: its checks, and the precision it computes in.

scikit-learn's ``validate_data`` decides both: which values it lets through, and whether X keeps the
type it came in (``dtype="numeric"``) or becomes a float (``dtype=[float64, float32]``). NumPy's
promotion then decides the type of every step, so it is asked here rather than imitated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from sclbl.errors import ColumnError, NotFittedError, UnsupportedModelError
from sclbl.strippers.columns import Float, Table, Wire
from sclbl.strippers.graph import Builder


def require_fitted(model: Any) -> None:
    """Raise `NotFittedError` where scikit-learn says that the estimator is not fitted."""
    from sklearn import exceptions
    from sklearn.utils import validation

    try:
        validation.check_is_fitted(model)
    except exceptions.NotFittedError as error:
        raise NotFittedError(
            f"{type(model).__name__} is not fitted; call its fit method first"
        ) from error


def require_columns(model: Any, x: Table) -> None:
    """Raise `ColumnError` where the table is not as wide as the one the estimator was fitted on."""
    expected = getattr(model, "n_features_in_", None)
    if expected is not None and expected != x.width:
        raise ColumnError(
            f"{type(model).__name__} was fitted on {expected} columns, but {x.width} reach it; "
            "give the columns it was fitted on"
        )


@dataclass(frozen=True, slots=True)
class Validated:
    """X after validation.

    Parameters
    ----------
    wire : Wire
        float32 or float64 ``[rows, columns]``, with the refusals in it.
    dtype : numpy.dtype
        What scikit-learn holds X in: a float, or an integer or bool where the estimator keeps
        those.
    table : Table
        The columns.
    """

    wire: Wire
    dtype: np.dtype[Any]
    table: Table

    def beside(self, fitted: np.dtype[Any], model: Any) -> Float:
        """Return the type that X and fitted numbers are computed in together.

        Raises
        ------
        UnsupportedModelError
            Where that is neither float32 nor float64.
        """
        both = float_type(np.result_type(self.dtype, fitted), model)
        if both == "float32":
            self.table.builder.pin(self.table.cells)
        return both


def validated(
    model: Any, x: Table, build: Builder, *, nan: bool = True, to_float: bool = False
) -> Validated:
    """Check the rows as ``validate_data(model, X, reset=False)`` does.

    Parameters
    ----------
    model : estimator
        Fitted.
    x : Table
        What reaches it.
    build : Builder
        Where the checks are written.
    nan : bool
        Whether NaN is refused (``ensure_all_finite=True``); infinity always is.
    to_float : bool
        Whether integers and booleans become float64 (``dtype=[float64, float32]``).

    Raises
    ------
    ColumnError
        Where the number of columns is not the fitted one.
    UnsupportedModelError
        Where a column holds text.
    """
    require_columns(model, x)
    dtype = x.checked_dtype(to_float=to_float)
    if dtype == np.float32:
        build.pin(x.cells)
    wire = x.matrix("float32" if dtype == np.float32 else "float64", model=model)
    return Validated(build.refuse(wire, nan=nan, inf=True), dtype, x)


def float_type(dtype: np.dtype[Any], model: Any) -> Float:
    """Return the name of a float type that programs compute in.

    Raises
    ------
    UnsupportedModelError
        Where the fitted numbers are neither float32 nor float64.
    """
    if dtype.kind in "iub":
        return "float64"
    if dtype not in (np.float32, np.float64):
        raise UnsupportedModelError(
            f"{type(model).__name__} computes in {dtype}, which no program does; "
            "fit it on float64 or float32"
        )
    return cast(Float, dtype.name)


def in_place(build: Builder, op: str, x: Wire, row: np.ndarray | np.generic, model: Any) -> Wire:
    """Write ``X op= row`` as NumPy computes it: in the wider type, rounded back to X's own.

    Parameters
    ----------
    op : {"Add", "Sub", "Mul", "Div"}
        The operator.
    x : Wire
        ``[rows, w]``.
    row : array ``(w,)`` or ``(1, w)``
        In its fitted type.
    """
    wide = float_type(np.result_type(np.dtype(x.dtype), row.dtype), model)
    result = build.binary(op, build.cast(x, wide), np.asarray(row, dtype=wide))
    return build.cast(result, x.dtype)


def affine(build: Builder, rows: Validated, model: Any, coef: Any, intercept: Any) -> Wire:
    """Write ``X @ coef.T + intercept``.

    Parameters
    ----------
    coef : array or sparse matrix ``(outputs, columns)`` or ``(columns,)``
        Coefficients in their fitted type.
    intercept : float or array ``(outputs,)``
        A Python float does not widen float32, a NumPy float64 does.

    Returns
    -------
    Wire
        ``[rows, outputs]``.
    """
    if hasattr(coef, "check_format"):
        coef.check_format(full_check=True)  # toarray writes wherever the indices say
    dense = coef.toarray() if hasattr(coef, "toarray") else np.asarray(coef)
    weights = np.atleast_2d(dense).T
    first = rows.beside(weights.dtype, model)
    product = build.matmul(build.cast(rows.wire, first), weights)
    second = float_type((np.empty((0, product.width), first) + intercept).dtype, model)
    offset = np.broadcast_to(np.asarray(intercept, dtype=second).ravel(), (product.width,))
    return build.add(build.cast(product, second), offset)
