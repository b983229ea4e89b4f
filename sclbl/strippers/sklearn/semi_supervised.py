"""`sklearn.semi_supervised`: labels that spread from point to point."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.metrics import squared_lengths
from sclbl.strippers.sklearn.neighbors import check_search, k_nearest, take_rows
from sclbl.strippers.sklearn.self_training import SELF_TRAINING


class LabelPropagation(Estimator):
    """Shares of the labels of all points by how near they are, or of the nearest points."""

    def check(self, model: Any) -> None:
        if callable(model.kernel):
            raise UnsupportedModelError(
                f'{type(model).__name__} has a function for a kernel; use kernel="rbf" or "knn"'
            )
        if hasattr(model.X_, "tocsr"):
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted on a sparse matrix, which programs do not "
                "search; fit it on X.toarray()"
            )
        if model.kernel == "knn":
            check_search(model.nn_fit)

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return ops.labels(np.argmax(self.shares(model, x), axis=1), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        return self.shares(model, x)

    @once
    def shares(self, model: Any, x: Wire) -> Any:
        given = np.asarray(model.label_distributions_)
        if model.kernel == "knn":
            _, numbers = k_nearest(model.nn_fit, x, model.nn_fit.n_neighbors)
            found, width = take_rows(numbers, given), given.shape[1]
            columns = [ops.sum_in_order(found[:, j::width]) for j in range(width)]
            shares: Any = np.column_stack(columns)
        else:
            shares = _rbf_kernel(x, np.asarray(model.X_), model.gamma) @ given
        return shares / np.sum(shares, axis=1, keepdims=True)


def _rbf_kernel(x: Wire, points: np.ndarray, gamma: float) -> Any:
    """Return ``rbf_kernel(points, x).T``; of two float32 arrays in float32."""
    made = np.result_type(x.numbers, points.dtype)
    y, x = np.asarray(points, dtype=np.float64), x.astype(np.float64)
    lengths = ops.sum_in_order(x * x, keepdims=True)
    squares: Any = -2 * (x @ y.T) + squared_lengths(y) + lengths
    if made == np.float32:
        squares = squares.astype(made)
    return np.exp(np.maximum(squares, 0) * -gamma)


CLASSES = {
    "LabelPropagation": LabelPropagation(),
    "LabelSpreading": LabelPropagation(),
    **SELF_TRAINING,
}
