"""The signature: names, types and shapes of a model's inputs and of each method's outputs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, cast, get_args

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
        for key in ("labels", "splits", "names", "shape", "ragged"):
            value = getattr(self, key)
            if value is not None:
                found[key] = value
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


#: What a program exports beside its methods, so that no method is called so.
EXPORTS = ("memory", "alloc", "reset", "error")
#: Columns that may be written as a count, which costs a file nothing; and all columns.
MAX_COUNTED = 2**18
MAX_COLUMNS = 2**22
#: What ragged rows and values of a call hold, and what tensors hold.
_NUMBERS = ("float64", "float32", "int64", "bool")
#: What models return for ragged rows, by how these are stored; of integers, those that it holds.
_WIDER = {
    "float64": ("float64",),
    "float32": ("float16", "float32", "float64"),
    "int64": (*(f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32)), "int64", "float64"),
    "bool": ("bool",),
}
_TENSORS = tuple(t for t in get_args(DType) if t not in ("text", "label"))
#: Largest numbers of the floats.
_LARGEST = {"float64": 2.0**1023 * (2 - 2.0**-52), "float32": 2.0**127 * (2 - 2.0**-23)}
#: Outputs of a method after its first, and inputs beside the table.
MAX_FURTHER, MAX_INPUTS = 15, 1024
#: What a call names the table, where there are inputs beside it.
TABLE = "table"
#: What else a call has names for, so that no value of a call is called so.
_OF_CALLS = ("method", "rows", "output")
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
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
        or not (columns or signature.beside)
        or any(c.kind not in get_args(Kind) for c in columns)
        or any(c.dtype is not None and not is_held(c) for c in columns)
        or any(isinstance(c.name, str) != named for c in columns)
        or (named and len({c.name for c in columns}) < len(signature.columns))
    ):
        raise ValueError("its columns are not well formed")
    _check_unicode(c.name for c in columns)
    whole = signature.one_row
    if not _is_shape(signature.shape, len(signature.columns), whole) or (
        signature.shape is not None and (named or len(columns) > 1)
    ):
        raise ValueError("its columns are not those of rows of its shape")
    if whole and (signature.inputs or not all(o.is_plain for o in signature.outputs.values())):
        raise ValueError("it takes one row, beside which nothing else comes in or goes out")
    for given in signature.inputs:
        if not isinstance(given.name, str) or not _PARAMETER.fullmatch(given.name):
            raise ValueError(f"an input cannot be called {str(given.name)[:80]!r}")
        if not _is_input(given):
            raise ValueError(f"its input {given.name!r} does not fit")
    names = [given.name for given in signature.inputs]
    if len(set(names)) < len(names):
        raise ValueError("two inputs have one name")
    if len(names) > MAX_INPUTS:
        raise ValueError(f"it has {len(names):,} inputs; programs take at most {MAX_INPUTS:,}")
    taken = {TABLE} & set(names) if signature.columns else set()
    taken |= {given.name for given in signature.parameters} & set(_OF_CALLS)
    if taken:
        raise ValueError(
            f"an input cannot be called {min(taken)!r}: calls have a use for that name"
        )
    if not signature.outputs:
        raise ValueError("it has no methods")
    for method, output in signature.outputs.items():
        if not is_method(method):
            raise ValueError(f"its output {method[:80]!r} cannot be a method")
        for one in (output, *output.further):
            _check(method, one, whole)
        if not set(output.parameters) <= {i.name for i in signature.parameters}:
            raise ValueError(f"its output {method!r} has parameters that are no inputs")
        if any(o.further for o in output.further) or len(output.further) > MAX_FURTHER:
            raise ValueError(f"its output {method!r} has too many further outputs")


def _check(method: str, output: Output, whole: bool) -> None:
    if not isinstance(output.dtype, str) or not _DTYPE.fullmatch(output.dtype):
        raise ValueError(f"its output {method!r} is of type {str(output.dtype)[:40]!r}")
    if not _fits(output, whole):
        raise ValueError(f"its output {method!r} does not fit")
    values = [v for column in output.labels or () for v in column]
    if not all(isinstance(v, (str, int, float, bool)) for v in values):
        raise ValueError(f"its output {method!r} has labels that are no labels")
    _check_unicode(chain(values, output.names or ()))


def _check_unicode(texts: Iterable[Any]) -> None:
    """Raise where a text holds a lone surrogate, which no program and no file can."""
    try:
        for text in texts:
            if isinstance(text, str):
                text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"it holds {text!a:.80}, which is not valid Unicode text") from None


def is_method(name: str) -> bool:
    """Return whether a method may be called so."""
    return _METHOD.fullmatch(name) is not None and name not in EXPORTS


def _is_shape(shape: tuple[int, ...] | None, width: int, whole: bool = False) -> bool:
    """Return whether a shape, where there is one, has more than one axis and this product.

    A `whole` tensor always has a shape, of any number of axes.
    """
    if shape is None:
        return not whole
    return (whole or len(shape) > 1) and min(shape, default=1) > 0 and elements(shape) == width


def _is_input(given: Input) -> bool:
    kind, width = given.kind, given.width
    held = {"tensor": _TENSORS, "list": (*_NUMBERS, "text")}.get(kind, _NUMBERS)
    if kind not in get_args(InputKind) or given.dtype not in held:
        return False
    if min(given.shape, default=1) < 1 or width > MAX_COLUMNS:
        return False
    if kind == "parameter":
        return _is_default(given) and not given.shape
    fits = {"tensor": True, "list": not given.shape, "features": not given.shape}
    return given.default is None and fits.get(kind, len(given.shape) == 1)


def _is_default(given: Input) -> bool:
    """Return whether a parameter's type holds its default."""
    value = given.default
    if given.dtype == "bool" or isinstance(value, bool):
        return given.dtype == "bool" and isinstance(value, bool)
    if given.dtype == "int64":
        return isinstance(value, int) and -(2**63) <= value < 2**63
    if not isinstance(value, (int, float)):
        return False
    return abs(value) <= _LARGEST[given.dtype] or value in (math.inf, -math.inf) or value != value


def _fits(output: Output, whole: bool = False) -> bool:
    labels, splits = output.labels, output.splits
    if output.ragged is not None:
        plain = labels is None and splits is None and output.shape is None
        sized = output.ndim == (1 if output.ragged == "list" else 2)
        known = output.ragged in ("list", "sparse") and output.storage in _NUMBERS
        known = known and output.dtype in _WIDER[output.storage]
        named = output.names is None or len(output.names) == output.width
        return plain and sized and known and named and 0 < output.width <= MAX_COLUMNS
    return (
        output.storage in get_args(Storage)
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
