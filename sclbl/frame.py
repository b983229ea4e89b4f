"""How a result stands in a DataFrame: what `sclbl.signature.Output` says of it."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

#: Libraries of DataFrames in which results are offered.
Library = Literal["pandas", "polars"]
LIBRARIES: tuple[Library, ...] = get_args(Library)

#: Dtypes of numbers that results are made in: NumPy's, pandas' own and those over Arrow.
_NUMBERS = re.compile(
    r"u?int(8|16|32|64)|float(16|32|64)|bool"
    r"|U?Int(8|16|32|64)|Float(32|64)|boolean"
    r"|(u?int(8|16|32|64)|float|double|bool)\[pyarrow\]"
)
#: Dtypes of text; objects hold numbers too.
_TEXTS = ("object", "str", "string")
_CATEGORY = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class Categories:
    """A categorical dtype of pandas.

    Parameters
    ----------
    values : tuple of str, int, float or bool
        Its categories, in order.
    dtype : str
        The dtype that these have.
    ordered : bool
        Whether they are ordered.
    """

    values: tuple[str | int | float | bool, ...]
    dtype: str
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A result as a DataFrame, as the model gives it where `set_output` asks for one.

    Parameters
    ----------
    dtypes : tuple of str or Categories
        What pandas holds each column in; one alone stands for all columns.
    libraries : tuple of {"pandas", "polars"}
        Which DataFrames are offered.
    names : tuple of str, optional
        Its columns, where they are called otherwise than `Output.names` says.
    kept : tuple of int
        The columns of rows that leave the model as they came.
    indexed : bool
        Whether it has the index of the rows.
    """

    dtypes: tuple[str | Categories, ...]
    libraries: tuple[Library, ...] = LIBRARIES
    names: tuple[str, ...] | None = None
    kept: tuple[int, ...] = ()
    indexed: bool = True

    def dtype(self, column: int) -> str | Categories:
        """Return what pandas holds a column in."""
        return self.dtypes[0 if len(self.dtypes) == 1 else column]

    def to_json(self) -> dict[str, Any]:
        """Return the frame as JSON-ready data; what is the default is left out."""
        written = [_written(d) for d in self.dtypes]
        alike = len(written) == 1 and isinstance(written[0], str)
        found: dict[str, Any] = {"dtypes": written[0] if alike else written}
        if self.libraries != LIBRARIES:
            found["libraries"] = list(self.libraries)
        if self.names is not None:
            found["names"] = list(self.names)
        if self.kept:
            found["kept"] = list(self.kept)
        if not self.indexed:
            found["indexed"] = False
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Frame:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError, TypeError, KeyError, AttributeError
            It is not well formed.
        """
        dtypes, names = data["dtypes"], data.get("names")
        read = (dtypes,) if isinstance(dtypes, str) else tuple(map(_read, _list(dtypes)))
        return cls(
            read,
            tuple(_list(data.get("libraries", LIBRARIES))),
            None if names is None else tuple(_list(names)),
            tuple(_list(data.get("kept", ()))),
            _boolean(data.get("indexed", True)),
        )

    def fits(self, width: int, names: tuple[str, ...] | None, *, text: bool) -> bool:
        """Return whether a frame that comes from outside is one of so many columns.

        Parameters
        ----------
        width : int
            Columns of the result.
        names : tuple of str or None
            What these are called where the frame has no names of its own.
        text : bool
            Whether they hold text, else numbers.
        """
        called = names if self.names is None else self.names
        if called is None or len(called) != width or not all(isinstance(n, str) for n in called):
            return False
        polars = "polars" in self.libraries
        if polars and len(set(called)) < width:
            return False
        # One kind of column may stand for many, which costs a file nothing.
        counted = len(self.dtypes) in (1, width)
        known = {*self.libraries} <= {*LIBRARIES} and 0 < len(self.libraries) <= len(LIBRARIES)
        places = all(type(k) is int and 0 <= k < width for k in self.kept)
        once = len(self.kept) <= width and len(set(self.kept)) == len(self.kept)
        return (counted and known and places and once) and all(
            is_dtype(d) and _is_of(d, text, polars) for d in self.dtypes
        )


def is_dtype(dtype: str | Categories) -> bool:
    """Return whether columns of this dtype are made."""
    if not isinstance(dtype, Categories):
        return isinstance(dtype, str) and (dtype in _TEXTS or _is_number(dtype))
    plain = all(isinstance(v, _CATEGORY) for v in dtype.values)
    return (
        plain
        and len(set(dtype.values)) == len(dtype.values)
        and is_dtype(dtype.dtype)
        and all(_holds(dtype.dtype, v) for v in dtype.values)
    )


def number_of(dtype: str) -> tuple[str, int]:
    """Return which sort of number a dtype holds (int, uint, float, bool), in however many bits."""
    base = dtype.partition("[")[0].lower()
    kind, digits = base.rstrip("0123456789"), base.lstrip("abcdefghijklmnopqrstuvwxyz")
    kind = {"boolean": "bool", "double": "float", "halffloat": "float"}.get(kind, kind)
    # Of Arrow's names, float alone says no bits and has not 64.
    return kind, int(digits or (32 if base == "float" else 64))


def _is_number(dtype: str) -> bool:
    return _NUMBERS.fullmatch(dtype) is not None


def _is_of(dtype: str | Categories, text: bool, polars: bool) -> bool:
    """Return whether a dtype holds results of this kind, in polars too where that is offered."""
    held = dtype.dtype if isinstance(dtype, Categories) else dtype
    if text:
        return held in _TEXTS
    if polars:  # which has no float16 in every release, and finds objects a type in each call
        return _is_number(held) and held != "float16"
    return _is_number(held) or held == "object"


def _holds(dtype: str, value: str | float | bool) -> bool:
    """Return whether a value is one of a dtype, and no other when it is brought to it."""
    if dtype in _TEXTS:
        whole = type(value) is not int or -(2**63) <= value < 2**64
        return isinstance(value, str) or (dtype == "object" and whole and value == value)
    kind, bits = number_of(dtype)
    if kind == "bool" or isinstance(value, (bool, str)):
        return kind == "bool" and isinstance(value, bool)
    if kind == "float":
        return isinstance(value, float) and (value == value) and _is_narrow(value, bits)
    least, most = (0, 2**bits) if kind == "uint" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    return isinstance(value, int) and least <= value < most


def _is_narrow(value: float, bits: int) -> bool:
    """Return whether a float of so many bits is this one."""
    try:
        size = {16: "e", 32: "f", 64: "d"}[bits]
        return bool(struct.unpack(size, struct.pack(size, value))[0] == value)
    except OverflowError:
        return False


def _written(dtype: str | Categories) -> Any:
    if isinstance(dtype, str):
        return dtype
    found = {"categories": list(dtype.values), "dtype": dtype.dtype}
    return {**found, "ordered": True} if dtype.ordered else found


def _read(data: Any) -> str | Categories:
    if isinstance(data, str):
        return data
    ordered = _boolean(data.get("ordered", False))
    return Categories(tuple(_list(data["categories"])), data["dtype"], ordered)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError(f"{value!r:.40} where true or false belongs")
    return value


def _list(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{value!r:.40} where a list belongs")
    return value
