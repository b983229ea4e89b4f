"""`Spec` → ONNX bytes."""

from __future__ import annotations

import json
from typing import Any

import onnx
from onnx import helper

from sclbl.errors import SpecError
from sclbl.onnx_format import functions
from sclbl.onnx_format.tensors import element_type, to_attribute, to_tensor
from sclbl.onnx_format.value_types import value_info
from sclbl.ops import find
from sclbl.spec import Spec

IR_VERSION = 10
FORMAT = "1"


def write_model(spec: Spec) -> bytes:
    """Write a spec; see `sclbl.onnx_format.write`."""
    try:
        return _write(spec)
    except UnicodeEncodeError as error:
        raise SpecError(
            f"a text constant of the model is not valid Unicode ({error}); it cannot be "
            "written to an ONNX file, so clean the categories and fit again"
        ) from None


def _write(spec: Spec) -> bytes:
    graph = spec.graph
    model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="sclbl")
    model.opset_import.add(domain="", version=functions.OPSET)
    model.opset_import.add(domain="ai.onnx.ml", version=functions.ML_OPSET)
    model.opset_import.add(domain=functions.DOMAIN, version=1)
    model.graph.name = "sclbl"
    for node in graph.nodes:
        op = find(node.op)
        domain, _, name = node.op.rpartition(".")
        if op.body is not None:
            name = functions.write_function(model, op, node)
        proto = model.graph.node.add(
            op_type=name, domain=domain, input=node.inputs, output=node.outputs
        )
        attrs = node.attrs if op.encode is None else op.encode(node.attrs)
        for key, value in sorted(attrs.items()):
            to_attribute(proto.attribute.add(name=key), value, node.op)
    signature = spec.signature
    shared = {given.name for given in signature.parameters}
    model.graph.input.extend(
        value_info(v, element_type(v.dtype), v.name in shared) for v in graph.inputs
    )
    results = {name: out for m in signature.outputs for name, out in signature.results(m)}
    model.graph.output.extend(
        value_info(v, element_type(v.dtype, results[v.name].labels)) for v in graph.outputs
    )
    model.graph.initializer.extend(to_tensor(a, name) for name, a in graph.constants.items())
    helper.set_model_props(model, _metadata(spec))
    size = model.ByteSize()
    if size >= 2**31 - 1:
        raise SpecError(
            f"the model needs {size:,} bytes as ONNX, and an ONNX file holds less than 2 GB; "
            "use fewer or smaller trees"
        )
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _metadata(spec: Spec) -> dict[str, str]:
    def text(data: Any) -> str:
        return json.dumps(data, separators=(",", ":"))

    source = {"model": spec.source.model, "libraries": dict(spec.source.libraries)}
    notes: dict[str, Any] = {
        "kept": dict(spec.kept),
        "dropped": spec.dropped,
        "warnings": spec.warnings,
    }
    if spec.coefficients is not None:
        notes["coefficients"] = spec.coefficients.to_json()
    return {
        "sclbl.format": FORMAT,
        "sclbl.notes": text(notes),
        "sclbl.signature": text(spec.signature.to_json()),
        "sclbl.source": text(source),
    }
