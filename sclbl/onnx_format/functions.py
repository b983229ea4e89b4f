"""Bodies, in standard operators, of the functions of the domain ``sclbl``.

They are for runtimes other than sclbl's: a body computes the same function, to that runtime's
precision. Constants are float64, cast to the type of the input.

    Erfc(x)    = 1 - erf(x)
    Log1p(x)   = log(1 + x)
    Expm1(x)   = exp(x) - 1
    NormCdf(x) = (1 + erf(x / sqrt 2)) / 2
    NormPpf(p) : Abramowitz & Stegun 26.2.23 on min(p, 1 - p), then Newton steps on NormCdf where
                 it is not too small for them
    Labels     : a look-up in constant labels, one an output
    Refuse*    = x
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper

from sclbl.onnx_format.tensors import label_array, label_type, to_tensor
from sclbl.spec import Node

OPSET, ML_OPSET, DOMAIN = 21, 5, "sclbl"


class Body:
    """The nodes of a function under construction, each with one output."""

    def __init__(self, like: str = "x") -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.like = like

    def op(
        self, op: str, *inputs: str, out: str | None = None, domain: str = "", **attrs: Any
    ) -> str:
        """Add an operator and return the name of its result."""
        name = out or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], domain=domain, **attrs))
        return name

    def tensor(self, values: Any, dtype: Any = None) -> str:
        """Add a constant as it is."""
        return self.op("Constant", value=to_tensor(np.asarray(values, dtype=dtype)))

    def number(self, value: float) -> str:
        """Add a number in the type of the input."""
        return self.op("CastLike", self.tensor(value, np.float64), self.like)

    def function(self, name: str, inputs: list[str], attributes: list[str]) -> onnx.FunctionProto:
        """Return the function; its result is ``y``."""
        return helper.make_function(
            DOMAIN,
            name,
            inputs,
            ["y"],
            self.nodes,
            [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
            attributes,
        )


def _erfc(b: Body) -> None:
    b.op("Sub", b.number(1), b.op("Erf", "x"), out="y")


def _log1p(b: Body) -> None:
    b.op("Log", b.op("Add", "x", b.number(1)), out="y")


def _expm1(b: Body) -> None:
    b.op("Sub", b.op("Exp", "x"), b.number(1), out="y")


def _cdf(b: Body, x: str, out: str | None = None) -> str:
    inner = b.op("Erf", b.op("Mul", x, b.number(math.sqrt(0.5))))
    return b.op("Mul", b.op("Add", inner, b.number(1)), b.number(0.5), out=out)


def _norm_cdf(b: Body) -> None:
    _cdf(b, "x", out="y")


def _norm_ppf(b: Body) -> None:
    one = b.number(1)
    low = b.op("Min", "x", b.op("Sub", one, "x"))
    t = b.op("Sqrt", b.op("Mul", b.op("Log", low), b.number(-2)))

    def polynomial(*coefficients: float) -> str:
        total = b.number(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            total = b.op("Add", b.op("Mul", total, t), b.number(c))
        return total

    top = polynomial(2.515517, 0.802853, 0.010328)
    bottom = polynomial(1.0, 1.432788, 0.189269, 0.001308)
    z = b.op("Sub", b.op("Div", top, bottom), t)  # the quantile of `low`, at most 0
    near = b.op("Greater", low, b.number(1e-12))
    for _ in range(3):
        density = b.op("Exp", b.op("Mul", b.op("Mul", z, z), b.number(-0.5)))
        error = b.op("Mul", b.op("Sub", _cdf(b, z), low), b.number(math.sqrt(2 * math.pi)))
        z = b.op("Where", near, b.op("Sub", z, b.op("Div", error, density)), z)
    # At p = 0 the formula is inf/inf; the quantile is -inf.
    zero = b.op("Equal", low, b.number(0))
    z = b.op("Where", zero, b.number(-math.inf), z)
    b.op("Where", b.op("Greater", "x", b.number(0.5)), b.op("Neg", z), z, out="y")


def _identity(b: Body) -> None:
    b.op("Identity", "x", out="y")


#: Functions that are the same for every node that calls them, with the attributes they take.
FIXED: dict[str, tuple[Callable[[Body], None], list[str]]] = {
    "Erfc": (_erfc, []),
    "Expm1": (_expm1, []),
    "Log1p": (_log1p, []),
    "NormCdf": (_norm_cdf, []),
    "NormPpf": (_norm_ppf, []),
    "Refuse": (_identity, ["nan", "inf", "columns"]),
    "RefuseMissingText": (_identity, ["columns"]),
    "RefuseUnknown": (_identity, ["columns"]),
}


def fixed(name: str) -> onnx.FunctionProto:
    """Return a function of `FIXED`."""
    write, attributes = FIXED[name]
    body = Body()
    write(body)
    return body.function(name, ["x"], attributes)


def labels(node: Node, name: str) -> onnx.FunctionProto:
    """Return the function of one ``sclbl.Labels`` node."""
    columns = node.attrs["labels"]
    dtype = label_type(columns)
    body = Body()
    parts = []
    for i, column in enumerate(columns):
        codes = body.op("Gather", "x", body.tensor([i], np.int64), axis=1)
        table = body.op("Constant", value=to_tensor(label_array(column, dtype)))
        parts.append(body.op("Gather", table, codes, axis=0))
    body.op("Concat", *parts, axis=1, out="y")
    return body.function(name, ["x"], sorted(node.attrs))
