"""sklearn.multiclass."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from tests.conformance.domains import FLAGS, LABELS, TWELVE, WORDS
from tests.conformance.subject import Subject, fitted

_LOGISTIC = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
_VECTORS = OneVsRestClassifier(LinearSVC(random_state=0))

SUBJECTS = (
    Subject("OneVsRestClassifier, LogisticRegression", fitted(_LOGISTIC, WORDS)),
    Subject("OneVsRestClassifier, LogisticRegression, binary", fitted(_LOGISTIC, FLAGS)),
    Subject("OneVsRestClassifier, LogisticRegression, labels",
            fitted(OneVsRestClassifier(LogisticRegression()), LABELS)),
    Subject("OneVsRestClassifier, LinearSVC", fitted(_VECTORS, WORDS)),
    Subject("OneVsRestClassifier, LinearSVC, 12", fitted(_VECTORS, TWELVE)),
)  # fmt: skip
