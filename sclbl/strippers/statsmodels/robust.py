"""`statsmodels.robust`: the linear predictor as it is."""

from __future__ import annotations

from sclbl.strippers.statsmodels.results import RESULTS, Linear

CLASSES = {
    "robust_linear_model.RLM": Linear(),
    "robust_linear_model.RLMResultsWrapper": RESULTS,
}
