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
import onnx

from sclbl.errors import SpecError
from sclbl.onnx_format.functions import Body
from sclbl.onnx_format.tensors import to_tensor
from sclbl.spec import Node

_MODES = {"<=": 0, "<": 1}
_MEMBER = 6
#: Numbers that are Python's at one time.
_CHUNK = 1 << 16


def tree_function(proto: onnx.FunctionProto, node: Node, name: str) -> None:
    """Write the function of one ``sclbl.TreeEnsemble`` or ``sclbl.TreeLeaves`` node."""
    a = node.attrs
    inputs = ["x", "start"][: len(node.inputs)]
    body = Body(proto, name, inputs, sorted(a))
    x = body.op("Cast", "x", to=onnx.TensorProto.DOUBLE)
    if a.get("category_start") is not None:
        x = _category_codes(body, x, a)
    raw = body.op("TreeEnsemble", x, domain="ai.onnx.ml")
    _write_attributes(proto.node[-1], a)
    only_leaves = node.op == "sclbl.TreeLeaves"
    leaves = body.op("Cast", raw, to=onnx.TensorProto.INT64, out="y" if only_leaves else None)
    if not only_leaves:
        values, targets = a["values"], a.get("targets")
        start = "start" if len(inputs) == 2 else body.tensor(a["init"][None, :])
        if targets is None:
            # [rows, trees, columns]
            picked = body.op("Gather", body.tensor(values), leaves, axis=0)
            axis = body.tensor([1], np.int64)
            total = body.op("ReduceSum", picked, axis, keepdims=0)
        else:
            picked = body.op("Gather", body.tensor(values[:, 0]), leaves, axis=0)
            spread = np.zeros((len(targets), len(a["init"])), dtype=values.dtype)
            spread[np.arange(len(targets)), targets] = 1
            total = body.op("MatMul", picked, body.tensor(spread))
        body.op("Add", total, start, out="y")


def _category_codes(body: Body, x: str, a: Mapping[str, Any]) -> str:
    """Make categories whole and negative ones missing, in the columns that hold categories."""
    tested = a["feature"][(a["category_start"] >= 0) & (a["feature"] >= 0)]
    width = int(a["feature"].max(initial=0)) + 1
    mask = np.zeros(width, dtype=bool)
    mask[tested] = True
    columns = []
    for i in range(width):
        column = body.op("Gather", x, body.tensor([i], np.int64), axis=1)
        if mask[i]:
            whole = body.op("Floor", column)
            negative = body.op("Less", whole, body.tensor(0.0))
            column = body.op("Where", negative, body.tensor(np.nan), whole)
        columns.append(column)
    return body.op("Concat", *columns, axis=1)


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


def _write_attributes(node: onnx.NodeProto, a: Mapping[str, Any]) -> None:
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
    ints: dict[str, Any] = {
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
        "n_targets": len(roots),
        "aggregate_function": 1,
        "post_transform": 0,
    }
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
    for name, values in sorted({**ints, **tensors}.items()):
        attribute = node.attribute.add(name=name)
        if isinstance(values, int):
            attribute.type, attribute.i = onnx.AttributeProto.INT, values
        elif name in ints:
            attribute.type = onnx.AttributeProto.INTS
            for start_at in range(0, len(values), _CHUNK):
                attribute.ints.extend(values[start_at : start_at + _CHUNK].tolist())
        else:
            attribute.type = onnx.AttributeProto.TENSOR
            attribute.t.CopyFrom(to_tensor(values))


def _members(a: Mapping[str, Any], node: int) -> np.ndarray:
    first, count = int(a["category_start"][node]), int(a["category_count"][node])
    words = np.ascontiguousarray(a["category_words"][first : first + count], dtype="<u4")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    return np.append(np.flatnonzero(bits).astype(np.float64), np.nan)
