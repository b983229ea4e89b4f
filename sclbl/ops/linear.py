"""Products of matrices."""

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
    aligned,
    fail,
    has_attrs,
    has_inputs,
    no_more,
    reshaped,
    same_type,
    tensor,
)
from sclbl.spec import Node


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    has_attrs(node)
    x, y = xs
    dtype = same_type(node, xs, FLOATS)
    if _is_matrix(y):
        rows, n = tensor(node, x, FLOATS).shape, x.shape[-1] if x.shape else 0
        if y.shape[0] != n or not y.shape[1]:
            raise fail(node, f"takes a constant matrix of {n} rows")
        return [(dtype, (*rows[:-1], y.shape[1]))]
    axes = max((len(v.shape) for v in xs if v.constant is None), default=0)
    # A constant has no rows in front: its axes are the last ones of a row.
    shapes = [v.shape if v.constant is None else (1,) * (axes - len(v.shape)) + v.shape for v in xs]
    if any(v.constant is not None and len(v.shape) < 2 for v in xs):
        raise fail(node, f"takes matrices; its operands have shapes {x.shape} and {y.shape}")
    return [(dtype, _stacked(node, *shapes))]


def _is_matrix(y: Operand) -> bool:
    return y.constant is not None and y.constant.ndim == 2


def _stacked(node: Node, left: Shape, right: Shape) -> Shape:
    """Return the row shape of a product of two stacks of matrices."""
    if len(left) < 2 or len(left) != len(right) or left[-1] != right[-2]:
        raise fail(node, f"does not multiply rows of shapes {left} and {right}")
    try:
        stacks = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise fail(node, f"does not multiply rows of shapes {left} and {right}") from None
    return (*stacks, left[-2], right[-1])


def _matmul(attrs: Attrs, x: Array, y: Array) -> Array:
    if y.ndim == 2:
        return np.asarray(x @ y)
    # In order: where products overflow, what a sum of them is depends on the order, and on whether
    # a product is rounded before it is added, which NumPy leaves to its library.
    shape = (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])
    total = np.zeros(shape, dtype=x.dtype)
    for k in range(x.shape[-1]):
        total += x[..., :, k : k + 1] * y[..., k : k + 1, :]
    return total


def _lower(e: Emitter, node: Node) -> None:
    x, weights, *more = node.inputs
    constant = e.constant(weights)
    if constant is None or constant.ndim != 2:
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
    # From one row's matrices to the next row's: a constant's are the same for all.
    steps = (e.width(name) if e.constant(name) is None else 0 for name in (a, b))
    sizes = (*steps, *strides.product_axes(left, right))
    e.call(
        f"matmul_batch_{e.suffix(a)}",
        e.output(node),
        e.pointer(a),
        e.pointer(b),
        e.workspace(product_scratch(left[-1], e.item(a))),
        "i32 %m",
        *(f"i32 {n}" for n in (*sizes, left[-2], left[-1], right[-1])),
    )


def _matmul_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    no_more("MatMul", attrs)
    if len(inputs) != 2:
        raise SpecError(f"operator MatMul has {len(inputs)} inputs; it takes 2")
    # What has one axis is a matrix of one row, or of one column, which the result does not have.
    given, gone = list(inputs), []
    for k, name in enumerate(inputs):
        if not r.is_constant(name) and (r.lead or len(r.shape(name, "MatMul")) != 1):
            continue
        array = r.array(inputs, k, "MatMul") if r.is_constant(name) else None
        shape = r.shape(name, "MatMul") if array is None else array.shape
        if len(shape) != 1:
            continue
        matrix = (1, *shape) if k == 0 else (*shape, 1)
        if array is None:
            given[k] = reshaped(r, name, matrix, f"{out}_matrix{k}")
        else:
            given[k] = r.constant(array.reshape(matrix), array.dtype)
        gone.append(k - 2)
    product = f"{out}_product" if gone else out
    r.node("MatMul", aligned(r, given, out), product)
    if gone:
        shape = r.shape(product, "MatMul")
        left = [d for i, d in enumerate(shape) if i - len(shape) not in gone]
        reshaped(r, product, left, out)


MatMul = Op("MatMul", _infer, _matmul, _lower, FLOATS, read=_matmul_read)


def _gemm_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    alpha, beta = attrs.pop("alpha", 1.0), attrs.pop("beta", 1.0)
    if not isinstance(alpha, float) or not isinstance(beta, float):
        raise SpecError("operator Gemm has a factor (alpha, beta) that is no number")
    turned = attrs.pop("transA", 0), attrs.pop("transB", 0)
    no_more("Gemm", attrs)
    if len(inputs) < 2:
        raise SpecError(f"operator Gemm has {len(inputs)} inputs; it takes 2 or more")
    if r.lead:
        r.array(inputs, 1, "Gemm")  # rows times rows would mix them
        if turned[0]:
            raise SpecError("operator Gemm transposes its rows, axis 0, which stay where they are")
    given = []
    for k, name in enumerate(inputs[:2]):
        if r.is_constant(name):
            array = r.array(inputs, k, "Gemm")
            array = np.ascontiguousarray(array.T if turned[k] else array)
            if alpha != 1.0:
                array, alpha = array * array.dtype.type(alpha), 1.0
            given.append(r.constant(array, array.dtype))
            continue
        shape = list(r.shape(name, "Gemm"))
        if len(shape) != 2 - r.lead:
            what = "rows of one axis; these have shape" if r.lead else "matrices; this has shape"
            raise SpecError(f"operator Gemm takes {what} {shape}")
        if turned[k]:
            r.node("Transpose", [name], f"{out}_turned{k}", perm=(0, 2, 1))
        given.append(f"{out}_turned{k}" if turned[k] else name)
    made = [out]
    bias = len(inputs) > 2 and bool(inputs[2])
    if bias and beta != 0.0:
        made.append(f"{out}_product")
    if alpha != 1.0:
        made.append(f"{out}_plain")
    dtype = r.dtype(given[0])
    r.node("MatMul", given, made[-1])
    if alpha != 1.0:
        plain = made.pop()
        r.node("Mul", [plain, r.constant(alpha, dtype)], made[-1])
    if bias and beta != 0.0:
        offset = inputs[2]
        if r.is_constant(offset):
            array = r.array(inputs, 2, "Gemm")
            array = array if beta == 1.0 else array * array.dtype.type(beta)
            offset = r.constant(array, array.dtype)
        elif beta != 1.0:
            r.node("Mul", [offset, r.constant(beta, dtype)], f"{out}_offset")
            offset = f"{out}_offset"
        r.node("Add", aligned(r, [made[-1], offset], out), out)


Gemm = Rewritten("Gemm", _gemm_read)
