"""Columns side by side: which dtype scikit-learn's result has, where it stacks what steps made.

DataFrames keep a dtype a column; arrays take one, as ``numpy.hstack`` finds it, which decides
whether a later step computes in float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import promotion
from sclbl.strippers.columns import Cell, Table
from sclbl.strippers.conversions import held_as
from sclbl.strippers.graph import Builder


def is_passed(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def is_dropped(step: Any) -> bool:
    return isinstance(step, str) and step == "drop"


def weighted(part: Table, weight: Any, label: str) -> Table:
    """Multiply by a weight, as NumPy does: a Python number keeps float32, a NumPy one widens it."""
    if weight is None or not part.cells:
        return part
    if part.has_text:
        raise UnsupportedModelError(
            f"the transformer {label!r} has a weight and results in text, which cannot be "
            "weighted; leave the weight out"
        )
    build, cells = part.builder, []
    for cell in one_array(part.cells):
        wire = build.columns(cell.wire, [cell.index])
        if cell.dtype.kind == "O":  # numbers as Python has them
            wire, dtype = build.mul(build.cast(wire, "float64"), float(weight)), cell.dtype
        else:
            wire = held_as(wire, cell.dtype) * weight
            dtype = wire.numbers
        cells.append(Cell(wire, 0, cell.name, promotion.kind_of(dtype), dtype))
    return Table(build, tuple(cells), part.sparse)


def stack(model: Any, parts: Iterable[Table], build: Builder) -> Table:
    """Put tables side by side, with the dtypes that scikit-learn's result has."""
    parts = list(parts)
    if makes_frames(model):
        return Table(build, tuple(c for part in parts for c in part.cells))
    return hstack(parts, build)


def hstack(parts: Iterable[Table], build: Builder) -> Table:
    """Put tables side by side in one array, as ``numpy.hstack`` does."""
    arrays = [one_array(part.cells) for part in parts if part.cells]
    if not arrays:
        return Table(build, ())
    dtype = np.result_type(*(cells[0].dtype for cells in arrays))
    return Table(build, held_in(dtype, [c for cells in arrays for c in cells]))


def makes_frames(model: Any, library: str | None = None) -> bool:
    """Return whether `set_output` makes a model result in DataFrames (of one library)."""
    import sklearn

    own = getattr(model, "_sklearn_output_config", {}).get("transform")
    made = own or sklearn.get_config()["transform_output"]
    return bool(made == library if library else made != "default")


def one_array(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return cells of one container with the dtype of the array that NumPy makes of it."""
    return held_in(promotion.array_dtype(c.dtype for c in cells), cells)


def held_in(dtype: np.dtype[Any], cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return cells as columns of an array; those that hold text stay text, among objects."""
    if dtype in (np.float16, np.float32) and cells:
        cells[0].wire.builder.pin(cells)
    kind = promotion.kind_of(dtype)
    return tuple(replace(c, kind=c.kind if c.kind == "text" else kind, dtype=dtype) for c in cells)
