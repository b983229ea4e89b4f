"""Rows that reach the nodes of trees, with a value on the node's threshold or next to it.

For a node, the tests on the way from the root to it leave an interval to each feature. A row's
values are moved into those intervals where they are outside, and the feature that the node tests is
set to its threshold or to a neighbour. So both branches of a node are taken, one by the last value
that goes left and one by the first that goes right; with every inner node tried, every leaf is.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sclbl.fidelity.trace import Found, Track, Tracks, is_numeric
from sclbl.spec import Node

#: Most nodes that are tried, and how often each is where there are fewer: from other rows, because
#: the ways that part at a node may end in equal leaves.
MAX_NODES, REPEATS = 768, 8
SEED = 1952
#: Neighbours of a threshold, in ULP; 0 is the threshold itself.
_SIDES = (0, 1, -1)


def threshold_rows(
    found: Found, numeric: np.ndarray, types: Mapping[str, str], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows on the thresholds of trees and beside them.

    Parameters
    ----------
    found : Found
        The graph's trees, and which input columns they test.
    numeric : float64 ``[rows, numeric columns]``
        Rows to start from, in turn.
    types : mapping of str to str
        Element type of each tensor.
    rng : Generator
        Chooses categories.

    Returns
    -------
    float64 ``[new rows, numeric columns]``
        The rows.
    int ``[new rows]``
        Which of the given rows each started from.
    """
    made: list[np.ndarray] = []
    starts: list[int] = []
    trees = [n for n in found.trees if any(map(is_numeric, found.tracks.get(n.inputs[0], ())))]
    for node in trees:
        single = types[node.inputs[0]] == "float32"
        way = _Way(node, found.tracks[node.inputs[0]], single, rng)
        targets = way.targets(MAX_NODES // len(trees))
        repeats = min(MAX_NODES // (len(trees) * max(len(targets), 1)), REPEATS)
        for i, target in enumerate(targets * max(repeats, 1)):
            # The threshold and the value after it always, the value before it and float64
            # neighbours of a float32 threshold in turn.
            for side in (0, 1) if i % 4 else _SIDES:
                start = int(rng.integers(len(numeric)))
                made.append(way.row(target, numeric[start], side, fine=single and i % 4 == 3))
                starts.append(start)
    shape = (len(made), numeric.shape[1])
    return np.array(made, dtype=np.float64).reshape(shape), np.array(starts, dtype=np.int64)


@dataclass
class _Box:
    """What tests leave to each feature: an interval, or branches at nodes of categories."""

    low: dict[int, float] = field(default_factory=dict)
    high: dict[int, float] = field(default_factory=dict)
    sets: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)


class _Way:
    """The way to a node of one ensemble, and on from it.

    A node whose threshold is wrong shows only where the ways that part there end in different
    leaves. So a row is also moved into a random way down the left branch and one down the right.
    """

    def __init__(self, node: Node, tracks: Tracks, single: bool, rng: np.random.Generator) -> None:
        a: Mapping[str, Any] = node.attrs
        self.tracks = tracks
        self.rng = rng
        self.random = random.Random(SEED)
        self.kind: type[np.floating[Any]] = np.float32 if single else np.float64
        feature = a["feature"]
        inner = np.flatnonzero(feature >= 0)
        parent = np.full(len(feature), -1, dtype=np.int32)
        parent[a["left"][inner]] = inner
        parent[a["right"][inner]] = inner
        known = np.array([is_numeric(t) for t in tracks], dtype=bool)
        self.inner = inner[known[feature[inner]]]
        # A memoryview gives Python's numbers, several times faster than an array does.
        self.parent, self.feature, self.threshold, self.left, self.right = (
            np.ascontiguousarray(v).data
            for v in (parent, feature, a["threshold"], a["left"], a["right"])
        )
        self.closed = a["rule"] == "<="
        self.categories = a if a.get("category_start") is not None else None

    def targets(self, most: int) -> list[int]:
        """Return inner nodes, evenly spread."""
        if not len(self.inner):
            return []
        places = np.unique(np.linspace(0, len(self.inner) - 1, most).astype(np.int64))
        return [int(n) for n in self.inner[places]]

    def row(self, target: int, row: np.ndarray, side: int, fine: bool) -> np.ndarray:
        """Return `row`, changed so that it reaches a node on its threshold."""
        row = row.copy()
        box = _Box()
        child, at = target, self.parent[target]
        while at >= 0:
            self.narrow(box, at, self.left[at] == child)
            child, at = at, self.parent[at]
        feature, value = self.feature[target], None
        if self.is_category(target):
            box.sets.setdefault(feature, []).append((target, side == 0))
        else:
            value = _step(self.threshold[target], side, np.float64 if fine else self.kind)
        branches = [self.left[target], self.right[target]]
        for branch in branches if self.random.random() < 0.5 else branches[::-1]:
            self.descend(box, branch, feature, value)
        for tested in box.low.keys() | box.high.keys():
            track = self.tracks[tested]
            if track is not None and is_numeric(track):
                lowest, highest = box.low.get(tested, -np.inf), box.high.get(tested, np.inf)
                self.move_inside(row, track, lowest, highest)
        if value is not None:
            self.put(row, self.tracks[feature], value)
        for tested, tests in box.sets.items():
            self.put(row, self.tracks[tested], self.category(tests))
        return row

    def narrow(self, box: _Box, at: int, left: bool) -> None:
        """Add the test of one node, with the branch that is taken."""
        feature, threshold = self.feature[at], self.threshold[at]
        if self.is_category(at):
            box.sets.setdefault(feature, []).append((at, left))
        elif left:
            box.high[feature] = min(box.high.get(feature, np.inf), threshold)
        else:
            box.low[feature] = max(box.low.get(feature, -np.inf), threshold)

    def descend(self, box: _Box, at: int, fixed: int, value: float | None) -> None:
        """Add the tests of a random way down from a node, as far as they fit the others."""
        while (feature := self.feature[at]) >= 0:
            threshold = self.threshold[at]
            left = self.random.random() < 0.5
            if self.is_category(at):
                if feature == fixed:
                    return
            elif feature == fixed and value is not None:
                left = value <= threshold if self.closed else value < threshold
                at = self.left[at] if left else self.right[at]
                continue
            elif threshold >= box.high.get(feature, np.inf):
                left = True
            elif threshold <= box.low.get(feature, -np.inf):
                left = False
            self.narrow(box, at, left)
            at = self.left[at] if left else self.right[at]

    def is_category(self, node: int) -> bool:
        return self.categories is not None and int(self.categories["category_start"][node]) >= 0

    def move_inside(self, row: np.ndarray, track: Track, low: float, high: float) -> None:
        """Put a value that is outside between two thresholds."""
        value = float(row[track.column]) * track.scale + track.shift
        if not (value > low if self.closed else value >= low):
            inside = _step(low, 1 if self.closed else 0, self.kind)
            self.put(row, track, inside if np.isfinite(low) else high)
        elif not (value <= high if self.closed else value < high):
            self.put(row, track, _step(high, 0 if self.closed else -1, self.kind))

    def put(self, row: np.ndarray, track: Track | None, value: float) -> None:
        if track is not None and is_numeric(track) and track.scale:
            row[track.column] = (value - track.shift) / track.scale

    def category(self, tests: list[tuple[int, bool]]) -> float:
        """Return a category that takes the given branch at each of some nodes."""
        counts = self.categories["category_count"] if self.categories is not None else ()
        most = 32 * max(int(counts[node]) for node, _ in tests) + 2
        for code in self.rng.permutation(most).tolist():
            if all(self.goes_left(node, code) == left for node, left in tests):
                return float(code)
        return 0.0

    def goes_left(self, node: int, code: int) -> bool:
        a = self.categories
        if a is None or code >= 32 * int(a["category_count"][node]):
            return False
        word = int(a["category_words"][int(a["category_start"][node]) + code // 32])
        return bool(word >> (code % 32) & 1)


def _step(value: float, side: int, kind: type[np.floating[Any]]) -> float:
    """Return the float of a type at a value (the last one not above it) or next to that."""
    with np.errstate(over="ignore"):
        point = kind(value)
    if float(point) > value:
        point = np.nextafter(point, kind(-np.inf))
    if side:
        point = np.nextafter(point, kind(np.inf * side))
    return float(point) if np.isfinite(point) else value
