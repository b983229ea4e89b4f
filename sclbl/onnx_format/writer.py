"""`Spec` → ONNX bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper

from sclbl.errors import SpecError
from sclbl.onnx_format import functions, tree_functions
from sclbl.onnx_format.tensors import ELEMENT, element_type, to_tensor
from sclbl.spec import Node, Spec

IR_VERSION = 10
FORMAT = "1"
#: Functions with constants of their own, one a node; their names end in ``_`` and a number.
INSTANCES: dict[str, Callable[[onnx.FunctionProto, Node, str], None]] = {
    "Labels": functions.labels,
    "TreeEnsemble": tree_functions.tree_function,
    "TreeLeaves": tree_functions.tree_function,
}


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
        domain, _, op = node.op.rpartition(".")
        if domain == functions.DOMAIN:
            op = _function(node, op, model)
        proto = model.graph.node.add(
            op_type=op, domain=domain, input=node.inputs, output=node.outputs
        )
        proto.attribute.extend(_attributes(node))
    labels = {name: out.labels for name, out in spec.signature.outputs.items()}
    model.graph.input.extend(_value(v.name, element_type(v.dtype), v.width) for v in graph.inputs)
    model.graph.output.extend(
        _value(v.name, element_type(v.dtype, labels.get(v.name)), v.width) for v in graph.outputs
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


def _function(node: Node, op: str, model: onnx.ModelProto) -> str:
    """Write the function that a node calls, and return its name."""
    if op in INSTANCES:
        name = f"{op}_{len(model.functions)}"
        INSTANCES[op](model.functions.add(), node, name)
        return name
    if op not in functions.FIXED:
        raise SpecError(f"operator {node.op} has no ONNX function; see docs/adding-an-op.md")
    if all(f.name != op for f in model.functions):
        functions.fixed(model.functions.add(), op)
    return op


def _value(name: str, element: int, width: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element, ["rows", width])


def _metadata(spec: Spec) -> dict[str, str]:
    def text(data: Any) -> str:
        return json.dumps(data, separators=(",", ":"))

    source = {"model": spec.source.model, "libraries": dict(spec.source.libraries)}
    notes = {"kept": dict(spec.kept), "dropped": spec.dropped, "warnings": spec.warnings}
    return {
        "sclbl.format": FORMAT,
        "sclbl.notes": text(notes),
        "sclbl.rows.infer": text(spec.signature.to_json()),
        "sclbl.source": text(source),
    }


def _attributes(node: Node) -> list[onnx.AttributeProto]:
    attrs = node.attrs
    if node.op == "Cast":
        return [helper.make_attribute("to", ELEMENT[attrs["to"]])]
    if node.op == "ai.onnx.ml.LabelEncoder":
        return _encoder(attrs["keys"], attrs["values"], attrs["default"])
    return [_attribute(name, value, node) for name, value in sorted(attrs.items())]


def _attribute(name: str, value: Any, node: Node) -> onnx.AttributeProto:
    if isinstance(value, np.ndarray):
        kind = onnx.AttributeProto.TENSOR
        return onnx.AttributeProto(name=name, type=kind, t=to_tensor(value))
    if name == "labels":
        return helper.make_attribute(name, json.dumps(value, separators=(",", ":")))
    if isinstance(value, tuple):
        found = onnx.AttributeProto(name=name, type=onnx.AttributeProto.INTS)
        found.ints.extend(int(v) for v in value)
        return found
    if isinstance(value, (bool, int, str)):
        return helper.make_attribute(name, int(value) if isinstance(value, bool) else value)
    raise SpecError(f"attribute {name} of {node.op} is a {type(value).__name__}")


def _encoder(keys: np.ndarray, values: np.ndarray, default: int) -> list[onnx.AttributeProto]:
    if keys.dtype.kind in "OU":
        first = helper.make_attribute("keys_strings", keys.tolist(), attr_type=8)
    elif keys.dtype == np.int64:
        first = helper.make_attribute("keys_int64s", keys.tolist(), attr_type=7)
    elif keys.dtype == np.float32:
        first = helper.make_attribute("keys_floats", keys.tolist(), attr_type=6)
    else:
        return [
            helper.make_attribute("default_tensor", to_tensor(np.array([default], np.int64))),
            helper.make_attribute("keys_tensor", to_tensor(keys)),
            helper.make_attribute("values_tensor", to_tensor(values)),
        ]
    return [
        helper.make_attribute("default_int64", default),
        first,
        helper.make_attribute("values_int64s", values.tolist(), attr_type=7),
    ]
