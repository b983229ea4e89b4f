"""Points for searches, without a model: one leaf that holds them all, or a small tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.ops.distances import BALLS, BOXES, METRICS, NO_BOUNDS, OF_BOXES, PRODUCTS


def one_leaf(points: np.ndarray, numbers: np.ndarray) -> dict[str, Any]:
    """Return the attributes of `sclbl.PointsWithin` for points in a single box."""
    return {
        "points": points,
        "numbers": numbers,
        "nodes": np.array([[0, len(points), 1]]),
        "bounds": np.concatenate([points.min(axis=0), points.max(axis=0)])[None],
        "shape": 0,
        "sorted": 0,
        "single": 0,
        "metric": "euclidean",
        "vector": np.empty(0),
        "p": np.full(1, 2.0),
    }


def searches(columns: int, metrics: Sequence[str] = METRICS) -> list[dict[str, Any]]:
    """Return attributes of searches by these metrics, through one leaf and through four."""
    rng = np.random.default_rng(columns)
    points = rng.integers(-2, 3, size=(41, columns)) * 1.25
    common: dict[str, Any] = {"numbers": rng.permutation(41), "p": np.full(1, 3.0)}
    found = []
    for metric in metrics:
        if metric == "haversine" and columns != 2:
            continue
        size = {"seuclidean": columns, "mahalanobis": columns**2, "minkowski": columns}
        given = {**common, "metric": metric, "vector": 1.0 + rng.random(size.get(metric, 0))}
        behind = (points**2).sum(axis=1, keepdims=True)
        held = np.hstack([points, behind]) if metric in PRODUCTS else points
        given |= {"points": held, "single": int(metric in ("manhattan", "product"))}
        none = {"nodes": np.array([[0, 41, 1]]), "bounds": np.empty((1, 0)), "shape": NO_BOUNDS}
        found.append({**given, **none})
        if metric in PRODUCTS or metric == "cosine":
            continue
        nodes = [(0, 41), (0, 20), (20, 41), (0, 10), (10, 20), (20, 30), (30, 41)]
        tree = np.array([(a, b, k > 2) for k, (a, b) in enumerate(nodes)], dtype=np.int64)
        parts = [points[a:b] for a, b in nodes]
        balls = [[*part.mean(axis=0), 2.0] for part in parts]
        found.append({**given, "nodes": tree, "bounds": np.array(balls), "shape": BALLS})
        if metric in OF_BOXES:
            boxes = [[*part.min(axis=0), *part.max(axis=0)] for part in parts]
            found.append({**given, "nodes": tree, "bounds": np.array(boxes), "shape": BOXES})
    return found
