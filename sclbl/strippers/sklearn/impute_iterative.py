"""`sklearn.impute.IterativeImputer`: each missing value predicted from the others, in rounds.

The estimators of all rounds are applied one after the other to the row, first filled by the initial
imputer. Of a call whose every row lacks everything the source leaves them out; here, as among other
rows, such a row is predicted too.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.estimator import validated


class IterativeImputer(Stripper):
    def check(self, model: Any) -> None:
        if model.sample_posterior:
            raise UnsupportedModelError(
                "IterativeImputer(sample_posterior=True) draws random numbers, and a program gives "
                "one answer; fit it with sample_posterior=False"
            )
        if not isinstance(model.missing_values, numbers.Real):
            raise UnsupportedModelError(
                f"IterativeImputer(missing_values={model.missing_values!r}) is not supported; use "
                "NaN or a number"
            )

    @method
    def transform(self, model: Any, x: Table) -> Any:
        marker = float(model.missing_values)
        nan = np.isnan(marker)
        rows: Any = validated(
            model, x, to_float=True, ensure_all_finite="allow-nan" if nan else True
        )
        missing: Any = np.isnan(rows) if nan else rows == model.missing_values
        empty = np.asarray(model._is_empty_feature)
        kept = range(len(empty)) if model.keep_empty_features else np.flatnonzero(~empty).tolist()
        if not kept:
            raise UnsupportedModelError(
                "IterativeImputer was fitted on columns that are missing throughout, so transform "
                "results in no columns; leave it out, or set keep_empty_features=True"
            )
        start = np.asarray(model.initial_imputer_.statistics_)[kept].astype(rows.numbers)
        first = np.where(missing[:, kept], start, rows[:, kept])
        made = self._rounds(model, first, missing[:, kept], start)
        # An indicator that was fitted on complete rows marks none.
        marked = model.indicator_.features_.tolist() if model.add_indicator else []
        return ops.concat([made, missing[:, marked].astype(rows.numbers)]) if marked else made

    @staticmethod
    def _rounds(model: Any, first: Any, missing: Any, start: np.ndarray) -> Any:
        """Predict what is missing, column by column."""
        steps = model.imputation_sequence_ if model.n_iter_ else []
        columns = [first[:, [i]] for i in range(first.width)]
        for step, triplet in enumerate(steps):
            i, others = int(triplet.feat_idx), [int(k) for k in triplet.neighbor_feat_idx]
            here = missing[:, [i]]
            # The estimator sees, and may refuse, those rows alone that lack the value.
            seen = np.where(here, ops.concat([columns[k] for k in others]), start[others])
            name = f"imputation_sequence_[{step}]"
            found = _predicted(triplet.estimator, seen, name)
            low, high = model._min_value[i], model._max_value[i]
            columns[i] = np.where(here, np.clip(found, low, high).astype(first.numbers), columns[i])
        return ops.concat(columns)


def _predicted(estimator: Any, rows: Any, name: str) -> Any:
    wanted = frozenset({"predict"})
    made = dispatch.apply(estimator, dispatch.as_table(rows), rows.builder, wanted, name)["predict"]
    wire = made.matrix() if isinstance(made, Table) else made
    return wire[:, None] if wire.ndim == 1 else wire
