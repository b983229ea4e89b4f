"""Stand-ins of pandas' functions and classes, in code that users wrote."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import pandas as pd

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.frames import Frame
from sclbl.strippers.tracing.framing import side_by_side
from sclbl.strippers.tracing.operators import NUMBERED, Index
from sclbl.strippers.tracing.options import require_defaults
from sclbl.strippers.tracing.series import Series, column_of
from sclbl.strippers.wire import mixes_rows


def replaced() -> dict[int, tuple[Any, Any]]:
    """Return what has a stand-in, by its `id`, and that."""
    pairs: list[tuple[Any, Any]] = [
        (pd.DataFrame, DataFrame),
        (pd.Series, Column),
        (pd.concat, concat),
        (pd.to_numeric, to_numeric),
        *((f, _asked("isna", f)) for f in (pd.isna, pd.isnull)),
        *((f, _asked("notna", f)) for f in (pd.notna, pd.notnull)),
    ]
    written = {id(own): (own, stand_in) for own, stand_in in pairs}
    others = {id(f): (f, _unwritten(f)) for f in vars(pd).values() if isinstance(f, FunctionType)}
    return others | written


_INSTEAD = {
    "cut": "use np.digitize, or np.searchsorted, with the edges",
    "qcut": "use np.digitize with the edges that the training data gave",
    "get_dummies": "use a ColumnTransformer with scikit-learn's OneHotEncoder",
    "factorize": "use Series.map with a dict, or scikit-learn's OrdinalEncoder",
    "merge": "use Series.map with a dict for each column that is looked up",
    "to_datetime": "give the program numbers, made of dates before it",
}


def _unwritten(function: FunctionType) -> Callable[..., Any]:
    """Return what refuses stand-ins where a function is given any."""

    def refusing(*args: Any, **options: Any) -> Any:
        if any(map(_is_followed, (*args, *options.values()))):
            name = function.__name__
            advice = f"; {_INSTEAD[name]}" if name in _INSTEAD else ""
            raise UnsupportedModelError(f"pd.{name} has no equivalent in a program{advice}")
        return function(*args, **options)

    return refusing


class _Known(type):
    """Classes whose instances are pandas' own."""

    own: type

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.own)

    def __getattr__(cls, name: str) -> Any:
        found = getattr(cls.own, name)
        if not isinstance(found, FunctionType):
            return found

        def method(*args: Any, **options: Any) -> Any:
            if args and _is_followed(args[0]):
                return getattr(args[0], name)(*args[1:], **options)
            return found(*args, **options)

        return method

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.own

    def __hash__(cls) -> int:
        return hash(cls.own)


class DataFrame(metaclass=_Known):
    """What stands for `pandas.DataFrame`, called with stand-ins of columns."""

    own = pd.DataFrame

    def __new__(
        cls, data: Any = None, index: Any = None, columns: Any = None, dtype: Any = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        followed = _is_followed(data) or (
            isinstance(data, dict) and any(map(_is_followed, data.values()))
        )
        if not followed:
            return pd.DataFrame(data, index, columns, dtype, **options)
        require_defaults("pd.DataFrame", options, {})
        made = _frame(data, index, columns)
        return made if dtype is None else made.astype(dtype)


class Column(metaclass=_Known):
    """What stands for `pandas.Series`, called with a stand-in."""

    own = pd.Series

    def __new__(cls, data: Any = None, index: Any = None, *args: Any, **options: Any) -> Any:
        if not _is_followed(data):
            return pd.Series(data, index, *args, **options)
        more = {k: v for k, v in options.items() if k not in ("name", "dtype")}
        require_defaults("pd.Series", more, {"fastpath": False})
        name, dtype = options.get("name"), options.get("dtype", args[0] if args else None)
        made = data if type(data) is Series else column_of(data, name, _index(index))
        made = made if name is None else made.rename(name)
        return made if dtype is None else made.astype(dtype)


def _is_followed(x: Any) -> bool:
    return type(x) in (Array, Frame, Series)


def _index(given: Any) -> Index:
    if given is None:
        return NUMBERED
    if type(given) is not Index:
        mixes_rows("an index of fixed rows")
    return given


def _frame(data: Any, index: Any, columns: Any) -> Frame:
    if type(data) is Frame:
        return data.copy() if columns is None else data[list(columns)]
    if type(data) is Series:
        return data.to_frame() if columns is None else data.to_frame(*columns)
    if type(data) is Array:
        count = 1 if data.ndim == 1 else data.shape[1]
        names = pd.RangeIndex(count) if columns is None else pd.Index(columns)
        if len(names) != count:
            raise ValueError(f"{count} columns passed, passed data had {len(names)} columns")
        parts = [data] if data.ndim == 1 else [data[:, i].copy() for i in range(count)]
        return Frame([column_of(p, n, _index(index)) for p, n in zip(parts, names, strict=True)],
                     names, _index(index))  # fmt: skip
    own = [v.index for v in data.values() if type(v) is Series]
    where = own[0] if own and index is None else _index(index)
    first = next((k, v) for k, v in data.items() if _is_followed(v))
    made = side_by_side([_column(*first, where)])
    for name, value in data.items():
        made[name] = value
    wanted: Frame = made[list(data) if columns is None else list(columns)]
    return wanted


def _column(name: Any, value: Any, index: Index) -> Series:
    if type(value) is Array:
        return column_of(value.ravel(), name, index)
    renamed: Series = value.rename(name)
    return renamed


def concat(objs: Any, axis: Any = 0, **options: Any) -> Any:
    """Write ``pandas.concat`` of columns."""
    parts = list(objs)
    if not any(map(_is_followed, parts)):
        return pd.concat(parts, axis=axis, **options)
    if axis not in (1, "columns") or set(options) - {"copy", "join"}:
        mixes_rows("pd.concat of rows")
    return side_by_side(parts)


def to_numeric(arg: Any, **options: Any) -> Any:
    """Write ``pandas.to_numeric`` of numbers."""
    if type(arg) is Series and not arg._is_text and not options.get("downcast"):
        return arg.copy()
    if _is_followed(arg):
        raise UnsupportedModelError("pd.to_numeric of text; give example_input with numbers there")
    return pd.to_numeric(arg, **options)


def _asked(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def asked(obj: Any) -> Any:
        if type(obj) is Array:
            import numpy as np

            found: Any = np.isnan(obj)
            return found if name == "isna" else ~found
        return getattr(obj, name)() if _is_followed(obj) else function(obj)

    return asked


Column.__name__ = pd.Series.__name__
