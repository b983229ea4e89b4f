"""Contributions of columns: `predict(rows, pred_contribs=True)`, to the bit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

import sclbl
from sclbl import onnx_format
from sclbl.errors import (
    InfiniteValueError,
    SpecError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.strippers import strip
from sclbl.strippers.xgboost import contributions
from tests.conformance.beside import run
from tests.conformance.threshold_rows import adversarial, thresholds

ROWS = 300
RNG = np.random.default_rng(6)
X = RNG.normal(size=(ROWS, 4))
X[:, 3] = np.round(X[:, 3] * 2)
SCORE = X[:, 0] * 2 + X[:, 3] ** 2 / 2 + RNG.normal(size=ROWS) * 0.3
TWO, THREE = (SCORE > 1).astype(int), np.digitize(SCORE, [0, 2])
KINDS = np.array(["ant", "bee", "cow", "eel", "fox", "gnu", "hen"])
KIND = KINDS[RNG.integers(7, size=ROWS)]
ONLY = ["pred_contribs"]
MODELS: dict[str, tuple[dict[str, Any], np.ndarray]] = {
    "one column": ({"max_depth": 1}, SCORE),
    "columns again and again": ({"max_depth": 9}, SCORE),
    "logistic": ({"objective": "binary:logistic", "max_depth": 4}, TWO),
    "classes": ({"objective": "multi:softprob", "num_class": 3, "max_depth": 3}, THREE),
    "outputs": ({"max_depth": 3}, np.stack([SCORE, -SCORE], axis=1)),
    "dart": ({"booster": "dart", "rate_drop": 0.4, "max_depth": 3}, SCORE),
    "forest": ({"num_parallel_tree": 3, "subsample": 0.5, "max_depth": 3}, SCORE),
    "by leaf": ({"grow_policy": "lossguide", "max_leaves": 20, "max_depth": 0}, SCORE),
    "linear": ({"booster": "gblinear"}, SCORE),
    "linear, classes": (
        {"booster": "gblinear", "objective": "multi:softmax", "num_class": 3},
        THREE,
    ),
    "one leaf": ({"min_child_weight": 1e9}, SCORE),
}


def trained(parameters: dict[str, Any], y: np.ndarray, rows: Any = X, rounds: int = 5) -> Any:
    data = xgb.DMatrix(rows, label=y, enable_categorical=True)
    return xgb.train({"nthread": 1, "verbosity": 0, **parameters}, data, rounds)


def check(name: str, count: int) -> None:
    model = trained(*MODELS[name])
    limits = thresholds(strip(model, X[:5]).graph)[:4]
    rows = adversarial(X, limits, rows=count, missing=0.1)
    program = sclbl.compile(model, X[:5], methods=ONLY)
    ours = program.pred_contribs(rows)
    theirs = model.predict(xgb.DMatrix(rows), pred_contribs=True)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", MODELS)
def test_contributions(name: str) -> None:
    check(name, 500)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MODELS)
def test_contributions_of_many_rows(name: str) -> None:
    check(name, 100_000)


@pytest.mark.parametrize("name", ["columns again and again", "classes", "dart", "linear"])
def test_their_definition(name: str) -> None:
    model = trained(*MODELS[name])
    rows = np.where(RNG.random((6, 4)) < 0.2, np.nan, X[:6])
    spec = strip(model, X[:5], methods=ONLY)
    again = onnx_format.read(onnx_format.write(spec))
    wanted = model.predict(xgb.DMatrix(rows), pred_contribs=True)
    for one in (spec, again):
        np.testing.assert_array_equal(run(one, rows)["pred_contribs"], wanted)


@pytest.mark.parametrize("onehot", [1, 100])
def test_contributions_of_categories(onehot: int) -> None:
    def framed(kinds: Any, order: Any) -> pd.DataFrame:
        frame = pd.DataFrame(X, columns=list("abcd"))
        return frame.assign(kind=pd.Categorical(kinds, categories=list(order)))

    rows = framed(KIND, KINDS)
    y = SCORE + (KIND == "cow") * 4 - (KIND == "fox") * 3 + (KIND == "hen")
    model = trained({"max_depth": 5, "max_cat_to_onehot": onehot}, y, rows)
    program = sclbl.compile(model, rows[:5], methods=ONLY)
    found = framed(np.where(RNG.random(ROWS) < 0.1, None, KIND), KINDS[::-1])
    wanted = model.predict(xgb.DMatrix(found, enable_categorical=True), pred_contribs=True)
    assert (wanted[:, 4] != 0).any()
    np.testing.assert_array_equal(program.pred_contribs(found), wanted)
    spec = strip(model, rows[:5], methods=ONLY)
    np.testing.assert_array_equal(run(spec, found[:5])["pred_contribs"], wanted[:5])


def test_contributions_of_an_estimator() -> None:
    own: dict[str, Any] = {"n_estimators": 60, "early_stopping_rounds": 2, "learning_rate": 0.9}
    model = xgb.XGBClassifier(**own, missing=-1.0, n_jobs=1)
    model.fit(X[:200], THREE[:200], eval_set=[(X[200:], THREE[200:])], verbose=False)
    best = (0, model.best_iteration + 1)
    assert best[1] < model.get_booster().num_boosted_rounds()
    program = sclbl.compile(model, X[:5], methods=["predict", "pred_contribs"])
    data = xgb.DMatrix(X, missing=-1.0)
    wanted = model.get_booster().predict(data, pred_contribs=True, iteration_range=best)
    np.testing.assert_array_equal(program.pred_contribs(X), wanted)
    np.testing.assert_array_equal(program.predict(X), model.predict(X))


def test_infinity_is_refused_for_contributions() -> None:
    model = xgb.XGBRegressor(n_estimators=2, n_jobs=1).fit(X, SCORE)
    rows = X[:3].copy()
    rows[1, 2] = np.inf
    with pytest.raises(InfiniteValueError, match="row 1, column 2"):
        run(strip(model, X[:5], methods=ONLY), rows)


def test_approximations_and_interactions_are_refused_by_name() -> None:
    model = trained({}, SCORE)
    with pytest.raises(UnsupportedMethodError, match=r"offer approx_contribs.*gives them exactly$"):
        strip(model, X[:5], methods=["approx_contribs"])
    estimator = xgb.XGBRegressor(n_estimators=2, n_jobs=1).fit(X, SCORE)
    with pytest.raises(
        UnsupportedMethodError, match=r"pred_interactions.*ask XGBoost itself for i"
    ):
        strip(estimator, X[:5], methods=["pred_interactions"])


def test_what_has_no_contributions(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"multi_strategy": "multi_output_tree", "tree_method": "hist"}
    vector = trained(own, np.stack([SCORE, -SCORE], axis=1))
    with pytest.raises(UnsupportedModelError, match=r"vector leaves.*one_output_per_tree"):
        strip(vector, X[:5], methods=ONLY)
    document = json.loads(trained({}, SCORE).save_raw("json"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][1]
    tree["sum_hessian"][tree["left_children"][0]] = 0.0
    without = xgb.Booster(model_file=bytearray(json.dumps(document).encode()))
    with pytest.raises(UnsupportedModelError, match=r"without weight in tree 1.*min_child_weight"):
        strip(without, X[:5], methods=ONLY)
    monkeypatch.setattr(contributions, "DEEPEST", 3)
    with pytest.raises(UnsupportedModelError, match=r"a tree of 5 levels.*smaller max_depth"):
        strip(trained({"max_depth": 5}, SCORE), X[:5], methods=ONLY)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("share", lambda v: v[:-1], "has share that is not float32"),
        ("weights", lambda v: v.astype(np.float64), "has weights that is not float32"),
        ("share", lambda v: v * 0, "has a share that is not above 0"),
        ("quadrature", lambda _: 2, "0 or 1 for quadrature"),
        ("rule", lambda _: "<=", "takes float32 compared by '<'"),
    ],
)
def test_a_file_with_other_arrays(name: str, value: Any, told: str) -> None:
    spec = strip(trained({"max_depth": 2}, SCORE), X[:5], methods=ONLY)
    nodes = [
        replace(n, attrs={**n.attrs, name: value(n.attrs[name])})
        if n.op == "sclbl.TreeContributions"
        else n
        for n in spec.graph.nodes
    ]
    damaged = replace(spec, graph=replace(spec.graph, nodes=tuple(nodes)))
    with pytest.raises(SpecError, match=told):
        onnx_format.read(onnx_format.write(damaged))
