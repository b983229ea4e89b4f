"""What a program must keep to, and how far two results are apart.

Trees: every result is equal to the bit; what passed through an exponential function or a logarithm
is within `ULPS` units in the last place. On processors with AVX-512, `numpy.exp` is not the C
library's and its results hang on the processor; quotients of them, which softmax is, may there be
`ULPS_OF_QUOTIENTS` away.

Everything else: labels, whole numbers and texts are equal; a probability is within `CHANCE` of the
source's; any other number's relative error is at most `RELATIVE`. Where the source itself computes
in float32, both are `RELATIVE_32`.

A relative error is relative to the *scale*, the largest of

* the expected number's size,
* the median size of its column over the training rows, and
* ``sum_i |x_i * df/dx_i|``: by how much the result moves when each of the row's numbers moves by
  its own size. For a dot product that is the sum of absolute terms, which is what the rounding of
  any order of summation is relative to. It is measured on the source, one column at a time.
* where a result is a sum over training rows, the sum of the sizes of its terms.

For a probability the scale is 1, or the last of them, or its own size, or by how much it moves when
each of the scores that it is made of moves by its own size: scores of a thousand whose difference
counts are rounded as thousands are.

The logarithm of a probability may also be as far as the bar of the probability takes it: near 1,
where a logarithm is small, and near 0, where sources compute 1 - p, one unit of a probability is
many of its logarithm.

The plain relative error, to the expected number alone, is measured beside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

ULPS, ULPS_OF_QUOTIENTS = 2, 5
RELATIVE = 1e-12
CHANCE = 1e-14
RELATIVE_32 = 1e-5
Bar = Literal["exact", "bits", "ulp", "chance", "relative"]
#: Distance of a finite number from one that is not.
FAR = 2**62
_BITS = {"float64": np.int64, "float32": np.int32, "float16": np.int16}


@dataclass(frozen=True)
class Found:
    """How far a method of a program is from the model's, over all rows tried.

    Parameters
    ----------
    subject, form, method : str
        What was compared, and the container of its rows.
    bar : {"exact", "bits", "ulp", "chance", "relative"}
        What it must keep to.
    rows : int
        Rows tried.
    ulp : int
        Largest distance in units in the last place.
    absolute, relative, scaled : float
        Largest errors: absolute, relative to the expected number, relative to the scale.
    flips : int
        Labels, whole numbers and texts that differ.
    allowed : float
        What the bar allows of `scaled`, or of `ulp`.
    misses : tuple of str
        What does not keep to the bar, in words.
    """

    subject: str
    form: str
    method: str
    bar: Bar
    rows: int
    ulp: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    scaled: float = 0.0
    flips: int = 0
    allowed: float = 0.0
    misses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Errors:
    """How two arrays of floats ``[rows, width]`` differ, number by number."""

    ulp: np.ndarray
    absolute: np.ndarray
    relative: np.ndarray


def errors(ours: np.ndarray, theirs: np.ndarray) -> Errors:
    """Return how results differ; NaN equals NaN, and no number."""
    kind = _BITS[theirs.dtype.name]
    nan = np.isnan(ours) & np.isnan(theirs)
    same = nan | (ours.view(kind) == theirs.view(kind))
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    with np.errstate(all="ignore"):
        absolute = np.where(same | (a == b), 0.0, np.abs(a - b))
        absolute = np.where(np.isnan(absolute), np.inf, absolute)
        relative = np.where(absolute == 0, 0.0, absolute / np.abs(b))
    relative = np.where(np.isnan(relative), np.inf, relative)
    return Errors(np.where(same, 0, _ulps(ours, theirs)), absolute, relative)


@cache
def ulps_of_softmax() -> int:
    """Return what may lie between a source's softmax on this processor and a program's."""
    points = np.linspace(-20.0, 0.0, 4001)
    own = np.array([math.exp(x) for x in points.tolist()])
    return ULPS if (np.exp(points) == own).all() else ULPS_OF_QUOTIENTS


def logarithms(found: Errors) -> np.ndarray:
    """Return distances of logarithms in units of their own, or of what they are logarithms of."""
    return np.minimum(found.ulp, found.absolute / np.finfo(np.float64).eps)


def scale_of_logarithms(expected: np.ndarray, single: bool) -> np.ndarray:
    """Return what the bar of probabilities amounts to for their logarithms.

    A probability below one unit of 1 cannot come from ``1 - p``.
    """
    unit, ratio = (2.0**-24, 1.0) if single else (2.0**-53, CHANCE / RELATIVE)
    with np.errstate(all="ignore"):
        chances = np.exp(expected)
        return np.where(chances >= unit, ratio / chances, 0.0)


def reach_of_scores(chances: np.ndarray, scores: np.ndarray, logarithm: bool) -> np.ndarray:
    """Return by how much probabilities move when each score moves by its own size.

    ``dp_j/dz_k = p_j * ([j = k] - p_k)``, so the sum over k of its size is at most
    ``2 * p_j * (1 - p_j)`` times the largest score; for a logarithm, without the factor ``p_j``.
    """
    largest = np.abs(scores.reshape(len(scores), -1)).max(axis=1, keepdims=True)
    return 2 * (1 - chances) * largest * (1.0 if logarithm else chances)


def scaled(
    found: Errors,
    scale: np.ndarray,
    allowed: float,
    sensitivity: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return errors relative to the scale.

    Parameters
    ----------
    found : Errors
        The errors.
    scale : float64 ``[rows, width]``
        The scale without its last part.
    allowed : float
        What the bar allows.
    sensitivity : callable
        Returns the last part of the scale for some rows: asked only where it decides.
    """
    with np.errstate(all="ignore"):
        measure = np.where(found.absolute == 0, 0.0, found.absolute / scale)
        measure = np.where(np.isnan(measure), np.inf, measure)
        finite = np.isfinite(found.absolute).all(axis=1)
        doubtful = np.flatnonzero((measure > allowed).any(axis=1) & finite)
        if doubtful.size:
            larger = np.maximum(scale[doubtful], sensitivity(doubtful))
            measure[doubtful] = found.absolute[doubtful] / larger
    return measure


def flat(returned: Any) -> np.ndarray:
    """Return what a method returned as one array ``[rows, width]``."""
    parts = returned if isinstance(returned, list) else [returned]
    parts = [p.reshape(len(p), math.prod(p.shape[1:])) for p in parts]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def described(returned: Any) -> str:
    """Return dtypes and shapes of what a method returned."""
    parts = returned if isinstance(returned, list) else [returned]
    text = ", ".join(f"{p.dtype.str}{list(p.shape)}" for p in parts)
    return f"[{text}]" if isinstance(returned, list) else text


def _ulps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    kind = _BITS[b.dtype.name]
    half = np.uint64(2 ** (8 * b.dtype.itemsize - 1))

    def ordered(x: np.ndarray) -> np.ndarray:
        bits = x.view(kind).astype(np.int64)
        magnitude = (bits & np.int64(np.iinfo(kind).max)).astype(np.uint64)
        return np.where(bits < 0, half - magnitude, half + magnitude)

    x, y = ordered(a), ordered(b)
    # -0.0 beside 0.0 is a difference of bits too.
    gap = np.maximum(np.where(x > y, x - y, y - x), np.uint64(1))
    gap = np.where(np.isfinite(a) & np.isfinite(b), gap, np.uint64(FAR))
    return np.minimum(gap, np.uint64(FAR)).astype(np.int64)
