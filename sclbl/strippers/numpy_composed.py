"""NumPy's functions that are made up of other ones, in the order in which NumPy's sources do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.conversions import held_as, hold
from sclbl.strippers.wire import Wire, mixes_rows


def round_(x: Wire, decimals: int = 0) -> Any:
    """Write ``np.round``: times a power of ten, rounded, and divided by it."""
    if x.numbers.kind in "iub" and decimals >= 0:
        return x if x.numbers.kind != "b" else x.astype(np.float16)
    if x.numbers.kind != "f":
        return _to_tens(x, decimals)
    if decimals == 0:
        return np.rint(x)
    power = 10.0 ** abs(decimals)
    scaled = x * power if decimals > 0 else x / power
    whole = np.rint(scaled)
    return whole / power if decimals > 0 else whole * power


def _to_tens(x: Wire, decimals: int) -> Any:
    """Round integers: they are divided as float64, and made what they were."""
    if x.numbers != np.int64 or decimals < -15:
        raise UnsupportedModelError(
            f"{x.numbers} numbers are rounded to tens, which may not hold them; convert them with "
            '.astype("int64") or .astype("float64") first'
        )
    power = 10.0**-decimals
    made: Any = np.rint(x.astype(np.float64) / power) * power
    return made.astype(np.int64) if x.dtype == "int64" else held_as(made, x.numbers)


def nan_to_num(
    x: Wire, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Write ``np.nan_to_num``."""
    if x.numbers.kind in "iu" and x.numbers.itemsize == 8 and x.dtype == "float64":
        x = x.astype(np.float64)  # which rows with NaN are
    if x.numbers.kind != "f":
        hold(x, wide=True)  # rows with NaN are floats, and others what they are
        return x
    limits = np.finfo(x.numbers)
    high = limits.max if posinf is None else x.numbers.type(posinf)
    low = limits.min if neginf is None else x.numbers.type(neginf)
    made: Any = np.where(np.isnan(x), x.numbers.type(nan), x)
    made = np.where(x == np.inf, high, made)
    return np.where(x == -np.inf, low, made)


def select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    """Write ``np.select``: the first condition that holds counts."""
    if len(conditions) != len(choices):
        raise ValueError("list of cases must be same length as list of conditions")
    if any(isinstance(x, str) for x in (*choices, default)):
        raise UnsupportedModelError(
            "np.select of texts; number them, which estimators take as categories too"
        )
    common = np.result_type(*(x.numbers if isinstance(x, Wire) else x for x in (*choices, default)))
    made = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        made = np.where(condition, choice, made)
    return made.astype(common)


def _along_columns(axis: Any, what: str, x: Wire) -> None:
    if axis not in (1, -1) or x.ndim != 2:
        mixes_rows(f"{what} along axis {axis}")


def any_(x: Wire, axis: Any = None, keepdims: bool = False) -> Any:
    """Write ``np.any``."""
    _along_columns(axis, "any", x)
    return np.max(x.astype(bool), axis=1, keepdims=keepdims)


def all_(x: Wire, axis: Any = None, keepdims: bool = False) -> Any:
    """Write ``np.all``."""
    _along_columns(axis, "all", x)
    return np.min(x.astype(bool), axis=1, keepdims=keepdims)


def var(x: Wire, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """Write ``np.var``: squares of differences from the mean, divided by how many there are."""
    _along_columns(axis, "a variance", x)
    if x.numbers.kind != "f":
        x = x.astype(np.float64)
    if x.numbers == np.float16:
        raise UnsupportedModelError("a variance of float16 numbers; convert to float32 first")
    apart = x - np.sum(x, axis=1, keepdims=True) / x.width
    return np.sum(apart * apart, axis=1, keepdims=keepdims) / max(x.width - ddof, 0)


def std(x: Wire, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """Write ``np.std``."""
    return np.sqrt(var(x, axis, ddof, keepdims))


def norm(x: Wire, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Write ``np.linalg.norm`` of rows."""
    _along_columns(axis, "a norm", x)
    if x.numbers.kind != "f":
        x = x.astype(np.float64)
    if ord in (None, 2):
        return np.sqrt(np.sum(x * x, axis=1, keepdims=keepdims))
    if ord == 1:
        return np.sum(np.abs(x), axis=1, keepdims=keepdims)
    if ord == np.inf:
        return np.max(np.abs(x), axis=1, keepdims=keepdims)
    raise UnsupportedModelError(f"np.linalg.norm with ord={ord!r}; 1, 2 and np.inf are written")


def _running(x: Wire, function: Callable[..., Any]) -> list[Any]:
    """Return what a function makes of the first columns, one more each time."""
    made = [x[:, :1]]
    for i in range(1, x.width):
        made.append(function(made[-1], x[:, i : i + 1]))
    return made


def _summed(x: Wire) -> Wire:
    """Return numbers in the type that NumPy adds and multiplies them in."""
    return x.astype(np.sum(np.zeros(1, x.numbers)).dtype)


def cumsum(x: Wire, axis: Any = None) -> Any:
    """Write ``np.cumsum``."""
    _along_columns(axis, "a running sum", x)
    return np.column_stack(_running(_summed(x), np.add))


def prod(x: Wire, axis: Any = None, keepdims: bool = False) -> Any:
    """Write ``np.prod``: from left to right."""
    _along_columns(axis, "a product", x)
    made = _running(_summed(x), np.multiply)[-1]
    return made if keepdims else made[:, 0]


def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    """Write ``np.diff``."""
    _along_columns(axis, "differences", x)
    for _ in range(n):
        apart = np.not_equal if x.numbers.kind == "b" else np.subtract
        x = apart(x[:, 1:], x[:, :-1])
    return x


def isin(x: Wire, values: Any, invert: bool = False) -> Any:
    """Write ``np.isin`` of a short list of numbers."""
    numbers = np.ravel(np.asarray(values))
    if not len(numbers) or numbers.dtype.kind not in "iufb":
        raise UnsupportedModelError("np.isin of something other than a list of numbers")
    made = x == numbers[0]
    for number in numbers[1:]:
        made = made | (x == number)
    return ~made if invert else made


def delete(x: Wire, places: Any, axis: Any = None) -> Any:
    """Write ``np.delete``."""
    _along_columns(axis, "np.delete", x)
    return x[:, np.delete(np.arange(x.width), places)]


def expand_dims(x: Wire, axis: Any) -> Any:
    """Write ``np.expand_dims``."""
    if x.ndim == 1 and axis in (1, -1):
        return x[:, None]
    mixes_rows(f"np.expand_dims along axis {axis}")


def squeeze(x: Wire, axis: Any = None) -> Any:
    """Write ``np.squeeze`` of one column."""
    return x.reshape(-1) if x.ndim == 2 and x.width == 1 else x


def polyval(p: Any, x: Wire) -> Any:
    """Write ``np.polyval``: Horner's scheme."""
    made: Any = np.zeros_like(x)
    for factor in np.asarray(p):
        made = made * x + factor
    return made


def digitize(x: Wire, bins: Any, right: bool = False) -> Any:
    """Write ``np.digitize`` in rising bins."""
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or not (np.diff(edges) >= 0).all():
        raise UnsupportedModelError("np.digitize in bins that do not rise; sort them")
    return searchsorted(edges, x, "left" if right else "right")


def searchsorted(a: Any, v: Any, side: str = "left") -> Any:
    """Write ``np.searchsorted`` in a constant array; NaN comes last."""
    edges = np.asarray(a)
    if isinstance(a, Wire) or edges.ndim != 1 or edges.dtype.kind not in "iuf" or not len(edges):
        raise UnsupportedModelError("np.searchsorted in something other than constant numbers")
    x = v.astype(np.float64)
    found: Any = None
    for edge in edges.astype(np.float64):
        beyond = x > edge if side == "left" else x >= edge
        one = (beyond | np.isnan(x)).astype(np.int64)
        found = one if found is None else found + one
    return found


def nansum(x: Wire, axis: Any = None, keepdims: bool = False) -> Any:
    """Write ``np.nansum``: NaN counts as 0."""
    return np.sum(np.where(np.isnan(x), x.numbers.type(0), x), axis=axis, keepdims=keepdims)


def nanmean(x: Wire, axis: Any = None, keepdims: bool = False) -> Any:
    """Write ``np.nanmean``."""
    count = np.sum(~np.isnan(x), axis=axis, keepdims=keepdims)
    return nansum(x, axis, keepdims) / count


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.all: all_,
    np.any: any_,
    np.around: round_,
    np.cumsum: cumsum,
    np.delete: delete,
    np.diff: diff,
    np.digitize: digitize,
    np.expand_dims: expand_dims,
    np.isin: isin,
    np.linalg.norm: norm,
    np.nan_to_num: nan_to_num,
    np.nanmean: nanmean,
    np.nansum: nansum,
    np.polyval: polyval,
    np.prod: prod,
    np.round: round_,
    np.searchsorted: searchsorted,
    np.select: select,
    np.squeeze: squeeze,
    np.std: std,
    np.var: var,
}
