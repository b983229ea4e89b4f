"""Scalers of scikit-learn in the corners: bits of float32, extremes, edges of clipped ranges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import preprocessing as pp
from sklearn.base import clone

from sclbl.errors import (
    ColumnError,
    NotFittedError,
    UnsupportedModelError,
)
from sclbl.strippers import dispatch, strip
from tests.conformance.beside import check as checked

SCALERS = [
    pp.StandardScaler(),
    pp.StandardScaler(with_mean=False),
    pp.StandardScaler(with_std=False),
    pp.StandardScaler(with_mean=False, with_std=False),
    pp.MinMaxScaler(),
    pp.MinMaxScaler(feature_range=(-3, 0.1)),
    pp.MinMaxScaler(clip=True),
    pp.MinMaxScaler(feature_range=(-0.3, 0.7), clip=True),
    pp.MaxAbsScaler(),
    pp.MaxAbsScaler(clip=True),
    pp.RobustScaler(),
    pp.RobustScaler(with_centering=False),
    pp.RobustScaler(with_scaling=False),
    pp.RobustScaler(with_centering=False, with_scaling=False),
    pp.RobustScaler(quantile_range=(5, 80), unit_variance=True),
]
NORMALIZERS = [pp.Normalizer(norm) for norm in ("l1", "l2", "max")]
EVERYTHING = pytest.mark.parametrize("scaler", SCALERS + NORMALIZERS, ids=repr)


def check(model: object, rows: np.ndarray) -> None:
    checked(model, rows, rtol=1e-12)


def make_rows() -> np.ndarray:
    """Columns of unlike sizes; the last two are constant, one of them zero."""
    X = np.random.default_rng(1).normal(0.3, 1.0, (60, 6))
    X[:, 3] = X[:, 3] * 1e-9 + 1e3
    X[:, 4] = 7.0
    X[:, 5] = 0.0
    return X


def extremes(width: int = 6) -> np.ndarray:
    return np.vstack(
        [
            np.zeros(width),
            np.full(width, -0.0),
            np.full(width, 5e-324),
            np.full(width, 2e-15),
            np.full(width, 1e300),
            np.full(width, -1e160),
            np.full(width, 1.7e308),
            np.linspace(-5, 5, width),
        ]
    )


@pytest.mark.parametrize("fit", ["float64", "float32"])
@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_scaled_float32_is_bit_equal(scaler, fit):
    model = clone(scaler).fit(make_rows().astype(fit))
    X = np.float32(make_rows() * 1.7)
    checked(model, X)


@EVERYTHING
def test_extreme_and_single_rows(scaler):
    model = clone(scaler).fit(make_rows())
    X = extremes()
    check(model, X)
    for row in X:
        check(model, row[None, :])
    with np.errstate(over="ignore"):
        small = np.float32(np.clip(X, -3e38, 3e38))
    check(model, small)


def test_a_column_without_a_single_value():
    X = make_rows()
    X[:, 0] = np.nan
    with np.errstate(all="ignore"):
        model = pp.StandardScaler().fit(X)
    assert np.isnan(model.mean_[0])
    check(model, X)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scaler", NORMALIZERS, ids=repr)
def test_norms_around_the_one_that_counts_as_zero(scaler, dtype):
    edge = np.dtype(dtype).type(10) * np.finfo(dtype).eps
    values = [np.nextafter(edge, edge.dtype.type(0)), edge, np.nextafter(edge, edge.dtype.type(1))]
    X = np.zeros((3, 2), dtype)
    X[:, 1] = values
    model = clone(scaler).fit(X)
    assert model.transform(X)[0, 1] == values[0]
    check(model, X)


@pytest.mark.parametrize("scaler", [SCALERS[7], SCALERS[9]], ids=repr)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_at_the_edges_of_the_clipped_range(scaler, dtype):
    X = make_rows().astype(dtype)
    model = clone(scaler).fit(X)
    edges = np.concatenate([X.min(axis=0), X.max(axis=0)]).reshape(2, -1)
    around = np.vstack([edges, np.nextafter(edges, X.dtype.type(-9)), np.nextafter(edges, 9)])
    check(model, around.astype(dtype))


def test_columns_keep_their_names():
    frame = pd.DataFrame(make_rows(), columns=list("abcdef"))
    spec = strip(pp.StandardScaler().fit(frame), frame)
    assert spec.signature.outputs["transform"].names == tuple("abcdef")


@pytest.mark.parametrize("scaler", [s for s in SCALERS if s.get_params().get("copy")][:5])
def test_unfitted(scaler):
    with pytest.raises(NotFittedError, match=rf"{type(scaler).__name__} is not fitted; call"):
        dispatch.methods(clone(scaler))


def test_normalizer_needs_no_fit():
    check(pp.Normalizer(), make_rows())


@EVERYTHING
def test_wrong_number_of_columns(scaler):
    model = clone(scaler).fit(make_rows())
    name = type(scaler).__name__
    with pytest.raises(ColumnError, match=f"has 2 columns, but .*{name} was fitted on 6"):
        strip(model, make_rows()[:, :2])


@pytest.mark.parametrize(
    ("scaler", "option"),
    [
        (pp.StandardScaler(with_mean=False, with_std=False), "with_mean"),
        (pp.StandardScaler(with_mean=False, with_std=False), "with_std"),
        (pp.RobustScaler(with_centering=False), "with_centering"),
        (pp.RobustScaler(with_scaling=False), "with_scaling"),
    ],
)
def test_an_option_switched_on_after_fit(scaler, option):
    model = clone(scaler).fit(make_rows()).set_params(**{option: True})
    with pytest.raises(UnsupportedModelError, match=f"{option} was changed after fit; fit it"):
        strip(model, make_rows())
