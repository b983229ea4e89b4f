"""sklearn.manifold."""

from __future__ import annotations

from sklearn.manifold import Isomap

from tests.conformance.subject import Subject, fitted

SUBJECTS = (Subject("Isomap", fitted(Isomap(n_neighbors=9, n_components=3))),)
