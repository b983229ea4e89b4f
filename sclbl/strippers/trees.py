"""Decision trees as flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sclbl.errors import UnsupportedModelError


@dataclass(frozen=True, slots=True)
class Trees:
    """An ensemble of decision trees as flat arrays, one entry a node, leaves included.

    Parameters
    ----------
    roots : int32 ``[trees]``
        Node number of each tree's root.
    feature : int32 ``[nodes]``
        Column of X that the node tests; -1 at a leaf.
    threshold : float32 or float64 ``[nodes]``
        The row goes left when ``x <= threshold`` (rule ``"<="``) or ``x < threshold`` (``"<"``).
        A float64 threshold is compared with the value of X in X's own type, widened.
    left, right : int32 ``[nodes]``
        Children. At a leaf ``left`` is its row in `values` and ``right`` is -1.
    missing_left : bool ``[nodes]``
        Where a missing value (NaN) goes.
    values : float32 or float64 ``[leaves, columns]``
        What a leaf adds. Sums are made in this type, tree after tree, starting from `init`.
    init : same dtype as values, ``[outputs]``
        Where the sums start.
    rule : {"<=", "<"}
        The comparison.
    targets : int32 ``[trees]`` or None
        Output column that each tree adds to (`values` then has one column); None where a leaf adds
        to all columns.
    category_start : int32 ``[nodes]`` or None
        For a node that tests a category: first word in `category_words`; -1 elsewhere.
    category_count : int32 ``[nodes]`` or None
        How many words.
    category_words : uint32 ``[words]`` or None
        Bit ``c`` of a node's words is set when category ``c`` goes left. A category with no bit
        goes right; a negative one or NaN goes where `missing_left` says.
    """

    roots: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    values: np.ndarray
    init: np.ndarray
    rule: Literal["<=", "<"]
    targets: np.ndarray | None = None
    category_start: np.ndarray | None = None
    category_count: np.ndarray | None = None
    category_words: np.ndarray | None = None

    def attrs(self) -> dict[str, Any]:
        """Return the arrays as attributes of a ``sclbl.TreeEnsemble`` node."""
        return {k: v for k in self.__slots__ if (v := getattr(self, k)) is not None}


@dataclass(frozen=True, slots=True)
class Nodes:
    """One tree as its library holds it: children by their number in the tree, -1 for no column."""

    leaf: np.ndarray
    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray


def join(
    trees: Sequence[Nodes],
    at_leaves: np.ndarray,
    values: np.ndarray,
    init: np.ndarray,
    rule: Literal["<=", "<"],
    targets: np.ndarray | None = None,
) -> Trees:
    """Return many trees as one ensemble; what the nodes hold that a leaf has no use for is dropped.

    Parameters
    ----------
    trees : sequence of Nodes
        In the order in which their leaves are summed.
    at_leaves : int32 ``[leaves]``
        What ``left`` becomes at each leaf.
    values, init, rule, targets
        See `Trees`.

    Raises
    ------
    UnsupportedModelError
        Where the nodes are more than 32-bit numbers can name.
    """
    sizes = np.array([len(t.leaf) for t in trees], dtype=np.int64)
    if int(sizes.sum()) > np.iinfo(np.int32).max:
        raise UnsupportedModelError(
            f"the trees have {int(sizes.sum()):,} nodes together, more than 32-bit numbers can "
            "name; fit fewer or smaller trees"
        )
    roots = (np.cumsum(sizes) - sizes).astype(np.int32)
    made = {
        "feature": np.empty(sizes.sum(), np.int32),
        "threshold": np.empty(sizes.sum(), trees[0].threshold.dtype),
        "left": np.empty(sizes.sum(), np.int32),
        "right": np.empty(sizes.sum(), np.int32),
        "missing_left": np.empty(sizes.sum(), bool),
    }
    done = 0
    for tree, root in zip(trees, roots, strict=True):
        begin, done = done, done + int(np.count_nonzero(tree.leaf))
        at_leaf = {"threshold": 0, "left": at_leaves[begin:done], "missing_left": False}
        for name, whole in made.items():
            part = whole[root : root + len(tree.leaf)]
            part[:] = getattr(tree, name)
            if name in ("left", "right"):
                part += root
            part[tree.leaf] = at_leaf.get(name, -1)
    return Trees(roots=roots, values=values, init=init, rule=rule, targets=targets, **made)
