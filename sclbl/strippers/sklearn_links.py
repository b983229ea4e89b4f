"""Links of scikit-learn's losses (`sklearn._loss.link`), and what classifiers make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sclbl.strippers.build import Builder, Wire

_Function = Callable[[Builder, Wire], Wire]


def _same(build: Builder, x: Wire) -> Wire:
    return x


def _logit(build: Builder, p: Wire) -> Wire:
    """Return what `scipy.special.logit` computes: ``log1p`` near 1/2, where log loses digits."""
    away = build.unary("Log", build.div(p, build.sub(1.0, p)))
    s = build.mul(2.0, build.sub(p, 0.5))
    near = build.sub(
        build.unary("sclbl.Log1p", s), build.unary("sclbl.Log1p", build.unary("Neg", s))
    )
    is_away = build.binary("Or", build.binary("Less", p, 0.3), build.binary("Greater", p, 0.65))
    return build.where(is_away, away, near)


def _multinomial_logit(build: Builder, p: Wire) -> Wire:
    """Return ``log(p / g)``, g the geometric mean of the row."""
    mean = build.div(build.reduce("ReduceSum", build.unary("Log", p)), float(p.width))
    return build.unary("Log", build.div(p, build.unary("Exp", mean)))


@dataclass(frozen=True, slots=True)
class Link:
    """A link and its inverse, as operators."""

    forward: _Function
    inverse: _Function


#: By the name of scikit-learn's class.
LINKS: dict[str, Link] = {
    "IdentityLink": Link(_same, _same),
    "LogLink": Link(lambda b, x: b.unary("Log", x), lambda b, x: b.unary("Exp", x)),
    "LogitLink": Link(_logit, lambda b, x: b.unary("Sigmoid", x)),
    "HalfLogitLink": Link(
        lambda b, x: b.mul(0.5, _logit(b, x)), lambda b, x: b.unary("Sigmoid", b.mul(2.0, x))
    ),
    "MultinomialLogit": Link(_multinomial_logit, lambda b, x: b.softmax(x)),
}


def probabilities(build: Builder, raw: Wire, link: str) -> Wire:
    """Return class probabilities of raw predictions: ``[1 - p, p]``, or softmax.

    Parameters
    ----------
    build : Builder
        Where to write.
    raw : Wire
        ``[rows, 1]`` for two classes, ``[rows, classes]`` for more.
    link : str
        Name of the loss's link class.
    """
    chances = LINKS[link].inverse(build, raw)
    return chances if raw.width > 1 else build.concat([build.sub(1.0, chances), chances])


def decide(
    build: Builder, raw: Wire, classes: Any, rule: Literal["Greater", "GreaterOrEqual"]
) -> Wire:
    """Return labels: the second of two classes where ``raw rule 0``; of more, the argmax."""
    if raw.width > 1:
        codes = build.argmax(raw)
    else:
        codes = build.cast(build.binary(rule, raw, 0.0), "int64")
    return build.labels(codes, [np.asarray(classes)])
