"""Functions of one column that are constant between edges, as trees of comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.trees import Nodes, join
from sclbl.strippers.wire import Wire


def steps(
    x: Wire,
    edges: Sequence[np.ndarray],
    values: Sequence[np.ndarray],
    *,
    side: Literal["left", "right"] = "right",
    added: bool = False,
) -> Wire:
    """Return, for each column of x, the value of the bin that `numpy.searchsorted` finds.

    Parameters
    ----------
    x : Wire
        The columns; NaN falls into the last bin.
    edges : sequence of array
        By column, in ascending order.
    values : sequence of array
        By column, one for each bin, of which there is one more than edges; with `added` a row of
        numbers for each.
    side : {"left", "right"}
        As in `numpy.searchsorted`: the bin of a number that equals an edge.
    added : bool
        Whether the values of all columns are added, from left to right, beginning with 0.
    """
    wide = [np.asarray(v, dtype=np.float64).reshape(len(v), -1) for v in values]
    trees = [_tree(np.asarray(e, dtype=np.float64), i) for i, e in enumerate(edges)]
    leaves = np.concatenate([tree.left[tree.leaf] for tree in trees])
    first = np.cumsum([0, *(len(v) for v in wide[:-1])])
    # A leaf's number in its own column, after those of the columns before it.
    offsets = np.repeat(first, [len(v) for v in wide])
    ensemble = join(
        trees,
        (leaves + offsets).astype(np.int32),
        np.concatenate(wide),
        np.zeros(wide[0].shape[1] if added else len(wide)),
        "<" if side == "right" else "<=",
        None if added else np.arange(len(wide), dtype=np.int32),
    )
    return ops.trees(x, ensemble)


def _tree(edges: np.ndarray, column: int) -> Nodes:
    """Return a balanced tree over edges, whose leaves are numbered from left to right."""
    leaf: list[bool] = []
    left: list[int] = []
    right: list[int] = []
    threshold: list[float] = []

    def grow(low: int, high: int) -> int:
        """Add the bins from `low` to `high`; return the node above them."""
        node, middle = len(leaf), (low + high) // 2
        leaf.append(low == high)
        threshold.append(0.0 if low == high else float(edges[middle]))
        left.append(low)
        right.append(-1)
        if low < high:
            left[node] = grow(low, middle)
            right[node] = grow(middle + 1, high)
        return node

    grow(0, len(edges))
    return Nodes(
        np.array(leaf),
        np.array(left, dtype=np.int32),
        np.array(right, dtype=np.int32),
        np.where(leaf, -1, column).astype(np.int32),
        np.array(threshold),
        np.zeros(len(leaf), dtype=bool),
    )
