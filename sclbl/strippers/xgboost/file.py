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


def check(data: bytes) -> None:
    """Check a file in JSON or UBJSON.

    Raises
    ------
    ValueError, LookupError, TypeError, SpecError, RecursionError
        Where it is damaged, or no booster.
    """
    document = json.loads(data, object_pairs_hook=_once) if data[1] in _JSON else ubjson.loads(data)
    learner = document["learner"]
    boosting = learner["gradient_booster"]
    parameters = learner["learner_model_param"]
    if boosting["name"] == "gblinear":
        check_linear(boosting["model"], parameters)
    else:
        check_trees(boosting, parameters)


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
