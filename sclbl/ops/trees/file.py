"""Tree ensembles as functions around the standard operator ``ai.onnx.ml.TreeEnsemble``.

    leaves  = Cast(TreeEnsemble(Cast(x, double)), int64)       [rows, trees]
    y       = init + sum over trees of Gather(values, leaves)

The standard operator has one target a tree here, and a leaf's weight is its row in ``values``, so
that any number of columns is summed in the type of the values. It works in float64, where every
float32 threshold and value is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.ops.record import ELEMENTS, Body, Ints
from sclbl.ops.trees.checks import tree_numbers
from sclbl.spec import Node

_MODES = {"<=": 0, "<": 1}
_MEMBER = 6


def body(b: Body, node: Node) -> str:
    """Write the function of one ``sclbl.TreeEnsemble`` or ``sclbl.TreeLeaves`` node."""
    a = node.attrs
    x = b.op("Cast", "x", to=ELEMENTS["float64"])
    if a.get("category_start") is not None:
        x = _category_codes(b, x, a)
    raw = b.op("ai.onnx.ml.TreeEnsemble", x, **_attributes(a))
    leaves = b.op("Cast", raw, to=ELEMENTS["int64"])
    if node.op == "sclbl.TreeLeaves":
        return leaves
    values, targets = a["values"], a.get("targets")
    start = "start" if len(node.inputs) == 2 else b.tensor(a["init"][None, :])
    if targets is None:
        # [rows, trees, columns]
        picked = b.op("Gather", b.tensor(values), leaves, axis=0)
        total = b.op("ReduceSum", picked, b.tensor([1], np.int64), keepdims=0)
    else:
        picked = b.op("Gather", b.tensor(values[:, 0]), leaves, axis=0)
        spread = np.zeros((len(targets), len(a["init"])), dtype=values.dtype)
        spread[np.arange(len(targets)), targets] = 1
        total = b.op("MatMul", picked, b.tensor(spread))
    return b.op("Add", total, start)


def _category_codes(b: Body, x: str, a: Mapping[str, Any]) -> str:
    """Make categories whole and negative ones missing, in the columns that hold categories."""
    tested = a["feature"][(a["category_start"] >= 0) & (a["feature"] >= 0)]
    width = int(a["feature"].max(initial=0)) + 1
    mask = np.zeros(width, dtype=bool)
    mask[tested] = True
    columns = []
    for i in range(width):
        column = b.op("Gather", x, b.tensor([i], np.int64), axis=1)
        if mask[i]:
            whole = b.op("Floor", column)
            negative = b.op("Less", whole, b.tensor(0.0))
            column = b.op("Where", negative, b.tensor(np.nan), whole)
        columns.append(column)
    return b.op("Concat", *columns, axis=1)


def _attributes(a: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of the standard operator: lists of integers, and tensors."""
    feature = a["feature"]
    tree = tree_numbers(a)
    inner = np.flatnonzero((feature >= 0) & (tree >= 0))
    leaf = np.flatnonzero((feature < 0) & (tree >= 0))
    roots = np.asarray(a["roots"], dtype=np.int64)
    # A tree of one leaf becomes a node both of whose branches are that leaf. These nodes and
    # leaves come first, because onnx.reference takes the number of such a node for its leaf's.
    alone = roots[feature[roots] < 0]
    leaf = np.concatenate([alone, leaf[~np.isin(leaf, alone, kind="table")]])
    # Position of each node in its own list: inner nodes, or leaves.
    place = np.zeros(len(feature), dtype=np.int64)
    place[inner] = len(alone) + np.arange(len(inner))
    place[leaf] = np.arange(len(leaf))
    left = np.concatenate([alone, a["left"][inner]]).astype(np.int64)
    right = np.concatenate([alone, a["right"][inner]]).astype(np.int64)
    pad = np.zeros(len(alone), dtype=np.int64)
    modes = np.full(len(left), _MODES[a["rule"]], dtype=np.uint8)
    splits = np.concatenate([pad.astype(np.float64), a["threshold"][inner].astype(np.float64)])
    ints = {
        "tree_roots": place[roots],
        "nodes_featureids": np.concatenate([pad, feature[inner]]),
        "nodes_truenodeids": place[left],
        "nodes_falsenodeids": place[right],
        "nodes_trueleafs": (feature[left] < 0).astype(np.int64),
        "nodes_falseleafs": (feature[right] < 0).astype(np.int64),
        "nodes_missing_value_tracks_true": np.concatenate(
            [pad, np.asarray(a["missing_left"])[inner].astype(np.int64)]
        ),
        "leaf_targetids": tree[leaf],
    }
    numbers = {"n_targets": len(roots), "aggregate_function": 1, "post_transform": 0}
    tensors = {"leaf_weights": a["left"][leaf].astype(np.float64)}
    start = a.get("category_start")
    if start is not None and (start[inner] >= 0).any():
        member = np.flatnonzero(start[inner] >= 0)
        modes[len(alone) + member] = _MEMBER
        splits[len(alone) + member] = 0
        tensors["membership_values"] = np.concatenate(
            [_members(a, node) for node in inner[member].tolist()]
        )
    tensors |= {"nodes_splits": splits, "nodes_modes": modes}
    return {**numbers, **{name: Ints(values) for name, values in ints.items()}, **tensors}


def _members(a: Mapping[str, Any], node: int) -> np.ndarray:
    first, count = int(a["category_start"][node]), int(a["category_count"][node])
    words = np.ascontiguousarray(a["category_words"][first : first + count], dtype="<u4")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    return np.append(np.flatnonzero(bits).astype(np.float64), np.nan)
