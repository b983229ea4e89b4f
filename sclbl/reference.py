"""A small interpreter of graphs in NumPy, by the definition of each operator (`sclbl.ops`).

It is slow and plain on purpose. Strippers are tested with it, the compiler is tested against it,
and a server runs it as a second opinion on what it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.missing import kind_of
from sclbl.ops import find
from sclbl.spec import MISSING_TEXTS, NUMERIC_INPUT, TEXT_INPUT, Graph

Array = np.ndarray


def evaluate(
    graph: Graph,
    numeric: Array | None,
    text: Array | None,
    methods: tuple[str, ...] | None = None,
    beside: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run a graph.

    Parameters
    ----------
    graph : Graph
        What to run.
    numeric : float32 or float64 array ``[rows, numeric columns]`` or None
        The numeric block; rows of several axes may have them.
    text : object array ``[rows, text columns]`` or None
        The text block; None, NaN and pandas.NA are missing, as are the constants `MISSING_TEXTS`.
    methods : tuple of str, optional
        Outputs wanted; all by default.
    beside : mapping, optional
        The inputs beside the table by name: arrays ``[rows, *shape]``, for parameters too, or
        `sclbl.ops.ragged.Items`.

    Returns
    -------
    dict of str to array or Items
        ``[rows, *shape]`` by output. Labels are returned as int64 class numbers.

    Raises
    ------
    MissingValueError, InfiniteValueError, UnknownCategoryError, OutOfRangeError
        Where the graph refuses a row; `row` and `column` (the input column's position) are set.
    """
    tensors: dict[str, Any] = dict(graph.constants)
    shapes = {v.name: v.shape for v in graph.inputs}
    if numeric is not None:
        shape = shapes.get(NUMERIC_INPUT, (numeric.shape[-1],))
        tensors[NUMERIC_INPUT] = numeric.reshape(len(numeric), *shape)
    if text is not None:
        tensors[TEXT_INPUT] = _with_constants(np.array(text, dtype=object))
    tensors |= beside or {}
    wanted = {o.name for o in graph.outputs if methods is None or o.name in methods}
    with np.errstate(all="ignore"):
        for node in graph.upstream(wanted):
            define = find(node.op).define
            found = define(node.attrs, *(tensors[i] for i in node.inputs))
            results = found if isinstance(found, tuple) else (found,)
            tensors.update(zip(node.outputs, results, strict=True))
    return {name: tensors[name] for name in wanted}


def _with_constants(text: Array) -> Array:
    for place in np.ndindex(text.shape):
        kind = kind_of(text[place])
        if kind is not None:
            text[place] = MISSING_TEXTS[kind]
    return text
