"""Models that take sparse matrices, fitted on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import BernoulliNB
from sklearn.preprocessing import Binarizer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sclbl.errors import InfiniteValueError, MissingValueError
from tests.conformance.domains import SCORE, SCORES, WORDS
from tests.conformance.ragged import RaggedSubject, Refused
from tests.conformance.ragged_rows import altered, sparse
from tests.conformance.subject import Subject, fitted


def _refused(dtype: str = "float64", nan: bool = True) -> tuple[Refused, ...]:
    """Return rows that hold NaN or an infinity."""
    values: list[tuple[float, Any]] = [(np.inf, InfiniteValueError), (-np.inf, InfiniteValueError)]
    if nan:
        values.append((np.nan, MissingValueError))
    return tuple((altered(value, 6, 11, dtype), error, 6, "11") for value, error in values)


SUBJECTS: tuple[Subject, ...] = ()
RAGGED = (
    RaggedSubject("LogisticRegression, sparse", fitted(LogisticRegression(), WORDS),
                  sparse(), _refused(), rtol=1e-12),
    RaggedSubject("LogisticRegression, sparse float32", fitted(LogisticRegression(), WORDS),
                  sparse("float32"), _refused("float32"), rtol=1e-5),
    RaggedSubject("Ridge, sparse", fitted(Ridge(), SCORE), sparse(), _refused(), rtol=1e-12),
    RaggedSubject("Ridge, sparse, 3 outputs", fitted(Ridge(), SCORES),
                  sparse("int64", sp.csr_array), rtol=1e-12),
    RaggedSubject("Ridge, sparse by columns", fitted(Ridge(), SCORE),
                  sparse(container=sp.csc_matrix), _refused(), rtol=1e-12),
    RaggedSubject("TruncatedSVD, sparse", fitted(TruncatedSVD(3, random_state=0)),
                  sparse(), _refused(), rtol=1e-12),
    RaggedSubject("SelectKBest, sparse", fitted(SelectKBest(f_classif, k=5), WORDS),
                  sparse("float32"), _refused("float32")),
    RaggedSubject("VarianceThreshold, sparse", fitted(VarianceThreshold(0.01)), sparse()),
    RaggedSubject("BernoulliNB, sparse", fitted(BernoulliNB(binarize=0.1), WORDS),
                  sparse(), _refused(), rtol=1e-12),
    RaggedSubject("Binarizer, sparse", fitted(Binarizer(threshold=0.1)),
                  sparse("float32"), _refused("float32")),
    RaggedSubject("DecisionTreeClassifier, sparse", fitted(DecisionTreeClassifier(
                  random_state=0), WORDS), sparse(), _refused()),
    RaggedSubject("DecisionTreeRegressor, sparse float32", fitted(DecisionTreeRegressor(
                  random_state=0), SCORE), sparse("float32"), _refused("float32")),
)  # fmt: skip
