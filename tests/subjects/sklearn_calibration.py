"""sklearn.calibration."""

from __future__ import annotations

from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tests.conformance.domains import FLAGS, WORDS
from tests.conformance.subject import Subject, boosted, fitted

_TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
_FIT = fitted(_TREE, WORDS)


def _of_frozen(rows: Any) -> Any:
    return CalibratedClassifierCV(FrozenEstimator(_FIT(rows)), method="temperature").fit(
        rows, WORDS
    )


SUBJECTS = (
    Subject("CalibratedClassifierCV, sigmoid",
            fitted(CalibratedClassifierCV(LinearSVC(), cv=2), WORDS)),
    Subject("CalibratedClassifierCV, sigmoid, binary, one",
            fitted(CalibratedClassifierCV(LinearSVC(), cv=2, ensemble=False), FLAGS)),
    Subject("CalibratedClassifierCV, isotonic",
            fitted(CalibratedClassifierCV(
                LinearSVC(), method="isotonic", cv=2, ensemble=False), WORDS)),
    boosted("CalibratedClassifierCV, isotonic, trees",
            fitted(CalibratedClassifierCV(_TREE, method="isotonic", cv=2), FLAGS)),
    Subject("CalibratedClassifierCV, temperature",
            fitted(CalibratedClassifierCV(LinearSVC(), method="temperature", cv=2), FLAGS)),
    boosted("CalibratedClassifierCV, temperature, frozen trees", _of_frozen),
)  # fmt: skip
