"""XGBClassifier, XGBRegressor, their random-forest forms, and a bare Booster.

XGBoost casts X to float32, treats NaN, the `missing` number and what a sparse matrix does not store
(its zeros) as missing, sends a row left where ``x < threshold``, and adds leaves to the base margin
in float32, tree after tree. An infinity is an ordinary number where the source predicts in place
(`predict`, `predict_proba`); it is refused where the source builds a DMatrix (`apply`, and
everything of a bare Booster).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sclbl.errors import (
    InputError,
    NotFittedError,
    UnknownCategoryError,
    UnsupportedModelError,
)
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import xgboost_model
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder

#: Codes from here on are no categories to XGBoost: float32 cannot tell their neighbours apart.
_CATEGORIES = 2**24


def _exp(build: Builder, x: Wire) -> Wire:
    """Return what the C library's ``expf`` makes of float32 margins."""
    return build.unary("sclbl.LibmExp", x)


def _sigmoid(build: Builder, x: Wire) -> Wire:
    """Return ``1 / (exp(min(-x, 88.7)) + 1)``, each step in float32 (`common/math.h`)."""
    capped = build.binary("Min", build.unary("Neg", x), 88.7)
    return build.unary("Reciprocal", build.add(_exp(build, capped), 1.0))


def _softmax(build: Builder, x: Wire) -> Wire:
    """Return softmax with the sum in float64, rounded before it divides (`common/math.h`)."""
    powers = _exp(build, build.sub(x, build.reduce("ReduceMax", x)))
    total = build.reduce("ReduceSum", build.cast(powers, "float64"))
    return build.div(powers, build.cast(total, "float32"))


def _same(build: Builder, x: Wire) -> Wire:
    return x


def _step(build: Builder, x: Wire) -> Wire:
    return build.cast(build.binary("Greater", x, 0.0), "float32")


def _largest(build: Builder, x: Wire) -> Wire:
    return build.cast(build.argmax(x), "float32")


#: What each objective makes of a margin (`ObjFunction::PredTransform`).
TRANSFORMS: dict[str, Callable[[Builder, Wire], Wire]] = {
    "binary:hinge": _step,
    "binary:logistic": _sigmoid,
    "binary:logitraw": _same,
    "count:poisson": _exp,
    "multi:softmax": _largest,
    "multi:softprob": _softmax,
    "reg:absoluteerror": _same,
    "reg:gamma": _exp,
    "reg:linear": _same,
    "reg:logistic": _sigmoid,
    "reg:pseudohubererror": _same,
    "reg:quantileerror": _same,
    "reg:squarederror": _same,
    "reg:squaredlogerror": _same,
    "reg:tweedie": _exp,
    "survival:aft": _exp,
    "survival:cox": _exp,
}


def _check(model: Any, booster: Any) -> None:
    """Refuse a booster that is no sum of trees, or whose objective is not in `TRANSFORMS`."""
    name = type(model).__name__
    if not _is_trained(booster):
        raise NotFittedError(
            f"{name} holds no model: train it with xgboost.train, or load one into it"
        )
    learner = json.loads(booster.save_config())["learner"]
    kind, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if kind not in ("gbtree", "dart"):
        raise UnsupportedModelError(
            f"{name} has booster={kind!r}, which is not a sum of trees; "
            "fit it with booster='gbtree', or use a linear model of scikit-learn"
        )
    if objective not in TRANSFORMS:
        raise UnsupportedModelError(
            f"{name} has objective {objective!r}, which has no exact equivalent; "
            f"the supported objectives are {', '.join(TRANSFORMS)}"
        )


def _is_trained(booster: Any) -> bool:
    from xgboost.core import XGBoostError

    try:
        return int(booster.num_features()) > 0
    except XGBoostError:
        return False


def _encoded(model: Any, column: Table, categories: list[str] | list[int], build: Builder) -> Wire:
    """Return the codes of one column's categories; an unknown one is refused."""
    values: Wire
    keys: list[Any]
    if isinstance(categories[0], str):
        odd = [name for name in categories if not str(name).isascii()]
        if odd:
            # Of pandas' categories XGBoost keeps as many bytes of UTF-8 as there are characters.
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted on {len(odd)} text categories beyond ASCII in "
                f"column {column.names[0]!r}, whose names XGBoost stores cut short and mixes up "
                "itself; rename the categories to ASCII text and fit it again"
            )
        # pandas keeps None, NaN and NA of categories as one.
        values, keys = column.text(model=model), [*categories, *MISSING_TEXTS.values()]
    else:
        values = column.matrix("float64", model=model)
        keys = [*map(float, categories), float("nan")]
    numbers = [min(i, len(categories)) for i in range(len(keys))]
    found = build.refuse_unknown(build.lookup(values, keys, values=numbers))
    codes = build.cast(found, "float32")
    return build.where(build.binary("Equal", codes, float(len(categories))), float("nan"), codes)


def _matrix(
    model: Any,
    read: xgboost_model.Model,
    x: Table,
    build: Builder,
    missing: float,
    *,
    finite: bool = False,
) -> Wire:
    """Return X in float32 with NaN for what is missing and codes for categories.

    With `finite`, infinity is refused.
    """
    name = type(model).__name__
    # An array holds codes already; the names of a table's columns say that it holds categories.
    named = build.signature.layout == "table" or x.has_text
    encoded = [i for i, c in enumerate(read.categories) if c is not None and named]
    if encoded and not np.isnan(missing):
        raise UnsupportedModelError(
            f"{name}(missing={missing}) compares the codes of categories with that number, and "
            "codes depend on each DataFrame; fit it with missing=numpy.nan"
        )
    parts: list[Wire] = []
    begin = 0
    for column in [*encoded, x.width]:
        if column > begin:
            parts.append(_numbers(model, x.select(range(begin, column)), build))
        if column < x.width:
            categories = read.categories[column]
            parts.append(_encoded(model, x.select([column]), categories or [], build))
        begin = column + 1
    matrix = build.concat(parts)
    if not np.isnan(missing):
        matrix = build.where(build.binary("Equal", matrix, missing), float("nan"), matrix)
    if finite:
        matrix = build.refuse(matrix, nan=False, inf=True)
    raw = [c for c in xgboost_model.tests_categories(read).tolist() if c not in encoded]
    return _capped(matrix, raw, build) if raw else matrix


def _numbers(model: Any, x: Table, build: Builder) -> Wire:
    """Return columns in float32; of a sparse matrix without its zeros, which are not stored."""
    if x.sparse is None:
        return x.matrix("float32", model=model)
    stored = x.matrix("float64", model=model)
    stored = build.where(build.binary("Equal", stored, 0.0), float("nan"), stored)
    return build.cast(stored, "float32")


def _capped(x: Wire, columns: list[int], build: Builder) -> Wire:
    """Move codes that are no categories past every bitset, where they go with the unlisted ones."""
    low = np.full(x.width, -np.inf, dtype=np.float32)
    high = np.full(x.width, np.inf, dtype=np.float32)
    low[columns], high[columns] = 0, _CATEGORIES - 1
    outside = build.binary("Or", build.binary("Less", x, low), build.binary("Greater", x, high))
    return build.where(outside, float(_CATEGORIES), x)


def _missing(model: Any) -> float:
    number = getattr(model, "missing", None)
    return float("nan") if number is None else float(np.float32(number))


class _Boosting:
    """What all that XGBoost makes has in common."""

    def refuses_more(self, model: Any) -> tuple[type[InputError], ...]:
        """Return the error for a category that was not in training.

        XGBoost looks it up among the sorted ones and refuses it only where it comes after the last;
        elsewhere it predicts with the next category, which is another one.
        """
        return (UnknownCategoryError,)


class _Estimator(_Boosting):
    """Strips an XGBoost estimator: what its scikit-learn interface predicts."""

    def optional(self, model: Any) -> tuple[str, ...]:
        return ("apply",) if model.get_booster().num_boosted_rounds() else ()

    def call(self, model: Any, method: str, rows: Any) -> Any:
        """Return what the model returns; ``predict_margin`` is predict with output_margin."""
        if method == "predict_margin":
            return model.predict(rows, output_margin=True)
        return getattr(model, method)(rows)

    def _start(self, model: Any, x: Table, build: Builder) -> tuple[xgboost_model.Model, Wire]:
        read = xgboost_model.read(model.get_booster(), best=True)
        missing = _missing(model)
        # Of columns stored one after the other a DMatrix is made, as in `_apply`.
        finite = x.sparse == "csc" and not np.isinf(missing)
        return read, _matrix(model, read, x, build, missing, finite=finite)

    def _apply(self, model: Any, read: xgboost_model.Model, x: Table, build: Builder) -> Wire:
        # A DMatrix is made here, which refuses infinity unless it stands for missing.
        missing = _missing(model)
        rows = _matrix(model, read, x, build, missing, finite=not np.isinf(missing))
        leaves = build.tree_leaves(rows, xgboost_model.leaf_numbers(read))
        return build.cast(leaves, "float32")


class _Regressor(_Estimator):
    def methods(self, model: Any) -> tuple[str, ...]:
        _check(model, model.get_booster())
        return ("predict", "predict_margin")

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        read, rows = self._start(model, x, build)
        written: dict[str, Wire] = {}
        if methods & {"predict", "predict_margin"}:
            margin = build.trees(rows, xgboost_model.ensemble(read, in_place=True))
            if "predict_margin" in methods:
                written["predict_margin"] = margin
            if "predict" in methods:
                written["predict"] = TRANSFORMS[read.objective](build, margin)
        if "apply" in methods:
            written["apply"] = self._apply(model, read, x, build)
        return written


class _Classifier(_Estimator):
    def methods(self, model: Any) -> tuple[str, ...]:
        _check(model, model.get_booster())
        return ("predict", "predict_proba", "predict_margin")

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        read, rows = self._start(model, x, build)
        written: dict[str, Wire] = {}
        if methods & {"predict", "predict_proba", "predict_margin"}:
            margin = build.trees(rows, xgboost_model.ensemble(read, in_place=True))
            if "predict_margin" in methods:
                written["predict_margin"] = margin
            value = TRANSFORMS[read.objective](build, margin)
            if "predict" in methods:
                written["predict"] = self._labels(model, value, build)
            if "predict_proba" in methods:
                written["predict_proba"] = self._chances(model, margin, value, build)
        if "apply" in methods:
            written["apply"] = self._apply(model, read, x, build)
        return written

    def _labels(self, model: Any, value: Wire, build: Builder) -> Wire:
        """Return what `XGBClassifier.predict` makes of the booster's prediction."""
        classes = int(model.n_classes_)
        if value.width > 1 and classes != 2:
            return build.labels(build.argmax(value), [range(classes)])
        above = build.binary("Greater", value, 0.5)
        if value.width > 1:
            # Several labels a row: XGBoost returns float64 zeros and ones.
            return build.cast(above, "float64")
        if model.objective == "multi:softmax":
            return build.labels(build.cast(value, "int64"), [range(classes)])
        return build.labels(build.cast(above, "int64"), [range(2)])

    def _chances(self, model: Any, margin: Wire, value: Wire, build: Builder) -> Wire:
        if model.objective == "multi:softmax":
            return build.softmax(margin)
        if value.width > 1:
            return value
        return build.concat([build.sub(1.0, value), value])


class _Booster(_Boosting):
    """Strips a bare Booster: what ``predict(DMatrix(rows))`` returns, with all its rounds."""

    def methods(self, model: Any) -> tuple[str, ...]:
        _check(model, model)
        return ("predict", "predict_margin")

    def names(self, model: Any) -> tuple[str, ...] | None:
        """Return the features' names."""
        return None if model.feature_names is None else tuple(model.feature_names)

    def call(self, model: Any, method: str, rows: Any) -> Any:
        """Return what the booster predicts for rows put into a DMatrix."""
        import xgboost

        own = {}
        if not hasattr(rows, "columns"):
            own = {"feature_names": model.feature_names, "feature_types": model.feature_types}
        matrix = xgboost.DMatrix(rows, enable_categorical=True, **own)
        return model.predict(matrix, output_margin=method == "predict_margin")

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        read = xgboost_model.read(model, best=False)
        rows = _matrix(model, read, x, build, float("nan"), finite=True)
        margin = build.trees(rows, xgboost_model.ensemble(read, in_place=False))
        written: dict[str, Wire] = {}
        if "predict_margin" in methods:
            written["predict_margin"] = margin
        if "predict" in methods:
            written["predict"] = TRANSFORMS[read.objective](build, margin)
        return written


CLASSIFIER = _Classifier()
REGRESSOR = _Regressor()
BOOSTER = _Booster()
