"""Factorisations of scikit-learn that iterate for each row: every option, and where they stop."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import NMF, LatentDirichletAllocation, MiniBatchNMF
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import sclbl
from sclbl.errors import OutOfRangeError, UnsupportedModelError
from sclbl.strippers import strip
from tests.kept import program_of

RNG = np.random.default_rng(6)
X = RNG.gamma(1.0, 2.0, size=(30, 7)) + 0.1
#: Rows that stop early and late, and some that hold nothing.
ROWS = np.vstack([RNG.gamma(0.5, 2.0, size=(8, 7)) + 1e-3, X[:2] * 1e4, X[:2] * 1e-9])
SPARSE = np.where(RNG.random((8, 7)) < 0.4, 0.0, ROWS[:8])
BETAS = (-0.5, 0.0, 1.0, 1.5, 2.0, 3.5)


def fitted(model: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(X)


def check(model: Any, rows: np.ndarray) -> None:
    """Compare with what the model makes of each row alone."""
    program = program_of(strip(model, X[:3]))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected = np.vstack([model.transform(row[None]) for row in rows])
    scale = np.abs(expected).max(axis=1, keepdims=True)
    found = program.transform(rows)
    assert (np.abs(found - expected) <= 1e-11 * scale).all(), np.abs(found / expected - 1).max()


@pytest.mark.parametrize("beta", BETAS)
def test_every_divergence(beta: float) -> None:
    for alpha in (0.0, 0.002):
        options = {"beta_loss": beta, "alpha_W": alpha, "l1_ratio": 0.5, "init": "nndsvda"}
        model = fitted(NMF(3, solver="mu", max_iter=30, **options))
        check(model, ROWS)
        if beta > 0:
            check(model, SPARSE)
        model = fitted(MiniBatchNMF(3, random_state=0, max_iter=3, **options))
        check(model, ROWS)


def test_what_a_penalty_adds_stays() -> None:
    own = {"beta_loss": 1, "alpha_W": 0.01, "l1_ratio": 1.0, "init": "nndsvda"}
    model = fitted(NMF(3, solver="mu", max_iter=30, **own))
    check(model, SPARSE)
    sums = model.components_.sum(axis=1)
    other = fitted(MiniBatchNMF(3, random_state=0, max_iter=3, **own))
    other.components_ = model.components_
    check(other, SPARSE)
    assert (sums == model.components_.sum(axis=1)).all()


def test_descent() -> None:
    for (alpha, ratio), most in itertools.product(((0.0, 0.0), (0.01, 0.7)), (1, 200)):
        for tolerance in (0.0, 1e-4):
            model = NMF(3, alpha_W=alpha, l1_ratio=ratio, max_iter=most, tol=tolerance)
            check(fitted(model), np.vstack([ROWS, SPARSE, np.zeros((2, 7))]))


def test_no_tolerance() -> None:
    check(fitted(NMF(2, solver="mu", tol=0, max_iter=35)), np.vstack([SPARSE, np.zeros((1, 7))]))
    check(fitted(MiniBatchNMF(2, tol=0, max_iter=9, transform_max_iter=35)), SPARSE)


def test_topics() -> None:
    counts = np.floor(X * 3)
    for options in ({}, {"doc_topic_prior": 1e-7}, {"max_doc_update_iter": 1},
                    {"mean_change_tol": 0.0}, {"learning_method": "online"}):  # fmt: skip
        model = LatentDirichletAllocation(3, max_iter=2, random_state=0, **options).fit(counts)
        check(model, np.vstack([np.floor(SPARSE * 5), ROWS, np.zeros((1, 7))]))
    check(LatentDirichletAllocation(1, max_iter=2).fit(counts), counts)


def test_what_is_less_than_zero_is_refused() -> None:
    models = (NMF(2), LatentDirichletAllocation(2, max_iter=2))
    for model in models:
        program = program_of(strip(fitted(model), X))
        rows = X.copy()
        rows[4, 2] = -1e-300
        with pytest.raises(ValueError, match="Negative values"):
            model.transform(rows)
        with pytest.raises(OutOfRangeError) as refused:
            program.run("transform", rows)
        assert (refused.value.row, refused.value.column) == (4, "2")


def test_zeros_are_refused_where_a_divergence_has_none() -> None:
    model = fitted(NMF(2, solver="mu", beta_loss="itakura-saito", init="nndsvda"))
    program = program_of(strip(model, X))
    rows = X.copy()
    rows[4, 2] = 0
    with pytest.raises(ValueError, match="contains zeros"):
        model.transform(rows[4:5])
    with pytest.raises(OutOfRangeError):
        program.run("transform", rows)
    check(model, np.full((1, 7), 5e-324))


def test_what_hangs_on_chance_or_rounding_is_refused() -> None:
    for model, text in (
        (NMF(2, shuffle=True, random_state=0), "set shuffle=False"),
        (NMF(2), "refuses others; give it an example_input of float64"),
    ):
        with pytest.raises(UnsupportedModelError, match=text):
            strip(fitted(model), X.astype(np.float32))
    single = X.astype(np.float32)
    for model in (NMF(2, solver="mu"), MiniBatchNMF(2), LatentDirichletAllocation(2, max_iter=2)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(single)
        with pytest.raises(UnsupportedModelError, match="rounding decides when it stops"):
            strip(model, single)


def test_a_batch_is_what_its_rows_are_alone() -> None:
    model = fitted(NMF(3))
    spec = strip(model, X)
    assert "what it gives for each row alone" in spec.warnings[0]
    program = sclbl.compile(model, X[:8])  # verified
    inside = make_pipeline(NMF(2, max_iter=500), LogisticRegression()).fit(X, X[:, 0] > 2)
    sclbl.compile(inside, X[:8])
    assert not np.array_equal(model.transform(ROWS), program.transform(ROWS))
    np.testing.assert_allclose(model.transform(X), program.transform(X), atol=0.05)
