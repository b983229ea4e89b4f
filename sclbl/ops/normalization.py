"""Functions of the values along an axis, of which all values come back."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops.record import (
    FLOATS,
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Read,
    Reading,
    Rewritten,
    Typed,
    axis_of_row,
    fail,
    has_attrs,
    has_inputs,
    kernel_name,
    no_more,
    rank_of,
    same_type,
    tensor,
)
from sclbl.spec import Node


def _along_axis(name: str, function: Callable[[Array, int], Array]) -> Op:
    """Return an operator on the values along one axis of a row, by `function` of array and axis."""

    def infer(node: Node, xs: Sequence[Operand]) -> Typed:
        has_inputs(node, xs, 1)
        x, axis = tensor(node, xs[0], FLOATS), node.attrs.get("axis")
        has_attrs(node, axis=axis)
        if not isinstance(axis, int) or not 1 <= axis <= len(x.shape):
            raise fail(node, f"works along axis {axis}; its rows have axes 1 to {len(x.shape)}")
        return [(same_type(node, [x], FLOATS), x.shape)]

    def lower(e: Emitter, node: Node) -> None:
        x, axis = node.inputs[0], node.attrs["axis"]
        shape = e.shape(x)
        n, inner = shape[axis - 1], math.prod(shape[axis:])
        if len(shape) == 1 and name == "Softmax":
            sizes = ("i32 %m", f"i32 {n}")
            e.call(f"reduce_softmax_{e.suffix(x)}", e.output(node), e.pointer(x), *sizes)
            return
        many = e.cells(math.prod(shape[: axis - 1]))
        kernel = f"normalize_{kernel_name(name)}_{e.suffix(x)}"
        e.call(kernel, e.output(node), e.pointer(x), many, f"i32 {n}", f"i32 {inner}")

    def define(attrs: Attrs, x: Array) -> Array:
        return np.asarray(function(x, attrs["axis"]), dtype=x.dtype)

    return Op(name, infer, define, lower, FLOATS, read=_read(name))


def _read(name: str) -> Read:
    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        axis = axis_of_row(r, inputs[0], name, attrs, -1 if r.opset >= 13 else 1)
        shape = r.shape(inputs[0], name)
        if r.opset >= 13 or axis == len(shape):
            r.node(name, inputs, out, axis=axis)
            return
        # Up to version 12 everything from the axis on is one.
        flat = [math.prod(shape[: axis - 1]), math.prod(shape[axis - 1 :])][axis == 1 :]
        r.node("Reshape", [inputs[0], r.constant([0, *flat], np.int64)], f"{out}_flat")
        r.node(name, [f"{out}_flat"], f"{out}_done", axis=len(flat))
        r.node("Reshape", [f"{out}_done", r.constant([0, *shape], np.int64)], out)

    return read


def _softmax(x: Array, axis: int) -> Array:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(e / _sum(e, axis))


def _log_softmax(x: Array, axis: int) -> Array:
    shifted = x - x.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(_sum(np.exp(shifted), axis)))


def _sum(x: Array, axis: int) -> Array:
    """Return sums along an axis, in order."""
    return np.take(np.cumsum(x, axis=axis), [-1], axis=axis)


Softmax = _along_axis("Softmax", _softmax)
LogSoftmax = _along_axis("LogSoftmax", _log_softmax)


def _layer_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 3)
    x, axis, epsilon = tensor(node, xs[0], FLOATS), node.attrs.get("axis"), node.attrs["epsilon"]
    has_attrs(node, axis=axis, epsilon=epsilon)
    if not isinstance(axis, int) or not 1 <= axis <= len(x.shape):
        raise fail(node, f"works from axis {axis} on; its rows have axes 1 to {len(x.shape)}")
    if not isinstance(epsilon, float) or not epsilon >= 0:
        raise fail(node, f"has epsilon {epsilon!r}; it takes a number from 0 on")
    last = x.shape[axis - 1 :]
    if any(y.constant is None or y.constant.shape != last for y in xs[1:]):
        raise fail(node, f"takes a constant scale and bias of shape {last}")
    return [(same_type(node, xs, FLOATS), x.shape)]


def _layer(attrs: Attrs, x: Array, scale: Array, bias: Array) -> Array:
    axes = tuple(range(attrs["axis"], x.ndim))
    wide = x.astype(np.float64)
    centred = wide - wide.mean(axis=axes, keepdims=True)
    variance = (centred * centred).mean(axis=axes, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + attrs["epsilon"]) * scale + bias, dtype=x.dtype)


def _layer_lower(e: Emitter, node: Node) -> None:
    x, scale, bias = node.inputs
    n = math.prod(e.shape(x)[node.attrs["axis"] - 1 :])
    (bits,) = struct.unpack("<Q", struct.pack("<d", node.attrs["epsilon"]))
    e.call(
        f"normalize_layer_{e.suffix(x)}",
        e.output(node),
        e.pointer(x),
        e.pointer(scale),
        e.pointer(bias),
        e.cells(e.width(x) // n),
        f"i32 {n}",
        f"double 0x{bits:016X}",
    )


def _layer_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    epsilon = float(np.float32(attrs.pop("epsilon", 1e-5)))
    if attrs.pop("stash_type", 1) not in (1, 11) or len(r.outputs) > 1:
        raise SpecError(
            "operator LayerNormalization gives its mean or computes in a type of its own, which "
            "sclbl does not"
        )
    axis = axis_of_row(r, inputs[0], "LayerNormalization", attrs, -1)
    shape = r.shape(inputs[0], "LayerNormalization")[axis - 1 :]
    scale = r.array(inputs, 1, "LayerNormalization")
    if len(inputs) > 2 and inputs[2]:
        bias = r.array(inputs, 2, "LayerNormalization")
    else:
        bias = np.zeros_like(scale)
    wide = [np.broadcast_to(a, shape) for a in (scale, bias)]
    given = [inputs[0], *(r.constant(np.ascontiguousarray(a), a.dtype) for a in wide)]
    r.node("LayerNormalization", given, out, axis=axis, epsilon=epsilon)


LayerNormalization = Op(
    "LayerNormalization", _layer_infer, _layer, _layer_lower, FLOATS, read=_layer_read
)


def _batch_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    """As it infers: a factor and a summand for each channel, worked out in float64."""
    epsilon = float(np.float32(attrs.pop("epsilon", 1e-5)))
    if attrs.pop("training_mode", 0) or not attrs.pop("spatial", 1):
        raise SpecError("operator BatchNormalization is not read as it trains, or spatial=0")
    for ignored in ("momentum", "consumed_inputs", "is_test"):
        attrs.pop(ignored, None)
    no_more("BatchNormalization", attrs)
    parts = [r.array(inputs, i, "BatchNormalization") for i in range(1, 5)]
    scale, shift, mean, variance = (p.astype(np.float64) for p in parts)
    factor = scale / np.sqrt(variance + epsilon)
    axes = (1,) * (rank_of(r, inputs[0], "BatchNormalization") - 2)
    dtype = parts[0].dtype
    scaled = f"{out}_scaled"
    r.node("Mul", [inputs[0], r.constant(factor.reshape(-1, *axes), dtype)], scaled)
    summand = (shift - mean * factor).reshape(-1, *axes)
    r.node("Add", [scaled, r.constant(summand, dtype)], out)


BatchNormalization = Rewritten("BatchNormalization", _batch_read)
