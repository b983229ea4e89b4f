"""sklearn.cluster."""

from __future__ import annotations

from sklearn.cluster import KMeans, MiniBatchKMeans

from tests.conformance.domains import NUMERIC, Domain
from tests.conformance.subject import Subject, fitted

#: Its compiled predict takes rows of the type that it was fitted on, and no others.
_OWN = Domain(
    NUMERIC.columns,
    NUMERIC.frame,
    tuple(f for f in NUMERIC.forms if f not in ("float32 rows", "float64 rows")),
)
SUBJECTS = (
    Subject("KMeans", fitted(KMeans(4, n_init=1, random_state=0)), _OWN),
    Subject("MiniBatchKMeans", fitted(MiniBatchKMeans(3, n_init=1, random_state=0)), _OWN),
)
