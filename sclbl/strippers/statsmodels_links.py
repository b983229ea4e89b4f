"""The inverse links of statsmodels' generalized linear models.

Formulas, in the order of their operations: `statsmodels.genmod.families.links`, methods
``inverse``. None of them clips (``_clean`` belongs to the link itself, not to its inverse).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder

_LINKS = "statsmodels.genmod.families.links"
_DISTRIBUTIONS = "scipy.stats._continuous_distns"
Inverse = Callable[[Any, Wire, Builder], Wire]


def inverse(link: Any, z: Wire, build: Builder) -> Wire:
    """Write ``link.inverse(z)``, float64 ``[rows, 1]``.

    Raises
    ------
    UnsupportedModelError
        Where the link is none of statsmodels' own.
    """
    return find(link)(link, z, build)


def find(link: Any) -> Inverse:
    """Return what writes the inverse of a link.

    Raises
    ------
    UnsupportedModelError
        Where the link, or the distribution behind it, is not known.
    """
    written = _INVERSES.get(_own_class(link))
    if written is None:
        raise UnsupportedModelError(
            f"the link {type(link).__module__}.{type(link).__qualname__} has no stripper; fit with "
            f"a link of {_LINKS}: {', '.join(_INVERSES)}"
        )
    if written is _distribution:
        _distribution_of(link)
    if written is _power and link.power == 0:
        raise UnsupportedModelError(
            "the link Power(power=0) has no inverse; fit with the link Log() instead"
        )
    return written


def _own_class(link: Any) -> str:
    """Return the class name of a link; of its parent for the deprecated lower-case aliases."""
    cls = type(link)
    if cls.__module__ != _LINKS:
        return ""
    return cls.__name__ if cls.__name__[0].isupper() else cls.__mro__[1].__name__


def _power(link: Any, z: Wire, build: Builder) -> Wire:
    if link.power == 1:
        return z
    exponent = 1.0 / float(link.power)
    if exponent == -1:
        return build.unary("Reciprocal", z)
    if exponent == 2:
        return build.mul(z, z)
    return build.binary("Pow", z, exponent)


def _logit(link: Any, z: Wire, build: Builder) -> Wire:
    return build.unary("Sigmoid", z)


def _log(link: Any, z: Wire, build: Builder) -> Wire:
    return build.unary("Exp", z)


def _log_complement(link: Any, z: Wire, build: Builder) -> Wire:
    return build.sub(1.0, build.unary("Exp", z))


def _complementary_log_log(link: Any, z: Wire, build: Builder) -> Wire:
    inner = build.unary("Neg", build.unary("Exp", z))
    return build.sub(1.0, build.unary("Exp", inner))


def _log_log(link: Any, z: Wire, build: Builder) -> Wire:
    inner = build.unary("Exp", build.unary("Neg", z))
    return build.unary("Exp", build.unary("Neg", inner))


def _negative_binomial(link: Any, z: Wire, build: Builder) -> Wire:
    t = build.unary("Exp", build.unary("Neg", z))
    return build.div(-1.0, build.mul(build.sub(1.0, t), float(link.alpha)))


def _distribution(link: Any, z: Wire, build: Builder) -> Wire:
    return _distribution_of(link)(link, z, build)


def _distribution_of(link: Any) -> Inverse:
    cls = type(link.dbn)
    written = _CDFS.get(cls.__name__) if cls.__module__ == _DISTRIBUTIONS else None
    if written is None:
        raise UnsupportedModelError(
            f"the link {type(link).__name__} with the distribution {cls.__module__}."
            f"{cls.__qualname__} has no stripper; use one of scipy.stats: "
            f"{', '.join(n.removesuffix('_gen') for n in _CDFS)}, without a location or scale"
        )
    return written


def normal(link: Any, z: Wire, build: Builder) -> Wire:
    """Write ``scipy.stats.norm.cdf(z)``."""
    return build.unary("sclbl.NormCdf", z)


def _cauchy(link: Any, z: Wire, build: Builder) -> Wire:
    # arctan2(1, -z) / pi: the angle of 1 / -z, in the upper half plane. Zero minus z, so that the
    # reciprocal of a zero of either sign is +infinity, whose angle is pi/2.
    angle = build.unary("Atan", build.unary("Reciprocal", build.sub(0.0, z)))
    upper = build.where(build.binary("Greater", z, 0.0), build.add(angle, math.pi), angle)
    return build.div(upper, math.pi)


def _gumbel_l(link: Any, z: Wire, build: Builder) -> Wire:
    inner = build.unary("Neg", build.unary("Exp", z))
    return build.unary("Neg", build.unary("sclbl.Expm1", inner))


_INVERSES: dict[str, Inverse] = {
    "Identity": _power,
    "Power": _power,
    "InversePower": _power,
    "InverseSquared": _power,
    "Sqrt": _power,
    "Log": _log,
    "LogC": _log_complement,
    "Logit": _logit,
    "Probit": _distribution,
    "Cauchy": _distribution,
    "CDFLink": _distribution,
    "CLogLog": _complementary_log_log,
    "LogLog": _log_log,
    "NegativeBinomial": _negative_binomial,
}
# Distributions of scipy.stats by the class of their object: their ``_cdf``.
_CDFS: dict[str, Inverse] = {
    "norm_gen": normal,
    "cauchy_gen": _cauchy,
    "logistic_gen": _logit,
    "gumbel_r_gen": _log_log,
    "gumbel_l_gen": _gumbel_l,
}
