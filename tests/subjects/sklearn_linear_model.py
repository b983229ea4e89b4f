"""sklearn.linear_model."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn import linear_model as lm

from tests.conformance.domains import (
    FLAGS,
    LABELS,
    OBJECTS,
    POSITIVE,
    SCORE,
    SCORES,
    THREE,
    TRUTHS,
    TWELVE,
    TWO,
    WORDS,
)
from tests.conformance.subject import Subject, fitted

#: A loss without probabilities leaves the scores alone.
_LOSSES = (
    "squared_hinge", "perceptron", "squared_error", "huber", "epsilon_insensitive",
    "squared_epsilon_insensitive",
)  # fmt: skip


def _sgd(loss: str, y: np.ndarray) -> Subject:
    count = f", {len(set(y))}" if len(set(y)) > 2 else ""
    # Steps small enough for the squared losses, which leave coefficients of 1e12 otherwise.
    steps = {"learning_rate": "adaptive", "eta0": 0.001}
    estimator = lm.SGDClassifier(loss=loss, random_state=0, max_iter=2000, **steps)
    return Subject(f"SGDClassifier, {loss}{count}", fitted(estimator, y))


SUBJECTS = (
    # ------------------------------------------------------------------- regression
    Subject("LinearRegression", fitted(lm.LinearRegression(), SCORE)),
    Subject("LinearRegression, 3 targets", fitted(lm.LinearRegression(), SCORES)),
    Subject("LinearRegression, no intercept",
            fitted(lm.LinearRegression(fit_intercept=False), SCORE)),
    Subject("LinearRegression, no intercept, 3 targets",
            fitted(lm.LinearRegression(fit_intercept=False), SCORES)),
    Subject("LinearRegression, positive", fitted(lm.LinearRegression(positive=True), SCORES)),
    Subject("LinearRegression, column", fitted(lm.LinearRegression(), SCORE[:, None])),
    Subject("Ridge", fitted(lm.Ridge(), SCORE)),
    Subject("Ridge, 3 targets", fitted(lm.Ridge(), SCORES)),
    Subject("Ridge, lsqr", fitted(lm.Ridge(solver="lsqr"), SCORES)),
    Subject("Ridge, column", fitted(lm.Ridge(), SCORE[:, None])),
    Subject("RidgeCV", fitted(lm.RidgeCV(), SCORE)),
    Subject("RidgeCV, 3 targets", fitted(lm.RidgeCV(alpha_per_target=True), SCORES)),
    Subject("Lasso", fitted(lm.Lasso(alpha=0.1), SCORE)),
    Subject("Lasso, 3 targets", fitted(lm.Lasso(alpha=0.1), SCORES)),
    Subject("Lasso, column", fitted(lm.Lasso(alpha=0.1), SCORE[:, None])),
    Subject("LassoCV", fitted(lm.LassoCV(cv=3, alphas=5), SCORE)),
    Subject("ElasticNet", fitted(lm.ElasticNet(alpha=0.1), SCORE)),
    Subject("ElasticNet, no intercept, 3 targets",
            fitted(lm.ElasticNet(alpha=0.1, fit_intercept=False), SCORES)),
    Subject("ElasticNetCV", fitted(lm.ElasticNetCV(cv=3, alphas=5), SCORE)),
    Subject("MultiTaskLasso", fitted(lm.MultiTaskLasso(alpha=0.1), SCORES)),
    Subject("MultiTaskLassoCV", fitted(lm.MultiTaskLassoCV(cv=3, alphas=5), SCORES)),
    Subject("MultiTaskElasticNet", fitted(lm.MultiTaskElasticNet(alpha=0.1), SCORES)),
    Subject("MultiTaskElasticNetCV", fitted(lm.MultiTaskElasticNetCV(cv=3, alphas=5), SCORES)),
    Subject("Lars", fitted(lm.Lars(), SCORE)),
    Subject("Lars, 3 targets", fitted(lm.Lars(), SCORES)),
    Subject("LarsCV", fitted(lm.LarsCV(cv=3), SCORE)),
    Subject("LassoLars", fitted(lm.LassoLars(alpha=0.01), SCORES)),
    Subject("LassoLarsCV", fitted(lm.LassoLarsCV(cv=3), SCORE)),
    Subject("LassoLarsIC", fitted(lm.LassoLarsIC(), SCORE)),
    Subject("OrthogonalMatchingPursuit",
            fitted(lm.OrthogonalMatchingPursuit(n_nonzero_coefs=2), SCORES)),
    Subject("OrthogonalMatchingPursuitCV", fitted(lm.OrthogonalMatchingPursuitCV(cv=3), SCORE)),
    Subject("BayesianRidge", fitted(lm.BayesianRidge(), SCORE)),
    Subject("ARDRegression", fitted(lm.ARDRegression(), SCORE)),
    Subject("HuberRegressor", fitted(lm.HuberRegressor(max_iter=1000), SCORE)),
    Subject("TheilSenRegressor",
            fitted(lm.TheilSenRegressor(random_state=0, max_subpopulation=50), SCORE)),
    Subject("QuantileRegressor", fitted(lm.QuantileRegressor(alpha=0.01), SCORE)),
    Subject("SGDRegressor", fitted(lm.SGDRegressor(random_state=0), SCORE)),
    Subject("SGDRegressor, Huber", fitted(lm.SGDRegressor(random_state=0, loss="huber"), SCORE)),
    Subject("SGDRegressor, averaged",
            fitted(lm.SGDRegressor(random_state=0, average=True), SCORE)),
    Subject("PassiveAggressiveRegressor",
            fitted(partial(lm.PassiveAggressiveRegressor, random_state=0), SCORE)),
    Subject("PoissonRegressor", fitted(lm.PoissonRegressor(), POSITIVE)),
    Subject("GammaRegressor", fitted(lm.GammaRegressor(), POSITIVE)),
    Subject("TweedieRegressor", fitted(lm.TweedieRegressor(power=1.5), POSITIVE)),
    Subject("TweedieRegressor, identity", fitted(lm.TweedieRegressor(power=0), SCORE)),
    # --------------------------------------------------------------- classification
    Subject("LogisticRegression, binary", fitted(lm.LogisticRegression(), TWO)),
    Subject("LogisticRegression, binary, text", fitted(lm.LogisticRegression(), FLAGS)),
    Subject("LogisticRegression, truths",
            fitted(lm.LogisticRegression(solver="newton-cholesky"), TRUTHS)),
    Subject("LogisticRegression, multinomial", fitted(lm.LogisticRegression(), THREE)),
    Subject("LogisticRegression, multinomial, text", fitted(lm.LogisticRegression(), WORDS)),
    Subject("LogisticRegression, 12", fitted(lm.LogisticRegression(fit_intercept=False), TWELVE)),
    Subject("LogisticRegression, liblinear",
            fitted(lm.LogisticRegression(solver="liblinear"), FLAGS)),
    Subject("LogisticRegression, no intercept",
            fitted(lm.LogisticRegression(fit_intercept=False), THREE)),
    Subject("LogisticRegressionCV, binary", fitted(lm.LogisticRegressionCV(cv=3, Cs=3), TWO)),
    Subject("LogisticRegressionCV, multinomial",
            fitted(lm.LogisticRegressionCV(cv=3, Cs=3), WORDS)),
    Subject("RidgeClassifier, truths", fitted(lm.RidgeClassifier(), TRUTHS)),
    Subject("RidgeClassifier, 3", fitted(lm.RidgeClassifier(), WORDS)),
    Subject("RidgeClassifier, labels", fitted(lm.RidgeClassifier(), LABELS)),
    Subject("RidgeClassifierCV", fitted(lm.RidgeClassifierCV(), TWELVE)),
    Subject("Perceptron", fitted(lm.Perceptron(random_state=0), TWO)),
    Subject("Perceptron, 3, objects", fitted(lm.Perceptron(random_state=0), OBJECTS)),
    Subject("PassiveAggressiveClassifier",
            fitted(partial(lm.PassiveAggressiveClassifier, random_state=0), WORDS)),
    Subject("SGDClassifier, hinge", fitted(lm.SGDClassifier(random_state=0), FLAGS)),
    Subject("SGDClassifier, hinge, 3", fitted(lm.SGDClassifier(random_state=0), WORDS)),
    Subject("SGDClassifier, log",
            fitted(lm.SGDClassifier(loss="log_loss", random_state=0), TWO)),
    Subject("SGDClassifier, log, 3",
            fitted(lm.SGDClassifier(loss="log_loss", random_state=0), THREE)),
    Subject("SGDClassifier, Huber",
            fitted(lm.SGDClassifier(loss="modified_huber", random_state=0), TWO)),
    Subject("SGDClassifier, Huber, 3",
            fitted(lm.SGDClassifier(loss="modified_huber", random_state=0), WORDS)),
    *(_sgd(loss, y) for loss in _LOSSES for y in (FLAGS, THREE)),
    Subject("RANSACRegressor", fitted(lm.RANSACRegressor(random_state=0), SCORES)),
    Subject("SGDOneClassSVM", fitted(lm.SGDOneClassSVM(random_state=0))),
)  # fmt: skip
