"""Inputs and outputs in ONNX's own types: tensors, sparse tensors, sequences.

| in a graph | in a file |
|---|---|
| rows of a shape | tensor ``[rows, *shape]`` |
| a value that all rows share | tensor ``[1]`` |
| sparse rows of n columns | sparse tensor ``[rows, n]`` |
| lists | sequence of tensors ``[items]``, one a row |
| features | sequence of maps from text to a number, one a row |
"""

from __future__ import annotations

import onnx
from onnx import helper

from sclbl.errors import SpecError
from sclbl.onnx_format.parse import row_type
from sclbl.onnx_format.tensors import DTYPE
from sclbl.ops.infer import MAX_WIDTH
from sclbl.ops.record import ELEMENTS
from sclbl.signature import DType
from sclbl.spec import Value

#: Axes that a file names: they differ from call to call, or from row to row.
_ROWS, _ITEMS = "rows", "items"


def value_info(value: Value, element: int, shared: bool = False) -> onnx.ValueInfoProto:
    """Return how a file describes an input or an output.

    Parameters
    ----------
    value : Value
        The input or output.
    element : int
        ONNX's number of its element type.
    shared : bool
        Whether it is one value for the whole call.
    """
    if value.ragged == "sparse":
        kind = helper.make_sparse_tensor_type_proto(element, [_ROWS, *value.shape])
    elif value.ragged == "list":
        kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(element, [_ITEMS]))
    elif value.ragged == "features":
        number = helper.make_tensor_type_proto(element, [])
        kind = helper.make_sequence_type_proto(helper.make_map_type_proto(ELEMENTS["text"], number))
    else:
        axes = value.shape if shared else (_ROWS, *value.shape)
        kind = helper.make_tensor_type_proto(element, axes)
    return helper.make_value_info(value.name, kind)


def input_value(value: onnx.ValueInfoProto, shared: bool) -> Value:
    """Return an input beside the table as a file describes it; see `value_info`.

    Raises
    ------
    SpecError
        Where its type is none of those, or too wide.
    """
    found = _shared(value) if shared else _RAGGED.get(value.type.WhichOneof("value"), _rows)(value)
    if found is None:
        raise SpecError(
            f"the ONNX file's input {value.name!r} is none of: a tensor [rows, ...] or [1], a "
            "sparse tensor [rows, columns], a sequence of tensors [items], a sequence of maps from "
            "text to a number"
        )
    return found


def _rows(value: onnx.ValueInfoProto) -> Value | None:
    dtype, shape = row_type(value)
    return Value(value.name, dtype, shape)


def _shared(value: onnx.ValueInfoProto) -> Value | None:
    kind = value.type.tensor_type
    dtype, axes = _dtype(kind.elem_type), kind.shape.dim
    if value.type.WhichOneof("value") != "tensor_type" or dtype is None:
        return None
    return Value(value.name, dtype, (1,)) if [d.dim_value for d in axes] == [1] else None


def _sparse(value: onnx.ValueInfoProto) -> Value | None:
    kind = value.type.sparse_tensor_type
    dtype, axes = _dtype(kind.elem_type), kind.shape.dim
    if dtype is None or len(axes) != 2 or not 0 < axes[1].dim_value <= MAX_WIDTH:
        return None
    return Value(value.name, dtype, (axes[1].dim_value,), "sparse")


def _sequence(value: onnx.ValueInfoProto) -> Value | None:
    item = value.type.sequence_type.elem_type
    if item.WhichOneof("value") == "tensor_type":
        dtype = _dtype(item.tensor_type.elem_type)
        if dtype is None or len(item.tensor_type.shape.dim) != 1:
            return None
        return Value(value.name, dtype, (), "list")
    if item.WhichOneof("value") != "map_type":
        return None
    held = item.map_type.value_type
    dtype = _dtype(held.tensor_type.elem_type)
    if (
        item.map_type.key_type != ELEMENTS["text"]
        or held.WhichOneof("value") != "tensor_type"
        or dtype is None
        or held.tensor_type.shape.dim
    ):
        return None
    return Value(value.name, dtype, (), "features")


#: How an input is read, by the name of its type; others are tensors, or refused as none.
_RAGGED = {"sparse_tensor_type": _sparse, "sequence_type": _sequence}


def _dtype(element: int) -> DType | None:
    return DTYPE.get(element)  # type: ignore[return-value]  # the names of ONNX's types are ours
