"""sklearn.cluster."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import (
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    FeatureAgglomeration,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)

from tests.conformance.domains import NUMERIC, Domain
from tests.conformance.subject import Subject, fitted

#: Its compiled predict takes rows of the type that it was fitted on, and no others.
_OWN = Domain(
    NUMERIC.columns,
    NUMERIC.frame,
    tuple(f for f in NUMERIC.forms if f not in ("float32 rows", "float64 rows")),
)
SUBJECTS = (
    Subject("AffinityPropagation", fitted(AffinityPropagation(preference=-60, random_state=0))),
    Subject("Birch", fitted(Birch(threshold=1.2))),
    Subject("BisectingKMeans", fitted(BisectingKMeans(6, random_state=0)), _OWN),
    Subject("FeatureAgglomeration", fitted(FeatureAgglomeration(2))),
    Subject("FeatureAgglomeration, largest", fitted(FeatureAgglomeration(3, pooling_func=np.max))),
    Subject("MeanShift", fitted(MeanShift(bandwidth=2.0))),
    Subject("KMeans", fitted(KMeans(4, n_init=1, random_state=0)), _OWN),
    Subject("MiniBatchKMeans", fitted(MiniBatchKMeans(3, n_init=1, random_state=0)), _OWN),
)
