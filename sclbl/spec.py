"""The spec: a model reduced to what inference needs, and the signature of its inputs and outputs.

A spec is a small graph of ONNX operators over row-wise two-dimensional tensors ``[rows, width]``.
It is kept as plain Python and NumPy, because a forest of ten million nodes costs gigabytes as
protobuf messages; `sclbl.onnx_format` writes and reads it as a standard ONNX file.

Inputs of a graph are at most two tensors: ``numeric`` (``[rows, numeric columns]``, float64, or
float32 where every numeric column of the example was float32) and ``text``
(``[rows, text columns]``). Outputs are named after the methods of the model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

#: What a column holds. ``integer`` and ``boolean`` travel as float64, exactly.
Kind = Literal["float64", "float32", "integer", "boolean", "text"]
#: Element types of tensors inside a graph. ``label`` is the constant table look-up that ends a
#: classifier's ``predict``: a class number whose label stands in the signature.
DType = Literal["float64", "float32", "int64", "bool", "text", "label"]
#: Which missing value: None, NaN or pandas.NA.
Missing = Literal["none", "nan", "na"]
MISSING: tuple[Missing, ...] = get_args(Missing)

NUMERIC_INPUT = "numeric"
TEXT_INPUT = "text"
#: What a method cannot be called: exports of a program, attributes of `Program` and `Deployment`.
RESERVED = frozenset(
    [
        "memory",
        "alloc",
        "reset",
        "error",
        "wasm",
        "sha256",
        "size",
        "signature",
        "methods",
        "report",
        "spec",
        "manifest",
        "module",
        "memory_bytes",
        "save",
        "run",
        "from_bytes",
        "name",
        "version",
        "ref",
        "aliases",
        "url",
        "created_at",
        "docs",
        "tags",
        "metrics",
        "edit",
        "example",
    ]
)
#: What stands for missing texts in the constants of a graph: Unicode noncharacters.
MISSING_TEXTS: Mapping[Missing, str] = {
    "none": "\U0010ffff",
    "nan": "\U0010fffe",
    "na": "\U000fffff",
}
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
    ndim : {1, 2}
        1 where the model returns one number a row without an axis of length one.
    labels : tuple of tuple, optional
        For storage ``label``: the labels of each column, in the order of their numbers.
    splits : tuple of int, optional
        Where the model returns a list of arrays: their widths, in order.
    names : tuple of str, optional
        Names of the columns, where the model knows them.
    empty : bool
        Whether the model returns an empty result for no rows; most models refuse them.
    """

    storage: DType
    dtype: str
    width: int
    ndim: int
    labels: tuple[tuple[Label, ...], ...] | None = None
    splits: tuple[int, ...] | None = None
    names: tuple[str, ...] | None = None
    empty: bool = False


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
    """

    columns: tuple[Column, ...]
    layout: Literal["array", "table"]
    outputs: Mapping[str, Output] = field(default_factory=dict)

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
            for key in ("labels", "splits", "names"):
                value = getattr(out, key)
                if value is not None:
                    entry[key] = value
            if out.empty:
                entry["empty"] = True
            outputs[method] = entry
        return {"layout": self.layout, "columns": columns, "outputs": outputs}

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
            )
        return cls(columns=read, layout=data["layout"], outputs=outputs)


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r:.40} where an integer belongs")
    return value


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


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor's name, element type and width (columns)."""

    name: str
    dtype: DType
    width: int


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: ``op`` as in ONNX, with its domain in front where it is not the default one.

    Attributes hold int, float, str, tuples of them, or NumPy arrays.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """Operators in an order in which they can run.

    Parameters
    ----------
    inputs, outputs : tuple of Value
        Outputs are named after methods.
    nodes : tuple of Node
        In topological order.
    constants : mapping of str to ndarray
        Shapes ``()``, ``(w,)``, ``(1, w)`` or, for a matrix product, ``(w, c)``.
    values : mapping of str to Value
        Every tensor that a node makes, and the inputs.
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, np.ndarray]
    values: Mapping[str, Value]

    @property
    def nbytes(self) -> int:
        """Bytes of all constants and array attributes."""
        total = sum(c.nbytes for c in self.constants.values())
        for node in self.nodes:
            total += sum(a.nbytes for a in node.attrs.values() if isinstance(a, np.ndarray))
        return total


@dataclass(frozen=True)
class Source:
    """Where a spec came from.

    Parameters
    ----------
    model : str
        Qualified class name of the fitted object, or ``"onnx"``.
    libraries : mapping of str to str
        Versions of the libraries that made it.
    """

    model: str
    libraries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """A model reduced to what inference needs.

    Parameters
    ----------
    graph : Graph
        The computation.
    signature : Signature
        Inputs and outputs.
    source : Source
        The model's class and library versions.
    kept : mapping of str to int
        What was kept, with its bytes.
    dropped : tuple of str
        Fitted attributes that inference does not need.
    warnings : tuple of str
        What the owner of the model should know (training rows inside, for one).
    """

    graph: Graph
    signature: Signature
    source: Source
    kept: Mapping[str, int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that the spec offers."""
        return tuple(self.signature.outputs)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the graph and signature, the same on every machine."""
        digest = hashlib.sha256()

        def feed(text: str) -> None:
            raw = text.encode()
            digest.update(len(raw).to_bytes(8, "little"))
            digest.update(raw)

        def feed_array(array: np.ndarray) -> None:
            if array.dtype.kind in "OUS":
                feed("text" + repr(array.shape))
                for item in array.ravel().tolist():
                    feed(item if isinstance(item, str) else repr(item))
                return
            little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            feed(f"{little.dtype.str}{little.shape}")
            digest.update(little.data if little.size else b"")

        feed(json.dumps(self.signature.to_json(), sort_keys=True, default=str))
        for value in (*self.graph.inputs, *self.graph.outputs):
            feed(f"{value.name}:{value.dtype}:{value.width}")
        for name, array in sorted(self.graph.constants.items()):
            feed(name)
            feed_array(array)
        for node in self.graph.nodes:
            feed(f"{node.op}({','.join(node.inputs)})->{','.join(node.outputs)}")
            for key, attr in sorted(node.attrs.items()):
                feed(key)
                if isinstance(attr, np.ndarray):
                    feed_array(attr)
                else:
                    feed(repr(attr))
        return digest.hexdigest()

    def summary(self) -> str:
        """Return what was kept and dropped, and how many bytes."""
        lines = [
            f"{self.source.model}: {', '.join(self.methods)}",
            f"  inputs   {len(self.signature.columns)} columns ({self.signature.layout})",
            f"  nodes    {len(self.graph.nodes)}",
            f"  weights  {self.graph.nbytes:,} bytes",
        ]
        lines += [f"  kept     {name}: {size:,} bytes" for name, size in self.kept.items()]
        if self.dropped:
            lines.append(f"  dropped  {', '.join(self.dropped)}")
        lines += [f"  warning  {text}" for text in self.warnings]
        return "\n".join(lines)

    def __repr__(self) -> str:
        model = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in self.source.model)
        return f"<Spec {model} {'+'.join(self.methods)} {self.graph.nbytes:,} bytes>"
