"""What a result of statsmodels says as a table: `sclbl.coefficients.Coefficients`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.coefficients import Coefficients
from sclbl.strippers.statsmodels import links

_LINEAR = ("gaussian", "identity")
#: Family and link by the class of a model; a GLM says them itself.
_MODELS = {
    "OLS": _LINEAR,
    "WLS": _LINEAR,
    "GLS": _LINEAR,
    "GLSAR": _LINEAR,
    "QuantReg": _LINEAR,
    "RLM": _LINEAR,
    "Logit": ("binomial", "logit"),
    "Probit": ("binomial", "probit"),
    "Poisson": ("poisson", "log"),
    "NegativeBinomial": ("negative_binomial", "log"),
    "NegativeBinomialP": ("negative_binomial", "log"),
    "MixedLM": _LINEAR,
}
_FAMILIES = {
    "Gaussian": "gaussian",
    "Binomial": "binomial",
    "Poisson": "poisson",
    "Gamma": "gamma",
    "InverseGaussian": "inverse_gaussian",
    "NegativeBinomial": "negative_binomial",
    "Tweedie": "tweedie",
}
_LINKS = {
    "Identity": "identity",
    "Log": "log",
    "Logit": "logit",
    "Probit": "probit",
    "Cauchy": "cauchy",
    "CLogLog": "cloglog",
    "LogLog": "loglog",
    "LogC": "logc",
    "InversePower": "inverse",
    "InverseSquared": "inverse_squared",
    "Sqrt": "sqrt",
}


def table_of(model: Any, params: np.ndarray) -> Coefficients | None:
    """Return the table of a model with these parameters; None where one is not enough.

    Parameters
    ----------
    model : object
        The model of some results.
    params : ndarray
        Its coefficients, ``[exog columns]``; of several outcomes there is no table.
    """
    found = _said_by(model)
    names = list(getattr(model, "exog_names", None) or ())[: len(params)]
    if found is None or params.ndim != 1 or len(names) != len(params):
        return None
    family, link = found
    numbers = {str(name): float(value) for name, value in zip(names, params, strict=True)}
    if len(numbers) != len(names):
        return None
    return Coefficients(numbers, family, link, _levels(model))


def _said_by(model: Any) -> tuple[str, str] | None:
    family = getattr(model, "family", None)
    if family is None:
        return _MODELS.get(type(model).__name__)
    called = _FAMILIES.get(type(family).__name__)
    link = _LINKS.get(links.own_class(family.link))
    return None if called is None or link is None else (called, link)


def _levels(model: Any) -> dict[str, tuple[str, ...]]:
    """Return the levels of the columns of text that a formula was fitted on."""
    data = getattr(model, "data", None)
    spec = getattr(data, "model_spec", None) or getattr(data, "design_info", None)
    factors = getattr(spec, "factor_infos", None) or {}
    found = {}
    for factor, info in factors.items():
        held = tuple(getattr(info, "categories", None) or ())
        if getattr(info, "type", "") == "categorical" and all(isinstance(v, str) for v in held):
            found[factor.name().removeprefix("C(").removesuffix(")")] = held
    return found
