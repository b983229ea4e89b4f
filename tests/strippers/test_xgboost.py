"""XGBoost: margins and leaves bit-equal to the library, what follows an exp within 2 ULP."""

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
from sclbl.signature import Column
from sclbl.spec import Graph
from sclbl.strippers import dispatch
from sclbl.strippers.xgboost import boosting, ubjson
from tests.tree_checks import graph_of, run, same_bits, same_labels, within_ulps
from tests.tree_rows import HUGE, INFINITE, adversarial, thresholds

RNG = np.random.default_rng(0)
ROWS = 300
X = RNG.normal(size=(ROWS, 4))
X[:, 3] = np.round(X[:, 3] * 2)
SCORE = X[:, 0] * 2 + X[:, 3] + RNG.normal(size=ROWS) * 0.5
TWO = (SCORE > 0).astype(int)
FOUR = np.digitize(SCORE, [-2, 0, 1.5])
POSITIVE = np.exp(SCORE / 3)
SHARE = 1 / (1 + np.exp(-SCORE))
X_MISSING = np.where(RNG.random(X.shape) < 0.15, np.nan, X)
BASE: dict[str, Any] = {"n_estimators": 12, "max_depth": 4, "n_jobs": 1, "random_state": 0}


def regressor(**options: Any) -> xgb.XGBRegressor:
    return xgb.XGBRegressor(**{**BASE, **options})


def classifier(**options: Any) -> xgb.XGBClassifier:
    return xgb.XGBClassifier(**{**BASE, **options})


def rows_for(graph: Any, x: np.ndarray = X, **options: Any) -> np.ndarray:
    options = {"extra": (*HUGE, *INFINITE), "missing": 0.1, **options}
    return adversarial(x, thresholds(graph), **options)


REGRESSORS: dict[str, tuple[Any, np.ndarray]] = {
    "reg:squarederror": (regressor(), SCORE),
    "base-score": (regressor(base_score=1.7), SCORE),
    "exact": (regressor(tree_method="exact", gamma=1.0), SCORE),
    "leaf-wise": (regressor(grow_policy="lossguide", max_leaves=9, max_depth=0), SCORE),
    "parallel": (regressor(num_parallel_tree=3, subsample=0.5, n_estimators=4), SCORE),
    "dart": (regressor(booster="dart", rate_drop=0.4), SCORE),
    "dart-base": (regressor(booster="dart", rate_drop=0.4, base_score=77.7), SCORE),
    "reg:logistic": (regressor(objective="reg:logistic"), SHARE),
    "binary:logistic": (regressor(objective="binary:logistic"), TWO),
    "binary:logitraw": (regressor(objective="binary:logitraw"), TWO),
    "binary:hinge": (regressor(objective="binary:hinge"), TWO),
    "count:poisson": (regressor(objective="count:poisson"), POSITIVE),
    "reg:gamma": (regressor(objective="reg:gamma"), POSITIVE),
    "reg:tweedie": (regressor(objective="reg:tweedie"), POSITIVE),
    "reg:absoluteerror": (regressor(objective="reg:absoluteerror"), SCORE),
    "reg:pseudohubererror": (regressor(objective="reg:pseudohubererror"), SCORE),
    "reg:squaredlogerror": (regressor(objective="reg:squaredlogerror"), POSITIVE),
    "reg:quantileerror": (regressor(objective="reg:quantileerror", quantile_alpha=0.3), SCORE),
    "quantiles": (
        regressor(objective="reg:quantileerror", quantile_alpha=np.array([0.1, 0.5, 0.9])),
        SCORE,
    ),
    "survival:cox": (regressor(objective="survival:cox"), POSITIVE),
    "outputs": (regressor(), np.column_stack([SCORE, -SCORE, X[:, 1]])),
    "vector-leaves": (
        regressor(multi_strategy="multi_output_tree"),
        np.column_stack([SCORE, -SCORE, X[:, 1]]),
    ),
    "forest": (
        xgb.XGBRFRegressor(n_estimators=6, max_depth=4, n_jobs=1, random_state=0),
        SCORE,
    ),
    "one-leaf": (regressor(max_depth=1, min_child_weight=1e9), SCORE),
}
CLASSIFIERS: dict[str, tuple[Any, np.ndarray]] = {
    "two": (classifier(), TWO),
    "two-base": (classifier(base_score=0.3, scale_pos_weight=2.0), TWO),
    "four": (classifier(), FOUR),
    "four-parallel": (classifier(num_parallel_tree=2, n_estimators=4), FOUR),
    "four-dart": (classifier(booster="dart", rate_drop=0.4), FOUR),
    "softmax": (classifier(objective="multi:softmax"), FOUR),
    "softprob-two": (classifier(objective="multi:softprob", num_class=2), TWO),
    "hinge": (classifier(objective="binary:hinge"), TWO),
    "logitraw": (classifier(objective="binary:logitraw"), TWO),
    "labels": (classifier(), np.column_stack([TWO, FOUR > 1, X[:, 1] > 0]).astype(int)),
    "vector-leaves": (classifier(multi_strategy="multi_output_tree"), FOUR),
    "forest": (
        xgb.XGBRFClassifier(n_estimators=6, max_depth=4, n_jobs=1, random_state=0),
        FOUR,
    ),
}


def margins_alike(
    model: Any, y: np.ndarray, missing: bool
) -> tuple[Graph, np.ndarray, dict[str, np.ndarray]]:
    """Fit and strip; check margins; return the graph, rows, and what it makes of them."""
    model.fit(X_MISSING if missing else X, y)
    graph = graph_of(model, 4)
    rows = rows_for(graph, missing=0.1 if missing else 0.0)
    got = run(graph, rows)
    same_bits(got["predict_margin"], model.predict(rows, output_margin=True))
    return graph, rows, got


@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("missing", [False, True])
def test_regressor(name: str, missing: bool) -> None:
    model, y = REGRESSORS[name]
    _, rows, got = margins_alike(model, y, missing)
    within_ulps(got["predict"], model.predict(rows))
    transform = boosting.TRANSFORMS[
        json.loads(model.get_booster().save_config())["learner"]["objective"]["name"]
    ]
    if transform in (boosting._same, boosting._step):
        same_bits(got["predict"], model.predict(rows))


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("missing", [False, True])
def test_classifier(name: str, missing: bool) -> None:
    model, y = CLASSIFIERS[name]
    graph, rows, got = margins_alike(model, y, missing)
    within_ulps(got["predict_proba"], model.predict_proba(rows))
    expected = model.predict(rows)
    if expected.ndim == 2:
        same_bits(got["predict"], expected)
    else:
        same_labels(graph, got["predict"], expected)


def test_float32_rows() -> None:
    model = regressor().fit(X_MISSING, SCORE)
    graph = graph_of(model, (Column(None, "float32"),) * 4)
    rows = rows_for(graph, extra=INFINITE).astype(np.float32)
    same_bits(run(graph, rows)["predict"], model.predict(rows))


def test_early_stopping_uses_the_best_iteration() -> None:
    noise = RNG.normal(size=ROWS)
    for model, y in (
        (regressor(n_estimators=60, early_stopping_rounds=3, learning_rate=0.8), SCORE + noise),
        (classifier(n_estimators=60, early_stopping_rounds=3, num_parallel_tree=2), FOUR),
    ):
        model.fit(X[:200], y[:200], eval_set=[(X[200:], y[200:])], verbose=False)
        assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
        graph = graph_of(model, 4)
        rows = rows_for(graph)
        same_bits(run(graph, rows)["predict_margin"], model.predict(rows, output_margin=True))


@pytest.mark.parametrize("missing", [-999.1, 0.0, np.inf])
def test_missing_number(missing: float) -> None:
    x = np.where(np.isnan(X_MISSING), missing, X_MISSING)
    model = regressor(missing=missing).fit(x, SCORE)
    graph = graph_of(model, 4, ["predict", "apply"])
    rows = rows_for(graph, extra=(missing,))
    rows[RNG.random(rows.shape) < 0.2] = missing
    got = run(graph, rows)
    same_bits(got["predict"], model.predict(rows))
    same_bits(got["apply"], model.apply(rows))


def test_apply_gives_the_leaves_of_the_source() -> None:
    for model, y in ((regressor(), SCORE), (classifier(), FOUR)):
        model.fit(X_MISSING, y)
        assert dispatch.optional(model) == ("apply",)
        graph = graph_of(model, 4, ["apply"])
        rows = rows_for(graph, extra=())
        same_bits(run(graph, rows)["apply"], model.apply(rows))
        rows[1, 2] = np.inf
        with pytest.raises(xgb.core.XGBoostError, match="inf"):
            model.apply(rows)
        with pytest.raises(InfiniteValueError, match="row 1, column 2 is infinite"):
            run(graph, rows)


@pytest.mark.parametrize("onehot", [2, 100])
def test_codes_of_categories_in_an_array(onehot: int) -> None:
    codes = RNG.integers(70, size=ROWS).astype(float)
    x = np.column_stack([X[:, :2], codes, codes % 4])
    y = (codes * 7919 % 13) + SCORE
    model = regressor(
        feature_types=["q", "q", "c", "c"], enable_categorical=True, max_cat_to_onehot=onehot
    ).fit(x, y)
    graph = graph_of(model, 4)
    (ensemble,) = [n for n in graph.nodes if n.op == "sclbl.TreeEnsemble"]
    assert (ensemble.attrs["category_start"] >= 0).sum() > 5
    rows = x[RNG.integers(ROWS, size=1000)]
    odd = [-0.0, -0.5, -1, 1.7, 31, 32, 63, 64, 70, 99, 1e9, 2.0**24, 2.0**24 - 1, 2.0**31]
    odd += [-(2.0**31), 1e30, np.inf, -np.inf, np.nan]
    for column in (2, 3):
        rows[RNG.random(1000) < 0.5, column] = RNG.choice(odd)
        chosen = RNG.random(1000) < 0.4
        rows[chosen, column] = RNG.choice(odd, size=chosen.sum())
    same_bits(run(graph, rows)["predict"], model.predict(rows))


KINDS = np.array(["fox", "ant", "cow", "eel", "bee"], dtype=object)
FRAME_COLUMNS = (
    Column("size", "float64"),
    Column("kind", "text"),
    Column("rank", "float64"),
    Column("weight", "float64"),
)


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


def blocks(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    numeric = np.column_stack([rows["size"], rows["rank"].astype(float), rows["weight"]])
    kind = rows["kind"].astype(object)
    return numeric, kind.where(kind.notna(), None).to_numpy()[:, None]


@pytest.fixture(scope="module")
def on_frames() -> xgb.XGBRegressor:
    rows = frame(400, 0)
    bonus = rows["kind"].astype(object).map({"fox": 3.0, "cow": -2.0, "bee": 1.0}).fillna(0.0)
    y = bonus.to_numpy() + rows["rank"].astype(int).to_numpy() % 4 + rows["size"].to_numpy()
    return regressor(enable_categorical=True, max_cat_to_onehot=2).fit(rows, y)


def test_categories_of_a_frame_are_recoded(on_frames: xgb.XGBRegressor) -> None:
    graph = graph_of(on_frames, FRAME_COLUMNS)
    # Another order of the categories than in training, so that codes differ.
    rows = frame(500, 1)
    same_bits(run(graph, *blocks(rows))["predict"], on_frames.predict(rows))


def test_category_beyond_those_of_training_is_refused(on_frames: xgb.XGBRegressor) -> None:
    graph = graph_of(on_frames, FRAME_COLUMNS)
    rows = frame(3, 2)
    rows["kind"] = pd.Categorical(["ant", "zebra", "cow"])
    with pytest.raises(xgb.core.XGBoostError, match="not in the training set"):
        on_frames.predict(rows)
    with pytest.raises(UnknownCategoryError, match="row 1, column 1 holds an unknown category"):
        run(graph, *blocks(rows))
    # XGBoost 3.2 looks up the next larger category instead of refusing one between two others;
    # that number belongs to another category, so it is refused all the same.
    rows["kind"] = pd.Categorical(["ant", "ape", "cow"])
    with pytest.raises(UnknownCategoryError, match="row 1, column 1"):
        run(graph, *blocks(rows))
    rows["kind"] = pd.Categorical(["ant", "bee", "cow"])
    numeric, text = blocks(rows)
    numeric[2, 1] = 4
    with pytest.raises(UnknownCategoryError, match="row 2, column 2"):
        run(graph, numeric, text)


def test_infinite_code_is_refused_where_the_source_makes_a_matrix() -> None:
    codes = (np.arange(90.0) % 3)[:, None]
    model = regressor(feature_types=["c"], enable_categorical=True).fit(codes, np.arange(90) % 3)
    graph = graph_of(model, 1, ["predict", "apply"])
    rows = np.array([[1.0], [np.inf]])
    same_bits(run(graph_of(model, 1), rows)["predict"], model.predict(rows))
    booster = graph_of(model.get_booster(), 1)
    for refuse in (lambda: run(graph, rows), lambda: run(booster, rows)):
        with pytest.raises(InfiniteValueError, match="row 1, column 0 is infinite"):
            refuse()


def test_categories_beyond_ascii_are_refused() -> None:
    # XGBoost up to 3.2 keeps as many bytes of a name as it has characters.
    names = pd.Categorical(np.array(["éa", "b"])[np.arange(90) % 2], categories=["éa", "b"])
    rows = pd.DataFrame({"kind": names})
    model = regressor(enable_categorical=True).fit(rows, np.arange(90) % 2)
    with pytest.raises(
        UnsupportedModelError, match=r"beyond ASCII in column 'kind'.*rename the ca"
    ):
        graph_of(model, (Column("kind", "text"),))
    codes = (np.arange(90.0) % 2)[:, None]
    same_bits(run(graph_of(model, 1), codes)["predict"], model.predict(codes))


def test_codes_in_an_array_for_a_model_of_frames(on_frames: xgb.XGBRegressor) -> None:
    graph = graph_of(on_frames, 4)
    rows = RNG.normal(size=(200, 4))
    rows[:, 1] = RNG.integers(-1, 7, size=200)
    rows[:, 2] = RNG.integers(0, 5, size=200)
    same_bits(run(graph, rows)["predict"], on_frames.predict(rows))


def test_missing_number_with_recoded_categories_is_refused() -> None:
    rows = frame(100, 3)
    model = regressor(enable_categorical=True, missing=-1.0).fit(rows, rows["size"])
    with pytest.raises(UnsupportedModelError, match=r"missing=-1.0.*fit it with missing=numpy.nan"):
        graph_of(model, FRAME_COLUMNS)


@pytest.mark.parametrize("own", [{}, {"booster": "dart", "rate_drop": 0.3}])
def test_booster(own: dict[str, Any]) -> None:
    parameters = {"max_depth": 3, "base_score": 0.2, "objective": "binary:logistic", **own}
    model = xgb.train(parameters, xgb.DMatrix(X_MISSING, label=TWO), 8)
    graph = graph_of(model, 4)
    rows = rows_for(graph, extra=())
    got, call = run(graph, rows), dispatch.find(model).call
    same_bits(got["predict_margin"], call(model, "predict_margin", rows))
    within_ulps(got["predict"], call(model, "predict", rows))
    rows[0, 1] = np.inf
    with pytest.raises(xgb.core.XGBoostError, match="inf"):
        call(model, "predict", rows)
    with pytest.raises(InfiniteValueError, match="row 0, column 1"):
        run(graph, rows)


def test_survival_booster() -> None:
    data = xgb.DMatrix(X, label_lower_bound=POSITIVE, label_upper_bound=POSITIVE * 1.5)
    model = xgb.train({"objective": "survival:aft", "max_depth": 3}, data, 5)
    graph = graph_of(model, 4)
    got, call = run(graph, X), dispatch.find(model).call
    same_bits(got["predict_margin"], call(model, "predict_margin", X))
    within_ulps(got["predict"], call(model, "predict", X))


def test_margin_is_called_as_output_margin() -> None:
    model = regressor(objective="reg:gamma").fit(X, POSITIVE)
    call = dispatch.find(model).call
    same_bits(call(model, "predict_margin", X), model.predict(X, output_margin=True))
    same_bits(call(model, "predict", X), model.predict(X))


def test_model_read_from_a_file() -> None:
    model = classifier().fit(X_MISSING, FOUR)
    again = xgb.XGBClassifier()
    again.load_model(model.get_booster().save_raw("json"))
    graph = graph_of(again, 4)
    rows = rows_for(graph)
    same_bits(run(graph, rows)["predict_margin"], model.predict(rows, output_margin=True))


def test_linear_booster_is_refused() -> None:
    model = xgb.XGBRegressor(booster="gblinear", n_estimators=2, n_jobs=1).fit(X, SCORE)
    with pytest.raises(UnsupportedModelError, match=r"booster='gblinear'.*fit it with booster="):
        dispatch.methods(model)


def test_ranking_objective_is_refused() -> None:
    data = xgb.DMatrix(X, label=TWO)
    data.set_group([100, 100, 100])
    model = xgb.train({"objective": "rank:pairwise"}, data, 2)
    with pytest.raises(UnsupportedModelError, match=r"objective 'rank:pairwise'.*supported obj"):
        dispatch.methods(model)


def test_every_objective_of_the_library_is_decided() -> None:
    with pytest.raises(xgb.core.XGBoostError) as caught:
        regressor(objective="none:such").fit(X, SCORE)
    lines = str(caught.value).splitlines()
    names = {line.split(": ")[1] for line in lines if line.startswith("Objective candidate: ")}
    assert names - set(boosting.TRANSFORMS) == {"rank:map", "rank:ndcg", "rank:pairwise"}


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
