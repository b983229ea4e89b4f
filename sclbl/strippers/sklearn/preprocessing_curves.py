"""`sklearn.preprocessing`: maps of one column that bend: powers, quantiles, splines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.sklearn.estimator import Estimator, given_back, validated

#: ``BOUNDS_THRESHOLD``: how near to a bound QuantileTransformer takes a number for it.
_NEAR = 1e-7


class PowerTransformer(Estimator):
    """A power of each column; the exponents have the type of the rows that it was fitted on."""

    dtype, ensure_all_finite = "float", "allow-nan"

    @method
    def transform(self, model: Any, x: Any) -> Any:
        own = x.numbers
        power = _box_cox if model.method == "box-cox" else _yeo_johnson
        made = power(x, np.asarray(model.lambdas_)).astype(own)
        if not model.standardize:
            return made
        scaler, made = model._scaler, ops.refuse(made, nan=False)  # which looks at its rows itself
        return (made - scaler.mean_.astype(own)) / scaler.scale_.astype(own)

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Any:
        x = given_back(model, x)
        own = x.numbers
        if model.standardize:
            x *= model._scaler.scale_.astype(own)
            x += model._scaler.mean_.astype(own)
        root = _box_cox_back if model.method == "box-cox" else _yeo_johnson_back
        return root(x, np.asarray(model.lambdas_)).astype(own)


def _box_cox(x: Any, exponents: np.ndarray) -> Any:
    """`scipy.special.boxcox`."""
    x = ops.refuse_outside(x, low=np.nextafter(x.numbers.type(0), x.numbers.type(1)))
    exponents = exponents.astype(np.float64)  # as SciPy's loop over float32 does
    log = np.log(x.astype(np.float64))
    straight = np.abs(exponents) < 1e-19
    by = np.where(straight, 1.0, exponents)
    scaled = by * log
    large = np.sign(by) * np.exp(scaled - np.log(np.abs(by))) - 1 / by
    made = np.where(scaled < 709.78, np.expm1(scaled) / by, large)
    return _chosen(straight, log, made)


def _yeo_johnson(x: Any, exponents: np.ndarray) -> Any:
    """`scipy.stats.yeojohnson`: of negative numbers the mirror image, with 2 less the exponent."""
    least = np.finfo(np.float64).eps
    log = np.log1p(np.abs(x))

    def half(by: np.ndarray, straight: np.ndarray) -> Any:
        safe = np.where(straight, 1.0, by)
        made = np.expm1(safe * log) / safe
        return _chosen(straight, log.astype(made.numbers), made)

    above = half(exponents, np.abs(exponents) < least)
    below = half(2 - exponents, ~(np.abs(exponents - 2) > least))
    return np.where(x >= 0, above, -below)


def _box_cox_back(x: Any, exponents: np.ndarray) -> Any:
    """`scipy.special.inv_boxcox`, which computes in float64."""
    x, exponents = x.astype(np.float64), exponents.astype(np.float64)
    straight = exponents == 0
    by = np.where(straight, 1.0, exponents)
    scaled = by * x
    large = np.exp((np.log(np.sign(by) * (x + 1 / by)) + np.log(np.abs(by))) / by)
    made = np.where(scaled < 1.79e308, np.exp(np.log1p(scaled) / by), large)
    return _chosen(straight, np.exp(x), made)


def _yeo_johnson_back(x: Any, exponents: np.ndarray) -> Any:
    """Return the numbers whose `_yeo_johnson` the rows hold, in the exponents' type or a wider."""
    least, one = np.spacing(1.0), exponents.dtype.type(1)
    straight, mirrored = np.abs(exponents) < least, ~(np.abs(exponents - 2) > least)
    by, other = np.where(straight, one, exponents), np.where(mirrored, one, 2 - exponents)
    above: Any = np.power(x * by + 1, 1 / by) - 1
    below: Any = 1 - np.power(-other * x + 1, 1 / other)
    above = _chosen(straight, (np.exp(x) - 1).astype(above.numbers), above)
    below = _chosen(mirrored, (1 - np.exp(-x)).astype(below.numbers), below)
    return np.where(x >= 0, above, below)


def _chosen(which: np.ndarray, a: Any, b: Any) -> Any:
    """Take columns of a where `which` says so, else of b."""
    if not which.any() or which.all():
        return a if which.all() else b
    places = [i if first else i + a.width for i, first in enumerate(which.tolist())]
    return ops.concat([a, b])[:, places]


class QuantileTransformer(Estimator):
    """The mean of two interpolations, forwards and backwards: quantiles may be equal."""

    dtype, ensure_all_finite = "float", "allow-nan"

    @method
    def transform(self, model: Any, x: Any) -> Any:
        if x.sparse:
            raise UnsupportedModelError(
                "QuantileTransformer maps only those numbers of sparse rows that are stored; give "
                "it dense rows"
            )
        own, wide = x.numbers, x.astype(np.float64)
        points, heights = model.quantiles_.T, np.asarray(model.references_, dtype=np.float64)
        forwards = ops.interp(wide, points, heights)
        backwards = ops.interp(-wide, -points[:, ::-1], -heights[::-1])
        made = (0.5 * (forwards - backwards)).astype(own)
        first, last = points[:, 0], points[:, -1]
        normal = model.output_distribution == "normal"
        above = x + _NEAR > last if normal else x == last
        below = x - _NEAR < first if normal else x == first
        made = np.where(below, 0.0, np.where(above, 1.0, made)).astype(own)
        return _normal(made).astype(own) if normal else made

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Any:
        x = given_back(model, x)
        if x.sparse:
            raise UnsupportedModelError(
                "QuantileTransformer maps only those numbers of sparse rows that are stored; give "
                "it dense rows"
            )
        own, normal = x.numbers, model.output_distribution == "normal"
        p = _chances(x.astype(np.float64)) if normal else x.astype(np.float64)
        points = np.asarray(model.references_, dtype=np.float64)[np.newaxis]
        curves = np.asarray(model.quantiles_, dtype=np.float64)
        made: Any = ops.concat(
            [ops.interp(p[:, [i]], points, curves[:, i]) for i in range(p.width)]
        ).astype(own)
        above = p + _NEAR > 1 if normal else p == 1
        below = p - _NEAR < 0 if normal else p == 0
        made = np.where(below, curves[0], np.where(above, curves[-1], made))
        return made.astype(own)


def _chances(x: Any) -> Any:
    """Return the normal distribution's chances of less than each number."""
    from scipy.special import ndtr

    return ndtr(x)


def _normal(p: Any) -> Any:
    """Return the normal distribution's quantiles, within what can be mapped back."""
    from scipy.special import ndtri

    edge = _NEAR - np.spacing(1)
    return np.clip(ndtri(p), float(ndtri(edge)), float(ndtri(1 - edge)))


class SplineTransformer(Estimator):
    """B-splines of each column; beyond the knots as ``extrapolation`` says."""

    def check(self, model: Any) -> None:
        if any(spline.k != model.degree for spline in model.bsplines_):
            raise UnsupportedModelError(
                f"SplineTransformer has degree={model.degree!r} and splines of degree "
                f"{model.bsplines_[0].k}: degree was changed after fit; fit it again"
            )
        if model.degree == 0 and model.extrapolation == "linear":
            raise UnsupportedModelError(
                'SplineTransformer(degree=0, extrapolation="linear") takes a row between two knots '
                "for one below and above them all; fit it with degree=1, or with "
                'extrapolation="continue"'
            )
        if model.degree == 0 and model.extrapolation == "constant":
            raise UnsupportedModelError(
                'SplineTransformer(degree=0, extrapolation="constant") refuses rows above the '
                'last knot by an error of NumPy; fit it with degree=1, or extrapolation="continue"'
            )

    def rows(self, model: Any, x: Any) -> Any:
        return validated(model, x, ensure_all_finite=not _takes_missing(model))

    @method
    def transform(self, model: Any, x: Any) -> Any:
        own = np.float32 if x.numbers == np.float32 and not model.sparse_output else np.float64
        x = x.astype(np.float64)
        splines, degree = model.bsplines_, int(model.degree)
        count, knots = splines[0].c.shape[1], np.array([s.t for s in splines])
        if model.extrapolation == "error":
            x = ops.refuse_outside(x, knots[:, degree], knots[:, -degree - 1])
        values = ops.bsplines(
            x, knots, degree, model.extrapolation == "periodic", products=not model.sparse_output
        )
        parts: list[Any] = [values[:, i * count : (i + 1) * count] for i in range(x.width)]
        if model.extrapolation in ("constant", "linear"):
            parts = self._bounded(model, x, parts)
        if _takes_missing(model):
            parts = [np.where(np.isnan(x[:, [i]]), 0.0, part) for i, part in enumerate(parts)]
        kept = count if model.include_bias else count - 1
        made = ops.concat([part[:, :kept] for part in parts]).astype(own)
        return replace(made, sparse="csr" if model.sparse_output else None)

    @staticmethod
    def _bounded(model: Any, x: Any, parts: list[Any]) -> list[Any]:
        """Return the splines of columns whose values end at a bound, or go on as straight lines."""
        degree, linear = int(model.degree), model.extrapolation == "linear"
        made = []
        for i, (spline, part) in enumerate(zip(model.bsplines_, parts, strict=True)):
            column = x[:, [i]]
            low, high = spline.t[degree], spline.t[-degree - 1]
            # The source changes the degree for all columns that follow, and the bounds with it.
            degree = degree + 1 if linear and degree <= 1 else degree
            if degree > part.width:
                raise UnsupportedModelError(
                    f"SplineTransformer(degree={model.degree}) has fewer splines than its linear "
                    "extrapolation takes, and fails on such rows; fit it with more knots"
                )
            below, above = spline(low)[:degree], spline(high)[part.width - degree :]
            if linear:
                below = below + (column - low) * spline(low, nu=1)[:degree]
                above = above + (column - high) * spline(high, nu=1)[part.width - degree :]
            else:
                below, above = (ops.constant_row(column, row) for row in (below, above))
            rest = [np.zeros_like(part[:, degree:])] if part.width > degree else []
            below, above = ops.concat([below, *rest]), ops.concat([*rest, above])
            outside = np.where(column < low, below, np.where(column > high, above, 0.0))
            made.append(np.where((low <= column) & (column <= high), part, outside))
        return made


def _takes_missing(model: Any) -> bool:
    """Return whether missing numbers become zeros, a choice that came with scikit-learn 1.8."""
    return getattr(model, "handle_missing", "error") == "zeros"
