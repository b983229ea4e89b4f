"""`sklearn.impute.KNNImputer`: missing numbers from the nearest of the training rows.

scikit-learn leaves donors that are equally near in the order of `numpy.argpartition`, which takes
other paths on other processors, and computes distances by a product of matrices. A program takes
the first ones in the order of the training rows.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.estimator import fitted, validated


class KNNImputer(Stripper):
    def check(self, model: Any) -> None:
        if not isinstance(model.missing_values, numbers.Real):
            raise UnsupportedModelError(
                f"KNNImputer(missing_values={model.missing_values!r}) finds nothing among numbers; "
                "use NaN or a number"
            )
        for option, advice in (("metric", '"nan_euclidean"'), ("weights", '"uniform", "distance"')):
            if callable(getattr(model, option)):
                raise UnsupportedModelError(
                    f"KNNImputer has a function for {option}, which programs do not have; use "
                    f"{advice}"
                )

    @method
    def transform(self, model: Any, x: Table) -> Any:
        marker = float(model.missing_values)
        nan = np.isnan(marker)
        rows: Any = validated(
            model, x, to_float=True, ensure_all_finite="allow-nan" if nan else True
        )
        missing: Any = np.isnan(rows) if nan else rows == model.missing_values
        empty = ~np.asarray(model._valid_mask)
        kept = range(len(empty)) if model.keep_empty_features else np.flatnonzero(~empty).tolist()
        marks: Any = None
        if model.add_indicator:
            fitted(model, "indicator_", "add_indicator")
            marked = model.indicator_.features_.tolist()
            # Fitted on complete rows it marks none.
            marks = missing[:, marked].astype(rows.numbers) if marked else None
        if not kept:
            raise UnsupportedModelError(
                "KNNImputer was fitted on columns that are missing throughout, so transform "
                "results in no columns; leave it out, or set keep_empty_features=True"
            )
        wide: Any = rows.astype(np.float64)
        found = x.builder.node(
            "sclbl.ImputeNearest",
            [wide if nan else x.builder.where(missing, np.full(1, np.nan), wide)],
            **_donors(model, rows.numbers),
        )
        made: Any = np.where(missing, found.astype(rows.numbers), rows)[:, kept]
        if empty[kept].any():
            zero: Any = ops.constant_column(x, 0.0).astype(rows.numbers)
            made = ops.concat([zero if empty[j] else made[:, [j]] for j in kept])
        x.builder.warnings.append(
            "KNNImputer takes donors that are equally near, but for a rounding of 1e-12 (||x||² + "
            "||y||²) in their squared distances, in an order that depends on the processor; the "
            "program takes the first ones of the training rows, and is compared on the model's"
        )
        return ops.concat([made, marks]) if marks is not None else made


def _donors(model: Any, x: np.dtype[Any]) -> dict[str, Any]:
    """Return the rows that values are taken from as attributes of an operator."""
    own, absent = np.asarray(model._fit_X), np.asarray(model._mask_fit_X)
    single = bool(x == own.dtype == np.float32)
    points = np.where(absent, np.nan, own.astype(np.float64))
    with np.errstate(over="ignore"):
        # A number whose square is infinite makes NaN of every distance.
        squares = np.where(absent, 0, own) ** 2 if single else points**2
    points[np.isinf(squares).any(axis=1)] = np.nan
    means = np.zeros(own.shape[1])
    for j in np.flatnonzero(model._valid_mask).tolist():
        means[j] = np.ma.array(own[:, j], mask=absent[:, j]).mean()
    return {
        "points": points,
        "means": means,
        "k": int(min(model.n_neighbors, len(own))),
        "by_distance": int(model.weights == "distance"),
        "single": int(single),
    }
