"""Columns that are handed to a stateful transform, and what it hands on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.statsmodels.formula.factors import numbers_of
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.series import Series, column_of
from sclbl.strippers.wire import Wire


def taken(value: Any) -> Wire:
    """Return what a transform is given, as numbers ``[rows, columns]``."""
    wire = numbers_of(value)
    if wire is None:
        raise UnsupportedModelError("it is given something else than columns of numbers")
    # An infinity would come out as NaN, which is another error, or as a number.
    return ops.refuse(wire, nan=False) if wire.numbers.kind == "f" else wire


def one(value: Any) -> Wire:
    """Return what a transform of one column is given, ``[rows, 1]``."""
    wire = taken(value)
    if wire.width != 1:
        raise UnsupportedModelError(f"it is given {wire.width} columns, and takes one")
    return wire


def handed_on(wire: Wire, given: Any) -> Any:
    """Return numbers in the shape of what a transform was given: pandas' for a column of it."""
    if type(given) is Series:
        return column_of(Array(replace(wire, ndim=1)), given.name, given._index)
    one_axis = type(given) is Array and given.ndim == 1
    return Array(replace(wire, ndim=1 if one_axis else 2))
