"""The interval of a share that was counted."""

from __future__ import annotations

import math

#: Of the normal distribution, 95 % lies within so many standard deviations.
Z = 1.959963984540054


def wilson(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of Wilson for `right` out of `count`."""
    share, square = right / count, Z * Z / count
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return middle - half, middle + half


def in_words(right: int, count: int) -> str:
    """Return a share and its interval as a page says it."""
    low, high = wilson(right, count)
    return f"{right / count:.1%} (95% interval {low:.1%} to {high:.1%})"
