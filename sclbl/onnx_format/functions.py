"""Bodies, in standard operators, of the functions of the domain ``sclbl``.

They are for runtimes other than sclbl's: a body computes the same function, to that runtime's
precision. Constants are float64, cast to the type of the input.

    Erfc(x)    = 1 - erf(x)
    Log1p(x)   = log(1 + x)
    Expm1(x)   = exp(x) - 1
    LibmExp(x), LibmSigmoid(x) = Exp(x), Sigmoid(x); sclbl's own are the C library's to the bit
    NormCdf(x) = (1 + erf(x / sqrt 2)) / 2
    NormPpf(p) : Wichura's algorithm AS 241, three ratios of polynomials
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
    """A function under construction; each of its nodes has one output.

    Everything is written into `proto` in place: copies of a large forest would cost gigabytes.
    """

    def __init__(
        self, proto: onnx.FunctionProto, name: str, inputs: list[str], attributes: list[str]
    ) -> None:
        self.proto = proto
        proto.name, proto.domain = name, DOMAIN
        proto.input.extend(inputs)
        proto.output.append("y")
        proto.attribute.extend(attributes)
        proto.opset_import.add(domain="", version=OPSET)
        proto.opset_import.add(domain="ai.onnx.ml", version=ML_OPSET)

    def op(
        self, op: str, *inputs: str, out: str | None = None, domain: str = "", **attrs: Any
    ) -> str:
        """Add an operator and return the name of its result."""
        name = out or f"v{len(self.proto.node)}"
        node = self.proto.node.add(op_type=op, domain=domain, input=inputs, output=[name])
        node.attribute.extend(helper.make_attribute(k, v) for k, v in sorted(attrs.items()))
        return name

    def tensor(self, values: Any, dtype: Any = None) -> str:
        """Add a constant as it is."""
        return self.op("Constant", value=to_tensor(np.asarray(values, dtype=dtype)))

    def number(self, value: float) -> str:
        """Add a number in the type of the input."""
        return self.op("CastLike", self.tensor(value, np.float64), "x")


def _erfc(b: Body) -> None:
    b.op("Sub", b.number(1), b.op("Erf", "x"), out="y")


def _log1p(b: Body) -> None:
    b.op("Log", b.op("Add", "x", b.number(1)), out="y")


def _expm1(b: Body) -> None:
    b.op("Sub", b.op("Exp", "x"), b.number(1), out="y")


def _libm_exp(b: Body) -> None:
    b.op("Exp", "x", out="y")


def _libm_sigmoid(b: Body) -> None:
    b.op("Sigmoid", "x", out="y")


def _norm_cdf(b: Body) -> None:
    inner = b.op("Erf", b.op("Mul", "x", b.number(math.sqrt(0.5))))
    b.op("Mul", b.op("Add", inner, b.number(1)), b.number(0.5), out="y")


# Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics
# 37 (1988): numerators and denominators for the middle, the tails and the far tails.
_MIDDLE = (
    (
        *(3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3),
        *(1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4),
        *(3.3430575583588128105e4, 2.5090809287301226727e3),
    ),
    (
        *(1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3),
        *(2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4),
        5.2264952788528545610e3,
    ),
)
_TAIL = (
    (
        *(1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0),
        *(3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1),
        *(2.27238449892691845833e-2, 7.74545014278341407640e-4),
    ),
    (
        *(1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1),
        *(1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4),
        1.05075007164441684324e-9,
    ),
)
_FAR_TAIL = (
    (
        *(6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0),
        *(2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3),
        *(2.71155556874348757815e-5, 2.01033439929228813265e-7),
    ),
    (
        *(1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2),
        *(7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7),
        2.04426310338993978564e-15,
    ),
)


def _norm_ppf(b: Body) -> None:
    def ratio(parts: tuple[tuple[float, ...], tuple[float, ...]], r: str) -> str:
        sums = []
        for coefficients in parts:
            total = b.number(coefficients[-1])
            for c in reversed(coefficients[:-1]):
                total = b.op("Add", b.op("Mul", total, r), b.number(c))
            sums.append(total)
        return b.op("Div", *sums)

    q = b.op("Sub", "x", b.number(0.5))
    middle = ratio(_MIDDLE, b.op("Sub", b.number(0.180625), b.op("Mul", q, q)))
    low = b.op("Min", "x", b.op("Sub", b.number(1), "x"))
    r = b.op("Sqrt", b.op("Neg", b.op("Log", low)))
    tail = ratio(_TAIL, b.op("Sub", r, b.number(1.6)))
    far = ratio(_FAR_TAIL, b.op("Sub", r, b.number(5)))
    tail = b.op("Where", b.op("LessOrEqual", r, b.number(5)), tail, far)
    # At p = 0 and p = 1 the ratio is inf/inf; the quantile is infinite.
    tail = b.op("Where", b.op("Equal", low, b.number(0)), b.number(math.inf), tail)
    tail = b.op("Where", b.op("Less", q, b.number(0)), b.op("Neg", tail), tail)
    inside = b.op("LessOrEqual", b.op("Abs", q), b.number(0.425))
    b.op("Where", inside, b.op("Mul", q, middle), tail, out="y")


def _identity(b: Body) -> None:
    b.op("Identity", "x", out="y")


#: Functions that are the same for every node that calls them, with the attributes they take.
FIXED: dict[str, tuple[Callable[[Body], None], list[str]]] = {
    "Erfc": (_erfc, []),
    "Expm1": (_expm1, []),
    "LibmExp": (_libm_exp, []),
    "LibmSigmoid": (_libm_sigmoid, []),
    "Log1p": (_log1p, []),
    "NormCdf": (_norm_cdf, []),
    "NormPpf": (_norm_ppf, []),
    "Refuse": (_identity, ["nan", "inf", "columns"]),
    "RefuseMissingText": (_identity, ["none", "nan", "na", "columns"]),
    "RefuseUnknown": (_identity, ["columns"]),
}


def fixed(proto: onnx.FunctionProto, name: str) -> None:
    """Write a function of `FIXED`."""
    write, attributes = FIXED[name]
    write(Body(proto, name, ["x"], attributes))


def labels(proto: onnx.FunctionProto, node: Node, name: str) -> None:
    """Write the function of one ``sclbl.Labels`` node."""
    columns = node.attrs["labels"]
    dtype = label_type(columns)
    body = Body(proto, name, ["x"], sorted(node.attrs))
    parts = []
    for i, column in enumerate(columns):
        codes = body.op("Gather", "x", body.tensor([i], np.int64), axis=1)
        table = body.op("Constant", value=to_tensor(label_array(column, dtype)))
        parts.append(body.op("Gather", table, codes, axis=0))
    body.op("Concat", *parts, axis=1, out="y")
