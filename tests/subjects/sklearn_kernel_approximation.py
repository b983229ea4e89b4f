"""sklearn.kernel_approximation."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)

from tests.conformance.domains import ROWS, Domain
from tests.conformance.subject import Subject, fitted

_SEED: dict[str, Any] = {"n_components": 12, "random_state": 0}
_RNG = np.random.default_rng(22)
#: Numbers that are counts to these models: none is negative.
_COUNTS = Domain(
    {name: _RNG.integers(0, most, ROWS).astype(float) for name, most in (("p", 4), ("q", 30))},
    {"p": "float64", "q": "float64"},
    ("float64", "float32", "float64 frame"),
    discrete=frozenset({"p", "q"}),
)


def _angles(model: Any, rows: Any) -> np.ndarray:
    """Return how large the terms of the angles are, which a cosine is as uncertain as."""
    return np.abs(np.asarray(rows, dtype=np.float64)) @ np.abs(model.random_weights_)


def _sizes(model: Any, rows: Any) -> np.ndarray:
    """Return how large a product of transforms may be, whose rounding is that of all its terms."""
    sizes = np.abs(np.asarray(rows, dtype=np.float64)).sum(axis=1, keepdims=True)
    found: np.ndarray = (np.sqrt(model.gamma) * sizes + np.sqrt(model.coef0)) ** model.degree
    return found


SUBJECTS = (
    Subject("Nystroem", fitted(Nystroem(gamma=0.2, **_SEED))),
    *(Subject(f"PolynomialCountSketch, {degree}", fitted(PolynomialCountSketch(
          degree=degree, gamma=0.3, coef0=coef0, **_SEED)), _COUNTS, terms=_sizes)
      for degree, coef0 in ((1, 0), (3, 1.5))),
    Subject("RBFSampler", fitted(RBFSampler(gamma=0.3, **_SEED)), terms=_angles),
    Subject("SkewedChi2Sampler", fitted(SkewedChi2Sampler(skewedness=0.4, **_SEED)), _COUNTS),
    Subject("AdditiveChi2Sampler", fitted(AdditiveChi2Sampler(sample_steps=3)), _COUNTS),
)  # fmt: skip
