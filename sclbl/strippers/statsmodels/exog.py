"""The design matrix of a statsmodels model: which columns of the rows it is made of.

statsmodels takes ``exog`` by position, whatever its columns are called, so a DataFrame with its
columns in another order gives other numbers without a word; here the names are compared with the
ones that the model was fitted on. A model fitted from a formula finds its columns by name, ignores
others, and makes its terms of them (`sclbl.strippers.statsmodels.formula`).

On a row with NaN ``predict`` returns NaN, and infinity or NaN on one with infinity. In a program a
bad value never becomes a number, so NaN and infinity in ``exog`` are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import ColumnError, UnsupportedModelError
from sclbl.rows.source import library_of
from sclbl.strippers import ops
from sclbl.strippers.columns import Table
from sclbl.strippers.example import listed


def linear_predictor(results: Any, params: np.ndarray, x: Table) -> Any:
    """Return ``exog @ params``, float64 ``[rows, outcomes]``.

    Raises
    ------
    ColumnError
        Where the columns are not the ones that the model was fitted on.
    UnsupportedModelError
        Where a formula computes what programs cannot.
    """
    weights = params.reshape(len(params), -1)
    if not is_formula(results.model):
        _check_positions(results.model, x, len(weights))
        if getattr(results.model, "exog", None) is None and None not in x.names:
            x.builder.warnings.append(
                "the data of the results were removed, so the names of the example's columns could "
                "not be compared with those that the model was fitted on; they count by position"
            )
        return _numbers(results, x) @ weights

    made = _design(results.model, x)
    if made.is_constant:
        raise UnsupportedModelError(
            f"{_name(results.model)} was fitted on an intercept alone, so it has no input columns; "
            "its prediction is the same number for every row"
        )
    if made.width != len(weights):
        raise UnsupportedModelError(
            f"{_name(results.model)} has {len(weights)} coefficients, and its formula "
            f"{results.model.formula!r} makes {made.width} columns; fit it from a design matrix"
        )
    return made.product(weights)


def design(results_or_model: Any, x: Table) -> Any:
    """Return the design matrix of raw rows, float64 ``[rows, terms]``.

    Raises
    ------
    ColumnError
        Where a column of the formula is not there.
    UnsupportedModelError
        Where the formula computes what programs cannot.
    """
    model = getattr(results_or_model, "model", results_or_model)
    return _design(model, x).matrix() if is_formula(model) else _numbers(model, x)


def _design(model: Any, x: Table) -> Any:
    from sclbl.strippers.statsmodels.formula import engine

    return engine.design(engine.spec_of(model), x, str(model.formula), _name(model))


def is_formula(model: Any) -> bool:
    """Return whether a model was made from a formula, so that it finds its columns by name."""
    return getattr(model, "formula", None) is not None


def formula_columns(model: Any) -> tuple[str, ...] | None:
    """Return the names that a formula model looks up in rows; None for any other model."""
    if not is_formula(model):
        return None
    from sclbl.strippers.statsmodels.formula import engine

    return engine.columns(engine.spec_of(model))


def rows_of_formula(rows: Any) -> Any:
    """Return rows as a formula's engine takes them; not every release takes those of polars."""
    if library_of(type(rows)) != "polars":
        return rows
    import pandas as pd

    # Columns of numbers keep their types; text is objects.
    columns = {
        s.name: s.to_numpy() if s.dtype.is_numeric() or str(s.dtype) == "Boolean" else s.to_list()
        for s in rows
    }
    return pd.DataFrame(columns)


def _check_positions(model: Any, x: Table, count: int) -> None:
    fitted = _fitted_names(model)
    given = None if None in x.names else [str(n) for n in x.names]
    if given is not None and fitted is not None and given != fitted:
        absent = [n for n in fitted if n not in given]
        extra = [n for n in given if n not in fitted]
        if absent:
            what = f"lacks columns that {_name(model)} was fitted on: {listed(absent)}"
        elif extra:
            what = f"has columns that {_name(model)} was not fitted on: {listed(extra)}"
        else:
            what = (
                f"has the columns of {_name(model)} in another order; statsmodels goes by "
                f"position, so give them as they were fitted: {listed(fitted)}"
            )
        raise ColumnError(
            f"example_input {what}{_constant_hint(model, x, count)}",
            column=(absent or extra or fitted)[0],
        )
    if x.width != count:
        raise ColumnError(
            f"example_input has {x.width} columns, but {_name(model)} was fitted on {count}"
            f"{_constant_hint(model, x, count)}"
        )


def _fitted_names(model: Any) -> list[str] | None:
    """Return the names of the exog that was passed; None where it had none or they are gone."""
    exog = getattr(getattr(model, "data", None), "orig_exog", None)
    columns = getattr(exog, "columns", None)
    if columns is not None:
        return [str(c) for c in columns]
    name = getattr(exog, "name", None)
    return None if name is None else [str(name)]


def _constant_hint(model: Any, x: Table, count: int) -> str:
    names = getattr(model, "exog_names", None) or ()
    if x.width + 1 == count and "const" in names and "const" not in x.names:
        return (
            "; the constant is one of them, so pass "
            'statsmodels.api.add_constant(X, has_constant="add")'
        )
    return ""


def _numbers(results: Any, x: Table) -> Any:
    # exog meets float64 parameters, so the product is float64 whatever exog was.
    return ops.refuse(x.matrix("float64", model=results), nan=True)


def _name(model: Any) -> str:
    return f"statsmodels {type(model).__name__}"
