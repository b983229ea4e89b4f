"""Tables of coefficients: read from results, written by hand, compiled like a fitted model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import sclbl
from sclbl.coefficients import FAMILIES, LINKS, Coefficients
from sclbl.errors import (
    InfiniteValueError,
    MissingValueError,
    UnknownCategoryError,
    UnsupportedModelError,
)

RNG = np.random.default_rng(11)
FRAME = pd.DataFrame(
    {
        "age": RNG.normal(40, 9, 90),
        "income": RNG.normal(3, 1, 90),
        "city": RNG.choice(["Breda", "Delft", "Goes"], 90),
    }
)
FRAME["left"] = (FRAME["age"] + RNG.normal(size=90) * 9 > 40).astype(float)
PAPER = Coefficients(
    {"Intercept": -3, "age": 0.04, "city[T.Delft]": 0.5, "age:C(city)[Goes]": -1e-3},
    family="binomial",
    levels={"city": ["Breda", "Delft", "Goes"]},
)


def test_a_table_of_a_paper_is_deployed_in_one_line(tmp_path: Path) -> None:
    deployment = sclbl.upload(PAPER, name="risk", registry=tmp_path)
    z = -3 + 0.04 * FRAME["age"] + 0.5 * (FRAME["city"] == "Delft")
    z += -1e-3 * FRAME["age"] * (FRAME["city"] == "Goes")
    found = deployment.predict(FRAME)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-z)), rtol=1e-14)
    np.testing.assert_allclose(deployment.predict_linear(FRAME), z, rtol=1e-14)
    assert deployment.predict([{"age": 40, "city": "Breda"}]).shape == (1,)
    again = sclbl.load("risk", registry=tmp_path)
    assert again.spec is not None
    assert again.spec.coefficients == PAPER


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"age": 40, "city": "Gouda"}, UnknownCategoryError),
        ({"age": 40, "city": None}, UnknownCategoryError),
        ({"age": None, "city": "Goes"}, MissingValueError),
        ({"age": np.inf, "city": "Goes"}, InfiniteValueError),
    ],
)
def test_bad_rows_are_refused(row: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        sclbl.compile(PAPER).predict([row])


@pytest.mark.parametrize("link", LINKS)
def test_every_link(link: str) -> None:
    import statsmodels.genmod.families.links as theirs

    called = {"inverse": "InversePower", "cloglog": "CLogLog", "loglog": "LogLog", "logc": "LogC"}
    name = called.get(link, link.title().replace("_", ""))
    z = np.linspace(0.2, 3, 50)
    program = sclbl.compile(Coefficients({"const": 0.1, "x": 0.5}, link=link))
    expected = getattr(theirs, name)().inverse(0.1 + 0.5 * z)
    np.testing.assert_allclose(program.predict({"x": z}), expected, rtol=1e-13)


def fitted() -> dict[str, Any]:
    """Return results of each kind that has a table."""
    formula = "left ~ age + income + C(city)"
    return {
        "OLS": smf.ols(formula, FRAME).fit(),
        "a level in an interaction": smf.ols("left ~ age:city", FRAME).fit(),
        "WLS": smf.wls(formula, FRAME, weights=FRAME["age"]).fit(),
        "RLM": smf.rlm(formula, FRAME).fit(),
        "QuantReg": smf.quantreg(formula, FRAME).fit(),
        "Logit": smf.logit(formula, FRAME).fit(disp=0),
        "Probit": smf.probit(formula, FRAME).fit(disp=0),
        "Poisson": smf.poisson(formula, FRAME).fit(disp=0),
        "GLM": smf.glm(
            formula, FRAME, family=sm.families.Binomial(sm.families.links.CLogLog())
        ).fit(),
        "an array": sm.GLM(
            FRAME["left"], sm.add_constant(FRAME[["age", "income"]]), family=sm.families.Poisson()
        ).fit(),
    }


FITTED = fitted()


@pytest.mark.parametrize("name", FITTED)
def test_the_table_of_results_predicts_what_they_predict(name: str) -> None:
    results = FITTED[name]
    table = table_of(results)
    again = Coefficients.from_json(json.loads(json.dumps(table.to_json())))
    assert again == table
    assert list(table.coefficients) == list(results.params.index)
    rows = FRAME if name != "an array" else sm.add_constant(FRAME[["age", "income"]])
    expected = np.asarray(results.predict(rows))
    np.testing.assert_allclose(
        sclbl.compile(again).predict(FRAME), expected, rtol=1e-12, atol=1e-14
    )
    for text in (table.family, table.link, *map(repr, table.coefficients.values())):
        assert text in str(table)


def table_of(results: Any) -> Coefficients:
    from sclbl.strippers.dispatch import find

    found = find(results).coefficients(results)
    assert found is not None
    return found


def test_the_spec_of_results_holds_their_table() -> None:
    x = sm.add_constant(FRAME[["age", "income"]])
    results = sm.Logit(FRAME["left"], x).fit(disp=0)
    spec = sclbl.compile(results, x[:5]).spec
    assert spec is not None
    assert spec.coefficients is not None
    assert dict(spec.coefficients.coefficients) == results.params.to_dict()
    assert (spec.coefficients.family, spec.coefficients.link) == ("binomial", "logit")


def test_several_outcomes_have_no_table() -> None:
    x = sm.add_constant(FRAME[["age"]])
    results = sm.MNLogit(RNG.integers(0, 3, 90), x).fit(disp=0)
    spec = sclbl.compile(results, x[:5]).spec
    assert spec is not None
    assert spec.coefficients is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"coefficients": {"x": 1}, "family": "beta"}, "there is no family 'beta'; take one of"),
        ({"coefficients": {"x": 1}, "link": "square"}, "there is no link 'square'; take one of"),
        ({"coefficients": {"x": "1"}}, "coefficient of 'x' is '1'; give numbers by term"),
        ({"coefficients": {"x": True}}, "coefficient of 'x' is True; give numbers by term"),
        ({"coefficients": {3: 1.0}}, "coefficient of 3 is 1.0; give numbers by term"),
        ({"coefficients": {"x": float("nan")}}, "the coefficient of 'x' is nan"),
        ({"coefficients": {"x": float("-inf")}}, "the coefficient of 'x' is -inf"),
        ({"coefficients": {"Intercept": 1}}, "the coefficients name no column"),
        ({"coefficients": {}}, "the coefficients name no column"),
        ({"coefficients": {"np.log(x)": 1}}, "the term 'np.log(x)' is no column"),
        ({"coefficients": {"x ** 2": 1}}, "the term 'x ** 2' is no column"),
        ({"coefficients": {"a::b": 1}}, "the term 'a::b' is no column"),
        ({"coefficients": {"city[Delft]": 1}}, "which levels['city'] lacks; give all levels"),
        ({"coefficients": {"c": 1}, "levels": {"c": ["a"]}}, "the term 'c' is no column"),
    ],
)
def test_tables_that_are_no_models(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError) as refused:
        sclbl.compile(Coefficients(**given))
    assert message in str(refused.value)


def test_families_have_links() -> None:
    for family, link in FAMILIES.items():
        assert Coefficients({"x": 1}, family).link == link
    assert set(FAMILIES.values()) <= set(LINKS)
