"""Histogram gradient boosting of scikit-learn in the corners: ties, categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from sclbl.errors import InfiniteValueError, UnsupportedModelError
from sclbl.strippers import strip
from tests.conformance.beside import check, run, same
from tests.conformance.threshold_rows import EDGES, HUGE, INFINITE

# scikit-learn looks for NaN by summing X, which overflows where both extremes are in it.
pytestmark = pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered")

RNG = np.random.default_rng(0)
ROWS = 400
X = RNG.normal(size=(ROWS, 4))
X[:, 3] = np.round(X[:, 3] * 2)
SCORE = X[:, 0] * 2 + X[:, 3] + RNG.normal(size=ROWS) * 0.5
X_MISSING = np.where(RNG.random(X.shape) < 0.15, np.nan, X)
TWO = np.where(SCORE > 0, "yes", "no")
FOUR = np.digitize(SCORE, [-2, 0, 1.5])
SMALL: dict[str, Any] = {"max_iter": 10, "min_samples_leaf": 5, "random_state": 0}
KINDS = np.array(["ant", "bee", "cow", "dog", "eel", "fox"], dtype=object)[
    RNG.integers(6, size=ROWS)
]


def test_tie_of_two_classes_goes_to_the_first() -> None:
    flat = np.zeros((40, 1))
    model = HistGradientBoostingClassifier(max_iter=1).fit(flat, [0, 1] * 20)
    assert model.decision_function(flat)[0] == 0
    assert model.predict(flat)[0] == 0
    check(model, flat, rtol=1e-15)


def mixed_frame() -> pd.DataFrame:
    kinds = pd.Series(KINDS).where(RNG.random(ROWS) > 0.1, None)
    return pd.DataFrame(
        {
            "size": X[:, 0],
            "kind": pd.Categorical(kinds, categories=list(dict.fromkeys(KINDS))),
            "rank": pd.Categorical(RNG.integers(3, 9, size=ROWS)),
            "flag": pd.Categorical(X[:, 1] > 0),
            "weight": X_MISSING[:, 2],
        }
    )


def mixed_target(frame: pd.DataFrame) -> np.ndarray:
    bonus = frame["kind"].astype(object).map({"ant": 3.0, "cow": -2.0, "fox": 1.0}).fillna(0.0)
    return bonus.to_numpy() + frame["rank"].astype(int).to_numpy() % 3 + X[:, 0]


@pytest.mark.parametrize("categorical", ["from_dtype", ["kind", "rank", "flag"], [1, 2, 3]])
def test_categories_of_a_frame(categorical: Any) -> None:
    frame = mixed_frame()
    model = HistGradientBoostingRegressor(categorical_features=categorical, **SMALL)
    model.fit(frame, mixed_target(frame))
    graph = strip(model, frame[:20]).graph
    (ensemble,) = [n for n in graph.nodes if n.op == "sclbl.TreeEnsemble"]
    assert (ensemble.attrs["category_start"] >= 0).sum() > 5
    # Unknown categories, an absent one and ordinary ones, each in its own column.
    count = 500
    rng = np.random.default_rng(1)
    kind = rng.choice(np.array([*KINDS[:30], "yak", "", None], dtype=object), size=count)
    rank = rng.choice([3.0, 4.0, 5.0, 7.0, 8.0, 2.0, 9.0, 4.5, -1.0, 300.0, np.nan], size=count)
    flag = rng.choice([0.0, 1.0], size=count)
    pools = np.array([*EDGES, *HUGE, *INFINITE, np.nan])
    size, weight = (
        np.where(rng.random(count) < 0.3, rng.choice(pools, size=count), rng.normal(size=count))
        for _ in range(2)
    )
    rows = pd.DataFrame(
        {"size": size, "kind": kind, "rank": rank, "flag": flag == 1, "weight": weight}
    )
    check(model, frame[:20], rows)


@pytest.mark.parametrize("categorical", [[3], [False, False, False, True]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_categories_of_an_array(categorical: Any, dtype: type) -> None:
    x = X.astype(dtype)
    model = HistGradientBoostingClassifier(categorical_features=categorical, **SMALL).fit(x, FOUR)
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(400, 4)).astype(dtype)
    rows[:, 3] = rng.choice([-0.0, 0, 1, -1, 2, 0.5, 1e30, 300, -4, np.nan], size=400)
    spec = strip(model, x[:5], methods=["decision_function", "predict"])
    for method, got in run(spec, rows).items():
        same(method, got, getattr(model, method)(rows))


def test_many_categories_and_one_that_was_missing_throughout() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(250, size=2000).astype(float)
    x = np.column_stack([codes, np.full(2000, np.nan)])
    y = (codes * 7919) % 13
    model = HistGradientBoostingRegressor(categorical_features=[0, 1], **SMALL).fit(x, y)
    rows = np.column_stack(
        [np.arange(-5.0, 295.0), np.where(np.arange(300) % 2, np.nan, np.arange(300))]
    )
    check(model, x[:5], rows)


def test_infinite_category_is_refused_as_the_source_does() -> None:
    model = HistGradientBoostingRegressor(categorical_features=[3], **SMALL).fit(X, SCORE)
    rows = X[:2].copy()
    rows[1, 3] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.predict(rows)
    with pytest.raises(InfiniteValueError, match="row 1, column 3 is infinite"):
        run(strip(model, X[:2]), rows)


def test_text_column_given_as_numbers_is_refused() -> None:
    frame = mixed_frame()
    model = HistGradientBoostingRegressor(categorical_features="from_dtype", **SMALL)
    model.fit(frame, mixed_target(frame))
    with pytest.raises(UnsupportedModelError, match="needs text in column 'kind'"):
        strip(model, frame.assign(kind=1.0))
