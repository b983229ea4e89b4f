"""Stand-ins of DataFrames, made of the columns that reach a step, and of others side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import promotion
from sclbl.strippers.columns import Table
from sclbl.strippers.tracing.frames import Frame
from sclbl.strippers.tracing.operators import Index
from sclbl.strippers.tracing.series import Series


def side_by_side(parts: Sequence[Any]) -> Frame:
    """Return what ``pandas.concat(parts, axis=1)`` gives, of one index."""
    columns: list[Series] = []
    names: list[Any] = []
    for part in parts:
        one = part.to_frame() if type(part) is Series else part
        if type(one) is not Frame:
            raise UnsupportedModelError("something else than columns of X is put beside them")
        columns += [one._column(i) for i in range(len(one._names))]
        names += list(one._names)
    for column in columns[1:]:
        columns[0]._operand(column)  # of one index
    return Frame(columns, pd.Index(names), columns[0]._index)


def frame_of(table: Table) -> Frame:
    """Return what stands for the DataFrame that columns are."""
    index = Index()
    columns: dict[int, Series] = {}
    alike: dict[Any, list[int]] = {}
    for i, cell in enumerate(table.cells):
        alike.setdefault((cell.kind == "text", cell.dtype), []).append(i)
    for (is_text, dtype), places in alike.items():
        some, held = table.select(places), promotion.numpy_dtype(dtype)
        held = np.dtype(np.float64) if held.kind == "O" else held
        wire = some.text() if is_text else some.held_matrix(held)
        for place, i in enumerate(places):
            cell = table.cells[i]
            witness = pd.Series([_one(dtype, cell.kind)], dtype=dtype, name=cell.name)
            columns[i] = Series(wire, witness, index, cell, place)
    ordered = [columns[i] for i in range(table.width)]
    return Frame(ordered, pd.Index([c.name for c in table.cells]), index)


def _one(dtype: Any, kind: str) -> Any:
    """Return a value of a dtype."""
    categories = getattr(dtype, "categories", None)
    if categories is not None and len(categories):
        return categories[0]
    return "a" if kind == "text" else 1
