"""sklearn.neural_network."""

from __future__ import annotations

from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor

from tests.conformance.domains import FLAGS, LABELS, SCORE, SCORES, WORDS
from tests.conformance.subject import Subject, fitted

_FEW = {"max_iter": 40, "random_state": 0}

SUBJECTS = (
    Subject("BernoulliRBM", fitted(BernoulliRBM(5, n_iter=3, random_state=0))),
    Subject("MLPClassifier", fitted(MLPClassifier((6, 4), **_FEW), WORDS)),
    Subject("MLPClassifier, binary, tanh",
            fitted(MLPClassifier((5,), activation="tanh", **_FEW), FLAGS)),
    Subject("MLPClassifier, labels",
            fitted(MLPClassifier((5,), activation="logistic", **_FEW), LABELS)),
    Subject("MLPRegressor",
            fitted(MLPRegressor(hidden_layer_sizes=(5, 3), activation="logistic", **_FEW), SCORE)),
    Subject("MLPRegressor, 3 targets",
            fitted(MLPRegressor(hidden_layer_sizes=(8,), **_FEW), SCORES)),
)  # fmt: skip
