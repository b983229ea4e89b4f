"""sklearn.discriminant_analysis."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as Linear
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis as Quadratic

from tests.conformance.domains import FLAGS, THREE, TRUTHS, TWELVE, TWO, WORDS
from tests.conformance.subject import Subject, fitted


def _scores(model: Any, rows: Any) -> np.ndarray:
    """Probabilities hang on differences of scores that may be much larger than these."""
    chances = model.predict_proba(rows)
    sizes = np.abs(model._decision_function(rows)).max(axis=1, keepdims=True)
    return 2 * sizes * (chances * (1 - chances)).max(axis=1, keepdims=True)


SUBJECTS = (
    Subject("LinearDiscriminantAnalysis", fitted(Linear(), WORDS)),
    Subject("LinearDiscriminantAnalysis, 2 classes", fitted(Linear(), FLAGS)),
    Subject("LinearDiscriminantAnalysis, least squares",
            fitted(Linear(solver="lsqr", shrinkage="auto"), TWELVE)),
    Subject("LinearDiscriminantAnalysis, eigenvalues",
            fitted(Linear(solver="eigen", n_components=1), THREE)),
    Subject("QuadraticDiscriminantAnalysis", fitted(Quadratic(), WORDS), single=True,
            terms=_scores),
    Subject("QuadraticDiscriminantAnalysis, 2 classes",
            fitted(Quadratic(reg_param=0.1), TRUTHS), single=True, terms=_scores),
    Subject("QuadraticDiscriminantAnalysis, eigenvalues",
            fitted(Quadratic(solver="eigen", shrinkage=0.1, priors=[0.3, 0.7]), TWO), single=True,
            terms=_scores),
)  # fmt: skip
