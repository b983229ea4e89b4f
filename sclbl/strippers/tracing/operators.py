"""What columns and DataFrames of users' code have in common: operators, indexes, dtypes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import promotion
from sclbl.strippers.tracing.options import of_numpy
from sclbl.strippers.wire import Wire, mixes_rows

Binary = Callable[[Any, Any], Any]
#: Operators, by the name of the method that does the same.
OPERATORS: dict[str, Binary] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
    "floordiv": operator.floordiv, "mod": operator.mod, "pow": operator.pow,
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le,
    "gt": operator.gt, "ge": operator.ge,
    "and": operator.and_, "or": operator.or_, "xor": operator.xor,
}  # fmt: skip
COMPARE = ("eq", "ne", "lt", "le", "gt", "ge")
LOGIC = ("and", "or", "xor")
#: What looks at all rows.
REDUCTIONS = frozenset({
    "mean", "std", "var", "sum", "min", "max", "median", "quantile", "mode", "nunique", "unique",
    "value_counts", "rank", "shift", "diff", "pct_change", "cumsum", "cumprod", "cummax", "cummin",
    "rolling", "expanding", "ewm", "groupby", "sort_values", "sort_index", "drop_duplicates",
    "duplicated", "dropna", "head", "tail", "sample", "any", "all", "count", "prod", "describe",
    "idxmax", "idxmin", "argmax", "argmin", "ffill", "bfill", "interpolate", "item", "iloc", "loc",
    "corr", "cov", "skew", "kurt", "sem", "tolist", "to_list", "iterrows", "itertuples", "items",
    "iat", "at", "query", "pivot", "melt", "stack", "T", "agg", "aggregate", "transform",
    "apply", "applymap", "map", "replace", "merge", "join", "explode", "resample", "nlargest",
    "nsmallest", "factorize",
})  # fmt: skip
#: What looks at each value, or looks rows up, and what to do in its place.
EACH_VALUE = {
    "apply": "calls a function on each value by itself; use operators and NumPy's functions on the "
    "whole column, np.where for a decision",
    "applymap": "calls a function on each value by itself; use operators and NumPy's functions",
    "map": "calls a function on each value by itself; use operators and NumPy's functions",
    "merge": "looks each row up in other rows; use Series.map with a dict for each column",
    "agg": "is not written; use operators and df.sum(axis=1), mean, min, max, std",
    "aggregate": "is not written; use operators and df.sum(axis=1), mean, min, max, std",
    "transform": "is not written; use operators and NumPy's functions on the whole column",
    "factorize": "numbers values in the order of the rows; use Series.map with a dict, or "
    "scikit-learn's OrdinalEncoder",
}
#: The value of an option that may be None.
NOT_GIVEN: Any = pd.api.extensions.no_default


@dataclass(frozen=True)
class Typed:
    """One of several numbers, whose dtype does not adapt as that of a number alone does.

    ``number`` is an array of shape ``(1,)``.
    """

    number: np.ndarray


class Index:
    """What stands for the index of rows: columns go together where theirs is the same."""

    def __len__(self) -> NoReturn:
        mixes_rows("the number of rows")

    def __iter__(self) -> NoReturn:
        mixes_rows("a loop over the rows")


#: The index of what is made of arrays.
NUMBERED = Index()


def is_frame(x: Any) -> bool:
    return hasattr(x, "_sclbl_columns")


def require_type(wire: Wire, witness: Any) -> None:
    """Refuse numbers of another type than pandas has."""
    if wire.numbers != promotion.numpy_dtype(witness.dtype):
        raise UnsupportedModelError(
            f"pandas makes {witness.dtype} of this and a program {wire.numbers}; convert the "
            'columns with .astype("float64") first'
        )


def held(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return what is put into a column of a dtype, which must hold it.

    Raises
    ------
    UnsupportedModelError
        Where pandas changes the column's dtype in calls that need the value, and not in others.
    """
    if isinstance(value, Wire):
        own = value.numbers
        # Whole numbers of rows are below 2**53.
        fits = own == dtype or (own.kind != "b" and np.can_cast(own, dtype, "safe"))
        value = value.astype(dtype) if fits else value
    else:
        try:
            made = np.asarray(value).astype(dtype)
            fits = bool(made.item() == value) or (value != value and dtype.kind == "f")
            fits = fits and isinstance(value, (bool, np.bool_)) == (dtype.kind == "b")
        except (TypeError, ValueError, OverflowError):
            fits = False
        value = value if not fits else made[()]
    if not fits:
        raise UnsupportedModelError(
            f"{value if not isinstance(value, Wire) else value.numbers} is put into a column of "
            f"{dtype}: pandas makes it another dtype in calls with such rows only; "
            '.astype("float64") first'
        )
    return value


def through_arrays(function: Any, args: Any, options: Any) -> Any:
    """Call a function of NumPy that makes arrays of columns, or has pandas do what it is for."""
    first = args[0] if args else None
    name = _BY_METHOD.get(function)
    if name is not None and hasattr(first, "_sclbl_table"):
        given = of_numpy(function, args, options)
        return getattr(first, name)(**{_RENAMED.get(k, k): v for k, v in given.items()})
    return function(*_arrays(args), **_arrays(options))


#: What NumPy asks of the object's own methods.
_BY_METHOD = {
    np.all: "all", np.amax: "max", np.amin: "min", np.any: "any", np.around: "round",
    np.clip: "clip", np.cumsum: "cumsum", np.max: "max", np.mean: "mean", np.min: "min",
    np.prod: "prod", np.round: "round", np.std: "std", np.sum: "sum", np.var: "var",
}  # fmt: skip
#: What pandas calls options of NumPy's.
_RENAMED = {"a_min": "lower", "a_max": "upper", "min": "lower", "max": "upper"}


def _arrays(x: Any) -> Any:
    if hasattr(x, "_sclbl_array"):
        return x._sclbl_array()
    if type(x) in (list, tuple):
        return type(x)(map(_arrays, x))
    return {k: _arrays(v) for k, v in x.items()} if type(x) is dict else x


def add_operators(cls: Any) -> None:
    """Give a class Python's operators, and pandas' methods that do the same."""

    def give(name: str) -> None:
        dunder = f"__{name}__"
        setattr(cls, dunder, lambda self, other: self._binary(name, other))
        if name not in COMPARE:
            setattr(cls, f"__i{name}__", lambda self, other: _in_place(self, name, other))
        if name in COMPARE:
            setattr(cls, name, lambda self, other, **o: self._method(name, other, **o))
            return
        back = f"__r{name}__"
        setattr(cls, back, lambda self, other: self._binary(name, other, swapped=True))
        if name not in LOGIC:
            method = {"truediv": ("truediv", "div", "divide")}.get(name, (name,))
            for called in method:
                setattr(cls, called, lambda self, other, **o: self._method(name, other, **o))
                setattr(
                    cls,
                    f"r{called}",
                    lambda self, other, **o: self._method(name, other, swapped=True, **o),
                )

    for name in OPERATORS:
        give(name)


def _in_place(self: Any, name: str, other: Any) -> Any:
    """Let an object, by whatever name it is called, hold what an operator makes of it."""
    made = self._binary(name, other)
    if made is NotImplemented:
        return made
    if type(made) is not type(self):
        mixes_rows("a column that becomes a DataFrame in its place")
    self._become(made)
    return self
