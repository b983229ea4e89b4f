"""`sklearn.impute`: SimpleImputer and MissingIndicator; the other two have files of their own.

The computation::

    missing = is_nan(x)                      # or x == missing_values: see below
    out     = where(missing, statistics, x)  # without the columns that were missing throughout
    out     = [out, missing[:, indicators]]  # with add_indicator
"""

from __future__ import annotations

import numbers
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.missing import is_missing, kind_of
from sclbl.signature import MISSING, TAKES, Kind, Missing
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import promotion
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Cell, Float, Table, Wire
from sclbl.strippers.inferred import makes_pandas, require_steady
from sclbl.strippers.promotion import NATURAL
from sclbl.strippers.sklearn.impute_iterative import IterativeImputer
from sclbl.strippers.sklearn.impute_nearest import KNNImputer


class MarksMissing(Stripper):
    """What tells which values are missing."""

    tells_missing = True

    def check(self, model: Any) -> None:
        _check_marker(model)


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
    wire, found = _mask_numbers(
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
        wire, found = _mask_objects(model.missing_values, cell)
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
        return [_mask_objects(marker, c, indicator=True)[1] for c in x.cells]
    _, found = _mask_numbers(marker, x, objects=True, indicator=True, model=model)
    return [found[:, [i]] for i in range(x.width)]


# Which values count as missing follows ``sklearn/impute/_base.py``, ``sklearn/utils/_mask.py`` and
# ``check_array``. Of an array of objects (X here stands for one) the rules are:
#
# | missing_values | None | NaN | pandas.NA |
# |---|---|---|---|
# | NaN: ``X != X`` | passes | is missing | TypeError |
# | None: ``X == None`` | is missing | ValueError | TypeError |
# | pandas.NA: ``pandas.isna(X)`` | is missing | is missing | is missing |
# | another value | passes | ValueError | TypeError |
#
# MissingIndicator refuses NaN and pandas.NA for pandas.NA too. An array of numbers has NaN alone.


def _mask_objects(marker: Any, cell: Cell, *, indicator: bool = False) -> tuple[Wire, Wire]:
    """Return one column of an array of objects, checked, and (bool) where it is missing.

    `marker` is ``missing_values``, for a MissingIndicator or an imputer.
    """
    build = cell.wire.builder
    column = Table(build, (cell,)).column(0)
    kind = kind_of(marker)
    if kind is not None:
        build.learn(cell, kind)
    if cell.kind == "text":
        return _mask_texts(marker, kind, column, indicator)
    # Objects become float64 when a later step makes numbers of them.
    column = build.cast(column, "float64")
    own = _own_number(kind, cell, indicator)
    refused = own in _refused(kind, indicator)
    column = build.refuse(column, nan=refused, inf=False)
    if kind is None and isinstance(marker, numbers.Real):
        return column, build.binary("Equal", column, float(marker))
    # Where NaN is another missing value than the marker it was refused, and none is left to find.
    return column, build.is_nan(column)


def _own_number(kind: Missing | None, cell: Cell, indicator: bool) -> Missing:
    """Return which missing object NaN in a column of numbers stands for, and say so."""
    build = cell.wire.builder
    if cell.shown is None:
        return "nan"
    if kind == "na" and not indicator:
        build.take(cell, MISSING)
        return "na"
    own: Missing = "none" if kind == "na" else kind or "nan"
    if cell.shown == "na":
        own = "na"  # a nullable column, which among objects holds pandas.NA
    build.take(cell, (own,))
    return own


def _refused(kind: Missing | None, indicator: bool) -> frozenset[Missing]:
    """Return which missing objects `check_array` and the comparison refuse."""
    if kind == "nan":
        return frozenset({"na"})
    if kind == "na" and not indicator:
        return frozenset()
    return frozenset({"nan", "na"})


def _mask_texts(
    marker: Any, kind: Missing | None, column: Wire, indicator: bool
) -> tuple[Wire, Wire]:
    build = column.builder
    column = build.refuse_missing_text(column, _refused(kind, indicator))

    def equal(text: str) -> Wire:
        return build.binary("Equal", column, np.full(1, text, dtype=object))

    if kind == "na":
        found = equal(MISSING_TEXTS["none"])
        for other in ("nan", "na"):
            found = build.binary("Or", found, equal(MISSING_TEXTS[other]))
        return column, found
    if kind is not None:
        return column, equal(MISSING_TEXTS[kind])
    # No text equals a number; nor, being refused, NaN.
    return column, equal(marker if isinstance(marker, str) else MISSING_TEXTS["nan"])


def _mask_numbers(
    marker: Any,
    x: Table,
    *,
    objects: bool,
    storage: Float | None = None,
    indicator: bool = False,
    model: Any,
) -> tuple[Wire, Wire]:
    """Return an array of numbers, checked, and (bool) which of them are missing.

    With `objects`, rows of objects stay objects, so that None in them is not NaN; `storage` is what
    the array is computed in.
    """
    build, kind = x.builder, kind_of(marker)
    allowed = kind == "nan" or (kind == "na" and not indicator)
    for cell in x.cells:
        if kind is not None and allowed:
            build.learn(cell, kind)
        build.take(cell, _takes(kind if allowed else None, objects))
    wire = build.refuse(x.matrix(storage, model=model), nan=not allowed, inf=True)
    if kind is not None or not isinstance(marker, numbers.Real):
        return wire, build.is_nan(wire)
    if wire.dtype == "float32" and isinstance(marker, np.float64):
        # NumPy widens for a float64 scalar, and narrows a Python number.
        return wire, build.binary("Equal", build.cast(wire, "float64"), marker)
    return wire, build.binary("Equal", wire, float(marker))


def _takes(kind: Missing | None, objects: bool) -> tuple[Missing, ...]:
    if not objects:
        return TAKES
    return MISSING if kind == "na" else ("nan",)


def _check_marker(model: Any) -> None:
    """Refuse a ``missing_values`` that no column of a program can hold."""
    marker = model.missing_values
    if not (kind_of(marker) is not None or isinstance(marker, (str, numbers.Real))):
        raise UnsupportedModelError(
            f"{type(model).__name__}(missing_values={marker!r}) is not supported; "
            "use NaN, None, pandas.NA, a number or a text"
        )


CLASSES = {
    "IterativeImputer": IterativeImputer(),
    "KNNImputer": KNNImputer(),
    "MissingIndicator": MissingIndicator(),
    "SimpleImputer": SimpleImputer(),
}
