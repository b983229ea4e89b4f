"""Kernels between rows and the points that a model keeps."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, DotProduct, Matern, WhiteKernel
from sklearn.kernel_ridge import KernelRidge

import sclbl
from sclbl.errors import OutOfRangeError, UnsupportedModelError

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 3))
ROWS = RNG.normal(size=(500, 3)) * 2
NAMES = ("linear", "poly", "rbf", "sigmoid", "laplacian", "cosine", "chi2", "additive_chi2")


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("kernel", NAMES)
def test_every_kernel(kernel: str, dtype: str) -> None:
    held = np.abs(X * 3).astype(dtype) if "chi2" in kernel else (X * 3).astype(dtype)
    rows = np.abs(ROWS * 3) if "chi2" in kernel else ROWS * 3
    model = KernelRidge(kernel=kernel, gamma=0.4, degree=2, coef0=0.5, alpha=3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a kernel may be singular
        model.fit(held, X[:, 0])
    program = sclbl.compile(model, held[:3])
    expected = model.predict(rows.astype(dtype))
    # A sum of terms that cancel: relative to the largest of them.
    kernels = model._get_kernel(rows.astype(dtype), held)
    size = np.abs(kernels * model.dual_coef_).sum(axis=1).max()
    bar = 3e-6 if dtype == "float32" and kernel != "laplacian" else 1e-13
    np.testing.assert_allclose(
        program.predict(rows.astype(dtype)), expected, rtol=0, atol=bar * size
    )


def test_a_kernel_of_float32_points_is_float64_for_float64_rows() -> None:
    model = KernelRidge(kernel="rbf").fit(X.astype("float32"), X[:, 0])
    program = sclbl.compile(model, X[:3])
    np.testing.assert_allclose(program.predict(ROWS), model.predict(ROWS), rtol=1e-10, atol=1e-14)


def test_a_precomputed_kernel() -> None:
    model = KernelRidge(kernel="precomputed").fit(X @ X.T, X[:, 0])
    given = ROWS @ X.T
    program = sclbl.compile(model, given[:3])
    np.testing.assert_allclose(program.predict(given), model.predict(given), rtol=1e-9, atol=1e-13)


def test_negative_numbers_are_refused_where_the_kernel_refuses_them() -> None:
    model = KernelRidge(kernel="chi2", gamma=1.0).fit(np.abs(X), X[:, 0])
    program = sclbl.compile(model, np.abs(X[:3]))
    rows = np.abs(ROWS)
    rows[4, 1] = -1e-300
    with pytest.raises(ValueError, match="negative values"):
        model.predict(rows)
    with pytest.raises(OutOfRangeError, match=r"^row 4, column '1' is outside of the range"):
        program.predict(rows)


def test_kernels_of_gaussian_processes() -> None:
    for kernel in (RBF([1.0, 2.0, 0.5, 3.0][: X.shape[1]]), DotProduct() ** 2, WhiteKernel(0.5)):
        model = KernelRidge(kernel=kernel).fit(X, X[:, 0])
        program = sclbl.compile(model, X[:3])
        wanted = model.predict(ROWS)
        np.testing.assert_allclose(program.predict(ROWS), wanted, rtol=1e-9, atol=1e-12)
    model = KernelRidge(kernel=Matern(nu=0.7)).fit(X, X[:, 0])
    with pytest.raises(UnsupportedModelError, match=r"nu=0\.5, 1\.5, 2\.5"):
        sclbl.strip(model, X[:3])


def test_a_kernel_of_python_is_refused() -> None:
    model = KernelRidge(kernel=lambda a, b: float(a @ b)).fit(X, X[:, 0])
    with pytest.raises(UnsupportedModelError, match=r"^KernelRidge\(kernel=.* use one of additive"):
        sclbl.strip(model, X[:3])
