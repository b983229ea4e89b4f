"""Errors in rows that are read a part at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sclbl.errors import InputError


@contextmanager
def numbered_from(first: int) -> Iterator[None]:
    """Count the rows in errors from the first one of all, where a part begins at `first`."""
    try:
        yield
    except InputError as error:
        if not first or error.row is None:
            raise
        row = error.row + first
        text, found = re.subn(rf"\brow {error.row}\b", f"row {row}", str(error), count=1)
        if not found:
            text = f"row {row}: {text}"
        raise type(error)(text, row=row, column=error.column, input=error.input) from None
