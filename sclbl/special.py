"""The special functions that the definition of the operators needs, without SciPy.

The C library's own functions, number by number: a definition need not be fast, and NumPy's ``exp``
is another in the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def exp(x: Array) -> Array:
    """Return e to the power of `x` as the C library computes it in float64."""
    return _each(_exp, x)


def expit(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))`` with the C library's exponential of the type of `x`."""
    if x.dtype == np.float32:
        return np.asarray(np.float32(1) / (np.float32(1) + _expf(-x)))
    return np.asarray(1 / (1 + exp(-x)))


def erf(x: Array) -> Array:
    """Return the error function."""
    return _each(math.erf, x)


def erfc(x: Array) -> Array:
    """Return the complementary error function."""
    return _each(math.erfc, x)


def ndtr(x: Array) -> Array:
    """Return the normal distribution function."""
    return _each(_ndtr, x)


def ndtri(p: Array) -> Array:
    """Return the inverse of `ndtr`: infinite at 0 and 1, NaN outside of them."""
    return _each(_ndtri, p)


def _each(function: Callable[[float], float], x: Array) -> Array:
    found = [function(v) for v in x.ravel().tolist()]
    return np.array(found, dtype=np.float64).astype(x.dtype).reshape(x.shape)


def _exp(v: float) -> float:
    try:
        return math.exp(v)
    except OverflowError:
        return math.inf


def _ndtr(v: float) -> float:
    z = v * math.sqrt(0.5)
    # Near 0 erfc would round to the spacing of numbers around 1.
    return 0.5 + 0.5 * math.erf(z) if abs(z) < 1 else 0.5 * math.erfc(-z)


_NORMAL = NormalDist()


def _ndtri(p: float) -> float:
    if 0 < p < 1:
        return _NORMAL.inv_cdf(p)
    return {0.0: -math.inf, 1.0: math.inf}.get(p, math.nan)


def _expf(x: Array) -> Array:
    """Return the C library's ``expf``: a table of 2**(i/32) and a cubic, in float64."""
    wide = x.astype(np.float64)
    # Beyond these the result is 0 or infinity anyway; NaN passes.
    z = np.clip(wide, -200.0, 200.0) * (float.fromhex("0x1.71547652b82fep+0") * 32)
    k = np.rint(z)
    r = z - k
    whole = np.nan_to_num(k).astype(np.int64)
    scale = np.ldexp(_powers()[whole % 32], whole // 32)
    a, b, c = (float.fromhex(h) for h in _CUBIC)
    return np.asarray(((a * r + b) * (r * r) + (c * r + 1.0)) * scale).astype(np.float32)


#: Of 2**(r/32) for -1/2 <= r <= 1/2, from the highest power down; the last is 1.
_CUBIC = ("0x1.c6af84b912394p-20", "0x1.ebfce50fac4f3p-13", "0x1.62e42ff0c52d6p-6")


@cache
def _powers() -> Array:
    with localcontext() as context:
        context.prec = 40
        return np.array([float(Decimal(2) ** (Decimal(i) / 32)) for i in range(32)])
