"""XGBoost in the corners: numbers that stand for missing, categories, boosters, damaged files."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from sclbl.errors import (
    InfiniteValueError,
    SpecError,
    UnknownCategoryError,
    UnsupportedModelError,
)
from sclbl.strippers import strip
from sclbl.strippers.xgboost import objectives, ubjson
from tests.conformance.beside import check, run, same
from tests.conformance.threshold_rows import HUGE, INFINITE, adversarial, thresholds

RNG = np.random.default_rng(0)
ROWS = 300
X = RNG.normal(size=(ROWS, 4))
X[:, 3] = np.round(X[:, 3] * 2)
SCORE = X[:, 0] * 2 + X[:, 3] + RNG.normal(size=ROWS) * 0.5
TWO = (SCORE > 0).astype(int)
FOUR = np.digitize(SCORE, [-2, 0, 1.5])
X_MISSING = np.where(RNG.random(X.shape) < 0.15, np.nan, X)
BASE: dict[str, Any] = {"n_estimators": 12, "max_depth": 4, "n_jobs": 1, "random_state": 0}


def regressor(**options: Any) -> xgb.XGBRegressor:
    return xgb.XGBRegressor(**{**BASE, **options})


def classifier(**options: Any) -> xgb.XGBClassifier:
    return xgb.XGBClassifier(**{**BASE, **options})


def rows_for(model: Any, **options: Any) -> np.ndarray:
    options = {"extra": (*HUGE, *INFINITE), "missing": 0.1, **options}
    return adversarial(X, thresholds(strip(model, X[:5]).graph), **options)


@pytest.mark.parametrize("missing", [-999.1, 0.0, np.inf])
def test_missing_number(missing: float) -> None:
    x = np.where(np.isnan(X_MISSING), missing, X_MISSING)
    model = regressor(missing=missing).fit(x, SCORE)
    rows = rows_for(model, extra=(missing,))
    rows[RNG.random(rows.shape) < 0.2] = missing
    check(model, X[:5], rows, also=["apply"])


@pytest.mark.parametrize("onehot", [2, 100])
def test_codes_of_categories_in_an_array(onehot: int) -> None:
    codes = RNG.integers(70, size=ROWS).astype(float)
    x = np.column_stack([X[:, :2], codes, codes % 4])
    y = (codes * 7919 % 13) + SCORE
    model = regressor(
        feature_types=["q", "q", "c", "c"], enable_categorical=True, max_cat_to_onehot=onehot
    ).fit(x, y)
    graph = strip(model, x[:5]).graph
    (ensemble,) = [n for n in graph.nodes if n.op == "sclbl.TreeEnsemble"]
    assert (ensemble.attrs["category_start"] >= 0).sum() > 5
    rows = x[RNG.integers(ROWS, size=1000)]
    odd = [-0.0, -0.5, -1, 1.7, 31, 32, 63, 64, 70, 99, 1e9, 2.0**24, 2.0**24 - 1, 2.0**31]
    odd += [-(2.0**31), 1e30, np.inf, -np.inf, np.nan]
    for column in (2, 3):
        rows[RNG.random(1000) < 0.5, column] = RNG.choice(odd)
        chosen = RNG.random(1000) < 0.4
        rows[chosen, column] = RNG.choice(odd, size=chosen.sum())
    check(model, x[:5], rows)


KINDS = np.array(["fox", "ant", "cow", "eel", "bee"], dtype=object)


def frame(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    kind = pd.Series(rng.choice(KINDS, size=count)).where(rng.random(count) > 0.1, None)
    rank = pd.Series(rng.choice([3, 5, 9, 20], size=count))
    return pd.DataFrame(
        {
            "size": rng.normal(size=count),
            "kind": pd.Categorical(kind, categories=list(rng.permutation(KINDS))),
            "rank": pd.Categorical(rank, categories=list(rng.permutation([3, 5, 9, 20]))),
            "weight": rng.normal(size=count),
        }
    )


@pytest.fixture(scope="module")
def on_frames() -> xgb.XGBRegressor:
    rows = frame(400, 0)
    bonus = rows["kind"].astype(object).map({"fox": 3.0, "cow": -2.0, "bee": 1.0}).fillna(0.0)
    y = bonus.to_numpy() + rows["rank"].astype(int).to_numpy() % 4 + rows["size"].to_numpy()
    return regressor(enable_categorical=True, max_cat_to_onehot=2).fit(rows, y)


def test_categories_of_a_frame_are_recoded(on_frames: xgb.XGBRegressor) -> None:
    # Another order of the categories than in training, so that codes differ.
    check(on_frames, frame(20, 0), frame(500, 1))


def test_category_beyond_those_of_training_is_refused(on_frames: xgb.XGBRegressor) -> None:
    spec = strip(on_frames, frame(20, 0))
    rows = frame(3, 2)
    rows["kind"] = pd.Categorical(["ant", "zebra", "cow"])
    with pytest.raises(xgb.core.XGBoostError, match="not in the training set"):
        on_frames.predict(rows)
    with pytest.raises(UnknownCategoryError, match="row 1, column 1 holds an unknown category"):
        run(spec, rows)
    # XGBoost 3.2 looks up the next larger category instead of refusing one between two others;
    # that number belongs to another category, so it is refused all the same.
    rows["kind"] = pd.Categorical(["ant", "ape", "cow"])
    with pytest.raises(UnknownCategoryError, match="row 1, column 1"):
        run(spec, rows)
    rows["kind"] = pd.Categorical(["ant", "bee", "cow"])
    rows["rank"] = [3, 5, 4]
    with pytest.raises(UnknownCategoryError, match="row 2, column 2"):
        run(spec, rows)


def test_infinite_code_is_refused_where_the_source_makes_a_matrix() -> None:
    codes = (np.arange(90.0) % 3)[:, None]
    model = regressor(feature_types=["c"], enable_categorical=True).fit(codes, np.arange(90) % 3)
    rows = np.array([[1.0], [np.inf]])
    check(model, codes[:3], rows)
    of_leaves = strip(model, codes[:3], methods=["predict", "apply"])
    for spec in (of_leaves, strip(model.get_booster(), codes[:3])):
        with pytest.raises(InfiniteValueError, match="row 1, column 0 is infinite"):
            run(spec, rows)


def test_categories_beyond_ascii_are_refused() -> None:
    # XGBoost up to 3.2 keeps as many bytes of a name as it has characters.
    names = pd.Categorical(np.array(["éa", "b"])[np.arange(90) % 2], categories=["éa", "b"])
    rows = pd.DataFrame({"kind": names})
    model = regressor(enable_categorical=True).fit(rows, np.arange(90) % 2)
    with pytest.raises(
        UnsupportedModelError, match=r"beyond ASCII in column 'kind'.*rename the ca"
    ):
        strip(model, rows[:3])


def test_codes_in_an_array_for_a_model_of_frames(on_frames: xgb.XGBRegressor) -> None:
    # The names that the model was fitted on say that these columns hold categories.
    with pytest.raises(UnsupportedModelError, match="needs text in column 'kind', which holds num"):
        strip(on_frames, RNG.integers(0, 4, size=(200, 4)).astype(float))


def test_missing_number_with_recoded_categories_is_refused() -> None:
    rows = frame(100, 3)
    model = regressor(enable_categorical=True, missing=-1.0).fit(rows, rows["size"])
    with pytest.raises(UnsupportedModelError, match=r"missing=-1.0.*fit it with missing=numpy.nan"):
        strip(model, rows[:20])


@pytest.mark.parametrize("own", [{}, {"booster": "dart", "rate_drop": 0.3}])
def test_infinity_for_a_booster(own: dict[str, Any]) -> None:
    parameters = {"max_depth": 3, "base_score": 0.2, "objective": "binary:logistic", **own}
    parameters["verbosity"] = 0  # newer releases tell that DART will be a parameter
    model = xgb.train(parameters, xgb.DMatrix(X_MISSING, label=TWO), 8)
    rows = X[:2].copy()
    rows[0, 1] = np.inf
    with pytest.raises(xgb.core.XGBoostError, match="inf"):
        model.predict(xgb.DMatrix(rows))
    with pytest.raises(InfiniteValueError, match="row 0, column 1"):
        run(strip(model, X[:5]), rows)


def test_model_read_from_a_file() -> None:
    model = classifier().fit(X_MISSING, FOUR)
    again = xgb.XGBClassifier()
    again.load_model(model.get_booster().save_raw("json"))
    rows = rows_for(again)
    got = run(strip(again, X[:5]), rows)["predict_margin"]
    same("predict_margin", got, model.predict(rows, output_margin=True))


def test_every_objective_of_the_library_is_decided() -> None:
    with pytest.raises(xgb.core.XGBoostError) as caught:
        regressor(objective="none:such").fit(X, SCORE)
    lines = str(caught.value).splitlines()
    names = {line.split(": ")[1] for line in lines if line.startswith("Objective candidate: ")}
    assert names <= set(objectives.TRANSFORMS)


def test_damaged_ubjson_is_refused() -> None:
    raw = bytes(regressor(n_estimators=1).fit(X, SCORE).get_booster().save_raw("ubj"))
    assert ubjson.loads(raw)["learner"]["objective"]["name"] == "reg:squarederror"
    for cut in (0, 1, 10, len(raw) // 2, len(raw) - 1):
        with pytest.raises(SpecError, match=r"damaged|marker|length"):
            ubjson.loads(raw[:cut])
    with pytest.raises(SpecError, match="unknown marker"):
        ubjson.loads(b"?")


def test_ubjson_holds_what_json_holds() -> None:
    booster = classifier(n_estimators=2).fit(X_MISSING, FOUR).get_booster()
    plain = json.loads(booster.save_raw("json"))
    packed = ubjson.loads(booster.save_raw("ubj"))

    def compare(a: Any, b: Any) -> None:
        if isinstance(a, dict):
            assert a.keys() == b.keys()
            for key in a:
                compare(a[key], b[key])
        elif isinstance(a, list) and a and isinstance(a[0], dict):
            for one, other in zip(a, b, strict=True):
                compare(one, other)
        elif isinstance(a, list):
            np.testing.assert_array_equal(np.asarray(a, dtype=np.asarray(b).dtype), b)
        else:
            assert a == b

    compare(plain, packed)


def test_leaves_and_rounds_of_a_booster() -> None:
    parameters = {"max_depth": 3, "nthread": 1}
    model = xgb.train(parameters, xgb.DMatrix(X_MISSING, label=SCORE), 8)
    rows = rows_for(model, extra=())
    data = xgb.DMatrix(rows)
    spec = strip(model, X[:5], methods=["pred_leaf"])
    same("pred_leaf", run(spec, rows)["pred_leaf"], model.predict(data, pred_leaf=True))
    # A part of its rounds is a booster too.
    wanted = model.predict(data, iteration_range=(2, 5))
    same("predict", run(strip(model[2:5], X[:5]), rows)["predict"], wanted)
