"""Rows whose sums leave the range of floats: what comes out is decided by the order of adding."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import InputError
from sclbl.fidelity.rows import Sample
from sclbl.ops import find
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Spec


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
    signature, graph = spec.signature, spec.graph
    if signature.inputs:
        return lost
    values: dict[str, Any] = dict(graph.constants)
    values[NUMERIC_INPUT] = rows.numeric.astype(signature.numeric_dtype)
    values[TEXT_INPUT] = rows.text
    with np.errstate(all="ignore"):
        for node in graph.upstream([o.name for o in graph.outputs]):
            op, given = find(node.op), [values[name] for name in node.inputs]
            try:
                made = op.define(node.attrs, *given)
            except InputError:
                return np.zeros(len(rows), dtype=bool)
            made = made if isinstance(made, tuple) else (made,)
            values.update(zip(node.outputs, made, strict=True))
            if not op.exact:
                before = [_finite(g, len(rows)) for g in given]
                for result in made:
                    lost |= np.all(before, axis=0) & ~_finite(result, len(rows))
    return lost


def _finite(values: Any, rows: int) -> np.ndarray:
    """Return which rows hold nothing infinite and no NaN; a constant is one of every row."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        return np.ones(rows, dtype=bool)
    if len(values) != rows:
        return np.full(rows, bool(np.isfinite(values).all()))
    return np.asarray(np.isfinite(values.reshape(rows, -1)).all(axis=1))
