"""`sklearn.cluster`: the nearest of some centers, and features that are put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn import metrics
from sclbl.strippers.sklearn.estimator import Estimator, require_made
from sclbl.strippers.sklearn.neighbors import take_rows


class KMeans(Estimator):
    """Squared distances are ``||x||² - 2 x·c + ||c||²``; the nearest center needs no ``||x||²``."""

    dtype, makes_dense = "float", True

    @method
    def predict(self, model: Any, x: Any) -> Any:
        c = model.cluster_centers_
        return np.argmin(np.einsum("ij,ij->i", c, c) - 2 * (x @ c.T), axis=1)

    @method
    def transform(self, model: Any, x: Any) -> Any:
        """Distances, in float64; where both are float32 they are rounded before the root."""
        c, made = model.cluster_centers_, np.result_type(x.numbers, model.cluster_centers_)
        x, c = x.astype(np.float64), c.astype(np.float64)
        norms = ops.sum_in_order(x * x, keepdims=True)
        squared = -2 * (x @ c.T) + norms + np.einsum("ij,ij->i", c, c)
        return np.sqrt(np.maximum(squared.astype(made), 0))


class BisectingKMeans(KMeans):
    """A tree of pairs of centers, of which the nearer one leads on."""

    @method
    def predict(self, model: Any, x: Any) -> Any:
        inner: list[Any] = []
        _collect(model._bisecting_tree, inner)
        if not inner:
            return np.zeros_like(x[:, 0], dtype=np.int64)
        c = np.vstack([side.center for node in inner for side in (node.left, node.right)])
        if hasattr(model, "_X_mean"):
            c = c + model._X_mean
        scores = np.einsum("ij,ij->i", c, c) - 2 * (x @ c.T)
        nearer = {id(n): scores[:, 2 * i + 1] < scores[:, 2 * i] for i, n in enumerate(inner)}
        return _followed(model._bisecting_tree, nearer)


def _collect(node: Any, inner: list[Any]) -> None:
    """Collect the nodes that have children."""
    if node.left is not None:
        inner.append(node)
        _collect(node.left, inner)
        _collect(node.right, inner)


def _followed(node: Any, nearer: dict[int, Any]) -> Any:
    if node.left is None:
        return np.int64(node.label)
    left, right = _followed(node.left, nearer), _followed(node.right, nearer)
    return np.where(nearer[id(node)], right, left)


class NearestCenter(Estimator):
    """AffinityPropagation and MeanShift."""

    def check(self, model: Any) -> None:
        centers = getattr(model, "cluster_centers_", None)
        if centers is None or not isinstance(centers, np.ndarray) or not len(centers):
            raise UnsupportedModelError(
                f"{type(model).__name__} has no cluster centers: it did not converge, or was "
                "fitted on affinities or a sparse matrix; fit it on rows, with other parameters"
            )

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return metrics.argmin(x, model.cluster_centers_)


class Birch(Estimator):
    makes_dense = True

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        nearest = metrics.argmin(x, model.subcluster_centers_, model._subcluster_norms)
        labels = np.asarray(model.subcluster_labels_)
        return take_rows(nearest[:, None], labels[:, None])[:, 0]

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        return metrics.euclidean_distances(x, model.subcluster_centers_)


class FeatureAgglomeration(Estimator):
    """Features of one cluster make one: their mean, added one by one, or what a function gives."""

    @method
    def transform(self, model: Any, x: Any) -> Any:
        members = [np.flatnonzero(model.labels_ == label) for label in np.unique(model.labels_)]
        if model.pooling_func is np.mean:
            x = x.astype(np.float64)
            return np.column_stack([ops.sum_in_order(x[:, at]) / len(at) for at in members])
        return np.column_stack([model.pooling_func(x[:, at], axis=1) for at in members])

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Any:
        """Each feature is its cluster's; nothing is checked."""
        labels, places = np.unique(model.labels_, return_inverse=True)
        require_made(model, x, len(labels))
        return x.select(places.tolist())


CLASSES = {
    "AffinityPropagation": NearestCenter(),
    "Birch": Birch(),
    "BisectingKMeans": BisectingKMeans(),
    "FeatureAgglomeration": FeatureAgglomeration(),
    "KMeans": KMeans(),
    "MeanShift": NearestCenter(),
    "MiniBatchKMeans": KMeans(),
}
