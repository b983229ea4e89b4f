"""sklearn.mixture."""

from __future__ import annotations

from dataclasses import replace

from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from tests.conformance.domains import NUMERIC
from tests.conformance.subject import Subject, fitted

#: Of rows of integers the models cut distances off to whole numbers, which int64 may not hold.
_FLOATS = replace(NUMERIC, forms=tuple(f for f in NUMERIC.forms if f != "int64"))
SUBJECTS = (
    *(Subject(f"GaussianMixture, {kind}", fitted(GaussianMixture(
          n_components=3, covariance_type=kind, random_state=0)), _FLOATS, single=True)
      for kind in ("full", "tied", "diag", "spherical")),
    Subject("GaussianMixture, 1", fitted(GaussianMixture(covariance_type="diag")), single=True),
    Subject("BayesianGaussianMixture", fitted(BayesianGaussianMixture(
        n_components=4, random_state=0)), _FLOATS, single=True),
    Subject("BayesianGaussianMixture, Dirichlet distribution", fitted(BayesianGaussianMixture(
        n_components=3, covariance_type="spherical", random_state=0,
        weight_concentration_prior_type="dirichlet_distribution")), single=True),
)  # fmt: skip
