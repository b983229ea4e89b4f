"""Columns side by side where some of them are sparse rows, such as counted terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from sclbl.strippers import dispatch, ops
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.conversions import to_float
from sclbl.strippers.sklearn.stack import one_array


def weighted_items(part: Wire, weight: Any) -> Wire:
    """Multiply sparse rows by a weight."""
    if weight is None:
        return part
    if part.numbers.kind != "f":
        part = ops.items_held_as(part, np.dtype(np.float64))
    return ops.items_scale(part, np.full(part.width, weight, dtype=np.float64))


def stack_items(parts: Sequence[Table | Wire], *, sparse: bool) -> Table | Wire:
    """Put sparse rows and columns side by side, as sparse rows or as a table.

    The type is the one that ``scipy.sparse.hstack`` or ``numpy.hstack`` finds for them.
    """
    wires = [p if isinstance(p, Wire) else _matrix(p) for p in parts if p.width]
    common = np.result_type(*(w.numbers for w in wires))
    held = [_as_items(w, common) for w in wires]
    joined = replace(reduce(ops.items_join, held), held=held[0].held)
    if sparse:
        if all(p.sparse == "csr" or (isinstance(p, Wire) and p.ragged) for p in parts if p.width):
            return joined
        # SciPy goes by way of coordinates, which sorts each row by column.
        ordered = joined.builder.node("sclbl.SumDuplicates", [joined], distinct=0)
        return replace(ordered, held=joined.held, sparse=joined.sparse)
    return dispatch.as_table(replace(joined.builder.dense(joined), held=joined.held, sparse=None))


def _matrix(part: Table) -> Wire:
    table = Table(part.builder, one_array(part.cells))
    return table.held_matrix(table.checked_dtype(to_float=False))


def _as_items(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Return rows as sparse ones in a type; whole numbers of columns travel as float64."""
    stored = dtype if dtype.kind == "f" else np.dtype(np.float64)
    items = ops.items_held_as(x if x.ragged else ops.sparse_rows(to_float(x, stored)), stored)
    return items if dtype == stored else replace(items, held=dtype)
