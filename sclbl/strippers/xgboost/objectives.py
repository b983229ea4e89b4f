"""What each objective makes of a margin: `ObjFunction::PredTransform`, in float32 step by step.

Ranking objectives and those without a link keep the default of the class, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops

#: ``kRtEps`` of `xgboost/base.h`.
_EPS = np.float32(1e-6)
#: The first release that sorts what several quantiles come to.
_SORTS = (3, 4)


def _sigmoid(x: Any) -> Any:
    """Return ``1 / (exp(min(-x, 88.7)) + 1)``, each step in float32 (`common/math.h`)."""
    return np.reciprocal(ops.libm_exp(np.minimum(-x, 88.7)) + 1)


def _softmax(x: Any) -> Any:
    """Return softmax with the sum in float64, rounded before it divides (`common/math.h`)."""
    powers = ops.libm_exp(x - np.max(x, axis=1, keepdims=True))
    total = ops.sum_in_order(powers.astype(np.float64), keepdims=True)
    return powers / total.astype(np.float32)


def _same(x: Any) -> Any:
    return x


def _step(x: Any) -> Any:
    return (x > 0).astype(np.float32)


def _largest(x: Any) -> Any:
    return np.argmax(x, axis=1).astype(np.float32)


def _softplus(x: Any) -> Any:
    """Return ``ln(1 + e^x)`` (`common/math.h`)."""
    size = np.log1p(ops.libm_exp(np.where(x > 0, -x, x)))
    return np.where(x > 0, x + size, size)


def _expectiles(x: Any) -> Any:
    """Return the first margin, and what each further one adds (`ExpectileRegression`)."""
    found = [x[:, 0:1]]
    for j in range(1, x.width):
        # The difference between the two is rounded before it is added.
        found.append(found[-1] + (_softplus(x[:, j : j + 1]) + _EPS))
    return ops.concat(found)


def _ascending(x: Any) -> Any:
    """Return each row's numbers in order (`QuantileRegression`)."""
    found = [x[:, j : j + 1] for j in range(x.width)]
    for end in range(len(found) - 1, 0, -1):
        for j in range(end):
            a, b = found[j], found[j + 1]
            found[j], found[j + 1] = np.where(a > b, b, a), np.where(a > b, a, b)
    return ops.concat(found)


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "binary:hinge": _step,
    "binary:logistic": _sigmoid,
    "binary:logitraw": _same,
    "count:poisson": ops.libm_exp,
    "multi:softmax": _largest,
    "multi:softprob": _softmax,
    "rank:map": _same,
    "rank:ndcg": _same,
    "rank:pairwise": _same,
    "reg:absoluteerror": _same,
    "reg:expectileerror": _expectiles,
    "reg:gamma": ops.libm_exp,
    "reg:linear": _same,
    "reg:logistic": _sigmoid,
    "reg:pseudohubererror": _same,
    "reg:quantileerror": _same,
    "reg:squarederror": _same,
    "reg:squaredlogerror": _same,
    "reg:tweedie": ops.libm_exp,
    "survival:aft": ops.libm_exp,
    "survival:cox": ops.libm_exp,
}


def transform(objective: str, release: tuple[int, ...], margin: Any) -> Any:
    """Return what a release's objective makes of a margin.

    Parameters
    ----------
    objective : str
        XGBoost's name of it.
    release : tuple of int
        The release that predicts.
    margin : Wire
        ``[rows, outputs]``.
    """
    if objective == "reg:quantileerror" and release >= _SORTS and margin.width > 1:
        return _ascending(margin)
    return TRANSFORMS[objective](margin)


def check(name: str, objective: str) -> None:
    """Refuse an objective whose transform is not known."""
    if objective not in TRANSFORMS:
        raise UnsupportedModelError(
            f"{name} has objective {objective!r}, which has no exact equivalent; "
            f"the supported objectives are {', '.join(TRANSFORMS)}"
        )
