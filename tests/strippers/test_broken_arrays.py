"""Models whose arrays were changed or damaged: refused before their compiled predict is asked."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import sclbl
from sclbl.errors import UnsupportedModelError
from sclbl.model_files import open_model
from sclbl.strippers import example, tree_nodes

RNG = np.random.default_rng(8)
X = np.column_stack([np.arange(200) % 7, RNG.normal(size=(200, 3))])
Y = (X[:, 0] % 2) * 3 + X[:, 1:].sum(axis=1)
LABELS = (Y.mean() < Y).astype(int)


@pytest.fixture(autouse=True)
def _not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking such a model reads or writes memory that is not its own, or never ends."""

    def call(*_: Any) -> None:
        pytest.fail("the model was asked")

    monkeypatch.setattr(example, "call", call)


def refused(model: Any, message: str, rows: np.ndarray = X) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        sclbl.strip(model, rows[:5])


CHANGES = [
    ("left", 10**8, "node 0 of tree {} has the child 100000000, where it can be 1 to"),
    ("right", 10**8, "node 0 of tree {} has the child 100000000, where it can be 1 to"),
    ("left", 0, "node 0 of tree {} has the child 0, where it can be 1 to"),
    ("right", 1, "node 1 of tree {} has two parents"),
    ("feature", 10**6, "node 0 of tree {} tests the column 1000000, of 4"),
]
WIDE = [
    ("left", 2**32 + 1, "node 0 of tree {} has the child 4294967297, where it can be 1 to"),
    ("left", -7, "node 0 of tree {} has the child -7, where it can be 1 to"),
    ("right", -1, "node 0 of tree {} has the child -1, where it can be 1 to"),
    ("feature", 2**40, "node 0 of tree {} tests the column 1099511627776, of 4"),
    ("feature", -2, "node 0 of tree {} tests the column -2, of 4"),
]
NAMES = {"left": "children_left", "right": "children_right", "feature": "feature"}


@pytest.mark.parametrize(("field", "value", "message"), CHANGES + WIDE)
@pytest.mark.parametrize(
    ("model", "tree"),
    [
        (DecisionTreeRegressor(max_depth=3), 0),
        (DecisionTreeClassifier(max_depth=3), 0),
        (RandomForestRegressor(3, max_depth=3, random_state=0), 1),
        (GradientBoostingRegressor(n_estimators=3, random_state=0), 1),
    ],
    ids=lambda m: type(m).__name__,
)
def test_a_node_of_scikit_learn(
    model: Any, tree: int, field: str, value: int, message: str
) -> None:
    model = type(model)(**model.get_params()).fit(X, LABELS)
    owner = np.ravel(model.estimators_)[tree] if hasattr(model, "estimators_") else model
    getattr(owner.tree_, NAMES[field])[0] = value
    refused(model, message.format(tree))


def test_apply_looks_too() -> None:
    model = DecisionTreeRegressor(max_depth=3).fit(X, Y)
    model.tree_.children_left[0] = 10**8
    with pytest.raises(UnsupportedModelError, match="has the child 100000000"):
        sclbl.strip(model, X[:5], methods=["apply"])


@pytest.mark.parametrize(("field", "value", "message"), CHANGES)
def test_a_node_of_hist_gradient_boosting(field: str, value: int, message: str) -> None:
    model = HistGradientBoostingRegressor(max_iter=3, max_leaf_nodes=8).fit(X, Y)
    predictor = model._predictors[1][0]
    predictor.nodes = predictor.nodes.copy()
    predictor.nodes["feature_idx" if field == "feature" else field][0] = value
    refused(model, message.format(1))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("bitset_idx", 10**6, r"tree 0 takes the set of categories 1000000 of \(1, 8\)"),
        ("feature_idx", 1, "tree 0 tests categories of a column that has none"),
    ],
)
def test_categories_of_hist_gradient_boosting(field: str, value: int, message: str) -> None:
    model = HistGradientBoostingRegressor(max_iter=1, max_leaf_nodes=2, categorical_features=[0])
    predictor = model.fit(X, X[:, 0] % 2)._predictors[0][0]
    predictor.nodes = predictor.nodes.copy()
    assert predictor.nodes["is_categorical"][0]
    predictor.nodes[field][0] = value
    refused(model, message)


def _altered(**change: Any) -> bytearray:
    booster = xgb.train({"max_depth": 3}, xgb.DMatrix(X, Y), 3)
    saved = json.loads(bytes(booster.save_raw("json")))
    model = saved["learner"]["gradient_booster"]["model"]
    for key, value in change.items():
        if key in model:
            model[key] = value
        else:
            model["trees"][1][key][0] = value
    return bytearray(json.dumps(saved).encode())


@pytest.mark.parametrize(("field", "value", "message"), CHANGES)
def test_a_node_of_a_booster(field: str, value: int, message: str) -> None:
    name = {"left": "left_children", "right": "right_children", "feature": "split_indices"}[field]
    refused(xgb.Booster(model_file=_altered(**{name: value})), message.format(1))


def _with_categories() -> tuple[Any, dict[str, Any]]:
    """Return a saved booster, and its first tree, which tests categories."""
    rows = xgb.DMatrix(X, X[:, 0] % 2, feature_types=["c", "q", "q", "q"], enable_categorical=True)
    booster = xgb.train({"max_depth": 2, "max_cat_to_onehot": 1}, rows, 1)
    saved = json.loads(bytes(booster.save_raw("json")))
    tree: dict[str, Any] = saved["learner"]["gradient_booster"]["model"]["trees"][0]
    assert tree["categories"]
    return saved, tree


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("left_children", 10**8, "node 0 of tree 0 has the child 100000000"),
        ("categories_sizes", 10**8, "tree 0 takes categories that are not there"),
        ("categories_segments", 2**62, "tree 0 takes categories that are not there"),
        ("categories_nodes", 10**6, "tree 0 has categories at nodes that are not there"),
        ("categories", -5, "tree 0 has a category outside of 0 to 16777215"),
        ("categories", 2**31 - 1, "tree 0 has a category outside of 0 to 16777215"),
    ],
)
def test_a_booster_file_is_looked_at_before_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch, field: str, value: int, message: str
) -> None:
    saved, tree = _with_categories()
    intact = json.dumps(saved).encode()
    tree[field][0] = value
    damaged = json.dumps(saved).encode()
    assert isinstance(open_model(intact), xgb.Booster)
    monkeypatch.setattr(xgb, "Booster", lambda **_: pytest.fail("the file was loaded"))
    with pytest.raises(UnsupportedModelError, match=f"damaged or altered file.*{message}"):
        open_model(damaged)


def test_a_name_that_stands_twice_in_a_booster_file() -> None:
    saved, _ = _with_categories()
    data = json.dumps(saved).encode()
    twice = b'{"learner": ' + json.dumps(saved["learner"]).encode() + b", " + data[1:]
    with pytest.raises(UnsupportedModelError, match="a name stands twice in an object"):
        open_model(twice)


def test_a_booster_file_nested_without_end() -> None:
    for data in (b'{"learner": ' + b"[" * 10**5, b"{L" + bytes(7) + b"\x07learner" + b"[" * 10**5):
        with pytest.raises(UnsupportedModelError, match=r"not loaded \(RecursionError"):
            open_model(data)


def test_the_output_of_a_tree() -> None:
    booster = xgb.Booster(model_file=_altered(tree_info=[0, 10**6, 0]))
    refused(booster, "tree_info is not the output, 0 to 0, of each tree")


def test_more_trees_a_stage_than_sums() -> None:
    model = GradientBoostingClassifier(n_estimators=3).fit(X, LABELS)
    model.estimators_ = np.repeat(model.estimators_, 40, axis=1)
    refused(model, r"has trees of the shape \(3, 40\) and adds 1 a stage")
    model.n_trees_per_iteration_ = 40
    refused(model, "init_ gives 1 sums for 40 trees a stage")


def test_rows_narrower_than_the_trees() -> None:
    model = DecisionTreeRegressor(random_state=0).fit(X, Y)
    del model.n_features_in_
    refused(model, "a tree tests the column 3, and the model is given 2", X[:, :2])


def test_a_tree_of_another_forest() -> None:
    model = RandomForestRegressor(3, random_state=0).fit(X, Y)
    model.estimators_[1].tree_ = DecisionTreeRegressor().fit(np.hstack([X * 0, X]), Y).tree_
    refused(model, "a tree tests the column 7, and the model is given 4")


@pytest.mark.parametrize("value", [10**8, -(10**8)])
def test_sparse_coefficients(value: int) -> None:
    model = LogisticRegression().fit(X, LABELS).sparsify()
    model.coef_.indices[:] = value
    refused(
        model,
        "LogisticRegression cannot be read .ValueError: (indices|column index values) must be",
    )


def test_arrays_of_different_lengths() -> None:
    left, leaf = np.array([1, -1, -1]), np.array([False, True, True])
    with pytest.raises(ValueError, match="tree 4 has no nodes, or arrays of different lengths"):
        tree_nodes.check(4, left, left[:2], left, leaf, 1)


def test_what_libraries_grow_passes() -> None:
    left, right = np.array([1, -1, 3, -1, -1]), np.array([2, -1, 4, -1, -1])
    feature = np.array([0, -2, 1, -2, -2])
    tree_nodes.check(0, left, right, feature, left == -1, 2)
    tree_nodes.check(0, left[1:2], right[1:2], feature[1:2], np.array([True]), 0)
