"""`sklearn.isotonic`: straight lines between thresholds.

Which line a number lies on is found by a tree of comparisons, whose leaves are the lines. Of
float64 that is `numpy.interp`, which takes the line to the right of a threshold; of float32 it is
SciPy's own code, which takes the line to the left.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.estimator import validated
from sclbl.strippers.trees import Nodes, join


class IsotonicRegression(Stripper):
    def rows(self, model: Any, x: Table) -> Any:
        if x.width != 1:
            raise UnsupportedModelError(
                f"IsotonicRegression takes one column, and example_input has {x.width}; give "
                "numbers that stand in an array of one axis as a column, x.reshape(-1, 1)"
            )
        wire: Any = validated(model, x, ensure_all_finite=False)
        return wire.astype(model.X_thresholds_.dtype)

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return interpolated(model, x)

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        return interpolated(model, x)


def interpolated(model: Any, x: Any) -> Any:
    """Return the predictions for one column, in the type that the model was fitted in.

    Raises
    ------
    UnsupportedModelError
        Where two thresholds are so close that the line between them has no slope.
    """
    at, values = model.X_thresholds_, model.y_thresholds_
    x = ops.refuse(x.astype(at.dtype).reshape(-1, 1), nan=True)
    if model.out_of_bounds == "clip":
        x = np.clip(x, model.X_min_, model.X_max_)
    if len(at) == 1:
        return np.full_like(x, values[0]).ravel()
    with np.errstate(all="ignore"):
        slopes = (values[1:] - values[:-1]) / (at[1:] - at[:-1])
    if not np.isfinite(slopes).all():
        raise UnsupportedModelError(
            "IsotonicRegression was fitted on numbers so close to each other that the slope "
            "between them is no number; scale the column and fit it again"
        )
    if model.out_of_bounds == "raise":
        x = ops.refuse_outside(x, at[0], at[-1])
    line = _lines(x, np.column_stack([slopes, at[:-1], values[:-1]]), at[1:-1])
    made = line[:, [0]] * (x - line[:, [1]]) + line[:, [2]]
    if at.dtype == np.float64:
        made = np.where(x == at[-1], values[-1], made)
    return np.where((x < at[0]) | (x > at[-1]), at.dtype.type(np.nan), made).ravel()


def _lines(x: Wire, lines: np.ndarray, limits: np.ndarray) -> Wire:
    """Return the line of each number: those between are the limits of `lines`."""
    left: list[int] = []
    right: list[int] = []
    limit: list[int] = []

    def grow(begin: int, end: int) -> int:
        """Add a tree over some lines and return its root."""
        at, middle = len(left), (begin + end) // 2
        left.append(-1)
        right.append(-1)
        limit.append(middle - 1)
        if end - begin > 1:
            left[at] = grow(begin, middle)
            right[at] = grow(middle, end)
        return at

    grow(0, len(lines))
    leaf = np.array(left) < 0
    threshold = np.append(limits, 0).astype(limits.dtype)[np.where(leaf, -1, limit)]
    nodes = Nodes(
        leaf, np.array(left), np.array(right), np.where(leaf, -1, 0), threshold, np.zeros(len(leaf))
    )
    numbers = np.arange(len(lines), dtype=np.int32)
    # A number on a limit goes to the line that the source takes.
    rule: Literal["<", "<="] = "<" if limits.dtype == np.float64 else "<="
    start = np.full(3, -0.0, dtype=lines.dtype)
    return ops.trees(x, join([nodes], numbers, lines, start, rule))


CLASSES: dict[str, Stripper] = {"IsotonicRegression": IsotonicRegression()}
