"""Principal components of scikit-learn in the corners: extremes, likelihoods, no component."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA, IncrementalPCA

from sclbl.errors import (
    ColumnError,
    NotFittedError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.strippers import dispatch, strip
from tests.conformance.beside import check as checked

MODELS = [
    PCA(),
    PCA(whiten=True),
    PCA(n_components=2),
    PCA(n_components=0.8, svd_solver="full"),
    PCA(n_components="mle", svd_solver="full"),
    PCA(n_components=3, svd_solver="covariance_eigh", whiten=True),
    PCA(n_components=2, svd_solver="arpack", random_state=0),
    PCA(n_components=2, svd_solver="randomized", random_state=0, whiten=True),
    IncrementalPCA(n_components=3),
    IncrementalPCA(n_components=3, whiten=True, batch_size=20),
]
EVERYTHING = pytest.mark.parametrize("estimator", MODELS, ids=repr)


LIKELIHOOD = ("score_samples",)


def likelihood_of(model: object) -> tuple[str, ...]:
    """Return the extra method where a well-conditioned model of these tests offers it."""
    return LIKELIHOOD if isinstance(model, PCA) else ()


def check(model: object, rows: np.ndarray, also: tuple[str, ...] = ()) -> None:
    checked(model, rows, rtol=1e-12, also=also)


def make_rows() -> np.ndarray:
    random = np.random.default_rng(2)
    return random.normal(0, 1, (80, 5)) @ random.normal(0, 1, (5, 5)) + 3.0


@EVERYTHING
def test_extreme_and_single_rows(estimator):
    model = clone(estimator).fit(make_rows())
    X = np.vstack([np.zeros(5), np.full(5, 5e-324), np.full(5, -1e140), np.eye(5) * 1e6])
    check(model, X, also=likelihood_of(model))
    for row in X:
        check(model, row[None, :], also=likelihood_of(model))


def test_whitening_a_component_without_variance():
    X = np.zeros((20, 3))
    X[:, 0] = np.arange(20)
    model = PCA(whiten=True, svd_solver="covariance_eigh").fit(X)
    assert model.explained_variance_[-1] < np.finfo(float).eps
    check(model, X + 0.5)


def test_likelihood_is_written_on_request():
    model = PCA().fit(make_rows())
    assert dispatch.methods(model) == ("transform",)
    assert dispatch.optional(model) == (*LIKELIHOOD, "inverse_transform")
    with pytest.raises(UnsupportedMethodError, match="PCA does not offer score_samples"):
        strip(IncrementalPCA().fit(make_rows()), make_rows(), methods=LIKELIHOOD)


def test_likelihood_of_a_badly_conditioned_model_is_refused():
    X = make_rows()
    flat = np.column_stack([X, X[:, 0] * (1 + 1e-9)])
    # Components exactly as large as the noise.
    even = np.vstack([np.eye(4), -np.eye(4)])
    for model, rows in (
        (PCA(), flat),
        (PCA(n_components=5), flat),
        (PCA(), X[:3]),
        (PCA(n_components=2), even),
    ):
        model.fit(rows)
        check(model, rows)
        with pytest.raises(UnsupportedModelError, match="leave score_samples out of methods"):
            strip(model, rows, methods=LIKELIHOOD)


def test_a_likelihood_summed_in_another_order_is_the_same():
    """The bound on the condition number keeps other orders of summation within 1e-12."""
    X = np.random.default_rng(3).normal(0, 1, (80, 5)) * [75, 1, 1, 1, 1] + 3.0
    model = PCA().fit(X)
    assert np.linalg.cond(model.get_covariance()) > 5e3
    check(model, X, also=LIKELIHOOD)
    turned = model.score_samples(X)
    precision = model.get_precision()
    centered = X - model.mean_
    constant = 0.5 * (5 * np.log(2 * np.pi) - np.linalg.slogdet(precision)[1])
    by_hand = [
        -0.5
        * sum(
            a * sum(b * p for b, p in zip(r[::-1], c[::-1], strict=True))
            for a, c in zip(r, precision, strict=True)
        )
        - constant
        for r in centered
    ]
    np.testing.assert_allclose(by_hand, turned, rtol=1e-12)


def test_components_are_named():
    model = PCA(n_components=2).fit(make_rows())
    assert strip(model, make_rows()).signature.outputs["transform"].names == ("pca0", "pca1")


@pytest.mark.parametrize("estimator", [PCA(), IncrementalPCA()])
def test_unfitted(estimator):
    with pytest.raises(NotFittedError, match="PCA is not fitted; call its fit method first"):
        dispatch.methods(estimator)


def test_wrong_number_of_columns():
    with pytest.raises(ColumnError, match=r"has 4 columns, but .*PCA was fitted on 5"):
        strip(PCA().fit(make_rows()), make_rows()[:, :4])


def test_no_component():
    with pytest.raises(UnsupportedModelError, match="PCA keeps no component"):
        dispatch.methods(PCA(n_components=0).fit(make_rows()))
