"""Products with constant matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops import strides
from sclbl.ops.packing import product_scratch
from sclbl.ops.record import (
    FLOATS,
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Reading,
    Rewritten,
    Shape,
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
    x, y = xs
    dtype = same_type(node, xs, FLOATS)
    if x.constant is None and y.constant is None:
        return [(dtype, _stacked(node, x.shape, y.shape))]
    x, matrix = tensor(node, x, FLOATS), y.constant
    n = x.shape[-1] if x.shape else 0
    if matrix is None or matrix.ndim != 2 or matrix.shape[0] != n or not matrix.shape[1]:
        raise fail(node, f"takes a constant matrix of {n} rows")
    return [(dtype, (*x.shape[:-1], matrix.shape[1]))]


def _stacked(node: Node, left: Shape, right: Shape) -> Shape:
    """Return the row shape of a product of two stacks of matrices."""
    if len(left) < 2 or len(left) != len(right) or left[-1] != right[-2]:
        raise fail(node, f"does not multiply rows of shapes {left} and {right}")
    try:
        stacks = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise fail(node, f"does not multiply rows of shapes {left} and {right}") from None
    return (*stacks, left[-2], right[-1])


def _matmul(attrs: Attrs, x: Array, weights: Array) -> Array:
    return np.asarray(x @ weights)


def _lower(e: Emitter, node: Node) -> None:
    x, weights, *more = node.inputs
    constant = e.constant(weights)
    if constant is None:
        _lower_stacks(e, node)
        return
    rows, columns = constant.shape
    # Along the last axis: what is before it are more rows.
    many = e.cells(e.width(x) // rows)
    if len(e.shape(x)) > 1:
        scratch = e.workspace(product_scratch(rows, e.item(x)))
        e.call(
            f"matmul_rows_{e.suffix(x)}",
            e.output(node),
            e.pointer(x),
            e.pointer(weights),
            scratch,
            many,
            f"i32 {rows}",
            f"i32 {columns}",
        )
        return
    # The compiler lets a product of columns add what is added to it.
    bias = e.pointer(more[0]) if more else "ptr null"
    if columns == 1:
        # An own copy of the column: a matrix is stored row by row.
        column = e.weight(np.ascontiguousarray(constant[:, 0]))
        out = e.output(node)
        e.call(f"linear_dot_{e.suffix(x)}", out, e.pointer(x), column, bias, many, f"i32 {rows}")
        return
    e.call(
        f"linear_matmul_{e.suffix(x)}",
        e.output(node),
        e.pointer(x),
        e.pointer(weights),
        bias,
        many,
        f"i32 {rows}",
        f"i32 {columns}",
    )


def _lower_stacks(e: Emitter, node: Node) -> None:
    a, b = node.inputs
    left, right = e.shape(a), e.shape(b)
    sizes = (e.width(a), e.width(b), *strides.product_axes(left, right))
    e.call(
        f"matmul_batch_{e.suffix(a)}",
        e.output(node),
        e.pointer(a),
        e.pointer(b),
        e.workspace(product_scratch(left[-1], e.item(a))),
        "i32 %m",
        *(f"i32 {n}" for n in (*sizes, left[-2], left[-1], right[-1])),
    )


MatMul = Op("MatMul", _infer, _matmul, _lower, FLOATS)


def _gemm_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    alpha, beta = attrs.pop("alpha", 1.0), attrs.pop("beta", 1.0)
    if not isinstance(alpha, float) or not isinstance(beta, float):
        raise SpecError("operator Gemm has a factor (alpha, beta) that is no number")
    if attrs.pop("transA", 0):
        raise SpecError("operator Gemm transposes its rows, which is not supported")
    if len(r.shape(inputs[0], "Gemm")) != 1:
        shape = list(r.shape(inputs[0], "Gemm"))
        raise SpecError(f"operator Gemm takes rows of one axis; these have shape {shape}")
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
