"""`sklearn.gaussian_process`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import NotFittedError, UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Declared, Stripper, method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.gaussian_process_kernels import (
    covariance,
    for_all,
    require_known,
    variance,
)

#: Which part of a variance rounding may change: more is refused, less is measured by verification.
_MOST_LOST = 0.1


class GaussianProcessRegressor(Estimator):
    """The posterior mean; its standard deviation is written on request, since it adds a square
    matrix to a program.

    The source solves triangular equations for each row; their inverse is worked out here, once.
    """

    def check(self, model: Any) -> None:
        if not hasattr(model, "X_train_"):
            raise NotFittedError(
                "GaussianProcessRegressor is not fitted, and predicts from its prior alone; call "
                "its fit method first"
            )
        require_known(model, model.kernel_)

    @once
    def kernel(self, model: Any, x: Any) -> Any:
        points = model.X_train_
        return for_all(x, covariance(model, model.kernel_, x, points), len(points))

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        mean = model._y_train_std * (self.kernel(model, x) @ model.alpha_) + model._y_train_mean
        return _squeezed(mean)

    @method(on_request=True, ask="predict", return_std=True)
    def predict_std(self, model: Any, x: Wire) -> Any:
        """Write the standard deviation alone: the root of a difference."""
        if _lost(model) > _MOST_LOST:
            raise UnsupportedModelError(
                "GaussianProcessRegressor knows its training rows so well that deviations there "
                "are what rounding leaves of a difference, and depend on the order of summation; "
                "leave predict_std out of methods, or fit it with a larger alpha or a WhiteKernel"
            )
        v = self.kernel(model, x) @ _inverse(model.L_).T
        var = variance(model, model.kernel_, x) - ops.sum_in_order(v**2)
        var = np.where(var < 0, 0.0, var)
        scales = np.ravel(np.asarray(model._y_train_std) ** 2)
        return np.sqrt(_squeezed(var[:, None] * scales))

    def call(self, model: Any, method: str, rows: Any, **parameters: Any) -> Any:
        found = super().call(model, method, rows, **parameters)
        return found[1] if method == "predict_std" else found


def _lost(model: Any) -> float:
    """Return about which part of a variance at a training row rounding may change."""
    points = model.X_train_
    diagonal = model.kernel_.diag(points)
    v = _inverse(model.L_) @ model.kernel_(points, points)
    variances = diagonal - np.einsum("ij,ij->j", v, v)
    times = np.max(diagonal / np.maximum(variances, np.finfo(float).tiny))
    return float(np.finfo(float).eps * np.linalg.cond(model.L_) * times)


class GaussianProcessClassifier(Estimator):
    """Laplace's approximation for two classes; more are made of pairs, or of one against others."""

    def check(self, model: Any) -> None:
        for binary in _binary(model):
            require_known(model, binary.kernel_)

    def offers(self, model: Any) -> Mapping[str, Declared]:
        offered = super().offers(model)
        pairs = model.n_classes_ > 2 and model.multi_class == "one_vs_one"
        return {m: d for m, d in offered.items() if m == "predict" or not pairs}

    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        if model.n_classes_ == 2:
            return ops.labels(_latent(model, model.base_estimator_, x) > 0, model.classes_)
        if model.multi_class == "one_vs_one":
            return ops.labels(np.argmax(_votes(model, x), axis=1), model.classes_)
        return ops.labels(np.argmax(_second(model, x), axis=1), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        second = _second(model, x)
        if model.n_classes_ == 2:
            return ops.concat([1 - second, second])
        total = np.sum(second, axis=1)[:, None]
        return second / np.where(total != 0, total, 1)


def _binary(model: Any) -> list[Any]:
    base = model.base_estimator_
    return [base] if model.n_classes_ == 2 else list(base.estimators_)


def _second(model: Any, x: Any) -> Any:
    """Return the probability of the second class of each binary classifier."""
    return ops.concat([_probability(model, binary, x) for binary in _binary(model)])


def _kernel_of(model: Any, binary: Any, x: Any) -> Any:
    points = binary.X_train_
    return for_all(x, covariance(model, binary.kernel_, x, points), len(points))


def _latent(model: Any, binary: Any, x: Any) -> Any:
    return _kernel_of(model, binary, x) @ (binary.y_train_ - binary.pi_)


def _probability(model: Any, binary: Any, x: Any) -> Any:
    """`_BinaryGaussianProcessClassifierLaplace.predict_proba`: a sum of five error functions."""
    from sklearn.gaussian_process import _gpc

    mean = _latent(model, binary, x)
    # `scipy.linalg.solve` takes no row that has no kernel: of products, that of large numbers.
    k = ops.refuse(_kernel_of(model, binary, x) * binary.W_sr_, nan=True)
    v = k @ _inverse(binary.L_).T
    var = variance(model, binary.kernel_, x) - ops.sum_in_order(v**2)
    alpha = 1 / (2 * var)
    total: Any = 0.0
    for scale, factor in zip(_gpc.LAMBDAS[:, 0], _gpc.COEFS[:, 0], strict=True):
        integral = np.sqrt(np.pi / alpha) * ops.operator(
            "Erf", scale * mean * np.sqrt(alpha / (alpha + scale**2))
        )
        total = total + factor * (integral / (2 * np.sqrt(var * 2 * np.pi)))
    return total + 0.5 * _gpc.COEFS.sum()


def _votes(model: Any, x: Any) -> Any:
    """`_ovr_decision_function`: votes of pairs of classes, and between votes how sure they are."""
    classes = range(model.n_classes_)
    sums, votes = dict.fromkeys(classes, 0.0), dict.fromkeys(classes, 0.0)
    for binary, (i, j) in zip(_binary(model), itertools.combinations(classes, 2), strict=True):
        sure = _probability(model, binary, x)
        second = (_latent(model, binary, x) > 0).astype(np.float64)
        sums[i], sums[j] = sums[i] - sure, sums[j] + sure
        votes[i], votes[j] = votes[i] + (1 - second), votes[j] + second
    total: Any = ops.concat([votes[i] for i in classes])  # type: ignore[misc]  # wires by now
    confidence: Any = ops.concat([sums[i] for i in classes])  # type: ignore[misc]
    return total + confidence / (3 * (np.abs(confidence) + 1))


def _inverse(lower: np.ndarray) -> np.ndarray:
    from scipy.linalg import solve_triangular

    inverse: np.ndarray = solve_triangular(lower, np.eye(len(lower)), lower=True)
    return inverse


def _squeezed(x: Any) -> Any:
    return x[:, 0] if x.ndim == 2 and x.width == 1 else x


CLASSES: dict[str, Stripper] = {
    "GaussianProcessClassifier": GaussianProcessClassifier(),
    "GaussianProcessRegressor": GaussianProcessRegressor(),
}
