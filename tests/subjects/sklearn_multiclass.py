"""sklearn.multiclass."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tests.conformance.domains import FLAGS, LABELS, TWELVE, WORDS
from tests.conformance.subject import Subject, fitted, of_trees

_LOGISTIC = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
_VECTOR = LinearSVC(random_state=0)
_VECTORS = OneVsRestClassifier(_VECTOR)
_TREE = DecisionTreeClassifier(max_depth=3, random_state=0)

SUBJECTS = (
    Subject("OneVsRestClassifier, LogisticRegression", fitted(_LOGISTIC, WORDS)),
    Subject("OneVsRestClassifier, LogisticRegression, binary", fitted(_LOGISTIC, FLAGS)),
    Subject("OneVsRestClassifier, LogisticRegression, labels",
            fitted(OneVsRestClassifier(LogisticRegression()), LABELS)),
    Subject("OneVsRestClassifier, LinearSVC", fitted(_VECTORS, WORDS)),
    Subject("OneVsRestClassifier, LinearSVC, 12", fitted(_VECTORS, TWELVE)),
    Subject("OneVsRestClassifier, Ridge", fitted(OneVsRestClassifier(Ridge()), WORDS)),
    Subject("OneVsOneClassifier, LinearSVC", fitted(OneVsOneClassifier(_VECTOR), WORDS)),
    Subject("OneVsOneClassifier, Ridge, binary", fitted(OneVsOneClassifier(Ridge()), FLAGS)),
    of_trees("OneVsOneClassifier, trees", fitted(OneVsOneClassifier(_TREE), WORDS)),
    Subject("OutputCodeClassifier, LinearSVC",
            fitted(OutputCodeClassifier(_VECTOR, random_state=0), WORDS)),
    of_trees("OutputCodeClassifier, trees",
             fitted(OutputCodeClassifier(_TREE, random_state=1), WORDS)),
)  # fmt: skip
