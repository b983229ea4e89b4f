"""`sklearn.neighbors`: the points within a radius."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Input
from sclbl.strippers.base import method
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator


class NearestNeighbors(Estimator):
    """Points in the order of the tree's leaves, as a query of the tree meets them.

    Distances are roots of squares added from left to right, and points are near by their squares.
    """

    def check(self, model: Any) -> None:
        method, metric = model._fit_method, model.effective_metric_
        if metric == "minkowski" and model.effective_metric_params_.get("p", 2) == 2:
            metric = "euclidean"
        weighted = model.effective_metric_params_.get("w") is not None
        if method not in ("kd_tree", "ball_tree") or metric != "euclidean" or weighted:
            raise UnsupportedModelError(
                f"NearestNeighbors was fitted with algorithm {method!r} and metric {metric!r}; "
                "programs search as its trees do with the Euclidean distance: fit it with "
                'algorithm="kd_tree"'
            )

    @method
    def radius_neighbors(self, model: Any, x: Wire) -> tuple[Wire, ...]:
        points, order, *_ = model._tree.get_arrays()
        order = np.asarray(order, dtype=np.int64)
        usual = Input("radius", "parameter", "float64", default=float(model.radius))
        return x.builder.nodes(
            "sclbl.PointsWithin",
            [x.astype(np.float64), x.builder.beside(usual)],
            2,
            points=np.ascontiguousarray(np.asarray(points, dtype=np.float64)[order]),
            numbers=order,
        )


CLASSES = {"NearestNeighbors": NearestNeighbors()}
