"""Which values of a column pandas finds in a list, and what it finds for them in a dict.

It looks them up in a type of both, so that the number 0.1 is in no column of float32: of each
number that a column may hold pandas itself is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd


def members(values: Iterable[Any], dtype: np.dtype[Any]) -> list[Any]:
    """Return the numbers of a dtype that ``isin(values)`` finds."""
    listed = list(values)
    found = pd.Series(_candidates(listed, dtype), dtype=dtype)
    return list(found[found.isin(listed)].to_numpy())


def entries(table: Mapping[Any, Any], dtype: np.dtype[Any]) -> dict[Any, float]:
    """Return what ``map(table)`` gives for the numbers of a dtype that it finds."""
    found = pd.Series(_candidates(list(table), dtype), dtype=dtype)
    made = found.map(dict(table))
    return {
        float(key): float(number)
        for key, number in zip(found.to_numpy(), made.to_list(), strict=True)
        if not pd.isna(number)
    }


def _candidates(values: list[Any], dtype: np.dtype[Any]) -> np.ndarray:
    """Return the only numbers of a dtype that can be equal to one of some values."""
    if dtype.kind == "b":
        return np.array([False, True])
    with np.errstate(all="ignore"):
        return np.unique(np.asarray(values).astype(dtype))
