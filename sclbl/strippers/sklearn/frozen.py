"""`sklearn.frozen`: a fitted estimator that stays as it is."""

from __future__ import annotations

from sclbl.strippers.sklearn.inside import Inside

CLASSES = {"FrozenEstimator": Inside("estimator")}
