"""sklearn.manifold."""

from __future__ import annotations

from dataclasses import replace

from sklearn.manifold import Isomap, LocallyLinearEmbedding

from tests.conformance.domains import NUMERIC
from tests.conformance.subject import Subject, fitted

#: Equations in float32 are refused.
_WIDE = replace(NUMERIC, forms=("float64", "frame", "float64 frame"))

SUBJECTS = (
    Subject("Isomap", fitted(Isomap(n_neighbors=9, n_components=3))),
    Subject("LocallyLinearEmbedding",
            fitted(LocallyLinearEmbedding(n_neighbors=7, reg=0.01, random_state=0)), _WIDE),
)  # fmt: skip
