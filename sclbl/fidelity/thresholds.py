"""Rows that reach the nodes of trees, with a value on the node's threshold or next to it.

For a node, the tests on the way from the root to it leave an interval to each feature. A row's
values are moved into those intervals where they are outside, and the feature that the node tests is
set to its threshold or to a neighbour. So both branches of a node are taken, one by the last value
that goes left and one by the first that goes right; with every inner node tried, every leaf is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.fidelity.trace import Found, Track, Tracks, is_numeric
from sclbl.spec import Node

#: Most nodes that are tried.
MAX_NODES = 768
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
        for i, target in enumerate(way.targets(MAX_NODES // len(trees))):
            # The threshold and the value after it always, the value before it and float64
            # neighbours of a float32 threshold in turn.
            for side in (0, 1) if i % 4 else _SIDES:
                start = len(made) % len(numeric)
                made.append(way.row(target, numeric[start], side, fine=single and i % 4 == 3))
                starts.append(start)
    shape = (len(made), numeric.shape[1])
    return np.array(made, dtype=np.float64).reshape(shape), np.array(starts, dtype=np.int64)


class _Way:
    """The way to a node of one ensemble."""

    def __init__(self, node: Node, tracks: Tracks, single: bool, rng: np.random.Generator) -> None:
        self.a: Mapping[str, Any] = node.attrs
        self.tracks = tracks
        self.rng = rng
        self.kind: type[np.floating[Any]] = np.float32 if single else np.float64
        feature = self.a["feature"]
        inner = np.flatnonzero(feature >= 0)
        self.parent = np.full(len(feature), -1, dtype=np.int32)
        self.parent[self.a["left"][inner]] = inner
        self.parent[self.a["right"][inner]] = inner
        self.starts = self.a.get("category_start")
        known = np.array([is_numeric(t) for t in tracks], dtype=bool)
        self.inner = inner[known[feature[inner]]]

    def targets(self, most: int) -> list[int]:
        """Return inner nodes, evenly spread."""
        if not len(self.inner):
            return []
        places = np.unique(np.linspace(0, len(self.inner) - 1, most).astype(np.int64))
        return [int(n) for n in self.inner[places]]

    def row(self, target: int, row: np.ndarray, side: int, fine: bool) -> np.ndarray:
        """Return `row`, changed so that it reaches a node on its threshold."""
        row = row.copy()
        low: dict[int, float] = {}
        high: dict[int, float] = {}
        sets: dict[int, list[tuple[int, bool]]] = {}
        child, at = target, int(self.parent[target])
        while at >= 0:
            feature, left = int(self.a["feature"][at]), int(self.a["left"][at]) == child
            if self.is_category(at):
                sets.setdefault(feature, []).append((at, left))
            elif left:
                high[feature] = min(high.get(feature, np.inf), float(self.a["threshold"][at]))
            else:
                low[feature] = max(low.get(feature, -np.inf), float(self.a["threshold"][at]))
            child, at = at, int(self.parent[at])
        for feature in low.keys() | high.keys():
            track = self.tracks[feature]
            if track is not None and is_numeric(track):
                lowest, highest = low.get(feature, -np.inf), high.get(feature, np.inf)
                self.move_inside(row, track, lowest, highest)
        feature = int(self.a["feature"][target])
        if self.is_category(target):
            sets.setdefault(feature, []).append((target, side == 0))
        else:
            threshold = float(self.a["threshold"][target])
            kind = np.float64 if fine else self.kind
            self.put(row, self.tracks[feature], _step(threshold, side, kind))
        for feature, tests in sets.items():
            self.put(row, self.tracks[feature], self.category(tests))
        return row

    def is_category(self, node: int) -> bool:
        return self.starts is not None and int(self.starts[node]) >= 0

    def move_inside(self, row: np.ndarray, track: Track, low: float, high: float) -> None:
        """Put a value that is outside between two thresholds."""
        value = row[track.column] * track.scale + track.shift
        closed = self.a["rule"] == "<="
        if not (value > low if closed else value >= low):
            inside = _step(low, 1 if closed else 0, self.kind)
            self.put(row, track, inside if np.isfinite(low) else high)
        elif not (value <= high if closed else value < high):
            self.put(row, track, _step(high, 0 if closed else -1, self.kind))

    def put(self, row: np.ndarray, track: Track | None, value: float) -> None:
        if track is not None and is_numeric(track) and track.scale:
            row[track.column] = (value - track.shift) / track.scale

    def category(self, tests: list[tuple[int, bool]]) -> float:
        """Return a category that takes the given branch at each of some nodes."""
        most = 32 * max(int(self.a["category_count"][node]) for node, _ in tests) + 2
        for code in self.rng.permutation(most).tolist():
            if all(self.goes_left(node, code) == left for node, left in tests):
                return float(code)
        return 0.0

    def goes_left(self, node: int, code: int) -> bool:
        if code >= 32 * int(self.a["category_count"][node]):
            return False
        word = int(self.a["category_words"][int(self.a["category_start"][node]) + code // 32])
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
