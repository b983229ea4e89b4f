"""Stand-ins of NumPy's functions that do not ask what they are given how to compute with it."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.tracing.arrays import Array, Columns, Known, constant_columns
from sclbl.strippers.tracing.options import require_defaults
from sclbl.strippers.wire import Rows, Wire, mixes_rows


class Numpy:
    """The stand-ins, for one call of a user's function.

    Parameters
    ----------
    like : Wire
        A wire with the rows of the call.
    """

    def __init__(self, like: Wire) -> None:
        self.like = like

    def replaced(self) -> dict[int, tuple[Any, Any]]:
        """Return what has a stand-in, by its `id`, and that."""
        pairs: list[tuple[Any, Any]] = [
            (np.array, self.array),
            *((f, self.asarray) for f in (np.asarray, np.asanyarray)),
            (np.ascontiguousarray, self.ascontiguousarray),
            (np.asfortranarray, self.asfortranarray),
            (np.squeeze, self.squeeze),
            (np.expand_dims, self.expand_dims),
            (np.nan_to_num, self.nan_to_num),
            (np.asarray_chkfinite, self.asarray),
            (np.zeros, self._filled(np.zeros, 0.0)),
            (np.empty, self._filled(np.empty, 0.0)),
            (np.ones, self._filled(np.ones, 1.0)),
            (np.full, self.full),
            (np.vstack, self.vstack),
            (np.atleast_2d, self.atleast_2d),
            (np.atleast_1d, self.atleast_1d),
            (np.transpose, lambda x, *a: x.T if type(x) in (Array, Columns) else np.transpose(x)),
            (np.shape, lambda x: x.shape if type(x) is Columns or _is_followed(x) else np.shape(x)),
            (np.ndim, lambda x: x.ndim if _is_followed(x) else np.ndim(x)),
            (np.copy, lambda x: x.copy() if type(x) is Array else np.copy(x)),
            (np.ravel, lambda x: x.ravel() if type(x) is Array else np.ravel(x)),
            (np.reshape, lambda x, s: x.reshape(s) if type(x) is Array else np.reshape(x, s)),
            (np.c_, Joined()),
            (np.take, self.take),
            (np.where, self.where),
            (builtins.len, self.len),
        ]
        return {id(own): (own, stand_in) for own, stand_in in pairs}

    def array(self, x: Any, dtype: Any = None, **options: Any) -> Any:
        if hasattr(x, "_sclbl_array"):
            x = x._sclbl_array()
        if type(x) is Array:
            require_defaults("np.array", options, {"ndmin": 0})
            return x.copy() if dtype is None else x.astype(dtype)
        if type(x) is Columns or _holds_columns(x):
            return Columns(c.copy() if dtype is None else c.astype(dtype) for c in x)
        return np.array(x, dtype, **options).view(Known)  # what may be looked up

    def asarray(self, x: Any, dtype: Any = None, *_: Any, **options: Any) -> Any:
        if hasattr(x, "_sclbl_array"):
            x = x._sclbl_array()
        if type(x) is Array:
            return x if dtype is None or np.dtype(dtype) == x.dtype else x.astype(dtype)
        if type(x) is Columns or _holds_columns(x):
            return self.array(x, dtype)
        return np.asarray(x, dtype, **options).view(Known)

    def ascontiguousarray(self, x: Any, dtype: Any = None, **options: Any) -> Any:
        made = self.asarray(x, dtype, **options)
        return made.together() if type(made) is Array else made

    def asfortranarray(self, x: Any, dtype: Any = None, **options: Any) -> Any:
        made = self.ascontiguousarray(x, dtype, **options)
        several = type(made) is Array and made.ndim == 2 and made.shape[1] > 1
        return made.copy() if several else made

    def squeeze(self, x: Any, axis: Any = None) -> Any:
        return x.squeeze(axis) if type(x) is Array else np.squeeze(x, axis)

    def expand_dims(self, x: Any, axis: Any) -> Any:
        if type(x) is Array and x.ndim == 1 and axis in (1, -1):
            return x[:, None]
        return np.expand_dims(x, axis)

    def nan_to_num(self, x: Any, copy: bool = True, **options: Any) -> Any:
        made = np.nan_to_num(x, **options)
        if type(x) is not Array or copy:
            return made
        x.store(made.wire)
        return x

    def _filled(self, function: Callable[..., Any], number: float) -> Callable[..., Any]:
        def filled(shape: Any, dtype: Any = float, *args: Any, **options: Any) -> Any:
            if _has_rows(shape):
                return constant_columns(self.like, shape, number, dtype)
            return function(shape, dtype, *args, **options)

        return filled

    def full(self, shape: Any, value: Any, dtype: Any = None, **options: Any) -> Any:
        if _has_rows(shape):
            return constant_columns(self.like, shape, value, dtype)
        return np.full(shape, value, dtype, **options)

    def vstack(self, arrays: Any, **options: Any) -> Any:
        if _holds_columns(arrays):
            return Columns(a.copy() for a in arrays)
        return np.vstack(arrays, **options)

    def atleast_2d(self, x: Any) -> Any:
        return x if type(x) is Array and x.ndim == 2 else np.atleast_2d(x)

    def atleast_1d(self, x: Any) -> Any:
        return x if type(x) is Array else np.atleast_1d(x)

    def take(self, a: Any, indices: Any, axis: Any = None, **options: Any) -> Any:
        if type(indices) is Array and type(a) is not Array:
            return np.asarray(a).view(Known)[indices]
        return np.take(a, indices, axis, **options)

    def where(self, condition: Any, *choices: Any) -> Any:
        """Write ``np.where``; of two texts it makes labels."""
        if type(condition) is Array and choices and all(isinstance(c, str) for c in choices):
            yes, no = map(str, choices)
            if yes == no or (condition.ndim == 2 and condition.shape[1] != 1):
                mixes_rows("labels of several columns, or one label for all rows,")
            made = ops.labels(condition.astype(bool).wire, [no, yes])
            return Array(made[:, 0] if condition.ndim == 1 else made)
        return np.where(condition, *choices)

    def len(self, x: Any) -> Any:
        return x.shape[0] if type(x) is Array or hasattr(x, "_sclbl_array") else len(x)


def _is_followed(x: Any) -> bool:
    return type(x) is Array or hasattr(x, "_sclbl_array")


def _has_rows(shape: Any) -> bool:
    return any(
        isinstance(n, Rows) for n in (shape if isinstance(shape, (tuple, list)) else [shape])
    )


def _holds_columns(x: Any) -> bool:
    """Return whether a list holds columns, which become rows of an array."""
    listed = isinstance(x, (list, tuple)) and len(x) > 0
    return listed and all(type(c) is Array and c.ndim == 1 for c in x)


class Joined:
    """What stands for `numpy.c_`."""

    def __getitem__(self, key: Any) -> Any:
        given = key if isinstance(key, tuple) else (key,)
        parts = tuple(p._sclbl_array() if hasattr(p, "_sclbl_array") else p for p in given)
        if any(type(p) is Array for p in parts):
            return np.column_stack(parts)
        return np.c_[key]
