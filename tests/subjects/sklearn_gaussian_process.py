"""sklearn.gaussian_process."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process import kernels as k
from sklearn.gaussian_process._gpc import COEFS

from tests.conformance.domains import FLAGS, NUMERIC, SCORE, SCORES, THREE, WORDS, Domain
from tests.conformance.subject import Subject, fitted


def _terms(model: Any, rows: Any) -> np.ndarray:
    covariances = model.kernel_(np.asarray(rows), model.X_train_)
    found: np.ndarray = np.abs(covariances) @ np.abs(model.alpha_) * model._y_train_std
    return found


def _error_functions(model: Any, rows: Any) -> np.ndarray:
    """Probabilities are sums of five error functions, whose factors are in the thousands."""
    return np.full((len(rows), 1), np.abs(COEFS).sum() / 2)


def _regressor(
    name: str,
    kernel: Any,
    y: Any = SCORE,
    alpha: float = 0.1,
    domain: Domain = NUMERIC,
    **options: Any,
) -> Subject:
    own = GaussianProcessRegressor(kernel, optimizer=None, alpha=alpha, **options)
    return Subject(f"GaussianProcessRegressor, {name}", fitted(own, y), domain, terms=_terms)


def _classifier(
    name: str, kernel: Any, y: Any, domain: Domain = NUMERIC, **options: Any
) -> Subject:
    own = GaussianProcessClassifier(kernel, optimizer=None, **options)
    make = fitted(own, y)
    return Subject(f"GaussianProcessClassifier, {name}", make, domain, terms=_error_functions)


#: Products of float32 are refused.
_WIDE = replace(NUMERIC, forms=("float64", "frame", "float64 frame"))


SUBJECTS = (
    _regressor("default", None),
    _regressor("noise", k.RBF([0.5, 1, 2, 4]) + k.WhiteKernel(0.1), SCORES, normalize_y=True),
    _regressor("product", k.ConstantKernel(2.0) * k.Matern(nu=0.5) + k.Matern(nu=1.5)),
    _regressor("smooth", k.Matern(2.0, nu=2.5) * k.Matern(3.0, nu=math.inf), normalize_y=True),
    _regressor("powers", k.RationalQuadratic(1.5, 0.7) + k.DotProduct() ** 2, domain=_WIDE),
    _regressor(
        "periodic",
        k.ExpSineSquared(2.0, 3.0) + k.PairwiseKernel(metric="laplacian"),
        alpha=60,
        domain=_WIDE,
    ),
    _classifier("2 classes", None, FLAGS),
    _classifier("3 classes", 1.5 * k.RBF(2.0), WORDS),
    _classifier("pairs", k.RBF(2.0) + k.DotProduct(), THREE, _WIDE, multi_class="one_vs_one"),
)
