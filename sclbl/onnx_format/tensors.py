"""NumPy arrays and ONNX tensors, one for one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx

from sclbl.errors import SpecError
from sclbl.ops.lookup import label_type
from sclbl.ops.record import ELEMENTS, Floats, Ints, Texts
from sclbl.signature import DType

DTYPE: dict[int, str] = {number: name for name, number in ELEMENTS.items()}
#: Most axes of a constant.
MAX_AXES = 8
#: Fields of a tensor for values that are not raw, by element type.
_TYPED: dict[str, str] = {
    "float32": "float_data",
    "float64": "double_data",
    "float16": "int32_data",
    "int8": "int32_data",
    "int16": "int32_data",
    "int32": "int32_data",
    "int64": "int64_data",
    "uint8": "int32_data",
    "uint16": "int32_data",
    "uint32": "uint64_data",
    "uint64": "uint64_data",
    "bool": "int32_data",
}


def to_tensor(array: np.ndarray, name: str = "") -> onnx.TensorProto:
    """Return an array of numbers, booleans or text as a tensor, raw and little-endian."""
    tensor = onnx.TensorProto(name=name, dims=array.shape)
    if array.dtype.kind in "OU":
        tensor.data_type = ELEMENTS["text"]
        tensor.string_data.extend(str(v).encode() for v in array.ravel().tolist())
        return tensor
    if array.dtype.name not in ELEMENTS:
        raise SpecError(f"a constant has type {array.dtype}; known are {', '.join(ELEMENTS)}")
    tensor.data_type = ELEMENTS[array.dtype.name]
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    tensor.raw_data = little.tobytes()
    return tensor


def from_tensor(tensor: onnx.TensorProto, where: str) -> np.ndarray:
    """Return a tensor as an array; text is an object array.

    Raises
    ------
    SpecError
        Where its data stand elsewhere, its size is not that of its shape, or its type is unknown.
    """
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise SpecError(
            f"{where} keeps its data in another file (external data), which is never read; save "
            "the model as one file, onnx.save(model, path, save_as_external_data=False)"
        )
    if tensor.data_type not in DTYPE or tensor.HasField("segment"):
        raise SpecError(f"{where} has element type {tensor.data_type}, which is not supported")
    name = DTYPE[tensor.data_type]
    shape = tuple(tensor.dims)
    if any(not 0 <= d < 2**31 for d in shape) or len(shape) > MAX_AXES:
        raise SpecError(
            f"{where} has shape {shape[:9]}; constants have at most {MAX_AXES} dimensions, "
            "none negative or beyond 2**31"
        )
    count = math.prod(shape)
    if name == "text":
        return _text(tensor, shape, count, where)
    if tensor.HasField("raw_data"):
        dtype = np.dtype(name).newbyteorder("<")
        held, size = len(tensor.raw_data), count * dtype.itemsize
        if held != size:
            raise SpecError(f"{where} has shape {shape} ({size} bytes) and holds {held} bytes")
        flat = np.frombuffer(tensor.raw_data, dtype=dtype)
    else:
        values = getattr(tensor, _TYPED[name])
        if len(values) != count:
            raise SpecError(f"{where} has shape {shape} and holds {len(values)} values")
        wide = np.uint64 if _TYPED[name] == "uint64_data" else np.int64
        flat = np.array(values, dtype=wide if "int" in _TYPED[name] else name)
        if name == "float16":  # its bits
            flat = _within(flat, np.dtype(np.uint16), where).view(np.float16)
        elif np.dtype(name).kind in "iu":
            flat = _within(flat, np.dtype(name), where)
    stored = flat.view(np.uint8) if flat.dtype == np.bool_ else flat
    if name == "bool" and stored.size and (stored.min() < 0 or stored.max() > 1):
        raise SpecError(f"{where} holds booleans other than 0 and 1")
    return flat.astype(name).reshape(shape)


def _within(values: np.ndarray, dtype: np.dtype[Any], where: str) -> np.ndarray:
    """Return integers in a type that holds each of them."""
    limits = np.iinfo(dtype)
    if values.size and (values.min() < limits.min or values.max() > limits.max):
        raise SpecError(f"{where} holds numbers beyond {dtype}")
    return values.astype(dtype)


def _text(tensor: onnx.TensorProto, shape: tuple[int, ...], count: int, where: str) -> np.ndarray:
    if len(tensor.string_data) != count:
        raise SpecError(f"{where} has shape {shape} and holds {len(tensor.string_data)} texts")
    array = np.empty(count, dtype=object)
    try:
        for i, raw in enumerate(tensor.string_data):
            array[i] = raw.decode()
    except UnicodeDecodeError:
        raise SpecError(f"{where} holds text that is not UTF-8") from None
    return array.reshape(shape)


def element_type(dtype: DType, labels: Any = None) -> int:
    """Return the ONNX element type of a tensor of the graph."""
    return ELEMENTS[label_type(labels) if dtype == "label" else dtype]


#: Integers of an attribute that are Python's at one time.
_CHUNK = 1 << 16


def to_attribute(proto: onnx.AttributeProto, value: Any, op: str) -> None:
    """Write an attribute's value in place: a number, text, a list or, of an array, a tensor."""
    kinds = onnx.AttributeProto
    if isinstance(value, np.ndarray):
        proto.type = kinds.TENSOR
        proto.t.CopyFrom(to_tensor(value))
    elif isinstance(value, (Ints, tuple)):
        numbers = np.asarray(value.values if isinstance(value, Ints) else value, dtype=np.int64)
        proto.type = kinds.INTS
        for start in range(0, len(numbers), _CHUNK):
            proto.ints.extend(numbers[start : start + _CHUNK].tolist())
    elif isinstance(value, Floats):
        proto.type = kinds.FLOATS
        proto.floats.extend(value.values)
    elif isinstance(value, Texts):
        proto.type = kinds.STRINGS
        proto.strings.extend(text.encode() for text in value.values)
    elif isinstance(value, str):
        proto.type, proto.s = kinds.STRING, value.encode()
    elif isinstance(value, (bool, int)):
        proto.type, proto.i = kinds.INT, int(value)
    elif isinstance(value, float):
        proto.type, proto.f = kinds.FLOAT, value
    else:
        raise SpecError(f"attribute {proto.name} of {op} is a {type(value).__name__}")
