"""formulaic's transforms, from what they learned: the functions of `formulaic.transforms`.

Each takes the arguments that the formula calls it with, and its state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.statsmodels.formula import splines
from sclbl.strippers.statsmodels.formula.factors import Fields, Marked
from sclbl.strippers.statsmodels.formula.values import one, taken
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.series import Series


def scale(state: Any, data: Any, *args: Any, **options: Any) -> Any:
    """`formulaic.transforms.scale`: center, scale and standardize."""
    wire: Any = taken(data)
    if state.get("center") is not None:
        wire = wire - np.asarray(state["center"])
    if state.get("scale") is not None:
        wire = wire / np.asarray(state["scale"])
    flat = type(data) is Series or (type(data) is Array and data.ndim == 1)
    return Array(wire[:, 0] if flat else wire)


def poly(state: Any, x: Any, degree: int = 1, raw: bool = False) -> Any:
    """`formulaic.transforms.poly.poly`: the recurrence of three terms."""
    wire: Any = one(x)
    if raw:
        return Array(ops.concat([np.power(wire, k) for k in range(1, degree + 1)]))
    wire = wire.astype(np.float64)
    alpha, norms = state["alpha"], state["norms2"]
    terms: list[Any] = [1.0]
    for i in range(1, degree + 1):
        term = (wire - alpha[i - 1]) * terms[i - 1]
        if i >= 2:
            term = term - norms[i - 1] / norms[i - 2] * terms[i - 2]
        terms.append(term)
    return Array(ops.concat([terms[i] / np.sqrt(norms[i]) for i in range(1, degree + 1)]))


def bs(
    state: Any,
    x: Any,
    df: Any = None,
    knots: Any = None,
    degree: int = 3,
    include_intercept: bool = False,
    lower_bound: Any = None,
    upper_bound: Any = None,
    extrapolation: Any = "raise",
) -> Any:
    """`formulaic.transforms.basis_spline.basis_spline`."""
    wire, _ = _within(one(x), state, extrapolation)
    places = np.asarray(state["knots"], dtype=np.float64)
    made = splines.cox_de_boor(wire, places, degree, extend=_mode(extrapolation) == "extend")
    return Fields(made if include_intercept else made[:, 1:], bool(include_intercept))


def cubic(state: Any, x: Any, *args: Any, extrapolation: Any = "extend", **options: Any) -> Any:
    """`formulaic.transforms.cubic_spline.cubic_spline`: cr, cs and cc."""
    # After x, df, knots, lower_bound, upper_bound, constraints and cyclic.
    mode = args[6] if len(args) > 6 else extrapolation
    wire, outside = _within(one(x), state, mode)
    rows = state["constraints"]
    places = np.asarray(state["knots"], dtype=np.float64)
    made: Any = splines.cubic(wire, places, rows, cyclic=bool(state["cyclic"]))
    return Fields(np.where(outside, 0.0, made) if outside is not None else made)  # type: ignore[arg-type]


def _within(x: Any, state: Any, extrapolation: Any) -> tuple[Any, Any]:
    """Return x as its spline takes it, and where that is zero; what is not finite is refused."""
    low, high, mode = float(state["lower_bound"]), float(state["upper_bound"]), _mode(extrapolation)
    x = ops.refuse(x, nan=True)
    if mode == "raise":
        return splines.refuse_outside(x, low, high), None
    if mode == "na":  # a row that the engine leaves out
        return splines.refuse_outside(x, low, high), None
    if mode == "clip":
        return np.clip(x, low, high), None
    return x, (x < low) | (x > high) if mode == "zero" else None


def _mode(extrapolation: Any) -> str:
    return str(getattr(extrapolation, "value", extrapolation))


def lag(state: Any, *args: Any, **options: Any) -> NoReturn:
    raise UnsupportedModelError(
        "lag gives a row what another row holds, and a program computes each row alone"
    )


def hashed(state: Any, *args: Any, **options: Any) -> NoReturn:
    raise UnsupportedModelError(
        "hashed takes MD5 of each text, for which there is no operator; use C(...), or hash the "
        "column first and mark its numbers with C(..., levels=range(levels))"
    )


def categories(state: Any, data: Any, *args: Any, **options: Any) -> Any:
    """`formulaic.transforms.contrasts.C`: its levels and contrasts stand in the encoder's state."""
    return Marked(data.data if type(data) is Marked else data)


#: By module and name; those that learn something at fit, and whether they do.
TRANSFORMS: dict[str, tuple[Callable[..., Any], bool]] = {
    "formulaic.transforms.basis_spline.basis_spline": (bs, True),
    "formulaic.transforms.contrasts.C": (categories, False),
    "formulaic.transforms.hashed.hashed": (hashed, False),
    "formulaic.transforms.lag.lag": (lag, False),
    "formulaic.transforms.patsy_compat.standardize": (scale, True),
    "formulaic.transforms.poly.poly": (poly, True),
    "formulaic.transforms.scale.center": (scale, True),
    "formulaic.transforms.scale.scale": (scale, True),
}
