"""The signature: names, types and shapes of a model's inputs and of each method's outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from sclbl.frame import Frame
from sclbl.shapes import MAX_AXES, elements

#: What a column holds. ``integer`` and ``boolean`` travel as float64, exactly.
Kind = Literal["float64", "float32", "integer", "boolean", "text"]
#: Element types of tensors inside a graph. ``label`` is the constant table look-up that ends a
#: classifier's ``predict``: a class number whose label stands in the signature.
DType = Literal[
    "float64", "float32", "float16",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "bool", "text", "label",
]  # fmt: skip
#: Element types of a program's results.
Storage = Literal["float64", "float32", "int64", "uint64", "bool", "text", "label"]
#: How rows whose length varies hold their items: one after the other, as pairs of a column's number
#: and a value, as pairs of a name and a value.
Ragged = Literal["list", "sparse", "features"]
#: What an input beside the table is: rows of one shape, ragged rows, a value of the whole call.
InputKind = Literal["tensor", "list", "sparse", "features", "parameter"]
#: Which missing value: None, NaN or pandas.NA.
Missing = Literal["none", "nan", "na"]
MISSING: tuple[Missing, ...] = get_args(Missing)
#: Which missing number a column takes from Python objects where its model does not say otherwise:
#: None becomes NaN where numbers are made of objects, pandas.NA is refused there.
TAKES: tuple[Missing, ...] = ("none", "nan")

#: What a call names the table, where there are inputs beside it.
TABLE = "table"

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
        its values must be of. Elsewhere such a column takes whatever float64 holds. A column of
        float16 is one of float32 whose values must be of float16.
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
    "float32": {"float16"},
}


def is_held(column: Column) -> bool:
    """Return whether a column's dtype is one that its kind may be held to."""
    return column.dtype in _HELD.get(column.kind, ())


def stored_as(dtype: DType) -> Storage:
    """Return how a program stores results of an element type, every value exactly."""
    if dtype == "float16":
        return "float32"
    if dtype in ("int8", "int16", "int32", "uint8", "uint16", "uint32"):
        return "int64"
    return cast(Storage, dtype)


@dataclass(frozen=True, slots=True)
class Input:
    """An input that is no table of columns.

    Parameters
    ----------
    name : str
        How callers name it.
    kind : {"tensor", "list", "sparse", "features", "parameter"}
        ``tensor``: ``[rows, *shape]``. ``list``: a list of items a row. ``sparse``: pairs of a
        column's number, below ``shape[0]``, and a value. ``features``: pairs of a text and a value.
        ``parameter``: one value for the whole call.
    dtype : {"float64", "float32", "int64", "bool", "text"}
        Element type; texts only in lists.
    shape : tuple of int
        The shape of a row of a tensor, ``(n,)`` for sparse rows of n columns, else ``()``.
    default : int, float or bool, optional
        Of a parameter: its value where a call gives none.
    """

    name: str
    kind: InputKind
    dtype: DType
    shape: tuple[int, ...] = ()
    default: float | None = None

    @property
    def ragged(self) -> Ragged | None:
        """How its rows hold their items, where their length varies."""
        return self.kind if self.kind in ("list", "sparse", "features") else None

    @property
    def width(self) -> int:
        """Elements of a row; of sparse rows the columns."""
        return elements(self.shape)


@dataclass(frozen=True, slots=True)
class Output:
    """What one method returns.

    Parameters
    ----------
    storage : {"float64", "float32", "int64", "uint64", "bool", "text", "label"}
        Element type in the program's memory (``label`` is an int32 class number). Narrow types are
        stored in the one that holds all their values, see `stored_as`.
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
    ragged : {"list", "sparse"}, optional
        Where a row's length varies: a list of items, or pairs of a column's number, below `width`,
        and a value.
    further : tuple of Output
        What the method returns after this; with it, a call returns a tuple.
    parameters : tuple of str
        Names of the inputs that are values of a call of the method.
    frame : Frame, optional
        The result as a DataFrame, where the model gives one too.
    matrix : str, optional
        The class of `scipy.sparse` that the model's own result is of, where it is sparse.
    """

    storage: Storage
    dtype: str
    width: int
    ndim: int
    labels: tuple[tuple[Label, ...], ...] | None = None
    splits: tuple[int, ...] | None = None
    names: tuple[str, ...] | None = None
    empty: bool = False
    shape: tuple[int, ...] | None = None
    ragged: Ragged | None = None
    further: tuple[Output, ...] = ()
    parameters: tuple[str, ...] = ()
    frame: Frame | None = None
    matrix: str | None = None

    @property
    def containers(self) -> tuple[str, ...]:
        """What a call may ask for as `output`, beside what it gives by default."""
        sparse = self.ragged == "sparse" or self.matrix is not None
        return (
            *(("dense", "sparse") if sparse else ()),
            *(self.frame.libraries if self.frame else ()),
        )

    @property
    def is_plain(self) -> bool:
        """Whether a call returns one array with as many elements a row as any other row has."""
        return self.ragged is None and not self.further

    def to_json(self) -> dict[str, Any]:
        """Return the output as JSON-ready data; what is the default is left out."""
        found: dict[str, Any] = {
            "storage": self.storage,
            "dtype": self.dtype,
            "width": self.width,
            "ndim": self.ndim,
        }
        for key in ("labels", "splits", "names", "shape", "ragged", "matrix"):
            value = getattr(self, key)
            if value is not None:
                found[key] = value
        if self.frame is not None:
            found["frame"] = self.frame.to_json()
        if self.empty:
            found["empty"] = True
        if self.parameters:
            found["parameters"] = list(self.parameters)
        if self.further:
            found["further"] = [output.to_json() for output in self.further]
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any], further: bool = True) -> Output:
        """Read what `to_json` wrote; `further`: whether other outputs may follow."""
        labels, splits, names = data.get("labels"), data.get("splits"), data.get("names")
        frame = data.get("frame")
        more = data.get("further", ())
        if more and not further:
            raise ValueError("outputs inside further outputs")
        return cls(
            storage=data["storage"],
            dtype=data["dtype"],
            width=_integer(data["width"]),
            ndim=_integer(data["ndim"]),
            labels=None if labels is None else tuple(tuple(_list(c)) for c in _list(labels)),
            splits=None if splits is None else tuple(map(_integer, splits)),
            names=None if names is None else tuple(map(_text, _list(names))),
            empty=_boolean(data.get("empty", False)),
            shape=_shape(data.get("shape")),
            ragged=data.get("ragged"),
            parameters=tuple(map(_text, _list(data.get("parameters", ())))),
            further=tuple(cls.from_json(output, further=False) for output in more),
            frame=None if frame is None else Frame.from_json(frame),
            matrix=data.get("matrix"),
        )

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
    inputs : tuple of Input
        The inputs beside the columns, in the order in which programs take them after these.
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
    inputs: tuple[Input, ...] = ()

    @property
    def parameters(self) -> tuple[Input, ...]:
        """The inputs that are values of a whole call."""
        return tuple(i for i in self.inputs if i.kind == "parameter")

    @property
    def beside(self) -> tuple[Input, ...]:
        """The inputs beside the columns that have rows."""
        return tuple(i for i in self.inputs if i.kind != "parameter")

    def results(self, method: str) -> tuple[tuple[str, Output], ...]:
        """Return what a method returns, one after the other, under their names in the graph."""
        first = self.outputs[method]
        names = (method, *(f"{method}.{k}" for k in range(1, len(first.further) + 1)))
        return tuple(zip(names, (first, *first.further), strict=True))

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
        outputs = {method: output.to_json() for method, output in self.outputs.items()}
        found: dict[str, Any] = {"layout": self.layout, "columns": columns, "outputs": outputs}
        if self.shape is not None:
            found["shape"] = list(self.shape)
        if self.inputs:
            found["inputs"] = [_input_json(i) for i in self.inputs]
        if self.one_row:
            found["one_row"] = True
        return found

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
        outputs = {method: Output.from_json(e) for method, e in data["outputs"].items()}
        inputs = tuple(_input(i) for i in data.get("inputs", ()))
        shape = _shape(data.get("shape"))
        one_row = _boolean(data.get("one_row", False))
        return cls(read, data["layout"], outputs, shape, one_row, inputs)


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r:.40} where an integer belongs")
    return value


def _shape(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    if len(value) > MAX_AXES:
        raise ValueError(f"a shape of {len(value):,} axes; at most {MAX_AXES} are taken")
    return tuple(map(_integer, value))


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{value!r:.40} where a list belongs")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} where text belongs")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError(f"{value!r:.40} where true or false belongs")
    return value


def _input_json(given: Input) -> dict[str, Any]:
    found: dict[str, Any] = {"name": given.name, "kind": given.kind, "dtype": given.dtype}
    if given.shape:
        found["shape"] = list(given.shape)
    if given.default is not None:
        # JSON has no infinities.
        finite = not isinstance(given.default, float) or math.isfinite(given.default)
        found["default"] = given.default if finite else str(given.default)
    return found


def _input(data: Mapping[str, Any]) -> Input:
    shape = _shape(data.get("shape")) or ()
    default = data.get("default")
    if default in ("inf", "-inf", "nan"):
        default = float(default)
    return Input(data["name"], data["kind"], data["dtype"], shape, default)


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
