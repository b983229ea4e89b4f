"""ONNX files that other tools wrote: one tensor of rows in, row-wise operators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from sclbl.errors import SpecError
from sclbl.onnx_format.parse import initializers, read_attribute, row_type
from sclbl.onnx_format.signatures import check_signature
from sclbl.ops import OPS, REWRITTEN
from sclbl.ops.infer import infer_node, infer_values
from sclbl.signature import EXPORTS, MAX_COUNTED, Column, DType, Output, Signature, stored_as
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph, Node, Provenance, Spec, Value

OPSETS = range(7, 27)


@dataclass
class Reading:
    """A graph while it is read."""

    constants: dict[str, np.ndarray]
    opset: int
    rows: int | None = None
    values: dict[str, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

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
            raise SpecError(f"operator {op} takes {name!r}, which must be a tensor with rows")
        return self.values[name].shape

    def keep(self, name: str, values: np.ndarray) -> None:
        if name in self.constants:
            raise SpecError(f"the ONNX file has two constants named {name!r}")
        self.constants[name] = values


def read_foreign(model: onnx.ModelProto) -> Spec:
    """Read a file without sclbl's metadata.

    Raises
    ------
    SpecError
        Where it has several inputs, or an operator that is not row-wise and known.
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
    r = Reading(initializers(model.graph), opset)
    given = [v for v in model.graph.input if v.name not in r.constants]
    if len(given) != 1:
        raise SpecError(
            f"the ONNX file has {len(given)} inputs; files of other tools are read where they "
            "have one, a tensor [rows, ...]"
        )
    dtype, shape, r.rows = row_type(given[0], MAX_COUNTED)
    if dtype not in ("float32", "float64", "text"):
        raise SpecError(f"the ONNX file's input holds {dtype}; supported are float, double, string")
    name = TEXT_INPUT if dtype == "text" else NUMERIC_INPUT
    r.names[given[0].name] = name
    inputs = (Value(name, dtype, shape),)
    r.values[name] = inputs[0]
    for proto in model.graph.node:
        _read_node(r, proto)
    methods: dict[str, str] = {}
    made: dict[str, DType] = {}
    for value in model.graph.output:
        method = _method(value.name, methods)
        methods[method] = value.name
        made[method] = _output(r, r.names.get(value.name, value.name), method)
    used = {i for n in r.nodes for i in n.inputs}
    constants = {k: v for k, v in r.constants.items() if k in used}
    values = infer_values(inputs, r.nodes, constants)
    outputs: dict[str, Output] = {}
    for method, own in made.items():
        v = values[method]
        returned = "object" if own == "text" else own
        more = v.shape if len(v.shape) > 1 else None
        outputs[method] = Output(stored_as(own), returned, v.width, 1 + len(v.shape), shape=more)
    whole = shape if len(shape) > 1 else None
    columns = (Column(None, dtype),) * inputs[0].width
    signature = Signature(columns, "array", outputs, shape=whole)
    graph = Graph(inputs, tuple(values[m] for m in methods), tuple(r.nodes), constants, values)
    check_signature(signature, graph)
    producer = model.producer_name[:80] or "onnx"
    return Spec(graph, signature, Provenance("onnx", {producer: model.producer_version[:80]}))


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
    if op == "Constant":
        out = named[0]
        del r.names[out]
    if known.read is not None:
        if not inputs and op != "Constant":
            raise SpecError(f"operator {op} has no inputs")
        known.read(r, inputs, out, attrs)
        return
    r.node(op, inputs, *r.outputs, **attrs)


def _output(r: Reading, name: str, method: str) -> DType:
    """Let a tensor be a method's result, as programs store its type, which is returned."""
    known = r.values.get(name)
    if known is None or stored_as(known.dtype) == known.dtype:
        r.node("Identity", [name], method)
    else:
        r.node("Cast", [name], method, to=stored_as(known.dtype))
    return r.values[method].dtype if known is None else known.dtype


def _method(name: str, taken: Mapping[str, str]) -> str:
    method = re.sub(r"[^A-Za-z0-9_]", "_", name)[:80]
    if not re.match(r"[A-Za-z]", method) or method in (*EXPORTS, NUMERIC_INPUT, TEXT_INPUT):
        method = f"output_{method}"
    while method in taken:
        method += "_"
    return method
