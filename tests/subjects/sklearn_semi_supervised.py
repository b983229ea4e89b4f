"""sklearn.semi_supervised."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier

from tests.conformance.domains import NUMERIC, ROWS, THREE, Domain
from tests.conformance.subject import Subject, fitted

_RNG = np.random.default_rng(5)
_SOME = np.where(_RNG.random(ROWS) < 0.5, -1, _RNG.integers(0, 3, ROWS))
_FEW = np.where(np.arange(ROWS) % 3 == 0, -1, THREE)
#: Of float32 its kernel is computed in float32, with NumPy's own exponential function.
_WIDE = Domain(NUMERIC.columns, NUMERIC.frame, ("float64", "frame", "int64", "float64 frame"))
SUBJECTS = (
    Subject("LabelPropagation", fitted(LabelPropagation(gamma=0.1), _SOME), _WIDE),
    Subject("LabelSpreading", fitted(LabelSpreading(kernel="knn", n_neighbors=5), _SOME)),
    Subject("SelfTrainingClassifier", fitted(SelfTrainingClassifier(LogisticRegression()), _FEW)),
)
