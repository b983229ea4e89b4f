"""Links of scikit-learn's losses (`sklearn._loss.link`), and what classifiers make of them.

``1 - p`` of a p near 1 multiplies a difference in p's last digit, so the inverse links are computed
bit for bit as the source's. SciPy's ``expit`` calls the C library's exp. ``numpy.exp`` (softmax and
the log link) does so too but on processors with AVX-512, where it is Intel's and in one of twenty
results one ULP away; that leaves quotients of such exps two to five ULP away, most of them none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder

#: Rows up to here are summed by `numpy.sum` in one go.
_BLOCK = 128
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


def _powers(build: Builder, x: Wire) -> Wire:
    return build.unary("sclbl.LibmExp", build.sub(x, build.reduce("ReduceMax", x)))


def _softmax(build: Builder, x: Wire) -> Wire:
    powers = _powers(build, x)
    return build.div(powers, build.reduce("ReduceSum", powers))


@dataclass(frozen=True, slots=True)
class Link:
    """A link and its inverse, as operators."""

    forward: _Function
    inverse: _Function


#: By the name of scikit-learn's class.
LINKS: dict[str, Link] = {
    "IdentityLink": Link(_same, _same),
    "LogLink": Link(lambda b, x: b.unary("Log", x), lambda b, x: b.unary("sclbl.LibmExp", x)),
    "LogitLink": Link(_logit, lambda b, x: b.unary("sclbl.LibmSigmoid", x)),
    "HalfLogitLink": Link(
        lambda b, x: b.mul(0.5, _logit(b, x)),
        lambda b, x: b.unary("sclbl.LibmSigmoid", b.mul(2.0, x)),
    ),
    "MultinomialLogit": Link(_multinomial_logit, _softmax),
}


def _sum_by_eights(build: Builder, x: Wire) -> Wire:
    """Return what `numpy.sum` makes of each contiguous row.

    From eight numbers on it keeps eight running sums and adds them in pairs; the numbers left over
    follow one by one. Beyond 128 numbers it halves the row first
    (``numpy/_core/src/umath/loops_utils.h.src``).
    """
    if x.width > _BLOCK:
        half = x.width // 2
        half -= half % 8
        return build.add(
            _sum_by_eights(build, build.columns(x, range(half))),
            _sum_by_eights(build, build.columns(x, range(half, x.width))),
        )
    whole = x.width - x.width % 8
    if whole == 0:
        return build.reduce("ReduceSum", x)
    sums = build.columns(x, range(8))
    for begin in range(8, whole, 8):
        sums = build.add(sums, build.columns(x, range(begin, begin + 8)))
    while sums.width > 1:
        even, odd = range(0, sums.width, 2), range(1, sums.width, 2)
        sums = build.add(build.columns(sums, even), build.columns(sums, odd))
    for rest in range(whole, x.width):
        sums = build.add(sums, build.columns(x, [rest]))
    return sums


def probabilities(build: Builder, raw: Wire, link: str, *, by_rows: bool) -> Wire:
    """Return class probabilities of raw predictions: ``[1 - p, p]``, or softmax.

    Parameters
    ----------
    build : Builder
        Where to write.
    raw : Wire
        ``[rows, 1]`` for two classes, ``[rows, classes]`` for more.
    link : str
        Name of the loss's link class.
    by_rows : bool
        Whether the source holds raw predictions row after row. Softmax then sums by eights
        (`_sum_by_eights`), which changes last digits; else class after class.
    """
    if raw.width == 1:
        chances = LINKS[link].inverse(build, raw)
        return build.concat([build.sub(1.0, chances), chances])
    if not by_rows or raw.width < 8:
        return LINKS[link].inverse(build, raw)
    powers = _powers(build, raw)
    return build.div(powers, _sum_by_eights(build, powers))


def decide(
    build: Builder, raw: Wire, classes: Any, rule: Literal["Greater", "GreaterOrEqual"]
) -> Wire:
    """Return labels: the second of two classes where ``raw rule 0``; of more, the argmax."""
    if raw.width > 1:
        codes = build.argmax(raw)
    else:
        codes = build.cast(build.binary(rule, raw, 0.0), "int64")
    return build.labels(codes, [np.asarray(classes)])
