"""ONNX files that other tools wrote: one tensor in, rows of it or the whole tensor as one row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from sclbl.errors import SpecError
from sclbl.onnx_format.parse import initializers, read_attribute, row_shape, tensor_type
from sclbl.onnx_format.signatures import check_signature
from sclbl.ops import OPS, REWRITTEN
from sclbl.ops.infer import infer_node, infer_values
from sclbl.signature import Column, DType, Input, Kind, Output, Signature, stored_as
from sclbl.signature_check import EXPORTS, MAX_COUNTED
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph, Node, Provenance, Spec, Value

OPSETS = range(7, 29)
#: How many rows are tried where operators mix rows and the file does not say how many there are.
ASSUMED_ROWS = 2


#: Columns of an input, by its element type.
_KINDS: Mapping[str, Kind] = {"float32": "float32", "float64": "float64", "text": "text"}


@dataclass
class Reading:
    """A graph while it is read.

    `lead` is 1 where the first axis of the file's tensors are rows, which operators keep apart, and
    0 where a whole tensor is one row.
    """

    constants: dict[str, np.ndarray]
    opset: int
    lead: int = 1
    rows: int | None = None
    values: dict[str, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    #: The operators of the file that were read.
    read: list[str] = field(default_factory=list)
    #: Columns that the file holds as rows, until a Reshape makes columns of them.
    lying: set[str] = field(default_factory=set)

    def constant(self, values: Any, dtype: Any) -> str:
        number = len(self.constants)
        while (name := f"sclbl_c{number}") in self.constants:  # the file may have such a name too
            number += 1
        self.constants[name] = np.asarray(values, dtype=dtype)
        return name

    def node(self, op: str, inputs: list[str], *outputs: str, **attrs: Any) -> None:
        node = Node(op, tuple(inputs), outputs, attrs)
        self.values.update(infer_node(node, self.values, self.constants))
        self.nodes.append(node)

    def array(self, inputs: list[str], index: int, op: str) -> np.ndarray:
        if index >= len(inputs):
            raise SpecError(f"operator {op} has {len(inputs)} inputs; it takes {index + 1} or more")
        name = inputs[index]
        if name not in self.constants:
            raise SpecError(f"operator {op} takes {name!r}, which must be a constant")
        return self.constants[name]

    def shape(self, name: str, op: str) -> tuple[int, ...]:
        if name not in self.values:
            raise SpecError(f"operator {op} takes {name!r}, which must be a tensor, no constant")
        return self.values[name].shape

    def is_constant(self, name: str) -> bool:
        return name in self.constants

    def dtype(self, name: str) -> str:
        return (
            str(self.constants[name].dtype) if name in self.constants else self.values[name].dtype
        )

    def keep(self, name: str, values: np.ndarray) -> None:
        if name in self.constants:
            raise SpecError(f"the ONNX file has two constants named {name!r}")
        self.constants[name] = values


def read_foreign(model: onnx.ModelProto) -> Spec:
    """Read a file without sclbl's metadata.

    The first axis of its tensors are rows where every operator keeps them apart. Where one does
    not, and the shape of the input is fixed, the whole tensor is one row.

    Raises
    ------
    SpecError
        Where its inputs are no tensors of rows, or an operator is not known.
    """
    opsets = {o.domain: o.version for o in model.opset_import}
    opset = opsets.get("", opsets.get("ai.onnx", 0))
    if opset not in OPSETS:
        raise SpecError(
            f"the ONNX file imports operator sets {opsets}; supported are {OPSETS[0]} to "
            f"{OPSETS[-1]}, so convert it with onnx.version_converter.convert_version(model, 21)"
        )
    if model.functions:
        raise SpecError("the ONNX file has functions of its own; inline them, onnx.inliner")
    ends = (*model.graph.input, *model.graph.output)
    if any(v.type.WhichOneof("value") not in (None, "tensor_type") for v in ends):
        raise SpecError("the ONNX file has inputs or outputs that are no tensors; use tensors")
    constants = initializers(model.graph)
    given = [v for v in model.graph.input if v.name not in constants]
    if not given:
        raise SpecError("the ONNX file has no inputs, so it gives the same at every call")
    dtype, dims = tensor_type(given[0])
    if len(given) > 1 or dtype not in _KINDS:
        r = Reading(constants, opset, rows=dims[0])
        return _read(r, model, _tensors(r, given))
    name = given[0].name
    block = TEXT_INPUT if dtype == "text" else NUMERIC_INPUT
    if len(dims) < 2:
        # Rows without an axis of their own would be taken for one row of columns.
        error = SpecError(f"input {name!r} has {len(dims)} axes, so it is not [rows, columns]")
        return _read_one_row(model, Value(block, dtype, ()), name, dims, Reading({}, opset), error)
    source = Value(block, dtype, row_shape(name, dims, MAX_COUNTED))
    r = Reading(dict(constants), opset, rows=dims[0])
    try:
        return _read(r, model, {name: source})
    except SpecError as error:
        return _read_one_row(model, source, name, dims, r, error)


def _read_one_row(
    model: onnx.ModelProto,
    source: Value,
    name: str,
    dims: tuple[int | None, ...],
    before: Reading,
    error: SpecError,
) -> Spec:
    """Read a graph as one on a whole tensor, after reading it row by row failed."""
    r = Reading(initializers(model.graph), before.opset, lead=0)
    try:
        shape = row_shape(name, (1, *(d or ASSUMED_ROWS for d in dims)), MAX_COUNTED)
        spec = _read(r, model, {name: Value(source.name, source.dtype, shape)})
    except SpecError as other:
        # The reading that got further says what the file has that is not supported.
        further = len(r.read) - len(before.read)
        if further > 0 or (further == 0 and all(dims)):
            raise
        if not all(dims):
            raise error from None
        raise SpecError(f"{error}; with the whole tensor as one row, {other}") from None
    if all(dims):
        return spec
    raise SpecError(
        f"{error}; a model that mixes rows is taken with a fixed number of them: give the first "
        f"axis of the input {name!r} a length in place of a name, with "
        "onnx.tools.update_model_dims"
    ) from None


def _tensors(r: Reading, given: Sequence[onnx.ValueInfoProto]) -> dict[str, Value]:
    """Return inputs that are tensors ``[rows, ...]`` of any type of numbers, by their own names."""
    found: dict[str, Value] = {}
    taken = {*r.constants, NUMERIC_INPUT, TEXT_INPUT}
    for value in given:
        dtype, dims = tensor_type(value)
        if dtype == "text":
            raise SpecError(
                f"the ONNX file's input {value.name!r} holds text beside other inputs; a model of "
                "several inputs takes numbers and truths"
            )
        if len(dims) < 2:
            raise SpecError(
                f"input {value.name!r} has {len(dims)} axes, so it is not [rows, ...]; a model of "
                "several inputs takes rows in each"
            )
        name = re.sub(r"[^A-Za-z0-9_]", "_", value.name)[:80]
        name = name if re.match(r"[A-Za-z_]", name) else f"input_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        found[value.name] = Value(name, dtype, row_shape(value.name, dims, MAX_COUNTED))
    return found


def _read(r: Reading, model: onnx.ModelProto, sources: Mapping[str, Value]) -> Spec:
    """Read a graph whose inputs, by their names in the file, have rows of these shapes."""
    for name, value in sources.items():
        r.names[name] = value.name
        r.values[value.name] = value
    inputs = tuple(sources.values())
    for proto in model.graph.node:
        _read_node(r, proto)
        r.read.append(proto.op_type)
    methods: dict[str, str] = {}
    made: dict[str, DType] = {}
    for value in model.graph.output:
        method = _method(value.name, {*methods, *(v.name for v in inputs)})
        methods[method] = value.name
        made[method] = _store(r, r.names.get(value.name, value.name), method)
    used = {i for n in r.nodes for i in n.inputs}
    constants = {k: v for k, v in r.constants.items() if k in used}
    values = infer_values(inputs, r.nodes, constants)
    outputs = {method: _output(r, values[method], own) for method, own in made.items()}
    signature = _signature(r, inputs, outputs)
    graph = Graph(inputs, tuple(values[m] for m in methods), tuple(r.nodes), constants, values)
    check_signature(signature, graph)
    producer = model.producer_name[:80] or "onnx"
    return Spec(graph, signature, Provenance("onnx", {producer: model.producer_version[:80]}))


def _signature(r: Reading, inputs: Sequence[Value], outputs: Mapping[str, Output]) -> Signature:
    """Return the signature of a graph: one table of columns, or tensors by name."""
    source = inputs[0]
    if source.name not in (NUMERIC_INPUT, TEXT_INPUT):
        tensors = tuple(Input(v.name, "tensor", v.dtype, v.shape) for v in inputs)
        return Signature((), "array", outputs, inputs=tensors)
    columns = (Column(None, _KINDS[source.dtype]),) * source.width
    shape = source.shape if len(source.shape) > 1 or not r.lead else None
    return Signature(columns, "array", outputs, shape, one_row=not r.lead)


def _output(r: Reading, v: Value, own: DType) -> Output:
    """Return what a method gives whose tensor is of a type that may be stored as another."""
    returned = "object" if own == "text" else own
    shape = v.shape if len(v.shape) > 1 or not r.lead else None
    return Output(stored_as(own), returned, v.width, r.lead + len(v.shape), shape=shape)


def _read_node(r: Reading, proto: onnx.NodeProto) -> None:
    domain = "" if proto.domain == "ai.onnx" else proto.domain
    op = f"{domain}.{proto.op_type}" if domain else proto.op_type
    known = OPS.get(op) or REWRITTEN.get(op)
    if domain == "sclbl" or known is None:
        raise SpecError(
            f"operator {op} is not supported in ONNX files of other tools; give the fitted model "
            "itself to sclbl, or use row-wise operators only"
        )
    named = list(proto.output)
    while named and not named[-1]:  # the last ones may be left out
        named.pop()
    if not named or not all(named):
        raise SpecError(f"operator {op} has an output without a name")
    # Names get a prefix of their own, so that a file cannot take those that are made here.
    r.outputs = [f"t_{name}" for name in named]
    out = r.outputs[0]
    inputs = [i if i in r.constants else r.names.get(i, f"t_{i}") for i in proto.input]
    r.names.update(zip(named, r.outputs, strict=True))
    attrs = {a.name: read_attribute(a, op) for a in proto.attribute}
    if r.lying.intersection(inputs) and op != "Reshape":
        if op not in ("Cast", "Identity"):
            raise SpecError(f"operator {op} takes what ArrayFeatureExtractor makes one row of")
        r.lying.add(out)
    if op == "Constant":
        out = named[0]
        del r.names[out]
    if known.read is not None:
        if not inputs and op != "Constant":
            raise SpecError(f"operator {op} has no inputs")
        known.read(r, inputs, out, attrs)
        return
    r.node(op, inputs, *r.outputs, **attrs)


def _store(r: Reading, name: str, method: str) -> DType:
    """Let a tensor be a method's result, as programs store its type, which is returned."""
    known = r.values.get(name)
    if name in r.lying:
        raise SpecError(f"output {method!r} is one row of all rows' labels; reshape it to [-1]")
    if known is None or stored_as(known.dtype) == known.dtype:
        r.node("Identity", [name], method)
    else:
        r.node("Cast", [name], method, to=stored_as(known.dtype))
    return r.values[method].dtype if known is None else known.dtype


def _method(name: str, taken: Set[str]) -> str:
    method = re.sub(r"[^A-Za-z0-9_]", "_", name)[:80]
    if not re.match(r"[A-Za-z]", method) or method in (*EXPORTS, NUMERIC_INPUT, TEXT_INPUT):
        method = f"output_{method}"
    while method in taken:
        method += "_"
    return method
