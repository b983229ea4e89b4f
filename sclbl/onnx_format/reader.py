"""ONNX bytes → `Spec`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # has no types

from sclbl.errors import SpecError
from sclbl.onnx_format import functions
from sclbl.onnx_format.bounds import scan
from sclbl.onnx_format.signatures import check_signature, parse_signature
from sclbl.onnx_format.tensors import DTYPE, from_tensor
from sclbl.onnx_format.writer import FORMAT
from sclbl.ops import OPS
from sclbl.ops.infer import MAX_WIDTH, infer_values
from sclbl.signature import DType
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph, Node, Provenance, Spec, Value

#: What reading fields of the wrong kind or number ends in, wherever it is noticed.
_MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def read_model(data: bytes, limit: int) -> Spec:
    """Read a file; see `sclbl.onnx_format.read`."""
    try:
        return _read(data, limit)
    except _MALFORMED as error:
        raise SpecError(
            f"the ONNX file is malformed ({type(error).__name__}: {str(error)[:200]}); check it "
            "with onnx.checker.check_model, or give the fitted model itself to sclbl"
        ) from error


def _read(data: bytes, limit: int) -> Spec:
    if len(data) > limit:
        raise SpecError(f"the ONNX file has {len(data):,} bytes; the limit is {limit:,}")
    data = bytes(data)
    scan(data)
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError:
        raise SpecError(
            "this is not an ONNX file, or it is truncated or altered; give the bytes that "
            "sclbl wrote, or those of onnx.save"
        ) from None
    if not model.HasField("graph") or not model.graph.node:
        raise SpecError("the ONNX file holds no graph, or one without operators")
    metadata = {p.key: p.value for p in model.metadata_props}
    if "sclbl.format" not in metadata:
        from sclbl.onnx_format.foreign import read_foreign

        return read_foreign(model)
    if metadata["sclbl.format"] != FORMAT:
        raise SpecError(
            f"the ONNX file has sclbl format {metadata['sclbl.format'][:20]!r} and this sclbl "
            f"reads {FORMAT}; install a newer sclbl"
        )
    _check_opsets(model)
    constants = initializers(model.graph)
    inputs = tuple(_input(v) for v in model.graph.input)
    nodes = tuple(_node(n) for n in model.graph.node)
    values = infer_values(inputs, nodes, constants)
    outputs = []
    for value in model.graph.output:
        if value.name not in values:
            raise SpecError(f"the ONNX file has an output {value.name!r} that nothing gives")
        outputs.append(values[value.name])
    signature = parse_signature(_json(metadata, "sclbl.rows.infer"))
    graph = Graph(inputs, tuple(outputs), nodes, constants, values)
    check_signature(signature, graph)
    source, notes = _json(metadata, "sclbl.source"), _json(metadata, "sclbl.notes")
    try:
        return Spec(
            graph=graph,
            signature=signature,
            source=Provenance(
                str(source["model"]), {str(k): str(v) for k, v in source["libraries"].items()}
            ),
            kept={str(k): int(v) for k, v in notes["kept"].items()},
            dropped=tuple(map(str, notes["dropped"])),
            warnings=tuple(map(str, notes["warnings"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SpecError(f"the ONNX file's metadata is malformed ({error!r})") from None


def _check_opsets(model: onnx.ModelProto) -> None:
    found = {o.domain: o.version for o in model.opset_import}
    wanted = {"": functions.OPSET, "ai.onnx.ml": functions.ML_OPSET, functions.DOMAIN: 1}
    if found != wanted:
        raise SpecError(f"the ONNX file imports operator sets {found}; supported are {wanted}")


def initializers(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """Return the constants of a graph by name."""
    constants: dict[str, np.ndarray] = {}
    for tensor in graph.initializer:
        if tensor.name in constants or not tensor.name:
            raise SpecError(f"the ONNX file has two constants named {tensor.name!r}")
        constants[tensor.name] = from_tensor(tensor, f"constant {tensor.name!r}")
    return constants


def _input(value: onnx.ValueInfoProto) -> Value:
    types: dict[str, tuple[str, ...]] = {
        NUMERIC_INPUT: ("float64", "float32"),
        TEXT_INPUT: ("text",),
    }
    dtype, width = input_type(value)
    if dtype not in types.get(value.name, ()):
        raise SpecError(f"the ONNX file has an input {value.name!r} of {dtype}")
    return Value(value.name, dtype, width)


def input_type(value: onnx.ValueInfoProto, most: int = MAX_WIDTH) -> tuple[DType, int]:
    """Return type and width of an input ``[rows, width]``, which is at most `most`."""
    tensor = value.type.tensor_type
    dims = tensor.shape.dim
    width = dims[1].dim_value if len(dims) == 2 else 0
    if not 0 < width <= MAX_WIDTH or tensor.elem_type not in DTYPE:
        raise SpecError(
            f"input {value.name!r} is not a tensor [rows, columns] of numbers or text with a "
            "fixed number of columns"
        )
    if width > most:
        raise SpecError(
            f"input {value.name!r} has {width:,} columns; sclbl takes at most {most:,} without "
            "names"
        )
    dtype: DType = DTYPE[tensor.elem_type]  # type: ignore[assignment] # callers check which
    return dtype, width


def _node(proto: onnx.NodeProto) -> Node:
    domain = proto.domain
    op = proto.op_type
    if domain == functions.DOMAIN:
        op = op.partition("_")[0]
    op = f"{domain}.{op}" if domain else op
    raw: dict[str, Any] = {}
    for attribute in proto.attribute:
        if attribute.name in raw:
            raise SpecError(f"operator {op} has two attributes named {attribute.name!r}")
        raw[attribute.name] = read_attribute(attribute, op)
    known = OPS.get(op)
    if known is not None and known.decode is not None:
        raw = known.decode(raw)
    return Node(op, tuple(proto.input), tuple(proto.output), raw)


def read_attribute(attribute: onnx.AttributeProto, op: str) -> Any:
    """Return the value of an attribute: int, float, str, tuples of them, or an array."""
    kind, name = attribute.type, attribute.name
    if attribute.ref_attr_name:
        raise SpecError(f"attribute {name} of {op} refers to a function's attribute")
    if kind == onnx.AttributeProto.INT:
        return attribute.i
    if kind == onnx.AttributeProto.FLOAT:
        return attribute.f
    if kind == onnx.AttributeProto.INTS:
        return tuple(attribute.ints)
    if kind == onnx.AttributeProto.FLOATS:
        return tuple(attribute.floats)
    if kind == onnx.AttributeProto.TENSOR:
        return from_tensor(attribute.t, f"attribute {name} of {op}")
    try:
        if kind == onnx.AttributeProto.STRING:
            return attribute.s.decode()
        if kind == onnx.AttributeProto.STRINGS:
            return tuple(s.decode() for s in attribute.strings)
    except UnicodeDecodeError:
        raise SpecError(f"attribute {name} of {op} holds text that is not UTF-8") from None
    raise SpecError(f"attribute {name} of {op} has an unsupported type")


def _json(metadata: Mapping[str, str], key: str) -> Any:
    try:
        return json.loads(metadata[key])
    except (KeyError, ValueError, RecursionError) as error:
        raise SpecError(f"the ONNX file's metadata {key!r} cannot be read ({error!r})") from None
