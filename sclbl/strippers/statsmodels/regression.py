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
    "quantile_regression.QuantReg": Linear(),
}
