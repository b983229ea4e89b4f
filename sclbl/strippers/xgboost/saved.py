"""An XGBoost booster as it is saved: trees, objective, base margins and categories.

The booster is read from its own UBJSON (`Booster.save_raw`), never from a pickle. What a program
adds before the first tree is the base score on the margin's scale; XGBoost computes it with the
platform's ``logf``, so it is asked of XGBoost itself, through a copy of the model whose trees are
single leaves of value zero.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sclbl.strippers.trees import Nodes, Trees, join
from sclbl.strippers.xgboost import file, probe, ubjson

_WORD = 32


@dataclass(frozen=True, slots=True)
class Model:
    """What inference needs of a booster.

    Parameters
    ----------
    trees : sequence of mapping
        The trees of the chosen rounds, as saved.
    groups : int32 ``[trees]``
        The output each of them adds to.
    weights : float32 ``[trees]`` or None
        What DART multiplies each tree by.
    base : float32 ``[outputs]``
        The margin before the first tree.
    objective : str
        XGBoost's name of it.
    categories : sequence of (list or None)
        The categories of the training DataFrame by feature, in the order of their codes; None for a
        feature without.
    release : tuple of int
        The release that predicts.
    """

    trees: Sequence[Mapping[str, Any]]
    groups: np.ndarray
    weights: np.ndarray | None
    base: np.ndarray
    objective: str
    categories: Sequence[list[str] | list[int] | None]
    release: tuple[int, ...]


def read(booster: Any, *, best: bool) -> Model:
    """Read a booster whose kind is gbtree or dart.

    Parameters
    ----------
    booster : xgboost.Booster
        The booster.
    best : bool
        Whether only the rounds up to the best iteration of early stopping count.
    """
    saved = ubjson.loads(booster.save_raw("ubj"))
    learner = saved["learner"]
    boosting = learner["gradient_booster"]
    weights = file.tree_weights(boosting)
    inner = boosting.get("gbtree", boosting)["model"]
    parameters = learner["learner_model_param"]
    file.check_trees(boosting, parameters)
    trees = inner["trees"]
    if best and booster.attr("best_iteration") is not None:
        rounds = int(booster.attr("best_iteration")) + 1
        trees = trees[: int(inner["iteration_indptr"][rounds])]
    features = int(parameters["num_feature"])
    groups = np.asarray(inner["tree_info"], dtype=np.int32)[: len(trees)]
    if weights is not None:
        weights = np.asarray(weights, dtype=np.float32)[: len(trees)]
    # XGBoost does not put its base score on the margin's scale before the first round, so only the
    # booster itself knows the margins of one without trees.
    base = _base_margins(saved, features) if len(trees) else probe.margins(booster, features)
    if not len(trees):
        # Without rounds the margin is the base alone: a tree that adds nothing to it.
        trees, groups, weights = [_leaf(features)], np.zeros(1, dtype=np.int32), None
    return Model(
        trees=trees,
        groups=groups,
        weights=weights,
        base=base,
        objective=str(learner["objective"]["name"]),
        categories=_categories(inner.get("cats"), features),
        release=tuple(int(v) for v in saved["version"]),
    )


def _base_margins(saved: Mapping[str, Any], features: int) -> np.ndarray:
    import xgboost

    learner = saved["learner"]
    parameters = learner["learner_model_param"]
    outputs = file.outputs(parameters)
    leaf = _leaf(features)
    model: dict[str, Any] = {
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(outputs)},
        "iteration_indptr": [0, outputs],
        "tree_info": list(range(outputs)),
        "trees": [{**leaf, "id": i} for i in range(outputs)],
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
    }
    document = {
        "version": [int(v) for v in saved["version"]],
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "gradient_booster": {"name": "gbtree", "model": model},
            "learner_model_param": parameters,
            "objective": _plain(learner["objective"]),
        },
    }
    probe = xgboost.Booster(model_file=bytearray(json.dumps(document).encode()))
    row = xgboost.DMatrix(np.zeros((1, features), dtype=np.float32))
    return np.asarray(probe.predict(row, output_margin=True), dtype=np.float32).ravel()


def _leaf(features: int) -> dict[str, Any]:
    """Return a tree of one leaf, whose value is zero."""
    leaf: dict[str, Any] = {
        "base_weights": [0.0],
        "default_left": [0],
        "left_children": [-1],
        "loss_changes": [0.0],
        "parents": [2147483647],
        "right_children": [-1],
        "split_conditions": [0.0],
        "split_indices": [0],
        "split_type": [0],
        "sum_hessian": [1.0],
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(features),
            "num_nodes": "1",
            "size_leaf_vector": "1",
        },
    }
    for key in ("categories", "categories_nodes", "categories_segments", "categories_sizes"):
        leaf[key] = []
    return leaf


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, np.ndarray)):
        return [_plain(v) for v in np.asarray(value).tolist()]
    return value


def _categories(saved: Any, features: int) -> list[list[str] | list[int] | None]:
    """Return the categories of each feature (XGBoost 3.1 and newer keep them)."""
    encodings = saved["enc"] if saved else []
    found: list[list[str] | list[int] | None] = [_names(e) for e in encodings]
    return found + [None] * (features - len(found))


def _names(encoding: Mapping[str, Any]) -> list[str] | list[int] | None:
    values = np.asarray(encoding["values"])
    if "offsets" not in encoding:
        return [int(v) for v in values] if values.size else None
    offsets = np.asarray(encoding["offsets"], dtype=np.int64).tolist()
    if len(offsets) < 2:
        return None
    raw = values.astype(np.int8).tobytes()
    # What is beyond ASCII may be cut within a character; no name of the user's is read from it.
    return [raw[a:b].decode("ascii", "surrogateescape") for a, b in itertools.pairwise(offsets)]


def ensemble(model: Model, *, in_place: bool) -> Trees:
    """Return a model's trees as one ensemble with float32 thresholds and sums.

    Parameters
    ----------
    model : Model
        What `read` returned.
    in_place : bool
        Whether the source predicts in place, as its scikit-learn interface does: DART before
        release 3.3 then rounds each tree's sum with the base score, which it takes off again.
    """
    sizes = _sizes(model)
    leaf = _gather(model, "left_children", np.int32) == -1
    groups = np.repeat(model.groups, sizes)[leaf]
    vector = leaf_width(model) > 1
    values = _vector_values(model) if vector else _gather(model, "split_conditions", np.float32)
    if not vector:
        values = values[leaf][:, None]
    if model.weights is not None:
        weights = np.repeat(model.weights, sizes)[leaf][:, None]
        if in_place and model.release < (3, 3):
            base = model.base[groups][:, None]
            values = (base + values) - base
        values = values * weights
    several = len(model.base) > 1 and not vector
    return _ensemble(
        model,
        np.arange(len(values), dtype=np.int32),
        np.ascontiguousarray(values, dtype=np.float32),
        model.base,
        model.groups if several else None,
    )


def scalar_ensemble(model: Model) -> Trees:
    """Return trees of one value a leaf as they are saved, without the factors of DART."""
    leaf = _gather(model, "left_children", np.int32) == -1
    values = _gather(model, "split_conditions", np.float32)[leaf][:, None]
    at_leaves = np.arange(len(values), dtype=np.int32)
    return _ensemble(model, at_leaves, np.ascontiguousarray(values), model.base, model.groups)


def leaf_numbers(model: Model) -> Trees:
    """Return an ensemble for `Builder.tree_leaves` whose leaves are node numbers in their tree."""
    numbers = [np.flatnonzero(np.asarray(t["left_children"]) == -1) for t in model.trees]
    return _ensemble(
        model,
        np.concatenate(numbers).astype(np.int32),
        np.empty((0, 1), dtype=np.float32),
        np.zeros(1, dtype=np.float32),
        None,
    )


def tests_categories(model: Model) -> np.ndarray:
    """Return the features that some tree tests as categories."""
    parts = [
        np.asarray(t["split_indices"])[np.asarray(t["categories_nodes"], dtype=np.int64)]
        for t in model.trees
    ]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)


def _sizes(model: Model) -> np.ndarray:
    return np.array([len(t["left_children"]) for t in model.trees], dtype=np.int64)


def _gather(model: Model, key: str, dtype: type) -> np.ndarray:
    return np.concatenate([np.asarray(t[key]).astype(dtype, copy=False) for t in model.trees])


def leaf_width(model: Model) -> int:
    """Return how many values a leaf has."""
    return max((int(t["tree_param"]["size_leaf_vector"]) for t in model.trees), default=1)


def _vector_values(model: Model) -> np.ndarray:
    """Return float32 ``[leaves, outputs]`` of trees whose leaves are vectors."""
    width = leaf_width(model)
    parts = []
    for tree in model.trees:
        leaf = np.asarray(tree["left_children"]) == -1
        rows = np.asarray(tree["right_children"])[leaf]
        parts.append(np.asarray(tree["leaf_weights"]).reshape(-1, width)[rows])
    return np.concatenate(parts).astype(np.float32, copy=False)


def _ensemble(
    model: Model,
    at_leaves: np.ndarray,
    values: np.ndarray,
    init: np.ndarray,
    targets: np.ndarray | None,
) -> Trees:
    made = join([_nodes(t) for t in model.trees], at_leaves, values, init, "<", targets)
    start, count, words = _bitsets(model, made.roots)
    if start is None:
        return made
    # XGBoost lists the categories that go right, and any other one goes left; a bit that is set
    # goes left here, so the children change places.
    swap = start >= 0
    made.threshold[swap] = 0
    return replace(
        made,
        left=np.where(swap, made.right, made.left),
        right=np.where(swap, made.left, made.right),
        missing_left=made.missing_left ^ swap,
        category_start=start,
        category_count=count,
        category_words=words,
    )


def _nodes(tree: Mapping[str, Any]) -> Nodes:
    keys = "left_children", "right_children", "split_indices", "split_conditions", "default_left"
    left, right, feature, threshold, missing_left = (np.asarray(tree[key]) for key in keys)
    threshold = threshold.astype(np.float32, copy=False)
    return Nodes(left == -1, left, right, feature, threshold, missing_left)


def _bitsets(
    model: Model, roots: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Return start, count and words of the sets of categories, by node."""
    nodes, sets = [], []
    for tree, root in zip(model.trees, roots.tolist(), strict=True):
        codes = np.asarray(tree["categories"], dtype=np.int64)
        for node, begin, size in zip(
            np.asarray(tree["categories_nodes"]).tolist(),
            np.asarray(tree["categories_segments"]).tolist(),
            np.asarray(tree["categories_sizes"]).tolist(),
            strict=True,
        ):
            nodes.append(root + node)
            sets.append(codes[begin : begin + size])
    if not nodes:
        return None, None, None
    total = int(_sizes(model).sum())
    start = np.full(total, -1, dtype=np.int32)
    count = np.zeros(total, dtype=np.int32)
    widths = np.array([int(s.max()) // _WORD + 1 if s.size else 1 for s in sets], dtype=np.int64)
    begins = np.cumsum(widths) - widths
    start[nodes] = begins
    count[nodes] = widths
    words = np.zeros(int(widths.sum()), dtype=np.uint32)
    every = np.concatenate(sets)
    at = np.repeat(begins, [s.size for s in sets]) + every // _WORD
    np.bitwise_or.at(words, at, np.uint32(1) << (every % _WORD).astype(np.uint32))
    return start, count, words
