"""`sklearn.preprocessing.FunctionTransformer`: a user's function, followed."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, cast

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, promotion
from sclbl.strippers.base import method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Library
from sclbl.strippers.numpy_functions import OPERATORS
from sclbl.strippers.sklearn.estimator import Estimator, transformed, validated
from sclbl.strippers.sklearn.stack import one_array
from sclbl.strippers.tracing.arrays import Array, SparseRows
from sclbl.strippers.tracing.objects import follower_of
from sclbl.strippers.tracing.traced import followed, like, stand_in


class FunctionTransformer(Estimator):
    """The user's function is called once, with stand-ins in place of rows.

    Of an array it gets all columns. Of a pandas DataFrame it gets the columns by name, each with
    its dtype; where a function of NumPy's, or columns that are not NumPy's, leave only what works
    on each number for itself, each dtype's columns are wires of one axis.
    """

    tells_missing = keeps_frames = True

    def rows(self, model: Any, x: Table) -> Wire | Table:
        return validated(model, x) if model.validate else x

    @method
    def transform(self, model: Any, x: Wire | Table) -> Wire | Table:
        return _applied(model, x)

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Wire | Table:
        """Write `inverse_func` as the function of a transformer, of rows of any width."""
        back = copy.copy(model)
        back.func, back.kw_args = model.inverse_func, model.inv_kw_args
        return _applied(back, transformed(model, x, x.width) if model.validate else x)


def _applied(model: Any, x: Wire | Table) -> Wire | Table:
    """Write what the function makes of rows."""
    if model.func is None:
        return x
    if isinstance(x, Wire):
        return cast(Wire, _followed(model, x, x if x.ragged else Array(x)))
    if x.sparse and not isinstance(model.func, np.ufunc):
        try:
            made = _followed(model, x, SparseRows(x.results()))
        except UnsupportedModelError:
            pass  # it does something else to them than to make them dense
        else:
            return replace(dispatch.as_table(made), dense=True, sparse=None)
    if not _by_number(model, x):
        return cast(Table, _followed(model, x, stand_in(x)))
    if x.has_text:
        raise UnsupportedModelError(
            f"FunctionTransformer(func={_name(model)}) is given text; "
            "select columns of numbers for it with a ColumnTransformer"
        )
    library = _library(model, x)
    frame = x.frame and not promotion.is_polars(cell.dtype for cell in x.cells)
    if not frame:
        x = replace(x, cells=one_array(x.cells))
    dtypes = list(dict.fromkeys(cell.dtype for cell in x.cells))
    parts = [x] if len(dtypes) == 1 else [x.select([i]) for i in range(x.width)]
    cells = [c for part in parts for c in _of_one_dtype(model, part, library).cells]
    if frame:
        cells = [replace(c, name=own.name) for c, own in zip(cells, x.cells, strict=True)]
    return Table(x.builder, tuple(cells), frame=frame)


def _by_number(model: Any, x: Table) -> bool:
    """Return whether the function is followed as one of each number for itself, or of an array."""
    if not x.frame or isinstance(model.func, np.ufunc):
        return True
    numbers = [cell.dtype for cell in x.cells if cell.kind != "text"]
    if promotion.is_polars(cell.dtype for cell in x.cells):
        return True
    own = any(hasattr(d, "pyarrow_dtype") or promotion.numpy_dtype(d).kind == "O" for d in numbers)
    return own and not x.has_text


def _library(model: Any, x: Table) -> Library:
    """Return what computes with the rows that a function is given."""
    if not x.frame:
        return "numpy"
    if promotion.is_polars(cell.dtype for cell in x.cells):
        # Operators are polars' own, and functions of NumPy are given an array.
        return "numpy" if isinstance(model.func, np.ufunc) else "polars"
    return "pyarrow" if any(hasattr(cell.dtype, "pyarrow_dtype") for cell in x.cells) else "pandas"


def _of_one_dtype(model: Any, x: Table, library: Library) -> Table:
    """Apply the function to columns of one dtype."""
    build, dtype = x.builder, x.cells[0].dtype
    held = promotion.numpy_dtype(dtype)
    objects = held.kind == "O"
    if objects:  # Python's numbers, and their own operators, which None has none of
        for number in x.cells:
            build.take(number, ("nan",))
        held = np.dtype(np.float64)
    axes = 1 if x.frame else 2
    wire = replace(x.held_matrix(held), ndim=axes)
    with build.computed_by(library):
        made = _followed(model, wire, Array(wire))
    if not isinstance(made, Wire) or (axes == 1 and made.width != wire.width):
        raise UnsupportedModelError(
            f"FunctionTransformer(func={_name(model)}) does not return the columns of X that it is "
            "given, of which each number is computed for itself; give it an array"
        )
    kept: Any = made.numbers
    if not isinstance(dtype, np.dtype):
        import pandas as pd

        kept = model.func(pd.Series([1], dtype=dtype), **(model.kw_args or {})).dtype
    kind = x.cells[0].kind if objects else promotion.kind_of(made.numbers)
    return build.wire_table(replace(made, ndim=2), kind=kind, dtype=None if objects else kept)


def _followed(model: Any, x: Wire | Table, rows: Any) -> Any:
    """Return what the function makes of rows."""
    follower = follower_of(like(x), x.builder)
    function, options = follower.of(model.func), follower.of(model.kw_args or {})

    def call(given: Any) -> Any:
        return function(given, **options)

    what = f"FunctionTransformer(func={_name(model)})"
    return followed(follower, call, rows, what, _advice(), model.func)


def _advice() -> str:
    functions = ", ".join(sorted(f"np.{f.__name__}" for f in OPERATORS if f.nin == 1))
    return (
        f"use NumPy's operators and functions on whole columns ({functions}, np.where, np.clip, "
        "np.sum(X, axis=1), ...), or write a transformer class of your own and register its "
        "stripper with sclbl.register(cls, stripper)"
    )


def _name(model: Any) -> str:
    own = getattr(model.func, "func", model.func)  # of a functools.partial
    name = str(getattr(own, "__name__", type(own).__name__))
    return f"np.{name}" if getattr(np, name, None) is model.func else name
