"""sklearn.preprocessing."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import preprocessing as pp
from sklearn.pipeline import make_pipeline

from tests.conformance.domains import (
    CODES,
    HOLES,
    MISSING_CODES,
    MISSING_TEXTS,
    NARROW,
    SCORE,
    TEXTS,
    TRUTHS_ALONE,
    WORDS,
)
from tests.conformance.ragged import RaggedSubject
from tests.conformance.ragged_rows import lists
from tests.conformance.subject import Subject, fitted

_IGNORE: dict[str, Any] = {"handle_unknown": "ignore"}
_CODED: dict[str, Any] = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
_CODED["encoded_missing_value"] = -2
_FUNCTIONS = (
    np.abs, np.exp, np.expm1, np.floor, np.log, np.log1p, np.negative, np.sign, np.sqrt, np.tanh,
)  # fmt: skip


def _written(x: Any) -> Any:
    """Write into an array, through views of it."""
    x = x.copy()
    x[x < -1] = -1
    first = x[:, 0]
    first *= 2
    x[:, [0]] += x[:, :1] > 1
    return np.column_stack([x, np.round(x.mean(axis=1), 2)])


def _centerer(rows: Any) -> Any:
    """Fit as if rows were kernels between as many points as they have columns."""
    return pp.KernelCenterer().fit(np.asarray(rows)[: len(np.asarray(rows)[0])])


SUBJECTS = (
    # ---------------------------------------------------------------------- scalers
    Subject("StandardScaler", fitted(pp.StandardScaler()), HOLES),
    Subject("StandardScaler, no mean", fitted(pp.StandardScaler(with_mean=False))),
    Subject("StandardScaler, no deviation", fitted(pp.StandardScaler(with_std=False))),
    Subject("StandardScaler, neither",
            fitted(pp.StandardScaler(with_mean=False, with_std=False))),
    Subject("MinMaxScaler", fitted(pp.MinMaxScaler()), HOLES),
    Subject("MinMaxScaler, range", fitted(pp.MinMaxScaler((-3, 0.1)))),
    Subject("MinMaxScaler, clipped", fitted(pp.MinMaxScaler(clip=True))),
    Subject("MinMaxScaler, range, clipped",
            fitted(pp.MinMaxScaler((-0.3, 0.7), clip=True)), HOLES),
    Subject("MaxAbsScaler", fitted(pp.MaxAbsScaler()), HOLES),
    Subject("MaxAbsScaler, clipped", fitted(pp.MaxAbsScaler(clip=True))),
    Subject("RobustScaler", fitted(pp.RobustScaler()), HOLES),
    Subject("RobustScaler, no center", fitted(pp.RobustScaler(with_centering=False))),
    Subject("RobustScaler, no scale", fitted(pp.RobustScaler(with_scaling=False))),
    Subject("RobustScaler, neither",
            fitted(pp.RobustScaler(with_centering=False, with_scaling=False))),
    Subject("RobustScaler, unit variance",
            fitted(pp.RobustScaler(quantile_range=(5, 80), unit_variance=True))),
    Subject("Normalizer, l1", fitted(pp.Normalizer("l1"))),
    Subject("Normalizer, l2", fitted(pp.Normalizer("l2"))),
    Subject("Normalizer, max", fitted(pp.Normalizer("max"))),
    # --------------------------------------------------------------------- encoders
    Subject("OneHotEncoder, numbers", fitted(pp.OneHotEncoder()), CODES),
    Subject("OneHotEncoder, missing", fitted(pp.OneHotEncoder()), MISSING_CODES),
    Subject("OneHotEncoder, numbers, ignore", fitted(pp.OneHotEncoder(**_IGNORE)), CODES),
    Subject("OneHotEncoder, numbers, infrequent", fitted(pp.OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=3)), CODES),
    Subject("OneHotEncoder, text", fitted(pp.OneHotEncoder()), TEXTS),
    Subject("OneHotEncoder, missing text", fitted(pp.OneHotEncoder()), MISSING_TEXTS),
    Subject("OneHotEncoder, text, ignore", fitted(pp.OneHotEncoder(**_IGNORE)), TEXTS),
    Subject("OneHotEncoder, text, drop", fitted(pp.OneHotEncoder(drop="first")), TEXTS),
    Subject("OneHotEncoder, text, infrequent", fitted(pp.OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=20)), TEXTS),
    Subject("OrdinalEncoder, numbers", fitted(pp.OrdinalEncoder()), CODES),
    Subject("OrdinalEncoder, missing",
            fitted(pp.OrdinalEncoder(encoded_missing_value=-1)), MISSING_CODES),
    Subject("OrdinalEncoder, numbers, coded", fitted(pp.OrdinalEncoder(**_CODED)), CODES),
    Subject("OrdinalEncoder, text", fitted(pp.OrdinalEncoder()), TEXTS),
    Subject("OrdinalEncoder, text, coded",
            fitted(pp.OrdinalEncoder(**_CODED)), MISSING_TEXTS),
    Subject("OrdinalEncoder, text, infrequent",
            fitted(pp.OrdinalEncoder(max_categories=3)), TEXTS),
    # ------------------------------------------------------------------ polynomials
    Subject("PolynomialFeatures", fitted(pp.PolynomialFeatures())),
    Subject("PolynomialFeatures, interactions",
            fitted(pp.PolynomialFeatures(3, interaction_only=True, include_bias=False))),
    Subject("PolynomialFeatures, 2 to 3", fitted(pp.PolynomialFeatures((2, 3)))),
    # --------------------------------------------------------------- bins and curves
    Subject("Binarizer", fitted(pp.Binarizer(threshold=0.1))),
    Subject("KBinsDiscretizer", fitted(pp.KBinsDiscretizer(4, quantile_method="linear"))),
    Subject("KBinsDiscretizer, ordinal", fitted(pp.KBinsDiscretizer(
            3, encode="ordinal", strategy="uniform"))),
    Subject("PowerTransformer", fitted(pp.PowerTransformer(standardize=False)), HOLES),
    Subject("QuantileTransformer", fitted(pp.QuantileTransformer(n_quantiles=30)), HOLES),
    Subject("QuantileTransformer, normal", fitted(pp.QuantileTransformer(
            n_quantiles=200, output_distribution="normal"))),
    Subject("SplineTransformer", fitted(pp.SplineTransformer())),
    Subject("SplineTransformer, linear", fitted(pp.SplineTransformer(
            degree=2, knots="quantile", extrapolation="linear", include_bias=False))),
    Subject("SplineTransformer, periodic",
            fitted(pp.SplineTransformer(n_knots=6, extrapolation="periodic"))),
    Subject("TargetEncoder", fitted(pp.TargetEncoder(target_type="continuous"), SCORE),
            MISSING_TEXTS),
    Subject("TargetEncoder, 3", fitted(pp.TargetEncoder(), WORDS), CODES),
    Subject("KernelCenterer", _centerer),
    # -------------------------------------------------------------------- backwards
    *(Subject(f"{name}, backwards", fitted(model), HOLES, methods=("inverse_transform",))
      for name, model in (
          ("StandardScaler", pp.StandardScaler()),
          ("MinMaxScaler", pp.MinMaxScaler((-1, 2), clip=True)),
          ("MaxAbsScaler", pp.MaxAbsScaler()),
          ("RobustScaler", pp.RobustScaler()),
          ("PowerTransformer", pp.PowerTransformer()),
          ("QuantileTransformer", pp.QuantileTransformer(
              n_quantiles=30, output_distribution="normal")),
          ("Pipeline", make_pipeline(pp.RobustScaler(), pp.QuantileTransformer(n_quantiles=9))),
      )),
    # -------------------------------------------------------------------- functions
    Subject("FunctionTransformer, of Python", fitted(pp.FunctionTransformer(
            lambda x: np.sqrt(np.abs(np.where(x > 0, x, x / 3))), validate=True))),
    Subject("FunctionTransformer", fitted(pp.FunctionTransformer())),
    Subject("FunctionTransformer, squares of integers",
            fitted(pp.FunctionTransformer(np.square)), NARROW),
    Subject("FunctionTransformer, remainders", fitted(pp.FunctionTransformer(
            lambda x: x // 3 - x * x % 7)), NARROW),
    Subject("FunctionTransformer, roots of integers", fitted(pp.FunctionTransformer(
            lambda x: np.sqrt(np.abs(x)) * 3)), NARROW),
    Subject("FunctionTransformer, sums of an array", fitted(pp.FunctionTransformer(
            lambda x: np.sum(x * 7, axis=1, keepdims=True), validate=True)), NARROW),
    Subject("FunctionTransformer, written into",
            fitted(pp.FunctionTransformer(_written, validate=True))),
    Subject("FunctionTransformer, truths", fitted(pp.FunctionTransformer(
            lambda x: x + x)), TRUTHS_ALONE),
    Subject("FunctionTransformer, scaled integers", fitted(make_pipeline(
            pp.FunctionTransformer(lambda x: x * 5), pp.StandardScaler())), NARROW),
    *(Subject(f"FunctionTransformer, {f.__name__}",
              fitted(pp.FunctionTransformer(f, validate=True))) for f in _FUNCTIONS),
)  # fmt: skip
RAGGED = (
    RaggedSubject("MultiLabelBinarizer", lambda y: pp.MultiLabelBinarizer().fit(y), lists),
    RaggedSubject("MultiLabelBinarizer, sparse",
                  lambda y: pp.MultiLabelBinarizer(sparse_output=True).fit(y), lists),
)  # fmt: skip
