"""sklearn.neighbors."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import (
    KernelDensity,
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestCentroid,
    NearestNeighbors,
    NeighborhoodComponentsAnalysis,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)

from tests.conformance.domains import ROWS
from tests.conformance.ragged import RaggedSubject
from tests.conformance.ragged_rows import points
from tests.conformance.subject import Subject, fitted

_RNG = np.random.default_rng(11)
_TEXT = np.array(["no", "perhaps", "yes"])[_RNG.integers(0, 3, ROWS)]
_TWO = _RNG.integers(0, [2, 4], (ROWS, 2))
_REAL = _RNG.normal(size=ROWS)
_THREE = _RNG.normal(size=(ROWS, 3))
SUBJECTS: tuple[Subject, ...] = (
    Subject("KNeighborsClassifier, kd_tree",
            fitted(KNeighborsClassifier(5, weights="distance", algorithm="kd_tree"), _TEXT)),
    Subject("KNeighborsClassifier, brute",
            fitted(KNeighborsClassifier(7, algorithm="brute", metric="manhattan"), _TWO)),
    Subject("KNeighborsRegressor, ball_tree",
            fitted(KNeighborsRegressor(9, algorithm="ball_tree", weights="distance", p=1), _THREE)),
    Subject("KNeighborsRegressor, kd_tree", fitted(KNeighborsRegressor(12, p=3), _REAL)),
    Subject("RadiusNeighborsClassifier",
            fitted(RadiusNeighborsClassifier(2.5, weights="distance", outlier_label=-1), _TWO)),
    Subject("RadiusNeighborsRegressor",
            fitted(RadiusNeighborsRegressor(2.5, algorithm="ball_tree"), _REAL)),
    Subject("LocalOutlierFactor", fitted(LocalOutlierFactor(9, novelty=True))),
    Subject("KernelDensity", fitted(KernelDensity(bandwidth=0.7))),
    Subject("KernelDensity, ball_tree, breadth first", fitted(KernelDensity(
            bandwidth=2, kernel="linear", algorithm="ball_tree", breadth_first=True, rtol=1e-3))),
    Subject("NearestCentroid", fitted(NearestCentroid(shrink_threshold=0.1), _TEXT)),
    Subject("NearestCentroid, manhattan",
            fitted(NearestCentroid("manhattan", priors=[0.2, 0.3, 0.5]), _TEXT)),
    Subject("NeighborhoodComponentsAnalysis",
            fitted(NeighborhoodComponentsAnalysis(2, max_iter=3, random_state=0), _TEXT)),
)  # fmt: skip
_CALLS = {
    "radius_neighbors": tuple({"radius": r} for r in (0.0, 0.5, 2, 1e300, -1.0, np.float32(0.1)))
}
RAGGED = (
    *(RaggedSubject(f"NearestNeighbors, brute, {metric}",
                    fitted(NearestNeighbors(algorithm="brute", metric=metric)), points)
      for metric in ("euclidean", "sqeuclidean")),
    *(RaggedSubject(f"NearestNeighbors, {way}",
                    fitted(NearestNeighbors(radius=0.8, algorithm=way)), points, calls=_CALLS)
      for way in ("kd_tree", "ball_tree")),
    RaggedSubject("KNeighborsTransformer",
                  fitted(KNeighborsTransformer(n_neighbors=4, metric="chebyshev")), points),
    RaggedSubject("RadiusNeighborsTransformer",
                  fitted(RadiusNeighborsTransformer(radius=0.6, mode="connectivity")), points),
)  # fmt: skip
