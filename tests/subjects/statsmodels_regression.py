"""statsmodels.regression and statsmodels.robust."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm

from tests.conformance.domains import DESIGN, SCORE
from tests.conformance.results import regularized, results, unwrapped
from tests.conformance.subject import Make, Subject

_GROUPS = np.arange(len(SCORE)) // 5
_WEIGHTS = np.linspace(0.5, 2, len(SCORE))


def _stats(name: str, make: Make) -> Subject:
    return Subject(name, make, DESIGN, checks=False)


SUBJECTS = (
    _stats("OLS", results(sm.OLS, SCORE)),
    _stats("OLS, unwrapped", unwrapped(results(sm.OLS, SCORE))),
    _stats("OLS, regularized", regularized(sm.OLS, SCORE, alpha=0.1)),
    _stats("OLS, regularized, ridge", regularized(sm.OLS, SCORE, alpha=0.1, L1_wt=0.0)),
    _stats("OLS, regularized, refitted", regularized(sm.OLS, SCORE, alpha=0.01, refit=True)),
    _stats("OLS, regularized, unwrapped", unwrapped(regularized(sm.OLS, SCORE, alpha=0.1))),
    _stats("WLS", results(sm.WLS, SCORE, weights=_WEIGHTS)),
    _stats("WLS, unwrapped", unwrapped(results(sm.WLS, SCORE, weights=_WEIGHTS))),
    _stats("GLS", results(sm.GLS, SCORE)),
    _stats("GLSAR", results(sm.GLSAR, SCORE)),
    _stats("QuantReg", results(sm.QuantReg, SCORE)),
    _stats("RLM", results(sm.RLM, SCORE)),
    _stats("MixedLM", results(sm.MixedLM, SCORE, groups=_GROUPS)),
    _stats("MixedLM, unwrapped", unwrapped(results(sm.MixedLM, SCORE, groups=_GROUPS))),
)
