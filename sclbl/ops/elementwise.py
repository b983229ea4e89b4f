"""Operators that work element by element."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl import special
from sclbl.errors import SpecError
from sclbl.ops import strides
from sclbl.ops.normal import ppf_body
from sclbl.ops.record import (
    ANY,
    BOOL,
    ELEMENTS,
    EVERY,
    FLOATS,
    HALVES,
    INTEGERS,
    NUMBERS,
    PLAIN,
    SIGNED,
    Array,
    Attrs,
    Body,
    Emitter,
    Infer,
    Op,
    Operand,
    Read,
    Reading,
    Rewritten,
    Role,
    Shape,
    Typed,
    Types,
    aligned,
    common_shape,
    fail,
    has_attrs,
    has_inputs,
    kernel_name,
    no_more,
    same_type,
    tensor,
)
from sclbl.signature import DType
from sclbl.spec import Node


def _unary_infer(types: Types, result: DType | None) -> Infer:
    def infer(node: Node, xs: Sequence[Operand]) -> Typed:
        has_inputs(node, xs, 1)
        has_attrs(node)
        x = tensor(node, xs[0], types)
        return [(result or same_type(node, [x], types), x.shape)]

    return infer


def _halved(function: Callable[..., Any]) -> Callable[..., Array]:
    """Return a function that computes float16 in float32, and rounds once."""

    def define(*xs: Array) -> Array:
        if xs[0].dtype != np.float16:
            return np.asarray(function(*xs))
        found = np.asarray(function(*(x.astype(np.float32) for x in xs)))
        return found.astype(np.float16) if found.dtype == np.float32 else found

    return define


def elementwise(
    name: str,
    function: Callable[..., Any],
    types: Types,
    *,
    exact: bool = False,
    ulp: int = 4,
    result: DType | None = None,
    body: Callable[[Body], str] | None = None,
) -> Op:
    """Return an operator that applies a function to each element.

    Its kernels stand in ``kernels/unary.c``, one for each type that it takes but float16.
    """

    def lower(e: Emitter, node: Node) -> None:
        (x,) = node.inputs
        kernel = f"unary_{kernel_name(name)}"
        cells = e.cells(e.width(x))
        if e.dtype(x) != "float16":
            e.call(f"{kernel}_{e.suffix(x)}", e.output(node), e.pointer(x), cells)
            return
        wide = _widened(e, e.pointer(x), e.width(x))
        if result is not None:
            e.call(f"{kernel}_f32", e.output(node), wide, cells)
            return
        e.call(f"{kernel}_f32", wide, wide, cells)
        e.call("cast_f32_f16", e.output(node), wide, cells)

    define = _halved(function)
    return Op(
        name,
        _unary_infer(types, result),
        lambda attrs, x: define(x),
        lower,
        types,
        body=None if body is None else lambda b, node: body(b),
        exact=exact,
        ulp=0 if exact else ulp,
        form="element-wise",
        ufunc=function if isinstance(function, np.ufunc) else None,
    )


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

    define = _halved(function)
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
    return (_widened(e, x, size) if widen else x), (f"i32 {size}", f"i32 {int(size == width)}")


def _widened(e: Emitter, x: str, width: int) -> str:
    """Return the address of float16 numbers in float32."""
    wide = e.scratch(4 * width)
    e.call("cast_f16_f32", wide, x, e.cells(width))
    return wide


def _compare(name: str, function: Callable[..., Any], types: Types = EVERY) -> Op:
    return binary(name, function, types, result="bool", role="compares")


def _equal(x: Array, y: Array) -> Array:
    # Not np.equal: texts are Python objects, whose comparisons NumPy leaves to Python.
    return np.asarray(x == y)


Neg = elementwise("Neg", np.negative, HALVES | SIGNED, exact=True)
Abs = elementwise("Abs", np.abs, EVERY, exact=True)
Sign = elementwise("Sign", np.sign, EVERY, exact=True)
Floor = elementwise("Floor", np.floor, HALVES, exact=True)
Ceil = elementwise("Ceil", np.ceil, HALVES, exact=True)
Round = elementwise("Round", np.rint, HALVES, exact=True)
Sqrt = elementwise("Sqrt", np.sqrt, HALVES, exact=True)
Reciprocal = elementwise("Reciprocal", lambda x: 1 / x, HALVES, exact=True)
Relu = elementwise(
    "Relu", lambda x: np.where(x < 0, 0, x).astype(x.dtype), HALVES | SIGNED, exact=True
)
Exp = elementwise("Exp", np.exp, HALVES, ulp=2)
Log = elementwise("Log", np.log, HALVES)
Sigmoid = elementwise("Sigmoid", special.expit, HALVES)
Tanh = elementwise("Tanh", np.tanh, HALVES)
Sin = elementwise("Sin", np.sin, HALVES)
Cos = elementwise("Cos", np.cos, HALVES)
Tan = elementwise("Tan", np.tan, HALVES)
Asin = elementwise("Asin", np.arcsin, HALVES)
Acos = elementwise("Acos", np.arccos, HALVES)
Atan = elementwise("Atan", np.arctan, HALVES, ulp=3)
Sinh = elementwise("Sinh", np.sinh, HALVES)
Cosh = elementwise("Cosh", np.cosh, HALVES)
Asinh = elementwise("Asinh", np.arcsinh, HALVES)
Acosh = elementwise("Acosh", np.arccosh, HALVES)
Atanh = elementwise("Atanh", np.arctanh, HALVES)
Softplus = elementwise("Softplus", lambda x: np.logaddexp(0, x), HALVES)
Softsign = elementwise("Softsign", lambda x: x / (1 + np.abs(x)), HALVES)
Erf = elementwise("Erf", special.erf, HALVES)
Not = elementwise("Not", np.logical_not, BOOL, exact=True)
BitwiseNot = elementwise("BitwiseNot", np.invert, INTEGERS, exact=True)
IsNaN = elementwise("IsNaN", np.isnan, HALVES, exact=True, result="bool")

Erfc = elementwise(
    "sclbl.Erfc",
    special.erfc,
    HALVES,
    body=lambda b: b.op("Sub", b.number(1), b.op("Erf", "x")),
)
Log1p = elementwise(
    "sclbl.Log1p",
    np.log1p,
    HALVES,
    ulp=3,
    body=lambda b: b.op("Log", b.op("Add", "x", b.number(1))),
)
Expm1 = elementwise(
    "sclbl.Expm1",
    np.expm1,
    HALVES,
    ulp=3,
    body=lambda b: b.op("Sub", b.op("Exp", "x"), b.number(1)),
)
#: These two are the C library's, to the bit; the standard ones are NumPy's.
LibmExp = elementwise("sclbl.LibmExp", special.exp, HALVES, ulp=1, body=lambda b: b.op("Exp", "x"))
LibmSigmoid = elementwise(
    "sclbl.LibmSigmoid", special.expit, HALVES, ulp=0, body=lambda b: b.op("Sigmoid", "x")
)
NormPpf = elementwise("sclbl.NormPpf", special.ndtri, HALVES, ulp=16, body=ppf_body)


def _norm_cdf(b: Body) -> str:
    """(1 + erf(x / sqrt 2)) / 2."""
    inner = b.op("Erf", b.op("Mul", "x", b.number(math.sqrt(0.5))))
    return b.op("Mul", b.op("Add", inner, b.number(1)), b.number(0.5))


NormCdf = elementwise("sclbl.NormCdf", special.ndtr, HALVES, body=_norm_cdf)


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


_ELEMENT_NAMES = {number: name for name, number in ELEMENTS.items()}


def _cast_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], EVERY | BOOL)
    to = node.attrs.get("to")
    has_attrs(node, to=to)
    if to not in EVERY | BOOL:
        raise fail(node, f"does not convert to {to}")
    dtype: DType = to
    return [(dtype, x.shape)]


def _cast_lower(e: Emitter, node: Node) -> None:
    x, to = node.inputs[0], node.outputs[0]
    if e.dtype(x) == e.dtype(to):
        e.alias(node)
        return
    usual = {e.dtype(x), e.dtype(to)} <= NUMBERS | BOOL
    suffix = "bool" if e.dtype(to) == "bool" else e.suffix(to)
    kernel = f"{'elementwise_cast' if usual else 'cast'}_{e.suffix(x)}_{suffix}"
    e.call(kernel, e.output(node), e.pointer(x), e.cells(e.width(x)))


def _cast(attrs: Attrs, x: Array) -> Array:
    """Convert as NumPy does; a float beyond an integer type becomes its end, NaN becomes 0."""
    to: np.dtype[Any] = np.dtype(attrs["to"])
    if x.dtype.kind != "f" or to.kind not in "iu":
        return x.astype(to)
    limits, whole = np.iinfo(to), np.trunc(x.astype(np.float64))
    inside = (whole >= float(limits.min)) & (whole < float(limits.max) + 1)
    ends = np.where(whole > 0, limits.max, np.where(whole < 0, limits.min, 0).astype(to))
    return np.where(inside, np.where(inside, whole, 0).astype(to), ends).astype(to)


def _cast_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    for ignored in ("saturate", "round_mode"):  # of types of eight bits and fewer
        attrs.pop(ignored, None)
    to = attrs.pop("to", None)
    no_more("Cast", attrs)
    r.node("Cast", inputs, out, to=_ELEMENT_NAMES.get(to, to))


Cast = Op(
    "Cast",
    _cast_infer,
    _cast,
    _cast_lower,
    EVERY | BOOL,
    read=_cast_read,
    encode=lambda attrs: {"to": ELEMENTS[attrs["to"]]},
    decode=lambda raw: {k: _ELEMENT_NAMES.get(v, v) if k == "to" else v for k, v in raw.items()},
    exact=True,
    role="passes",
)


def _identity_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    (made,) = _unary_infer(ANY, None)(node, xs)
    ragged = xs[0].ragged
    return [made] if ragged is None else [(made[0], made[1], ragged)]


Identity = Op(
    "Identity",
    _identity_infer,
    lambda attrs, x: x,
    lambda e, node: e.alias(node),
    ANY,
    exact=True,
    role="passes",
    ragged=True,
)


def _dropout_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    """As it infers: what comes in goes out."""
    if len(inputs) > 2 and inputs[2] and r.array(inputs, 2, "Dropout").any():
        raise SpecError("operator Dropout is not read as it trains (training_mode)")
    r.node("Identity", inputs[:1], out)
    if len(r.outputs) > 1:  # which elements are kept: all of them
        mask = r.outputs[1]
        r.node("IsNaN", inputs[:1], f"{mask}_nan")
        r.node("Not", [f"{mask}_nan"], f"{mask}_number")
        r.node("Or", [f"{mask}_nan", f"{mask}_number"], mask)


Dropout = Rewritten("Dropout", _dropout_read)
