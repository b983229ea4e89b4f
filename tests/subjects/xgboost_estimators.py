"""xgboost: estimators with scikit-learn's interface, and boosters."""

from __future__ import annotations

from typing import Any

import numpy as np
import xgboost as xgb
from sklearn.base import clone

from tests.conformance.domains import (
    ASCII_CATEGORIES,
    COUNTS,
    HOLES,
    LABELS,
    NUMBERS_AND_CODES,
    NUMERIC,
    POSITIVE,
    SCORE,
    SCORES,
    SHARES,
    THREE,
    TWELVE,
    TWO,
    Domain,
)
from tests.conformance.subject import Make, Subject, boosted, fitted

_BASE: dict[str, Any] = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1, "random_state": 0}
#: Made where warnings are off: newer releases tell that these classes will go.
_FOREST: dict[str, Any] = {**_BASE, "n_estimators": 6}
_STOP: dict[str, Any] = {"n_estimators": 80, "early_stopping_rounds": 3, "learning_rate": 0.8}
_ARRAYS = Domain(
    NUMBERS_AND_CODES.columns, NUMBERS_AND_CODES.frame, ("float64", "float32"),
    NUMBERS_AND_CODES.discrete,
)  # fmt: skip
#: Arrays alone: the names of a DataFrame's columns would have to be given to the matrix too.
_HOLES = Domain(HOLES.columns, HOLES.frame, ("float64", "float32"))


def _numbers(variation: str, y: Any, domain: Domain = HOLES, *also: str, **options: Any) -> Subject:
    model = xgb.XGBRegressor(**{**_BASE, **options})
    return boosted(f"XGBRegressor{variation}", fitted(model, y), domain, *also)


def _classes(variation: str, y: Any, domain: Domain = HOLES, **options: Any) -> Subject:
    model = xgb.XGBClassifier(**{**_BASE, **options})
    return boosted(f"XGBClassifier, {variation}", fitted(model, y), domain)


def _linear(variation: str, y: Any, domain: Domain = HOLES, *also: str, **options: Any) -> Subject:
    own = {"booster": "gblinear", "max_depth": None, **options}
    return _numbers(f", linear{variation}", y, domain, *also, **own)


def _ranks(variation: str, objective: str, **options: Any) -> Subject:
    def make(rows: Any) -> Any:
        own = {**_BASE, "objective": objective, "verbosity": 0, **options}
        model = xgb.XGBRanker(**own)
        return model.fit(rows, TWO, qid=np.arange(len(TWO)) // 20)

    return boosted(f"XGBRanker{variation}", make, HOLES)


def _stopped(estimator: Any, y: np.ndarray) -> Make:
    def make(rows: Any) -> Any:
        model = clone(estimator).fit(
            rows[:160], y[:160], eval_set=[(rows[160:], y[160:])], verbose=False
        )
        if model.best_iteration + 1 >= model.get_booster().num_boosted_rounds():
            raise ValueError(f"{estimator} was not stopped early")
        return model

    return make


def _booster(label: Any, **parameters: Any) -> Make:
    def make(rows: Any) -> Any:
        data = xgb.DMatrix(rows, label=label)
        return xgb.train({"max_depth": 3, "nthread": 1, **parameters}, data, 8)

    return make


def _survival(rows: Any) -> Any:
    data = xgb.DMatrix(rows, label_lower_bound=POSITIVE, label_upper_bound=POSITIVE * 1.5)
    return xgb.train({"objective": "survival:aft", "max_depth": 3, "nthread": 1}, data, 8)


def _asked(model: xgb.Booster, method: str, rows: Any) -> Any:
    options = {"predict": {}, "predict_margin": {"output_margin": True}}
    return model.predict(xgb.DMatrix(rows), **options.get(method, {method: True}))


def _of_booster(name: str, make: Make, *also: str) -> Subject:
    after = frozenset(also)
    return Subject(f"Booster, {name}", make, _HOLES, "trees", after, asked=_asked)


SUBJECTS = (
    # --------------------------------------------------------------- classification
    _classes("binary", TWO, NUMERIC),
    _classes("binary, missing", TWO),
    _classes("base_score", TWO, NUMERIC, base_score=0.3, scale_pos_weight=2.0),
    _classes("3", THREE, NUMERIC),
    _classes("3, missing", THREE),
    boosted("XGBClassifier, 3, stopped", _stopped(xgb.XGBClassifier(**{**_BASE, **_STOP}), THREE)),
    boosted("XGBClassifier, 3, parallel, stopped",
            _stopped(xgb.XGBClassifier(**{**_BASE, **_STOP}, num_parallel_tree=2), THREE)),
    _classes("3, parallel", THREE, num_parallel_tree=2, n_estimators=4),
    _classes("3, dart", THREE, booster="dart", rate_drop=0.4),
    _classes("softprob, 2", TWO, objective="multi:softprob", num_class=2),
    _classes("12", np.unique(TWELVE, return_inverse=True)[1]),
    # SciPy makes these probabilities, with a float32 exp of NumPy's own.
    Subject("XGBClassifier, softmax",
            fitted(xgb.XGBClassifier(**_BASE, objective="multi:softmax"), THREE), HOLES, "trees",
            ulps=8),
    _classes("hinge", TWO, objective="binary:hinge"),
    _classes("logitraw", TWO, objective="binary:logitraw"),
    _classes("labels", LABELS),
    _classes("3, vector leaves", THREE, multi_strategy="multi_output_tree"),
    _classes("codes", THREE, _ARRAYS, enable_categorical=True, feature_types=["q", "q", "c"]),
    _classes("categories", TWO, ASCII_CATEGORIES, enable_categorical=True),
    boosted("XGBRFClassifier", fitted(lambda: xgb.XGBRFClassifier(**_FOREST), THREE), HOLES),
    # ------------------------------------------------------------------- regression
    _numbers("", SCORE, NUMERIC),
    _numbers(", missing", SCORE),
    _numbers(", base_score", SCORE, NUMERIC, base_score=1.7),
    boosted("XGBRegressor, stopped", _stopped(xgb.XGBRegressor(**{**_BASE, **_STOP}), SCORE)),
    _numbers(", 3 outputs", SCORES, NUMERIC),
    _numbers(", exact", SCORE, tree_method="exact", gamma=1.0),
    _numbers(", by leaf", SCORE, grow_policy="lossguide", max_leaves=9, max_depth=0),
    _numbers(", parallel", SCORE, num_parallel_tree=3, subsample=0.5, n_estimators=4),
    _numbers(", dart", SCORE, booster="dart", rate_drop=0.4),
    _numbers(", dart, base_score", SCORE, booster="dart", rate_drop=0.4, base_score=77.7),
    _numbers(", Poisson", COUNTS, NUMERIC, "predict", objective="count:poisson"),
    _numbers(", logistic", TWO, NUMERIC, "predict", objective="reg:logistic"),
    _numbers(", shares", SHARES, HOLES, "predict", objective="reg:logistic"),
    _numbers(", binary", TWO, HOLES, "predict", objective="binary:logistic"),
    _numbers(", logitraw", TWO, objective="binary:logitraw"),
    _numbers(", hinge", TWO, objective="binary:hinge"),
    _numbers(", gamma", POSITIVE, HOLES, "predict", objective="reg:gamma"),
    _numbers(", Tweedie", POSITIVE, HOLES, "predict", objective="reg:tweedie"),
    _numbers(", Cox", POSITIVE, HOLES, "predict", objective="survival:cox"),
    _numbers(", absolute", SCORE, objective="reg:absoluteerror"),
    _numbers(", Huber", SCORE, objective="reg:pseudohubererror"),
    _numbers(", logarithmic", POSITIVE, objective="reg:squaredlogerror"),
    _numbers(", quantile", SCORE, objective="reg:quantileerror", quantile_alpha=0.3),
    _numbers(", quantiles", SCORE, objective="reg:quantileerror",
             quantile_alpha=np.array([0.1, 0.5, 0.9])),
    _numbers(", vector leaves", SCORES, multi_strategy="multi_output_tree"),
    _numbers(", one leaf", SCORE, max_depth=1, min_child_weight=1e9),
    _numbers(", categories", SCORE, ASCII_CATEGORIES, enable_categorical=True,
             max_cat_to_onehot=2),
    boosted("XGBRFRegressor", fitted(lambda: xgb.XGBRFRegressor(**_FOREST), SCORE), HOLES),
    # ----------------------------------------------------------------------- linear
    _linear("", SCORE, NUMERIC),
    _linear(", missing", SCORE, base_score=1.7, reg_alpha=0.1),
    _linear(", by columns", SCORE, updater="coord_descent", feature_selector="greedy"),
    _linear(", 3 outputs", SCORES, NUMERIC),
    _linear(", Poisson", COUNTS, HOLES, "predict", objective="count:poisson"),
    _classes("linear", TWO, booster="gblinear", max_depth=None),
    _classes("3, linear", THREE, booster="gblinear", max_depth=None),
    _classes("hinge, linear", TWO, booster="gblinear", max_depth=None, objective="binary:hinge"),
    # ---------------------------------------------------------------------- ranking
    _ranks("", "rank:ndcg"),
    _ranks(", pairwise", "rank:pairwise"),
    _ranks(", map, dart", "rank:map", booster="dart", rate_drop=0.4),
    _ranks(", linear", "rank:ndcg", booster="gblinear", max_depth=None),
    # --------------------------------------------------------------------- boosters
    _of_booster("logistic", _booster(TWO, objective="binary:logistic", base_score=0.2), "predict"),
    _of_booster("logistic, dart", _booster(TWO, objective="binary:logistic", base_score=0.2,
                booster="dart", rate_drop=0.3), "predict"),
    _of_booster("survival", _survival, "predict"),
)  # fmt: skip
