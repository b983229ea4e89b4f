"""Links of scikit-learn's losses (`sklearn._loss.link`), and what classifiers make of them.

``1 - p`` of a p near 1 multiplies a difference in p's last digit, so the inverse links are computed
bit for bit as the source's. SciPy's ``expit`` calls the C library's exp. ``numpy.exp`` (softmax and
the log link) does so too but on processors with AVX-512, where it is Intel's and in one of twenty
results one ULP away; that leaves quotients of such exps two to five ULP away, most of them none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.columns import Wire

_Function = Callable[[Any], Any]


def _logit(p: Any) -> Any:
    """Return what `scipy.special.logit` computes: ``log1p`` near 1/2, where log loses digits."""
    away = np.log(p / (1 - p))
    s = 2 * (p - 0.5)
    return np.where((p < 0.3) | (p > 0.65), away, np.log1p(s) - np.log1p(-s))


def _multinomial_logit(p: Any) -> Any:
    """Return ``log(p / g)``, g the geometric mean of the row."""
    return np.log(p / np.exp(ops.sum_in_order(np.log(p), keepdims=True) / p.width))


def _softmax(x: Any, total: _Function = lambda p: ops.sum_in_order(p, keepdims=True)) -> Any:
    powers = ops.libm_exp(x - np.max(x, axis=1, keepdims=True))
    return powers / total(powers)


#: A link and its inverse, by the name of scikit-learn's class.
LINKS: dict[str, tuple[_Function, _Function]] = {
    "IdentityLink": (lambda x: x, lambda x: x),
    "LogLink": (np.log, ops.libm_exp),
    "LogitLink": (_logit, ops.libm_sigmoid),
    "HalfLogitLink": (lambda p: 0.5 * _logit(p), lambda x: ops.libm_sigmoid(2 * x)),
    "MultinomialLogit": (_multinomial_logit, _softmax),
}


def link(model: Any, p: Wire) -> Any:
    """Return predictions on the scale of a model's link."""
    return LINKS[type(model._loss.link).__name__][0](p)


def inverse_link(model: Any, raw: Wire) -> Any:
    """Return raw predictions on the scale of what is predicted."""
    return LINKS[type(model._loss.link).__name__][1](raw)


def probabilities(model: Any, raw: Wire, *, by_rows: bool) -> Any:
    """Return class probabilities of raw predictions: ``[1 - p, p]``, or softmax.

    With `by_rows` the source holds raw predictions row after row, so that `numpy.sum` adds in
    pairs, which changes last digits; else class after class.
    """
    if raw.width == 1:
        p = inverse_link(model, raw)
        return ops.concat([1 - p, p])
    if by_rows:
        return _softmax(raw, lambda p: np.sum(p, axis=1, keepdims=True))
    return inverse_link(model, raw)
