"""`sklearn.neighbors.KernelDensity`: logarithms of densities, summed over the model's own tree."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.ops.density import is_bandwidth, log
from sclbl.strippers.base import method
from sclbl.strippers.sklearn import metrics
from sclbl.strippers.sklearn.estimator import Estimator


class KernelDensity(Estimator):
    @method
    def score_samples(self, model: Any, x: Any) -> Any:
        from sklearn.neighbors._kd_tree import kernel_norm

        tree, width = model.tree_, model.n_features_in_
        if not is_bandwidth(float(model.bandwidth_)):
            raise UnsupportedModelError(
                f"KernelDensity has a bandwidth of {model.bandwidth_}, whose square is no number "
                "above 0, so its densities are none; fit it with another bandwidth"
            )
        search = metrics.of_tree(tree)
        points, total = len(search["points"]), float(tree.sum_weight)
        if tree.sample_weight is None:
            each = np.ones(points)
        else:
            each = np.asarray(tree.sample_weight)[search["numbers"]]
        norm = kernel_norm(model.bandwidth_, width, model.kernel, return_log=True)
        whole = float(points) if tree.sample_weight is None else total
        settings = [
            float(model.bandwidth_), norm, log(model.atol * whole), log(model.rtol), log(total)
        ]  # fmt: skip
        x.builder.warnings.append(
            "KernelDensity leaves of a density that is less than 1e-12 of what bounds of its tree "
            "allow what rounding leaves: such results depend on the C library's logarithm, and are "
            "-inf or any number as low"
        )
        with np.errstate(divide="ignore"):
            logarithms = np.log(each)
        found = x.builder.node(
            "sclbl.LogDensity",
            [x.astype(np.float64)],
            point_weights=logarithms,
            node_weights=np.array([log(_total(each[a:b])) for a, b, _ in search["nodes"].tolist()]),
            settings=np.array(settings),
            kernel=model.kernel,
            breadth=int(model.breadth_first),
            **search,
        )
        return (found[:, 0] + norm) - np.log(whole)


def _total(weights: np.ndarray) -> float:
    """Return a sum, added from left to right."""
    total = 0.0
    for weight in weights.tolist():
        total += weight
    return total
