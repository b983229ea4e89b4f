"""The kernels of networks give the same bits in V8 as in wasmtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sclbl.ops.packing import product_scratch
from sclbl.ops.strides import permuted
from tests.kernels import test_conv
from tests.kernels.calling import Argument, Kernel

DTYPES = {"f32": np.float32, "f64": np.float64}


def numbers(kind: str, *shape: int) -> np.ndarray:
    """Numbers of many magnitudes, denormal ones and zeros of both signs among them."""
    rng = np.random.default_rng(sum(shape))
    x = rng.normal(size=shape) * np.exp2(rng.integers(-30, 30, size=shape))
    x.ravel()[::17] = rng.choice([0.0, -0.0, 1e-40, -1e-40], x.ravel()[::17].shape)
    return x.astype(DTYPES[kind])


def conv(kind: str) -> list[Argument]:
    case = test_conv.CASES["dilated with strides"]
    x, w, bias = (numbers(kind, *a.shape) for a in test_conv.arrays(case, np.float64))
    return test_conv.prepared(case, x, w, bias)[1]


def pool(kind: str, *more: int) -> list[Argument]:
    sizes = (3, 9, 13, 3, 3, 2, 2, 1, 1, 1, 1, 5, 7)
    return [numbers(kind, 3, 5, 7), numbers(kind, 3, 9, 13), *sizes, *more]


def matmul(kind: str) -> list[Argument]:
    item = np.dtype(DTYPES[kind]).itemsize
    scratch = np.zeros(product_scratch(9, item) // item, dtype=DTYPES[kind])
    a, b = numbers(kind, 11, 9), numbers(kind, 9, 13)
    return [numbers(kind, 11, 13), a, b, scratch, 1, 0, 0, *[1, 0, 0] * 3, 11, 9, 13]


def along_axis(kind: str) -> list[Argument]:
    x = np.random.default_rng(1).normal(0, 9, size=(4, 9, 5)).astype(DTYPES[kind])
    return [np.zeros_like(x), x, 4, 9, 5]


def layer(kind: str) -> list[Argument]:
    x = numbers(kind, 4, 33)
    return [np.zeros_like(x), x, numbers(kind, 33), numbers(kind, 33), 4, 33, 1e-5]


def transpose(kind: str) -> list[Argument]:
    x = numbers(kind, 2, 6, 9)
    return [np.zeros((2, 9, 6), x.dtype), x, 1, x.size, 0, *permuted((2, 6, 9), (0, 2, 1))]


CASES = {
    "conv_2d": conv,
    "pool_max": pool,
    "pool_average": lambda kind: pool(kind, 1, 1, 0),
    "matmul_batch": matmul,
    "normalize_softmax": along_axis,
    "normalize_log_softmax": along_axis,
    "normalize_layer": layer,
    "transpose": transpose,
}


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_the_same_bits(name: str, kind: str, tmp_path: Path) -> None:
    suffix = {"f32": "b4", "f64": "b8"}[kind] if name == "transpose" else kind
    kernel = Kernel(f"{name}_{suffix}", *CASES[name](kind))
    here, there = kernel()[0], kernel.in_node(tmp_path)[0]
    assert np.isfinite(here).all()
    assert here.tobytes() == there.tobytes()
