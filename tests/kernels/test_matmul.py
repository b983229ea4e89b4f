"""Products of matrices, against NumPy's sums in order."""

from __future__ import annotations

import numpy as np
import pytest

from sclbl.errors import SpecError
from sclbl.ops.packing import product_scratch
from sclbl.ops.strides import product_axes
from tests.kernels.calling import Kernel

DTYPES = {"f32": np.float32, "f64": np.float64}


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the product of stacks of matrices, each sum from 0 in the order of k."""
    a, b = a[..., :, None, :], np.swapaxes(b, -1, -2)[..., None, :, :]
    total = np.zeros(np.broadcast_shapes(a.shape, b.shape)[:-1], dtype=a.dtype)
    for k in range(a.shape[-1]):
        total += a[..., k] * b[..., k]
    return total


def numbers(kind: str, *shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(DTYPES[kind])


def scratch(kind: str, k: int) -> np.ndarray:
    item = np.dtype(DTYPES[kind]).itemsize
    return np.zeros(product_scratch(k, item) // item, dtype=DTYPES[kind])


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize(
    ("r", "k", "c"),
    [(8, 8, 8), (5, 7, 9), (4, 1, 4), (1, 16, 32), (3, 5, 2), (6, 4, 1), (17, 33, 31), (2, 3, 5)],
)
def test_sizes(r: int, k: int, c: int, kind: str) -> None:
    a, b = numbers(kind, 2, 3, r, k), numbers(kind, 2, 3, k, c)
    want = product(a, b)
    sizes = (2, 3 * r * k, 3 * k * c, *product_axes((3, r, k), (3, k, c)), r, k, c)
    found = Kernel(f"matmul_batch_{kind}", np.ones_like(want), a, b, scratch(kind, k), *sizes)()
    np.testing.assert_array_equal(found[0], want)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((), ()),
        ((4,), ()),
        ((), (4,)),
        ((1, 3), (2, 1)),
        ((2, 3), (3,)),
        ((2, 1, 3), (1, 4, 3)),
        ((2, 2, 2, 2), (2, 2, 2, 2)),
    ],
)
def test_stacks(left: tuple[int, ...], right: tuple[int, ...], kind: str) -> None:
    """Axes in front are broadcast as NumPy does."""
    r, k, c = 5, 3, 6
    a, b = numbers(kind, 2, *left, r, k), numbers(kind, 2, *right, k, c)
    want = np.stack([product(a[i], b[i]) for i in range(2)])
    sizes = (2, a[0].size, b[0].size, *product_axes((*left, r, k), (*right, k, c)), r, k, c)
    found = Kernel(f"matmul_batch_{kind}", np.ones_like(want), a, b, scratch(kind, k), *sizes)()
    np.testing.assert_array_equal(found[0], want)


@pytest.mark.parametrize("kind", DTYPES)
def test_a_constant_operand(kind: str) -> None:
    a, b = numbers(kind, 3, 6, 4), numbers(kind, 4, 10)
    sizes = (3, 24, 0, *product_axes((6, 4), (4, 10)), 6, 4, 10)
    want = product(a, b)
    found = Kernel(f"matmul_batch_{kind}", np.ones_like(want), a, b, scratch(kind, 4), *sizes)()
    np.testing.assert_array_equal(found[0], want)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("m", [0, 1, 4, 11])
def test_rows(m: int, kind: str) -> None:
    """The same bits as the product of few rows."""
    x, weights = numbers(kind, m, 13), numbers(kind, 13, 10)
    out = np.ones((m, 10), dtype=x.dtype)
    found = Kernel(f"matmul_rows_{kind}", out, x, weights, scratch(kind, 13), m, 13, 10)()
    few = Kernel(f"linear_matmul_{kind}", out, x, weights, None, m, 13, 10)()
    np.testing.assert_array_equal(found[0], few[0])
    np.testing.assert_array_equal(found[0], product(x, weights))


def test_shapes_that_do_not_go_together() -> None:
    with pytest.raises(SpecError, match=r"MatMul of tensors \[2, 5, 3\] and \[3, 3, 6\] a row"):
        product_axes((2, 5, 3), (3, 3, 6))
    with pytest.raises(SpecError, match="need 4 axes, sclbl takes 3: use Expand before it"):
        product_axes((2, 1, 2, 1, 5, 3), (1, 3, 1, 3, 3, 6))
