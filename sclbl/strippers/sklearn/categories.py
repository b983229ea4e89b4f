"""Which fitted category each value is: what scikit-learn's encoders have in common.

The rules are those of ``sklearn/preprocessing/_encoders.py`` and ``sklearn/utils/_encode.py``:
numbers are compared as numbers after widening (so 0.1 in float32 is not 0.1 in float64, and -0.0
is 0.0), NaN equals NaN, text is compared as it is, None, NaN and pandas.NA are three categories,
and an infinity is refused, except among objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.missing import NAMES, kind_of, of_text
from sclbl.signature import Missing
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers.base import Stripper
from sclbl.strippers.columns import Cell, Table, Wire
from sclbl.strippers.inferred import require_steady

#: float64 holds every integer up to here.
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Codes:
    """What an encoder makes of one column: a number for each category, and for an unknown one."""

    values: np.ndarray
    default: int


class Encoder(Stripper):
    """What the strippers of encoders share."""

    tells_missing = True

    def check(self, model: Any) -> None:
        dtype = np.dtype(model.dtype)
        if dtype.kind not in "iub" and dtype not in (np.float32, np.float64):
            raise UnsupportedModelError(
                f"{type(model).__name__}(dtype={dtype}) is not supported; "
                "use float64, float32, an integer type or bool"
            )


def held_as(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Return numbers as the source holds them, in `dtype`."""
    return replace(x.builder.cast(x, "float32" if dtype == np.float32 else "float64"), held=dtype)


def encode(model: Any, x: Table, codes: Sequence[Codes], *, refuse_unknown: bool) -> Wire:
    """Return int64 ``[rows, columns]``: the number of each value's category.

    `codes` are by column; with `refuse_unknown` they are all >= 0 but for an unknown category.
    """
    build = x.builder
    numeric = [i for i, cell in enumerate(x.cells) if cell.kind != "text"]
    # Widening to float64 is exact, so one comparison serves float32 and float64 categories alike.
    numbers = x.select(numeric).matrix("float64") if numeric else None
    columns = []
    for i, (cell, categories, code) in enumerate(
        zip(x.cells, model.categories_, codes, strict=True)
    ):
        label = f"column {cell.name if cell.name is not None else i!r} of {type(model).__name__}"
        learned = {kind for c in np.asarray(categories).tolist() if (kind := kind_of(c))}
        if learned:
            require_steady(model, cell, label)
        for kind in learned:
            build.learn(cell, kind)
        if cell.kind == "text" or numbers is None:
            keys: list[Any] = text_keys(categories, label)
            values, wire = code.values, x.column(i)
        else:
            keys, known = number_keys(categories, label, cell)
            values, wire = code.values[known], build.columns(numbers, [numeric.index(i)])
            # Among objects scikit-learn does not look for infinities.
            objects = isinstance(cell.dtype, np.dtype) and cell.dtype.kind == "O"
            wire = build.refuse(wire, nan=False, inf=not objects)
            if learned:  # else all missing values are unknown alike
                build.take(cell, learned)
        columns.append(build.lookup(wire, keys, code.default, values))
    wires = build.concat(columns)
    return build.refuse_unknown(wires) if refuse_unknown else wires


def text_keys(categories: np.ndarray, label: str) -> list[str]:
    """Return categories as text, missing ones as `MISSING_TEXTS`."""
    items = np.asarray(categories).tolist()
    keys = [MISSING_TEXTS[kind] if (kind := kind_of(v)) else v for v in items]
    for key, item in zip(keys, items, strict=True):
        if not isinstance(key, str):
            raise UnsupportedModelError(
                f"{label} was fitted on categories such as {item!r}, and holds text in "
                "example_input; give an example_input with the dtypes that the model was fitted on"
            )
        if of_text(item):
            raise UnsupportedModelError(
                f"{label} has the category U+{ord(item):X}, which stands for missing text; "
                "replace it"
            )
    return keys


def number_keys(categories: np.ndarray, label: str, cell: Cell) -> tuple[list[float], list[int]]:
    """Return categories as float64 numbers, missing ones as NaN, and the position of each.

    Of a column that something has changed NaN alone is missing, so None is a category that no value
    has, and is left out.
    """
    items = np.asarray(categories).tolist()
    kinds = [kind_of(v) for v in items]
    missing: list[Missing] = [k for k in kinds if k is not None]
    if len(missing) > 1:
        raise UnsupportedModelError(
            f"{label} holds {' and '.join(NAMES[k] for k in missing)} as separate categories, and "
            "a program knows one missing number; replace one by the other and fit again, or fit "
            "it on the column as text"
        )
    keys, known = [], []
    for position, (item, kind) in enumerate(zip(items, kinds, strict=True)):
        if kind is not None:
            if cell.shown is not None or kind == "nan":
                keys.append(np.nan)
                known.append(position)
            continue
        if not isinstance(item, (int, float)):
            raise UnsupportedModelError(
                f"{label} was fitted on categories such as {item!r}, and holds numbers in "
                "example_input; give an example_input with the dtypes that the model was fitted on"
            )
        if isinstance(item, int) and abs(item) > _EXACT:
            raise UnsupportedModelError(
                f"{label} has the category {item}, beyond 2**53, which float64 does not hold "
                "exactly; encode such numbers as text"
            )
        keys.append(float(item))
        known.append(position)
    return keys, known


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
