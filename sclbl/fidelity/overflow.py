"""Rows whose sums leave the range of floats: what comes out is decided by the order of adding."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import InputError
from sclbl.fidelity.rows import Sample
from sclbl.ops import find
from sclbl.reference import evaluate
from sclbl.spec import Node, Spec


def overflowing(spec: Spec, rows: Sample) -> np.ndarray:
    """Return in which rows a sum of finite numbers is not finite.

    Only operators whose last digits hang on the order of a sum count: one library gets infinity
    there, another NaN, and a third one, which multiplies and adds at once, a number.

    Parameters
    ----------
    spec : Spec
        What is computed.
    rows : Sample
        Rows that it accepts.

    Returns
    -------
    bool ``[rows]``
        False everywhere for a spec with inputs beside the table, or one that refuses such a row.
    """
    lost = np.zeros(len(rows), dtype=bool)
    signature = spec.signature
    if signature.inputs:
        return lost

    def look(node: Node, operands: list[Any], result: Any) -> Any:
        nonlocal lost
        if not find(node.op).exact:
            before = np.all([_finite(given, len(rows)) for given in operands], axis=0)
            for made in result if isinstance(result, tuple) else (result,):
                lost |= before & ~_finite(made, len(rows))
        return result

    try:
        evaluate(spec.graph, rows.numeric.astype(signature.numeric_dtype), rows.text, after=look)
    except InputError:
        return np.zeros(len(rows), dtype=bool)
    return lost


def _finite(values: Any, rows: int) -> np.ndarray:
    """Return which rows hold nothing infinite and no NaN; a constant is one of every row."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        return np.ones(rows, dtype=bool)
    if len(values) != rows:
        return np.full(rows, bool(np.isfinite(values).all()))
    return np.asarray(np.isfinite(values.reshape(rows, -1)).all(axis=1))
