"""`sklearn.impute`: SimpleImputer and MissingIndicator.

The computation::

    missing = is_nan(x)                      # or x == missing_values: see `missing`
    out     = where(missing, statistics, x)  # without the columns that were missing throughout
    out     = [out, missing[:, indicators]]  # with add_indicator
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.missing import is_missing, kind_of
from sclbl.signature import Kind
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import promotion
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Cell, Float, Table, Wire
from sclbl.strippers.inferred import makes_pandas, require_steady
from sclbl.strippers.promotion import NATURAL
from sclbl.strippers.sklearn import missing


class MarksMissing(Stripper):
    """What tells which values are missing."""

    tells_missing = True

    def check(self, model: Any) -> None:
        missing.check_marker(model)


class SimpleImputer(MarksMissing):
    """``sklearn.impute.SimpleImputer``."""

    @method
    def transform(self, model: Any, x: Table) -> Table:
        out, masks = (_objects if model._fit_dtype.kind == "O" else _numbers)(model, x)
        if model.add_indicator:
            out = out.join(_indicators(model, out, masks))
        return replace(out, sparse="csc" if x.sparse else None)


def _kept(model: Any) -> list[int]:
    """Return the columns that had a value when the model was fitted."""
    if model.keep_empty_features:
        return list(range(len(model.statistics_)))
    # None and pandas.NA are statistics like any other: only NaN marks an empty column.
    return [i for i, s in enumerate(model.statistics_.tolist()) if kind_of(s) != "nan"]


def _numbers(model: Any, x: Table) -> tuple[Table, list[Wire]]:
    """Impute an array of numbers."""
    build = x.builder
    # These two strategies take integers, and rows of objects, as they are.
    objects = model.strategy in ("most_frequent", "constant")
    dtype = x.checked_dtype(to_float=not objects)
    if dtype == np.float32:
        build.pin(x.cells)
    storage: Float = "float32" if dtype == np.float32 else "float64"
    wire, found = missing.mask_numbers(
        model.missing_values, x, storage=storage, objects=objects, model=model
    )
    kept = _kept(model)
    # scikit-learn brings the statistics to the dtype it was fitted on, then to that of X.
    fitted = model.statistics_[kept].astype(model._fill_dtype)
    fill = fitted.astype(dtype)
    if dtype.kind in "iu" and not np.array_equal(fill, fitted):
        build.pin(x.cells, wide=True)
    masks = [found[:, [i]] for i in range(x.width)]
    if not kept:
        return Table(build, ()), masks
    out = build.where(found[:, kept], fill, wire[:, kept])
    return build.wire_table(out, kind=promotion.kind_of(dtype), dtype=dtype), masks


def _objects(model: Any, x: Table) -> tuple[Table, list[Wire]]:
    """Impute an array of objects: each column for itself, as text or as numbers."""
    cells: list[Cell] = []
    masks: list[Wire] = []
    kept = frozenset(_kept(model))
    marker = kind_of(model.missing_values)
    for i, cell in enumerate(x.cells):
        if marker != "na":
            require_steady(model, cell, f"column {cell.name if cell.name is not None else i!r}")
        wire, found = missing.mask_objects(model.missing_values, cell)
        masks.append(found)
        if i not in kept:
            continue
        label = repr(cell.name) if cell.name is not None else str(i)
        wire = x.builder.where(found, _fill(model, i, cell.kind, label), wire)
        kind: Kind = "float64" if cell.kind == "float32" else cell.kind
        left = marker not in ("none", "na") or is_missing(model.statistics_[i])
        inferred = kind == "text" and left and makes_pandas(model)
        cells.append(Cell(wire, 0, cell.name, kind, np.dtype(object), inferred=inferred))
    return Table(x.builder, tuple(cells)), masks


def _fill(model: Any, column: int, kind: Kind, label: str) -> np.ndarray:
    """Return what fills one column of objects, as a row of one."""
    value = model.statistics_[column]
    if kind == "text":
        marker = kind_of(value)
        if marker is not None:
            return np.full(1, MISSING_TEXTS[marker], dtype=object)
        if isinstance(value, str):
            return np.full(1, str(value), dtype=object)
    elif not isinstance(value, str):
        return np.full(1, np.nan if is_missing(value) else float(value))
    has, gets = ("text", "a number") if kind == "text" else ("numbers", "text")
    raise UnsupportedModelError(
        f"SimpleImputer fills column {label}, which holds {has}, with {gets} ({value!r}), and a "
        "column of a program holds one of them; impute text and numbers in separate steps of a "
        "ColumnTransformer"
    )


def _indicators(model: Any, out: Table, masks: list[Wire]) -> Table:
    """Return the columns that say where a value was missing."""
    kinds = {cell.kind for cell in out.cells}
    # Stacked beside numbers, scikit-learn's booleans take the numbers' dtype.
    kind: Kind = "boolean"
    if kinds and "text" not in kinds and model._fit_dtype.kind != "O":
        kind = next(iter(kinds))
    held = NATURAL["boolean"] if kind == "boolean" else out.cells[0].dtype
    dtype: Float = "float32" if kind == "float32" else "float64"
    cast = out.builder.cast
    features = model.indicator_.features_.tolist()
    cells = (Cell(cast(masks[f], dtype), 0, None, kind, held) for f in features)
    return Table(out.builder, tuple(cells))


class MissingIndicator(MarksMissing):
    """``sklearn.impute.MissingIndicator``."""

    @method
    def transform(self, model: Any, x: Table) -> Wire | Table:
        build = x.builder
        features = model.features_.tolist()
        masks = _masks(model, x)
        others = [masks[i] for i in range(x.width) if i not in features]
        if model.features == "missing-only" and model.error_on_new and others:
            # The program refuses a row where one of these values is missing.
            found = build.concat(others)
            marked = build.where(found, np.full(1, np.nan), build.cast(found, "float64"))
            build.refuse(marked, nan=True, inf=False)
        if not features:
            return Table(build, ())
        table = build.concat([masks[i] for i in features])
        return replace(build.cast(table, "float64"), held=np.dtype(bool))


def _masks(model: Any, x: Table) -> list[Wire]:
    """Return, for each column, where it is missing."""
    marker = model.missing_values
    objects = any(c.shown is not None and c.dtype == np.dtype(object) for c in x.cells)
    if x.has_text or objects:
        return [missing.mask_objects(marker, c, indicator=True)[1] for c in x.cells]
    _, found = missing.mask_numbers(marker, x, objects=True, indicator=True, model=model)
    return [found[:, [i]] for i in range(x.width)]


CLASSES = {"MissingIndicator": MissingIndicator(), "SimpleImputer": SimpleImputer()}
