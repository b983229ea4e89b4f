"""The blocks that a program reads: dense numbers, and text as Arrow lays it out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, slots=True)
class TextColumn:
    """One column of text.

    Parameters
    ----------
    offsets : uint32 ``[rows + 1]``
        Where each row's bytes start, and where the last one ends.
    data : uint8 ``[bytes]``
        UTF-8.
    valid : uint8 ``[rows]`` or None
        0 where the text is missing; None where none is.
    """

    offsets: np.ndarray
    data: np.ndarray
    valid: np.ndarray | None

    def tolist(self) -> list[str | None]:
        """Return the column as Python text, None where it is missing."""
        raw = self.data.tobytes()
        ends = self.offsets.tolist()
        texts: list[str | None] = [raw[a:b].decode() for a, b in pairwise(ends)]
        if self.valid is not None:
            texts = [t if v else None for t, v in zip(texts, self.valid.tolist(), strict=True)]
        return texts


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
    """

    rows: int
    numeric: np.ndarray | None
    text: tuple[TextColumn, ...] = ()
