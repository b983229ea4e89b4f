"""Stand-ins of a DataFrame's columns, in code that users wrote.

Beside each goes its witness, a column of pandas itself with a row of its dtype: whatever is done to
the one is done to the other, so names and dtypes are pandas' own, and so are its errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, cast

import numpy as np
import pandas as pd

from sclbl.errors import UnsupportedModelError
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import conversions, promotion
from sclbl.strippers.columns import Cell, Table
from sclbl.strippers.conversions import WIDE
from sclbl.strippers.graph import Builder
from sclbl.strippers.tracing.arrays import Array, number_of
from sclbl.strippers.tracing.lookups import entries, members
from sclbl.strippers.tracing.operators import (
    COMPARE,
    EACH_VALUE,
    LOGIC,
    NOT_GIVEN,
    NUMBERED,
    OPERATORS,
    REDUCTIONS,
    Index,
    Typed,
    add_operators,
    held,
    is_frame,
    require_type,
    through_arrays,
)
from sclbl.strippers.tracing.options import as_in, require_defaults
from sclbl.strippers.tracing.replacing import replaced
from sclbl.strippers.wire import Rows, Wire, mixes_rows


class Series:
    """What stands for a column of a DataFrame."""

    __hash__ = object.__hash__
    __array_priority__ = 2000

    def __init__(
        self,
        wire: Wire,
        witness: pd.Series[Any],
        index: Index,
        cell: Cell | None = None,
        place: int = 0,
    ) -> None:
        #: The column is this one of the wire's.
        self._base, self._place = wire, place
        self._witness, self._index, self._cell = witness, index, cell

    @property
    def _wire(self) -> Wire:
        return self._base if self._base.ndim == 1 else self._base[:, self._place]

    @property  # type: ignore[misc]  # what isinstance is told
    def __class__(self) -> type:
        return pd.Series

    @property
    def _build(self) -> Builder:
        return self._base.builder

    def _sclbl_array(self) -> Array:
        """Return what ``to_numpy()`` gives."""
        if self._is_text or not isinstance(self.dtype, np.dtype):
            raise UnsupportedModelError(
                f"an array is made of the column {self.name!r} of {self.dtype}, which is written "
                'for columns of NumPy\'s numbers only; .astype("float64") first'
            )
        return Array(self._wire)

    def _sclbl_table(self) -> Table:
        if self._cell is not None:
            return Table(self._build, (replace(self._cell, name=_text(self.name)),))
        kind = "text" if self._is_text else promotion.kind_of(self._base.numbers)
        cell = Cell(self._base, self._place, _text(self.name), kind, self.dtype)
        return Table(self._build, (cell,))

    @property
    def _is_text(self) -> bool:
        return self._base.dtype == "text"

    def _made(self, wire: Any, witness: Any) -> Series:
        """Return a column that was computed, where its numbers are of the type that pandas has.

        Raises
        ------
        UnsupportedModelError
            Where they are not.
        """
        require_type(wire, witness)
        return Series(wire, witness, self._index)

    def _numbers(self, what: str) -> Wire:
        if self._is_text:
            raise UnsupportedModelError(
                f"{what} of the column {self.name!r}, which holds text; ==, !=, isin, isna, notna, "
                "fillna and map with a dict are written for text"
            )
        if promotion.numpy_dtype(self.dtype).kind == "O" or hasattr(self.dtype, "pyarrow_dtype"):
            raise UnsupportedModelError(
                f"{what} of the column {self.name!r}, which is of {self.dtype}; give it a type of "
                "NumPy's numbers, in example_input and in the rows that the model is asked"
            )
        return self._wire

    # ----------------------------------------------------------------------- operators

    def _binary(self, name: str, other: Any, *, swapped: bool = False) -> Any:
        function = OPERATORS[name]
        if is_frame(other):
            return NotImplemented
        wire_of, witness_of = self._operand(other)
        if self._is_text:
            return self._compared(name, other)
        own = self._numbers(f"the operator {name}")
        if type(other) is Series:
            other._numbers(f"the operator {name}")
        if name in (*COMPARE, *LOGIC) and not isinstance(self.dtype, np.dtype):
            raise UnsupportedModelError(
                f"the column {self.name!r} of {self.dtype} is compared, which gives NA where it is "
                'missing; .astype("float64") first'
            )
        a, b = (wire_of, own) if swapped else (own, wire_of)
        witnesses = (witness_of, self._witness) if swapped else (self._witness, witness_of)
        with np.errstate(all="ignore"):
            witness = function(*witnesses)
        with self._build.computed_by("pandas"):
            made = function(a, b)
        return self._made(made, witness)

    def _operand(self, other: Any) -> tuple[Any, Any]:
        """Return the other side of an operator as a wire or a number, and its witness."""
        if type(other) is Series:
            if other._index is not self._index:
                raise UnsupportedModelError(
                    "columns of different indexes meet, which pandas joins by their labels; make "
                    "the new one with index=X.index"
                )
            return other._wire, other._witness
        if type(other) is Array:
            if other.ndim != 1:
                mixes_rows("a column and an array of two axes")
            return other.wire, np.ones(1, other.dtype)
        if type(other) is Typed:
            return other.number, other.number
        if isinstance(other, np.ndarray) and other.ndim == 0:
            other = other[()]
        if np.ndim(other) == 0 and not isinstance(other, (list, tuple, dict)):
            return other, other
        mixes_rows(f"a column and {type(other).__name__} of a fixed length")

    def _compared(self, name: str, other: Any) -> Series:
        """Compare text with a text."""
        if name not in ("eq", "ne") or not isinstance(other, str):
            self._numbers(f"the operator {name}")
        witness = OPERATORS[name](self._witness, other)
        if witness.dtype != bool:
            raise UnsupportedModelError(
                f"the column {self.name!r} of {self.dtype} is compared, which gives NA where it is "
                "missing; hold it as str or object, in example_input and in the model's rows"
            )
        found = self._build.binary("Equal", self._wire, np.full(1, other, dtype=object))
        made: Any = replace(found, ndim=1)
        return Series(made if name == "eq" else ~made, witness, self._index)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        require_defaults(f"np.{ufunc.__name__}", {k: options[k] for k in options if k != "out"}, {})
        if method != "__call__" or options or any(is_frame(x) for x in inputs):
            return NotImplemented
        sides = [self._operand(x) for x in inputs]
        for x in inputs:
            if type(x) is Series:
                x._numbers(f"np.{ufunc.__name__}")
        with np.errstate(all="ignore"):
            witness = ufunc(*(w for _, w in sides))
        with self._build.computed_by("pandas"):
            made = ufunc(*(x for x, _ in sides))
        return self._made(made, witness)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return through_arrays(function, args, options)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        self._wire.__array__()

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self.abs()

    def __invert__(self) -> Any:
        return np.invert(self)

    def __round__(self, decimals: int = 0) -> Any:
        return self.round(decimals)

    def __bool__(self) -> NoReturn:
        mixes_rows("a decision by the values of X (if, and, or, while)")

    def __len__(self) -> NoReturn:
        mixes_rows("the number of rows")

    def __iter__(self) -> NoReturn:
        mixes_rows("a loop over the rows")

    def __float__(self) -> NoReturn:
        mixes_rows("one number made of all rows")

    __int__ = __float__

    def __getitem__(self, key: Any) -> NoReturn:
        mixes_rows("a choice of rows, column[...],")

    def __setitem__(self, key: Any, value: Any) -> None:
        if type(key) is not Series:
            mixes_rows("a choice of rows, column[...],")
        self._become(self.mask(key, value))

    def _become(self, made: Series) -> None:
        """Hold what was computed of it; the name stays."""
        witness = made._witness.rename(self.name)
        self._base, self._place, self._witness, self._cell = made._base, made._place, witness, None

    def __getattr__(self, name: str) -> NoReturn:
        if name in EACH_VALUE:
            raise UnsupportedModelError(f"Series.{name} {EACH_VALUE[name]}")
        if name in REDUCTIONS:
            mixes_rows(f"Series.{name}")
        if name[:1] != "_" and hasattr(pd.Series, name):
            raise UnsupportedModelError(f"Series.{name} has no equivalent in a program")
        raise AttributeError(f"'Series' object has no attribute {name!r}")

    # ------------------------------------------------------------------------- columns

    @property
    def name(self) -> Any:
        return self._witness.name

    @name.setter
    def name(self, name: Any) -> None:
        self._witness = self._witness.rename(name)

    @property
    def dtype(self) -> Any:
        return self._witness.dtype

    @property
    def index(self) -> Index:
        return self._index

    @property
    def shape(self) -> tuple[Any, ...]:
        return (Rows(),)

    @property
    def ndim(self) -> int:
        return 1

    @property
    def values(self) -> Array:
        return self._sclbl_array()

    @as_in(pd.Series.to_numpy)
    def to_numpy(self, dtype: Any = None) -> Array:
        found = self._sclbl_array()
        return found if dtype is None else found.astype(dtype)

    def copy(self, deep: bool = True) -> Series:
        return Series(self._base, self._witness, self._index, self._cell, self._place)

    @as_in(pd.Series.rename)
    def rename(self, index: Any = None) -> Series:
        name = index
        if callable(name) or isinstance(name, Mapping):
            mixes_rows("renaming rows")
        return Series(self._base, self._witness.rename(name), self._index, self._cell, self._place)

    @as_in(pd.Series.astype)
    def astype(self, dtype: Any) -> Series:
        witness = self._witness.astype(dtype)
        if witness.dtype == self.dtype:
            if not self._is_text and self._base.numbers.kind in "iu":
                conversions.hold(self._wire, wide=True)  # of what is missing there is no integer
            return self.copy()
        if not isinstance(witness.dtype, np.dtype) or witness.dtype.kind not in "fiub":
            raise UnsupportedModelError(f"astype({dtype!r}) is not written; use a type of numbers")
        own = self._numbers("astype")
        if not isinstance(self.dtype, np.dtype) and witness.dtype.kind != "f":
            raise UnsupportedModelError("NA has no integer; fill it in and use float64")
        return self._made(conversions.astype(own, witness.dtype), witness)

    def abs(self) -> Series:
        found: Any = np.absolute(self)
        return cast(Series, found)

    @as_in(pd.Series.round)
    def round(self, decimals: int = 0) -> Series:
        own = self._numbers("round")
        if own.numbers.kind == "b" or (own.numbers.kind in "iu" and decimals >= 0):
            return self.copy()
        return self._made(own.builder.numpy.function(np.round, (own, decimals), {}), self._witness)

    def isna(self) -> Series:
        if self._is_text:
            markers = [replace(self._equal(text), ndim=1) for text in MISSING_TEXTS.values()]
            found: Any = markers[0] | markers[1] | markers[2]
        elif self._cell is None and not isinstance(self.dtype, np.dtype):
            raise UnsupportedModelError(
                f"isna of a computed column of {self.dtype}, which tells NaN from NA; convert it "
                'with .astype("float64") first'
            )
        else:
            found = np.isnan(self._numbers("isna"))
        return Series(found, self._witness.isna(), self._index)

    isnull = isna

    def notna(self) -> Series:
        return ~self.isna()  # type: ignore[no-any-return]

    notnull = notna

    def apply(self, func: Any) -> Series:
        if not isinstance(func, np.ufunc):
            raise UnsupportedModelError(f"Series.apply {EACH_VALUE['apply']}")
        found: Any = func(self)
        return cast(Series, found)

    @as_in(pd.Series.replace)
    def replace(self, to_replace: Any = None, value: Any = NOT_GIVEN) -> Series:
        found: Series = replaced(self, to_replace, value)
        return found

    def _equal(self, text: str) -> Wire:
        return self._build.binary("Equal", self._wire, np.full(1, text, dtype=object))

    @as_in(pd.Series.fillna)
    def fillna(self, value: Any) -> Series:
        if type(value) in (dict, pd.Series):
            mixes_rows("Series.fillna with a value for each row")
        whole = not self._is_text and self._base.numbers.kind in "iub"
        if whole and not isinstance(self.dtype, np.dtype):
            raise UnsupportedModelError('fillna of nullable integers; .astype("float64") first')
        if whole and self._base.numbers.kind in "iu" and self._base.numbers.itemsize >= 4:
            # In rows that lack a number they are float64 to pandas.
            return self.copy() if self._wire.dtype in WIDE else self.mask(self.isna(), value)
        truths = self._base.numbers.kind == "b"
        if whole and not isinstance(value, bool if truths else (int, np.integer)):
            # Rows that lack a number are another dtype to pandas.
            conversions.hold(self._wire, wide=True)
            return self.copy()
        return self.mask(self.isna(), value)

    @as_in(pd.Series.where)
    def where(self, cond: Any, other: Any = np.nan) -> Series:
        return self._chosen(cond, other, keep=True)

    @as_in(pd.Series.mask)
    def mask(self, cond: Any, other: Any = np.nan) -> Series:
        return self._chosen(cond, other, keep=False)

    def _chosen(self, cond: Any, other: Any, *, keep: bool) -> Series:
        """Put other values where a condition holds, or does not."""
        condition, _ = self._operand(cond)
        if not isinstance(condition, Wire) or condition.numbers.kind != "b":
            raise UnsupportedModelError("a condition that is no column of truths")
        value, _ = self._operand(other)
        if self._is_text:
            if not isinstance(value, str):
                raise UnsupportedModelError(
                    f"{value!r} is put into the column {self.name!r}, which holds text"
                )
            self._witness.mask(np.ones(1, bool), value)  # refused where no category is this
            value = np.full(1, value, dtype=object)
            a, b = (self._wire, value) if keep else (value, self._wire)
            made = replace(self._build.where(condition, a, b), ndim=1)
            return Series(made, self._witness, self._index)
        own, witness = self._numbers("where"), self._witness
        wide = own.numbers.kind in "iu" and own.numbers.itemsize >= 4
        other_is_float = isinstance(value, Wire) and value.numbers.kind == "f"
        fraction = isinstance(value, (float, np.floating)) and not float(value).is_integer()
        if wide and (other_is_float or fraction):
            # pandas does so in calls that need the value; in others integers stay what they are.
            own, witness = own.astype(np.float64), witness.astype(np.float64)
        value = held(value, own.numbers)
        pair = (own, value) if keep else (value, own)
        made = self._build.numpy.function(np.where, (condition, *pair), {})
        return self._made(made, witness)

    @as_in(pd.Series.clip)
    def clip(self, lower: Any = None, upper: Any = None) -> Series:
        bounds = [b for b in (lower, upper) if b is not None]
        if any(np.ndim(b) or b != b for b in bounds):
            raise UnsupportedModelError("clip between something else than two numbers")
        if len(bounds) == 2:
            lower, upper = min(bounds), max(bounds)
        found, missing = self, self.isna()
        if lower is not None:
            found = found.where(missing | (self >= lower), lower)
        if upper is not None:
            found = found.where(missing | (self <= upper), upper)
        return found

    def between(self, left: Any, right: Any, inclusive: str = "both") -> Any:
        low = self >= left if inclusive in ("both", "left") else self > left
        high = self <= right if inclusive in ("both", "right") else self < right
        return low & high

    def isin(self, values: Any) -> Any:
        listed = list(dict.fromkeys(values))
        for value in listed:
            if not isinstance(value, (str, int, float, np.number)) or value != value:
                raise UnsupportedModelError("isin is written for lists of texts or numbers")
        if not listed:
            raise UnsupportedModelError("isin of an empty list")
        if self._is_text or not isinstance(self.dtype, np.dtype):
            return self._any_of(listed)
        if any(isinstance(value, str) for value in listed):
            raise UnsupportedModelError("isin of a column of numbers in a list of texts")
        found = members(listed, self.dtype)
        missing: Any = self.isna()
        return self._any_of(found) if found else missing & ~missing

    def _any_of(self, values: Sequence[Any]) -> Any:
        found: Any = None
        for value in values:
            one = self == value
            found = one if found is None else found | one
        return found

    @as_in(pd.Series.map)
    def map(self, func: Any) -> Series:
        """Look up numbers in a dict; what is not in it is NaN."""
        arg = func
        if isinstance(arg, np.ufunc):
            found: Any = arg(self)
            return cast(Series, found)
        table = arg.to_dict() if isinstance(arg, pd.Series) and arg.index.is_unique else arg
        if not isinstance(table, dict) or hasattr(type(table), "__missing__"):
            raise UnsupportedModelError(
                "Series.map of a function works on each value by itself; use operators on the "
                "whole column, or a dict of numbers"
            )
        keys, numbers = list(table), np.array(list(table.values()))
        fit = all(isinstance(k, str) == self._is_text and k == k for k in keys)
        if not keys or not fit or numbers.dtype.kind not in "iufb":
            raise UnsupportedModelError("Series.map is written for a dict of numbers")
        if not isinstance(self.dtype, np.dtype) and not self.dtype == "str":
            raise UnsupportedModelError(
                f"Series.map of the column {self.name!r} of {self.dtype}; hold it as str or "
                "object, in example_input and in the model's rows"
            )
        if not self._is_text:
            found = entries(table, self.dtype) or {0.0: np.nan}
            keys, numbers = list(found), np.array(list(found.values()))
        made = number_of(self._wire, keys, numbers.astype(np.float64))
        return Series(made, pd.Series([1.0], name=self.name), self._index)

    @as_in(pd.Series.reset_index)
    def reset_index(self, drop: bool = False) -> Series:
        if not drop:
            mixes_rows("an index as a column")
        return Series(self._base, self._witness, NUMBERED, self._cell, self._place)


def _text(name: Any) -> str | None:
    return None if name is None else str(name)


def _method(self: Series, name: str, other: Any, swapped: bool = False, **options: Any) -> Any:
    axis = options.pop("axis", 0)
    require_defaults(f"Series.{name}", options, {})
    if axis not in (0, "index"):
        raise ValueError(f"No axis named {axis} for object type Series")
    return self._binary(name, other, swapped=swapped)


Series._method = _method  # type: ignore[attr-defined]
add_operators(Series)


def column_of(x: Array, name: Any, index: Index) -> Series:
    """Return an array of one axis as a column of a DataFrame."""
    wire = x.wire
    return Series(wire, pd.Series(np.ones(1, wire.numbers), name=name), index)


def of_one_wire(columns: Sequence[Series]) -> Wire | None:
    """Return columns of one of NumPy's dtypes as the one wire that they are columns of."""
    first = columns[0]
    alike = {(c._base.name, c.dtype, c._is_text) for c in columns}
    plain = isinstance(first.dtype, np.dtype) and first.dtype.kind in "fiub"
    if len(alike) > 1 or not plain or first._base.ndim == 1:
        return None
    places = [c._place for c in columns]
    return first._base if places == [*range(first._base.width)] else first._base[:, places]
