"""sklearn.semi_supervised."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import SelfTrainingClassifier

from tests.conformance.domains import ROWS, THREE
from tests.conformance.subject import Subject, fitted

_SOME = np.where(np.arange(ROWS) % 3 == 0, -1, THREE)

SUBJECTS = (
    Subject("SelfTrainingClassifier", fitted(SelfTrainingClassifier(LogisticRegression()), _SOME)),
)
