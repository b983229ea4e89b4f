"""`statsmodels.discrete`: choices and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import Stripper
from sclbl.strippers.statsmodels.results import RESULTS, Formula


class Logit(Formula):
    def mean(self, model: Any, z: Any) -> Any:
        return ops.sigmoid(z)


class Probit(Formula):
    def mean(self, model: Any, z: Any) -> Any:
        return ops.operator("sclbl.NormCdf", z)


class Count(Formula):
    """Poisson, and those with a dispersion: the mean is the same."""

    def mean(self, model: Any, z: Any) -> Any:
        return np.exp(z)


class MNLogit(Formula):
    """``exp(z) / (1 + sum exp(z))``, the base outcome first: no maximum is subtracted."""

    def mean(self, model: Any, z: Any) -> Any:
        e = np.exp(z)
        total = ops.sum_in_order(e, keepdims=True) + 1
        return ops.concat([np.reciprocal(total), e / total])

    def on_linear_scale(self, z: Any) -> Any:
        first = z[:, [0]]
        return ops.concat([first - first, z])


_WRAPPERS = """Binary Count GeneralizedPoisson L1Binary L1GeneralizedPoisson L1Multinomial
    L1NegativeBinomial L1Poisson Multinomial NegativeBinomial NegativeBinomialP Poisson"""
CLASSES: dict[str, Stripper] = {
    **{f"discrete_model.{name}ResultsWrapper": RESULTS for name in _WRAPPERS.split()},
    "discrete_model.GeneralizedPoisson": Count(),
    "discrete_model.Logit": Logit(),
    "discrete_model.MNLogit": MNLogit(),
    "discrete_model.NegativeBinomial": Count(),
    "discrete_model.NegativeBinomialP": Count(),
    "discrete_model.Poisson": Count(),
    "discrete_model.Probit": Probit(),
}
