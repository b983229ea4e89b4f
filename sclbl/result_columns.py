"""Results as the columns of a file: what they are called, and which values they hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.missing import is_missing
from sclbl.signature import Signature


def column_names(method: str, signature: Signature) -> list[str]:
    """Return the names of a method's result columns.

    One number a row is named after the method. Several are named after what the model calls them,
    else after the labels they belong to, else by position.
    """
    output = signature.outputs[method]
    if output.ndim == 1 and not output.is_whole:
        return [method]
    if output.names is not None and len(output.names) == output.width:
        return list(output.names)
    predict = signature.outputs.get("predict")
    labels = None if predict is None or method == "predict" else predict.labels
    if labels is not None:
        if output.splits is not None and tuple(map(len, labels)) == output.splits:
            return [f"{method}_{i}_{label}" for i, of in enumerate(labels) for label in of]
        if len(labels) == 1 and len(labels[0]) == output.width:
            return [f"{method}_{label}" for label in labels[0]]
    return [f"{method}_{i}" for i in range(output.width)]


def plain(column: np.ndarray) -> list[Any]:
    """Return a column as Python values, None where one is missing."""
    values: list[Any] = column.tolist()
    if column.dtype == object:
        return [None if is_missing(v) else v for v in values]
    if column.dtype.kind == "f" and np.isnan(column).any():
        return [None if v != v else v for v in values]
    return values


def spelled(row: Any) -> Any:
    """Return a row with infinities, which JSON cannot hold, as text."""
    if isinstance(row, dict):
        return {key: spelled(value) for key, value in row.items()}
    if isinstance(row, float) and row in (np.inf, -np.inf):
        return "Infinity" if row > 0 else "-Infinity"
    return row
