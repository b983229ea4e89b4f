"""Formulas on statsmodels' own datasets: every row of them, by both engines."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula as engines
import statsmodels.formula.api as smf

from sclbl.strippers import strip
from tests.conformance.definition import defined

SEVERAL = hasattr(engines, "options")
ENGINES = ("patsy", "formulaic") if SEVERAL else ("patsy",)
families = sm.families
_SCHOOLS = (
    "share ~ LOWINC + PERASIAN + PERBLACK + PERHISP + PCTCHRT + PCTYRRND"
    " + PERMINTE*AVYRSEXP*AVSALK + PERSPENK*PTRATIO*PCTAF"
)
_AGES = "affair ~ cr(age, df=4, constraints='center') + C(religious, Poly)"
CASES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("anes96", "mnlogit", "PID ~ logpopul + selfLR + age + educ + C(income > 10)", {}),
    ("anes96", "ols", "selfLR ~ C(vote) * C(PID, Treatment(3)) + np.log(age)", {}),
    ("ccard", "wls", "AVGEXP ~ AGE + INCOME + INCOMESQ + OWNRENT", {"weights": "INCOMESQ"}),
    ("ccard", "ols", "np.log(AVGEXP + 1) ~ np.log(INCOME) * C(OWNRENT) + center(AGE)", {}),
    ("copper", "ols", "WORLDCONSUMPTION ~ COPPERPRICE + INCOMEINDEX + np.sqrt(TIME)", {}),
    ("cpunish", "glm", "EXECUTIONS ~ np.log(INCOME) + SOUTH + DEGREE", {"family": "Poisson"}),
    ("cpunish", "poisson", "EXECUTIONS ~ standardize(VC100k96) + C(SOUTH)", {}),
    ("engel", "quantreg", "foodexp ~ income", {}),
    ("engel", "ols", "np.log(foodexp) ~ bs(np.log(income), df=5)", {}),
    ("fair", "logit", "affair ~ C(occupation) + educ + rate_marriage + I(age / yrs_married)", {}),
    ("fair", "glm", _AGES, {"family": "Binomial"}),
    ("fair", "probit", "affair ~ rate_marriage:age + C(children > 0)", {}),
    ("fertility", "ols", "Q('1990') ~ Q('1960') + Q('1970') * Q('1980')", {}),
    ("grunfeld", "ols", "invest ~ value + capital + firm", {}),
    ("grunfeld", "ols", "invest ~ firm:value + C(firm, Sum) - 1", {}),
    ("grunfeld", "rlm", "np.log(invest) ~ np.log(value) + C(firm, Helmert) + center(year)", {}),
    ("heart", "ols", "np.log(survival + 1) ~ cr(age, df=3) * C(censors)", {}),
    ("longley", "ols", "TOTEMP ~ GNPDEFL + GNP + UNEMP + I(ARMED / POP)", {}),
    ("macrodata", "ols", "np.log(realgdp) ~ bs(year, df=6) + C(quarter) + infl", {}),
    ("macrodata", "ols", "infl ~ cc(quarter, df=2) + scale(realint) + np.log(m1)", {}),
    ("randhie", "poisson", "mdvis ~ lncoins * C(hlthg) + lpi + physlm + disea", {}),
    ("randhie", "negativebinomial", "mdvis ~ lncoins + C(hlthp) + I(disea ** 2)", {}),
    ("scotland", "glm", "YES ~ COUTAX * UNEMPF + MOR + ACT + GDP + AGE", {"family": "Gamma"}),
    ("spector", "logit", "GRADE ~ GPA + TUCE + C(PSI)", {}),
    ("stackloss", "rlm", "STACKLOSS ~ AIRFLOW + WATERTEMP * ACIDCONC", {}),
    ("star98", "glm", _SCHOOLS, {"family": "Binomial"}),
    ("statecrime", "ols", "murder ~ urban + poverty + hs_grad + I(single ** 2)", {}),
    ("sunspots", "ols", "SUNACTIVITY ~ cc(YEAR, df=6) + cr(YEAR, df=9)", {}),
)  # fmt: skip


def table(name: str) -> pd.DataFrame:
    """Return a dataset, with the outcomes that its formulas name."""
    frame = getattr(sm.datasets, name).load_pandas().data
    frame = frame.rename(columns=str).reset_index(drop=True)
    if name == "fair":
        frame = frame.assign(affair=(frame["affairs"] > 0).astype(float))
    if name == "star98":
        frame = frame.assign(share=frame["NABOVE"] / (frame["NABOVE"] + frame["NBELOW"]))
    return frame


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "method", "formula", "options"), CASES, ids=[f"{c[0]}, {c[2]}" for c in CASES]
)
def test_dataset(
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    name: str,
    method: str,
    formula: str,
    options: dict[str, Any],
) -> None:
    if SEVERAL:
        monkeypatch.setattr(engines.options, "_formula_engine", engine)
    frame, given = table(name), dict(options)
    if "family" in given:
        given["family"] = getattr(families, given["family"])()
    if "weights" in given:
        given["weights"] = frame[given["weights"]]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # how well a fit converged is of no interest here
        model = getattr(smf, method)(formula, frame, **given)
        quiet = {"disp": 0} if hasattr(model, "loglikeobs") and method != "glm" else {}
        results = model.fit(**quiet)
        theirs = np.asarray(results.predict(frame))
        complete = ~np.isnan(theirs.reshape(len(frame), -1)).any(axis=1)
        rows = frame[complete]
        ours = defined(strip(results, rows[:5]), rows)["predict"]
    np.testing.assert_allclose(ours.reshape(theirs[complete].shape), theirs[complete], rtol=1e-12)
    assert complete.sum() > 5
