"""The signature: names, types and shapes of a model's inputs and of each method's outputs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

#: What a column holds. ``integer`` and ``boolean`` travel as float64, exactly.
Kind = Literal["float64", "float32", "integer", "boolean", "text"]
#: Element types of tensors inside a graph. ``label`` is the constant table look-up that ends a
#: classifier's ``predict``: a class number whose label stands in the signature.
DType = Literal["float64", "float32", "int64", "bool", "text", "label"]
#: Which missing value: None, NaN or pandas.NA.
Missing = Literal["none", "nan", "na"]
MISSING: tuple[Missing, ...] = get_args(Missing)
#: Which missing number a column takes from Python objects where its model does not say otherwise:
#: None becomes NaN where numbers are made of objects, pandas.NA is refused there.
TAKES: tuple[Missing, ...] = ("none", "nan")

Label = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the rows that a model takes.

    Parameters
    ----------
    name : str or None
        The column's name; None where the example was an array.
    kind : {"float64", "float32", "integer", "boolean", "text"}
        What the column holds.
    dtype : str, optional
        Where the type of an integer or boolean column enters the computation: the NumPy dtype that
        its values must be of. Elsewhere such a column takes whatever float64 holds.
    missing : {"nan", "none", "na"}, optional
        The column's own missing value: what the one null of a container that has only one (JSON,
        CSV, Arrow, polars) stands for.
    takes : tuple of {"none", "nan", "na"}, optional
        For numbers: which missing values the column takes from Python objects. A program knows one
        missing number, so what the model would tell apart from it is refused. A column of text
        takes all, because its cells say which one they hold.
    """

    name: str | None
    kind: Kind
    dtype: str | None = None
    missing: Missing = "nan"
    takes: tuple[Missing, ...] = TAKES

    @property
    def stored(self) -> str:
        """The NumPy dtype that numbers of the column are brought to."""
        return self.dtype or ("float32" if self.kind == "float32" else "float64")


#: Which types a column of each kind may be held to.
_HELD = {
    "integer": {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "boolean": {"bool"},
}


def is_held(column: Column) -> bool:
    """Return whether a column's dtype is one that its kind may be held to."""
    return column.dtype in _HELD.get(column.kind, ())


@dataclass(frozen=True, slots=True)
class Output:
    """What one method returns.

    Parameters
    ----------
    storage : {"float64", "float32", "int64", "bool", "text", "label"}
        Element type in the program's memory (``label`` is an int32 class number).
    dtype : str
        NumPy dtype that the model's own method returned for the example.
    width : int
        Columns of the result.
    ndim : int
        Axes of the result, rows included: 1 where the model returns one number a row without an
        axis of length one, 2 for columns.
    labels : tuple of tuple, optional
        For storage ``label``: the labels of each column, in the order of their numbers.
    splits : tuple of int, optional
        Where the model returns a list of arrays: their widths, in order.
    names : tuple of str, optional
        Names of the columns, where the model knows them.
    empty : bool
        Whether the model returns an empty result for no rows; most models refuse them.
    shape : tuple of int, optional
        The shape of a row where it has more than one axis; `width` is its product. Where a call
        takes one row, always the shape of the result.
    """

    storage: DType
    dtype: str
    width: int
    ndim: int
    labels: tuple[tuple[Label, ...], ...] | None = None
    splits: tuple[int, ...] | None = None
    names: tuple[str, ...] | None = None
    empty: bool = False
    shape: tuple[int, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether a result is one tensor, without rows in front: `Signature.one_row`."""
        return self.shape is not None and self.ndim == len(self.shape)


@dataclass(frozen=True, slots=True)
class Signature:
    """Names, dtypes and shapes of a model's inputs and of each method's outputs.

    Parameters
    ----------
    columns : tuple of Column
        The columns of a row, in the model's order.
    layout : {"array", "table"}
        ``table`` where columns are found by name, ``array`` where they are found by position.
    outputs : mapping of str to Output
        By method.
    shape : tuple of int, optional
        The shape of a row where it has more than one axis, of an array whose columns are all alike;
        their number is its product.
    one_row : bool
        Whether a call takes exactly one row: the whole tensor, of this `shape` (which may have any
        number of axes here), and results come back in their own. So are models that mix what lies
        along the first axis, or have no axis of rows.
    """

    columns: tuple[Column, ...]
    layout: Literal["array", "table"]
    outputs: Mapping[str, Output] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    one_row: bool = False

    @property
    def numeric(self) -> tuple[int, ...]:
        """Positions of the columns in the numeric block, in order."""
        return tuple(i for i, c in enumerate(self.columns) if c.kind != "text")

    @property
    def text(self) -> tuple[int, ...]:
        """Positions of the columns in the text block, in order."""
        return tuple(i for i, c in enumerate(self.columns) if c.kind == "text")

    @property
    def numeric_dtype(self) -> Literal["float32", "float64"]:
        """Element type of the numeric block."""
        kinds = {c.kind for c in self.columns if c.kind != "text"}
        return "float32" if kinds == {"float32"} else "float64"

    @property
    def is_uniform(self) -> bool:
        """Whether every number is brought to the type of the numeric block, and to no other."""
        block = self.numeric_dtype
        return all(c.stored == block for c in self.columns if c.kind != "text")

    @property
    def takes_nan(self) -> bool:
        """Whether NaN in typed numbers is each numeric column's missing value."""
        return all("nan" in c.takes for c in self.columns)

    def label_of(self, position: int) -> str:
        """Return how messages call the column at `position`: its name, else its position."""
        name = self.columns[position].name
        return str(position) if name is None else name

    def to_json(self) -> dict[str, Any]:
        """Return the signature as JSON-ready data.

        Columns of an array that are all alike are written as ``{"count": n, "kind": kind}``. What
        a column says of missing values is left out where it is the default.
        """
        columns: Any
        if self.layout == "array" and len(set(self.columns)) == 1:
            first = self.columns[0]
            columns = {"count": len(self.columns), "kind": first.kind}
            if first.dtype is not None:
                columns["dtype"] = first.dtype
            if first.missing != "nan":
                columns["missing"] = first.missing
            if first.takes != TAKES:
                columns["takes"] = list(first.takes)
        else:
            columns = [_column_json(c) for c in self.columns]
        outputs: dict[str, Any] = {}
        for method, out in self.outputs.items():
            entry: dict[str, Any] = {
                "storage": out.storage,
                "dtype": out.dtype,
                "width": out.width,
                "ndim": out.ndim,
            }
            for key in ("labels", "splits", "names", "shape"):
                value = getattr(out, key)
                if value is not None:
                    entry[key] = value
            if out.empty:
                entry["empty"] = True
            outputs[method] = entry
        found: dict[str, Any] = {"layout": self.layout, "columns": columns, "outputs": outputs}
        if self.shape is not None:
            found["shape"] = list(self.shape)
        return {**found, "one_row": True} if self.one_row else found

    @classmethod
    def from_json(cls, data: Mapping[str, Any], most: int | None = None) -> Signature:
        """Read what `to_json` wrote; `most` bounds columns that are written as a count.

        Raises
        ------
        ValueError, TypeError, KeyError, AttributeError
            It is not well formed.
        """
        columns = data["columns"]
        if isinstance(columns, Mapping):
            said = {k: columns[k] for k in ("dtype", "missing", "takes") if k in columns}
            count = _integer(columns["count"])
            if count < 1 or (most is not None and count > most):
                raise ValueError(f"{count} columns")
            read = (_column(None, columns["kind"], **said),) * count
        else:
            read = tuple(_column(*column) for column in columns)
        outputs = {}
        for method, e in data["outputs"].items():
            labels = e.get("labels")
            splits = e.get("splits")
            names = e.get("names")
            outputs[method] = Output(
                storage=e["storage"],
                dtype=e["dtype"],
                width=_integer(e["width"]),
                ndim=_integer(e["ndim"]),
                labels=None if labels is None else tuple(tuple(c) for c in labels),
                splits=None if splits is None else tuple(map(_integer, splits)),
                names=None if names is None else tuple(names),
                empty=_boolean(e.get("empty", False)),
                shape=_shape(e.get("shape")),
            )
        shape = _shape(data.get("shape"))
        one_row = _boolean(data.get("one_row", False))
        return cls(read, data["layout"], outputs, shape, one_row)


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r:.40} where an integer belongs")
    return value


def _shape(value: Any) -> tuple[int, ...] | None:
    return None if value is None else tuple(map(_integer, value))


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError(f"{value!r:.40} where true or false belongs")
    return value


def _column_json(column: Column) -> list[Any]:
    """Return a column as a list; what is the default at its end is left out."""
    found = [column.name, column.kind, column.dtype, column.missing, list(column.takes)]
    usual = [None, None, None, "nan", list(TAKES)]
    while len(found) > 2 and found[-1] == usual[len(found) - 1]:
        found.pop()
    return found


def _column(
    name: str | None,
    kind: Kind,
    dtype: str | None = None,
    missing: Any = "nan",
    takes: Sequence[Missing] = TAKES,
) -> Column:
    if missing not in MISSING or isinstance(takes, str) or not set(takes) <= set(MISSING):
        raise ValueError(f"the missing values {missing!r}, {takes!r} of a column")
    return Column(name, kind, dtype, missing, tuple(takes))


#: What a program exports beside its methods, so that no method is called so.
EXPORTS = ("memory", "alloc", "reset", "error")
#: Columns that may be written as a count, which costs a file nothing; and all columns.
MAX_COUNTED = 2**18
MAX_COLUMNS = 2**22
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_DTYPE = re.compile(r"(float|int|uint)(8|16|32|64)|bool|object|str|category|[<>|=]?U[0-9]{1,4}")


def validate(signature: Signature) -> None:
    """Check a signature that comes from outside.

    Raises
    ------
    ValueError
        Where its columns or outputs are not well formed; the message says which.
    """
    named = signature.layout == "table"
    # Columns that were written as a count are one object.
    columns = {id(c): c for c in signature.columns}.values()
    if (
        signature.layout not in ("array", "table")
        or not columns
        or any(c.kind not in get_args(Kind) for c in columns)
        or any(c.dtype is not None and not is_held(c) for c in columns)
        or any(isinstance(c.name, str) != named for c in columns)
        or (named and len({c.name for c in columns}) < len(signature.columns))
    ):
        raise ValueError("its columns are not well formed")
    whole = signature.one_row
    if not _is_shape(signature.shape, len(signature.columns), whole) or (
        signature.shape is not None and (named or len(columns) > 1)
    ):
        raise ValueError("its columns are not those of rows of its shape")
    if not signature.outputs:
        raise ValueError("it has no methods")
    for method, output in signature.outputs.items():
        if not is_method(method):
            raise ValueError(f"its output {method[:80]!r} cannot be a method")
        if not isinstance(output.dtype, str) or not _DTYPE.fullmatch(output.dtype):
            raise ValueError(f"its output {method!r} is of type {str(output.dtype)[:40]!r}")
        if not _fits(output, whole):
            raise ValueError(f"its output {method!r} does not fit")
        values = [v for column in output.labels or () for v in column]
        if not all(isinstance(v, (str, int, float, bool)) for v in values):
            raise ValueError(f"its output {method!r} has labels that are no labels")


def is_method(name: str) -> bool:
    """Return whether a method may be called so."""
    return _METHOD.fullmatch(name) is not None and name not in EXPORTS


def _is_shape(shape: tuple[int, ...] | None, width: int, whole: bool = False) -> bool:
    """Return whether a shape, where there is one, has more than one axis and this product.

    A `whole` tensor always has a shape, of any number of axes.
    """
    if shape is None:
        return not whole
    return (whole or len(shape) > 1) and min(shape, default=1) > 0 and math.prod(shape) == width


def _fits(output: Output, whole: bool = False) -> bool:
    labels, splits = output.labels, output.splits
    return (
        output.storage in get_args(DType)
        and 0 < output.width <= MAX_COLUMNS
        and _is_shape(output.shape, output.width, whole)
        and output.ndim in ((1, 2) if output.shape is None else (len(output.shape) + (not whole),))
        and (whole or output.ndim >= 2 or output.width == 1 or splits is not None)
        and not (whole and (labels or splits or output.empty))
        and (splits is None or (sum(splits) == output.width and min(splits, default=0) > 0))
        and (output.names is None or len(output.names) == output.width)
        and (labels is not None) == (output.storage == "label")
        and (labels is None or (len(labels) == output.width and all(labels)))
    )
