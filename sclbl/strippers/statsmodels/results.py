"""Results of linear, discrete and generalized linear models.

Results come in wrappers that say little; what ``predict`` computes is decided by the class of
``results.model``. ``predict_linear`` is ``results.predict(exog, which="linear")``.

``predict(exog)`` of statsmodels leaves out an offset and an exposure given at fit, and so does the
program, which warns of it. NaN and infinity are refused (see `sclbl.strippers.statsmodels.exog`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.coefficients import Coefficients
from sclbl.errors import (
    InfiniteValueError,
    MissingValueError,
    NotFittedError,
    UnsupportedModelError,
)
from sclbl.strippers import table
from sclbl.strippers.base import Declared, Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.statsmodels.coefficients import table_of
from sclbl.strippers.statsmodels.exog import (
    formula_columns,
    is_formula,
    linear_predictor,
    rows_of_formula,
)


class Formula(Stripper):
    """How a class of models predicts; a model itself, without results, is not fitted."""

    #: Whether its results take ``which="linear"``.
    linear = True

    def check(self, model: Any) -> None:
        name = type(model).__name__
        raise NotFittedError(
            f"statsmodels {name} is a model without parameters; pass the results that its fit "
            f"method returns, as in results = {name}(endog, exog).fit()"
        )

    def check_option(self, model: Any) -> None:
        """Raise `UnsupportedModelError` for an option that has no equivalent."""

    def mean(self, model: Any, z: Any) -> Any:
        """Return what is predicted, given the linear predictor."""
        return z

    def of_results(self, results: Any, z: Any) -> Any:
        """Return what is predicted where that takes more of the results than the predictor."""
        return self.mean(results.model, z)

    def on_linear_scale(self, z: Any) -> Any:
        """Return what is predicted with ``which="linear"``."""
        return z


class Results(Stripper):
    """Any results whose model has a `Formula`: float64 ``[rows, 1]``, or ``[rows, outcomes]``."""

    # statsmodels looks at no value.
    refuses_more = (MissingValueError, InfiniteValueError)

    def title(self, model: Any) -> str:
        # Results are all called alike; the model that was fitted has the name.
        return type(model.model).__name__

    def check(self, model: Any) -> None:
        _formula(model).check_option(model.model)
        _parameters(model)
        formula_columns(model.model)

    def offers(self, model: Any) -> Mapping[str, Declared]:
        linear = _formula(model).linear
        return {m: d for m, d in self.declared().items() if linear or m == "predict"}

    def rows(self, model: Any, x: Table) -> Any:
        """Return the linear predictor."""
        for name in ("offset", "exposure"):
            given = getattr(model.model, name, None)
            if given is not None and np.any(np.asarray(given) != 0):
                x.builder.warnings.append(
                    f"the model was fitted with {name}; predict(exog) of statsmodels leaves it out "
                    "for new rows, and so does the program"
                )
        return linear_predictor(model, _parameters(model), x)

    def coefficients(self, model: Any) -> Coefficients | None:
        return table_of(model.model, _parameters(model))

    def columns(self, model: Any) -> tuple[str, ...] | None:
        """Return the columns that a formula looks up by name; None where exog is positional."""
        return formula_columns(model.model)

    def as_taken(self, model: Any, rows: Any) -> Any:
        """Return rows as a formula takes them: of polars as a DataFrame of pandas."""
        return rows_of_formula(rows) if is_formula(model.model) else rows

    @method
    def predict(self, model: Any, z: Wire) -> Any:
        return _formula(model).of_results(model, z)

    @method(ask="predict", which="linear")
    def predict_linear(self, model: Any, z: Wire) -> Any:
        return _formula(model).on_linear_scale(z)


def formulas() -> dict[str, Formula]:
    """Return the models of statsmodels whose results are supported, by their full names."""
    return {name: s for name, s in table.classes().items() if isinstance(s, Formula)}


def _formula(results: Any) -> Formula:
    cls = type(results.model)
    found = table.stripper_of(cls)  # of the exact class: a subclass may predict differently
    if not isinstance(found, Formula):
        known = ", ".join(name.rpartition(".")[2] for name in formulas())
        raise UnsupportedModelError(
            f"{type(results).__name__} of {cls.__module__}.{cls.__qualname__} has no stripper; "
            f"the supported models of statsmodels are {known}"
        )
    return found


def _parameters(results: Any) -> np.ndarray:
    """Return the coefficients, ``[exog columns]`` or ``[exog columns, outcomes - 1]``."""
    params = np.asarray(results.params, dtype=np.float64)
    # A dispersion, or the variances of random effects, stand behind the coefficients.
    fixed = getattr(results.model, "k_fe", None)
    count = len(params) - int(getattr(results.model, "k_extra", 0) or 0)
    params = params[: count if fixed is None else int(fixed)]
    if not np.isfinite(params).all():
        raise UnsupportedModelError(
            f"the parameters of statsmodels {type(results.model).__name__} hold NaN or infinity, "
            "so it predicts no numbers; look at the convergence of the fit"
        )
    return params


RESULTS = Results()


class Linear(Formula):
    """The linear predictor as it is."""

    linear = False
