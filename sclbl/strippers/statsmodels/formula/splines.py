"""Bases of splines, of one column: B-splines, natural and cyclic cubic ones, tensor products.

The cubic ones are those of Wood, Generalized Additive Models (2006), section 4.1.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import OutOfRangeError
from sclbl.strippers import ops
from sclbl.strippers.statsmodels.formula.columns import Block, product
from sclbl.strippers.wire import Wire

#: A cyclic spline is written so many periods away, which is beyond what its numbers tell apart.
_PERIODS = 2.0**90


def bsplines(x: Wire, knots: np.ndarray, degree: int) -> Wire:
    """Return all B-splines over knots, of numbers within them."""
    places = np.sort(np.asarray(knots, dtype=np.float64))[None, :]
    wide = x.astype(np.float64)
    return ops.bsplines(wide, places, int(degree), periodic=False, products=False)


def cox_de_boor(x: Any, knots: np.ndarray, degree: int, *, extend: bool) -> Wire:
    """Return all B-splines over knots, in the operations of formulaic.

    `formulaic.transforms.basis_spline.basis_spline`: they are zero outside of the knots, or with
    `extend` continued there. Splines over far knots have large coefficients, which show the last
    digits.
    """
    last = len(knots) - degree - 2
    low, high = knots[:-1].copy(), knots[1:].copy()
    if extend:
        low[degree], high[last] = -np.inf, np.inf
    else:
        high[last] = np.nextafter(high[last], np.inf)  # the last interval holds its upper end
    made: Any = ((x >= low) & (x < high)).astype(np.float64)
    for d in range(1, degree + 1):
        # Of equal knots the weight is 0, which the quotient by infinity is.
        gaps = knots[d:] - knots[:-d]
        gaps = np.where(gaps == 0, np.inf, gaps)
        weight = (x - knots[:-d]) / gaps
        rising, falling = weight * made, (1 - weight) * made
        made = rising[:, :-1] + falling[:, 1:]
    return made  # type: ignore[no-any-return]  # a wire


def cubic(x: Any, knots: np.ndarray, constraints: np.ndarray | None, *, cyclic: bool) -> Wire:
    """Return a cubic spline's basis: `patsy.mgcv_cubic_splines._get_crs_dmatrix`.

    formulaic has the same one, ``formulaic.transforms.cubic_spline._get_cubic_spline_matrix``.
    """
    knots = np.asarray(knots, dtype=np.float64)
    wide: Any = _wrapped(x, knots[0], knots[-1]) if cyclic else x.astype(np.float64)
    count = len(knots) - cyclic
    gaps = np.diff(knots)
    curve = _cyclic_curvature(gaps) if cyclic else _natural_curvature(gaps)
    here = np.arange(len(gaps))
    there = (here + 1) % count
    unit = np.eye(count)
    table = np.column_stack(
        [knots[:-1], knots[1:], gaps, unit[here], unit[there], curve[here], curve[there]]
    )
    # Which interval: that of the knots before and after x, the first and the last beyond them.
    low, high = knots[:-1].copy(), knots[1:].copy()
    low[0], high[-1] = -np.inf, np.inf
    found: Any = ((wide > low) & (wide <= high)).astype(np.float64) @ table
    start, end, gap = (found[:, [i]] for i in range(3))
    unit_here, unit_there, curve_here, curve_there = (
        found[:, list(range(3 + i * count, 3 + (i + 1) * count))] for i in range(4)
    )
    before, after = end - wide, wide - start
    cube_before: Any = np.where(wide > knots[-1], 0.0, before * before * before / (6.0 * gap))
    cube_after: Any = np.where(wide < knots[0], 0.0, after * after * after / (6.0 * gap))
    made: Any = (
        before / gap * unit_here
        + after / gap * unit_there
        + (cube_before - gap * before / 6.0) * curve_here
        + (cube_after - gap * after / 6.0) * curve_there
    )
    return absorbed(made, constraints)


def absorbed(made: Any, constraints: np.ndarray | None) -> Wire:
    """Return a basis of the coefficients that fulfil linear constraints."""
    if constraints is None:
        return made  # type: ignore[no-any-return]  # a wire
    rows = np.atleast_2d(np.asarray(constraints, dtype=np.float64))
    rotation, _ = np.linalg.qr(rows.T, mode="complete")
    return made @ rotation[:, len(rows) :]  # type: ignore[no-any-return]  # a wire


def tensor(parts: list[Wire], constraints: np.ndarray | None) -> Wire:
    """Return products of columns, the last part's fastest: `patsy.mgcv_cubic_splines.te`."""
    blocks = [Block.of(part.astype(np.float64)) for part in reversed(parts)]
    return absorbed(product(blocks).columns(), constraints)


def _wrapped(x: Any, low: float, high: float) -> Any:
    """Return x in its period, written into an array of its own type as the source does."""
    period, wide = float(high - low), x.astype(np.float64)
    most = period * _PERIODS
    x.builder.refuses_more.add(OutOfRangeError)
    wide = ops.refuse_outside(wide, low - most, high + most)
    beyond: Any = np.where(wide > high, wide - high, np.where(wide < low, low - wide, 0.0))
    rest = _remainder(beyond, period)
    above, below = low + rest, high - rest
    if x.numbers != np.float64:
        # Of integers the fraction is cut off, so they must be integers in a program too.
        above, below = above.astype(x.numbers), below.astype(x.numbers)
        above, below = above.astype(np.float64), below.astype(np.float64)
    found: Any = np.where(wide > high, above, np.where(wide < low, below, wide))
    return found


def _remainder(a: Any, period: float) -> Any:
    """Return ``a % period`` of numbers from 0 to so many periods, exactly as it is.

    The quotient is cut to a whole number, whose product with the period is made exactly: a rounded
    product and what it lacks (Dekker, 1971). The first difference may be off by a rounded
    quotient's last digit, which the second one mends.
    """
    head = _head(period)
    tail = period - head
    for _ in range(2):
        count = np.floor(a / period)
        first = _head(count)
        second = count - first
        made = count * period
        lacks = ((first * head - made) + first * tail + second * head) + second * tail
        a = (a - made) - lacks
    a = np.where(a < 0, a + period, a)
    return np.where(a >= period, a - period, a)


def _head(number: Any) -> Any:
    """Return the upper half of a number's digits."""
    wide = number * 134217729.0
    return wide - (wide - number)


def _natural_curvature(gaps: np.ndarray) -> np.ndarray:
    """Return ``[knots, knots]``: second derivatives at the knots, by values at the knots."""
    count = len(gaps) + 1
    curve = np.zeros((count, count))
    inner = np.arange(count - 2)
    mass, slope = np.zeros((count - 2, count - 2)), np.zeros((count - 2, count))
    mass[inner, inner] = (gaps[:-1] + gaps[1:]) / 3.0
    mass[inner[:-1], inner[1:]] = mass[inner[1:], inner[:-1]] = gaps[1:-1] / 6.0
    slope[inner, inner] = 1.0 / gaps[:-1]
    slope[inner, inner + 2] = 1.0 / gaps[1:]
    slope[inner, inner + 1] = -slope[inner, inner] - slope[inner, inner + 2]
    if count > 2:
        curve[1:-1] = np.linalg.solve(mass, slope)
    return curve


def _cyclic_curvature(gaps: np.ndarray) -> np.ndarray:
    """Return the same for a spline whose last knot is its first one."""
    count = len(gaps)
    mass, slope = np.zeros((count, count)), np.zeros((count, count))
    for here, gap in enumerate(gaps):
        before = gaps[here - 1]
        mass[here, here] += (before + gap) / 3.0
        slope[here, here] += -1.0 / before - 1.0 / gap
    # Two knots have two gaps between them, of which the source keeps the one that it writes last.
    mass[0, -1] = mass[-1, 0] = gaps[-1] / 6.0
    slope[0, -1] = slope[-1, 0] = 1.0 / gaps[-1]
    for here in range(1, count):
        mass[here, here - 1] = mass[here - 1, here] = gaps[here - 1] / 6.0
        slope[here, here - 1] = slope[here - 1, here] = 1.0 / gaps[here - 1]
    return np.linalg.solve(mass, slope)


def refuse_outside(x: Wire, low: float, high: float) -> Wire:
    """Return x as float64, refused beyond its bounds, as the engines do."""
    return ops.refuse_outside(x.astype(np.float64), low, high)
