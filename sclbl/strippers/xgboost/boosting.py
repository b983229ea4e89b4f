"""What XGBoost computes: what its estimators and a bare Booster share.

XGBoost casts X to float32, treats NaN, the `missing` number and what a sparse matrix does not store
(its zeros) as missing, sends a row left where ``x < threshold``, and adds leaves to the base margin
in float32, tree after tree. An infinity is an ordinary number where the source predicts in place
(`predict`, `predict_proba`); it is refused where the source builds a DMatrix (`apply`, and
everything of a bare Booster).
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import numpy as np

from sclbl.errors import NotFittedError, UnknownCategoryError, UnsupportedModelError
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.xgboost import contributions, linear, objectives, saved

#: Codes from here on are no categories to XGBoost: float32 cannot tell their neighbours apart.
_CATEGORIES = 2**24


def check(model: Any, booster: Any) -> None:
    """Refuse a booster that is not trained, or whose kind or objective is not known."""
    name = type(model).__name__
    if not _is_trained(booster):
        raise NotFittedError(
            f"{name} holds no model: train it with xgboost.train, or load one into it"
        )
    learner = json.loads(booster.save_config())["learner"]
    kind = learner["gradient_booster"]["name"]
    if kind not in ("gbtree", "dart", "gblinear"):
        raise UnsupportedModelError(
            f"{name} has booster={kind!r}, which sclbl does not know; "
            "fit it with booster='gbtree', 'dart' or 'gblinear'"
        )
    objectives.check(name, learner["objective"]["name"])


def kind_of(booster: Any) -> str:
    """Return gbtree, dart or gblinear."""
    return str(json.loads(booster.save_config())["learner"]["gradient_booster"]["name"])


def lacks(booster: Any) -> tuple[str, ...]:
    """Return the methods that a booster of this kind, or of no rounds, has nothing to answer by."""
    if not booster.num_boosted_rounds():
        return ("apply", "pred_contribs", "pred_leaf")
    return ("apply", "pred_leaf") if kind_of(booster) == "gblinear" else ()


def _is_trained(booster: Any) -> bool:
    from xgboost.core import XGBoostError

    try:
        return int(booster.num_features()) > 0
    except XGBoostError:
        return False


def _encoded(model: Any, column: Table, categories: list[str] | list[int]) -> Any:
    """Return the codes of one column's categories; an unknown one is refused."""
    build = column.builder
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
    codes = found.astype(np.float32)
    return np.where(codes == len(categories), np.nan, codes)


def matrix(model: Any, read: saved.Model, x: Table, missing: float, *, finite: bool = False) -> Any:
    """Return X in float32 with NaN for what is missing and codes for categories.

    With `finite`, infinity is refused.
    """
    name = type(model).__name__
    # An array holds codes already; the names of a table's columns say that it holds categories.
    named = x.builder.signature.layout == "table" or x.has_text
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
            parts.append(_numbers(model, x.select(range(begin, column))))
        if column < x.width:
            parts.append(_encoded(model, x.select([column]), read.categories[column] or []))
        begin = column + 1
    made = _without(ops.concat(parts), missing, finite)
    raw = [c for c in saved.tests_categories(read).tolist() if c not in encoded]
    return _capped(made, raw) if raw else made


def _without(x: Any, missing: float, finite: bool) -> Any:
    """Put NaN for what is missing; with `finite`, refuse infinity."""
    if not np.isnan(missing):
        x = np.where(x == missing, np.nan, x)
    return ops.refuse(x, nan=False) if finite else x


def _numbers(model: Any, x: Table) -> Any:
    """Return columns in float32; of a sparse matrix without its zeros, which are not stored."""
    if x.sparse is None:
        return x.matrix("float32", model=model)
    if any(given.ragged for given in x.builder.signature.inputs):
        raise UnsupportedModelError(
            f"{type(model).__name__} takes what sparse rows leave out for missing and their zeros "
            "for numbers, which dense rows inside a program do not tell apart; fit it on dense "
            "rows, with NaN for what is missing"
        )
    stored: Any = x.matrix("float64", model=model)
    return np.where(stored == 0, np.nan, stored).astype(np.float32)


def _capped(x: Any, columns: list[int]) -> Any:
    """Move codes that are no categories past every bitset, where they go with the unlisted ones."""
    low = np.full(x.width, -np.inf, dtype=np.float32)
    high = np.full(x.width, np.inf, dtype=np.float32)
    low[columns], high[columns] = 0, _CATEGORIES - 1
    return np.where((x < low) | (x > high), float(_CATEGORIES), x)


def missing_number(model: Any) -> float:
    """Return the number that stands for a missing one."""
    number = getattr(model, "missing", None)
    return float("nan") if number is None else float(np.float32(number))


class Boosting(Stripper):
    """A margin, the sum of the trees' leaves, and what the objective makes of it."""

    # XGBoost looks up a category that was not in training among the sorted ones and refuses it only
    # where it comes after the last; elsewhere it predicts with the next one, which is another.
    refuses_more = (UnknownCategoryError,)
    instead = MappingProxyType(
        {
            "approx_contribs": "pred_contribs gives them exactly",
            "pred_interactions": "ask XGBoost itself for interactions, or a program for "
            "pred_contribs, which adds them up by column",
        }
    )
    takes_sparse = True
    #: Whether the source predicts in place, with the rounds up to the best one.
    in_place = True

    def booster(self, model: Any) -> Any:
        """Return the booster of a model."""
        return model.get_booster()

    def check(self, model: Any) -> None:
        check(model, self.booster(model))

    def rows(self, model: Any, x: Any) -> Any:
        if isinstance(x, Table):
            return x
        if kind_of(self.booster(model)) == "gblinear":
            raise UnsupportedModelError(
                f"{type(model).__name__} is a linear booster and example_input a sparse matrix, of "
                "which it adds what stands twice in one place twice; give dense rows, with NaN for "
                "what is missing"
            )
        return x.builder.wire_table(x.builder.dense_or_missing(x))

    @once
    def read(self, model: Any, x: Table) -> saved.Model:
        return saved.read(self.booster(model), best=self.in_place)

    @once
    def linear(self, model: Any, x: Table) -> linear.Linear | None:
        booster = self.booster(model)
        return linear.read(booster) if kind_of(booster) == "gblinear" else None

    @once
    def margin(self, model: Any, x: Table) -> Wire:
        missing = missing_number(model)
        coefficients = self.linear(model, x)
        if coefficients is not None:
            # A DMatrix is made here, which refuses infinity unless it stands for missing.
            rows = _without(_numbers(model, x), missing, not np.isinf(missing))
            return linear.margins(coefficients, rows)
        read = self.read(model, x)
        # Of columns stored one after the other a DMatrix is made, as for leaves.
        finite = not self.in_place or (x.sparse == "csc" and not np.isinf(missing))
        rows = matrix(model, read, x, missing, finite=finite)
        return ops.trees(rows, saved.ensemble(read, in_place=self.in_place))

    @once
    def value(self, model: Any, x: Table) -> Any:
        read = self.linear(model, x) or self.read(model, x)
        return objectives.transform(read.objective, read.release, self.margin(model, x))

    @method
    def predict(self, model: Any, x: Table) -> Any:
        return self.value(model, x)

    @method(ask="predict", output_margin=True)
    def predict_margin(self, model: Any, x: Table) -> Wire:
        return self.margin(model, x)

    def call(self, model: Any, method: str, rows: Any, **parameters: Any) -> Any:
        if method != "pred_contribs":
            return super().call(model, method, rows, **parameters)
        # The scikit-learn interface has no such method; its booster is asked with its own options.
        return self.asked(model, rows, pred_contribs=True)

    def asked(self, model: Any, rows: Any, **options: Any) -> Any:
        """Return what the booster predicts for rows in a DMatrix, with the model's own rounds."""
        import xgboost

        data = xgboost.DMatrix(
            rows,
            missing=missing_number(model),
            enable_categorical=True,
            feature_types=None if hasattr(rows, "columns") else model.feature_types,
        )
        rounds = model._get_iteration_range(None)
        return model.get_booster().predict(data, iteration_range=rounds, **options)

    @method(on_request=True, ask="predict")
    def pred_contribs(self, model: Any, x: Table) -> Wire:
        missing = missing_number(model)
        coefficients = self.linear(model, x)
        finite = not np.isinf(missing)
        if coefficients is not None:
            return linear.contributions(coefficients, _without(_numbers(model, x), missing, finite))
        read = self.read(model, x)
        rows = matrix(model, read, x, missing, finite=finite)
        return contributions.write(type(model).__name__, read, rows)
