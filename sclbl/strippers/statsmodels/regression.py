"""`statsmodels.regression`: the linear predictor as it is."""

from __future__ import annotations

from sclbl.strippers.statsmodels.results import RESULTS, Linear

CLASSES = {
    "linear_model.GLS": Linear(),
    "linear_model.GLSAR": Linear(),
    "linear_model.OLS": Linear(),
    "linear_model.OLSResults": RESULTS,
    "linear_model.RegressionResults": RESULTS,
    "linear_model.RegressionResultsWrapper": RESULTS,
    "linear_model.WLS": Linear(),
    # Its ``predict`` is the mean of a new group: the random effects are none of it.
    "mixed_linear_model.MixedLM": Linear(),
    "mixed_linear_model.MixedLMResults": RESULTS,
    "mixed_linear_model.MixedLMResultsWrapper": RESULTS,
    "quantile_regression.QuantReg": Linear(),
}
