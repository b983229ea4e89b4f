"""The spec: a model reduced to what inference needs.

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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from sclbl.coefficients import Coefficients
from sclbl.shapes import elements
from sclbl.signature import DType, Missing, Ragged, Signature

NUMERIC_INPUT = "numeric"
TEXT_INPUT = "text"
#: What stands for missing texts in the constants of a graph: Unicode noncharacters.
MISSING_TEXTS: Mapping[Missing, str] = {
    "none": "\U0010ffff",
    "nan": "\U0010fffe",
    "na": "\U000fffff",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor: its name, its element type and the shape of one row.

    The rows are implicit and in front, ``[rows, *shape]``, in C order. A table of w columns has the
    shape ``(w,)``, a picture ``(channels, height, width)``. Where `ragged` is not None a row has as
    many items as it likes: `dtype` is that of its values, and sparse rows have the shape ``(n,)``
    of the n columns that their pairs may name.
    """

    name: str
    dtype: DType
    shape: tuple[int, ...]
    ragged: Ragged | None = None

    @property
    def width(self) -> int:
        """Elements of a row."""
        return elements(self.shape)


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: ``op`` as in ONNX, with its domain in front where it is not the default one.

    Attributes hold int, float, str, tuples of them, or NumPy arrays.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)


def upstream(nodes: Sequence[Node], names: Iterable[str]) -> tuple[Node, ...]:
    """Return those of some nodes that tensors depend on, in their order."""
    needed = set(names)
    found = []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            found.append(node)
            needed.update(node.inputs)
    return tuple(reversed(found))


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
        Their shapes are ONNX's: ``()``, ``(w,)``, ``(1, w)`` for a row that all rows share,
        ``(w, c)`` for a matrix.
    values : mapping of str to Value
        Every tensor that a node makes, and the inputs.
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, np.ndarray]
    values: Mapping[str, Value]

    def upstream(self, names: Iterable[str]) -> tuple[Node, ...]:
        """Return the nodes that these tensors depend on, in the graph's order."""
        return upstream(self.nodes, names)

    @property
    def nbytes(self) -> int:
        """Bytes of all constants and array attributes."""
        total = sum(c.nbytes for c in self.constants.values())
        for node in self.nodes:
            total += sum(a.nbytes for a in node.attrs.values() if isinstance(a, np.ndarray))
        return total


@dataclass(frozen=True)
class Provenance:
    """Where a spec came from.

    Parameters
    ----------
    model : str
        Qualified class name of the fitted object, or ``"onnx"``.
    libraries : mapping of str to str
        Versions of the libraries that made it.
    models : tuple of str
        Qualified class names of it and of the models inside it that were written. Like what
        follows it is known where the model is at hand, and no spec's file holds it.
    has_jobs : bool
        Whether one of them was given more than one job (``n_jobs``).
    refuses_more : tuple of exception classes
        Errors of the program that the model need not share.
    alone : bool
        Whether one of them looks at all rows of a call, and a program at each row alone: so the
        model is asked one row at a time.
    """

    model: str
    libraries: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = field(default=(), compare=False)
    has_jobs: bool = field(default=False, compare=False)
    refuses_more: tuple[type[Exception], ...] = field(default=(), compare=False)
    alone: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Spec:
    """A model reduced to what inference needs.

    Parameters
    ----------
    graph : Graph
        The computation.
    signature : Signature
        Inputs and outputs.
    source : Provenance
        The model's class and library versions.
    kept : mapping of str to int
        What was kept, with its bytes.
    dropped : tuple of str
        Fitted attributes that inference does not need.
    warnings : tuple of str
        What the owner of the model should know (training rows inside, for one).
    coefficients : Coefficients, optional
        Of a regression its terms with their numbers, family and link, to read or to compile.
    """

    graph: Graph
    signature: Signature
    source: Provenance
    kept: Mapping[str, int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    coefficients: Coefficients | None = None

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
            feed(f"{value.name}:{value.dtype}:{'x'.join(map(str, value.shape))}")
            if value.ragged is not None:
                feed(value.ragged)
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
        signature = self.signature
        inputs = [f"{i.name} ({i.kind} of {i.dtype})" for i in signature.inputs]
        if signature.columns or not inputs:
            inputs.insert(0, f"{len(signature.columns)} columns ({signature.layout})")
        lines = [
            f"{self.source.model}: {', '.join(self.methods)}",
            f"  inputs   {', '.join(inputs)}",
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
