"""statsmodels: results of linear, discrete and generalized linear models.

Results come in wrappers that say little; what ``predict`` computes is decided by the class of
``results.model``, one literal table below. ``predict_linear`` is
``results.predict(exog, which="linear")``.

``predict(exog)`` of statsmodels leaves out an offset and an exposure given at fit, and so does the
program, which warns of it. NaN and infinity are refused (see `sclbl.strippers.statsmodels_exog`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sclbl.errors import (
    InfiniteValueError,
    InputError,
    MissingValueError,
    NotFittedError,
    UnsupportedModelError,
)
from sclbl.strippers import statsmodels_links as links
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.statsmodels_exog import formula_columns, linear_predictor

PREDICT = ("predict",)
BOTH = ("predict", "predict_linear")


@dataclass(frozen=True, slots=True)
class Prediction:
    """How a class of models predicts.

    Parameters
    ----------
    methods : tuple of str
        What its results offer.
    mean : callable
        Writes ``predict`` from the model and the linear predictor.
    check : callable
        Raises `UnsupportedModelError` for an option of the model that has no equivalent.
    linear : callable
        Writes ``predict_linear`` from the linear predictor.
    """

    methods: tuple[str, ...]
    mean: Callable[[Any, Wire, Builder], Wire]
    check: Callable[[Any], object] = lambda model: None
    linear: Callable[[Wire, Builder], Wire] = lambda z, build: z


class Results:
    """Any results wrapper of statsmodels whose model is in the table below."""

    def methods(self, model: Any) -> tuple[str, ...]:
        """Return ``predict`` and, where the results take ``which``, ``predict_linear``.

        Raises
        ------
        UnsupportedModelError
            Where the class of the model, its link, its formula or its parameters have no exact
            equivalent.
        """
        prediction = _prediction(model)
        _parameters(model)
        formula_columns(model.model)
        return prediction.methods

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write the prediction: float64 ``[rows, 1]``, or ``[rows, outcomes]`` for `MNLogit`."""
        prediction = _prediction(model)
        z = linear_predictor(model, _parameters(model), x, build)
        _warn(model.model, build)
        made = {"predict": prediction.mean(model.model, z, build)}
        if "predict_linear" in methods:
            made["predict_linear"] = prediction.linear(z, build)
        return {m: made[m] for m in methods}

    def call(self, model: Any, method: str, rows: Any) -> Any:
        """Return what the results predict: ``predict_linear`` is an option of ``predict``."""
        if method == "predict_linear":
            return model.predict(rows, which="linear")
        return model.predict(rows)

    def columns(self, model: Any) -> tuple[str, ...] | None:
        """Return the columns that a formula looks up by name; None where exog is positional."""
        return formula_columns(model.model)

    def refuses_more(self, model: Any) -> tuple[type[InputError], ...]:
        """Return the errors for NaN and infinity: statsmodels looks at no value."""
        return (MissingValueError, InfiniteValueError)


class Unfitted:
    """A model object, which knows data but no parameters."""

    def methods(self, model: Any) -> tuple[str, ...]:
        """Raise `NotFittedError`."""
        name = type(model).__name__
        raise NotFittedError(
            f"statsmodels {name} is a model without parameters; pass the results that its fit "
            f"method returns, as in results = {name}(endog, exog).fit()"
        )

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Raise `NotFittedError`."""
        self.methods(model)
        return {}


def _identity(model: Any, z: Wire, build: Builder) -> Wire:
    return z


def _sigmoid(model: Any, z: Wire, build: Builder) -> Wire:
    return build.unary("Sigmoid", z)


def _exp(model: Any, z: Wire, build: Builder) -> Wire:
    return build.unary("Exp", z)


def _inverse_link(model: Any, z: Wire, build: Builder) -> Wire:
    return links.inverse(model.family.link, z, build)


def _multinomial(model: Any, z: Wire, build: Builder) -> Wire:
    # exp(z) / (1 + sum exp(z)), the base outcome first: statsmodels subtracts no maximum.
    e = build.unary("Exp", z)
    total = build.add(build.reduce("ReduceSum", e), 1.0)
    return build.concat([build.unary("Reciprocal", total), build.div(e, total)])


def _multinomial_linear(z: Wire, build: Builder) -> Wire:
    first = build.columns(z, [0])
    return build.concat([build.sub(first, first), z])


_LINEAR = Prediction(PREDICT, _identity)
_COUNT = Prediction(BOTH, _exp)
# Full class names: a subclass may predict differently.
PREDICTIONS: dict[str, Prediction] = {
    "statsmodels.regression.linear_model.OLS": _LINEAR,
    "statsmodels.regression.linear_model.WLS": _LINEAR,
    "statsmodels.regression.linear_model.GLS": _LINEAR,
    "statsmodels.regression.linear_model.GLSAR": _LINEAR,
    "statsmodels.regression.quantile_regression.QuantReg": _LINEAR,
    "statsmodels.robust.robust_linear_model.RLM": _LINEAR,
    "statsmodels.discrete.discrete_model.Logit": Prediction(BOTH, _sigmoid),
    "statsmodels.discrete.discrete_model.Probit": Prediction(BOTH, links.normal),
    "statsmodels.discrete.discrete_model.MNLogit": Prediction(
        BOTH, _multinomial, linear=_multinomial_linear
    ),
    "statsmodels.discrete.discrete_model.Poisson": _COUNT,
    "statsmodels.discrete.discrete_model.NegativeBinomial": _COUNT,
    "statsmodels.genmod.generalized_linear_model.GLM": Prediction(
        BOTH, _inverse_link, check=lambda model: links.find(model.family.link)
    ),
}


def _prediction(results: Any) -> Prediction:
    model = results.model
    cls = type(model)
    prediction = PREDICTIONS.get(f"{cls.__module__}.{cls.__qualname__}")
    if prediction is None:
        known = ", ".join(name.rpartition(".")[2] for name in PREDICTIONS)
        raise UnsupportedModelError(
            f"{type(results).__name__} of {cls.__module__}.{cls.__qualname__} has no stripper; "
            f"the supported models of statsmodels are {known}"
        )
    prediction.check(model)
    return prediction


def _parameters(results: Any) -> np.ndarray:
    """Return the coefficients, ``[exog columns]`` or ``[exog columns, outcomes - 1]``."""
    params = np.asarray(results.params, dtype=np.float64)
    # The negative binomial's dispersion stands behind the coefficients.
    params = params[: len(params) - int(getattr(results.model, "k_extra", 0) or 0)]
    if not np.isfinite(params).all():
        raise UnsupportedModelError(
            f"the parameters of statsmodels {type(results.model).__name__} hold NaN or infinity, "
            "so it predicts no numbers; look at the convergence of the fit"
        )
    return params


def _warn(model: Any, build: Builder) -> None:
    for name in ("offset", "exposure"):
        given = getattr(model, name, None)
        if given is not None and np.any(np.asarray(given) != 0):
            build.warnings.append(
                f"the model was fitted with {name}; predict(exog) of statsmodels leaves it out "
                "for new rows, and so does the program"
            )


RESULTS = Results()
UNFITTED = Unfitted()
