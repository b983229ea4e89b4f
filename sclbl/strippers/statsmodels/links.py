"""The inverse links of statsmodels' generalized linear models.

Formulas, in the order of their operations: `statsmodels.genmod.families.links`, methods
``inverse``. None of them clips (``_clean`` belongs to the link itself, not to its inverse).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops

_LINKS = "statsmodels.genmod.families.links"
_DISTRIBUTIONS = "scipy.stats._continuous_distns"
Inverse = Callable[[Any, Any], Any]


def find(link: Any) -> Inverse:
    """Return what writes the inverse of a link.

    Raises
    ------
    UnsupportedModelError
        Where the link, or the distribution behind it, is not known.
    """
    written = _INVERSES.get(own_class(link))
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


def own_class(link: Any) -> str:
    """Return the class name of a link; of its parent for the deprecated lower-case aliases."""
    cls = type(link)
    if cls.__module__ != _LINKS:
        return ""
    return cls.__name__ if cls.__name__[0].isupper() else cls.__mro__[1].__name__


def _power(link: Any, z: Any) -> Any:
    if link.power == 1:
        return z
    exponent = 1.0 / float(link.power)
    return z**exponent if exponent in (-1, 2) else np.power(z, exponent)


def _logit(link: Any, z: Any) -> Any:
    return ops.sigmoid(z)


def _log_log(link: Any, z: Any) -> Any:
    return np.exp(-np.exp(-z))


def _distribution(link: Any, z: Any) -> Any:
    return _distribution_of(link)(link, z)


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


def _cauchy(link: Any, z: Any) -> Any:
    # arctan2(1, -z) / pi: the angle of 1 / -z, in the upper half plane. Zero minus z, so that the
    # reciprocal of a zero of either sign is +infinity, whose angle is pi/2.
    angle = np.arctan(np.reciprocal(0 - z))
    return np.where(z > 0, angle + math.pi, angle) / math.pi


_INVERSES: dict[str, Inverse] = {
    "Identity": _power,
    "Power": _power,
    "InversePower": _power,
    "InverseSquared": _power,
    "Sqrt": _power,
    "Log": lambda link, z: np.exp(z),
    "LogC": lambda link, z: 1 - np.exp(z),
    "Logit": _logit,
    "Probit": _distribution,
    "Cauchy": _distribution,
    "CDFLink": _distribution,
    "CLogLog": lambda link, z: 1 - np.exp(-np.exp(z)),
    "LogLog": _log_log,
    "NegativeBinomial": lambda link, z: -1 / ((1 - np.exp(-z)) * float(link.alpha)),
}
# Distributions of scipy.stats by the class of their object: their ``_cdf``.
_CDFS: dict[str, Inverse] = {
    "norm_gen": lambda link, z: ops.operator("sclbl.NormCdf", z),
    "cauchy_gen": _cauchy,
    "logistic_gen": _logit,
    "gumbel_r_gen": _log_log,
    "gumbel_l_gen": lambda link, z: -np.expm1(-np.exp(z)),
}
