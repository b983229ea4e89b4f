"""The design matrix of a statsmodels model: which columns of the rows it is made of.

statsmodels takes ``exog`` by position, whatever its columns are called, so a DataFrame with its
columns in another order gives other numbers without a word; here the names are compared with the
ones that the model was fitted on. A model fitted from a formula finds its columns by name and
ignores others.

On a row with NaN ``predict`` returns NaN, and infinity or NaN on one with infinity. In a program a
bad value never becomes a number, so NaN and infinity in ``exog`` are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import ColumnError, UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.columns import Table
from sclbl.strippers.example import listed

_INTERCEPT = "Intercept"


def linear_predictor(results: Any, params: np.ndarray, x: Table) -> Any:
    """Return ``exog @ params``, float64 ``[rows, outcomes]``.

    Raises
    ------
    ColumnError
        Where the columns are not the ones that the model was fitted on.
    UnsupportedModelError
        Where a formula holds more than plain numeric columns.
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

    terms = _terms(results.model, len(weights))
    constant = _intercept(results.model, terms)
    columns = [i for i in range(len(terms)) if i != constant]
    if not columns:
        raise UnsupportedModelError(
            f"{_name(results.model)} was fitted on an intercept alone, so it has no input columns; "
            "its prediction is the same number for every row"
        )
    rows = x.select([_position(results.model, terms[i], x) for i in columns])
    linear = _numbers(results, rows) @ weights[columns]
    return linear if constant is None else linear + weights[constant]


def is_formula(model: Any) -> bool:
    """Return whether a model was made from a formula, so that it finds its columns by name."""
    return getattr(model, "formula", None) is not None


def formula_columns(model: Any) -> tuple[str, ...] | None:
    """Return the columns that a formula model looks up by name; None for any other model.

    Raises
    ------
    UnsupportedModelError
        Where the formula holds more than plain numeric columns.
    """
    if not is_formula(model):
        return None
    terms = _terms(model, None)
    constant = _intercept(model, terms)
    return tuple(t for i, t in enumerate(terms) if i != constant)


def _intercept(model: Any, terms: list[str]) -> int | None:
    """Return which term is the constant: the one without factors, not any column of its name."""
    spec = getattr(getattr(model, "data", None), "model_spec", None)
    if spec is None:
        spec = getattr(getattr(model, "data", None), "design_info", None)
    parts = list(getattr(spec, "terms", ()))
    if len(parts) != len(terms):
        return terms.index(_INTERCEPT) if _INTERCEPT in terms else None
    # formulaic calls the constant a term of degree 0 with the factor 1.
    plain = [getattr(t, "degree", len(t.factors)) == 0 for t in parts]
    return plain.index(True) if any(plain) else None


def _terms(model: Any, count: int | None) -> list[str]:
    # A term that is one numeric column is called like that column; any other is called
    # C(a)[T.x], a:b, np.log(a), a[T.True], Q('a b'): never an identifier.
    terms = [str(n) for n in model.exog_names][:count]
    odd = [t for t in terms if not t.isidentifier()]
    if odd:
        raise UnsupportedModelError(
            f"{_name(model)} was fitted from the formula {model.formula!r}, whose term "
            f"{odd[0]!r} is more than a plain numeric column; fit it from a design matrix "
            "instead: compute the columns first and pass them as exog"
        )
    return terms


def _position(model: Any, term: str, x: Table) -> int:
    if None in x.names:
        raise ColumnError(
            f"{_name(model)} was fitted from a formula and finds its columns by name; give "
            "example_input as a DataFrame or a dict of columns",
            column=term,
        )
    if term not in x.names:
        raise ColumnError(
            f"example_input lacks the column {term!r} of the formula of {_name(model)}; "
            f"it has {', '.join(map(repr, x.names))}",
            column=term,
        )
    position = x.names.index(term)
    if x.cells[position].kind in ("boolean", "text"):
        raise UnsupportedModelError(
            f"column {term!r} of example_input is {x.cells[position].kind}, but the formula of "
            f"{_name(model)} was fitted on numbers there; convert it to float"
        )
    return position


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
