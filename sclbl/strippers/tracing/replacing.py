"""Numbers in place of others: ``replace`` of stand-ins of columns and DataFrames."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.conversions import hold
from sclbl.strippers.tracing.operators import NOT_GIVEN


def replaced(column: Any, to_replace: Any, value: Any = NOT_GIVEN) -> Any:
    """Put numbers in place of others, all at once."""
    if isinstance(to_replace, dict) and value is NOT_GIVEN:
        pairs = list(to_replace.items())
    else:
        keys = to_replace if isinstance(to_replace, (list, tuple)) else [to_replace]
        values = value if isinstance(value, (list, tuple)) else [value] * len(keys)
        pairs = list(zip(keys, values, strict=True))
    numbers = (int, float, np.integer, np.floating)
    if not pairs or not all(
        isinstance(x, numbers) and not isinstance(x, bool) for pair in pairs for x in pair
    ):
        raise UnsupportedModelError(
            "replace is written for numbers in place of numbers; use map with a dict, or where"
        )
    found, filled = column.copy(), any(key != key for key, _ in pairs)
    if filled and column._is_text:
        raise UnsupportedModelError("what is missing in text becomes numbers; use fillna first")
    if filled and column._base.numbers.kind == "b":
        hold(column._wire, wide=True)  # rows that lack a truth are another dtype to pandas
    if not column._is_text and column._base.numbers.kind != "b":  # which hold no such numbers
        for key, made in pairs:
            found = found.mask(column.isna() if key != key else column == key, made)
    return found


def by_columns(frame: Any, to_replace: Any, value: Any = NOT_GIVEN) -> Any:
    """Put numbers in place of others in each column, or in those that a dict names."""
    if not isinstance(to_replace, dict):
        return frame._by_column(lambda c: c.replace(to_replace, value))
    if value is not NOT_GIVEN:
        raise UnsupportedModelError(
            "DataFrame.replace with a dict and a value; use df[...] = df[...].replace(...)"
        )
    if not any(isinstance(v, dict) for v in to_replace.values()):
        return frame._by_column(lambda c: c.replace(to_replace))
    made = frame.copy()
    for name in to_replace:
        if name in made:
            made[name] = made[name].replace(to_replace[name])
    return made
