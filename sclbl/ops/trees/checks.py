"""What a tree ensemble must hold so that every row ends in a leaf and every leaf has a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops.record import FLOATS, Operand, Typed, fail, tensor
from sclbl.signature import DType
from sclbl.spec import Node

_NODES = {
    "feature": ("int32",),
    "threshold": ("float32", "float64"),
    "left": ("int32",),
    "right": ("int32",),
    "missing_left": ("bool",),
}
_CATEGORIES = {
    "category_start": ("int32",),
    "category_count": ("int32",),
    "category_words": ("uint32",),
}
_REST = {"roots": ("int32",), "values": ("float32", "float64"), "init": ("float32", "float64")}
_TYPES = {**_NODES, **_REST, **_CATEGORIES, "targets": ("int32",)}


def infer_sums(node: Node, xs: Sequence[Operand]) -> Typed:
    """Check a ``sclbl.TreeEnsemble`` and return its type and width."""
    inputs = _inputs(node, xs)
    _check(node, inputs[:1])
    a = node.attrs
    values, init, targets = a["values"], a["init"], a.get("targets")
    dtype: DType = "float32" if values.dtype == np.float32 else "float64"
    if init.dtype != values.dtype or not len(init):
        raise fail(node, "has sums of another type than its values")
    if len(inputs) not in (1, 2) or (len(inputs) == 2 and inputs[1] != (dtype, len(init))):
        raise fail(node, f"takes X and, if given, a start of {dtype}[{len(init)}]")
    if values.shape[1] != (len(init) if targets is None else 1):
        raise fail(node, f"has {values.shape[1]} values a leaf for {len(init)} sums")
    if targets is not None:
        if len(targets) != len(a["roots"]):
            raise fail(node, "has not one target a tree")
        if len(targets) and (targets.min() < 0 or targets.max() >= len(init)):
            raise fail(node, "has a target out of range")
    return [(dtype, (len(init),))]


def check_sums(node: Node, xs: Sequence[Operand]) -> None:
    """Check every node of a ``sclbl.TreeEnsemble``."""
    _check_nodes(node, xs[0].width)
    a = node.attrs
    leaf = a["feature"] < 0
    if leaf.any() and a["left"][leaf].max() >= len(a["values"]):
        raise fail(node, "has a leaf without a value")


def infer_leaves(node: Node, xs: Sequence[Operand]) -> Typed:
    """Check a ``sclbl.TreeLeaves`` and return its type and width."""
    _check(node, _inputs(node, xs))
    return [("int64", (len(node.attrs["roots"]),))]


def check_leaves(node: Node, xs: Sequence[Operand]) -> None:
    """Check every node of a ``sclbl.TreeLeaves``."""
    _check_nodes(node, xs[0].width)


def _inputs(node: Node, xs: Sequence[Operand]) -> list[tuple[str, int]]:
    found = [tensor(node, x, FLOATS) for x in xs]
    if any(len(x.shape) != 1 for x in found):
        raise fail(node, "takes columns, and its rows are not of one axis")
    return [(x.dtype, x.width) for x in found]


def _check(node: Node, inputs: Sequence[tuple[str, int]]) -> None:
    a = node.attrs
    required = (*_NODES, *_REST, "rule")
    if len(inputs) != 1 or any(k not in a for k in required) or set(a) - {*_TYPES, "rule"}:
        raise fail(node, f"takes X and the arrays {', '.join(required)}")
    for name, types in _TYPES.items():
        array = a.get(name)
        if array is None:
            continue
        if not isinstance(array, np.ndarray) or array.dtype.name not in types:
            raise fail(node, f"has {name} that is not an array of {' or '.join(types)}")
        if array.ndim != (2 if name == "values" else 1):
            raise fail(node, f"has {name} of shape {array.shape}")
    if a["rule"] not in ("<=", "<"):
        raise fail(node, f"has the rule {a['rule']!r}; known are '<=' and '<'")
    if not len(a["roots"]):
        raise fail(node, "has no trees")


def _check_nodes(node: Node, width: int) -> None:
    a = node.attrs
    feature, left, right, roots = a["feature"], a["left"], a["right"], a["roots"]
    nodes = len(feature)
    if any(len(a[name]) != nodes for name in _NODES):
        raise fail(node, "has arrays of different lengths")
    if not nodes or roots.min() < 0 or roots.max() >= nodes:
        raise fail(node, "has a root out of range")
    inner = feature >= 0
    if nodes and feature.max() >= width:
        raise fail(node, f"tests column {feature.max()} of {width}")
    if left.min() < 0:
        raise fail(node, "has a node number out of range")
    if inner.any():
        low = min(left[inner].min(), right[inner].min())
        high = max(left[inner].max(), right[inner].max())
        if low < 0 or high >= nodes:
            raise fail(node, "has a node number out of range")
        if np.isnan(a["threshold"][inner]).any():
            raise fail(node, "compares with NaN")
    _check_categories(node, nodes)
    tree_numbers(a)


def _check_categories(node: Node, nodes: int) -> None:
    a = node.attrs
    given = [a.get(name) is not None for name in _CATEGORIES]
    if any(given) != all(given):
        raise fail(node, f"takes all of {', '.join(_CATEGORIES)} or none")
    if not all(given):
        return
    start = a["category_start"].astype(np.int64)
    count = a["category_count"].astype(np.int64)
    if len(start) != nodes or len(count) != nodes:
        raise fail(node, "has arrays of different lengths")
    used = start >= 0
    if used.any() and (
        count[used].min() < 0 or (start + count)[used].max() > len(a["category_words"])
    ):
        raise fail(node, "has categories out of range")


def tree_numbers(a: Mapping[str, Any]) -> np.ndarray:
    """Return int64 ``[nodes]``: which tree a node belongs to, -1 where no tree reaches it.

    Raises
    ------
    SpecError
        Where trees share a node or a path never ends.
    """
    feature, left, right = a["feature"], a["left"], a["right"]
    number = np.full(len(feature), -1, dtype=np.int64)
    at = np.asarray(a["roots"], dtype=np.int64)
    tree = np.arange(len(at))
    seen = 0
    while len(at):
        seen += len(at)
        number[at] = tree
        if seen > len(feature) or (number[at] != tree).any():
            raise SpecError("a tree ensemble is malformed: a node has more than one parent")
        inner = feature[at] >= 0
        at, tree = at[inner], tree[inner]
        at = np.concatenate([left[at], right[at]]).astype(np.int64)
        tree = np.concatenate([tree, tree])
    return number
