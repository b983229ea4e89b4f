"""A booster's own file, looked at before XGBoost loads it.

XGBoost copies the arrays of a file, and writes and walks by them, without looking. A file may come
from anybody, so what is refused in it is refused here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.strippers import tree_nodes
from sclbl.strippers.xgboost import ubjson

#: How an object of JSON goes on; one of UBJSON goes on with a marker, which is none of these.
_JSON = b'" \t\r\n}'
#: Categories from here on are none to XGBoost: float32 cannot tell their neighbours apart.
_CATEGORIES = 2**24
#: What a tree holds for each of its nodes.
_BY_NODE = ("loss_changes", "sum_hessian", "parents", "split_conditions", "default_left")


class OtherRelease(Exception):
    """A file is sound, and the installed release would not read it as the one that wrote it."""


def check(data: bytes, installed: str) -> None:
    """Check a file in JSON or UBJSON.

    Parameters
    ----------
    data : bytes
        The file.
    installed : str
        The release of XGBoost that will load it.

    Raises
    ------
    OtherRelease
        Where another release wrote what the installed one reads otherwise, or not at all.
    ValueError, LookupError, TypeError, SpecError, RecursionError
        Where it is damaged, or no booster.
    """
    document = json.loads(data, object_pairs_hook=_once) if data[1] in _JSON else ubjson.loads(data)
    learner = document["learner"]
    _check_release([int(part) for part in document["version"]], learner, installed)
    boosting = learner["gradient_booster"]
    parameters = learner["learner_model_param"]
    if boosting["name"] == "gblinear":
        check_linear(boosting["model"], parameters)
    else:
        check_trees(boosting, parameters)


def _check_release(wrote: list[int], learner: Mapping[str, Any], installed: str) -> None:
    release = ".".join(map(str, wrote))
    has = [int(part) for part in installed.split(".")[:2]]
    if wrote[:2] > has:
        # Of what it does not know XGBoost says nothing: DART's weights moved in 3.4.
        raise OtherRelease(
            f"was written by XGBoost {release}, and release {installed}, which is installed, may "
            f"read it as another model; pip install 'xgboost>={release}'"
        )
    boosting = learner["gradient_booster"]
    trees = boosting.get("gbtree", boosting)["model"].get("trees", ())
    if any(_leaf_width(tree) > 1 and "leaf_weights" not in tree for tree in trees):
        raise OtherRelease(
            f"was written by XGBoost {release}, whose trees with vector leaves release "
            f"{installed}, which is installed, does not read; fit the model again with that one"
        )


def _leaf_width(tree: Mapping[str, Any]) -> int:
    return int(tree["tree_param"]["size_leaf_vector"])


def outputs(parameters: Mapping[str, Any]) -> int:
    """Return how many margins a learner has, by its ``learner_model_param``."""
    return max(int(parameters["num_class"]), 1) * int(parameters.get("num_target", "1"))


def check_linear(saved: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Check the weights of a linear booster that was read.

    Parameters
    ----------
    saved : mapping
        ``model`` of the booster.
    parameters : mapping
        ``learner_model_param`` of its learner.

    Raises
    ------
    ValueError
        Where XGBoost would read beyond them.
    """
    weights = np.asarray(saved["weights"], dtype=np.float64)
    wanted = (int(parameters["num_feature"]) + 1) * outputs(parameters)
    # Before the first round there may be none, and XGBoost makes them.
    if len(weights) not in (wanted, 0):
        raise ValueError(f"there are {len(weights)} weights, which should be {wanted}")


def tree_weights(boosting: Mapping[str, Any]) -> Any:
    """Return what DART multiplies each tree by; None where it is no such booster.

    Parameters
    ----------
    boosting : mapping
        The learner's ``gradient_booster``.
    """
    inner = boosting.get("gbtree", boosting)
    # They stand among the trees since release 3.4.
    for place in (boosting, inner, inner["model"]):
        if len(place.get("weight_drop", ())):
            return place["weight_drop"]
    return None


def check_trees(boosting: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Check the trees of a booster that was read.

    Parameters
    ----------
    boosting : mapping
        The learner's ``gradient_booster``.
    parameters : mapping
        ``learner_model_param`` of its learner.

    Raises
    ------
    ValueError
        Where XGBoost would look up what is not there.
    """
    saved = boosting.get("gbtree", boosting)["model"]
    trees, weights = saved["trees"], tree_weights(boosting)
    if weights is not None and len(weights) != len(trees):
        raise ValueError(f"there are {len(weights)} weights of {len(trees)} trees")
    groups = np.asarray(saved["tree_info"], dtype=np.int64)
    count = outputs(parameters)
    if len(groups) != len(trees) or ((groups < 0) | (groups >= count)).any():
        raise ValueError(f"tree_info is not the output, 0 to {count - 1}, of each tree")
    for i, tree in enumerate(trees):
        left = np.asarray(tree["left_children"])
        tree_nodes.check(
            i,
            left,
            np.asarray(tree["right_children"]),
            np.asarray(tree["split_indices"]),
            left == -1,
            int(parameters["num_feature"]),
        )
        _check_categories(i, tree, len(left))
        _check_lengths(i, tree, left, count)
    ends = np.asarray(saved.get("iteration_indptr", ()), dtype=np.int64)
    if len(ends) and (ends[0] or ends[-1] != len(trees) or (np.diff(ends) < 0).any()):
        raise ValueError("iteration_indptr does not lead from the first tree to the last")


def _check_lengths(number: int, tree: Mapping[str, Any], left: np.ndarray, count: int) -> None:
    """Check arrays that XGBoost copies by the number of nodes, of vector leaves by their own."""
    nodes, width = len(left), _leaf_width(tree)
    if int(tree["tree_param"]["num_nodes"]) != nodes:
        raise ValueError(f"tree {number} has {nodes} nodes, and says otherwise")
    lacking = [key for key in _BY_NODE if len(tree[key]) != nodes]
    if width <= 1 and len(tree["base_weights"]) != nodes:
        lacking.append("base_weights")
    if lacking:
        raise ValueError(f"tree {number} does not have {lacking[0]} for each of its nodes")
    if width <= 1:
        return
    if width != count:
        raise ValueError(f"tree {number} has leaves of {width} values, for {count} outputs")
    rows = np.asarray(tree["right_children"])[left == -1]
    there = len(tree["leaf_weights"]) // width
    if len(tree["leaf_weights"]) % width or ((rows < 0) | (rows >= there)).any():
        raise ValueError(f"tree {number} has a leaf without its row of values")
    if not len(tree["base_weights"]) or len(tree["base_weights"]) % nodes:
        raise ValueError(f"tree {number} does not have base_weights for each of its nodes")


def _check_categories(number: int, tree: Mapping[str, Any], nodes: int) -> None:
    at, begin, size, codes = (
        np.asarray(tree[key], dtype=np.int64)
        for key in ("categories_nodes", "categories_segments", "categories_sizes", "categories")
    )
    if not len(at) == len(begin) == len(size) or ((at < 0) | (at >= nodes)).any():
        raise ValueError(f"tree {number} has categories at nodes that are not there")
    # Neither number is larger than the array, so their sum does not wrap.
    outside = (begin < 0) | (size < 0) | (begin > len(codes)) | (size > len(codes))
    if (outside | (begin + size > len(codes))).any():
        raise ValueError(f"tree {number} takes categories that are not there")
    if ((codes < 0) | (codes >= _CATEGORIES)).any():
        raise ValueError(f"tree {number} has a category outside of 0 to {_CATEGORIES - 1}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: which of the two counts is each reader's own choice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found
