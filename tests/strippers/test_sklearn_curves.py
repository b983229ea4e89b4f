"""Bins, powers, quantiles, splines and encoded targets: edges, types, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    KernelCenterer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    TargetEncoder,
)

import sclbl
from sclbl.errors import InfiniteValueError, InputError, OutOfRangeError, UnsupportedModelError

RNG = np.random.default_rng(7)
X = np.column_stack([RNG.normal(size=150), RNG.integers(0, 6, 150), np.exp(RNG.normal(size=150))])
ROWS = np.concatenate([X, X + RNG.normal(size=X.shape) * 1e-7, RNG.normal(size=(400, 3)) * 4])
HOLES = np.where(RNG.random(ROWS.shape) < 0.1, np.nan, ROWS)


def same(model: Any, x: Any, rows: Any, bar: float = 1e-12) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # All-NaN columns of one row
        program = sclbl.compile(model, x[:4])
        wanted = model.transform(rows)
    wanted = wanted.toarray() if hasattr(wanted, "toarray") else wanted
    found = program.transform(rows)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    if found.dtype.kind == "f":
        bar = bar if found.dtype == np.float64 else 1e-5
        np.testing.assert_allclose(found, wanted, rtol=bar, atol=bar / 10)
    else:
        np.testing.assert_array_equal(found, wanted)


def fit(model: Any, x: Any, *y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of bins and quantiles that are left out
        return model.fit(x, *y)


def test_products_of_more_columns_than_there_are() -> None:
    model = PolynomialFeatures((3, 4), interaction_only=True, include_bias=False).fit(X[:, :2])
    with pytest.raises(UnsupportedModelError, match="PolynomialFeatures makes no column"):
        sclbl.compile(model, X[:4, :2])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("encode", ["onehot", "onehot-dense", "ordinal"])
def test_bins_and_their_edges(encode: str, dtype: str) -> None:
    x = (X * 3).astype(dtype)
    for strategy in ("uniform", "quantile", "kmeans"):
        model = fit(KBinsDiscretizer(4, encode=encode, strategy=strategy), x)
        edges = np.array([np.resize(e, 12) for e in model.bin_edges_]).T
        same(model, x, np.concatenate([edges, ROWS * 3]).astype(dtype))


def test_bins_in_another_type() -> None:
    model = fit(KBinsDiscretizer(3, encode="ordinal", dtype=np.float32), X)
    same(model, X, ROWS)
    rows = ROWS[:9].copy()
    rows[3, 1] = 1e300
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="infinity"):
        model.transform(rows)
    with pytest.raises(InfiniteValueError, match=r"^row 3, column '1' is infinite or too large"):
        sclbl.compile(model, X[:4]).transform(rows)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_thresholds(dtype: str) -> None:
    same(Binarizer(threshold=0.1).fit(X), X.astype(dtype), (ROWS * np.float32(0.1)).astype(dtype))


def test_centered_kernels() -> None:
    same(KernelCenterer().fit(X @ X.T), X @ X.T, ROWS @ X.T)


@pytest.mark.parametrize("exponents", [(0.0, 2.0, 1.3), (-1.5, 1.0, 2.5), (1e-20, 0.0, 0.0)])
def test_exponents_with_forms_of_their_own(exponents: tuple[float, ...]) -> None:
    for standardize in (False, True):
        model = PowerTransformer(standardize=standardize).fit(X)
        model.lambdas_ = np.array(exponents)
        same(model, X, HOLES, 1e-11)
        model = PowerTransformer("box-cox", standardize=standardize).fit(np.abs(X) + 1)
        model.lambdas_ = np.array(exponents)
        same(model, np.abs(X) + 1, np.abs(HOLES) + 0.1, 1e-11)


def test_box_cox_refuses_what_is_not_positive() -> None:
    model = PowerTransformer("box-cox").fit(np.abs(X) + 1)
    program = sclbl.compile(model, np.abs(X[:4]) + 1)
    rows = np.abs(ROWS) + 1
    rows[5, 2] = 0.0
    with pytest.raises(ValueError, match="strictly positive"):
        model.transform(rows)
    with pytest.raises(OutOfRangeError, match=r"^row 5, column '2' is outside"):
        program.transform(rows)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize("count", [1, 10, 140])
def test_quantiles_that_repeat(count: int, distribution: str, dtype: str) -> None:
    model = QuantileTransformer(n_quantiles=count, output_distribution=distribution)
    same(model.fit(X.astype(dtype)), X.astype(dtype), HOLES.astype(dtype))


@pytest.mark.parametrize("extrapolation", ["constant", "linear", "continue", "periodic"])
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_splines(degree: int, extrapolation: str) -> None:
    if degree == 0 and extrapolation == "linear":
        linear = SplineTransformer(n_knots=4, degree=0, extrapolation="linear").fit(X)
        with pytest.raises(UnsupportedModelError, match="for one below and above them all"):
            sclbl.strip(linear, X[:4])
        return
    if degree == 0 and extrapolation == "constant":
        model = SplineTransformer(degree=0, extrapolation="constant").fit(X)
        with pytest.raises(ValueError, match="broadcast"):
            model.transform(X + 1)
        with pytest.raises(UnsupportedModelError, match="fit it with degree=1"):
            sclbl.strip(model, X[:4])
        return
    options = {"degree": degree, "extrapolation": extrapolation, "n_knots": 5}
    same(SplineTransformer(**options).fit(X), X, ROWS)
    few = SplineTransformer(**options, include_bias=False, order="F").fit(X.astype("float32"))
    same(few, X.astype("float32"), ROWS.astype("float32"))
    if degree:
        same(SplineTransformer(**options, sparse_output=True).fit(X), X, ROWS)
    if "handle_missing" in few.get_params():
        rows = HOLES.copy()
        rows[3] = np.inf, -np.inf, 1e200
        same(SplineTransformer(**options, handle_missing="zeros").fit(X), X, rows)


def test_numbers_beyond_the_knots_are_refused_where_they_are_errors() -> None:
    model = SplineTransformer(extrapolation="error").fit(X)
    same(model, X, X)
    rows = X[:8].copy()
    rows[6, 0] = 40.0
    with pytest.raises(ValueError, match="beyond the limits"):
        model.transform(rows)
    with pytest.raises(OutOfRangeError, match=r"^row 6, column '0' is outside"):
        sclbl.compile(model, X[:4]).transform(rows)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_encoded_targets(classes: int) -> None:
    rows = pd.DataFrame({"n": RNG.integers(0, 5, 200), "t": RNG.choice(["a", "b", "ç"], 200)})
    rows["t"] = rows["t"].astype(object)
    size = RNG.normal(size=200) + (rows["t"] == "a")
    y = size if not classes else np.digitize(size, np.linspace(0, 1, classes - 1))
    model = fit(TargetEncoder(), rows, y)
    other = rows.copy()
    other.loc[3:9, "t"], other.loc[7:12, "n"] = "never", 77
    same(model, rows, other, 0.0)
    rows.loc[20:40, "t"] = None
    same(fit(TargetEncoder(smooth=2.0), rows, y), rows[20:], rows, 0.0)


def test_options_that_were_changed_after_fit() -> None:
    splines = SplineTransformer().fit(X)
    splines.degree = 2
    with pytest.raises(UnsupportedModelError, match="degree was changed after fit; fit it again"):
        sclbl.strip(splines, X[:5])
    bins = KBinsDiscretizer(encode="ordinal").fit(X)
    bins.encode = "onehot"
    with pytest.raises(InputError, match="'_encoder'; an option was changed after fit"):
        sclbl.strip(bins, X[:5])


@pytest.mark.parametrize("rows", [np.float32, np.float64])
@pytest.mark.parametrize("fitted", [np.float32, np.float64])
def test_powers_are_taken_in_the_type_of_the_exponents(fitted: type, rows: type) -> None:
    """A power that leaves the range of float32 is infinite, though its part may be within it."""
    train = np.random.default_rng(5).normal(size=(80, 2))
    train[:, 0] = -np.exp(train[:, 0])
    model = PowerTransformer(standardize=False).fit(train.astype(fitted))
    model.lambdas_[:] = [0.7, 1.316404]
    given = np.array([[-1e29, 2.16e29], [-1e20, 1e20], [1.5, -0.5]], dtype=rows)
    with np.errstate(over="ignore"):
        expected = model.transform(given)
        found = sclbl.compile(model, given[2:], tolerance=1e-5).transform(given)
    assert np.isinf(expected).any() == (fitted == rows == np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-5 if rows == np.float32 else 1e-13)
