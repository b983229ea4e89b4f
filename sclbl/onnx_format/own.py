"""Files that sclbl wrote → `Spec`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx

from sclbl.coefficients import Coefficients
from sclbl.errors import SpecError, UnsupportedModelError
from sclbl.onnx_format import functions
from sclbl.onnx_format.parse import initializers, read_attribute, row_type
from sclbl.onnx_format.signatures import check_signature, parse_signature
from sclbl.onnx_format.value_types import input_value
from sclbl.onnx_format.writer import FORMAT
from sclbl.ops import OPS
from sclbl.ops.infer import infer_values
from sclbl.signature import Signature
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph, Node, Provenance, Spec, Value


def read_own(model: onnx.ModelProto, metadata: Mapping[str, str]) -> Spec:
    """Read a file with sclbl's metadata.

    Raises
    ------
    SpecError
        Where its graph or its metadata are not well formed.
    """
    if metadata["sclbl.format"] != FORMAT:
        raise SpecError(
            f"the ONNX file has sclbl format {metadata['sclbl.format'][:20]!r} and this sclbl "
            f"reads {FORMAT}; install a newer sclbl"
        )
    _check_opsets(model)
    signature = parse_signature(_json(metadata, "sclbl.signature"))
    constants = initializers(model.graph)
    inputs = tuple(_input(v, signature) for v in model.graph.input)
    nodes = tuple(_node(n) for n in model.graph.node)
    values = infer_values(inputs, nodes, constants)
    outputs = []
    for value in model.graph.output:
        if value.name not in values:
            raise SpecError(f"the ONNX file has an output {value.name!r} that nothing gives")
        outputs.append(values[value.name])
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
            coefficients=(
                Coefficients.from_json(notes["coefficients"]) if "coefficients" in notes else None
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError, UnsupportedModelError) as error:
        raise SpecError(f"the ONNX file's metadata is malformed ({error!r})") from None


def _check_opsets(model: onnx.ModelProto) -> None:
    found = {o.domain: o.version for o in model.opset_import}
    wanted = {"": functions.OPSET, "ai.onnx.ml": functions.ML_OPSET, functions.DOMAIN: 1}
    if found != wanted:
        raise SpecError(f"the ONNX file imports operator sets {found}; supported are {wanted}")


def _input(value: onnx.ValueInfoProto, signature: Signature) -> Value:
    given = next((i for i in signature.inputs if i.name == value.name), None)
    if given is not None:
        return input_value(value, given.kind == "parameter")
    types: dict[str, tuple[str, ...]] = {
        NUMERIC_INPUT: ("float64", "float32"),
        TEXT_INPUT: ("text",),
    }
    dtype, shape = row_type(value)
    if dtype not in types.get(value.name, ()):
        raise SpecError(f"the ONNX file has an input {value.name!r} of {dtype}")
    return Value(value.name, dtype, shape)


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


def _json(metadata: Mapping[str, str], key: str) -> Any:
    try:
        return json.loads(metadata[key])
    except (KeyError, ValueError, RecursionError) as error:
        raise SpecError(f"the ONNX file's metadata {key!r} cannot be read ({error!r})") from None
