"""`statsmodels.discrete`: choices and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
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
    """Poisson and NegativeBinomial: the mean is the same."""

    def mean(self, model: Any, z: Any) -> Any:
        return np.exp(z)


class Dispersed(Count):
    """GeneralizedPoisson and NegativeBinomialP, whose ``predict`` adds what the fit had.

    `statsmodels.discrete.discrete_model`: for new rows too it takes the offset and the exposure of
    the training rows, so it answers for no other number of rows, and for as many with theirs.
    """

    def check_option(self, model: Any) -> None:
        for name in ("offset", "exposure"):
            if getattr(model, name, None) is not None:
                raise UnsupportedModelError(
                    f"statsmodels {type(model).__name__} was fitted with {name}, and its predict "
                    "adds that of the training rows to any rows; fit it without, or fit "
                    f"NegativeBinomial or a GLM, whose predict leaves {name} out"
                )


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
    "discrete_model.GeneralizedPoisson": Dispersed(),
    "discrete_model.Logit": Logit(),
    "discrete_model.MNLogit": MNLogit(),
    "discrete_model.NegativeBinomial": Count(),
    "discrete_model.NegativeBinomialP": Dispersed(),
    "discrete_model.Poisson": Count(),
    "discrete_model.Probit": Probit(),
}
