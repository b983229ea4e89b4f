"""sklearn.multioutput."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.tree import DecisionTreeClassifier

from tests.conformance.domains import LABELS, PAIRS, SCORES
from tests.conformance.subject import Subject, fitted, of_trees

_LOGISTIC = LogisticRegression()
_TREE = DecisionTreeClassifier(max_depth=4, random_state=0)

SUBJECTS = (
    Subject("MultiOutputClassifier", fitted(MultiOutputClassifier(_LOGISTIC), PAIRS)),
    of_trees("MultiOutputClassifier, trees", fitted(MultiOutputClassifier(_TREE), PAIRS)),
    Subject("MultiOutputRegressor", fitted(MultiOutputRegressor(Ridge()), SCORES)),
    Subject("ClassifierChain", fitted(ClassifierChain(_LOGISTIC, order=[2, 0, 1]), LABELS)),
    Subject("ClassifierChain, chances",
            fitted(ClassifierChain(_LOGISTIC, chain_method="predict_proba"), LABELS)),
    Subject("ClassifierChain, scores",
            fitted(ClassifierChain(_LOGISTIC, chain_method="decision_function"), LABELS)),
    of_trees("ClassifierChain, trees", fitted(ClassifierChain(_TREE), LABELS)),
    Subject("RegressorChain", fitted(RegressorChain(Ridge(), order=[1, 2, 0]), SCORES)),
)  # fmt: skip
