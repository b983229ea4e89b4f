"""Strided copies, against NumPy's views."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sclbl.errors import SpecError
from sclbl.ops.strides import AXES, axes, expanded, permuted, sliced
from tests.kernels.calling import Kernel

DTYPES = {"b1": np.uint8, "b2": np.uint16, "b4": np.float32, "b8": np.float64}
ROWS = 2


def source(shape: tuple[int, ...], kind: str) -> np.ndarray:
    size = ROWS * int(np.prod(shape))
    return (np.arange(size) % 251).astype(DTYPES[kind]).reshape(ROWS, *shape)


def copied(kind: str, x: np.ndarray, want: np.ndarray, first: int, pairs: list[int]) -> None:
    """Check that the kernel makes `want` of `x`."""
    out = np.full(want.shape, 99, dtype=x.dtype)
    kernel = Kernel(f"transpose_{kind}", out, x, ROWS, x[0].size, first, *pairs)
    np.testing.assert_array_equal(kernel()[0], want)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize(
    ("shape", "order"),
    [
        ((5, 7), (1, 0)),
        ((8, 12), (1, 0)),
        ((1, 9), (1, 0)),
        ((6, 4, 8), (1, 0, 2)),
        ((6, 4, 8), (0, 2, 1)),
        ((3, 32, 32), (1, 2, 0)),
        ((2, 3, 4, 200), (2, 0, 1, 3)),
        ((2, 3, 4, 5), (3, 2, 1, 0)),
        ((2, 3, 2, 3, 2, 3, 2, 3), (7, 6, 5, 4, 3, 2, 1, 0)),
        ((4,), (0,)),
    ],
)
def test_transpose(shape: tuple[int, ...], order: tuple[int, ...], kind: str) -> None:
    x = source(shape, kind)
    want = np.transpose(x, (0, *(axis + 1 for axis in order)))
    copied(kind, x, want, 0, permuted(shape, order))


def test_every_order_of_four_axes() -> None:
    shape = (2, 5, 3, 4)
    x = source(shape, "b4")
    for order in itertools.permutations(range(4)):
        want = np.transpose(x, (0, *(axis + 1 for axis in order)))
        copied("b4", x, want, 0, permuted(shape, order))


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize(
    ("shape", "slices"),
    [
        ((9,), (slice(2, 7),)),
        ((9,), (slice(None, None, -1),)),
        ((6, 8), (slice(1, 5, 2), slice(None))),
        ((6, 8), (slice(None), slice(7, 0, -3))),
        ((3, 6, 8), (slice(None), slice(5, 1, -1), slice(2, 6))),
        ((3, 4), (slice(2, 2), slice(None))),
    ],
)
def test_slice(shape: tuple[int, ...], slices: tuple[slice, ...], kind: str) -> None:
    x = source(shape, kind)
    first, pairs = sliced(shape, slices)
    copied(kind, x, x[(slice(None), *slices)], first, pairs)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize(
    ("shape", "to"),
    [((1, 5), (4, 5)), ((5, 1), (5, 6)), ((3,), (2, 4, 3)), ((1,), (7,)), ((2, 1, 3), (2, 4, 3))],
)
def test_expand(shape: tuple[int, ...], to: tuple[int, ...], kind: str) -> None:
    x = source(shape, kind)
    front = x.reshape(ROWS, *[1] * (len(to) - len(shape)), *shape)
    copied(kind, x, np.broadcast_to(front, (ROWS, *to)), 0, expanded(shape, to))


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("inner", [1, 3, 16, 200])
def test_take(inner: int, kind: str) -> None:
    x = source((3, 5, inner), kind)
    index = np.array([4, 0, 0, 2], dtype=np.int32)
    want = np.take(x, index, axis=2)
    out = np.zeros_like(want)
    kernel = Kernel(f"transpose_take_{kind}", out, x, index, ROWS, 3, len(index), inner, 5)
    np.testing.assert_array_equal(kernel()[0], want)


def test_axes_that_stay_side_by_side_are_one() -> None:
    assert permuted((2, 3, 4, 5), (0, 1, 2, 3))[-2:] == [120, 1]
    assert permuted((2, 3, 4, 5), (2, 3, 0, 1))[-4:] == [20, 1, 6, 20]
    assert len(permuted((2, 3), (1, 0))) == 2 * AXES
    with pytest.raises(SpecError, match="moves 9 axes apart; sclbl takes 8"):
        axes([2] * 9, [3] * 9)
