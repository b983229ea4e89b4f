"""Which values count as missing: what scikit-learn's imputers and indicators have in common.

The rules are those of ``sklearn/impute/_base.py``, ``sklearn/utils/_mask.py`` and ``check_array``.
Of an array of objects (X here stands for one) they are:

| missing_values | None | NaN | pandas.NA |
|---|---|---|---|
| NaN: ``X != X`` | passes | is missing | TypeError |
| None: ``X == None`` | is missing | ValueError | TypeError |
| pandas.NA: ``pandas.isna(X)`` | is missing | is missing | is missing |
| another value | passes | ValueError | TypeError |

MissingIndicator refuses NaN and pandas.NA for pandas.NA too. An array of numbers has NaN alone.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.missing import kind_of
from sclbl.signature import MISSING, TAKES, Missing
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers.columns import Cell, Float, Table, Wire


def mask_objects(marker: Any, cell: Cell, *, indicator: bool = False) -> tuple[Wire, Wire]:
    """Return one column of an array of objects, checked, and (bool) where it is missing.

    Parameters
    ----------
    marker : object
        ``missing_values``.
    cell : Cell
        The column: text, or numbers.
    indicator : bool
        Whether a MissingIndicator looks, rather than an imputer.
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


def mask_numbers(
    marker: Any,
    x: Table,
    *,
    objects: bool,
    storage: Float | None = None,
    indicator: bool = False,
    model: Any,
) -> tuple[Wire, Wire]:
    """Return an array of numbers, checked, and (bool) which of them are missing.

    Parameters
    ----------
    marker : object
        ``missing_values``.
    x : Table
        The columns.
    objects : bool
        Whether rows of objects stay objects, so that None in them is not NaN.
    storage : {"float32", "float64"}, optional
        What the array is computed in.
    indicator : bool
        Whether a MissingIndicator looks, rather than an imputer.
    model : object
        For messages.
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


def check_marker(model: Any) -> None:
    """Refuse a ``missing_values`` that no column of a program can hold.

    Raises
    ------
    UnsupportedModelError
        Where it is neither a number, text, nor a missing value.
    """
    marker = model.missing_values
    if not (kind_of(marker) is not None or isinstance(marker, (str, numbers.Real))):
        raise UnsupportedModelError(
            f"{type(model).__name__}(missing_values={marker!r}) is not supported; "
            "use NaN, None, pandas.NA, a number or a text"
        )
