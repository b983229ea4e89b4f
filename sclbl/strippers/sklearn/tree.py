"""`sklearn.tree`: decision trees, and what forests and boosting share with them.

What `sklearn.tree._tree.Tree.predict` computes: X is cast to float32 (an infinity, or a number that
becomes one, is refused; so is NaN unless the tree takes missing values), and a row goes left where
its float32 value, widened, is ``<=`` the node's float64 threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.strippers import ops, tree_nodes
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.trees import Nodes, Trees, join

_LEAF = -1


def float32_matrix(model: Any, x: Table, *, missing: bool) -> Wire:
    """Return X as scikit-learn's trees take it: float32, infinity refused after the cast."""
    # In a sparse matrix scikit-learn's trees refuse NaN, whatever they were fitted on.
    return ops.refuse(x.matrix("float32", model=model), nan=x.sparse is not None or not missing)


def takes_missing(tree: Any) -> bool:
    """Return whether a fitted tree estimator accepts NaN (scikit-learn's own answer)."""
    return bool(tree._support_missing_values(np.empty((0, 0), dtype=np.float32)))


def flatten(
    trees: Sequence[Any],
    columns: np.ndarray,
    init: np.ndarray,
    *,
    scale: float = 1.0,
    targets: np.ndarray | None = None,
) -> Trees:
    """Return the nodes of many `sklearn.tree._tree.Tree` as one ensemble.

    Of a node's flattened ``value`` a leaf adds the entries `columns`, multiplied by `scale` in
    float64 (the learning rate of boosting).
    """
    nodes = [nodes_of(i, tree) for i, tree in enumerate(trees)]
    values = np.empty((sum(int(n.leaf.sum()) for n in nodes), len(columns)), dtype=np.float64)
    done = 0
    for tree, own in zip(trees, nodes, strict=True):
        found = tree.value.reshape(tree.node_count, -1)[own.leaf][:, columns]
        values[done : done + len(found)] = found
        done += len(found)
    if scale != 1.0:
        np.multiply(values, scale, out=values)
    return join(nodes, np.arange(done, dtype=np.int32), values, init, "<=", targets)


def leaf_numbers(trees: Sequence[Any]) -> Trees:
    """Return an ensemble for `Builder.tree_leaves` whose leaves are node numbers in their tree."""
    nodes = [nodes_of(i, tree) for i, tree in enumerate(trees)]
    numbers = np.concatenate([np.flatnonzero(n.leaf) for n in nodes]).astype(np.int32)
    return join(nodes, numbers, np.empty((0, 1)), np.zeros(1), "<=")


def nodes_of(number: int, tree: Any) -> Nodes:
    """Return the nodes of one `sklearn.tree._tree.Tree`, checked."""
    leaf, left, right = tree.children_left == _LEAF, tree.children_left, tree.children_right
    tree_nodes.check(number, left, right, tree.feature, leaf, tree.n_features)
    return Nodes(leaf, left, right, tree.feature, tree.threshold, tree.missing_go_to_left)


class TreeModel(Stripper):
    """One fitted tree: its leaf as it is."""

    def trees(self, model: Any) -> Sequence[Any]:
        """Return the fitted tree estimators, one or more."""
        return [model]

    def leaves(self, model: Any, x: Wire, columns: np.ndarray) -> Any:
        """Return float64 ``[rows, columns]`` of the given entries of a node's flattened value."""
        # Sums start at -0.0, the one number that leaves every leaf value as it is, -0.0 too.
        return ops.trees(x, flatten([model.tree_], columns, np.full(len(columns), -0.0)))

    def rows(self, model: Any, x: Table) -> Wire:
        return float32_matrix(model, x, missing=takes_missing(self.trees(model)[0]))

    @method(on_request=True)
    def apply(self, model: Any, x: Wire) -> Wire:
        return ops.tree_leaves(x, leaf_numbers([e.tree_ for e in self.trees(model)]))


class TreeClassifier(TreeModel):
    """Probabilities of the outputs, side by side; the first largest of each is predicted."""

    @once
    def chances(self, model: Any, x: Wire) -> Any:
        """Return the probabilities of all outputs.

        A tree's value is ``[outputs, most classes]``; outputs with fewer classes are padded.
        """
        counts = _class_counts(model)
        places = [k * max(counts) + np.arange(n) for k, n in enumerate(counts)]
        return self.leaves(model, x, np.concatenate(places))

    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        chances, counts = self.chances(model, x), _class_counts(model)
        ends = np.cumsum(counts).tolist()
        codes = [
            np.argmax(chances[:, end - n : end], axis=1)
            for end, n in zip(ends, counts, strict=True)
        ]
        classes = model.classes_ if len(counts) > 1 else [model.classes_]
        return ops.labels(ops.concat(codes), *classes)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Wire:
        return self._split(model, self.chances(model, x))

    @method
    def predict_log_proba(self, model: Any, x: Wire) -> Wire:
        return self._split(model, np.log(self.chances(model, x)))

    @staticmethod
    def _split(model: Any, chances: Wire) -> Wire:
        counts = _class_counts(model)
        return replace(chances, splits=tuple(counts) if len(counts) > 1 else None)


class TreeRegressor(TreeModel):
    """The values of the leaves."""

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return self.leaves(model, x, np.arange(model.n_outputs_))


def _class_counts(model: Any) -> list[int]:
    """Return how many classes each output of a classifier has."""
    return [int(n) for n in np.atleast_1d(model.n_classes_)]


CLASSES: dict[str, Stripper] = {
    **dict.fromkeys(["DecisionTreeClassifier", "ExtraTreeClassifier"], TreeClassifier()),
    **dict.fromkeys(["DecisionTreeRegressor", "ExtraTreeRegressor"], TreeRegressor()),
}
