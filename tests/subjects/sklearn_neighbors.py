"""sklearn.neighbors."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from tests.conformance.ragged import RaggedSubject
from tests.conformance.ragged_rows import points
from tests.conformance.subject import Subject, fitted

_CALLS = {
    "radius_neighbors": tuple({"radius": r} for r in (0.0, 0.5, 2, 1e300, -1.0, np.float32(0.1)))
}
SUBJECTS: tuple[Subject, ...] = ()
RAGGED = tuple(
    RaggedSubject(f"NearestNeighbors, {way}",
                  fitted(NearestNeighbors(radius=0.8, algorithm=way)), points, calls=_CALLS)
    for way in ("kd_tree", "ball_tree")
)  # fmt: skip
