"""Two results of one method, number by number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sclbl.missing import is_missing, kind_of
from sclbl.report import MethodReport
from sclbl.signature import Output

#: Largest relative error accepted where arithmetic is not exact.
TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-3}


@dataclass(frozen=True)
class Tolerance:
    """What one method must keep to.

    Parameters
    ----------
    tolerance : float
        Largest relative error; 0 asks for equality to the bit.
    dtype : {"float64", "float32", "float16"}
        What the model computes in.
    typical : float ``[width]``
        Typical size of each output column: an error is relative to this where the value is smaller.
    """

    tolerance: float
    dtype: str
    typical: np.ndarray


@dataclass(frozen=True)
class Difference:
    """The worst place of a result; `excess` above 1 is a breach."""

    excess: float
    row: int
    column: int
    ours: Any
    theirs: Any
    error: float


def flatten(returned: Any) -> np.ndarray:
    """Return what a method returned as one array ``[rows, width]``."""
    arrays = returned if isinstance(returned, (list, tuple)) else [returned]
    columns = [a.reshape(-1, 1) if a.ndim == 1 else a for a in map(np.asarray, arrays)]
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)


def typical_size(results: np.ndarray) -> np.ndarray:
    """Return the largest finite size of each column, 1 where all are zero."""
    if results.dtype.kind not in "fiu":
        return np.ones(results.shape[1])
    sizes = np.abs(results.astype(np.float64))
    sizes = np.where(np.isfinite(sizes), sizes, 0).max(axis=0, initial=0)
    return np.where(sizes > 0, sizes, 1.0)


def compare(
    report: MethodReport,
    output: Output,
    ours: np.ndarray,
    theirs: np.ndarray,
    rule: Tolerance,
    noise: Callable[[], np.ndarray] | None = None,
) -> tuple[MethodReport, Difference | None]:
    """Compare two results.

    Parameters
    ----------
    report : MethodReport
        What was found so far.
    output : Output
        What the method returns.
    ours, theirs : arrays ``[rows, width]``
        Of the program and of the model.
    rule : Tolerance
        What is accepted.
    noise : callable, optional
        Returns, as `ours`, by how much the result moves when the inputs move by an ULP: asked only
        where the rule is not kept, because no arithmetic does better than that.

    Returns
    -------
    tuple of MethodReport and Difference or None
        The report with these rows added; the worst place, if anything differs.
    """
    report = replace(report, rows=report.rows + len(ours))
    if output.storage in ("label", "int64", "uint64", "bool", "text"):
        return _compare_exact(report, ours, theirs)
    a, b = _floats(ours), _floats(theirs)
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        error = np.where(same, 0.0, np.abs(a - b))
        scale = np.maximum(np.abs(b), rule.typical)
        relative = np.where(same, 0.0, error / scale)
    error = np.where(np.isnan(error), np.inf, error)
    relative = np.where(np.isfinite(error), relative, np.inf)
    if same.all():
        return report, None
    excess = _excess(relative, rule, error, scale, noise)
    row, column = (int(i) for i in np.unravel_index(np.argmax(excess), excess.shape))
    report = replace(
        report,
        max_abs=max(report.max_abs, float(error.max())),
        max_rel=max(report.max_rel, float(relative.max())),
        max_ulp=max(report.max_ulp, _ulp(a, b, rule.dtype, same)),
    )
    place = Difference(
        float(excess[row, column]), row, column, a[row, column], b[row, column],
        float(relative[row, column]),
    )  # fmt: skip
    return report, place


def _floats(results: np.ndarray) -> np.ndarray:
    """Return numbers as float64; of objects, whatever is missing is NaN."""
    if results.dtype == object:
        results = np.where(np.vectorize(is_missing, [bool])(results), np.nan, results)
    return results.astype(np.float64)


def _excess(
    relative: np.ndarray,
    rule: Tolerance,
    error: np.ndarray,
    scale: np.ndarray,
    noise: Callable[[], np.ndarray] | None,
) -> np.ndarray:
    if rule.tolerance == 0:
        return np.where(relative > 0, np.inf, 0.0)
    with np.errstate(over="ignore"):
        excess: np.ndarray = relative / rule.tolerance
    if noise is None or not (excess > 1).any() or not np.isfinite(relative).all():
        return excess
    with np.errstate(all="ignore"):
        allowed = rule.tolerance * scale + np.nan_to_num(noise(), nan=0.0, posinf=0.0)
        return np.where(error > 0, error / allowed, 0.0)


def _compare_exact(
    report: MethodReport, ours: np.ndarray, theirs: np.ndarray
) -> tuple[MethodReport, Difference | None]:
    different = _differ(ours, theirs)
    for row, column in np.argwhere(different).tolist():
        a, b = ours[row, column], theirs[row, column]
        kind = kind_of(a)
        different[row, column] = kind is None or kind != kind_of(b)
    flips = int(different.sum())
    report = replace(report, flips=report.flips + flips)
    if not flips:
        return report, None
    row, column = np.argwhere(different)[0].tolist()
    return report, Difference(np.inf, row, column, ours[row, column], theirs[row, column], np.inf)


def _differ(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    if object not in (ours.dtype, theirs.dtype):
        return np.asarray(ours != theirs, dtype=bool)
    # Objects one by one: pandas.NA says neither yes nor no.
    pairs = zip(ours.ravel().tolist(), theirs.ravel().tolist(), strict=True)
    found = [kind_of(a) is not None or kind_of(b) is not None or a != b for a, b in pairs]
    return np.array(found, dtype=bool).reshape(ours.shape)


def _ulp(a: np.ndarray, b: np.ndarray, dtype: str, same: np.ndarray) -> int:
    """Return the largest distance in units in the last place, among finite numbers."""
    kind = f"i{np.dtype(dtype).itemsize}"
    both = np.isfinite(a) & np.isfinite(b) & ~same
    if not both.any():
        return 0
    with np.errstate(over="ignore"):
        ordered = [_ordered(v[both].astype(dtype).view(kind)) for v in (a, b)]
    gaps: Sequence[int] = [abs(x - y) for x, y in zip(*(o.tolist() for o in ordered), strict=True)]
    return max(gaps, default=0)


def _ordered(bits: np.ndarray) -> np.ndarray:
    """Return integers that are ordered as the floats with these bits are."""
    lowest = np.iinfo(bits.dtype).min
    return np.where(bits < 0, lowest - bits, bits)
