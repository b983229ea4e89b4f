"""What ensembles of trees mean: where each row ends, and the sum of what stands there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.ops.record import Array


def leaves(attrs: Mapping[str, Any], x: Array) -> Array:
    """Return int64 ``[rows, trees]``: what ``left`` holds (the row of ``values``) at the leaf."""
    feature, threshold = attrs["feature"], attrs["threshold"]
    left, right, missing_left = attrs["left"], attrs["right"], attrs["missing_left"]
    start, count = attrs.get("category_start"), attrs.get("category_count")
    words = attrs.get("category_words")
    rows = np.arange(len(x))
    out = np.empty((len(x), len(attrs["roots"])), dtype=np.int64)
    for t, root in enumerate(attrs["roots"]):
        at = np.full(len(x), root, dtype=np.int64)
        while (inner := feature[at] >= 0).any():
            value = x[rows, np.where(inner, feature[at], 0)]
            limit = threshold[at]
            goes = value <= limit if attrs["rule"] == "<=" else value < limit
            missing = np.isnan(value)
            if start is not None and count is not None and words is not None:
                is_category = start[at] >= 0
                code = np.where(missing | (value < 0) | (value >= 2**31), -1, value)
                code = code.astype(np.int64)
                missing = missing | (is_category & (code < 0))
                inside = is_category & (code >= 0) & (code < count[at] * 32)
                word = words[np.where(inside, start[at] + code // 32, 0)]
                bit = (word >> (np.maximum(code, 0) % 32).astype(np.uint32)) & 1
                goes = np.where(is_category, inside & (bit == 1), goes)
            goes = np.where(missing, missing_left[at].astype(bool), goes)
            at = np.where(inner, np.where(goes, left[at], right[at]), at)
        out[:, t] = left[at]
    return out


def sums(attrs: Mapping[str, Any], x: Array, start: Array | None = None) -> Array:
    found = leaves(attrs, x)
    values, targets = attrs["values"], attrs.get("targets")
    init = np.asarray(attrs["init"], dtype=values.dtype)
    total = np.repeat(init[None, :], len(x), axis=0) if start is None else start.copy()
    for t in range(found.shape[1]):
        if targets is None:
            total += values[found[:, t]]
        else:
            total[:, targets[t]] += values[found[:, t], 0]
    return total
