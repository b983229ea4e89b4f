"""`sklearn.random_projection`: products with the matrix that was drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.estimator import Estimator, transformed


class RandomProjection(Estimator):
    """Rows become dense, but those that a `SparseRandomProjection` is told to leave sparse."""

    dtype, makes_dense = "float", True

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        made = x @ _dense(model.components_).T
        kept = x.sparse and not getattr(model, "dense_output", True)
        return replace(made, sparse="csr" if kept else None)

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        if model.compute_inverse_components:
            inverse = model.inverse_components_
        else:
            inverse = model._compute_inverse_components()
        return transformed(model, x, inverse.shape[1], to_float=True) @ _dense(inverse).T


def _dense(matrix: Any) -> np.ndarray:
    if hasattr(matrix, "check_format"):
        matrix.check_format(full_check=True)  # toarray writes wherever the indices say
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)


CLASSES: dict[str, Stripper] = dict.fromkeys(
    ["GaussianRandomProjection", "SparseRandomProjection"], RandomProjection()
)
