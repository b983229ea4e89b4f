"""Weighted medians of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sclbl.ops.record import (
    FLOATS,
    Array,
    Attrs,
    Body,
    Emitter,
    Op,
    Operand,
    Typed,
    fail,
    has_inputs,
    same_type,
    tensor,
)
from sclbl.spec import Node


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, weights = tensor(node, xs[0], FLOATS), node.attrs.get("weights")
    if set(node.attrs) != {"weights"} or not isinstance(weights, np.ndarray):
        raise fail(node, "takes weights")
    if weights.dtype != np.float64 or weights.shape != x.shape or not x.width:
        raise fail(node, "takes one float64 weight a column")
    return [(same_type(node, [x], FLOATS), (1,))]


def _define(attrs: Attrs, x: Array) -> Array:
    order = np.argsort(x, axis=1, kind="stable")
    below = np.cumsum(attrs["weights"][order], axis=1)
    place = (below >= 0.5 * below[:, -1:]).argmax(axis=1)
    return np.take_along_axis(x, np.take_along_axis(order, place[:, None], axis=1), axis=1)


def _lower(e: Emitter, node: Node) -> None:
    (x,), width = node.inputs, e.width(node.inputs[0])
    weights = np.asarray(node.attrs["weights"], dtype=np.float64)
    order = e.workspace(4 * width)
    sizes = ("i32 %m", f"i32 {width}")
    e.call(f"median_{e.suffix(x)}", e.output(node), e.pointer(x), e.weight(weights), order, *sizes)


def _body(b: Body, node: Node) -> str:
    weights = np.asarray(node.attrs["weights"])
    count, axis = b.tensor([len(weights)], np.int64), b.tensor(1, np.int64)
    values, order = b.several("TopK", 2, "x", count, axis=1, largest=0)
    below = b.op("CumSum", b.op("Gather", b.tensor(weights), order, axis=0), axis)
    last = b.op("Gather", below, b.tensor([len(weights) - 1], np.int64), axis=1)
    reached = b.op("GreaterOrEqual", below, b.op("Mul", last, b.tensor(0.5)))
    place = b.op("ArgMax", b.op("Cast", reached, to=6), axis=1, keepdims=1)
    return b.op("GatherElements", values, place, axis=1)


#: The smallest number of a row that, with all up to it, has half of the weight: weights are added
#: in the order of the numbers, equal ones in that of the columns.
WeightedMedian = Op(
    "sclbl.WeightedMedian",
    _infer,
    _define,
    _lower,
    FLOATS,
    body=_body,
    private=True,
    exact=True,
    holds="weights",
)
