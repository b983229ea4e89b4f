"""Wires in the number type that the source computes in.

Integers and booleans of the rows travel as float64, which holds them exactly: their `Wire.held`
says what the source has there. What wraps around is computed in the integer type itself, so such a
wire is brought to it first, and the columns that it came from are held to their own types
(`Builder.pin`): of rows of another type the source would compute something else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np

from sclbl.errors import InfiniteValueError, MissingValueError, UnsupportedModelError
from sclbl.signature import DType
from sclbl.strippers import promotion
from sclbl.strippers.wire import Wire

#: Wires of these types hold what float64 might not.
WIDE = frozenset({"int64", "uint64"})


def numbers_of(x: Any) -> Any:
    """Return the dtype of an operand; of Python's numbers the type, which NumPy lets adapt."""
    if isinstance(x, Wire):
        return x.numbers
    return type(x) if type(x) in (int, float) else np.asarray(x).dtype


def held_as(x: Wire, dtype: np.dtype[Any], ndim: int | None = None) -> Wire:
    """Return a wire that stands for numbers of `dtype`, whatever type it travels in."""
    own = dtype == np.dtype(object if x.dtype in ("text", "label") else x.dtype)
    return replace(x, held=None if own else dtype, ndim=x.ndim if ndim is None else ndim)


def is_integer(x: Any) -> bool:
    """Return whether an operand is a wire whose type is an integer one: no float stands for it."""
    return isinstance(x, Wire) and x.dtype.lstrip("u").startswith("int")


def brought(x: Any, dtype: np.dtype[Any], *, whole: bool = False) -> Any:
    """Return an operand in the type that NumPy computes in.

    Integers and booleans come as float64, in which they are what they are, or with `whole` in
    `dtype` itself.
    """
    if not isinstance(x, Wire):
        return np.ravel(np.asarray(x, dtype=dtype))
    if dtype.kind == "f":
        return to_float(x, dtype)
    if whole:
        return to_integer(x, dtype)
    return x if x.dtype in ("float64", "float32") else _cast(x, np.dtype(np.float64))


def to_float(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Return a wire in float64, float32 or float16.

    Raises
    ------
    UnsupportedModelError
        Where it is another float.
    """
    stored = promotion.float_type(dtype, promotion.model_name(x.builder))
    if stored != "float64" and x.held is not None and x.held.kind in "iub":
        # Of other integers NumPy would make another float.
        hold(x)
    return _cast(x, np.dtype(stored))


def to_integer(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Return a wire of integers or booleans in an integer type, in which they wrap around."""
    own = x.numbers
    if own.kind not in "iub":
        raise TypeError(f"{own} numbers where integers belong: a defect of the stripper")
    if x.held is not None:
        hold(x, wide=True)
        if own.kind in "iu" and not np.can_cast(own, dtype):
            x = _cast(x, own)
    return _cast(x, dtype)


def hold(x: Wire, *, wide: bool = False) -> None:
    """Hold the columns that a wire came from to their own types; see `Builder.pin`."""
    x.builder.pin(x.builder.wire_table(x, kind=promotion.kind_of(x.numbers)).cells, wide=wide)


def _cast(x: Wire, dtype: np.dtype[Any]) -> Wire:
    return replace(x.builder.cast(x, cast(DType, dtype.name)), held=None, ndim=x.ndim)


def astype(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Convert a wire as ``x.astype(dtype)`` does."""
    if dtype == x.numbers:
        return x
    if dtype.kind == "f":
        return to_float(x, dtype)
    if dtype.kind == "b":
        return _cast(x, dtype)
    if dtype.kind not in "iu":
        raise UnsupportedModelError(f"astype({dtype}) is not written; use a type of numbers")
    return to_integer(x, dtype) if x.numbers.kind in "iub" else _cast(_within(x, dtype), dtype)


def _within(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Refuse floats whose whole part an integer type does not hold, and NaN.

    NumPy makes something of them that hangs on the processor.
    """
    build, limits = x.builder, np.iinfo(dtype)
    if x.dtype == "float16":  # whose comparisons with the ends would round them
        x = _cast(x, np.dtype(np.float32))
    kind = np.dtype(x.dtype).type
    low, high = kind(limits.min), kind(float(limits.max) + 1)
    # Whole parts count, but among large floats the next one below is not a fraction away.
    below = low - kind(1)
    above = build.binary(*(("Greater", x, below) if below < low else ("GreaterOrEqual", x, low)))
    inside = build.binary("And", above, build.binary("Less", x, high))
    bounded = build.where(build.binary("Or", inside, build.is_nan(x)), x, np.inf)
    build.refuses_more |= {MissingValueError, InfiniteValueError}
    return replace(build.refuse(bounded, nan=True), ndim=x.ndim)
