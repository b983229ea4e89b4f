"""Support vector machines: votes, ties, and what they refuse."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.svm import SVC, SVR, NuSVC, OneClassSVM

import sclbl
from sclbl.errors import UnsupportedModelError

RNG = np.random.default_rng(5)
X = RNG.normal(size=(90, 3))
SIZE = X[:, 0] + X[:, 1] ** 2
ROWS = RNG.normal(size=(800, 3)) * 3
LABELS: dict[str, Any] = {
    "text": np.array(["b", "a", "c", "d"])[np.digitize(SIZE, [0, 1, 2])],
    "two": np.where(SIZE > 1, -4, 9),
    "truths": SIZE > 1,
}


def same(model: Any, program: Any, rows: Any = ROWS) -> None:
    for method in program.methods:
        ours, theirs = getattr(program, method)(rows), getattr(model, method)(rows)
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        if theirs.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
        else:
            np.testing.assert_array_equal(ours, theirs)


def fit(model: Any, x: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # probability=True is on its way out
        return model.fit(x, y)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(
    "options",
    [
        {"probability": True},
        {"kernel": "poly", "degree": 0},
        {"kernel": "poly", "degree": 5, "coef0": -0.5, "decision_function_shape": "ovo"},
        {"kernel": "sigmoid", "coef0": 0.2, "break_ties": True},
    ],
    ids=str,
)
def test_classifiers(labels: str, options: dict[str, Any]) -> None:
    model = fit(SVC(random_state=0, **options), X, LABELS[labels])
    same(model, sclbl.compile(model, X[:4]))


def test_rows_that_lie_between_vectors() -> None:
    """Of points that mirror each other libsvm's sums are 0, or nearly: in its order."""
    x = np.array([[-2.0], [-1.0], [1.0], [2.0], [3.0], [-3.0]])
    rows = np.linspace(-4, 4, 65)[:, None]
    for kernel in ("linear", "rbf"):
        model = NuSVC(nu=0.9, kernel=kernel).fit(x, x[:, 0] > 0)
        program = sclbl.compile(model, x)
        np.testing.assert_array_equal(program.predict(rows), model.predict(rows))
        model = SVC(kernel=kernel).fit(x, [0, 1, 2, 0, 1, 2])
        program = sclbl.compile(model, x)
        np.testing.assert_array_equal(program.predict(rows), model.predict(rows))


def test_kernels_that_overflow() -> None:
    model = SVC(kernel="poly", decision_function_shape="ovo").fit(X, LABELS["text"])
    program = sclbl.compile(model, X[:4])
    rows = np.array([[1e150, 0, 0], [-1e150, 1e150, 1e120], [1e300, -1e300, 1.0]])
    np.testing.assert_array_equal(program.predict(rows), model.predict(rows))
    np.testing.assert_array_equal(program.decision_function(rows), model.decision_function(rows))


@pytest.mark.parametrize("estimator", [SVC, SVR, OneClassSVM])
def test_a_precomputed_kernel(estimator: type) -> None:
    model = estimator(kernel="precomputed").fit(X @ X.T, LABELS["two"])
    given = ROWS @ X.T
    same(model, sclbl.compile(model, given[:4]), given)


def test_no_support_vectors() -> None:
    model = SVR(epsilon=1e3).fit(X, SIZE)
    same(model, sclbl.compile(model, X[:4]))


def test_sparse_rows_where_the_model_takes_them() -> None:
    rows = sparse.csr_array(ROWS)
    model = SVC().fit(sparse.csr_array(X), LABELS["text"])
    same(model, sclbl.compile(model, rows[:4]), rows)
    same(model, sclbl.compile(model, X[:4]))
    with pytest.raises(UnsupportedModelError, match="fitted on dense rows and refuses sparse"):
        sclbl.strip(SVC().fit(X, LABELS["text"]), rows[:4])


def test_what_is_refused() -> None:
    model = SVC(kernel=lambda a, b: a @ b.T).fit(X, LABELS["two"])
    with pytest.raises(UnsupportedModelError, match="computes its kernel in Python"):
        sclbl.strip(model, X[:4])
    tied = SVC(break_ties=True, decision_function_shape="ovo").fit(X, LABELS["text"])
    assert sclbl.strip(tied, X[:4]).methods == ("decision_function",)
    late = SVC().fit(X, LABELS["text"]).set_params(probability=True)
    with pytest.raises(UnsupportedModelError, match="needs probability=True before fit"):
        sclbl.strip(late, X[:4])
