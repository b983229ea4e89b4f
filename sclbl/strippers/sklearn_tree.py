"""Decision trees of scikit-learn: DecisionTree*, ExtraTree*.

What `sklearn.tree._tree.Tree.predict` computes: X is cast to float32 (an infinity, or a number that
becomes one, is refused; so is NaN unless the tree takes missing values), and a row goes left where
its float32 value, widened, is ``<=`` the node's float64 threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import tree_nodes
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.trees import Trees

_LEAF = -1
_MOST_NODES = np.iinfo(np.int32).max


def float32_matrix(model: Any, x: Table, build: Builder, *, missing: bool) -> Wire:
    """Return X as scikit-learn's trees take it: float32, infinity refused after the cast.

    Parameters
    ----------
    model : estimator
        Whom a message names.
    x : Table
        The columns.
    build : Builder
        Where to write.
    missing : bool
        Whether NaN is let through.

    Returns
    -------
    Wire
        float32 ``[rows, columns]``.
    """
    # In a sparse matrix scikit-learn's trees refuse NaN, whatever they were fitted on.
    nan = x.sparse is not None or not missing
    return build.refuse(x.matrix("float32", model=model), nan=nan, inf=True)


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

    Parameters
    ----------
    trees : sequence of Tree
        In the order in which their leaves are summed.
    columns : int ``[columns]``
        Which entries of a node's flattened ``value`` a leaf adds.
    init : float64 ``[outputs]``
        Where the sums start.
    scale : float
        What leaf values are multiplied by, in float64 (the learning rate of boosting).
    targets : int32 ``[trees]``, optional
        Output that each tree adds to.

    Returns
    -------
    Trees
        With float64 thresholds and values.

    Raises
    ------
    UnsupportedModelError
        Where the nodes are more than 32-bit numbers can name.
    """
    leaves = np.empty((sum(int(t.n_leaves) for t in trees), len(columns)), dtype=np.float64)
    done = 0

    def number(tree: Any, at_leaf: np.ndarray) -> np.ndarray:
        nonlocal done
        value = tree.value.reshape(tree.node_count, -1)[at_leaf]
        stop = done + len(value)
        leaves[done:stop] = value[:, columns]
        numbers = np.arange(done, stop, dtype=np.int32)
        done = stop
        return numbers

    ensemble = _flatten(trees, number, leaves, init, targets)
    if scale != 1.0:
        np.multiply(leaves, scale, out=leaves)
    return ensemble


def leaf_numbers(trees: Sequence[Any]) -> Trees:
    """Return an ensemble for `Builder.tree_leaves` whose leaves are node numbers in their tree."""
    return _flatten(
        trees,
        lambda tree, at_leaf: np.flatnonzero(at_leaf).astype(np.int32),
        np.empty((0, 1), dtype=np.float64),
        np.zeros(1, dtype=np.float64),
        None,
    )


def _flatten(
    trees: Sequence[Any],
    number: Any,
    values: np.ndarray,
    init: np.ndarray,
    targets: np.ndarray | None,
) -> Trees:
    sizes = np.array([t.node_count for t in trees], dtype=np.int64)
    total = int(sizes.sum())
    if total > _MOST_NODES:
        raise UnsupportedModelError(
            f"the trees have {total:,} nodes together, and a program holds at most "
            f"{_MOST_NODES:,}; fit fewer or smaller trees (max_depth, max_leaf_nodes)"
        )
    roots = (np.cumsum(sizes) - sizes).astype(np.int32)
    feature = np.empty(total, dtype=np.int32)
    threshold = np.empty(total, dtype=np.float64)
    left = np.empty(total, dtype=np.int32)
    right = np.empty(total, dtype=np.int32)
    missing_left = np.empty(total, dtype=bool)
    for i, (tree, root, size) in enumerate(zip(trees, roots.tolist(), sizes.tolist(), strict=True)):
        part = slice(root, root + size)
        at_leaf = tree.children_left == _LEAF
        tree_nodes.check(
            i, tree.children_left, tree.children_right, tree.feature, at_leaf, tree.n_features
        )
        feature[part] = tree.feature
        feature[part][at_leaf] = -1
        threshold[part] = tree.threshold
        threshold[part][at_leaf] = 0.0
        left[part] = tree.children_left
        left[part] += np.int32(root)
        left[part][at_leaf] = number(tree, at_leaf)
        right[part] = tree.children_right
        right[part] += np.int32(root)
        right[part][at_leaf] = -1
        missing_left[part] = tree.missing_go_to_left
        missing_left[part][at_leaf] = False
    return Trees(roots, feature, threshold, left, right, missing_left, values, init, "<=", targets)


def class_counts(model: Any) -> list[int]:
    """Return how many classes each output of a classifier has."""
    return [int(n) for n in np.atleast_1d(model.n_classes_)]


def probability_columns(model: Any) -> np.ndarray:
    """Return where the classes of all outputs stand in a flattened node value.

    A tree's value is ``[outputs, most classes]``; outputs with fewer classes are padded.
    """
    counts = class_counts(model)
    most = max(counts)
    return np.concatenate([k * most + np.arange(n) for k, n in enumerate(counts)])


def classify(
    model: Any, probabilities: Wire, build: Builder, methods: frozenset[str]
) -> dict[str, Wire]:
    """Write a classifier's methods from its probabilities, the outputs side by side.

    ``predict`` is the first largest probability of each output.
    """
    counts = class_counts(model)
    splits = tuple(counts) if len(counts) > 1 else None
    written: dict[str, Wire] = {}
    if "predict_proba" in methods:
        written["predict_proba"] = replace(probabilities, splits=splits)
    if "predict_log_proba" in methods:
        written["predict_log_proba"] = replace(build.unary("Log", probabilities), splits=splits)
    if "predict" in methods:
        starts = np.cumsum([0, *counts])
        codes = [
            build.argmax(build.columns(probabilities, range(int(a), int(a) + n)))
            for a, n in zip(starts, counts, strict=False)
        ]
        classes = model.classes_ if len(counts) > 1 else [model.classes_]
        written["predict"] = build.labels(build.concat(codes), classes)
    return written


class Members(Protocol):
    """Where a model keeps its fitted trees, and what it makes of their leaves."""

    def trees(self, model: Any) -> Sequence[Any]:
        """Return the fitted tree estimators, one or more."""

    def results(self, model: Any, x: Wire, build: Builder, columns: np.ndarray) -> Wire:
        """Return float64 ``[rows, columns]`` of the given entries of a node's flattened value."""


class _Single:
    """One fitted tree: the leaf as it is."""

    def trees(self, model: Any) -> Sequence[Any]:
        return [model]

    def results(self, model: Any, x: Wire, build: Builder, columns: np.ndarray) -> Wire:
        # Sums start at -0.0, the one number that leaves every leaf value as it is, -0.0 too.
        init = np.full(len(columns), -0.0)
        return build.trees(x, flatten([model.tree_], columns, init))


class _Stripper:
    """What classifiers and regressors share."""

    def __init__(self, members: Members) -> None:
        self.members = members

    def optional(self, model: Any) -> tuple[str, ...]:
        return ("apply",)

    def _start(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> tuple[Wire, dict[str, Wire]]:
        """Return X as the trees take it, and ``apply`` where it is wanted."""
        trees = self.members.trees(model)
        rows = float32_matrix(model, x, build, missing=takes_missing(trees[0]))
        written: dict[str, Wire] = {}
        if "apply" in methods:
            written["apply"] = build.tree_leaves(rows, leaf_numbers([e.tree_ for e in trees]))
        return rows, written


class Classifier(_Stripper):
    """Strips a classifier made of trees."""

    def methods(self, model: Any) -> tuple[str, ...]:
        return ("predict", "predict_proba", "predict_log_proba")

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        rows, written = self._start(model, x, build, methods)
        if methods.difference(written):
            columns = probability_columns(model)
            probabilities = self.members.results(model, rows, build, columns)
            written |= classify(model, probabilities, build, methods)
        return written


class Regressor(_Stripper):
    """Strips a regressor made of trees."""

    def methods(self, model: Any) -> tuple[str, ...]:
        return ("predict",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        rows, written = self._start(model, x, build, methods)
        if "predict" in methods:
            columns = np.arange(model.n_outputs_)
            written["predict"] = self.members.results(model, rows, build, columns)
        return written


CLASSIFIER = Classifier(_Single())
REGRESSOR = Regressor(_Single())
