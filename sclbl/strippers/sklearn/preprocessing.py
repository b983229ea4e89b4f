"""`sklearn.preprocessing`: scalers, encoders, polynomials, functions.

Scalers let NaN through and refuse infinity, except Normalizer, which refuses both. float32 rows
stay float32; NumPy computes ``X *= scale_`` in float64 where `scale_` is float64, and rounds.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Input
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.beside import NAME
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn import categories, decoding
from sclbl.strippers.sklearn.categories import Codes, Encoder, held_as
from sclbl.strippers.sklearn.estimator import Estimator, fitted, given_back
from sclbl.strippers.sklearn.preprocessing_bins import (
    Binarizer,
    KBinsDiscretizer,
    TargetEncoder,
)
from sclbl.strippers.sklearn.preprocessing_curves import (
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
)
from sclbl.strippers.sklearn.preprocessing_functions import FunctionTransformer


class Scaler(Estimator):
    """A transformer that gives back as many columns as it takes."""

    dtype = "float"
    ensure_all_finite: bool | Literal["allow-nan"] = "allow-nan"


class StandardScaler(Scaler):
    """``(X - mean_) / scale_``, both rounded to the type of X first."""

    @method
    def transform(self, model: Any, x: Any) -> Any:
        sparse = x.sparse
        if model.with_mean:
            x = x - fitted(model, "mean_", "with_mean").astype(x.numbers)
        if model.with_std:
            scale = fitted(model, "scale_", "with_std")
            x = _divided(x, scale) if sparse else x / scale.astype(x.numbers)
        return x

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Any:
        x = given_back(model, x)
        if model.with_std:
            scale = fitted(model, "scale_", "with_std")
            x *= scale if x.sparse else scale.astype(x.numbers)
        if model.with_mean:
            x += fitted(model, "mean_", "with_mean").astype(x.numbers)
        return x


class MinMaxScaler(Scaler):
    """``X * scale_ + min_``, clipped to `feature_range` where `clip` is set."""

    @method
    def transform(self, model: Any, x: Any) -> Any:
        x *= model.scale_
        x += model.min_
        low, high = map(float, model.feature_range)
        return np.clip(x, low, high) if model.clip else x

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Any:
        x = given_back(model, x)
        x -= model.min_
        x /= model.scale_
        return x


class MaxAbsScaler(Scaler):
    """``X / scale_``, clipped to -1 and 1 where `clip` is set (it came with scikit-learn 1.8)."""

    @method
    def transform(self, model: Any, x: Any) -> Any:
        if x.sparse:
            x = _divided(x, model.scale_)
        else:
            x /= model.scale_
        return np.clip(x, -1, 1) if getattr(model, "clip", False) else x

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Any:
        x = given_back(model, x)
        x *= model.scale_
        return x


class RobustScaler(Scaler):
    """``(X - center_) / scale_``."""

    @method
    def transform(self, model: Any, x: Any) -> Any:
        sparse = x.sparse
        if model.with_centering:
            x -= fitted(model, "center_", "with_centering")
        if model.with_scaling:
            scale = fitted(model, "scale_", "with_scaling")
            if sparse:
                return _divided(x, scale)
            x /= scale
        return x

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Any:
        x = given_back(model, x)
        sparse = x.sparse
        if model.with_scaling:
            x *= fitted(model, "scale_", "with_scaling")
        if model.with_centering and not sparse:
            x += fitted(model, "center_", "with_centering")
        return x


class Normalizer(Scaler):
    """Rows divided by their norm; a row of (nearly) zeros stays as it is."""

    ensure_all_finite = True

    @method
    def transform(self, model: Any, x: Any) -> Any:
        if model.norm == "l1":
            norms: Any = ops.reduce("ReduceL1", x)
        elif model.norm == "max":
            norms = np.max(np.abs(x), axis=1, keepdims=True)
        else:
            # The squares may overflow, as they do in the source: no scaled two-norm here.
            norms = np.sqrt(ops.reduce("ReduceSumSquare", x))
        if x.sparse:
            return x / np.where(norms == 0, 1, norms)
        return x / np.where(norms < float(10 * np.finfo(x.numbers).eps), 1, norms)


def _divided(x: Any, scale: np.ndarray) -> Any:
    """Divide as `inplace_column_scale` does to a sparse matrix: by multiplying with 1 / scale."""
    x *= 1.0 / scale
    return x


class PolynomialFeatures(Estimator):
    """Products of columns, each made from the one of a degree less."""

    dtype = "float"

    @method
    def transform(self, model: Any, x: Any) -> Any:
        choose: Any = itertools.combinations
        if not model.interaction_only:
            choose = itertools.combinations_with_replacement
        # A dense product begins with its last factor, one of a sparse matrix with its first.
        one, others = (-1, slice(-1)) if x.sparse else (0, slice(1, None))
        parts = [np.ones_like(x[:, :1])] if model.include_bias else []
        products, below = x, [*choose(range(x.width), 1)]
        for degree in range(1, model._max_degree + 1):
            terms = [*choose(range(x.width), degree)]
            if degree > 1 and terms:
                places = {term: i for i, term in enumerate(below)}
                factors = products[:, [places[t[others]] for t in terms]]
                products, below = factors * x[:, [t[one] for t in terms]], terms
            if degree >= model._min_degree and terms:
                parts.append(products)
        if not parts:
            raise UnsupportedModelError(
                "PolynomialFeatures makes no column of these: no product has as many different "
                "columns as its degree; fit it with a lower degree, or interaction_only=False"
            )
        return ops.concat(parts)


class OneHotEncoder(Encoder):
    """One column of 0 and 1 for each category (or group of infrequent ones).

    The numbers of the categories are grouped; -1 stands for all zeros, or is refused.
    """

    @method
    def transform(self, model: Any, x: Table) -> Wire | Table:
        to_infrequent = model.handle_unknown in ("infrequent_if_exist", "warn")
        codes, source, group = [], [], []
        for i in range(x.width):
            dropped = self._dropped_group(model, i)
            numbers = categories.groups(model, i)
            unknown = categories.infrequent_group(model, i) if to_infrequent else None
            codes.append(Codes(numbers, -1 if unknown is None else unknown))
            kept = [g for g in range(int(numbers.max()) + 1) if g != dropped]
            source += [i] * len(kept)
            group += kept
        found = categories.encode(model, x, codes, refuse_unknown=model.handle_unknown == "error")
        if not group:
            return Table(x.builder, ())
        hot = held_as(found[:, source] == np.array(group), np.dtype(model.dtype))
        return replace(hot, sparse="csr" if model.sparse_output else None)

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Wire:
        return decoding.hot_categories(model, x)

    @staticmethod
    def _dropped_group(model: Any, column: int) -> int | None:
        """Return the group that `drop` leaves out; None where it leaves none out."""
        if model.drop_idx_ is None or model.drop_idx_[column] is None:
            return None
        return int(categories.groups(model, column)[model.drop_idx_[column]])


class OrdinalEncoder(Encoder):
    """Each category becomes its number.

    A number that no category has stands for a code that int64 cannot hold (NaN) or that would be
    taken for an unknown category (a negative one).
    """

    @method
    def transform(self, model: Any, x: Table) -> Wire:
        dtype = np.dtype(model.dtype)
        refuse = model.handle_unknown == "error"
        # What stands for a missing category, and for an unknown one, in the encoder's own dtype.
        missing = _as(model.encoded_missing_value, dtype) if model._missing_indices else 0.0
        unknown = -1.0 if refuse else _as(model.unknown_value, dtype)
        largest = max(int(categories.groups(model, i).max()) for i in range(x.width))
        if dtype.kind in "iu" and largest > np.iinfo(dtype).max:
            raise UnsupportedModelError(
                f"OrdinalEncoder(dtype={dtype}) has {largest + 1} categories in a column, more "
                "than the dtype holds; fit it with a wider dtype"
            )
        special = 1 + max(largest, *(int(v) for v in (missing, unknown) if np.isfinite(v)), 0)

        def stored(value: float, *, negative: bool) -> int:
            held = np.isfinite(value) and (negative or value >= 0)
            return int(value) if held else special

        codes = []
        for i in range(x.width):
            numbers = categories.groups(model, i).astype(dtype).astype(np.int64)
            if i in model._missing_indices:
                numbers[model._missing_indices[i]] = stored(missing, negative=not refuse)
            codes.append(Codes(numbers, -1 if refuse else stored(unknown, negative=True)))
        found = categories.encode(model, x, codes, refuse_unknown=refuse)
        out = held_as(found, dtype)
        if any(special in (c.default, *c.values.tolist()) for c in codes):
            meaning = missing if refuse else np.nan
            out = held_as(x.builder.where(found == special, np.full(1, meaning), out), dtype)
        return out

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Wire:
        return decoding.ordinal_categories(model, x)


def _as(value: Any, dtype: np.dtype[Any]) -> float:
    return float(np.array(value).astype(dtype))


class MultiLabelBinarizer(Stripper):
    """One column a class, 1 where a row's list holds it; what is unknown is left out."""

    def check(self, model: Any) -> None:
        if not all(isinstance(label, str) for label in model.classes_.tolist()):
            raise UnsupportedModelError(
                "MultiLabelBinarizer was fitted on labels that are not text, and programs take "
                "lists of text; fit it on their names"
            )

    def beside(self, model: Any) -> Input:
        return Input(NAME, "list", "text")

    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        names = np.array(model.classes_.tolist(), dtype=object)
        found = x.builder.node("sclbl.FindNames", [x], names=names)
        once = x.builder.node("sclbl.SumDuplicates", [found], distinct=1)
        return once if model.sparse_output else x.builder.dense(once)


class KernelCenterer(Estimator):
    """A kernel's values less the means of rows and columns, as of the training rows."""

    dtype = "float"

    @method
    def transform(self, model: Any, x: Any) -> Any:
        means = np.sum(x, axis=1, keepdims=True) / model.K_fit_rows_.shape[0]
        x -= model.K_fit_rows_
        x -= means
        x += model.K_fit_all_
        return x


CLASSES = {
    "Binarizer": Binarizer(),
    "FunctionTransformer": FunctionTransformer(),
    "KBinsDiscretizer": KBinsDiscretizer(),
    "KernelCenterer": KernelCenterer(),
    "MaxAbsScaler": MaxAbsScaler(),
    "MinMaxScaler": MinMaxScaler(),
    "MultiLabelBinarizer": MultiLabelBinarizer(),
    "Normalizer": Normalizer(),
    "OneHotEncoder": OneHotEncoder(),
    "OrdinalEncoder": OrdinalEncoder(),
    "PolynomialFeatures": PolynomialFeatures(),
    "PowerTransformer": PowerTransformer(),
    "QuantileTransformer": QuantileTransformer(),
    "RobustScaler": RobustScaler(),
    "SplineTransformer": SplineTransformer(),
    "StandardScaler": StandardScaler(),
    "TargetEncoder": TargetEncoder(),
}
