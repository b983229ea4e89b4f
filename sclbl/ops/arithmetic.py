"""Operators on two operands, element by element: arithmetic, comparisons, logic, choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.ops import strides
from sclbl.ops.elementwise import halved, widened
from sclbl.ops.record import (
    BOOL,
    EVERY,
    FLOATS,
    HALVES,
    INTEGERS,
    PLAIN,
    Array,
    Attrs,
    Body,
    Emitter,
    Op,
    Operand,
    Read,
    Reading,
    Role,
    Shape,
    Typed,
    Types,
    aligned,
    common_shape,
    has_attrs,
    has_inputs,
    kernel_name,
    no_more,
    same_type,
    tensor,
)
from sclbl.signature import DType
from sclbl.spec import Node


def binary(
    name: str,
    function: Callable[..., Any],
    types: Types,
    *,
    exact: bool = True,
    result: DType | None = None,
    role: Role = "",
    ufunc: np.ufunc | None = None,
    body: Callable[[Body], str] | None = None,
    many: bool = False,
) -> Op:
    """Return an operator on two tensors, or a tensor and a constant row, element by element.

    In files it has any number of operands where `many` says so.

    An operand of one column is spread over the other's. Its kernels stand in
    ``kernels/elementwise.c``, those of integers in ``kernels/integer.c``.
    """

    def infer(node: Node, xs: Sequence[Operand]) -> Typed:
        has_inputs(node, xs, 2)
        has_attrs(node)
        dtype = same_type(node, xs, types)
        return [(result or dtype, common_shape(node, xs))]

    def lower(e: Emitter, node: Node) -> None:
        if "first" in node.attrs:  # the compiler's: two operators in one pass
            codes = (f"i32 {CHAINED.index(op)}" for op in (node.attrs["first"], name))
            kernel = f"elementwise_chain_{e.suffix(node.inputs[0])}"
            _call_spread(e, node, kernel, e.output(node), *codes)
            return
        if not _by_channel(e, node):
            _spread(e, node, kernel_name(name))

    define = halved(function)
    return Op(
        name,
        infer,
        lambda attrs, x, y: np.asarray(define(x, y), dtype=result),
        lower,
        types,
        body=None if body is None else lambda b, node: body(b),
        read=_read(name, many),
        exact=exact,
        ulp=0 if exact else 4,
        form="two operands",
        role=role,
        ufunc=ufunc or (function if isinstance(function, np.ufunc) else None),
    )


#: What the compiler may do in one pass, numbered as in ``kernels/elementwise.c``.
CHAINED = ("Add", "Sub", "Mul", "Div")


def _read(name: str, many: bool = False) -> Read:
    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        no_more(name, attrs)
        if not many or len(inputs) == 2:
            r.node(name, aligned(r, inputs, out), out)
            return
        left, *others = inputs
        if not others:
            r.node("Identity", [left], out)
        for k, right in enumerate(others, start=1):
            made = out if k == len(others) else f"{out}_{k}"
            r.node(name, aligned(r, [left, right], made), made)
            left = made

    return read


#: Operators with kernels in ``kernels/channel.c``, and those that take their operands either way.
_BY_CHANNEL, _EITHER_WAY = ("Add", "Sub", "Mul", "Div"), ("Add", "Mul")


def _by_channel(e: Emitter, node: Node) -> bool:
    """Call a kernel for a constant that has one number for all that lies behind some axes.

    Spread over the whole row, the constants of a normalisation would be as large as pictures.
    """
    x, y = node.inputs
    if e.constant(y) is None and node.op in _EITHER_WAY:
        x, y = y, x
    array, shape = e.constant(y), e.shape(node.outputs[0])
    alike = node.op in _BY_CHANNEL and e.dtype(x) in FLOATS
    if array is None or not alike or e.shape(x) != shape:
        return False
    own = array.shape[len(array.shape) - len(shape) :] if array.ndim > len(shape) else array.shape
    own = (1,) * (len(shape) - len(own)) + own
    kept = [axis for axis, length in enumerate(own) if length > 1]
    if not kept or own[kept[0] : kept[-1] + 1] != shape[kept[0] : kept[-1] + 1]:
        return False
    inner = math.prod(shape[kept[-1] + 1 :])
    if inner == 1:
        return False
    many = e.cells(math.prod(shape[: kept[0]]))
    sizes = (f"i32 {array.size}", f"i32 {inner}")
    kernel = f"channel_{kernel_name(node.op)}_{e.suffix(x)}"
    e.call(kernel, e.output(node), e.pointer(x), e.pointer(y), many, *sizes)
    return True


def _spread(e: Emitter, node: Node, kernel: str) -> None:
    """Call a kernel of two operands, in the file that has it for their type."""
    x, out = node.inputs[0], node.outputs[0]
    if e.dtype(x) != "float16":
        family = "integer" if e.dtype(x) in INTEGERS else "elementwise"
        _call_spread(e, node, f"{family}_{kernel}_{e.suffix(x)}", e.output(node))
        return
    rounded = e.dtype(out) == "float16"
    wide = e.scratch(4 * e.width(out)) if rounded else e.output(node)
    _call_spread(e, node, f"elementwise_{kernel}_f32", wide, widen=True)
    if rounded:
        e.call("cast_f32_f16", e.output(node), wide, e.cells(e.width(out)))


def _call_spread(
    e: Emitter, node: Node, kernel: str, out: str, *more: str, widen: bool = False
) -> None:
    """Call a kernel on operands that are spread over the result's rows, float16 in float32."""
    shape = e.shape(node.outputs[0])
    given = [_operand(e, name, shape, widen) for name in node.inputs]
    pointers = [pointer for pointer, _ in given]
    steps = [step for _, pair in given for step in pair]
    width = f"i32 {math.prod(shape)}"
    e.call(kernel, out, *pointers, "i32 %m", width, *steps, *more)


def _operand(e: Emitter, name: str, shape: Shape, widen: bool) -> tuple[str, tuple[str, str]]:
    """Return an operand's address, and its strides (elements) from row to row and inside a row."""
    width = math.prod(shape)
    array = e.constant(name)
    if array is not None:
        array = array.astype(np.float32) if widen else array
        if array.size in (1, width):
            steps = ("i32 0", f"i32 {int(array.size == width)}")
            return (e.weight(array) if widen else e.pointer(name)), steps
        whole = np.broadcast_to(array[0] if array.ndim > len(shape) else array, shape)
        return e.weight(np.ascontiguousarray(whole)), ("i32 0", "i32 1")
    x, size = e.pointer(name), e.width(name)
    if size not in (1, width):
        to = e.scratch(width * e.item(name))
        pairs = strides.expanded(e.shape(name), shape)
        sizes = (f"i32 {n}" for n in (size, 0, *pairs))
        e.call(f"transpose_b{e.item(name)}", to, x, "i32 %m", *sizes)
        x, size = to, width
    return (widened(e, x, size) if widen else x), (f"i32 {size}", f"i32 {int(size == width)}")


def _compare(name: str, function: Callable[..., Any], types: Types = EVERY) -> Op:
    return binary(name, function, types, result="bool", role="compares")


def _equal(x: Array, y: Array) -> Array:
    # Not np.equal: texts are Python objects, whose comparisons NumPy leaves to Python.
    return np.asarray(x == y)


def _quotient(x: Array, y: Array) -> Array:
    """Return x / y; of integers its whole part, 0 where y is 0."""
    if x.dtype.kind == "f":
        return np.asarray(x / y)
    down = np.floor_divide(x, y)
    rest = x - down * y
    return np.asarray(down + ((down < 0) & (rest != 0) & (y != 0)).astype(x.dtype))


def _power(x: Array, y: Array) -> Array:
    """Return x to the power of y; of integers, which wrap around, its whole part."""
    if x.dtype.kind == "f":
        return np.asarray(np.power(x, y))
    x, y = np.broadcast_arrays(x, y)
    whole = np.power(x, np.maximum(y, 0))
    inverse = np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (y & 1), 0))
    return np.where(y < 0, inverse, whole).astype(x.dtype)


def _floor_div_body(b: Body) -> str:
    """Div, less 1 where there is a rest and the signs differ."""
    whole, zero = b.op("Div", "x", "start"), b.number(0)
    rest = b.op("Sub", "x", b.op("Mul", whole, "start"))
    apart = b.op("Xor", b.op("Less", rest, zero), b.op("Less", "start", zero))
    less = b.op("And", apart, b.op("Not", b.op("Equal", rest, zero)))
    # A divisor of 0 has no result that runtimes share.
    return b.op("Sub", whole, b.op("CastLike", less, "x"))


Add = binary("Add", np.add, EVERY, role="moves")
Sub = binary("Sub", np.subtract, EVERY, role="moves")
Mul = binary("Mul", np.multiply, EVERY, role="moves")
Div = binary("Div", _quotient, EVERY, role="moves", ufunc=np.divide)


def _pow_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    """The exponent may have a type of its own in files, and is brought to that of the base."""
    no_more("Pow", attrs)
    given = list(inputs)
    if len(given) == 2 and (to := r.dtype(given[0])) in HALVES and r.dtype(given[1]) != to:
        if r.is_constant(given[1]):
            given[1] = r.constant(r.array(given, 1, "Pow"), to)
        else:
            r.node("Cast", given[1:], f"{out}_exponent", to=to)
            given[1] = f"{out}_exponent"
    r.node("Pow", aligned(r, given, out), out)


_POWERS = HALVES | {"int32", "int64"}
Pow = replace(
    binary("Pow", _power, _POWERS, exact=False, ufunc=np.power),
    read=_pow_read,
)
Max = binary("Max", np.maximum, EVERY, many=True)
Min = binary("Min", np.minimum, EVERY, many=True)
Less = _compare("Less", np.less)
LessOrEqual = _compare("LessOrEqual", np.less_equal)
Greater = _compare("Greater", np.greater)
GreaterOrEqual = _compare("GreaterOrEqual", np.greater_equal)
Equal = _compare("Equal", _equal, PLAIN)
And = binary("And", np.logical_and, BOOL)
Or = binary("Or", np.logical_or, BOOL)
Xor = binary("Xor", np.logical_xor, BOOL)
BitwiseAnd = binary("BitwiseAnd", np.bitwise_and, INTEGERS)
BitwiseOr = binary("BitwiseOr", np.bitwise_or, INTEGERS)
BitwiseXor = binary("BitwiseXor", np.bitwise_xor, INTEGERS)
FloorDiv = binary("sclbl.FloorDiv", np.floor_divide, INTEGERS, body=_floor_div_body)


def _mod_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    fmod = node.attrs.get("fmod")
    has_attrs(node, fmod=1 if fmod else 0)
    return [(same_type(node, xs, INTEGERS), common_shape(node, xs))]


def _mod_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    fmod = attrs.pop("fmod", 0)
    no_more("Mod", attrs)
    r.node("Mod", aligned(r, inputs, out), out, fmod=fmod)


#: With the sign of the divisor, or of what is divided (``fmod``); 0 where the divisor is 0.
Mod = Op(
    "Mod",
    _mod_infer,
    lambda attrs, x, y: np.asarray((np.fmod if attrs["fmod"] else np.remainder)(x, y)),
    lambda e, node: _spread(e, node, "fmod" if node.attrs["fmod"] else "mod"),
    INTEGERS,
    read=_mod_read,
    exact=True,
)


def _where_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 3)
    has_attrs(node)
    tensor(node, xs[0], BOOL)
    return [(same_type(node, xs[1:], PLAIN), common_shape(node, xs))]


def _where(attrs: Attrs, condition: Array, x: Array, y: Array) -> Array:
    return np.asarray(np.where(condition, x, y))


def _where_lower(e: Emitter, node: Node) -> None:
    _call_spread(e, node, f"elementwise_where_b{e.item(node.inputs[1])}", e.output(node))


Where = Op(
    "Where",
    _where_infer,
    _where,
    _where_lower,
    BOOL,
    read=_read("Where"),
    exact=True,
    role="selects",
)
