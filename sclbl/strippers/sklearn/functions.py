"""FunctionTransformer: the user's function is called once, with wires in place of numbers.

Of an array it gets all columns as one wire. Of a DataFrame, which keeps a dtype a column, only
what works on each number for itself means the same, so each dtype's columns are wires of one axis.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import promotion
from sclbl.strippers.base import method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.numpy_functions import OPERATORS
from sclbl.strippers.sklearn.estimator import Estimator, validated
from sclbl.strippers.sklearn.stack import one_array


class FunctionTransformer(Estimator):
    """``sklearn.preprocessing.FunctionTransformer``."""

    tells_missing = True

    def rows(self, model: Any, x: Table) -> Wire | Table:
        return validated(model, x) if model.validate else x

    @method
    def transform(self, model: Any, x: Wire | Table) -> Wire | Table:
        if model.func is None:
            return x
        if isinstance(x, Wire):
            return _traced(model, x)
        if any(cell.kind in ("text", "boolean") for cell in x.cells):
            raise UnsupportedModelError(
                f"FunctionTransformer(func={_name(model)}) is given text or booleans; "
                "select columns of numbers for it with a ColumnTransformer"
            )
        if promotion.is_polars(cell.dtype for cell in x.cells) or not _is_frame(x):
            x = Table(x.builder, one_array(x.cells))
        dtypes = list(dict.fromkeys(cell.dtype for cell in x.cells))
        if len(dtypes) == 1:
            return _of_one_dtype(model, x)
        parts = [_of_one_dtype(model, x.select([i])) for i in range(x.width)]
        return Table(x.builder, tuple(c for part in parts for c in part.cells))


def _is_frame(x: Table) -> bool:
    named = x.builder.signature.layout == "table"
    return named and any(cell.shown is not None for cell in x.cells)


def _of_one_dtype(model: Any, x: Table) -> Table:
    """Apply the function to columns of one dtype."""
    build, dtype = x.builder, x.cells[0].dtype
    held = promotion.numpy_dtype(dtype)
    objects = held.kind == "O"
    if objects:  # Python's numbers, and their own operators, which None has none of
        for number in x.cells:
            build.take(number, ("nan",))
        held = np.dtype(np.float64)
    wire = x.matrix("float32" if held == np.float32 else "float64")
    made = _traced(model, replace(wire, held=held, ndim=1 if _is_frame(x) else 2))
    kept: Any = made.numbers
    if not isinstance(dtype, np.dtype):
        import pandas as pd

        kept = model.func(pd.Series([1], dtype=dtype), **(model.kw_args or {})).dtype
    kind = x.cells[0].kind if objects else promotion.kind_of(made.numbers)
    return build.wire_table(made, kind=kind, dtype=None if objects else kept)


def _traced(model: Any, x: Wire) -> Wire:
    """Return what the function makes of a wire."""
    try:
        made = model.func(x, **(model.kw_args or {}))
    except Exception as error:  # the user's own code: whatever it raises
        if model.func in OPERATORS:
            raise
        raise UnsupportedModelError(_refusal(model, str(error))) from error
    if not isinstance(made, Wire) or (x.ndim == 1 and made.width != x.width):
        raise UnsupportedModelError(_refusal(model, "it does not return columns made from X"))
    return made


def _refusal(model: Any, why: str) -> str:
    functions = ", ".join(sorted(f"np.{f.__name__}" for f in OPERATORS if f.nin == 1))
    return (
        f"FunctionTransformer(func={_name(model)}) holds Python code that cannot be compiled "
        f"({why}); use NumPy's operators and functions on whole columns ({functions}, np.where, "
        "np.clip, np.sum(X, axis=1), ...), or write a transformer class of your own and register "
        "its stripper with sclbl.register(cls, stripper)"
    )


def _name(model: Any) -> str:
    name = getattr(model.func, "__name__", repr(model.func))
    return f"np.{name}" if getattr(np, name, None) is model.func else name
