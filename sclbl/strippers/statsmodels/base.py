"""`statsmodels.base`: results of penalized fits of any model."""

from __future__ import annotations

from sclbl.strippers.statsmodels.results import RESULTS

CLASSES = {
    "elastic_net.RegularizedResults": RESULTS,
    "elastic_net.RegularizedResultsWrapper": RESULTS,
}
