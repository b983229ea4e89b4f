"""patsy's stateful transforms, from what they learned: the methods ``transform`` of their classes.

`patsy.state` (center, standardize, scale), `patsy.splines` (bs) and `patsy.mgcv_cubic_splines` (cr,
cc, te). Each takes the arguments that the formula calls it with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.strippers.statsmodels.formula import splines
from sclbl.strippers.statsmodels.formula.values import handed_on, one, taken
from sclbl.strippers.tracing.arrays import Array


def center(state: Any, x: Any) -> Any:
    wire: Any = taken(x)
    whole = wire.numbers.kind in "iub"
    mean = np.asarray(state._sum / state._count, dtype=float if whole else wire.numbers)
    return handed_on(wire - mean, x)


def standardize(state: Any, x: Any, center: Any = True, rescale: Any = True, ddof: Any = 0) -> Any:
    wire: Any = taken(x).astype(np.float64)
    if center:
        # The mean has more digits than float64 where the platform has such numbers.
        mean = np.asarray(state.current_mean)
        first = mean.astype(np.float64)
        wire = wire - first
        rest = (mean - first).astype(np.float64)
        if rest.any():
            wire = wire - rest
    if rescale:
        scale = np.sqrt(state.current_M2 / (state.current_n - ddof))
        wire = wire / np.asarray(scale, dtype=np.float64)
    return handed_on(wire, x)


def bs(
    state: Any,
    x: Any,
    df: Any = None,
    knots: Any = None,
    degree: Any = 3,
    include_intercept: Any = False,
    lower_bound: Any = None,
    upper_bound: Any = None,
) -> Any:
    places = np.sort(np.asarray(state._all_knots, dtype=np.float64))
    wire = splines.refuse_outside(one(x), places[0], places[-1])
    made = splines.bsplines(wire, places, state._degree)
    return Array(made if include_intercept else made[:, 1:])


def cubic(
    state: Any,
    x: Any,
    df: Any = None,
    knots: Any = None,
    lower_bound: Any = None,
    upper_bound: Any = None,
    constraints: Any = None,
) -> Any:
    made = splines.cubic(one(x), state._all_knots, state._constraints, cyclic=state._cyclic)
    return Array(made)


def te(state: Any, *args: Any, **options: Any) -> Any:
    return Array(splines.tensor([taken(x) for x in args], state._constraints))


TRANSFORMS: dict[str, Callable[..., Any]] = {
    "patsy.mgcv_cubic_splines.CC": cubic,
    "patsy.mgcv_cubic_splines.CR": cubic,
    "patsy.mgcv_cubic_splines.TE": te,
    "patsy.splines.BS": bs,
    "patsy.state.Center": center,
    "patsy.state.Standardize": standardize,
}
