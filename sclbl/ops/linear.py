"""Products with constant matrices."""

from __future__ import annotations

from collections.abc import Sequence
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
    Reading,
    Rewritten,
    Typed,
    fail,
    has_attrs,
    has_inputs,
    no_more,
    same_type,
    tensor,
)
from sclbl.spec import Node


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    has_attrs(node)
    x, matrix = tensor(node, xs[0], FLOATS), xs[1].constant
    n = x.shape[-1] if x.shape else 0
    if matrix is None or matrix.ndim != 2 or matrix.shape[0] != n or not matrix.shape[1]:
        raise fail(node, f"takes a constant matrix of {n} rows")
    return [(same_type(node, xs, FLOATS), (*x.shape[:-1], matrix.shape[1]))]


def _matmul(attrs: Attrs, x: Array, weights: Array) -> Array:
    return np.asarray(x @ weights)


def _lower(e: Emitter, node: Node) -> None:
    x, weights = node.inputs
    matrix = np.asarray(e.constant(weights))
    rows, columns = matrix.shape
    # Along the last axis: what is before it are more rows.
    many = e.cells(e.width(x) // rows)
    if columns == 1:
        # An own copy of the column: a matrix is stored row by row.
        column = e.weight(np.ascontiguousarray(matrix[:, 0]))
        out = e.output(node)
        e.call(f"linear_dot_{e.suffix(x)}", out, e.pointer(x), column, many, f"i32 {rows}")
        return
    e.call(
        f"linear_matmul_{e.suffix(x)}",
        e.output(node),
        e.pointer(x),
        e.pointer(weights),
        many,
        f"i32 {rows}",
        f"i32 {columns}",
    )


MatMul = Op("MatMul", _infer, _matmul, _lower, FLOATS)


def _gemm_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    alpha, beta = attrs.pop("alpha", 1.0), attrs.pop("beta", 1.0)
    if not isinstance(alpha, float) or not isinstance(beta, float):
        raise SpecError("operator Gemm has a factor (alpha, beta) that is no number")
    if attrs.pop("transA", 0):
        raise SpecError("operator Gemm transposes its rows, which is not supported")
    matrix = r.array(inputs, 1, "Gemm")
    matrix = matrix.T if attrs.pop("transB", 0) else matrix
    no_more("Gemm", attrs)
    dtype = matrix.dtype
    bias = len(inputs) > 2 and bool(inputs[2])
    scaled = np.ascontiguousarray(matrix if alpha == 1.0 else matrix * dtype.type(alpha))
    product = f"{out}_product" if bias else out
    r.node("MatMul", [inputs[0], r.constant(scaled, dtype)], product)
    if bias:
        offset = r.array(inputs, 2, "Gemm")
        offset = offset if beta == 1.0 else offset * dtype.type(beta)
        r.node("Add", [product, r.constant(offset, dtype)], out)


Gemm = Rewritten("Gemm", _gemm_read)


def _normalization_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    """As it infers: a factor and a summand for each channel, worked out in float64."""
    epsilon = attrs.pop("epsilon", 1e-5)
    if attrs.pop("training_mode", 0) or not attrs.pop("spatial", 1):
        raise SpecError("operator BatchNormalization is not read as it trains, or spatial=0")
    attrs.pop("momentum", None)
    attrs.pop("consumed_inputs", None)
    attrs.pop("is_test", None)
    no_more("BatchNormalization", attrs)
    parts = [r.array(inputs, i, "BatchNormalization") for i in range(1, 5)]
    scale, shift, mean, variance = (p.astype(np.float64) for p in parts)
    factor = scale / np.sqrt(variance + epsilon)
    axes = (1,) * (len(r.shape(inputs[0], "BatchNormalization")) - 1)
    dtype = parts[0].dtype
    scaled = f"{out}_scaled"
    r.node("Mul", [inputs[0], r.constant(factor.reshape(-1, *axes), dtype)], scaled)
    summand = (shift - mean * factor).reshape(-1, *axes)
    r.node("Add", [scaled, r.constant(summand, dtype)], out)


BatchNormalization = Rewritten("BatchNormalization", _normalization_read)
