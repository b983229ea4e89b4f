"""`sklearn.feature_selection`: the columns that a selector keeps, and what is fitted on them.

`SelectorMixin` makes an array of the rows, of whatever they hold, and refuses NaN and infinity
where the selector's tags do not allow NaN. A DataFrame stays one, and is not looked at, where
`set_output` asks for DataFrames.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops, promotion
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.conversions import is_integer
from sclbl.strippers.dispatch import as_table
from sclbl.strippers.sklearn.estimator import require_columns, require_made, validated_sparse
from sclbl.strippers.sklearn.inside import InsideOfArrays, as_array
from sclbl.strippers.sklearn.stack import makes_frames


class Selector(Stripper):
    """Some of the columns; of sparse rows some of the items."""

    tells_missing = takes_sparse = True

    def rows(self, model: Any, x: Any) -> Any:
        if isinstance(x, Wire):
            kept = np.flatnonzero(model.get_support()).tolist()
            if kept:
                return ops.items_choose(validated_sparse(model, x, not _allows_nan(model)), kept)
            x = as_table(x.builder.dense(x))
        return _kept(model, x)

    @method
    def transform(self, model: Any, x: Table | Wire) -> Table | Wire:
        return x

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Wire:
        return _with_zeros(model, x)


class Elimination(Selector, InsideOfArrays):
    """`RFE` and `RFECV`: the methods of the estimator that was fitted on the columns kept."""

    takes_sparse = False


def _with_zeros(model: Any, x: Table) -> Wire:
    """Put the columns back in their places, and columns of zeros between them.

    Raises
    ------
    UnsupportedModelError
        Where a column holds text.
    """
    support = model.get_support()
    require_made(model, x, int(support.sum()))
    if isinstance(x, Wire):
        x = as_table(x.builder.dense(x))
    held = promotion.unconverted_dtype(c.dtype for c in x.cells)
    if x.has_text or held.kind == "O":
        raise UnsupportedModelError(
            f"{type(model).__name__}.inverse_transform puts columns of zeros among objects, and a "
            "column of a program holds numbers or text; give it rows that are numbers"
        )
    wire: Any = x.held_matrix(held, model=model)
    if not is_integer(wire) and not x.sparse:  # the items of sparse rows are not looked at
        wire = ops.refuse(wire, nan=True)
    places = np.where(support, np.cumsum(support) - 1, wire.width)
    made: Any = np.column_stack([wire, np.zeros_like(wire[:, :1])])[:, places.tolist()]
    if x.sparse:
        made = replace(made, sparse="csc")
    return made  # type: ignore[no-any-return]  # a wire of wires


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
