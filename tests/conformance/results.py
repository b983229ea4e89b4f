"""How models of statsmodels are fitted: to results."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import statsmodels.api as sm

from tests.conformance.subject import Make

#: What takes no ``disp``.
_QUIET = (sm.OLS, sm.WLS, sm.GLS, sm.GLSAR, sm.GLM, sm.QuantReg, sm.RLM, sm.GEE, sm.MixedLM)


def _fit(build: Any, method: str, y: Any, how: dict[str, Any], options: dict[str, Any]) -> Make:
    def make(rows: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # How well the fit converged is of no interest here, only what it predicts.
            warnings.simplefilter("ignore")
            return getattr(build(y, rows, **options), method)(**how)

    return make


def results(build: Any, y: Any, **options: Any) -> Make:
    """Fit; the options are the model's."""
    return _fit(build, "fit", y, {} if build in _QUIET else {"disp": 0}, options)


def regularized(build: Any, y: Any, **how: Any) -> Make:
    """Fit with a penalty, which the options describe."""
    return _fit(build, "fit_regularized", y, how, {})


def unwrapped(make: Make) -> Make:
    """Return the results that are inside a wrapper."""
    return lambda rows: make(rows)._results
