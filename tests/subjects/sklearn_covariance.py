"""sklearn.covariance."""

from __future__ import annotations

from sklearn import covariance as c

from tests.conformance.subject import Subject, fitted

_ESTIMATORS = (
    c.EmpiricalCovariance(), c.GraphicalLasso(), c.GraphicalLassoCV(cv=3), c.LedoitWolf(),
    c.MinCovDet(random_state=0), c.OAS(assume_centered=True), c.ShrunkCovariance(shrinkage=0.3),
)  # fmt: skip
SUBJECTS = (
    *(Subject(type(e).__name__, fitted(e)) for e in _ESTIMATORS),
    Subject("EmpiricalCovariance, precision not kept",
            fitted(c.EmpiricalCovariance(store_precision=False))),
    Subject("EllipticEnvelope", fitted(c.EllipticEnvelope(random_state=0))),
)  # fmt: skip
