"""`sklearn.feature_selection`: the columns that a selector keeps, and what is fitted on them.

`SelectorMixin` makes an array of the rows, of whatever they hold, and refuses NaN and infinity
where the selector's tags do not allow NaN. A DataFrame stays one, and is not looked at, where
`set_output` asks for DataFrames.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.estimator import require_columns
from sclbl.strippers.sklearn.inside import InsideOfArrays, as_array
from sclbl.strippers.sklearn.stack import makes_frames


class Selector(Stripper):
    """Some of the columns."""

    tells_missing = True

    def rows(self, model: Any, x: Table) -> Table:
        return _kept(model, x)

    @method
    def transform(self, model: Any, x: Table) -> Table:
        return x


class Elimination(InsideOfArrays):
    """`RFE` and `RFECV`: the methods of the estimator that was fitted on the columns kept."""

    def rows(self, model: Any, x: Table) -> Table:
        return _kept(model, x)

    @method
    def transform(self, model: Any, x: Table) -> Table:
        return x


def _kept(model: Any, x: Table) -> Table:
    if makes_frames(model) and _is_frame(x):
        require_columns(model, x)
    else:
        x = as_array(model, x, dtype=None, ensure_all_finite=not _allows_nan(model))
    return x.select(np.flatnonzero(model.get_support()).tolist())


def _allows_nan(model: Any) -> bool:
    from sklearn.utils import get_tags

    return bool(get_tags(model).input_tags.allow_nan)


def _is_frame(x: Table) -> bool:
    """Return whether the rows are a DataFrame: the caller's, or what a step before makes."""
    return x.builder.signature.layout == "table" or all(c.shown is None for c in x.cells)


_SELECTORS = """GenericUnivariateSelect SelectFdr SelectFpr SelectFromModel SelectFwe SelectKBest
    SelectPercentile SequentialFeatureSelector VarianceThreshold"""

CLASSES: dict[str, Stripper] = {
    **dict.fromkeys(_SELECTORS.split(), Selector()),
    **dict.fromkeys(["RFE", "RFECV"], Elimination("estimator_")),
}
