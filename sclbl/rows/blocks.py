"""The blocks that a program reads: dense numbers, and text as Arrow lays it out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sclbl.missing import PRESENT, of_code, of_text, value_of
from sclbl.spec import MISSING_TEXTS

#: Bytes of text that a program is given at once, unless one row has more.
TEXT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TextColumn:
    """One column of text.

    Parameters
    ----------
    offsets : uint32 ``[rows + 1]``
        Where each row's bytes start, and where the last one ends.
    data : uint8 ``[bytes]``
        UTF-8.
    kinds : uint8 ``[rows]`` or None
        `sclbl.missing.PRESENT`, or one of `sclbl.missing.CODES` where the text is missing; None
        where none is.
    """

    offsets: np.ndarray
    data: np.ndarray
    kinds: np.ndarray | None

    def part(self, start: int, end: int) -> TextColumn:
        """Return some of the rows."""
        offsets = self.offsets[start : end + 1]
        data = self.data[int(offsets[0]) : int(offsets[-1])]
        kinds = None if self.kinds is None else self.kinds[start:end]
        return TextColumn(offsets - offsets[0], data, kinds)

    def constants(self) -> list[str]:
        """Return the column as Python text, `sclbl.spec.MISSING_TEXTS` where it is missing."""
        raw = self.data.tobytes()
        ends = self.offsets.tolist()
        texts = [raw[a:b].decode() for a, b in pairwise(ends)]
        if self.kinds is not None:
            for row in np.flatnonzero(self.kinds != PRESENT).tolist():
                texts[row] = MISSING_TEXTS[of_code(int(self.kinds[row]))]
        return texts

    def tolist(self) -> list[Any]:
        """Return the column as Python text, and None, NaN or pandas.NA where it is missing."""
        found = self.constants()
        return [value_of(kind) if (kind := of_text(text)) else text for text in found]


@dataclass(frozen=True, slots=True)
class RaggedRows:
    """Rows whose length varies, as programs take and give them.

    Parameters
    ----------
    offsets : uint32 or int64 ``[rows + 1]``
        Where each row's items begin, and where the last one's end.
    keys : int32 ``[items]``, TextColumn of the items, or None
        Numbers of columns or names; None in lists.
    values : array ``[items]``, TextColumn of the items, or None
        None: each is 1.
    """

    offsets: np.ndarray
    keys: np.ndarray | TextColumn | None
    values: np.ndarray | TextColumn | None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def part(self, start: int, end: int) -> RaggedRows:
        """Return some of the rows."""
        offsets = self.offsets[start : end + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        keys, values = (
            p.part(first, last) if isinstance(p, TextColumn) else p if p is None else p[first:last]
            for p in (self.keys, self.values)
        )
        return RaggedRows(offsets - offsets[0], keys, values)


#: An input beside the table: the rows of a tensor, ragged rows, or the one value of a parameter.
Beside = np.ndarray | RaggedRows


@dataclass(frozen=True, slots=True)
class Blocks:
    """Encoded rows.

    Parameters
    ----------
    rows : int
        How many rows.
    numeric : float32 or float64 ``[rows, k]`` or None
        The numeric columns in the signature's order, C-contiguous; NaN is missing. None where the
        signature has no numeric columns.
    text : tuple of TextColumn
        The text columns in the signature's order.
    beside : tuple of array, RaggedRows or None
        The inputs beside the table in the signature's order: ``[rows, *shape]``, ragged rows, or
        ``()`` for the value of a parameter, None where it is the default.
    """

    rows: int
    numeric: np.ndarray | None
    text: tuple[TextColumn, ...] = ()
    beside: tuple[Beside | None, ...] = ()

    def part(self, start: int, end: int) -> Blocks:
        """Return some of the rows."""
        if (start, end) == (0, self.rows):
            return self
        numeric = None if self.numeric is None else self.numeric[start:end]
        text = tuple(column.part(start, end) for column in self.text)
        beside = tuple(_rows(given, start, end) for given in self.beside)
        return Blocks(end - start, numeric, text, beside)

    def cell(self, place: int, row: int, *, text: bool) -> Any:
        """Return the value of one cell: of the numbers, or of a column of text, at `place`."""
        if not text:
            return None if self.numeric is None else self.numeric[row, place].item()
        return self.text[place].part(row, row + 1).tolist()[0]

    def end_of_chunk(self, start: int, end: int) -> int:
        """Return where a chunk of rows from `start` to `end` at most ends: where its text is long.

        What becomes of texts takes memory that grows with them.
        """
        for column in self.text:
            most = int(column.offsets[start]) + TEXT_BYTES
            if int(column.offsets[end]) > most:
                end = max(int(np.searchsorted(column.offsets, most, side="right")) - 1, start + 1)
        return end


def _rows(given: Beside | None, start: int, end: int) -> Beside | None:
    if given is None or isinstance(given, RaggedRows):
        return None if given is None else given.part(start, end)
    # The value of a parameter is the same for every row.
    return given if given.ndim == 0 else given[start:end]
