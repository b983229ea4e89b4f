"""Each column's own missing value, and which missing objects its numbers may be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sclbl.errors import UnsupportedModelError
from sclbl.missing import NAMES
from sclbl.signature import MISSING, TAKES, Column, Missing


def marked(
    column: Column, learned: Collection[Missing], taken: Collection[Missing] | None, label: str
) -> Column:
    """Return a column with what its model says of missing values.

    Parameters
    ----------
    column : Column
        As the example shows it.
    learned : collection of {"none", "nan", "na"}
        The missing values that the model learned for the column.
    taken : collection of {"none", "nan", "na"} or None
        The missing objects that are one value to everything in the model that looks at them; None
        where nothing that tells objects apart does.
    label : str
        The column, for messages.

    Raises
    ------
    UnsupportedModelError
        Where the model tells two missing values of a column of numbers apart.
    """
    marker = column.missing
    if learned:
        marker = next(iter(learned)) if len(learned) == 1 else "none"
    if column.kind == "text":
        return replace(column, missing=marker)
    takes = set(TAKES if taken is None else taken)
    if not takes or len(learned) > 1:
        found = " and ".join(NAMES[k] for k in MISSING if k in learned)
        raise UnsupportedModelError(
            f"the model tells {found or 'missing values'} apart in column {label!r}, which holds "
            "numbers, and a program knows one missing number; replace one by the other and fit "
            "the model again, or fit it on the column as text"
        )
    if column.takes == MISSING:
        takes.add("na")  # the column's dtype has no other missing value
    if marker not in takes:
        marker = next(k for k in ("nan", "none", "na") if k in takes)
    return replace(column, missing=marker, takes=tuple(k for k in MISSING if k in takes))
