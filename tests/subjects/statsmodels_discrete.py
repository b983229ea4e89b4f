"""statsmodels.discrete."""

from __future__ import annotations

from typing import Any

import statsmodels.api as sm

from tests.conformance.domains import COUNTS, DESIGN, THREE, TWO
from tests.conformance.results import regularized, results
from tests.conformance.subject import Make, Subject

_PENALTY: dict[str, Any] = {"alpha": 1.0, "disp": 0}


def _stats(name: str, make: Make, *chances: str) -> Subject:
    return Subject(name, make, DESIGN, chances=frozenset(chances), checks=False)


SUBJECTS = (
    _stats("Logit", results(sm.Logit, TWO), "predict"),
    _stats("Logit, regularized", regularized(sm.Logit, TWO, **_PENALTY), "predict"),
    _stats("Probit", results(sm.Probit, TWO), "predict"),
    _stats("Probit, regularized", regularized(sm.Probit, TWO, **_PENALTY), "predict"),
    _stats("MNLogit", results(sm.MNLogit, THREE), "predict"),
    _stats("MNLogit, regularized", regularized(sm.MNLogit, THREE, **_PENALTY), "predict"),
    _stats("Poisson", results(sm.Poisson, COUNTS)),
    _stats("Poisson, regularized", regularized(sm.Poisson, COUNTS, **_PENALTY)),
    *(_stats(f"NegativeBinomial, {name}",
             results(sm.NegativeBinomial, COUNTS, loglike_method=name))
      for name in ("nb1", "nb2", "geometric")),
    *(_stats(f"{name}, p={p}", results(getattr(sm, name), COUNTS, p=p))
      for name, p in (("GeneralizedPoisson", 1), ("GeneralizedPoisson", 2),
                      ("NegativeBinomialP", 1), ("NegativeBinomialP", 2))),
    _stats("GeneralizedPoisson, regularized",
           regularized(sm.GeneralizedPoisson, COUNTS, **_PENALTY)),
    _stats("NegativeBinomial, regularized",
           regularized(sm.NegativeBinomial, COUNTS, **_PENALTY)),
)  # fmt: skip
