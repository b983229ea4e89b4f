"""ONNX bytes → a protobuf message, and the parts of one that all readers need."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # has no types

from sclbl.errors import SpecError
from sclbl.onnx_format.bounds import scan
from sclbl.onnx_format.tensors import DTYPE, from_tensor
from sclbl.ops.infer import MAX_WIDTH
from sclbl.shapes import MAX_AXES, elements
from sclbl.signature import DType


def parse(data: bytes, limit: int) -> onnx.ModelProto:
    """Return the message in a file, which was counted before it was parsed.

    Raises
    ------
    SpecError
        Where it is too large, no ONNX file, or without a graph.
    """
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
    return model


def initializers(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """Return the constants of a graph by name."""
    constants: dict[str, np.ndarray] = {}
    for tensor in graph.initializer:
        if tensor.name in constants or not tensor.name:
            raise SpecError(f"the ONNX file has two constants named {tensor.name!r}")
        constants[tensor.name] = from_tensor(tensor, f"constant {tensor.name!r}")
    return constants


def tensor_type(value: onnx.ValueInfoProto) -> tuple[DType, tuple[int | None, ...]]:
    """Return element type and shape of an input; None for an axis without a fixed length."""
    tensor = value.type.tensor_type
    shaped = value.type.WhichOneof("value") == "tensor_type" and tensor.HasField("shape")
    if tensor.elem_type not in DTYPE or not shaped:
        raise SpecError(
            f"input {value.name!r} is not a tensor of numbers or text with a known number of axes"
        )
    dtype: DType = DTYPE[tensor.elem_type]  # type: ignore[assignment] # callers check which
    return dtype, tuple(d.dim_value or None for d in tensor.shape.dim)


def row_type(value: onnx.ValueInfoProto) -> tuple[DType, tuple[int, ...]]:
    """Return element type and row shape of an input ``[rows, ...]``."""
    dtype, dims = tensor_type(value)
    return dtype, row_shape(value.name, dims)


def row_shape(name: str, dims: tuple[int | None, ...], most: int = MAX_WIDTH) -> tuple[int, ...]:
    """Return the shape of a row of an input ``[rows, ...]``; `most` bounds its elements."""
    shape = tuple(d or 0 for d in dims[1:])
    if len(shape) > MAX_AXES:
        raise SpecError(
            f"input {name!r} has {len(dims):,} axes; sclbl takes at most {MAX_AXES} beside the rows"
        )
    if not dims or min(shape, default=1) < 1 or (width := elements(shape)) > MAX_WIDTH:
        raise SpecError(
            f"input {name!r} is not a tensor [rows, columns] of numbers or text with a fixed "
            "number of columns"
        )
    if width > most:
        raise SpecError(
            f"input {name!r} has {width:,} columns; sclbl takes at most {most:,} without names"
        )
    return shape


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
