"""IterativeImputer: rounds, orders, bounds, and what it refuses."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # lets the next line work
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sclbl
from sclbl.errors import MissingValueError, UnsupportedModelError

RNG = np.random.default_rng(10)
FULL = RNG.normal(size=(120, 4))
FULL[:, 3] = FULL[:, 0] + FULL[:, 1] ** 2
X = np.where(RNG.random(FULL.shape) < 0.15, np.nan, FULL)
X[:, 2] = FULL[:, 2]
ROWS = np.where(RNG.random((500, 4)) < 0.3, np.nan, RNG.normal(size=(500, 4)) * 3)


def same(model: Any, x: Any, rows: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rounds that end early
        model.fit(x)
        program = sclbl.compile(model, x[:5])
        wanted, found = model.transform(rows), program.transform(rows)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    bar = 1e-11 if found.dtype == np.float64 else 1e-4
    np.testing.assert_allclose(found, wanted, rtol=bar, atol=bar)


@pytest.mark.parametrize(
    "options",
    [
        {"imputation_order": "roman"},
        {"imputation_order": "random", "n_nearest_features": 2},
        {"initial_strategy": "constant", "fill_value": 0.5, "add_indicator": True},
        {"initial_strategy": "most_frequent", "skip_complete": True},
        {"min_value": -1, "max_value": [1, 2, 3, 1.5]},
        {"max_iter": 0},
        {"estimator": make_pipeline(StandardScaler(), LinearRegression())},
        {"estimator": RandomForestRegressor(3, random_state=0, max_depth=3), "max_iter": 1},
    ],
    ids=str,
)
def test_options(options: dict[str, Any]) -> None:
    model = IterativeImputer(**{"max_iter": 3, "random_state": 0, **options})
    same(model, X, ROWS)
    same(model, X.astype("float32"), ROWS.astype("float32"))


@pytest.mark.parametrize("keep", [True, False])
def test_a_column_that_was_missing_throughout(keep: bool) -> None:
    x = X.copy()
    x[:, 1] = np.nan
    same(IterativeImputer(keep_empty_features=keep, add_indicator=True, max_iter=2), x, ROWS)


def test_a_number_that_stands_for_missing() -> None:
    x, rows = np.nan_to_num(X, nan=-1), np.nan_to_num(ROWS, nan=-1)
    model = IterativeImputer(missing_values=-1, estimator=Ridge(), max_iter=2)
    same(model, x, rows)
    with pytest.raises(MissingValueError):
        sclbl.compile(model, x[:4]).transform(ROWS)


def test_what_is_refused() -> None:
    model = IterativeImputer(sample_posterior=True, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X)
    with pytest.raises(UnsupportedModelError, match="draws random numbers"):
        sclbl.strip(model, X[:4])
