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
    FLOATS,
    NUMBERS,
    PLAIN,
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

    Its kernels stand in ``kernels/unary.c``, one for each type that it takes.
    """

    def lower(e: Emitter, node: Node) -> None:
        (x,) = node.inputs
        kernel = f"unary_{kernel_name(name)}_{e.suffix(x)}"
        e.call(kernel, e.output(node), e.pointer(x), e.cells(e.width(x)))

    return Op(
        name,
        _unary_infer(types, result),
        lambda attrs, x: function(x),
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
    many: bool = False,
) -> Op:
    """Return an operator on two tensors, or a tensor and a constant row, element by element.

    In files it has any number of operands where `many` says so.

    An operand of one column is spread over the other's. Its kernels stand in
    ``kernels/elementwise.c``.
    """

    def infer(node: Node, xs: Sequence[Operand]) -> Typed:
        has_inputs(node, xs, 2)
        has_attrs(node)
        dtype = same_type(node, xs, types)
        return [(result or dtype, common_shape(node, xs))]

    def lower(e: Emitter, node: Node) -> None:
        if not _by_channel(e, node):
            _spread(e, node, f"elementwise_{kernel_name(name)}_{e.suffix(node.inputs[0])}")

    return Op(
        name,
        infer,
        lambda attrs, x, y: np.asarray(function(x, y), dtype=result),
        lower,
        types,
        read=_read(name, many),
        exact=exact,
        ulp=0 if exact else 4,
        form="two operands",
        role=role,
        ufunc=function if isinstance(function, np.ufunc) else None,
    )


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
    """Call a kernel on operands that are spread over the result's rows."""
    shape = e.shape(node.outputs[0])
    given = [_operand(e, name, shape) for name in node.inputs]
    pointers = [pointer for pointer, _ in given]
    steps = [step for _, pair in given for step in pair]
    width = f"i32 {math.prod(shape)}"
    e.call(kernel, e.output(node), *pointers, "i32 %m", width, *steps)


def _operand(e: Emitter, name: str, shape: Shape) -> tuple[str, tuple[str, str]]:
    """Return an operand's address, and its strides (elements) from row to row and inside a row."""
    width = math.prod(shape)
    array = e.constant(name)
    size = e.width(name) if array is None else array.size
    row = size if array is None else 0
    if size in (1, width):
        return e.pointer(name), (f"i32 {row}", f"i32 {int(size == width)}")
    if array is None:
        to = e.scratch(width * e.item(name))
        pairs = strides.expanded(e.shape(name), shape)
        sizes = (f"i32 {n}" for n in (size, 0, *pairs))
        e.call(f"transpose_b{e.item(name)}", to, e.pointer(name), "i32 %m", *sizes)
        return to, (f"i32 {width}", "i32 1")
    whole = np.broadcast_to(array[0] if array.ndim > len(shape) else array, shape)
    return e.weight(np.ascontiguousarray(whole)), ("i32 0", "i32 1")


def _compare(name: str, function: Callable[..., Any], types: Types = NUMBERS) -> Op:
    return binary(name, function, types, result="bool", role="compares")


def _equal(x: Array, y: Array) -> Array:
    # Not np.equal: texts are Python objects, whose comparisons NumPy leaves to Python.
    return np.asarray(x == y)


Neg = elementwise("Neg", np.negative, NUMBERS, exact=True)
Abs = elementwise("Abs", np.abs, NUMBERS, exact=True)
Sign = elementwise("Sign", np.sign, NUMBERS, exact=True)
Floor = elementwise("Floor", np.floor, FLOATS, exact=True)
Ceil = elementwise("Ceil", np.ceil, FLOATS, exact=True)
Round = elementwise("Round", np.rint, FLOATS, exact=True)
Sqrt = elementwise("Sqrt", np.sqrt, FLOATS, exact=True)
Reciprocal = elementwise("Reciprocal", lambda x: 1 / x, FLOATS, exact=True)
Relu = elementwise("Relu", lambda x: np.where(x < 0, 0, x).astype(x.dtype), FLOATS, exact=True)
Exp = elementwise("Exp", np.exp, FLOATS, ulp=2)
Log = elementwise("Log", np.log, FLOATS)
Sigmoid = elementwise("Sigmoid", special.expit, FLOATS)
Tanh = elementwise("Tanh", np.tanh, FLOATS)
Sin = elementwise("Sin", np.sin, FLOATS)
Cos = elementwise("Cos", np.cos, FLOATS)
Tan = elementwise("Tan", np.tan, FLOATS)
Asin = elementwise("Asin", np.arcsin, FLOATS)
Acos = elementwise("Acos", np.arccos, FLOATS)
Atan = elementwise("Atan", np.arctan, FLOATS, ulp=3)
Sinh = elementwise("Sinh", np.sinh, FLOATS)
Cosh = elementwise("Cosh", np.cosh, FLOATS)
Asinh = elementwise("Asinh", np.arcsinh, FLOATS)
Acosh = elementwise("Acosh", np.arccosh, FLOATS)
Atanh = elementwise("Atanh", np.arctanh, FLOATS)
Softplus = elementwise("Softplus", lambda x: np.logaddexp(0, x), FLOATS)
Softsign = elementwise("Softsign", lambda x: x / (1 + np.abs(x)), FLOATS)
Erf = elementwise("Erf", special.erf, FLOATS)
Not = elementwise("Not", np.logical_not, BOOL, exact=True)
IsNaN = elementwise("IsNaN", np.isnan, FLOATS, exact=True, result="bool")

Erfc = elementwise(
    "sclbl.Erfc",
    special.erfc,
    FLOATS,
    body=lambda b: b.op("Sub", b.number(1), b.op("Erf", "x")),
)
Log1p = elementwise(
    "sclbl.Log1p",
    np.log1p,
    FLOATS,
    ulp=3,
    body=lambda b: b.op("Log", b.op("Add", "x", b.number(1))),
)
Expm1 = elementwise(
    "sclbl.Expm1",
    np.expm1,
    FLOATS,
    ulp=3,
    body=lambda b: b.op("Sub", b.op("Exp", "x"), b.number(1)),
)
#: These two are the C library's, to the bit; the standard ones are NumPy's.
LibmExp = elementwise("sclbl.LibmExp", special.exp, FLOATS, ulp=1, body=lambda b: b.op("Exp", "x"))
LibmSigmoid = elementwise(
    "sclbl.LibmSigmoid", special.expit, FLOATS, ulp=0, body=lambda b: b.op("Sigmoid", "x")
)
NormPpf = elementwise("sclbl.NormPpf", special.ndtri, FLOATS, ulp=16, body=ppf_body)


def _norm_cdf(b: Body) -> str:
    """(1 + erf(x / sqrt 2)) / 2."""
    inner = b.op("Erf", b.op("Mul", "x", b.number(math.sqrt(0.5))))
    return b.op("Mul", b.op("Add", inner, b.number(1)), b.number(0.5))


NormCdf = elementwise("sclbl.NormCdf", special.ndtr, FLOATS, body=_norm_cdf)

Add = binary("Add", np.add, NUMBERS, role="moves")
Sub = binary("Sub", np.subtract, NUMBERS, role="moves")
Mul = binary("Mul", np.multiply, NUMBERS, role="moves")
Div = binary("Div", np.divide, FLOATS, role="moves")


def _pow_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    """The exponent may have a type of its own in files, and is brought to that of the base."""
    no_more("Pow", attrs)
    given = list(inputs)
    if len(given) == 2 and (to := r.dtype(given[0])) in FLOATS and r.dtype(given[1]) != to:
        if r.is_constant(given[1]):
            given[1] = r.constant(r.array(given, 1, "Pow"), to)
        else:
            r.node("Cast", given[1:], f"{out}_exponent", to=to)
            given[1] = f"{out}_exponent"
    r.node("Pow", aligned(r, given, out), out)


Pow = replace(binary("Pow", np.power, FLOATS, exact=False), read=_pow_read)
Max = binary("Max", np.maximum, NUMBERS, many=True)
Min = binary("Min", np.minimum, NUMBERS, many=True)
Less = _compare("Less", np.less)
LessOrEqual = _compare("LessOrEqual", np.less_equal)
Greater = _compare("Greater", np.greater)
GreaterOrEqual = _compare("GreaterOrEqual", np.greater_equal)
Equal = _compare("Equal", _equal, PLAIN)
And = binary("And", np.logical_and, BOOL)
Or = binary("Or", np.logical_or, BOOL)


def _where_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 3)
    has_attrs(node)
    tensor(node, xs[0], BOOL)
    return [(same_type(node, xs[1:], PLAIN), common_shape(node, xs))]


def _where(attrs: Attrs, condition: Array, x: Array, y: Array) -> Array:
    return np.asarray(np.where(condition, x, y))


def _where_lower(e: Emitter, node: Node) -> None:
    _spread(e, node, f"elementwise_where_{e.suffix(node.inputs[1])}")


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
    x = tensor(node, xs[0], NUMBERS | BOOL)
    to = node.attrs.get("to")
    has_attrs(node, to=to)
    if to not in NUMBERS | BOOL:
        raise fail(node, f"does not convert to {to}")
    dtype: DType = to
    return [(dtype, x.shape)]


def _cast_lower(e: Emitter, node: Node) -> None:
    x, to = node.inputs[0], node.outputs[0]
    if e.dtype(x) == e.dtype(to):
        e.alias(node)
        return
    kernel = f"elementwise_cast_{e.suffix(x)}_{e.suffix(to)}"
    e.call(kernel, e.output(node), e.pointer(x), e.cells(e.width(x)))


def _cast_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    for ignored in ("saturate", "round_mode"):  # of types of eight bits and fewer
        attrs.pop(ignored, None)
    to = attrs.pop("to", None)
    no_more("Cast", attrs)
    r.node("Cast", inputs, out, to=_ELEMENT_NAMES.get(to, to))


Cast = Op(
    "Cast",
    _cast_infer,
    lambda attrs, x: x.astype(attrs["to"]),
    _cast_lower,
    NUMBERS | BOOL,
    read=_cast_read,
    encode=lambda attrs: {"to": ELEMENTS[attrs["to"]]},
    decode=lambda raw: {k: _ELEMENT_NAMES.get(v, v) if k == "to" else v for k, v in raw.items()},
    exact=True,
    role="passes",
)
Identity = Op(
    "Identity",
    _unary_infer(ANY, None),
    lambda attrs, x: x,
    lambda e, node: e.alias(node),
    ANY,
    exact=True,
    role="passes",
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
