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
    """Points in the order of the tree's leaves, as a query of the tree meets them."""

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
        points, order, nodes, bounds = map(np.asarray, model._tree.get_arrays())
        points, order = np.asarray(points, dtype=np.float64), order.astype(np.int64)
        fields = ("idx_start", "idx_end", "is_leaf")
        # A box is bounded by its corners, a ball by its center and its radius.
        balls = model._fit_method == "ball_tree"
        ends = [bounds[0], nodes["radius"][:, None]] if balls else list(bounds)
        usual = Input("radius", "parameter", "float64", default=float(model.radius))
        return x.builder.nodes(
            "sclbl.PointsWithin",
            [x.astype(np.float64), x.builder.beside(usual)],
            2,
            points=np.ascontiguousarray(points[order]),
            numbers=order,
            nodes=np.column_stack([nodes[name] for name in fields]).astype(np.int64),
            bounds=np.column_stack(ends).astype(np.float64),
            balls=int(balls),
        )


CLASSES = {"NearestNeighbors": NearestNeighbors()}
