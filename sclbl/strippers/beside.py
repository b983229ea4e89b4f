"""Models whose rows are no table: sparse matrices, lists of texts, dicts of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import DType, Input, Output, Signature, stored_as
from sclbl.strippers import dispatch, example
from sclbl.strippers.base import Stripper
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder

#: What a model's only input is called, whatever scikit-learn calls it.
NAME = "X"


def input_of(model: Any, example_input: Any) -> Input | None:
    """Return the input that is no table, or None: of a model, or of a sparse example."""
    given = dispatch.find(model).beside(model)
    if given is not None or not hasattr(example_input, "tocsr"):
        return given
    if example_input.dtype.kind not in "fiub" or example_input.dtype.itemsize > 8:
        raise UnsupportedModelError(
            f"example_input is a sparse matrix of {example_input.dtype}; programs take float32 and "
            "float64, and integers and booleans as these"
        )
    dtype: DType = "float32" if example_input.dtype == np.float32 else "float64"
    return Input(NAME, "sparse", dtype, (int(example_input.shape[1]),))


def write(model: Any, given: Input, wanted: Sequence[str]) -> tuple[Builder, dict[str, Any]]:
    """Write the methods of a model that takes one input beside the table."""
    build = Builder(Signature((), "array", {}, inputs=(given,)), ())
    results = dispatch.apply(model, build.beside(given), build, frozenset(wanted))
    return build, {m: results[m] for m in wanted}


def outputs_of(
    model: Any, method: str, wires: tuple[Wire, ...], returned: Any, parameters: Sequence[str]
) -> Output:
    """Return what a method gives whose results are ragged, or several.

    Parameters
    ----------
    model, method
        Whose results they are.
    wires : tuple of Wire
        What the graph gives, one for each result.
    returned : object
        What the model itself returned for the example.
    parameters : sequence of str
        Values of a call that the method takes.
    """
    results = returned if isinstance(returned, tuple) else (returned,)
    if len(results) != len(wires):
        raise UnsupportedModelError(
            f"{dispatch.qualified_name(type(model))}.{method} returns {len(results)} results, and "
            f"its stripper {len(wires)}"
        )
    names = dispatch.names_out(model, (None,)) if method == "transform" else None
    made = [_output(w, r, names) for w, r in zip(wires, results, strict=True)]
    return replace(made[0], further=tuple(made[1:]), parameters=tuple(parameters))


def gives_empty(model: Any, stripper: Stripper, method: str, rows: Any, returned: Any) -> bool:
    """Return whether a method gives empty results, otherwise like those returned, for no rows."""
    try:
        none = example.call_itself(model, stripper, method, rows[:0])
    except Exception:  # in whatever way a library refuses them
        return False
    results, empty = ((r if isinstance(r, tuple) else (r,)) for r in (returned, none))
    return len(results) == len(empty) and all(
        (a.shape, a.dtype) == ((0, *b.shape[1:]), b.dtype)
        for a, b in zip(empty, results, strict=True)
    )


def _output(wire: Wire, result: Any, names: tuple[str, ...] | None) -> Output:
    if wire.ragged == "list":
        first = next((np.asarray(row) for row in result), np.empty(0))
        return Output(stored_as(wire.dtype), str(first.dtype), 1, 1, ragged="list")
    if wire.ragged is not None:
        known = names if names is not None and len(names) == wire.width else None
        made = Output(stored_as(wire.dtype), str(result.dtype), wire.width, 2, names=known)
        return replace(made, ragged="sparse", matrix=example.matrix_of(result))
    array = np.asarray(result)
    stored = stored_as(wire.dtype)
    return Output(stored, str(array.dtype), wire.width, array.ndim, labels=wire.labels)


def rows_of(given: Input, example_input: Any) -> Any:
    """Return an example as the model takes it: one dict is one row."""
    if given.kind == "features" and isinstance(example_input, dict):
        return [example_input]
    return example_input


def is_plain(result: Any) -> bool:
    """Return whether a method's result is one array, as most are."""
    return isinstance(result, (Wire, Table)) and getattr(result, "ragged", None) is None
