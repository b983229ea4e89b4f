"""XGBoost's estimators inside others, and what constrains their trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, StackingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sclbl
from sclbl.errors import ColumnError

RNG = np.random.default_rng(12)
ROWS = 240
X = np.where(RNG.random((ROWS, 4)) < 0.1, np.nan, RNG.normal(size=(ROWS, 4)))
SCORE = np.nan_to_num(X[:, 0]) * 2 + np.nan_to_num(X[:, 1]) + RNG.normal(size=ROWS) * 0.2
TWO = (SCORE > 0).astype(int)
THREE = np.digitize(SCORE, [-1, 1])
BOTH = np.stack([SCORE, -SCORE * 2], axis=1)
BASE: dict[str, Any] = {"n_estimators": 5, "max_depth": 3, "n_jobs": 1}


def regressor(**options: Any) -> xgb.XGBRegressor:
    return xgb.XGBRegressor(**{**BASE, **options})


def classifier(**options: Any) -> xgb.XGBClassifier:
    return xgb.XGBClassifier(**{**BASE, **options})


#: Trees are exact; what other models make of their results is as exact as those models are.
MODELS: dict[str, tuple[BaseEstimator, np.ndarray, float]] = {
    "imputed": (make_pipeline(SimpleImputer(), regressor()), SCORE, 0),
    "scaled, linear": (
        make_pipeline(StandardScaler(), regressor(booster="gblinear", max_depth=None)),
        SCORE,
        0,
    ),
    "search": (GridSearchCV(regressor(), {"max_depth": [2, 3]}, cv=2), SCORE, 0),
    "search in a pipeline": (
        make_pipeline(SimpleImputer(), GridSearchCV(classifier(), {"max_depth": [2]}, cv=2)),
        THREE,
        0,
    ),
    "bagging": (BaggingRegressor(regressor(), n_estimators=3, random_state=0), SCORE, 1e-6),
    "several outputs": (MultiOutputRegressor(regressor()), BOTH, 0),
    "chain": (RegressorChain(regressor()), BOTH, 0),
    "target": (TransformedTargetRegressor(regressor(), transformer=StandardScaler()), SCORE, 1e-12),
    "calibrated": (CalibratedClassifierCV(classifier(), cv=2), TWO, 1e-6),
    "voting": (
        VotingClassifier([("a", classifier()), ("b", classifier(max_depth=2))], voting="soft"),
        THREE,
        1e-6,
    ),
    "stacking": (
        StackingClassifier([("a", classifier()), ("b", classifier(max_depth=2))], cv=2),
        TWO,
        1e-6,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_inside_another_model(name: str) -> None:
    model, y, rtol = MODELS[name]
    # A chain takes no missing numbers, whatever its models take.
    holes = 0 if name == "chain" else 0.2
    usual = np.nan_to_num(X) if name == "chain" else X
    with xgb.config_context(verbosity=0):  # newer releases tell that linear boosters will go
        model.fit(usual, y)
        program = sclbl.compile(model, usual[:5])
    rows = np.where(RNG.random((500, 4)) < holes, np.nan, RNG.normal(size=(500, 4)) * 2)
    for method in program.methods:
        wanted = getattr(model, method)(rows)
        if wanted.dtype.kind == "f":
            np.testing.assert_allclose(getattr(program, method)(rows), wanted, rtol=rtol, atol=rtol)
        else:
            np.testing.assert_array_equal(getattr(program, method)(rows), wanted)


def test_after_encoded_columns_of_a_frame() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["city"] = RNG.choice(["Breda", "Ede", "Utrecht"], size=ROWS)
    columns = ColumnTransformer(
        [("text", OneHotEncoder(sparse_output=False), ["city"])], remainder="passthrough"
    )
    model = make_pipeline(columns, classifier()).fit(frame, TWO)
    program = sclbl.compile(model, frame[:10])
    np.testing.assert_array_equal(program.predict_proba(frame), model.predict_proba(frame))
    np.testing.assert_array_equal(program.predict(frame), model.predict(frame))


@pytest.mark.parametrize(
    "options",
    [
        {"monotone_constraints": (1, -1, 0, 0)},
        {"interaction_constraints": "[[0, 1], [2, 3]]"},
        {"monotone_constraints": (1, 0, 0, 0), "interaction_constraints": "[[0, 2], [1, 3]]"},
    ],
    ids=["monotone", "interactions", "both"],
)
def test_constraints(options: dict[str, Any]) -> None:
    model = regressor(**options).fit(X, SCORE)
    rows = np.where(RNG.random((500, 4)) < 0.2, np.nan, RNG.normal(size=(500, 4)))
    program = sclbl.compile(model, X[:5])
    np.testing.assert_array_equal(program.predict(rows), model.predict(rows))
    if "monotone_constraints" in options:
        line = np.tile(rows[:1], (50, 1))
        line[:, 0] = np.linspace(-3, 3, 50)
        assert (np.diff(program.predict(line)) >= 0).all()


def test_a_ranker_fitted_with_a_column_of_queries() -> None:
    frame = pd.DataFrame(X, columns=list("abcd")).assign(qid=np.arange(ROWS) // 20)
    model = xgb.XGBRanker(**BASE).fit(frame, TWO)
    program = sclbl.compile(model, frame[["a", "b", "c", "d"]][:10])
    np.testing.assert_array_equal(program.predict(frame), model.predict(frame))
    with pytest.raises(ColumnError, match="'qid'; leave them out"):
        sclbl.compile(model, frame[:10])


def test_first_rounds_are_those_that_early_stopping_chose() -> None:
    parameters = {"max_depth": 4, "eta": 0.9, "nthread": 1}
    fitting, other = xgb.DMatrix(X[:160], label=SCORE[:160]), xgb.DMatrix(X[160:], SCORE[160:])
    model = xgb.train(
        parameters, fitting, 60, evals=[(other, "o")], early_stopping_rounds=3, verbose_eval=False
    )
    best = (0, model.best_iteration + 1)
    assert best[1] < model.num_boosted_rounds()
    data = xgb.DMatrix(X)
    # A booster predicts with all of its rounds; its part has the best ones alone.
    np.testing.assert_array_equal(sclbl.compile(model, X[:5]).predict(X), model.predict(data))
    part = sclbl.compile(model[slice(*best)], X[:5])
    np.testing.assert_array_equal(part.predict(X), model.predict(data, iteration_range=best))
