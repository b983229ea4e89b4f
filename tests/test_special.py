"""The special functions of the reference, beside SciPy's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.special

from sclbl import special

EDGES = [
    0.0,
    -0.0,
    np.inf,
    -np.inf,
    np.nan,
    5e-324,
    1e-300,
    709.78,
    709.79,
    -745.13,
    -745.14,
    1e308,
]
RNG = np.random.default_rng(0)
LINE = np.concatenate([EDGES, RNG.normal(0, 1, 5000), RNG.uniform(-750, 750, 20_000)])
FLOATS = np.concatenate(
    [
        np.array([*EDGES[:5], 88.72, 88.73, -103.97, -103.98, -87.4], dtype=np.float32),
        RNG.normal(0, 4, 200_000).astype(np.float32),
        RNG.uniform(-110, 110, 200_000).astype(np.float32),
    ]
)
CHANCES = np.concatenate(
    [[0.0, 1.0, 0.5, -0.1, 1.1, np.nan, 1e-300, 1 - 2**-53], RNG.uniform(0, 1, 5000),
     10.0 ** RNG.uniform(-300, 0, 2000)]
)  # fmt: skip


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    kind = {4: np.int32, 8: np.int64}[a.dtype.itemsize]
    nan = np.isnan(a) & np.isnan(b)
    return a.dtype == b.dtype and bool((nan | (a.view(kind) == b.view(kind))).all())


def boxcox_exp(x: np.ndarray) -> np.ndarray:
    """What SciPy computes for the power 0 is the C library's exp."""
    return np.asarray(scipy.special.inv_boxcox(x, x.dtype.type(0)))


@pytest.mark.parametrize("x", [LINE, FLOATS], ids=["float64", "float32"])
@pytest.mark.parametrize(
    ("ours", "scipys"), [(special.expit, scipy.special.expit), (special.exp, boxcox_exp)]
)
def test_exponentials_are_scipys_to_the_bit(
    ours: Callable[[np.ndarray], np.ndarray],
    scipys: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
) -> None:
    with np.errstate(all="ignore"):
        assert same_bits(ours(x), scipys(x))


@pytest.mark.parametrize(
    ("name", "x", "bound"),
    [
        ("erf", LINE, 1e-15),
        ("erfc", RNG.uniform(-6, 26, 5000), 1e-12),
        ("ndtr", RNG.uniform(-37, 9, 5000), 1e-12),
        ("ndtri", CHANCES, 5e-15),
    ],
)
def test_others_are_as_close_as_scipy_is(name: str, x: np.ndarray, bound: float) -> None:
    ours, theirs = getattr(special, name)(x), getattr(scipy.special, name)(x)
    np.testing.assert_allclose(ours, theirs, rtol=bound, atol=1e-17)
    with np.errstate(all="ignore"):
        narrow = getattr(special, name)(x.astype(np.float32))
        wanted = getattr(scipy.special, name)(x.astype(np.float32))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, wanted, rtol=3e-7, atol=1e-44)


def test_shapes_are_kept() -> None:
    x = RNG.normal(size=(3, 4))
    for name in ("exp", "expit", "erf", "erfc", "ndtr", "ndtri"):
        assert getattr(special, name)(x).shape == (3, 4)
        assert getattr(special, name)(x[:0]).shape == (0, 4)
