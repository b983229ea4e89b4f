"""Naive Bayes: what it refuses, and rows at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

import sclbl
from sclbl.errors import OutOfRangeError

RNG = np.random.default_rng(4)
CODES = RNG.integers(0, 4, size=(80, 3))
Y = np.array(["a", "b", "c"])[CODES.sum(axis=1) % 3]
METHODS = ("predict", "predict_proba", "predict_log_proba")


def same(model: object, program: object, rows: object) -> None:
    for method in METHODS:
        ours, theirs = getattr(program, method)(rows), getattr(model, method)(rows)
        if theirs.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
        else:
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("alpha", [1.0, 0.0])
def test_numbers_of_categories_lose_their_fraction(alpha: float) -> None:
    with np.errstate(divide="ignore"):
        model = CategoricalNB(alpha=alpha, min_categories=[4, 6, 5]).fit(CODES, Y)
    rows = np.array([[-0.9, 3.9, 4.9], [-0.0, 5.999, 0.5], [3.0, 0.0, 2.0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        same(model, sclbl.compile(model, CODES[:4].astype(float)), rows)


def test_a_class_without_a_prior() -> None:
    model = GaussianNB(priors=[0.0, 0.25, 0.75]).fit(CODES.astype(float), Y)
    program = sclbl.compile(model, CODES[:4].astype(float))
    with np.errstate(divide="ignore"):
        same(model, program, CODES.astype(float))


@pytest.mark.parametrize("bad", [-1.0, 4.0, 1e300, -1e300])
def test_numbers_of_no_category_are_refused(bad: float) -> None:
    model = CategoricalNB().fit(CODES, Y)
    program = sclbl.compile(model, CODES[:4].astype(float))
    rows = CODES[:4].astype(float)
    rows[2, 1] = bad
    with np.errstate(invalid="ignore"), pytest.raises((ValueError, IndexError)):
        model.predict(rows)
    with pytest.raises(OutOfRangeError, match=r"^row 2, column '1' is outside"):
        program.predict(rows)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "int64"])
def test_a_threshold_is_compared_in_the_type_of_the_rows(dtype: str) -> None:
    rows = CODES.astype(dtype)
    for threshold in (1.0, 0.1, None):
        given = rows if threshold is not None else (rows > 1).astype(dtype)
        model = BernoulliNB(binarize=threshold).fit(given, Y)
        edge = (given * np.float32(0.1)).astype(dtype)
        program = sclbl.compile(model, given[:4])
        same(model, program, given)
        same(model, program, edge)


@pytest.mark.parametrize("model", [MultinomialNB(), ComplementNB()])
def test_sparse_rows_and_one_class(model: MultinomialNB) -> None:
    rows = sparse.csr_array(np.where(CODES > 1, CODES, 0).astype(float))
    model.fit(rows, Y)
    same(model, sclbl.compile(model, rows[:4]), rows)
    model.fit(rows, np.zeros(len(Y)))
    same(model, sclbl.compile(model, rows[:4]), rows)
