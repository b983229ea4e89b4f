"""`sklearn.manifold`: new rows on the surface that the rows of the fit lie on."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.neighbors import check_search, k_nearest, take_rows

#: The least `reg`, with which rounding may change about ``epsilon / reg`` of the weights.
_LEAST_ADDED = 1e-4


class Isomap(Estimator):
    """The shortest ways to all points over the nearest ones, projected by a kernel PCA."""

    def check(self, model: Any) -> None:
        check_search(model.nbrs_)
        if model.n_neighbors is None:
            raise UnsupportedModelError(
                "Isomap was fitted with a radius, and programs go by a number of neighbors; fit it "
                "with n_neighbors"
            )

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        near, numbers = k_nearest(model.nbrs_, x, model.n_neighbors)
        ways: Any = None
        for j in range(model.n_neighbors):
            over = take_rows(numbers[:, [j]], np.asarray(model.dist_matrix_)) + near[:, [j]]
            ways = over if ways is None else np.minimum(ways, over)
        ways = ways.astype(np.float32 if x.numbers == np.float32 else np.float64)
        # Squares that overflow are refused by the kernel PCA.
        return _projected(model.kernel_pca_, ops.refuse(ways**2 * -0.5, nan=True))


class LocallyLinearEmbedding(Estimator):
    """The nearest points' places, weighted as the points are that make up the row.

    The weights solve equations, whose last digits are those of LAPACK's own order.
    """

    def check(self, model: Any) -> None:
        check_search(model.nbrs_)
        if model.reg < _LEAST_ADDED:
            raise UnsupportedModelError(
                f"LocallyLinearEmbedding(reg={model.reg:g}) solves equations so close to singular "
                f"that rounding decides the digits; fit it with reg={_LEAST_ADDED:g} or more"
            )

    @method
    def transform(self, model: Any, x: Any) -> Any:
        if x.numbers == np.float32:
            raise UnsupportedModelError(
                "LocallyLinearEmbedding solves equations in float32 for such rows, where rounding "
                "decides the digits; give it float64"
            )
        points, k = np.asarray(model.nbrs_._fit_X, dtype=np.float64), model.n_neighbors
        _, numbers = k_nearest(model.nbrs_, x, k)
        every = [*range(x.width)] * k
        apart: Any = take_rows(numbers, points) - x.astype(np.float64)[:, every]
        # Squares that overflow are refused by LAPACK's caller.
        ops.refuse(ops.sum_in_order(apart * apart, keepdims=True), nan=True)
        weights = x.builder.node(
            "sclbl.Barycenter", [apart], k=k, added=np.full(1, float(model.reg))
        )
        weights = ops.refuse(weights, nan=True)  # where the equations have no such solution
        embedding = np.asarray(model.embedding_, dtype=np.float64)
        width = embedding.shape[1]
        near: Any = take_rows(numbers, embedding)
        parts = [near[:, j::width] * weights for j in range(width)]
        return ops.concat([ops.sum_in_order(part, keepdims=True) for part in parts])


def _projected(model: Any, kernel: Any) -> Any:
    """Return what a KernelPCA of a precomputed kernel makes of its rows."""
    center = model._centerer
    columns = np.sum(kernel, axis=1, keepdims=True) / len(center.K_fit_rows_)
    centered = kernel - center.K_fit_rows_ - columns + center.K_fit_all_
    scaled = np.zeros_like(model.eigenvectors_)
    some = np.flatnonzero(model.eigenvalues_)
    scaled[:, some] = model.eigenvectors_[:, some] / np.sqrt(model.eigenvalues_[some])
    return centered @ scaled


CLASSES = {"Isomap": Isomap(), "LocallyLinearEmbedding": LocallyLinearEmbedding()}
