"""scikit-learn's scalers: what `sklearn.preprocessing._data` does to rows.

They let NaN through and refuse infinity, except Normalizer, which refuses both. float32 rows stay
float32; NumPy computes ``X *= scale_`` in float64 where `scale_` is float64, and rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_rows import in_place, require_fitted, validated


class Scaler:
    """A transformer that gives back as many columns as it takes."""

    #: Whether a missing value is refused.
    refuses_nan = False

    def methods(self, model: Any) -> tuple[str, ...]:
        """Return ``transform``; raise `NotFittedError` for an unfitted model."""
        require_fitted(model)
        return ("transform",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write ``transform``: ``[rows, columns]``, float32 where x is float32, else float64."""
        require_fitted(model)
        rows = validated(model, x, build, nan=self.refuses_nan, to_float=True)
        scaled = self._scale(model, rows.wire, build, x.sparse is not None)
        return {"transform": build.wire_table(scaled)}

    def _scale(self, model: Any, x: Wire, build: Builder, sparse: bool) -> Wire:
        raise UnsupportedModelError(f"{type(model).__name__} has no stripper among the scalers")


class Standard(Scaler):
    """`StandardScaler`: ``(X - mean_) / scale_``, both rounded to the type of X first."""

    def _scale(self, model: Any, x: Wire, build: Builder, sparse: bool) -> Wire:
        if model.with_mean:
            x = build.sub(x, _fitted(model, "mean_", "with_mean"))
        if model.with_std:
            scale = _fitted(model, "scale_", "with_std")
            return _divided(model, x, scale, build) if sparse else build.div(x, scale)
        return x


class MinMax(Scaler):
    """`MinMaxScaler`: ``X * scale_ + min_``, clipped to `feature_range` where `clip` is set."""

    def _scale(self, model: Any, x: Wire, build: Builder, sparse: bool) -> Wire:
        x = in_place(build, "Mul", x, model.scale_, model)
        x = in_place(build, "Add", x, model.min_, model)
        return _clip(build, x, *model.feature_range) if model.clip else x


class MaxAbs(Scaler):
    """`MaxAbsScaler`: ``X / scale_``, clipped to -1 and 1 where `clip` is set."""

    def _scale(self, model: Any, x: Wire, build: Builder, sparse: bool) -> Wire:
        if sparse:
            x = _divided(model, x, model.scale_, build)
        else:
            x = in_place(build, "Div", x, model.scale_, model)
        # `clip` came with scikit-learn 1.8.
        return _clip(build, x, -1.0, 1.0) if getattr(model, "clip", False) else x


class Robust(Scaler):
    """`RobustScaler`: ``(X - center_) / scale_``."""

    def _scale(self, model: Any, x: Wire, build: Builder, sparse: bool) -> Wire:
        if model.with_centering:
            x = in_place(build, "Sub", x, _fitted(model, "center_", "with_centering"), model)
        if model.with_scaling:
            scale = _fitted(model, "scale_", "with_scaling")
            if sparse:
                return _divided(model, x, scale, build)
            x = in_place(build, "Div", x, scale, model)
        return x


class RowNormalizer(Scaler):
    """`Normalizer`: rows divided by their norm; a row of (nearly) zeros stays as it is."""

    refuses_nan = True

    def _scale(self, model: Any, x: Wire, build: Builder, sparse: bool) -> Wire:
        if model.norm == "l1":
            norms = build.reduce("ReduceL1", x)
        elif model.norm == "max":
            norms = build.reduce("ReduceMax", build.unary("Abs", x))
        else:
            # The squares may overflow, as they do in the source: no scaled two-norm here.
            norms = build.unary("Sqrt", build.reduce("ReduceSumSquare", x))
        tiny = float(10 * np.finfo(np.dtype(x.dtype)).eps)
        return build.div(x, build.where(build.binary("Less", norms, tiny), 1.0, norms))


def _divided(model: Any, x: Wire, scale: np.ndarray, build: Builder) -> Wire:
    """Divide as `inplace_column_scale` does to a sparse matrix: by multiplying with 1 / scale."""
    return in_place(build, "Mul", x, 1.0 / scale, model)


def _clip(build: Builder, x: Wire, low: float, high: float) -> Wire:
    return build.binary("Min", build.binary("Max", x, float(low)), float(high))


def _fitted(model: Any, attribute: str, option: str) -> np.ndarray:
    value = getattr(model, attribute, None)
    if value is None:
        raise UnsupportedModelError(
            f"{type(model).__name__} has {option}=True but no {attribute}: {option} was changed "
            "after fit; fit it again"
        )
    return np.asarray(value)


STANDARD_SCALER = Standard()
MIN_MAX_SCALER = MinMax()
MAX_ABS_SCALER = MaxAbs()
ROBUST_SCALER = Robust()
NORMALIZER = RowNormalizer()
