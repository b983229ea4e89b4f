"""SimpleImputer and MissingIndicator.

The computation::

    missing = is_nan(x)                      # or x == missing_values: see `sklearn_missing`
    out     = where(missing, statistics, x)  # without the columns that were missing throughout
    out     = [out, missing[:, indicators]]  # with add_indicator
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.missing import is_missing, kind_of
from sclbl.signature import Kind
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import promotion
from sclbl.strippers import sklearn_missing as missing
from sclbl.strippers.columns import Cell, Float, Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.inferred import makes_pandas, require_steady
from sclbl.strippers.promotion import NATURAL


class ImputerStripper:
    """``sklearn.impute.SimpleImputer``."""

    tells_missing = True

    def methods(self, model: Any) -> tuple[str, ...]:
        missing.check_marker(model)
        return ("transform",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        impute = _objects if model._fit_dtype.kind == "O" else _numbers
        out, masks = impute(model, x, build)
        if model.add_indicator:
            out = out.join(_indicators(model, out, masks, build))
        return {"transform": replace(out, sparse="csc" if x.sparse else None)}


def _kept(model: Any) -> list[int]:
    """Return the columns that had a value when the model was fitted."""
    if model.keep_empty_features:
        return list(range(len(model.statistics_)))
    return [
        i
        for i, s in enumerate(model.statistics_.tolist())
        # None and pandas.NA are statistics like any other: only NaN marks an empty column.
        if not (isinstance(s, (float, np.floating)) and np.isnan(s))
    ]


def _numbers(model: Any, x: Table, build: Builder) -> tuple[Table, list[Wire]]:
    """Impute an array of numbers."""
    # These two strategies take integers, and rows of objects, as they are.
    objects = model.strategy in ("most_frequent", "constant")
    dtype = x.checked_dtype(to_float=not objects)
    if dtype == np.float32:
        build.pin(x.cells)
    storage: Float = "float32" if dtype == np.float32 else "float64"
    wire, found = missing.mask_numbers(
        model.missing_values, x, build, storage=storage, objects=objects, model=model
    )
    kept = _kept(model)
    # scikit-learn brings the statistics to the dtype it was fitted on, then to that of X.
    fitted = model.statistics_[kept].astype(model._fill_dtype)
    fill = fitted.astype(dtype)
    if dtype.kind in "iu" and not np.array_equal(fill, fitted):
        build.pin(x.cells, wide=True)
    masks = [build.columns(found, [i]) for i in range(x.width)]
    if not kept:
        return Table(build, ()), masks
    out = build.where(build.columns(found, kept), fill, build.columns(wire, kept))
    return build.wire_table(out, kind=promotion.kind_of(dtype), dtype=dtype), masks


def _objects(model: Any, x: Table, build: Builder) -> tuple[Table, list[Wire]]:
    """Impute an array of objects: each column for itself, as text or as numbers."""
    cells: list[Cell] = []
    masks: list[Wire] = []
    kept = frozenset(_kept(model))
    for i, cell in enumerate(x.cells):
        if kind_of(model.missing_values) != "na":
            require_steady(model, cell, f"column {cell.name if cell.name is not None else i!r}")
        wire, found = missing.mask_objects(model.missing_values, cell, build)
        masks.append(found)
        if i not in kept:
            continue
        label = repr(cell.name) if cell.name is not None else str(i)
        wire = build.where(found, _fill(model, i, cell.kind, label), wire)
        kind: Kind = "float64" if cell.kind == "float32" else cell.kind
        left = kind_of(model.missing_values) not in ("none", "na") or is_missing(
            model.statistics_[i]
        )
        inferred = kind == "text" and left and makes_pandas(model)
        cells.append(Cell(wire, 0, cell.name, kind, np.dtype(object), inferred=inferred))
    return Table(build, tuple(cells)), masks


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


def _indicators(model: Any, out: Table, masks: list[Wire], build: Builder) -> Table:
    """Return the columns that say where a value was missing."""
    kinds = {cell.kind for cell in out.cells}
    # Stacked beside numbers, scikit-learn's booleans take the numbers' dtype.
    kind: Kind = "boolean"
    if kinds and "text" not in kinds and model._fit_dtype.kind != "O":
        kind = next(iter(kinds))
    held = NATURAL["boolean"] if kind == "boolean" else out.cells[0].dtype
    dtype: Float = "float32" if kind == "float32" else "float64"
    return Table(
        build,
        tuple(
            Cell(build.cast(masks[feature], dtype), 0, None, kind, held)
            for feature in model.indicator_.features_.tolist()
        ),
    )


class IndicatorStripper:
    """``sklearn.impute.MissingIndicator``."""

    tells_missing = True

    def methods(self, model: Any) -> tuple[str, ...]:
        missing.check_marker(model)
        return ("transform",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        features = model.features_.tolist()
        masks = _masks(model, x, build)
        others = [masks[i] for i in range(x.width) if i not in features]
        table = [masks[i] for i in features]
        if model.features == "missing-only" and model.error_on_new and others:
            _refuse(others, build)
        if not table:
            return {"transform": Table(build, ())}
        wire = build.cast(build.concat(table), "float64")
        return {"transform": build.wire_table(wire, kind="boolean")}


def _masks(model: Any, x: Table, build: Builder) -> list[Wire]:
    """Return, for each column, where it is missing."""
    marker = model.missing_values
    objects = any(c.shown is not None and c.dtype == np.dtype(object) for c in x.cells)
    if x.has_text or objects:
        checked = [missing.mask_objects(marker, c, build, indicator=True) for c in x.cells]
        return [found for _, found in checked]
    _, found = missing.mask_numbers(marker, x, build, objects=True, indicator=True, model=model)
    return [build.columns(found, [i]) for i in range(x.width)]


def _refuse(found: list[Wire], build: Builder) -> None:
    """Let the program refuse a row where one of the values is missing."""
    masks = build.concat(found)
    marked = build.where(masks, np.full(1, np.nan), build.cast(masks, "float64"))
    build.refuse(marked, nan=True, inf=False)


IMPUTER = ImputerStripper()
INDICATOR = IndicatorStripper()
