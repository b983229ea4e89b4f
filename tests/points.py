"""Points for a search within a radius, without a model: one leaf that holds them all."""

from __future__ import annotations

from typing import Any

import numpy as np


def one_leaf(points: np.ndarray, numbers: np.ndarray) -> dict[str, Any]:
    """Return the attributes of `sclbl.PointsWithin` for points in a single box."""
    return {
        "points": points,
        "numbers": numbers,
        "nodes": np.array([[0, len(points), 1]]),
        "bounds": np.concatenate([points.min(axis=0), points.max(axis=0)])[None],
        "balls": 0,
    }
