"""What each column of a row adds to the sums of an ensemble: SHAP values, in float32.

The arrays are those of a ``sclbl.TreeEnsemble`` with one value a leaf and a target a tree, and
``share`` (what part of its parent's weight a node had in training), ``weights`` (a factor for each
tree) and ``quadrature`` (which of two ways; see kernels/contributions.c). The results are, for each
sum, a number for each column and its ``init`` at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops.record import Emitter, Op, Operand, Typed, fail, tensor
from sclbl.ops.trees import shares
from sclbl.ops.trees.checks import check_sums, infer_sums
from sclbl.spec import Node

#: The deepest tree: what is kept on the way down grows with the square of it.
DEEPEST = 512
_SINGLE = frozenset(("float32",))
_OWN = {"share": "float32", "weights": "float32", "quadrature": "int"}


def _plain(node: Node) -> Node:
    return replace(node, attrs={k: v for k, v in node.attrs.items() if k not in _OWN})


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    a = node.attrs
    if len(xs) != 1 or "targets" not in a or any(name not in a for name in _OWN):
        raise fail(node, f"takes X, targets, {', '.join(_OWN)}")
    tensor(node, xs[0], _SINGLE)
    infer_sums(_plain(node), xs)
    counts = {"share": len(a["feature"]), "weights": len(a["roots"])}
    for name, count in counts.items():
        array = a[name]
        known = isinstance(array, np.ndarray) and array.dtype == np.float32
        if not known or array.shape != (count,):
            raise fail(node, f"has {name} that is not float32[{count}]")
    singles = (a["threshold"].dtype.name, a["values"].dtype.name)
    if singles != ("float32",) * 2 or a["rule"] != "<" or a["quadrature"] not in (0, 1):
        raise fail(node, "takes float32 compared by '<', and 0 or 1 for quadrature")
    return [("float32", (len(a["init"]) * (xs[0].width + 1),))]


def _check(node: Node, xs: Sequence[Operand]) -> None:
    check_sums(_plain(node), xs)
    a = node.attrs
    if not (a["share"] > 0).all():
        raise fail(node, "has a share that is not above 0")


def depth_of(feature: np.ndarray, left: np.ndarray, right: np.ndarray, roots: np.ndarray) -> int:
    """Return how many steps the longest way down a tree takes."""
    depth, at = 0, roots[feature[roots] >= 0]
    while len(at):
        depth += 1
        at = np.concatenate([left[at], right[at]])
        at = at[feature[at] >= 0]
    return depth


def _lower(e: Emitter, node: Node) -> None:
    a, x = node.attrs, node.inputs[0]
    feature = np.asarray(a["feature"])
    leaf = feature < 0
    limit = np.asarray(a["threshold"], dtype=np.float32).view(np.int32).copy()
    limit[leaf] = a["values"][a["left"][leaf], 0].view(np.int32)
    flags = np.asarray(a["missing_left"]).astype(np.int32)
    words = np.zeros(1, dtype=np.uint32)
    if a.get("category_start") is not None:
        tests = np.flatnonzero((a["category_start"] >= 0) & ~leaf)
        flags[tests] |= 2
        places, words = _sets(a["category_start"][tests], a["category_count"][tests], a)
        limit[tests] = places
    left, right = (np.where(leaf, 0, a[side]).astype(np.int32) for side in ("left", "right"))
    share = np.asarray(a["share"], dtype=np.float32).view(np.int32)
    nodes = np.column_stack([feature, limit, left, right, share, flags]).astype(np.int32)
    deep = depth_of(feature, left, right, np.asarray(a["roots"]))
    if deep > DEEPEST:
        raise SpecError(
            f"a tree is {deep} levels deep, and contributions are computed of {DEEPEST} at most; "
            "reduce its depth"
        )
    width = e.width(x)
    way: tuple[str, ...]
    if a["quadrature"]:
        way = (
            e.weight(np.concatenate(shares.rule()), 4),
            e.workspace(4 * width),
            e.workspace((deep + 1) * 4 * (5 + 2 * shares.POINTS)),
        )
    else:
        way = (e.workspace(16 * (deep + 2) * (deep + 3) // 2), e.workspace(24 * (deep + 2)))
    e.call(
        f"contributions_{'quadrature' if a['quadrature'] else 'path'}_f32",
        e.output(node),
        e.pointer(x),
        "i32 %m",
        e.weight(np.ascontiguousarray(nodes), 4),
        e.weight(words, 4),
        e.weight(np.asarray(a["roots"], dtype=np.int32), 4),
        e.weight(np.asarray(a["targets"], dtype=np.int32), 4),
        e.weight(np.asarray(a["weights"], dtype=np.float32), 4),
        e.weight(np.asarray(a["init"], dtype=np.float32), 4),
        e.workspace(4 * width),
        *way,
        f"i32 {len(a['roots'])}",
        f"i32 {len(a['init'])}",
        f"i32 {width}",
    )


def _sets(start: np.ndarray, count: np.ndarray, a: shares.Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Return where each set of categories begins, and the sets, each after its length in words."""
    sets = [
        np.append(np.uint32(c), a["category_words"][s : s + c])
        for s, c in zip(start, count, strict=True)
    ]
    sizes = np.array([len(s) for s in sets], dtype=np.int64)
    words = np.concatenate(sets) if sets else np.zeros(1)
    return (np.cumsum(sizes) - sizes).astype(np.int32), words.astype(np.uint32)


TreeContributions = Op(
    "sclbl.TreeContributions",
    _infer,
    shares.define,
    _lower,
    _SINGLE,
    check=_check,
    exact=True,
    role="trees",
    holds="trees",
)
