"""`statsmodels.genmod`: generalized linear models, the inverse link of the linear predictor."""

from __future__ import annotations

from typing import Any

from sclbl.strippers.statsmodels import links
from sclbl.strippers.statsmodels.results import RESULTS, Formula


class GLM(Formula):
    def check_option(self, model: Any) -> None:
        links.find(model.family.link)

    def mean(self, model: Any, z: Any) -> Any:
        return links.find(model.family.link)(model.family.link, z)


CLASSES = {
    # Correlation within groups is one of the fit; the mean is a GLM's.
    "generalized_estimating_equations.GEE": GLM(),
    "generalized_estimating_equations.GEEResults": RESULTS,
    "generalized_estimating_equations.GEEResultsWrapper": RESULTS,
    "generalized_linear_model.GLM": GLM(),
    "generalized_linear_model.GLMResults": RESULTS,
    "generalized_linear_model.GLMResultsWrapper": RESULTS,
}
