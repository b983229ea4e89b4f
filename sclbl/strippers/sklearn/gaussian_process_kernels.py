"""`sklearn.gaussian_process.kernels`: between each row and the training rows, and with itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn import kernels

#: Kernels that are 1 between a row and itself.
_NORMALIZED = ("RBF", "Matern", "RationalQuadratic", "ExpSineSquared")
_OF_PAIRS_NORMALIZED = ("rbf", "laplacian", "chi2")


def covariance(model: Any, kernel: Any, x: Any, points: np.ndarray) -> Any:
    """Write ``kernel(X, points)``, ``[rows, points]``; a number where it is the same for all.

    Raises
    ------
    UnsupportedModelError
        For a kernel of the user's own, and one without closed form.
    """
    name = type(kernel).__name__
    if name == "Sum":
        return _both(np.add, model, kernel, covariance, x, points)
    if name == "Product":
        return _both(np.multiply, model, kernel, covariance, x, points)
    if name == "Exponentiation":
        return covariance(model, kernel.kernel, x, points) ** kernel.exponent
    if name == "ConstantKernel":
        return np.asarray(kernel.constant_value)
    if name == "WhiteKernel":
        return np.asarray(0.0)
    single = x.numbers == points.dtype == np.float32
    if single and name in ("DotProduct", "PairwiseKernel"):
        raise UnsupportedModelError(
            f"{type(model).__name__} computes products of its kernel in float32, and adds them up "
            "with factors that multiply their rounding; fit it on float64 numbers, "
            "X.astype('float64'), and give such an example_input"
        )
    if name == "PairwiseKernel":
        given = kernel.pairwise_kernels_kwargs or {}
        return kernels.pairwise(model, x, points, kernel.metric, gamma=kernel.gamma, **given)
    return _OF_POINTS[name](kernel, x, points)


def for_all(x: Any, made: Any, points: int) -> Any:
    """Return a kernel as ``[rows, points]``, where it is one number for all of them, too."""
    if isinstance(made, Wire):
        return made
    return np.full_like(x[:, np.zeros(points, dtype=int)], float(made), dtype=np.float64)


def variance(model: Any, kernel: Any, x: Any) -> Any:
    """Write ``kernel.diag(X)``; a number where it is the same for all rows."""
    name = type(kernel).__name__
    if name == "Sum":
        return _both(np.add, model, kernel, variance, x)
    if name == "Product":
        return _both(np.multiply, model, kernel, variance, x)
    if name == "Exponentiation":
        return variance(model, kernel.kernel, x) ** kernel.exponent
    if name == "ConstantKernel":
        return np.asarray(kernel.constant_value)
    if name == "WhiteKernel":
        return np.asarray(kernel.noise_level)
    if name == "DotProduct":
        if x.numbers.kind in "iu" and x.numbers.itemsize < 8:
            raise UnsupportedModelError(
                f"{type(model).__name__} adds the squares of its DotProduct in {x.numbers}, where "
                "they wrap around; fit it on X.astype(float)"
            )
        return ops.sum_in_order(x * x) + kernel.sigma_0**2
    if name == "PairwiseKernel":
        return _with_itself(model, kernel, x)
    return np.asarray(1.0)


def require_known(model: Any, kernel: Any) -> None:
    """Refuse kernels that cannot be written.

    Raises
    ------
    UnsupportedModelError
        Where one of them is inside.
    """
    cls = type(kernel)
    if cls.__module__ != "sklearn.gaussian_process.kernels" or cls.__name__ == "CompoundKernel":
        raise UnsupportedModelError(
            f"{type(model).__name__} was fitted with the kernel {kernel}, whose class "
            f"{cls.__module__}.{cls.__qualname__} cannot be compiled; fit it with kernels of "
            "scikit-learn, their sums, products and powers"
        )
    if cls.__name__ == "Matern" and kernel.nu not in (0.5, 1.5, 2.5, math.inf):
        raise UnsupportedModelError(
            f"{type(model).__name__} was fitted with the kernel {kernel}, which takes Bessel "
            "functions that no program reproduces to the last digits; fit it with nu=0.5, 1.5, "
            "2.5 or math.inf"
        )
    for inside in ("k1", "k2", "kernel"):
        if hasattr(kernel, inside):
            require_known(model, getattr(kernel, inside))


def _both(join: np.ufunc, model: Any, kernel: Any, write: Callable[..., Any], *given: Any) -> Any:
    return join(write(model, kernel.k1, *given), write(model, kernel.k2, *given))


def _squared(x: Any, points: np.ndarray) -> Any:
    """Write SciPy's ``cdist(X, points, "sqeuclidean")``: float64, column by column."""
    return ops.point_sums(x.astype(np.float64), points.astype(np.float64), "squares")


def _scaled(kernel: Any, x: Any, points: np.ndarray) -> Any:
    scale = np.squeeze(kernel.length_scale).astype(float)
    return _squared(x / scale, points / scale)


def _rbf(kernel: Any, x: Any, points: np.ndarray) -> Any:
    return np.exp(-0.5 * _scaled(kernel, x, points))


def _matern(kernel: Any, x: Any, points: np.ndarray) -> Any:
    distances = np.sqrt(_scaled(kernel, x, points))
    if kernel.nu == 0.5:
        return np.exp(-distances)
    if kernel.nu == 1.5:
        k = distances * math.sqrt(3)
        return (1.0 + k) * np.exp(-k)
    if kernel.nu == 2.5:
        k = distances * math.sqrt(5)
        return (1.0 + k + k**2 / 3.0) * np.exp(-k)
    return np.exp(-(distances**2) / 2.0)


def _rational_quadratic(kernel: Any, x: Any, points: np.ndarray) -> Any:
    squared = _squared(x, points)
    return (1 + squared / (2 * kernel.alpha * kernel.length_scale**2)) ** -kernel.alpha


def _exp_sine_squared(kernel: Any, x: Any, points: np.ndarray) -> Any:
    waves = np.sin(np.pi / kernel.periodicity * np.sqrt(_squared(x, points)))
    return np.exp(-2 * (waves / kernel.length_scale) ** 2)


_OF_POINTS: dict[str, Callable[[Any, Any, np.ndarray], Any]] = {
    "DotProduct": lambda kernel, x, points: x @ points.T + kernel.sigma_0**2,
    "ExpSineSquared": _exp_sine_squared,
    "Matern": _matern,
    "RBF": _rbf,
    "RationalQuadratic": _rational_quadratic,
}


def _with_itself(model: Any, kernel: Any, x: Any) -> Any:
    """Write a pairwise kernel between each row and itself."""
    metric, given = kernel.metric, kernel.pairwise_kernels_kwargs or {}
    if metric in _OF_PAIRS_NORMALIZED:
        return np.asarray(1.0)
    if metric in ("linear", "poly", "polynomial", "sigmoid"):
        x = x if x.numbers.kind == "f" else x.astype(np.float64)
        product = ops.sum_in_order(x * x)
        if metric == "linear":
            return product
        product = product * kernel.gamma + given.get("coef0", 1)
        return np.tanh(product) if metric == "sigmoid" else product ** given.get("degree", 3)
    raise UnsupportedModelError(
        f"{type(model).__name__} was fitted with PairwiseKernel(metric={metric!r}), whose variance "
        "of a row has no stripper; ask for predict alone, or fit it with another metric"
    )
