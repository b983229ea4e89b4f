"""statsmodels.miscmodels."""

from __future__ import annotations

from dataclasses import replace

from statsmodels.miscmodels.ordinal_model import OrderedModel

from tests.conformance.domains import DESIGN, THREE, TWO
from tests.conformance.results import results
from tests.conformance.subject import Subject

# The thresholds take the place of a constant.
_NO_CONSTANT = replace(DESIGN, columns=dict(list(DESIGN.columns.items())[1:]))

SUBJECTS = tuple(
    Subject(
        f"OrderedModel, {distr}, {count} levels",
        results(OrderedModel, y, distr=distr),
        _NO_CONSTANT,
        chances=frozenset({"predict"}),
        checks=False,
    )
    for distr in ("probit", "logit")
    for count, y in ((2, TWO), (3, THREE))
)
