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
    shown = [f"{100 * share:.1f} %" for share in (right / count, low, high)]
    return f"{shown[0]} (95 % interval {shown[1]} to {shown[2]})"
