"""Rows that a program refuses and its model answers: what the report and the refusal say."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from xgboost import XGBClassifier

import sclbl
from sclbl.errors import InfiniteValueError, MissingValueError, UnknownCategoryError
from sclbl.fidelity import Report

RNG = np.random.default_rng(7)
X = sm.add_constant(pd.DataFrame({"a": RNG.normal(size=60), "b": RNG.normal(size=60)}))
Y = (X.a + RNG.normal(size=60) > 0).astype(int)


@pytest.mark.parametrize("results", [sm.Logit, sm.OLS], ids=["Logit", "OLS"])
def test_what_statsmodels_answers_with_nan_is_refused_by_the_program_alone(results: type) -> None:
    model = results(Y, X).fit(**({"disp": 0} if results is sm.Logit else {}))
    bad = X.copy()
    bad.loc[2, "a"] = np.nan
    assert np.isnan(model.predict(bad)[2])
    plain = sclbl.compile(model, X[:4]).report
    report = sclbl.compile(model, X[:4], verify_on=bad).report
    assert plain is not None
    assert report is not None
    assert report.refusals == 0
    assert report.alone == plain.alone + 1 > 1
    assert f"0 refused by both, {report.alone} refused by the program alone" in str(report)
    assert Report.from_json(report.to_json()) == report


def test_a_refusal_says_what_can_be_done_about_it() -> None:
    program = sclbl.compile(sm.OLS(Y, X).fit(), X[:4])
    bad = X[:4].copy()
    bad.loc[2, "a"] = np.nan
    said = (
        "row 2, column 'a' is missing; missing values are refused there: fill it in, leave "
        "the row out, or fit a model that takes missing values"
    )
    with pytest.raises(MissingValueError, match=f"^{re.escape(said)}$"):
        program.predict(bad)
    bad.loc[2, "a"] = np.inf
    with pytest.raises(InfiniteValueError, match=r"^row 2, column 'a' is infinite"):
        program.predict(bad)


def test_an_unknown_category_without_an_encoder() -> None:
    x = pd.DataFrame({"c": pd.Categorical(["p", "q", "r"] * 20)})
    program = sclbl.compile(
        XGBClassifier(n_estimators=3, n_jobs=1, enable_categorical=True).fit(x, Y), x[:3]
    )
    said = (
        "row 0, column 'c' holds 'zzz', a category that the model was not fitted on; correct the "
        "value, or fit a model that takes unknown categories"
    )
    with pytest.raises(UnknownCategoryError, match=f"^{re.escape(said)}$"):
        program.predict(pd.DataFrame({"c": ["zzz"]}))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LogisticRegression(), False),
        (make_pipeline(LinearRegression()), False),
        (RandomForestRegressor(3, n_jobs=1), False),
        (make_pipeline(RandomForestRegressor(3, n_jobs=2)), True),
    ],
)
def test_one_job_is_told_where_there_are_more(model: object, said: bool) -> None:
    report = sclbl.compile(model.fit(X, Y), X[:4]).report  # type: ignore[attr-defined]
    assert ("n_jobs" in str(report)) is said
