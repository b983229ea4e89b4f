"""Softmax along any axis and layer normalisation, against sums in extended precision."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.calling import Kernel

DTYPES = {"f32": np.float32, "f64": np.float64}
SHAPES = [(1, 1, 1), (4, 10, 1), (3, 7, 5), (2, 33, 4), (5, 1, 3)]


def numbers(kind: str, *shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 4, size=shape).astype(DTYPES[kind])


def softmax(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return softmax along the second axis, and its logarithm."""
    wide = x.astype(np.longdouble)
    with np.errstate(invalid="ignore"):
        moved = wide - wide.max(axis=1, keepdims=True)
    total = np.exp(moved).sum(axis=1, keepdims=True)
    return np.exp(moved) / total, moved - np.log(total)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_softmax(shape: tuple[int, int, int], kind: str) -> None:
    x = numbers(kind, *shape)
    plain, logarithm = softmax(x)
    eps = np.finfo(x.dtype).eps
    (got, _) = Kernel(f"normalize_softmax_{kind}", np.zeros_like(x), x, *shape)()
    # Each exponent is as wrong as the difference in it is rounded.
    np.testing.assert_allclose(got, plain, rtol=40 * eps, atol=0)
    (got, _) = Kernel(f"normalize_log_softmax_{kind}", np.zeros_like(x), x, *shape)()
    np.testing.assert_allclose(got, logarithm, rtol=0, atol=20 * eps * (1 + abs(logarithm).max()))


@pytest.mark.parametrize("kind", DTYPES)
def test_softmax_is_that_of_rows(kind: str) -> None:
    """The same bits whichever axis it is, and as the kernel of rows."""
    x = numbers(kind, 6, 9, 1)
    (want, _) = Kernel(f"reduce_softmax_{kind}", np.zeros_like(x), x, 6, 9)()
    (rows, _) = Kernel(f"normalize_softmax_{kind}", np.zeros_like(x), x, 6, 9, 1)()
    np.testing.assert_array_equal(rows, want)
    turned = np.ascontiguousarray(x[..., 0].T)[None]
    (columns, _) = Kernel(f"normalize_softmax_{kind}", np.zeros_like(turned), turned, 1, 9, 6)()
    np.testing.assert_array_equal(columns[0].T, want[..., 0])


@pytest.mark.parametrize("kind", DTYPES)
def test_softmax_at_the_limits(kind: str) -> None:
    inf, nan = np.inf, np.nan
    rows = [[1e30, 0, -1e30], [-inf, 0, 0], [inf, 0, 1], [nan, 0, 1], [0, 1, nan], [-inf] * 3]
    x = np.array(rows, dtype=DTYPES[kind])[..., None]
    (got, _) = Kernel(f"normalize_softmax_{kind}", np.zeros_like(x), x, 6, 3, 1)()
    want = [[1, 0, 0], [0, 0.5, 0.5], [nan] * 3, [nan] * 3, [nan] * 3, [nan] * 3]
    # Beside an infinity the others are 0 divided by what is not a number.
    np.testing.assert_array_equal(got[..., 0], np.array(want, dtype=x.dtype))


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("given", ["both", "scale", "none"])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 8), (5, 33), (2, 768)])
def test_layer_normalisation(m: int, n: int, given: str, kind: str) -> None:
    x = numbers(kind, m, n) + DTYPES[kind](100)
    scale, bias = numbers(kind, n), numbers(kind, n)
    wide = x.astype(np.longdouble)
    moved = wide - wide.mean(axis=1, keepdims=True)
    want = moved / np.sqrt((moved**2).mean(axis=1, keepdims=True) + 1e-5)
    if given != "none":
        want *= scale
    if given == "both":
        want += bias
    kernel = Kernel(
        f"normalize_layer_{kind}",
        np.zeros_like(x),
        x,
        None if given == "none" else scale,
        bias if given == "both" else None,
        *(m, n, 1e-5),
    )
    atol = 1e-12 if kind == "f64" else 2 * np.finfo(np.float32).eps * float(abs(want).max() + 1)
    np.testing.assert_allclose(kernel()[0], want.astype(float), rtol=0, atol=atol)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("relu", [0, 1])
@pytest.mark.parametrize("shape", [(1, 3, 16), (2, 5, 9), (3, 4, 1), (2, 1, 0)])
def test_channels(shape: tuple[int, int, int], relu: int, kind: str) -> None:
    x, scale, bias = numbers(kind, *shape), numbers(kind, shape[1]), numbers(kind, shape[1])
    x.ravel()[::5] = np.nan
    want = x * scale[:, None] + bias[:, None]
    if relu:
        want = np.maximum(want, 0)
    out = np.zeros_like(x)
    found = Kernel(f"normalize_channels_{kind}", out, x, scale, bias, *shape, relu)()
    np.testing.assert_array_equal(found[0], want)
