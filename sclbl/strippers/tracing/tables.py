"""The columns that stand-ins of rows stand for."""

from __future__ import annotations

from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.columns import Table
from sclbl.strippers.dispatch import as_table
from sclbl.strippers.tracing.arrays import Array


def table_of(x: Any) -> Table:
    """Return the columns that a stand-in stands for."""
    if hasattr(x, "_sclbl_table"):
        found: Table = x._sclbl_table()
        return found
    if type(x) is not Array:
        raise UnsupportedModelError("a check is given something else than rows made from X")
    return as_table(x.wire)
