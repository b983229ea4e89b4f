"""How many elements a shape has, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: Most axes of a row: NumPy has 64, rows and what operators add in between included.
MAX_AXES = 32
#: No axis is longer. What is multiplied is small, so it takes no time.
MAX_AXIS = 2**63


def elements(shape: Sequence[int]) -> int:
    """Return the product of a shape.

    Raises
    ------
    ValueError
        It has more than `MAX_AXES` axes, or one beyond reason. The product of a million large
        numbers, which is a file of some megabytes, would take hours.
    """
    if len(shape) > MAX_AXES:
        raise ValueError(f"a shape of {len(shape):,} axes; at most {MAX_AXES} are taken")
    if any(abs(axis) > MAX_AXIS for axis in shape):
        raise ValueError("a shape with an axis that no memory holds")
    return math.prod(shape)
