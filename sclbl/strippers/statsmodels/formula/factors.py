"""What the factors of a formula are: columns of numbers, or one of a fixed list of categories."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.missing import of_text
from sclbl.strippers import ops
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.frames import Frame
from sclbl.strippers.tracing.series import Series
from sclbl.strippers.wire import Wire

#: float64 holds every integer up to here.
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Fields:
    """Columns of numbers that one factor makes; the first one goes where its rank is reduced."""

    wire: Wire
    spans_intercept: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """What stands for data that ``C`` marks as categories."""

    data: Any


def numbers_of(value: Any) -> Wire | None:
    """Return what a factor evaluates to as numbers ``[rows, columns]``; None where it is none.

    They are in the type that the source holds them in.
    """
    kind = type(value)
    if kind is Fields:
        return value.wire  # type: ignore[no-any-return]  # of this class
    if kind is Frame:
        value = value._sclbl_array()
    wire = value.wire if type(value) is Array else value._wire if kind is Series else value
    if not isinstance(wire, Wire) or wire.dtype in ("text", "label"):
        return None
    return replace(wire, ndim=2)


def codes_of(value: Any, levels: Sequence[Any], factor: str) -> Wire:
    """Return (int64 ``[rows, 1]``) which level each row has; the program refuses any other.

    What is missing is refused: the engines leave such rows out, and statsmodels predicts NaN.
    """
    data = value.data if type(value) is Marked else value
    wire = data._wire if type(data) is Series else data.wire if type(data) is Array else data
    if not isinstance(wire, Wire) or wire.width != 1 or wire.dtype == "label":
        raise UnsupportedModelError(
            f"the factor {factor!r} makes categories of something else than one column"
        )
    build, one = wire.builder, replace(wire, ndim=2)
    if wire.dtype == "text":
        one = build.refuse_missing_text(one)
        keys = {i: str(v) for i, v in enumerate(levels) if isinstance(v, str)}
        if marker := [k for k in keys.values() if of_text(k)]:
            raise UnsupportedModelError(
                f"the factor {factor!r} has the category U+{ord(marker[0]):X}, which stands for "
                "missing text; replace it"
            )
    else:
        keys = {i: _number(v, factor) for i, v in enumerate(levels) if _is_number(v)}  # type: ignore[misc]  # the other kind of keys
        if wire.numbers.kind != "b":
            one = ops.refuse(one.astype(np.float64), nan=True)
        else:
            one = one.astype(np.float64)
    if not keys:
        held = "text" if wire.dtype == "text" else "numbers"
        raise UnsupportedModelError(
            f"the factor {factor!r} was fitted on categories such as {levels[0]!r}, and holds "
            f"{held} in example_input; give an example_input with the dtypes that the model was "
            "fitted on"
        )
    found = build.lookup(replace(one, held=None), [*keys.values()], values=np.array([*keys]))
    return build.refuse_unknown(found)


def _is_number(level: Any) -> bool:
    own = level.item() if isinstance(level, np.generic) else level
    return isinstance(own, numbers.Real) and own == own


def _number(level: Any, factor: str) -> float:
    own = level.item() if isinstance(level, np.generic) else level
    if isinstance(own, int) and abs(own) > _EXACT:
        raise UnsupportedModelError(
            f"the factor {factor!r} has the category {own}, beyond 2**53, which float64 does not "
            "hold exactly; encode such numbers as text"
        )
    return float(own)


def contrasts(codes: Wire, matrix: np.ndarray) -> Wire:
    """Return the row of a contrast matrix ``[levels, columns]`` that each code points to."""
    build, rows = codes.builder, np.asarray(matrix, dtype=np.float64)
    used = np.flatnonzero((rows != 0).any(axis=1))
    plain = rows.shape[1] == len(used) and np.array_equal(rows[used], np.eye(len(used)))
    levels = used if plain else np.arange(len(rows))
    truths = build.binary("Equal", codes, levels.astype(np.int64))
    made = build.cast(truths, "float64")
    return made if plain else build.matmul(made, rows)
