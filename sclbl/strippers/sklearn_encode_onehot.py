"""OneHotEncoder: one column of 0 and 1 for each category (or group of infrequent ones).

The computation::

    codes = [lookup(column, categories) for each column]     # grouped; -1: all zeros, or refused
    out   = codes[:, column of each output] == group of each output
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.signature import Kind
from sclbl.strippers import sklearn_categories as categories
from sclbl.strippers.columns import Float, Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_categories import Codes


class OneHotStripper:
    """``sklearn.preprocessing.OneHotEncoder``."""

    tells_missing = True

    def methods(self, model: Any) -> tuple[str, ...]:
        categories.check_dtype(model)
        return ("transform",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        dtype = categories.check_dtype(model)
        to_infrequent = model.handle_unknown in ("infrequent_if_exist", "warn")
        codes, source, group = [], [], []
        for i in range(x.width):
            dropped = _dropped_group(model, i)
            numbers = categories.groups(model, i)
            unknown = categories.infrequent_group(model, i) if to_infrequent else None
            codes.append(Codes(numbers, -1 if unknown is None else unknown))
            kept = [g for g in range(int(numbers.max()) + 1) if g != dropped]
            source += [i] * len(kept)
            group += kept
        refuse = model.handle_unknown == "error"
        wire = categories.encode(model, x, build, codes, refuse_unknown=refuse)
        if not group:
            return {"transform": Table(build, ())}
        hot = build.binary("Equal", build.columns(wire, source), np.array(group))
        storage: Float = "float32" if dtype == np.float32 else "float64"
        kinds: dict[str, Kind] = {"i": "integer", "u": "integer", "b": "boolean", "f": storage}
        table = build.wire_table(build.cast(hot, storage), kind=kinds[dtype.kind], dtype=dtype)
        return {"transform": replace(table, sparse="csr" if model.sparse_output else None)}


def _dropped_group(model: Any, column: int) -> int | None:
    """Return the group that `drop` leaves out; None where it leaves none out."""
    if model.drop_idx_ is None or model.drop_idx_[column] is None:
        return None
    return int(categories.groups(model, column)[model.drop_idx_[column]])


ONE_HOT = OneHotStripper()
