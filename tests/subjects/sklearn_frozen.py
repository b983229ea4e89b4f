"""sklearn.frozen."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from tests.conformance.domains import WORDS
from tests.conformance.subject import Subject, fitted

_FIT = fitted(LogisticRegression(), WORDS)


def _frozen(rows: Any) -> Any:
    return FrozenEstimator(_FIT(rows))


SUBJECTS = (Subject("FrozenEstimator", _frozen),)
