"""Donors that are equally near but for rounding: what a program gives with those of its model.

`KNNImputer` computes distances by a product of matrices, and leaves donors that are equally near in
an order that depends on the processor. Where it may have taken others than the program, results are
compared with what the program's graph gives for the values that scikit-learn fills in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import InputError
from sclbl.fidelity.near import ALIKE
from sclbl.fidelity.rows import from_blocks
from sclbl.ops.imputing import distances
from sclbl.reference import evaluate
from sclbl.rows import encode
from sclbl.runtime.outputs import finish
from sclbl.spec import Node, Spec

#: The same for distances in float32.
ALIKE_SINGLE = 2e-6
#: How far means of the same donors may be apart, relative to the largest one.
_ROUNDING, _ROUNDING_SINGLE = 1e-14, 1e-6
#: In place of an infinite weight, beside which no other counts.
_MOST_WEIGHT = 1e150
_OP = "sclbl.ImputeNearest"


def as_chosen(spec: Spec, method: str, rows: Any, ours: Any) -> Any:
    """Return a program's results, of some rows with the donors that scikit-learn takes.

    Parameters
    ----------
    spec : Spec
        What the program computes.
    method : str
        One of its methods.
    rows : rows
        What it was asked.
    ours : array or list of arrays
        What it gave.

    Returns
    -------
    array or list of arrays
        `ours` itself, but for rows where donors are equally near.
    """
    output = spec.signature.outputs[method]
    if spec.signature.inputs or not output.is_plain:
        return ours
    if all(node.op != _OP for node in spec.graph.upstream([method])):
        return ours
    blocks = encode(rows, spec.signature)
    changed = np.zeros(blocks.rows, dtype=bool)

    def choose(node: Node, operands: list[Any], result: Any) -> Any:
        if node.op != _OP:
            return result
        found, among = _chosen(node, operands[0], result)
        changed[among] = True
        return found

    text = from_blocks(blocks).text if blocks.text else None
    try:
        made = evaluate(spec.graph, blocks.numeric, text, (method,), after=choose)[method]
    except InputError:
        return ours  # a donor of scikit-learn's that a later step refuses
    if not changed.any():
        return ours
    theirs = finish(output, made.astype(np.int32) if output.storage == "label" else made)
    if isinstance(ours, list):
        return [_replaced(a, b, changed) for a, b in zip(ours, theirs, strict=True)]
    return _replaced(ours, theirs, changed)


def _replaced(ours: np.ndarray, theirs: np.ndarray, changed: np.ndarray) -> np.ndarray:
    found = ours.copy()
    found[changed] = theirs[changed]
    return found


def _chosen(node: Node, x: np.ndarray, ours: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return what is filled in, by scikit-learn where it may; and the rows of which it is other."""
    attrs, found, among = node.attrs, ours.copy(), []
    theirs = _by_sklearn(node, x)
    rounding = _ROUNDING_SINGLE if attrs["single"] else _ROUNDING
    with np.errstate(all="ignore"):
        near = np.abs(theirs - ours) <= rounding * np.abs(ours)
    for i, j in np.argwhere(np.isnan(x) & ~near).tolist():
        low, high, size = reach(node, x[i], j)
        if low - rounding * size <= theirs[i, j] <= high + rounding * size:
            found[i, j] = theirs[i, j]
            among.append(i)
    return found, among


def _by_sklearn(node: Node, x: np.ndarray) -> np.ndarray:
    from sklearn.impute import KNNImputer

    attrs, dtype = node.attrs, np.float32 if node.attrs["single"] else np.float64
    imputer = KNNImputer(
        n_neighbors=attrs["k"],
        weights="distance" if attrs["by_distance"] else "uniform",
        keep_empty_features=True,
    )
    with np.errstate(all="ignore"):
        filled = imputer.fit(attrs["points"].astype(dtype)).transform(x.astype(dtype))
    return np.asarray(filled, dtype=np.float64)


def reach(node: Node, row: np.ndarray, column: int) -> tuple[float, float, float]:
    """Return between what a missing number may be, whichever of equally near donors are taken.

    Returns
    -------
    low, high : float
        NaN where there are no donors.
    size : float
        The size of the largest donor.
    """
    attrs = node.attrs
    near, every = distances(attrs, row), attrs["points"]
    donors = np.flatnonzero(~np.isnan(every[:, column]) & ~np.isnan(near))
    if not donors.size:
        return np.nan, np.nan, 0.0
    points, squares = every[donors], near[donors] ** 2
    values, k = points[:, column], min(attrs["k"], len(donors))
    with np.errstate(all="ignore"):
        both = (~np.isnan(points) & ~np.isnan(row)).sum(axis=1)
        lengths = np.nansum(row**2) + np.nansum(points**2, axis=1)
        bound = (ALIKE_SINGLE if attrs["single"] else ALIKE) * len(row) / both * lengths
        least, most = np.fmax(squares - bound, 0.0), np.fmax(squares + bound, 0.0)
        # Taken for sure is what fewer than k others may be as near as; perhaps, what fewer than k
        # others surely are nearer than.
        surely = np.searchsorted(np.sort(least), most, side="right") <= k
        perhaps = np.searchsorted(np.sort(most), least, side="left") < k
        size = float(np.abs(values[perhaps]).max())
        if not attrs["by_distance"]:
            others = np.sort(values[perhaps & ~surely])
            count, total = k - int(surely.sum()), values[surely].sum()
            low = total + others[:count].sum()
            return low / k, (total + others[len(others) - count :].sum()) / k, size
        light = np.where(surely, 1 / np.sqrt(most), 0.0)[perhaps]
        heavy = np.fmin(1 / np.sqrt(least), _MOST_WEIGHT)[perhaps]
        low, high = (
            _lightest(values[perhaps], light, heavy),
            -_lightest(-values[perhaps], light, heavy),
        )
    return low, high, size


def _lightest(values: np.ndarray, light: np.ndarray, heavy: np.ndarray) -> float:
    """Return the least weighted mean of values whose weights are between two bounds.

    It weighs those below some value as much as they may, and the others as little.
    """
    order = np.argsort(values)
    v, less, more = values[order], light[order], heavy[order]
    sums = np.cumsum(v * more) + (v * less).sum() - np.cumsum(v * less)
    return float(np.nanmin(sums / (np.cumsum(more) + less.sum() - np.cumsum(less))))
