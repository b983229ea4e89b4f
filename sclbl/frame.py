"""How a result stands in a DataFrame: what `sclbl.signature.Output` says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

#: Libraries of DataFrames in which results are offered.
Library = Literal["pandas", "polars"]
LIBRARIES: tuple[Library, ...] = get_args(Library)

#: Dtypes of NumPy and pandas, and those of pandas over Arrow, that results are made in.
_DTYPE = re.compile(
    r"u?int(8|16|32|64)|float(16|32|64)|bool|object|str|string"
    r"|U?Int(8|16|32|64)|Float(32|64)|boolean"
    r"|(u?int(8|16|32|64)|float|double|bool)\[pyarrow\]"
)
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

    def fits(self, width: int) -> bool:
        """Return whether a frame that comes from outside is one of so many columns."""
        named = self.names is None or (
            len(self.names) == width and all(isinstance(n, str) for n in self.names)
        )
        # One kind of column may stand for many, which costs a file nothing.
        counted = len(self.dtypes) in (1, width)
        known = {*self.libraries} <= {*LIBRARIES} and len(self.libraries) > 0
        places = all(type(k) is int and 0 <= k < width for k in self.kept)
        return named and counted and known and places and all(map(is_dtype, self.dtypes))


def is_dtype(dtype: str | Categories) -> bool:
    """Return whether columns of this dtype are made."""
    if isinstance(dtype, Categories):
        plain = all(isinstance(v, _CATEGORY) for v in dtype.values)
        return plain and len(set(dtype.values)) == len(dtype.values) and is_dtype(dtype.dtype)
    return isinstance(dtype, str) and _DTYPE.fullmatch(dtype) is not None


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
