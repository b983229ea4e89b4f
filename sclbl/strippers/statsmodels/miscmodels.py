"""`statsmodels.miscmodels`: ordered outcomes.

`statsmodels.miscmodels.ordinal_model.OrderedModel.predict`: the probability of a level is the
distribution's cdf at its upper threshold less that at its lower one, both less ``exog @ params``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.statsmodels.exog import is_formula
from sclbl.strippers.statsmodels.results import RESULTS, Formula

_CDFS = {"norm_gen": "sclbl.NormCdf", "logistic_gen": "Sigmoid"}


class Ordered(Formula):
    """Probabilities of the levels; its results take other words than ``which="linear"``."""

    linear = False

    def check_option(self, model: Any) -> None:
        cls = type(model.distr)
        if cls.__name__ not in _CDFS or not cls.__module__.startswith("scipy.stats."):
            raise UnsupportedModelError(
                f"statsmodels OrderedModel with the distribution {cls.__module__}."
                f'{cls.__qualname__} has no stripper; fit it with distr="probit" or distr="logit"'
            )
        if is_formula(model):
            raise UnsupportedModelError(
                f"statsmodels OrderedModel was fitted from the formula {model.formula!r}; fit it "
                "from a design matrix instead: compute the columns first and pass them as exog"
            )

    def of_results(self, results: Any, z: Any) -> Any:
        model = results.model
        thresholds = model.transform_threshold_params(np.asarray(results.params))[1:-1]
        if not np.isfinite(thresholds).all():
            raise UnsupportedModelError(
                "the thresholds of statsmodels OrderedModel hold NaN or infinity, so it predicts "
                "no numbers; look at the convergence of the fit"
            )
        below = ops.operator(_CDFS[type(model.distr).__name__], thresholds - z)
        first, last = below[:, [0]], below[:, [-1]]
        between = [below[:, [k]] - below[:, [k - 1]] for k in range(1, len(thresholds))]
        return np.maximum(ops.concat([first, *between, 1 - last]), 0)


CLASSES = {
    "ordinal_model.OrderedModel": Ordered(),
    "ordinal_model.OrderedResultsWrapper": RESULTS,
}
