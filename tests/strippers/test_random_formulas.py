"""Random formulas: no program disagrees with statsmodels, or answers a row that it does not."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula as engines
import statsmodels.formula.api as smf
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from sclbl.errors import InputError
from sclbl.strippers import strip
from tests.conformance.definition import defined
from tests.strippers.random_formulas import FORMS, formulas, in_form, training

SEVERAL = hasattr(engines, "options")
ENGINES = ("patsy", "formulaic") if SEVERAL else ("patsy",)


def agrees(data: st.DataObject) -> None:
    engine = data.draw(st.sampled_from(ENGINES))
    before = engines.options.formula_engine if SEVERAL else ""
    try:
        if SEVERAL:
            engines.options.formula_engine = engine
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of singular designs, and of unknown categories
            compare(data, engine)
    finally:
        if SEVERAL:
            engines.options.formula_engine = before


def compare(data: st.DataObject, engine: str) -> None:
    formula = data.draw(formulas(engine))
    known = training(data.draw(st.integers(0, 99)))
    results = smf.ols(formula, known).fit()
    spec = strip(results, known[:5])
    names = [str(c.name) for c in spec.signature.columns]
    rng = np.random.default_rng(7)
    own = known.drop(columns="y")
    # Values that were there, put together to rows that were not.
    asked = pd.DataFrame({n: own[n].to_numpy()[rng.permutation(len(own))[:25]] for n in own})
    asked = asked.astype(own.dtypes)
    form = data.draw(st.sampled_from(FORMS))
    ours = defined(spec, in_form(asked, form, names))["predict"].ravel()
    theirs = results.predict(asked).to_numpy()
    terms = float((np.abs(results.model.exog) @ np.abs(np.asarray(results.params))).max())
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14 * terms)

    name = data.draw(st.sampled_from(names))
    others = {"city": "Rom", "size": "Rom", "k": 77}
    value = data.draw(st.sampled_from([None, np.nan, *([others[name]] if name in others else [])]))
    bad = asked[:1].astype({name: object})
    bad.loc[0, name] = value
    expected = answered(results, asked[:1], name, value)
    if expected is None:
        with pytest.raises(InputError):
            defined(spec, bad)
    else:
        found = defined(spec, bad)["predict"].ravel()
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def answered(results: Any, rows: pd.DataFrame, name: str, value: Any) -> Any:
    """Return what the model makes of a row with a value; None where it refuses it.

    NaN and what the engine warns of, a category that it does not know, are refusals.
    """
    own = rows[name].dtype
    if isinstance(own, pd.CategoricalDtype):
        if isinstance(value, str):
            return None  # no value of this dtype
        column: Any = pd.Categorical([value], own.categories)
    elif own.kind in "iufb":
        column = np.array([np.nan if value is None else value])
    else:
        column = np.array([value], dtype=object)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = results.predict(rows.assign(**{name: column}))
        except Exception:  # in whatever way the engine refuses it
            return None
    unknown = any("outside of the nominated levels" in str(w.message) for w in said)
    return None if unknown or found.isna().any() else found.to_numpy()


_QUIET = {
    "deadline": None,
    "database": None,
    "phases": (Phase.generate,),
    "suppress_health_check": list(HealthCheck),
}


@seed(9)
@settings(max_examples=50, **_QUIET)  # type: ignore[arg-type]  # options of several types
@given(st.data())
def test_random_formulas(data: st.DataObject) -> None:
    agrees(data)


@pytest.mark.exhaustive
@seed(10)
@settings(max_examples=1000, **_QUIET)  # type: ignore[arg-type]  # options of several types
@given(st.data())
def test_more_random_formulas(data: st.DataObject) -> None:
    agrees(data)
