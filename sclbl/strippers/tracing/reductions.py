"""What pandas makes of the columns of a row: sums, means and extremes without what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np


def added(values: Any, skipna: bool) -> tuple[Any, Any]:
    """Return the sums of columns, from the first one on, and of how many numbers they are."""
    total, count = None, None
    for i in range(values.shape[1]):
        one, there = values[:, i], ~np.isnan(values[:, i])
        if skipna:
            one = np.where(there, one, 0.0)
        total = one if total is None else total + one
        count = there.astype(np.float64) if count is None else count + there
    return total, count


def variance(values: Any, skipna: bool, ddof: int) -> Any:
    """Return the variance of each row: NaN where it has no more numbers than `ddof`."""
    total, count = added(values, skipna)
    count = np.where(count > ddof, count, np.nan)
    mean, squares = total / count, None
    for i in range(values.shape[1]):
        one = np.square(mean - values[:, i])
        if skipna:
            one = np.where(np.isnan(values[:, i]), 0.0, one)
        squares = one if squares is None else squares + one
    return squares / (count - ddof)


def extreme(function: Any, values: Any, skipna: bool) -> Any:
    """Return the largest or smallest number of each row."""
    found = values[:, 0]
    for i in range(1, values.shape[1]):
        one = values[:, i]
        both = function(found, one)
        if skipna:
            both = np.where(np.isnan(found), one, np.where(np.isnan(one), found, both))
        found = both
    return found
