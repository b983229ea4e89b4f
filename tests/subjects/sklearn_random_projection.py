"""sklearn.random_projection."""

from __future__ import annotations

from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from tests.conformance.subject import Subject, backwards, fitted

SUBJECTS = (
    Subject("GaussianRandomProjection", fitted(GaussianRandomProjection(3, random_state=0))),
    Subject("SparseRandomProjection", fitted(SparseRandomProjection(2, random_state=0))),
    backwards("SparseRandomProjection, backwards",
              SparseRandomProjection(4, density=1.0, random_state=0,
                                     compute_inverse_components=True)),
    backwards("GaussianRandomProjection, backwards",
              GaussianRandomProjection(4, random_state=0)),
)  # fmt: skip
