"""`sklearn.decomposition`: what multiplies rows by a matrix that is worked out once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.estimator import Estimator, transformed

#: Quadratic forms in the inverse of a matrix, and solutions of its equations, may change by about
#: the machine epsilon times this condition number where they are summed in another order.
LARGEST_CONDITION = 1e4
_LARGEST_OF_FLOAT32 = 100.0


def likelihood(model: Any, x: Any) -> Any:
    """Write the Gaussian log-likelihood of each row."""
    from sklearn.utils.extmath import fast_logdet

    precision = model.get_precision()
    centered = x - model.mean_
    found = ops.sum_in_order(centered * (centered @ precision)) * -0.5
    found -= 0.5 * (x.width * math.log(2.0 * np.pi) - fast_logdet(precision))
    return found


def badly_conditioned(model: Any) -> UnsupportedModelError:
    """Return the error for a likelihood whose digits are those of rounding alone."""
    return UnsupportedModelError(
        f"{type(model).__name__}.score_samples inverts a covariance whose condition number "
        f"is above {LARGEST_CONDITION:g}, so its digits depend on the order of "
        "summation; leave score_samples out of methods, or scale the columns and fit with "
        "fewer components"
    )


class TruncatedSVD(Estimator):
    makes_dense = takes_sparse = True

    @method
    def transform(self, model: Any, x: Any) -> Any:
        return x @ model.components_.T

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        return transformed(model, x, len(model.components_)) @ model.components_


class FactorAnalysis(Estimator):
    """The expected factors; the likelihood is written on request, as that of `PCA` is."""

    def check(self, model: Any) -> None:
        if not len(model.components_):
            raise UnsupportedModelError(
                "FactorAnalysis was fitted with n_components=0, so transform results in no "
                "columns; leave it out, or fit it with more"
            )

    @method
    def transform(self, model: Any, x: Any) -> Any:
        from scipy import linalg

        weights = model.components_ / model.noise_variance_
        inside = np.eye(len(model.components_)) + weights @ model.components_.T
        return ((x - model.mean_) @ weights.T) @ linalg.inv(inside)

    @method(on_request=True)
    def score_samples(self, model: Any, x: Any) -> Any:
        if np.linalg.cond(model.get_covariance()) > LARGEST_CONDITION:
            raise badly_conditioned(model)
        return likelihood(model, x)


class FastICA(Estimator):
    dtype = "float"

    @method
    def transform(self, model: Any, x: Any) -> Any:
        if model.whiten:
            x -= model.mean_
        return x @ model.components_.T

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        x = transformed(model, x, model.mixing_.shape[1], to_float=True) @ model.mixing_.T
        if model.whiten:
            x += model.mean_
        return x


class SparsePCA(Estimator):
    """A ridge regression of each row on the components, whose equations are solved here, once.

    scikit-learn returns one axis for a single row; a program returns two for any number of rows.
    """

    def call(self, model: Any, method: str, rows: Any, **parameters: Any) -> Any:
        found = super().call(model, method, rows, **parameters)
        return found if hasattr(found, "columns") else np.atleast_2d(found)

    @method
    def transform(self, model: Any, x: Any) -> Any:
        components = model.components_
        alpha = components.dtype.type(model.ridge_alpha)
        x = x - model.mean_
        if x.numbers != components.dtype:  # float64 rows become float32, where that holds them
            x = ops.refuse(x.astype(components.dtype), nan=False)
        if len(components) > components.shape[1]:  # fewer columns than components: the dual problem
            return (x @ _inverse(model, components.T @ components, alpha)) @ components.T
        return (x @ components.T) @ _inverse(model, components @ components.T, alpha)

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        given = transformed(model, x, len(model.components_))
        return (given @ model.components_) + model.mean_


def _inverse(model: Any, matrix: np.ndarray, alpha: np.floating[Any]) -> np.ndarray:
    """Return the inverse of a matrix with alpha on its diagonal, which is its own transpose."""
    from scipy import linalg

    matrix.flat[:: len(matrix) + 1] += alpha
    most = LARGEST_CONDITION if matrix.dtype == np.float64 else _LARGEST_OF_FLOAT32
    if np.linalg.cond(matrix) > most:
        raise UnsupportedModelError(
            f"{type(model).__name__}(ridge_alpha={model.ridge_alpha}) solves equations of "
            f"{matrix.dtype} numbers whose condition number is above {most:g}, so the digits of "
            "transform depend on the order of summation; use a larger ridge_alpha, and float64"
        )
    inverse: np.ndarray = linalg.solve(
        matrix, np.eye(len(matrix), dtype=matrix.dtype), assume_a="pos"
    )
    return inverse
