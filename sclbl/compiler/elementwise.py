"""Lower operators that work element by element."""

from __future__ import annotations

from sclbl.compiler.emit import Emitter
from sclbl.spec import Node

UNARY = {
    "Neg": "neg",
    "Abs": "abs",
    "Exp": "exp",
    "Log": "log",
    "Sqrt": "sqrt",
    "Sigmoid": "sigmoid",
    "Erf": "erf",
    "Tanh": "tanh",
    "Atan": "atan",
    "Sign": "sign",
    "Floor": "floor",
    "Reciprocal": "reciprocal",
    "sclbl.Erfc": "erfc",
    "sclbl.Log1p": "log1p",
    "sclbl.Expm1": "expm1",
    "sclbl.LibmExp": "libmexp",
    "sclbl.LibmSigmoid": "libmsigmoid",
    "sclbl.NormCdf": "normcdf",
    "sclbl.NormPpf": "normppf",
}
BINARY = {
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Div": "div",
    "Pow": "pow",
    "Max": "max",
    "Min": "min",
    "Equal": "equal",
    "Less": "less",
    "LessOrEqual": "less_or_equal",
    "Greater": "greater",
    "GreaterOrEqual": "greater_or_equal",
    "And": "and",
    "Or": "or",
}


def unary(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    kernel = f"unary_{UNARY[node.op]}_{e.suffix(x)}"
    e.call(kernel, e.output(node), e.pointer(x), *_count(e, x))


def binary(e: Emitter, node: Node) -> None:
    a, b = node.inputs
    width = e.width(node.outputs[0])
    kernel = f"elementwise_{BINARY[node.op]}_{e.suffix(a)}"
    pointers = (e.pointer(a), e.pointer(b))
    e.call(
        kernel,
        e.output(node),
        *pointers,
        "i32 %m",
        f"i32 {width}",
        *e.strides(a, width),
        *e.strides(b, width),
    )


def where(e: Emitter, node: Node) -> None:
    condition, a, b = node.inputs
    width = e.width(node.outputs[0])
    kernel = f"elementwise_where_{e.suffix(a)}"
    pointers = (e.pointer(condition), e.pointer(a), e.pointer(b))
    e.call(
        kernel,
        e.output(node),
        *pointers,
        "i32 %m",
        f"i32 {width}",
        *e.strides(condition, width),
        *e.strides(a, width),
        *e.strides(b, width),
    )


def test(e: Emitter, node: Node) -> None:
    """Not, IsNaN."""
    x = node.inputs[0]
    e.call(
        f"elementwise_{node.op.lower()}_{e.suffix(x)}", e.output(node), e.pointer(x), *_count(e, x)
    )


def cast(e: Emitter, node: Node) -> None:
    x, to = node.inputs[0], node.outputs[0]
    if e.dtype(x) == e.dtype(to):
        e.alias(node)
        return
    kernel = f"elementwise_cast_{e.suffix(x)}_{e.suffix(to)}"
    e.call(kernel, e.output(node), e.pointer(x), *_count(e, x))


def _count(e: Emitter, name: str) -> tuple[str]:
    return (e.cells(e.width(name)),)
