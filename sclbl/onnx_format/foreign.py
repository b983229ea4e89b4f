"""ONNX files that other tools wrote: one tensor of rows in, row-wise operators."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from sclbl.errors import SpecError
from sclbl.manifest import MAX_COUNTED
from sclbl.onnx_format.reader import encoder, initializers, input_type, read_attribute
from sclbl.onnx_format.rules import RULES, infer_values
from sclbl.onnx_format.signatures import check_signature
from sclbl.onnx_format.tensors import DTYPE
from sclbl.signature import Column, Output, Signature
from sclbl.spec import NUMERIC_INPUT, RESERVED, TEXT_INPUT, Graph, Node, Provenance, Spec, Value

OPSETS = range(13, 27)
_REDUCE = frozenset(op for op in RULES if op.startswith("Reduce"))


@dataclass
class Reading:
    """A graph while it is read."""

    constants: dict[str, np.ndarray]
    nodes: list[Node] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    flat: set[str] = field(default_factory=set)

    def constant(self, values: Any, dtype: Any) -> str:
        name = f"sclbl_c{len(self.constants)}"
        self.constants[name] = np.asarray(values, dtype=dtype)
        return name

    def node(self, op: str, inputs: list[str], output: str, **attrs: Any) -> str:
        self.nodes.append(Node(op, tuple(inputs), (output,), attrs))
        return output

    def array(self, inputs: list[str], index: int, op: str) -> np.ndarray:
        if index >= len(inputs):
            raise SpecError(f"operator {op} has {len(inputs)} inputs; it takes {index + 1} or more")
        name = inputs[index]
        if name not in self.constants:
            raise SpecError(f"operator {op} takes {name!r}, which must be a constant")
        return self.constants[name]


Reader = Callable[[Reading, list[str], str, dict[str, Any]], None]


def _axis(op: str, attrs: dict[str, Any], default: int) -> None:
    if attrs.pop("axis", default) not in (1, -1):
        raise SpecError(f"operator {op} works along axis {attrs}; rows are read along axis 1 only")


def _no_more(op: str, attrs: Mapping[str, Any]) -> None:
    if attrs:
        raise SpecError(f"operator {op} has attributes {sorted(attrs)}, which are not supported")


def _gemm(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    alpha, beta = attrs.pop("alpha", 1.0), attrs.pop("beta", 1.0)
    if not isinstance(alpha, float) or not isinstance(beta, float):
        raise SpecError("operator Gemm has a factor (alpha, beta) that is no number")
    if attrs.pop("transA", 0):
        raise SpecError("operator Gemm transposes its rows, which is not supported")
    matrix = r.array(inputs, 1, "Gemm")
    matrix = matrix.T if attrs.pop("transB", 0) else matrix
    _no_more("Gemm", attrs)
    dtype = matrix.dtype
    bias = len(inputs) > 2 and bool(inputs[2])
    scaled = np.ascontiguousarray(matrix if alpha == 1.0 else matrix * dtype.type(alpha))
    product = f"{out}_product" if bias else out
    r.node("MatMul", [inputs[0], r.constant(scaled, dtype)], product)
    if bias:
        offset = r.array(inputs, 2, "Gemm")
        offset = offset if beta == 1.0 else offset * dtype.type(beta)
        r.node("Add", [product, r.constant(offset, dtype)], out)


def _reducer(op: str) -> Reader:
    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        axes = attrs.pop("axes", None)
        if len(inputs) > 1:
            axes = tuple(r.array(inputs, 1, op).ravel().tolist())
        if axes not in ((1,), (-1,)) or attrs.pop("keepdims", 1) != 1:
            raise SpecError(f"operator {op} must reduce along axis 1 and keep it")
        _no_more(op, attrs)
        r.node(op, [inputs[0], r.constant([1], np.int64)], out, keepdims=1)

    return read


def _cast(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    attrs.pop("saturate", None)
    to = DTYPE.get(attrs.pop("to", 0))
    _no_more("Cast", attrs)
    r.node("Cast", inputs, out, to=to)


def _gather(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    _axis("Gather", attrs, 0)
    indices = r.array(inputs, 1, "Gather").astype(np.int64)
    r.node("Gather", [inputs[0], r.constant(indices, np.int64)], out, axis=1)


def _concat(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    _axis("Concat", attrs, 0)
    r.node("Concat", inputs, out, axis=1)


def _softmax(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    _axis("Softmax", attrs, -1)
    r.node("Softmax", inputs, out, axis=1)


def _argmax(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    _axis("ArgMax", attrs, 0)
    if attrs.pop("select_last_index", 0):
        raise SpecError("operator ArgMax takes the last of equals, which is not supported")
    if not attrs.pop("keepdims", 1):
        r.flat.add(out)
    r.node("ArgMax", inputs, out, axis=1, keepdims=1, select_last_index=0)


def _relu(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    _no_more("Relu", attrs)
    # Zero in the type of x, for infinities too: their sign is finite, and NaN's is NaN.
    sign, zero = f"{out}_sign", f"{out}_zero"
    r.node("Sign", [inputs[0]], sign)
    r.node("Sub", [sign, sign], zero)
    r.node("Max", [inputs[0], zero], out)


def _constant(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    kinds: dict[str, Any] = {
        "value_float": np.float32,
        "value_floats": np.float32,
        "value_int": np.int64,
        "value_ints": np.int64,
        "value": None,
    }
    name, value = attrs.popitem() if len(attrs) == 1 else ("", None)
    if name not in kinds or out in r.constants:
        raise SpecError("operator Constant holds what is not supported")
    r.constants[out] = np.asarray(value, dtype=kinds[name])


def _encoder(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    r.node("ai.onnx.ml.LabelEncoder", inputs, out, **encoder(attrs))


#: Operators whose attributes, inputs or meaning differ from the graph's.
READERS: dict[str, Reader] = {
    **{op: _reducer(op) for op in _REDUCE},
    "ArgMax": _argmax,
    "Cast": _cast,
    "Concat": _concat,
    "Constant": _constant,
    "Gather": _gather,
    "Gemm": _gemm,
    "Relu": _relu,
    "Softmax": _softmax,
    "ai.onnx.ml.LabelEncoder": _encoder,
}


def read_foreign(model: onnx.ModelProto) -> Spec:
    """Read a file without sclbl's metadata.

    Raises
    ------
    SpecError
        Where it has several inputs, or an operator that is not row-wise and known.
    """
    opsets = {o.domain: o.version for o in model.opset_import}
    if opsets.get("", opsets.get("ai.onnx")) not in OPSETS:
        raise SpecError(
            f"the ONNX file imports operator sets {opsets}; supported are {OPSETS[0]} to "
            f"{OPSETS[-1]}, so convert it with onnx.version_converter.convert_version(model, 21)"
        )
    if model.functions:
        raise SpecError("the ONNX file has functions of its own; inline them, onnx.inliner")
    r = Reading(initializers(model.graph))
    given = [v for v in model.graph.input if v.name not in r.constants]
    if len(given) != 1:
        raise SpecError(
            f"the ONNX file has {len(given)} inputs; files of other tools are read where they "
            "have one, a tensor [rows, columns]"
        )
    dtype, width = input_type(given[0], MAX_COUNTED)
    if dtype not in ("float32", "float64", "text"):
        raise SpecError(f"the ONNX file's input holds {dtype}; supported are float, double, string")
    name = TEXT_INPUT if dtype == "text" else NUMERIC_INPUT
    r.names[given[0].name] = name
    for proto in model.graph.node:
        _read_node(r, proto)
    inputs = (Value(name, dtype, width),)
    methods: dict[str, str] = {}
    outputs: dict[str, Output] = {}
    for value in model.graph.output:
        method = _method(value.name, methods)
        methods[method] = value.name
        r.node("Identity", [r.names.get(value.name, value.name)], method)
    used = {i for n in r.nodes for i in n.inputs}
    constants = {k: v for k, v in r.constants.items() if k in used}
    values = infer_values(inputs, r.nodes, constants)
    for method, original in methods.items():
        v = values[method]
        flat = r.names.get(original, original) in r.flat and v.width == 1
        stored = "object" if v.dtype == "text" else v.dtype
        outputs[method] = Output(v.dtype, stored, v.width, 1 if flat else 2)
    signature = Signature((Column(None, dtype),) * width, "array", outputs)
    graph = Graph(inputs, tuple(values[m] for m in methods), tuple(r.nodes), constants, values)
    check_signature(signature, graph)
    producer = model.producer_name[:80] or "onnx"
    return Spec(graph, signature, Provenance("onnx", {producer: model.producer_version[:80]}))


def _read_node(r: Reading, proto: onnx.NodeProto) -> None:
    domain = "" if proto.domain == "ai.onnx" else proto.domain
    op = f"{domain}.{proto.op_type}" if domain else proto.op_type
    if domain == "sclbl" or op not in RULES.keys() | READERS.keys():
        raise SpecError(
            f"operator {op} is not supported in ONNX files of other tools; give the fitted model "
            "itself to sclbl, or use row-wise operators only"
        )
    if len([o for o in proto.output if o]) != 1:
        raise SpecError(f"operator {op} has {len(proto.output)} outputs; it has one")
    # Names get a prefix of their own, so that a file cannot take those that are made here.
    out = f"t_{proto.output[0]}"
    inputs = [i if i in r.constants else r.names.get(i, f"t_{i}") for i in proto.input]
    r.names[proto.output[0]] = out
    attrs = {a.name: read_attribute(a, op) for a in proto.attribute}
    if op == "Constant":
        out = proto.output[0]
        del r.names[out]
    if op in READERS:
        if not inputs and op != "Constant":
            raise SpecError(f"operator {op} has no inputs")
        READERS[op](r, inputs, out, attrs)
        return
    r.node(op, inputs, out, **attrs)


def _method(name: str, taken: Mapping[str, str]) -> str:
    method = re.sub(r"[^A-Za-z0-9_]", "_", name)[:80]
    if not re.match(r"[A-Za-z]", method) or method in RESERVED | {NUMERIC_INPUT, TEXT_INPUT}:
        method = f"output_{method}"
    while method in taken:
        method += "_"
    return method
