"""`sklearn.metrics.pairwise`: kernels between each row and points that fit has kept.

The source computes in float32 where both are float32, else in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.columns import Wire


def pairwise(model: Any, x: Wire, y: Any, kernel: Any, **params: Any) -> Any:
    """Write ``pairwise_kernels(x, y, metric=kernel, filter_params=True, **params)``.

    Parameters
    ----------
    model : object
        Whose kernel it is, for errors.
    x : Wire
        The rows, after validation.
    y : array ``[points, columns]``
        The points; None for a precomputed kernel.
    kernel : str
        Its name.
    **params : object
        ``gamma``, ``degree`` and ``coef0``, those that are known; others are left out.

    Returns
    -------
    Wire
        ``[rows, points]``, for a precomputed kernel the rows themselves.

    Raises
    ------
    UnsupportedModelError
        For a kernel that is a function of Python.
    """
    if kernel == "precomputed":
        return x
    if not isinstance(kernel, str) or kernel not in _KERNELS:
        raise UnsupportedModelError(
            f"{type(model).__name__}(kernel={kernel!r}) computes its kernel in Python, which "
            f'cannot be compiled; use one of {", ".join(sorted(_KERNELS))}, or kernel="precomputed"'
        )
    points = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
    single = x.numbers == np.float32 and points.dtype == np.float32
    made = np.dtype(np.float32 if single else np.float64)
    return _KERNELS[kernel](x.astype(made), points.astype(made), params)


def squared_distances(x: Any, y: np.ndarray) -> Any:
    """`euclidean_distances` with ``squared=True``: of float32 in float64, rounded once."""
    own, x, y = x.numbers, x.astype(np.float64), y.astype(np.float64)
    norms = ops.sum_in_order(x * x, keepdims=True)
    distances = -2 * (x @ y.T) + norms + np.einsum("ij,ij->i", y, y)
    return np.maximum(distances.astype(own), 0)


def _gamma(y: np.ndarray, params: Mapping[str, Any]) -> Any:
    gamma = params.get("gamma")
    return 1.0 / y.shape[1] if gamma is None else gamma


def _scaled(x: Any, y: np.ndarray, params: Mapping[str, Any]) -> Any:
    product = x @ y.T
    product *= _gamma(y, params)
    product += params.get("coef0", 1)
    return product


def _polynomial(x: Any, y: np.ndarray, params: Mapping[str, Any]) -> Any:
    product = _scaled(x, y, params)
    product **= params.get("degree", 3)
    return product


def _rbf(x: Any, y: np.ndarray, params: Mapping[str, Any]) -> Any:
    distances = squared_distances(x, y)
    distances *= -_gamma(y, params)
    return np.exp(distances)


def _laplacian(x: Any, y: np.ndarray, params: Mapping[str, Any]) -> Any:
    """SciPy measures in float64."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    return np.exp(-_gamma(y, params) * ops.point_sums(x, y, "sizes"))


def _cosine(x: Any, y: np.ndarray, params: Mapping[str, Any]) -> Any:
    from sklearn.preprocessing import normalize

    norms = np.sqrt(ops.reduce("ReduceSumSquare", x))
    least = float(10 * np.finfo(x.numbers).eps)
    return (x / np.where(norms < least, 1, norms)) @ normalize(y).T


def _additive_chi2(x: Any, y: np.ndarray, params: Mapping[str, Any]) -> Any:
    return -ops.point_sums(ops.refuse_outside(x, low=0), y, "chi2")


def _chi2(x: Any, y: np.ndarray, params: Mapping[str, Any]) -> Any:
    made = _additive_chi2(x, y, params)
    made *= params.get("gamma", 1.0)
    return np.exp(made)


_KERNELS: dict[str, Callable[[Any, np.ndarray, Mapping[str, Any]], Any]] = {
    "additive_chi2": _additive_chi2,
    "chi2": _chi2,
    "cosine": _cosine,
    "laplacian": _laplacian,
    "linear": lambda x, y, params: x @ y.T,
    "poly": _polynomial,
    "polynomial": _polynomial,
    "rbf": _rbf,
    "sigmoid": lambda x, y, params: np.tanh(_scaled(x, y, params)),
}
