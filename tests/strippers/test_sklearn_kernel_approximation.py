"""Approximations of kernels: rows at the edge of what they take, and types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sclbl
from sclbl.errors import OutOfRangeError, UnsupportedModelError
from sclbl.fidelity.rounding import lost_in_rounding
from sclbl.fidelity.rows import from_blocks
from sclbl.rows import encode
from sclbl.strippers import strip

RNG = np.random.default_rng(9)
X = RNG.normal(size=(60, 3))
ROWS = RNG.normal(size=(400, 3)) * 3
POSITIVE = np.where(RNG.random(ROWS.shape) < 0.2, 0.0, np.abs(ROWS))


def same(model: Any, x: Any, rows: Any) -> None:
    wanted = model.transform(rows)
    found = sclbl.compile(model, x[:4]).transform(rows)
    wanted = wanted.toarray() if hasattr(wanted, "toarray") else wanted
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    bar = 1e-12 if found.dtype == np.float64 else 2e-5
    np.testing.assert_allclose(found, wanted, rtol=bar, atol=bar)


@pytest.mark.parametrize("count", [1, 2, 7, 100])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_products_of_sketches(dtype: str, count: int) -> None:
    for degree, coef0 in ((1, 0), (2, 0.5), (3, 0)):
        model = PolynomialCountSketch(
            degree=degree, coef0=coef0, gamma=0.7, n_components=count, random_state=degree
        )
        x = (X * 3).astype(dtype)
        rows = (ROWS * 3).astype(dtype)
        wanted = model.fit(x).transform(rows)
        found = sclbl.compile(model, x[:4]).transform(rows)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        sizes = (np.sqrt(0.7) * np.abs(rows).sum(axis=1, keepdims=True) + 1) ** degree
        assert (np.abs(found - wanted) <= 1e-14 * sizes).all()


def test_products_of_sketches_that_overflow() -> None:
    model = PolynomialCountSketch(degree=2, random_state=0).fit(X)
    program = sclbl.compile(model, X[:4])
    with pytest.raises(UnsupportedModelError, match="sparse rows has zeros that are"):
        sclbl.compile(model, sparse.csr_matrix(X[:4]))
    large = np.full((1, 3), 2e151)
    found, wanted = program.transform(large), model.transform(large)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())
    with pytest.raises(OutOfRangeError):
        program.transform(large * 1e50)
    with np.errstate(all="ignore"):
        assert not np.isfinite(model.transform(large * 1e50)).all()


@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_kernels_at_some_rows(dtype: str, kernel: str) -> None:
    model = Nystroem(kernel, gamma=0.5, n_components=6, random_state=0)
    same(model.fit((X * 3).astype(dtype)), (X * 3).astype(dtype), (ROWS * 3).astype(dtype))


def test_parameters_of_a_kernel() -> None:
    model = Nystroem("poly", kernel_params={"degree": 2, "coef0": 3, "gamma": 0.1}, n_components=4)
    same(model.fit(X), X, ROWS)
    chi2 = Nystroem("chi2", n_components=5, random_state=0).fit(np.abs(X))
    same(chi2, np.abs(X), POSITIVE)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_waves(dtype: str) -> None:
    same(
        RBFSampler(random_state=0, n_components=9).fit(X.astype(dtype)),
        X.astype(dtype),
        ROWS.astype(dtype),
    )
    model = SkewedChi2Sampler(skewedness=0.5, random_state=0, n_components=9)
    same(model.fit(np.abs(X).astype(dtype)), np.abs(X).astype(dtype), POSITIVE.astype(dtype))


def test_sparse_rows() -> None:
    rows = sparse.csr_array(POSITIVE)
    same(RBFSampler(random_state=0, n_components=9).fit(rows), rows, rows)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_zeros_stay_zeros(steps: int) -> None:
    interval = 0.3 if steps > 3 else None
    model = AdditiveChi2Sampler(sample_steps=steps, sample_interval=interval).fit(np.abs(X))
    same(model, np.abs(X), POSITIVE)
    same(model, np.abs(X).astype("float32"), POSITIVE.astype("float32"))
    with pytest.raises(
        UnsupportedModelError, match="for integers to whole numbers; give it floats"
    ):
        sclbl.strip(model, np.ones((3, 3), int))


def test_rows_out_of_range() -> None:
    rows = POSITIVE[:9].copy()
    rows[4, 1] = -0.5
    skewed = SkewedChi2Sampler(skewedness=0.5, random_state=0).fit(np.abs(X))
    additive = AdditiveChi2Sampler().fit(np.abs(X))
    for model in (skewed, additive):
        with pytest.raises(ValueError, match=r"[Nn]egative values|smaller than -skewedness"):
            model.transform(rows)
        with pytest.raises(OutOfRangeError, match=r"^row 4, column '1' is outside"):
            sclbl.compile(model, np.abs(X[:4])).transform(rows)
    rows[4, 1] = -0.4999
    same(skewed, np.abs(X), rows)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_forests_behind_cosines(dtype: type) -> None:
    """Of numbers as large as those that verification makes up, a cosine is rounding alone."""
    rows = np.random.default_rng(3).normal(size=(90, 3)).astype(dtype)
    labels = np.where(rows[:, 0] > 0.2, "yes", "no")
    forest = RandomForestClassifier(5, random_state=0)
    model = make_pipeline(RBFSampler(n_components=6, random_state=0), forest).fit(rows, labels)
    program = sclbl.compile(model, rows[:5])
    assert np.array_equal(program.predict(rows), model.predict(rows))
    made = np.vstack([rows[:40], rows[:4] * dtype(1e30)])
    sample = from_blocks(encode(made, program.signature))
    spec = strip(model, rows[:5])
    assert lost_in_rounding(spec, sample).tolist() == [False] * 40 + [True] * 4
    scaled = make_pipeline(StandardScaler(), forest).fit(rows, labels)
    assert not lost_in_rounding(strip(scaled, rows[:5]), sample).any()
