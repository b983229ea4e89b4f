"""The short way from JSON rows to a block of numbers.

`sclbl.rows.encode` takes rows of any container and costs twenty microseconds; JSON rows of plain
numbers need a fraction of it. What is not plainly right is left to `encode`, which knows every
rule and says what is wrong.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy as np

from sclbl.rows import OneNull
from sclbl.signature import Signature

#: float64 holds every integer below this.
EXACT = 2**53
_PLAIN = frozenset((float, int, bool, type(None)))


class Dense:
    """Turns rows of numbers into the numeric block of one signature."""

    __slots__ = ("_dtype", "_pick", "_usable", "_width")

    def __init__(self, signature: Signature) -> None:
        self._width = len(signature.columns)
        self._usable = not signature.text and self._width > 0
        self._usable = self._usable and signature.is_uniform and signature.takes_nan
        self._dtype = np.dtype(signature.numeric_dtype)
        self._pick: itemgetter[Any] | None = None
        # With one name, itemgetter would not return a tuple.
        if signature.layout == "table" and self._width > 1:
            self._pick = itemgetter(*(c.name for c in signature.columns))

    def __call__(self, rows: Any) -> Any:
        """Return rows as an array ``[rows, columns]`` in the signature's dtype.

        Rows that are not lists or objects of plain numbers, all complete, come back as they were,
        in a `OneNull`: of a text's one null each column makes its own missing value.
        """
        if not self._usable or type(rows) is not list or not rows:
            return OneNull(rows)
        values = self._values(rows)
        if values is None:
            return OneNull(rows)
        types = set(map(type, values))
        if not types <= _PLAIN:
            return OneNull(rows)
        try:
            block = np.array(values, dtype=np.float64)
        except OverflowError:
            return OneNull(rows)
        if int in types and (np.abs(block) >= EXACT).any():
            return OneNull(rows)
        if self._dtype != block.dtype:
            with np.errstate(over="ignore"):
                block = block.astype(self._dtype)
            if np.isinf(block).any():
                return OneNull(rows)
        return block.reshape(len(rows), self._width)

    def _values(self, rows: list[Any]) -> Any:
        kind = type(rows[0])
        if kind is dict and self._pick is not None:
            try:
                if len(rows) == 1:
                    return self._pick(rows[0])
                if all(type(row) is dict for row in rows):
                    return [value for row in map(self._pick, rows) for value in row]
            except KeyError:
                return None
        elif kind is list:
            if len(rows) == 1:
                return rows[0] if len(rows[0]) == self._width else None
            if all(type(row) is list and len(row) == self._width for row in rows):
                return [value for row in rows for value in row]
        return None
