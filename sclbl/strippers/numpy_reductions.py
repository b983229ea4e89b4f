"""NumPy's sums, extremes and their places along the columns of a wire, in NumPy's types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np

from sclbl.strippers.conversions import WIDE, brought, held_as, to_float, to_integer
from sclbl.strippers.wire import Wire, mixes_rows

#: Rows up to here are summed by `numpy.sum` in one go.
_BLOCK = 128
#: float64 adds up so many integers of 32 bits exactly.
_EXACT_WIDTH = 2**20


def floats(x: Wire) -> Wire:
    """Return floats as they are, other numbers in float64."""
    return x if x.numbers.kind == "f" else to_float(x, np.dtype(np.float64))


def reducible(x: Wire) -> Wire:
    """Return numbers in a type that is reduced, which holds them exactly."""
    if x.numbers == np.float16:
        return to_float(x, np.dtype(np.float32))
    return x if x.dtype in WIDE else cast(Wire, brought(x, x.numbers))


def _reduced(x: Wire, axis: Any, keepdims: bool, write: Callable[[Wire], Wire], what: str) -> Wire:
    """Reduce along the columns."""
    if x.ndim == 1 or axis not in (1, -1, (1,), (-1,)):
        mixes_rows(f"{what} along axis {axis}")
    return replace(write(reducible(x)), ndim=2 if keepdims else 1)


def pairwise_sum(x: Wire) -> Wire:
    """Return what `numpy.sum` makes of each contiguous row.

    From eight numbers on it keeps eight running sums and adds them in pairs; the numbers left over
    follow one by one. Beyond 128 numbers it halves the row first
    (``numpy/_core/src/umath/loops_utils.h.src``).
    """
    build = x.builder
    if x.width > _BLOCK:
        half = x.width // 2
        half -= half % 8
        return build.add(
            pairwise_sum(build.columns(x, range(half))),
            pairwise_sum(build.columns(x, range(half, x.width))),
        )
    whole = x.width - x.width % 8
    if whole == 0:
        return build.reduce("ReduceSum", x)
    sums = build.columns(x, range(8))
    for begin in range(8, whole, 8):
        sums = build.add(sums, build.columns(x, range(begin, begin + 8)))
    while sums.width > 1:
        even, odd = range(0, sums.width, 2), range(1, sums.width, 2)
        sums = build.add(build.columns(sums, even), build.columns(sums, odd))
    for rest in range(whole, x.width):
        sums = build.add(sums, build.columns(x, [rest]))
    return sums


def sum_(x: Wire, axis: Any = None, keepdims: bool = False) -> Wire:
    """Write ``np.sum``: of integers in 64 bits, of float16 in float32."""
    made = np.sum(np.zeros(1, x.numbers)).dtype
    whole = x.numbers.kind in "iu" and (x.numbers.itemsize == 8 or x.width > _EXACT_WIDTH)
    if whole:
        added = _reduced(
            to_integer(x, made), axis, keepdims, lambda y: y.builder.reduce("ReduceSum", y), "a sum"
        )
    else:
        added = _reduced(x, axis, keepdims, pairwise_sum, "a sum")
    return to_float(added, made) if made.kind == "f" else held_as(added, made)


def mean(x: Wire, axis: Any = None, keepdims: bool = False) -> Any:
    """Write ``np.mean``."""
    if x.numbers == np.float16:
        return to_float(mean(to_float(x, np.dtype(np.float32)), axis, keepdims), x.numbers)
    return sum_(floats(x), axis, keepdims) / x.width


def extreme(op: str) -> Callable[..., Wire]:
    """Return what writes ``np.max`` or ``np.min``, by its operator."""

    def write(x: Wire, axis: Any = None, keepdims: bool = False) -> Wire:
        found = _reduced(x, axis, keepdims, lambda y: y.builder.reduce(op, y), "an extreme")
        return to_float(found, x.numbers) if x.numbers.kind == "f" else held_as(found, x.numbers)

    return write


def argmax(x: Wire, axis: Any = None, keepdims: bool = False) -> Wire:
    """Write ``np.argmax``."""
    return _reduced(x, axis, keepdims, lambda y: y.builder.argmax(y), "argmax")


def argmin(x: Wire, axis: Any = None, keepdims: bool = False) -> Wire:
    """Write ``np.argmin``."""
    if x.dtype in WIDE:
        return argmax(~x, axis, keepdims)  # -x - 1, which has no end to wrap around at
    return argmax(-floats(x), axis, keepdims)
