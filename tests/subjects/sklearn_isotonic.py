"""sklearn.isotonic."""

from __future__ import annotations

from sklearn.isotonic import IsotonicRegression

from tests.conformance.domains import NUMERIC, SCORE, Domain
from tests.conformance.subject import Subject, fitted

_ONE = Domain({"alpha": NUMERIC.columns["alpha"]}, {"alpha": "float64"})

SUBJECTS = (
    Subject("IsotonicRegression", fitted(IsotonicRegression(), SCORE), _ONE),
    Subject("IsotonicRegression, clip", fitted(IsotonicRegression(
            out_of_bounds="clip", increasing=False), SCORE), _ONE),
)  # fmt: skip
