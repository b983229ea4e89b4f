"""One row of plain values, text among them, as blocks: what most calls of such programs hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sclbl.rows.blocks import Blocks, TextColumn
from sclbl.rows.numbers import EXACT, NumericColumns
from sclbl.signature import Signature

Record = Callable[[Sequence[Any]], Blocks | None]
_NUMBERS = frozenset((float, int))
_BOOLEANS = frozenset((bool,))


def record_of(signature: Signature, numbers: NumericColumns | None) -> Record | None:
    """Return what makes blocks of a row's values in the signature's order.

    It returns None where a value is not of the plainest type of its column, is missing or needs to
    be looked at: `sclbl.rows.Encoder` knows every rule, and says what is wrong. Itself it is None
    where all columns are numbers, for which there are shorter ways, or numbers of other types.
    """
    if not signature.text or (numbers is not None and numbers.dtype != np.float64):
        return None
    texts, plain = [*signature.text], []
    for c in signature.numeric:
        column = signature.columns[c]
        held = np.dtype(column.stored)
        if held != np.float64 and not (held == np.bool_ and column.kind == "boolean"):
            return None
        plain.append(_BOOLEANS if column.kind == "boolean" else _NUMBERS)
    places, count = [*signature.numeric], len(signature.columns)

    def record(values: Sequence[Any]) -> Blocks | None:
        if len(values) != count:
            return None
        block = None
        if places:
            found = [values[c] for c in places]
            for value, types in zip(found, plain, strict=True):
                kind = type(value)
                if kind not in types or value != value:
                    return None
                if kind is int and not -EXACT < value < EXACT:
                    return None
            block = np.array([found], dtype=np.float64)
        columns = []
        for c in texts:
            text = values[c]
            if type(text) is not str:
                return None
            try:
                raw = text.encode()
            except UnicodeEncodeError:
                return None
            offsets = np.array([0, len(raw)], dtype=np.uint32)
            columns.append(TextColumn(offsets, np.frombuffer(raw, dtype=np.uint8), None))
        return Blocks(1, block, tuple(columns))

    return record
