"""Stand-ins of DataFrames, in code that users wrote: columns by name, each with its dtype.

What chooses, orders and names columns is asked of pandas itself, by a frame of their positions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import promotion
from sclbl.strippers.columns import Table
from sclbl.strippers.graph import Builder
from sclbl.strippers.tracing.along import Along
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.located import Located, parts_of
from sclbl.strippers.tracing.operators import (
    NOT_GIVEN,
    NUMBERED,
    OPERATORS,
    REDUCTIONS,
    Index,
    Typed,
    add_operators,
    require_type,
    through_arrays,
)
from sclbl.strippers.tracing.options import as_in, require_defaults
from sclbl.strippers.tracing.replacing import by_columns
from sclbl.strippers.tracing.series import Series, column_of, of_one_wire
from sclbl.strippers.wire import Rows, mixes_rows

#: What chooses, orders or names columns.
_STRUCTURE = (
    "add_prefix", "add_suffix", "drop", "filter", "get", "reindex", "rename", "rename_axis",
    "set_axis", "squeeze",
)  # fmt: skip
#: What a method does to each column alone.
_BY_COLUMN = ("abs", "clip", "isna", "isnull", "notna", "notnull")


class Frame(Along):
    """What stands for a DataFrame."""

    __hash__ = object.__hash__
    __array_priority__ = 3000

    def __init__(self, columns: Sequence[Series], names: pd.Index[Any], index: Index) -> None:
        vars(self).update(_sclbl_columns=list(columns), _names=names, _index=index)

    _sclbl_columns: list[Series]
    _names: pd.Index[Any]
    _index: Index

    @property  # type: ignore[misc]  # what isinstance is told
    def __class__(self) -> type:
        return pd.DataFrame

    @property
    def _build(self) -> Builder:
        return self._sclbl_columns[0]._build

    def _sclbl_array(self) -> Array:
        """Return what ``to_numpy()`` gives."""
        held = promotion.array_dtype(c.dtype for c in self._sclbl_columns)
        if held.kind == "O":
            raise UnsupportedModelError(
                "an array is made of columns of text, objects or truths beside numbers, of which "
                'pandas makes objects; choose columns of numbers first, or .astype("float64")'
            )
        arrays = [c._sclbl_array() for c in self._sclbl_columns]
        columns: Any = [x if x.dtype == held else x.astype(held) for x in arrays]
        return np.column_stack(columns)  # type: ignore[return-value]  # of stand-ins

    def _sclbl_table(self) -> Table:
        if not self._sclbl_columns:
            raise UnsupportedModelError("a DataFrame without columns is returned")
        cells = [self._column(i)._sclbl_table().cells[0] for i in range(len(self._names))]
        return Table(self._build, tuple(cells), frame=True)

    # -------------------------------------------------------------------------- parts

    def __iter__(self) -> Iterator[Any]:
        return iter(self._names)

    def _column(self, place: int) -> Series:
        column = self._sclbl_columns[place]
        return column.rename(self._names[place])

    def _positions(self) -> pd.DataFrame:
        return pd.DataFrame([range(len(self._names))], columns=self._names)

    def _chosen(self, found: Any) -> Any:
        """Return the columns that pandas chose among their positions."""
        if isinstance(found, pd.Series) and len(found) == 1 and found.dtype.kind == "i":
            return self._sclbl_columns[int(found.iloc[0])].rename(found.name)
        whole = isinstance(found, pd.DataFrame) and len(found) == 1
        if not whole or any(d.kind != "i" for d in found.dtypes):
            mixes_rows("a choice of rows, or of columns that are not there,")
        columns = [self._sclbl_columns[int(p)].copy() for p in found.iloc[0]]
        return Frame(columns, found.columns, self._index)

    def __getitem__(self, key: Any) -> Any:
        if callable(key):
            key = key(self)
        if isinstance(key, (pd.Series, pd.DataFrame, slice)) or type(key) is Array:
            mixes_rows("a choice of rows, df[...],")
        try:
            found = self._positions()[key]
        except KeyError as error:
            there = ", ".join(map(repr, self._names[:20])) + ", ..." * (len(self._names) > 20)
            said = error.args[0] if "index" in str(error) else f"there is no column {key!r}"
            raise KeyError(f"{said}; the columns are {there}") from error
        return self._chosen(found)

    def __getattr__(self, name: str) -> Any:
        if name[:1] != "_" and name in self._names:
            return self[name]
        if name in _STRUCTURE:
            return self._structure(name)
        if name in REDUCTIONS and callable(getattr(pd.DataFrame, name, None)):
            return functools.partial(self._reduced, name)
        if name in REDUCTIONS:
            mixes_rows(f"DataFrame.{name}")
        if name == "eval":
            raise UnsupportedModelError(
                "DataFrame.eval takes a text of code; write it out, df['a'] / df['b']"
            )
        if name[:1] != "_" and hasattr(pd.DataFrame, name):
            raise UnsupportedModelError(f"DataFrame.{name} has no equivalent in a program")
        raise AttributeError(f"'DataFrame' object has no attribute {name!r}")

    def _structure(self, name: str) -> Callable[..., Any]:
        def method(*args: Any, **options: Any) -> Any:
            inplace = options.pop("inplace", False)
            made = self._chosen(getattr(self._positions(), name)(*args, **options))
            if not inplace:
                return made
            vars(self).update(vars(made))
            return None

        return method

    @property
    def columns(self) -> Any:
        return self._names

    @property
    def dtypes(self) -> Any:
        return pd.Series([c.dtype for c in self._sclbl_columns], index=self._names, dtype=object)

    @property
    def index(self) -> Index:
        return self._index

    @property
    def shape(self) -> tuple[Any, ...]:
        return (Rows(), len(self._names))

    @property
    def ndim(self) -> int:
        return 2

    @property
    def values(self) -> Array:
        return self._sclbl_array()

    @property
    def loc(self) -> Any:
        return Located(self, "loc")

    @property
    def iloc(self) -> Any:
        return Located(self, "iloc")

    @as_in(pd.DataFrame.to_numpy)
    def to_numpy(self, dtype: Any = None) -> Array:
        found = self._sclbl_array()
        return found if dtype is None else found.astype(dtype)

    def copy(self, deep: bool = True) -> Frame:
        return Frame([c.copy() for c in self._sclbl_columns], self._names, self._index)

    @as_in(pd.DataFrame.reset_index)
    def reset_index(self, drop: bool = False) -> Frame:
        if not drop:
            mixes_rows("an index as a column")
        columns = [c.reset_index(drop=True) for c in self._sclbl_columns]
        return Frame(columns, self._names, NUMBERED)

    def select_dtypes(self, include: Any = None, exclude: Any = None) -> Any:
        witness = pd.DataFrame({i: c._witness for i, c in enumerate(self._sclbl_columns)})
        found = witness.select_dtypes(include, exclude)
        return self._chosen(self._positions().iloc[:, list(found.columns)])

    # ------------------------------------------------------------------------- writing

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "columns":
            vars(self)["_names"] = self._positions().set_axis(value, axis=1).columns
        elif name in self._names:
            self[name] = value
        else:
            raise AttributeError(f"DataFrame.{name} is set")

    def __setitem__(self, key: Any, value: Any) -> None:
        if type(key) is Frame:
            columns = [
                c.mask(t, value)
                for c, t in zip(self._sclbl_columns, key._sclbl_columns, strict=True)
            ]
            vars(self)["_sclbl_columns"] = columns
            return
        if isinstance(key, (pd.Series, slice)) or type(key) is Array:
            mixes_rows("what is written to some rows, df[...] =,")
        keys = list(key) if isinstance(key, (list, pd.Index, np.ndarray)) else [key]
        if keys != [key]:
            values = parts_of(value, len(keys))
        else:
            values = [value[value.columns[0]] if type(value) is Frame else value]
        for one, part in zip(keys, values, strict=True):
            self._set(one, part)

    def _become(self, made: Frame) -> None:
        vars(self).update(vars(made))

    def _set(self, name: Any, value: Any) -> None:
        column = self._made_column(name, value)
        found = np.flatnonzero(np.asarray(self._names == name))
        if len(found) > 1:
            raise UnsupportedModelError(f"several columns are called {name!r}")
        if len(found):
            self._sclbl_columns[int(found[0])] = column
            return
        self._sclbl_columns.append(column)
        vars(self)["_names"] = self._names.append(pd.Index([name]))

    def _made_column(self, name: Any, value: Any) -> Series:
        """Return what becomes a column of this frame."""
        if type(value) is Series:
            self._sclbl_columns[0]._operand(value)  # of the same index
            return value.rename(name)
        if type(value) is Array:
            if value.ndim == 2 and value.shape[1] != 1:
                mixes_rows("an array of several columns as one")
            return column_of(value.ravel(), name, self._index)
        if isinstance(value, (bool, int, float, np.number)):
            like = next((c for c in self._sclbl_columns if not c._is_text), None)
            if like is None:
                mixes_rows("a number in a DataFrame of text alone")
            dtype = pd.Series(value).dtype
            made: Any = np.full_like(like._numbers("a constant"), value, dtype=dtype)  # type: ignore[arg-type]
            return column_of(Array(made), name, self._index)
        if isinstance(value, Rows):
            mixes_rows("the number of rows, len(df),")
        raise UnsupportedModelError(
            f"the column {name!r} is made of {type(value).__name__}; give numbers or columns"
        )

    def __delitem__(self, name: Any) -> None:
        vars(self).update(vars(self.drop(columns=name)))

    def pop(self, name: Any) -> Series:
        found = self[name]
        del self[name]
        return found  # type: ignore[no-any-return]

    @as_in(pd.DataFrame.insert)
    def insert(self, loc: int, column: Any, value: Any) -> None:
        if column in self._names:
            raise ValueError(f"cannot insert {column}, already exists")
        self[column] = value
        order = [*range(len(self._names) - 1)]
        order.insert(loc, len(self._names) - 1)
        vars(self).update(vars(self.iloc[:, order]))

    def assign(self, **columns: Any) -> Frame:
        made = self.copy()
        for name, value in columns.items():
            made[name] = value(made) if callable(value) else value
        return made

    def pipe(self, function: Any, *args: Any, **options: Any) -> Any:
        return function(self, *args, **options)

    # --------------------------------------------------------------------- arithmetic

    def _by_column(self, function: Callable[[Series], Any]) -> Frame:
        return Frame([function(c) for c in self._sclbl_columns], self._names, self._index)

    def _binary(
        self, name: str, other: Any, *, swapped: bool = False, rowwise: bool = False
    ) -> Any:
        def one(column: Series, part: Any) -> Any:
            return column._binary(name, part, swapped=swapped)

        sides = self._sides(other, rowwise)
        together = self._together(OPERATORS[name], (other, self) if swapped else (self, other))
        if together is not None:
            return together
        pairs = zip(self._sclbl_columns, sides, strict=True)
        return Frame([one(c, part) for c, part in pairs], self._names, self._index)

    def _together(self, function: Any, operands: Sequence[Any]) -> Frame | None:
        """Write a function of all columns at once; None where they are not of one wire."""
        wires: list[Any] = []
        for x in operands:
            alone = isinstance(x, (bool, int, float, np.number))
            found = of_one_wire(x._sclbl_columns) if type(x) is Frame else x if alone else None
            if found is None:
                return None
            wires.append(found)
        witnesses = [x._sclbl_columns[0]._witness if type(x) is Frame else x for x in operands]
        with np.errstate(all="ignore"):
            witness = function(*witnesses)
        with self._build.computed_by("pandas"):
            made = function(*wires)
        require_type(made, witness)
        columns = [
            Series(made, witness.rename(name), self._index, None, i)
            for i, name in enumerate(self._names)
        ]
        return Frame(columns, self._names, self._index)

    def _sides(self, other: Any, rowwise: bool = False) -> list[Any]:
        """Return the other side of an operator for each column."""
        count = len(self._names)
        if type(other) is Frame:
            if not other._names.equals(self._names):
                raise UnsupportedModelError(
                    "DataFrames of different columns meet, which pandas fills with NaN; choose the "
                    "same columns of both"
                )
            return list(other._sclbl_columns)
        if type(other) is Series:
            return [other] * count if rowwise else mixes_rows(
                "a DataFrame and a column, which pandas joins by names; .div(column, axis=0),"
            )  # fmt: skip
        if rowwise and np.ndim(other):
            mixes_rows("a DataFrame and numbers for each row")
        if isinstance(other, pd.Series):
            if not other.index.equals(self._names):
                raise UnsupportedModelError(
                    "numbers for each column have other names than the columns; reindex them first"
                )
            return _typed(other)
        if type(other) is Array:
            if other.ndim != 2 or other.shape[1] != count:
                mixes_rows("a DataFrame and an array of other columns")
            return [other[:, i] for i in range(count)]
        if isinstance(other, (list, tuple, np.ndarray)) and np.ndim(other):
            return _typed(pd.Series(np.broadcast_to(other, count)))
        return [other] * count

    def _method(
        self, name: str, other: Any, axis: Any = "columns", swapped: bool = False, **options: Any
    ) -> Any:
        require_defaults(f"DataFrame.{name}", options, {})
        return self._binary(name, other, swapped=swapped, rowwise=axis in (0, "index"))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        require_defaults(f"np.{ufunc.__name__}", {k: options[k] for k in options if k != "out"}, {})
        if method != "__call__" or options:
            return NotImplemented
        sides = [self._sides(x) for x in inputs]
        together = self._together(ufunc, inputs)
        if together is not None:
            return together
        return Frame(
            [ufunc(*parts) for parts in zip(*sides, strict=True)], self._names, self._index
        )

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return through_arrays(function, args, options)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        self._sclbl_columns[0]._wire.__array__()

    def __neg__(self) -> Any:
        return self._by_column(lambda c: -c)

    def __abs__(self) -> Any:
        return self._by_column(abs)

    def __invert__(self) -> Any:
        return self._by_column(lambda c: ~c)

    def __matmul__(self, other: Any) -> Any:
        mixes_rows("a product of a DataFrame, X @ w; use X.to_numpy() @ w,")

    def __bool__(self) -> NoReturn:
        mixes_rows("a decision by the values of X (if, and, or, while)")

    def __len__(self) -> NoReturn:
        mixes_rows("the number of rows")

    def __contains__(self, name: Any) -> bool:
        return name in self._names

    def keys(self) -> Any:
        return self._names

    def items(self) -> Any:
        return [(name, self._column(i)) for i, name in enumerate(self._names)]

    def apply(self, func: Any, axis: Any = 0, **options: Any) -> Any:
        if axis not in (0, "index"):
            mixes_rows("DataFrame.apply(axis=1), which calls a function for each row,")
        return self._by_column(lambda c: func(c.copy(), **options))

    def _of_each(self, name: str, values: Any, *args: Any, **options: Any) -> Frame:
        """Call a method of each column with a value of its own, or with one for all."""
        if isinstance(values, (dict, pd.Series)):
            return Frame(
                [
                    getattr(c, name)(values[n], *args, **options) if n in values else c.copy()
                    for n, c in zip(self._names, self._sclbl_columns, strict=True)
                ],
                self._names,
                self._index,
            )
        return self._by_column(lambda c: getattr(c, name)(values, *args, **options))

    @as_in(pd.DataFrame.fillna)
    def fillna(self, value: Any) -> Frame:
        if type(value) is Frame:
            missing = zip(self._sclbl_columns, self._sides(value), strict=True)
            made = [column.fillna(other) for column, other in missing]
            return Frame(made, self._names, self._index)
        if type(value) is Series:
            mixes_rows("DataFrame.fillna with a column, which pandas takes by the columns' names,")
        return self._of_each("fillna", value)

    @as_in(pd.DataFrame.astype)
    def astype(self, dtype: Any) -> Frame:
        return self._of_each("astype", dtype)

    @as_in(pd.DataFrame.replace)
    def replace(self, to_replace: Any = None, value: Any = NOT_GIVEN) -> Frame:
        found: Frame = by_columns(self, to_replace, value)
        return found

    @as_in(pd.DataFrame.join)
    def join(self, other: Any) -> Frame:
        beside: Any = other.to_frame() if type(other) is Series else other
        if type(beside) is not Frame:
            raise UnsupportedModelError(
                "DataFrame.join with other rows looks each row up among them; use Series.map with "
                "a dict for each column"
            )
        columns = [*self._sclbl_columns, *beside._sclbl_columns]
        self._sclbl_columns[0]._operand(beside._sclbl_columns[0])  # of the same index
        if any(name in self._names for name in beside._names):
            raise ValueError("columns overlap but no suffix specified")
        return Frame(columns, self._names.append(beside._names), self._index)

    @as_in(pd.DataFrame.round)
    def round(self, decimals: Any = 0) -> Frame:
        return self._of_each("round", decimals)

    def isin(self, values: Any) -> Frame:
        if isinstance(values, (dict, pd.Series, pd.DataFrame)):
            raise UnsupportedModelError(
                "DataFrame.isin of anything but a list for all columns; write it column by column, "
                "X[name].isin([...])"
            )
        return self._by_column(lambda c: c.isin(values))

    @as_in(pd.DataFrame.where)
    def where(self, cond: Any, other: Any = np.nan) -> Frame:
        return self._masked("where", cond, other)

    @as_in(pd.DataFrame.mask)
    def mask(self, cond: Any, other: Any = np.nan) -> Frame:
        return self._masked("mask", cond, other)

    def _masked(self, name: str, cond: Any, other: Any) -> Frame:
        condition = cond(self) if callable(cond) else cond
        if type(condition) is not Frame:
            mixes_rows(f"DataFrame.{name} with a condition that is no DataFrame")
        parts = zip(self._sclbl_columns, self._sides(condition), self._sides(other), strict=True)
        made = [getattr(c, name)(t, o.number[0] if type(o) is Typed else o) for c, t, o in parts]
        return Frame(made, self._names, self._index)


def _each(name: str) -> Callable[..., Any]:
    def method(self: Frame, *args: Any, **options: Any) -> Any:
        if any(type(x) in (Frame, Array, dict, pd.Series) for x in (*args, *options.values())):
            raise UnsupportedModelError(
                f"DataFrame.{name} with numbers for each column; call it on each column"
            )
        return self._by_column(lambda c: getattr(c, name)(*args, **options))

    return method


for _name in _BY_COLUMN:
    setattr(Frame, _name, _each(_name))
add_operators(Frame)


def _to_frame(self: Series, name: Any = None) -> Frame:
    named = self if name is None else self.rename(name)
    return Frame([named], pd.Index([named.name]), self._index)


Series.to_frame = _to_frame  # type: ignore[attr-defined]  # DataFrames are made of columns


def _typed(numbers: pd.Series[Any]) -> list[Typed]:
    """Return numbers for each column, which are of the type that they have together."""
    if not isinstance(numbers.dtype, np.dtype) or numbers.dtype.kind not in "fiub":
        raise UnsupportedModelError(f"a DataFrame and values of {numbers.dtype} for each column")
    values = numbers.to_numpy()
    return [Typed(values[i : i + 1]) for i in range(len(values))]


def _parts(value: Any, count: int) -> list[Any]:
    """Return what is written into several columns, one by one."""
    if type(value) is Frame and value.shape[1] == count:
        return list(value._sclbl_columns)
    if type(value) is Array and value.ndim == 2 and value.shape[1] == count:
        return [value[:, i].copy() for i in range(count)]
    if np.ndim(value) == 0:
        return [value] * count
    raise UnsupportedModelError(f"{type(value).__name__} is written into {count} columns")
