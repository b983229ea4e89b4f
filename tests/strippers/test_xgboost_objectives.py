"""XGBoost's boosters × its objectives × the containers of rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from scipy import sparse

import sclbl
from sclbl.errors import InfiniteValueError, UnknownCategoryError, UnsupportedModelError
from sclbl.strippers import strip
from tests.conformance.beside import run
from tests.conformance.threshold_rows import adversarial, thresholds

ROWS = 240
RNG = np.random.default_rng(3)
X = RNG.normal(size=(ROWS, 4))
X[:, 3] = np.round(X[:, 3] * 2)
SCORE = X[:, 0] * 2 + X[:, 3] + RNG.normal(size=ROWS) * 0.3
KINDS = np.array(["ant", "bee", "cow", "eel", "fox"])
KIND = KINDS[RNG.integers(5, size=ROWS)]
BOOSTERS: dict[str, dict[str, Any]] = {
    "gbtree": {"max_depth": 3},
    "dart": {"max_depth": 3, "rate_drop": 0.3},
    "gblinear": {},
}
#: Objectives whose transform has an exponential function in it.
AFTER_EXP = ("logistic", "poisson", "gamma", "tweedie", "cox", "aft", "softprob")


@cache
def objectives() -> tuple[str, ...]:
    """Return the names that the installed release knows."""
    with pytest.raises(xgb.core.XGBoostError) as caught:
        xgb.train({"objective": "none:such"}, xgb.DMatrix(X, label=SCORE), 1)
    lines = str(caught.value).splitlines()
    return tuple(x.split(": ")[1] for x in lines if x.startswith("Objective candidate: "))


def labels(objective: str) -> np.ndarray:
    if objective.startswith("multi:"):
        return np.digitize(SCORE, [-1, 1])
    if objective.startswith(("binary:", "rank:")) or objective == "reg:logistic":
        return (SCORE > 0).astype(int)
    squared = ("reg:squarederror", "reg:linear", "reg:absoluteerror", "reg:pseudohubererror")
    several = ("reg:quantileerror", "reg:expectileerror")
    return SCORE if objective in squared + several else np.exp(SCORE / 4)


def parameters(objective: str) -> dict[str, Any]:
    own: dict[str, Any] = {"objective": objective, "nthread": 1, "verbosity": 0}
    if objective.startswith("multi:"):
        own["num_class"] = 3
    for name in ("quantile", "expectile"):
        if objective == f"reg:{name}error":
            own[f"{name}_alpha"] = np.array([0.4, 0.5, 0.6])
    return own


def trained(booster: str, objective: str, rows: Any) -> xgb.Booster:
    y = labels(objective)
    if objective == "survival:aft":
        bounds = {"label_lower_bound": y, "label_upper_bound": y * 1.5}
        data = xgb.DMatrix(rows, enable_categorical=True, **bounds)
    else:
        data = xgb.DMatrix(rows, label=y, enable_categorical=True)
    if objective.startswith("rank:"):
        data.set_group([80, 80, 80])
    return xgb.train({**parameters(objective), **BOOSTERS[booster]}, data, 5)


def framed(rows: np.ndarray, kinds: np.ndarray, order: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list("abcd"))
    frame["kind"] = pd.Categorical(kinds, categories=list(order))
    return frame


def compared(booster: str, objective: str, container: str, count: int) -> Iterator[tuple[Any, Any]]:
    """Return the program's and the booster's margins, then their values."""
    usual: Any = X.astype(np.float32) if container == "float32" else X
    if container == "frame":
        usual = pd.DataFrame(X, columns=list("abcd"))
    elif container == "sparse":
        usual = sparse.csr_matrix(np.where(np.abs(X) < 0.5, 0.0, X))
    elif container == "categories":
        usual = framed(X, KIND, KINDS)
    model = trained(booster, objective, usual)
    spec = strip(model, usual[:5])
    limits = thresholds(spec.graph)[:4]
    found = adversarial(X, limits, rows=count, missing=0.1)
    rows: Any = found.astype(np.float32) if container == "float32" else found
    if container == "frame":
        rows = pd.DataFrame(found, columns=list("abcd"))
    elif container == "sparse":
        # Some zeros are there, and are numbers; what is not there is missing.
        rows = sparse.csr_matrix(np.where(np.isnan(found), 0.0, found))
        rows.data[::7] = 0.0
    elif container == "categories":
        rng = np.random.default_rng(1)
        kinds = np.where(rng.random(count) < 0.1, None, rng.choice(KINDS, size=count))
        rows = framed(found, kinds, KINDS[::-1])
    program = sclbl.compile(model, usual[:5])
    data = xgb.DMatrix(rows, enable_categorical=True)
    yield program.predict_margin(rows), model.predict(data, output_margin=True)
    yield program.predict(rows), model.predict(data)


def check(booster: str, objective: str, container: str, count: int) -> None:
    (ours, margins), (value, values) = compared(booster, objective, container, count)
    np.testing.assert_array_equal(ours, margins)
    assert (value.dtype, value.shape) == (values.dtype, values.shape)
    if objective == "reg:expectileerror":
        # A sum from the first margin on: what it loses is relative to what was added up.
        largest = np.maximum(np.abs(margins[:, :1]), np.abs(values))
        assert (np.abs(value - values) <= 2 * np.spacing(largest)).all()
    elif objective.endswith(AFTER_EXP):
        np.testing.assert_array_max_ulp(value, values, 2)
    else:
        np.testing.assert_array_equal(value, values)


CONTAINERS = ("float64", "float32", "frame", "sparse", "categories")
PAIRS = [(b, o) for b in BOOSTERS for o in objectives()]


@pytest.mark.parametrize(("booster", "objective"), PAIRS)
def test_an_objective(booster: str, objective: str) -> None:
    place = PAIRS.index((booster, objective))
    containers = CONTAINERS[:3] if booster == "gblinear" else CONTAINERS
    check(booster, objective, containers[place % len(containers)], 300)


@pytest.mark.exhaustive
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("booster", "objective"), PAIRS)
def test_all_objectives(booster: str, objective: str, container: str) -> None:
    if (booster, container) == ("gblinear", "sparse"):
        return  # refused, see below
    if (booster, container) == ("gblinear", "categories"):
        with pytest.raises(xgb.core.XGBoostError, match="categorical"):
            trained(booster, objective, framed(X, KIND, KINDS))
        return
    check(booster, objective, container, 100_000)


@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_a_category_that_was_not_in_training(booster: str) -> None:
    model = trained(booster, "reg:squarederror", framed(X, KIND, KINDS))
    spec = strip(model, framed(X, KIND, KINDS)[:5])
    rows = framed(X[:3], np.array(["ant", "yak", None]), np.array(["ant", "yak"]))
    with pytest.raises(UnknownCategoryError, match="row 1, column 4 holds an unknown category"):
        run(spec, rows)


def test_several_quantiles_that_cross() -> None:
    model = trained("gbtree", "reg:quantileerror", X)
    margins = model.predict(xgb.DMatrix(X), output_margin=True)
    assert (np.diff(margins, axis=1) < 0).any()
    wanted = model.predict(xgb.DMatrix(X))
    np.testing.assert_array_equal(run(strip(model, X[:5]), X)["predict"], wanted)


class TestLinear:
    """A booster of coefficients."""

    def test_rows_without_values_and_wide_ones(self) -> None:
        rng = np.random.default_rng(8)
        x = rng.normal(size=(100, 67)) * 10.0 ** rng.integers(-6, 6, size=67)
        model = trained_linear(x, x[:, 40] - x[:, 3])
        rows = np.where(rng.random((2000, 67)) < 0.3, np.nan, x[rng.integers(100, size=2000)])
        rows[0], rows[1] = np.nan, -0.0
        wanted = model.predict(xgb.DMatrix(rows))
        assert np.array_equal(sclbl.compile(model, x[:5]).predict(rows), wanted)

    def test_infinity_is_refused_unless_it_is_missing(self) -> None:
        rows = X[:3].copy()
        rows[2, 1] = np.inf
        model = xgb.XGBRegressor(booster="gblinear", n_estimators=3).fit(X, SCORE)
        with pytest.raises(xgb.core.XGBoostError, match="inf"):
            model.predict(rows)
        with pytest.raises(InfiniteValueError, match="row 2, column 1 is infinite"):
            run(strip(model, X[:5]), rows)
        own = xgb.XGBRegressor(booster="gblinear", n_estimators=3, missing=np.inf).fit(X, SCORE)
        np.testing.assert_array_equal(run(strip(own, X[:5]), rows)["predict"], own.predict(rows))

    def test_sparse_rows_are_refused(self) -> None:
        model = trained_linear(X, SCORE)
        with pytest.raises(UnsupportedModelError, match=r"a linear booster .* give dense rows, wi"):
            strip(model, sparse.csr_matrix(X)[:5])

    def test_no_rounds(self) -> None:
        model = xgb.train(
            {"booster": "gblinear", "base_score": 0.5}, xgb.DMatrix(X, label=SCORE), 0
        )
        wanted = model.predict(xgb.DMatrix(X))
        np.testing.assert_array_equal(run(strip(model, X[:5]), X)["predict"], wanted)


def trained_linear(x: np.ndarray, y: np.ndarray) -> xgb.Booster:
    own = {"booster": "gblinear", "objective": "reg:squarederror", "nthread": 1}
    return xgb.train(own, xgb.DMatrix(x, label=y), 6)
