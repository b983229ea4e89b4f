"""statsmodels.genmod: every family with every link."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats
import statsmodels.api as sm
from statsmodels.genmod.families import links
from statsmodels.genmod.generalized_linear_model import GLMResults, GLMResultsWrapper

from tests.conformance.domains import COUNTS, DESIGN, POSITIVE, ROWS, SCORE, TWO
from tests.conformance.results import regularized, results, unwrapped
from tests.conformance.subject import Make, Subject

families = sm.families
_CHANCE_LINKS = (links.Logit(), links.Probit(), links.Cauchy(), links.CLogLog(), links.LogLog())
_INVERSE = (links.InversePower(), links.InverseSquared())
_DISTRIBUTIONS = (
    scipy.stats.norm, scipy.stats.logistic, scipy.stats.gumbel_r, scipy.stats.gumbel_l,
)  # fmt: skip
_EVERY = (
    links.Identity(), links.Log(), links.LogC(), links.Sqrt(), *_CHANCE_LINKS, *_INVERSE,
    links.Power(3.0), links.Power(-0.7), links.Power(1), links.NegativeBinomial(alpha=0.7),
    *map(links.CDFLink, _DISTRIBUTIONS),
)  # fmt: skip
_FAMILIES: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "Gaussian": (families.Gaussian, SCORE),
    "Binomial": (families.Binomial, TWO),
    "Poisson": (families.Poisson, COUNTS),
    "Gamma": (families.Gamma, POSITIVE),
    "InverseGaussian": (families.InverseGaussian, POSITIVE),
    "NegativeBinomial": (lambda **o: families.NegativeBinomial(alpha=0.7, **o), COUNTS),
    "Tweedie": (lambda **o: families.Tweedie(var_power=1.5, **o), POSITIVE),
}


def _called(link: Any) -> str:
    name = type(link).__name__
    if isinstance(link, links.CDFLink) and type(link) is links.CDFLink:
        return f"{name} {link.dbn.name}"
    return f"{name} {link.power}" if type(link) is links.Power else name


def _glm(family: Callable[..., Any], link: Any, sign: float = 1.0) -> Make:
    """Fit on what the link gives for known coefficients, so that every pair of them converges."""

    def make(rows: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            y = link.inverse(sign * (DESIGN.training("float64") @ [0.25, 0.11, 0.163, 0.047]))
            return sm.GLM(y, rows, family=family(link=link, check_link=False)).fit()

    return make


def _given(family: Callable[..., Any], link: Any, y: np.ndarray) -> Make:
    """Return results with given coefficients: not every pair of family and link can be fitted."""

    def make(rows: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model = sm.GLM(y, rows, family=family(link=link, check_link=False))
            # The intercept keeps the linear predictor positive, where every inverse is defined.
            found = GLMResults(model, np.array([3.0, 0.3, -0.4, 0.1]), np.eye(4), 1.0)
            return GLMResultsWrapper(found)

    return make


def _stats(name: str, make: Make, *chances: str) -> Subject:
    return Subject(name, make, DESIGN, chances=frozenset(chances), checks=False)


def _pair(name: str, link: Any, sign: float = 1.0) -> Subject:
    family, _ = _FAMILIES[name]
    # Other links give what is no probability far from the training rows.
    chances = ("predict",) if name == "Binomial" and isinstance(link, _OF_CHANCES) else ()
    return _stats(f"GLM, {name}, {_called(link)}", _glm(family, link, sign), *chances)


_OF_CHANCES = tuple(type(link) for link in _CHANCE_LINKS)
_FITTED = (
    *(_pair("Gaussian", link) for link in (
        links.Identity(), links.Log(), links.Sqrt(), *_INVERSE, *_CHANCE_LINKS, links.Power(3.0),
        links.Power(-0.7), *map(links.CDFLink, _DISTRIBUTIONS))),
    *(_pair("Binomial", link) for link in _CHANCE_LINKS),
    _pair("Binomial", links.Identity()),
    _pair("Binomial", links.Log(), -1),
    _pair("Binomial", links.LogC(), -1),
    *(_pair("Poisson", link) for link in (links.Log(), links.Identity(), links.Sqrt())),
    *(_pair("Gamma", link) for link in (links.Log(), links.Identity(), links.InversePower())),
    *(_pair("InverseGaussian", link) for link in (links.Log(), links.Identity(), *_INVERSE)),
    _pair("NegativeBinomial", links.Log()),
    _pair("NegativeBinomial", links.Identity()),
    _pair("NegativeBinomial", links.CLogLog()),
    _pair("NegativeBinomial", links.NegativeBinomial(0.7), -1),
    _pair("Tweedie", links.Log()),
    _pair("Tweedie", links.Power(-0.7)),
)  # fmt: skip
_KNOWN = {subject.name for subject in _FITTED}

SUBJECTS = (
    *_FITTED,
    # The rest of all pairs, with coefficients that nothing was fitted to.
    *(_stats(name, _given(family, link, y))
      for label, (family, y) in _FAMILIES.items() for link in _EVERY
      if (name := f"GLM, {label}, {_called(link)}") not in _KNOWN),
    _stats("GLM, default", results(sm.GLM, SCORE)),
    _stats("GLM, unwrapped", unwrapped(results(sm.GLM, SCORE))),
    _stats("GLM, regularized", regularized(sm.GLM, SCORE, alpha=0.1)),
    _stats("GLM, trials", results(sm.GLM, np.column_stack([COUNTS, np.full(ROWS, 3.0)]),
           family=families.Binomial()), "predict"),
    *(_stats(f"GEE, {type(family).__name__}",
             results(sm.GEE, y, groups=np.arange(ROWS) // 5, family=family, cov_struct=structure))
      for family, y, structure in (
          (families.Gaussian(), SCORE, sm.cov_struct.Exchangeable()),
          (families.Poisson(), COUNTS, sm.cov_struct.Independence()),
          (families.Binomial(links.CLogLog()), TWO, sm.cov_struct.Independence()))),
    _stats("GEE, unwrapped", unwrapped(results(sm.GEE, SCORE, groups=np.arange(ROWS) // 5))),
)  # fmt: skip
