"""sklearn.naive_bayes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.naive_bayes import (
    BernoulliNB,
    CategoricalNB,
    ComplementNB,
    GaussianNB,
    MultinomialNB,
)

from tests.conformance.domains import FLAGS, ROWS, WORDS, Domain
from tests.conformance.subject import Make, Subject, fitted

_RNG = np.random.default_rng(21)
_CODES = Domain(
    {name: _RNG.integers(0, most, ROWS).astype(float) for name, most in (("p", 2), ("q", 9))},
    {"p": "float64", "q": "int64"},
    discrete=frozenset({"p", "q"}),
)


def _counted(estimator: Any, y: Any) -> Make:
    """Fit on what is not negative."""
    fit = fitted(estimator, y)
    return lambda rows: fit(np.abs(rows))


SUBJECTS = (
    Subject("GaussianNB", fitted(GaussianNB(), WORDS)),
    Subject("GaussianNB, binary, priors",
            fitted(GaussianNB(priors=[0.2, 0.8], var_smoothing=1e-3), FLAGS)),
    Subject("MultinomialNB", _counted(MultinomialNB(alpha=0.1), WORDS)),
    Subject("ComplementNB", _counted(ComplementNB(), WORDS)),
    Subject("ComplementNB, binary", _counted(ComplementNB(norm=True), FLAGS)),
    Subject("BernoulliNB", fitted(BernoulliNB(binarize=0.3, fit_prior=False), WORDS)),
    Subject("CategoricalNB", fitted(CategoricalNB(min_categories=4), WORDS), _CODES),
)  # fmt: skip
