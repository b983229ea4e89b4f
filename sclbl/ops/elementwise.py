"""Operators that work element by element."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sclbl import special
from sclbl.errors import SpecError
from sclbl.ops.normal import ppf_body
from sclbl.ops.record import (
    ANY,
    BOOL,
    ELEMENTS,
    EVERY,
    HALVES,
    INTEGERS,
    NUMBERS,
    SIGNED,
    Array,
    Attrs,
    Body,
    Emitter,
    Infer,
    Op,
    Operand,
    Reading,
    Rewritten,
    Typed,
    Types,
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


def halved(function: Callable[..., Any]) -> Callable[..., Array]:
    """Return a function that computes float16 in float32, and rounds once."""

    def define(*xs: Array) -> Array:
        if xs[0].dtype != np.float16:
            return np.asarray(function(*xs))
        found = np.asarray(function(*(x.astype(np.float32) for x in xs)))
        return found.astype(np.float16) if found.dtype == np.float32 else found

    return define


def widened(e: Emitter, x: str, width: int) -> str:
    """Return the address of float16 numbers in float32."""
    wide = e.scratch(4 * width)
    e.call("cast_f16_f32", wide, x, e.cells(width))
    return wide


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
        wide = widened(e, e.pointer(x), e.width(x))
        if result is not None:
            e.call(f"{kernel}_f32", e.output(node), wide, cells)
            return
        e.call(f"{kernel}_f32", wide, wide, cells)
        e.call("cast_f32_f16", e.output(node), wide, cells)

    define = halved(function)
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
