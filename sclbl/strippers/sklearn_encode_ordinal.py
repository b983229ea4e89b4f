"""OrdinalEncoder: each category becomes its number.

The computation::

    codes = [lookup(column, categories) for each column]     # refused where unknown is an error
    out   = where(codes == special, what special stands for, codes)

where ``special`` is a number that no category has, for a code that int64 cannot hold (NaN) or that
would be taken for an unknown category (a negative one).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Kind
from sclbl.strippers import sklearn_categories as categories
from sclbl.strippers.columns import Float, Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_categories import Codes


class OrdinalStripper:
    """``sklearn.preprocessing.OrdinalEncoder``."""

    tells_missing = True

    def methods(self, model: Any) -> tuple[str, ...]:
        categories.check_dtype(model)
        return ("transform",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        dtype = categories.check_dtype(model)
        refuse = model.handle_unknown == "error"
        # What stands for a missing category, and for an unknown one, in the encoder's own dtype.
        missing = _as(model.encoded_missing_value, dtype) if model._missing_indices else 0.0
        unknown = -1.0 if refuse else _as(model.unknown_value, dtype)
        largest = max(int(categories.groups(model, i).max()) for i in range(x.width))
        if dtype.kind in "iu" and largest > np.iinfo(dtype).max:
            raise UnsupportedModelError(
                f"OrdinalEncoder(dtype={dtype}) has {largest + 1} categories in a column, more "
                "than the dtype holds; fit it with a wider dtype"
            )
        special = 1 + max(largest, *(int(v) for v in (missing, unknown) if np.isfinite(v)), 0)

        def stored(value: float, *, negative: bool) -> int:
            held = np.isfinite(value) and (negative or value >= 0)
            return int(value) if held else special

        codes = []
        for i in range(x.width):
            numbers = categories.groups(model, i).astype(dtype).astype(np.int64)
            if i in model._missing_indices:
                numbers[model._missing_indices[i]] = stored(missing, negative=not refuse)
            default = -1 if refuse else stored(unknown, negative=True)
            codes.append(Codes(numbers, default))
        wire = categories.encode(model, x, build, codes, refuse_unknown=refuse)
        storage: Float = "float32" if dtype == np.float32 else "float64"
        out = build.cast(wire, storage)
        if any(special in (c.default, *c.values.tolist()) for c in codes):
            meaning = missing if refuse else np.nan
            out = build.where(build.binary("Equal", wire, special), np.full(1, meaning), out)
        kinds: dict[str, Kind] = {"i": "integer", "u": "integer", "b": "boolean", "f": storage}
        return {"transform": build.wire_table(out, kind=kinds[dtype.kind], dtype=dtype)}


def _as(value: Any, dtype: np.dtype[Any]) -> float:
    return float(np.array(value).astype(dtype))


ORDINAL = OrdinalStripper()
