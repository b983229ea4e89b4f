"""Whether the nodes of a fitted tree are a tree, looked at before the model is asked.

Compiled predict methods (Cython, C++) walk the nodes without looking: a child or a column that is
not there makes them read, or write, memory of somebody else, and a path that never ends makes them
run for ever. Verification asks the model, so its nodes are checked first, in its own integers.
"""

from __future__ import annotations

import numpy as np


def check(
    number: int,
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    leaf: np.ndarray,
    columns: int,
) -> None:
    """Check one tree.

    Parameters
    ----------
    number : int
        Which tree of the model; messages name it.
    left, right, feature : int ``[nodes]``
        Children, and the column that each node tests, as the model holds them; node 0 is the root.
        What they hold at a leaf does not count.
    leaf : bool ``[nodes]``
        Where the paths end.
    columns : int
        How many columns the tree was fitted on.

    Raises
    ------
    ValueError
        Where a walk would leave the arrays or never end; `sclbl.strippers.dispatch.reading` turns
        it into an `UnsupportedModelError` that names the model.
    """
    nodes = len(leaf)
    if not nodes or not len(left) == len(right) == len(feature) == nodes:
        raise ValueError(f"tree {number} has no nodes, or arrays of different lengths")
    inner = np.flatnonzero(~leaf)
    if not len(inner):
        return
    children = np.concatenate([left[inner], right[inner]])
    # The root is nobody's child.
    outside = (children < 1) | (children >= nodes)
    if outside.any():
        at = int(np.argmax(outside))
        raise ValueError(
            f"node {inner[at % len(inner)]} of tree {number} has the child {children[at]}, where "
            f"it can be 1 to {nodes - 1}"
        )
    # Where no node has two parents, no walk from the root comes to one twice.
    parents = np.bincount(children.astype(np.int64), minlength=nodes)
    if parents.max() > 1:
        raise ValueError(f"node {int(np.argmax(parents))} of tree {number} has two parents")
    tested = feature[inner]
    outside = (tested < 0) | (tested >= columns)
    if outside.any():
        at = int(np.argmax(outside))
        raise ValueError(
            f"node {inner[at]} of tree {number} tests the column {tested[at]}, of {columns}"
        )
