"""Which fitted category each value is: what scikit-learn's encoders have in common.

The rules are those of ``sklearn/preprocessing/_encoders.py`` and ``sklearn/utils/_encode.py``:
numbers are compared as numbers after widening (so 0.1 in float32 is not 0.1 in float64, and -0.0
is 0.0), NaN equals NaN, text is compared as it is, and an infinity is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.spec import MISSING_TEXT
from sclbl.strippers.build import Builder
from sclbl.strippers.columns import Table, Wire

#: float64 holds every integer up to here.
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Codes:
    """What an encoder makes of one column.

    Parameters
    ----------
    values : int64 ``[categories]``
        Number of each fitted category.
    default : int
        Number of an unknown category.
    """

    values: np.ndarray
    default: int


def encode(
    model: Any, x: Table, build: Builder, codes: Sequence[Codes], *, refuse_unknown: bool
) -> Wire:
    """Return int64 ``[rows, columns]``: the number of each value's category.

    Parameters
    ----------
    model : OneHotEncoder or OrdinalEncoder
        The fitted encoder; its ``categories_`` are the keys.
    x : Table
        What it takes, numbers and text side by side.
    build : Builder
        Where to write.
    codes : sequence of Codes
        By column.
    refuse_unknown : bool
        Whether the program refuses an unknown category; numbers are then all >= 0 but for it.

    Raises
    ------
    UnsupportedModelError
        Where a column of the example and its categories are of different sorts, or a category has
        no exact equivalent.
    """
    numeric = [i for i, cell in enumerate(x.cells) if cell.kind != "text"]
    # Widening to float64 is exact, so one comparison serves float32 and float64 categories alike.
    numbers = None
    if numeric:
        numbers = build.refuse(x.select(numeric).matrix("float64"), nan=False, inf=True)
    columns = []
    for i, (cell, categories, code) in enumerate(
        zip(x.cells, model.categories_, codes, strict=True)
    ):
        label = f"column {cell.name if cell.name is not None else i!r} of {type(model).__name__}"
        if cell.kind == "text" or numbers is None:
            keys: list[Any] = text_keys(categories, label)
            wire = x.column(i)
        else:
            keys = number_keys(categories, label)
            wire = build.columns(numbers, [numeric.index(i)])
        columns.append(build.lookup(wire, keys, code.default, code.values))
    wires = build.concat(columns)
    return build.refuse_unknown(wires) if refuse_unknown else wires


def is_nan(value: object) -> bool:
    """Return whether a category is NaN."""
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def text_keys(categories: np.ndarray, label: str) -> list[str]:
    """Return categories as text, missing ones as `MISSING_TEXT`."""
    items = np.asarray(categories).tolist()
    missing = [v for v in items if v is None or is_nan(v)]
    if len(missing) > 1:
        raise UnsupportedModelError(
            f"{label} holds None and NaN as separate categories, and a program knows one missing "
            "value; replace one by the other and fit again"
        )
    keys = [MISSING_TEXT if v is None or is_nan(v) else v for v in items]
    for key, item in zip(keys, items, strict=True):
        if not isinstance(key, str):
            raise UnsupportedModelError(
                f"{label} was fitted on categories such as {item!r}, and holds text in "
                "example_input; give an example_input with the dtypes that the model was fitted on"
            )
        if item == MISSING_TEXT:
            raise UnsupportedModelError(
                f"{label} has the category U+10FFFF, which stands for missing text; replace it"
            )
    return keys


def number_keys(categories: np.ndarray, label: str) -> list[float]:
    """Return categories as float64 numbers, missing ones as NaN."""
    items = np.asarray(categories).tolist()
    if sum(v is None or is_nan(v) for v in items) > 1:
        raise UnsupportedModelError(
            f"{label} holds None and NaN as separate categories, and a program knows one missing "
            "value; replace one by the other and fit again"
        )
    keys = []
    for item in items:
        if item is not None and not isinstance(item, (int, float)):
            raise UnsupportedModelError(
                f"{label} was fitted on categories such as {item!r}, and holds numbers in "
                "example_input; give an example_input with the dtypes that the model was fitted on"
            )
        if isinstance(item, int) and abs(item) > _EXACT:
            raise UnsupportedModelError(
                f"{label} has the category {item}, beyond 2**53, which float64 does not hold "
                "exactly; encode such numbers as text"
            )
        keys.append(np.nan if item is None else float(item))
    return keys


def groups(model: Any, column: int) -> np.ndarray:
    """Return int64 ``[categories]``: each category's number after infrequent ones are grouped.

    The group of the infrequent ones comes last. A missing category that the grouping leaves out
    (OrdinalEncoder's) keeps its position.
    """
    plain = np.arange(len(model.categories_[column]), dtype=np.int64)
    if not getattr(model, "_infrequent_enabled", False):
        return plain
    mapping = model._default_to_infrequent_mappings[column]
    if mapping is not None:
        plain[: len(mapping)] = mapping
    return plain


def infrequent_group(model: Any, column: int) -> int | None:
    """Return the number of the group of infrequent categories; None where there is none."""
    if not getattr(model, "_infrequent_enabled", False):
        return None
    indices = model._infrequent_indices[column]
    return None if indices is None else int(groups(model, column)[indices[0]])


def check_dtype(model: Any) -> np.dtype[Any]:
    """Return the dtype that an encoder returns.

    Raises
    ------
    UnsupportedModelError
        Where it is not float32, float64, an integer or bool.
    """
    dtype: np.dtype[Any] = np.dtype(model.dtype)
    if dtype.kind in "iub" or dtype in (np.float32, np.float64):
        return dtype
    raise UnsupportedModelError(
        f"{type(model).__name__}(dtype={dtype}) is not supported; "
        "use float64, float32, an integer type or bool"
    )
