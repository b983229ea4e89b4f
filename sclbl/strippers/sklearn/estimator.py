"""The rows that a scikit-learn estimator takes: its checks, and the precision it computes in.

scikit-learn's ``validate_data`` decides both: which values it lets through, and whether X keeps the
type it came in (``dtype="numeric"``) or becomes a float (``dtype=[float64, float32]``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from sclbl.errors import ColumnError, UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.conversions import is_integer
from sclbl.strippers.dispatch import as_table


class Estimator(Stripper):
    """A stripper of estimators that validate their rows as ``validate_data(model, X)`` does."""

    #: Whether integers and booleans stay (``"numeric"``) or become float64 (``"float"``).
    dtype: Literal["numeric", "float"] = "numeric"
    #: What of NaN and infinity is refused: both (True), infinity alone, or none (False).
    ensure_all_finite: bool | Literal["allow-nan"] = True

    def rows(self, model: Any, x: Any) -> Any:
        """Return X after validation, as float32 or float64."""
        if isinstance(x, Wire):
            held = x
            if self.dtype == "float" and x.numbers.kind in "iu":
                held = ops.items_held_as(x, np.dtype(np.float64))
            return validated_sparse(model, held, self.ensure_all_finite)
        return validated(
            model, x, to_float=self.dtype == "float", ensure_all_finite=self.ensure_all_finite
        )


def validated(
    model: Any,
    x: Table,
    *,
    to_float: bool = False,
    ensure_all_finite: bool | Literal["allow-nan"] = True,
) -> Wire:
    """Check the rows as ``validate_data(model, X, reset=False)`` does.

    Raises
    ------
    ColumnError
        Where the number of columns is not the fitted one.
    UnsupportedModelError
        Where a column holds text.
    """
    require_columns(model, x)
    return _checked(model, x, to_float, ensure_all_finite)


def transformed(
    model: Any,
    x: Table | Wire,
    width: int,
    *,
    to_float: bool = False,
    ensure_all_finite: bool | Literal["allow-nan"] = True,
) -> Wire:
    """Check rows of what ``transform`` gives, as ``check_array(X)`` does.

    Raises
    ------
    ColumnError
        Where they are not as wide as that.
    """
    require_made(model, x, width)
    if isinstance(x, Wire):
        x = as_table(x.builder.dense(x))
    return _checked(model, x, to_float, ensure_all_finite)


def given_back(model: Any, x: Table | Wire) -> Wire:
    """Check rows of what a transformer makes of each column, floats in which NaN may be."""
    width = int(model.n_features_in_)
    return transformed(model, x, width, to_float=True, ensure_all_finite="allow-nan")


def require_made(model: Any, x: Table | Wire, width: int) -> None:
    """Raise `ColumnError` where the table is not as wide as what ``transform`` makes."""
    if x.width != width:
        raise ColumnError(
            f"{type(model).__name__}.transform makes {width} columns, and inverse_transform is "
            f"given {x.width}; give rows of what transform returns"
        )


def _checked(
    model: Any, x: Table, to_float: bool, ensure_all_finite: bool | Literal["allow-nan"] = True
) -> Wire:
    held = x.checked_dtype(to_float=to_float)
    if held == np.float32:
        x.builder.pin(x.cells)
    wire = x.held_matrix(held, model=model)
    if not is_integer(wire):
        wire = ops.refuse(wire, nan=ensure_all_finite is True, inf=bool(ensure_all_finite))
    return replace(wire, sparse=x.sparse)


def validated_sparse(
    model: Any, x: Wire, ensure_all_finite: bool | Literal["allow-nan"] = True
) -> Wire:
    """Check sparse rows as ``validate_data`` does: of the items, those that are there."""
    require_columns(model, x)
    if x.dtype == "int64":
        return x
    nan, inf = int(ensure_all_finite is True), int(bool(ensure_all_finite))
    return x.builder.node("sclbl.RefuseItems", [x], nan=nan, inf=inf)


def require_columns(model: Any, x: Table | Wire) -> None:
    """Raise `ColumnError` where the table is not as wide as the one the estimator was fitted on."""
    expected = getattr(model, "n_features_in_", None)
    if expected is not None and expected != x.width:
        raise ColumnError(
            f"{type(model).__name__} was fitted on {expected} columns, but {x.width} reach it; "
            "give the columns it was fitted on"
        )


def fitted(model: Any, attribute: str, option: str) -> np.ndarray:
    """Return what fit leaves where an option is set.

    Raises
    ------
    UnsupportedModelError
        Where it is not there, because the option was set later.
    """
    value = getattr(model, attribute, None)
    if value is None:
        raise UnsupportedModelError(
            f"{type(model).__name__} has {option}=True but no {attribute}: {option} was changed "
            "after fit; fit it again"
        )
    return np.asarray(value)


def logsumexp(x: Any) -> Any:
    """Return ``log(sum(exp(x)))`` of each row, ``[rows, 1]``, as scikit-learn and SciPy do.

    The largest values are left out of the sum, whose rest ``log1p`` takes.
    """
    largest = np.max(x, axis=1, keepdims=True)
    is_largest = x == largest
    count = np.sum(is_largest.astype(np.float64), axis=1, keepdims=True).astype(x.numbers)
    shift = np.where(np.isfinite(largest), largest, 0)
    rest = np.sum(np.exp(np.where(is_largest, -np.inf, x) - shift), axis=1, keepdims=True)
    rest = np.where(rest == 0, rest, rest / count)
    return np.log1p(rest) + np.log(count) + largest
