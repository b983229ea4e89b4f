"""statsmodels results, stripped, against their own predict."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.genmod.families import links
from statsmodels.genmod.generalized_linear_model import GLMResults, GLMResultsWrapper
from statsmodels.miscmodels.ordinal_model import OrderedModel

from sclbl.errors import (
    ColumnError,
    NotFittedError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.spec import Spec
from sclbl.strippers import strip
from tests.conformance.beside import check as checked
from tests.conformance.beside import run

ROWS = 120
families = sm.families


def data(kind: str = "frame") -> Any:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "const": 1.0,
            "age": rng.normal(size=ROWS),
            "income": rng.uniform(-1, 1, ROWS),
            "visits": rng.integers(0, 4, ROWS),
        }
    )
    return {
        "frame": frame,
        "array": frame.to_numpy(),
        "float32": frame.astype(np.float32),
        "float32 array": frame.to_numpy(np.float32),
    }[kind]


def outcome(kind: str = "number") -> np.ndarray:
    rng = np.random.default_rng(4)
    z = data("array") @ [0.3, 0.5, -0.4, 0.1]
    return {
        "number": lambda: z + rng.normal(size=ROWS),
        "binary": lambda: (z + rng.logistic(size=ROWS) > 0).astype(float),
        "count": lambda: rng.poisson(np.exp(z)),
        "class": lambda: rng.integers(0, 4, ROWS),
        "positive": lambda: np.exp(z) * rng.gamma(4, 0.25, ROWS),
    }[kind]()


def fit(model: Any, method: str = "fit", **options: Any) -> Any:
    # How well the fit converged is of no interest here, only what it predicts.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(model, method)(**options)


def make(cls: Any, *args: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cls(*args, **options)


def check(results: Any, X: Any, *, atol: float = 0.0) -> Spec:
    return checked(results, X[:3], X, rtol=1e-12, atol=atol)


@pytest.mark.parametrize(
    ("cls", "y", "methods"),
    [
        *((cls, "number", ("predict",)) for cls in (sm.OLS, sm.WLS, sm.GLS, sm.QuantReg, sm.RLM)),
        *((cls, "binary", ("predict", "predict_linear")) for cls in (sm.Logit, sm.GLM)),
        (sm.Poisson, "count", ("predict", "predict_linear")),
        (sm.MNLogit, "class", ("predict", "predict_linear")),
    ],
)
def test_methods(cls: Any, y: str, methods: tuple[str, ...]) -> None:
    quiet = {"disp": 0} if cls in (sm.Logit, sm.Poisson, sm.MNLogit) else {}
    spec = strip(fit(cls(outcome(y), data()), **quiet), data()[:3])
    assert spec.methods == methods
    assert spec.source.libraries["statsmodels"]


LINKS = {
    "identity": links.Identity(),
    "log": links.Log(),
    "logc": links.LogC(),
    "logit": links.Logit(),
    "probit": links.Probit(),
    "cauchy": links.Cauchy(),
    "cloglog": links.CLogLog(),
    "loglog": links.LogLog(),
    "sqrt": links.Sqrt(),
    "inverse power": links.InversePower(),
    "inverse squared": links.InverseSquared(),
    "power 3": links.Power(3.0),
    "power -0.7": links.Power(-0.7),
    "power 1": links.Power(1),
    "negative binomial": links.NegativeBinomial(alpha=0.7),
    "cdf norm": links.CDFLink(),
    "cdf logistic": links.CDFLink(scipy.stats.logistic),
    "cdf gumbel_r": links.CDFLink(scipy.stats.gumbel_r),
    "cdf gumbel_l": links.CDFLink(scipy.stats.gumbel_l),
}
# What these links give is a probability: an ULP of 1 is lost where they subtract from 1.
PROBABILITIES = 1e-15


def glm(link: Any, params: list[float], X: Any = None) -> Any:
    """Results with given coefficients: not every link can be fitted."""
    X = data() if X is None else X
    family = make(families.Gaussian, link=link, check_link=False)
    model = make(sm.GLM, outcome(), X, family=family)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return GLMResultsWrapper(GLMResults(model, np.array(params), np.eye(len(params)), 1.0))


def test_links_are_all_of_statsmodels() -> None:
    own = {
        cls.__name__
        for cls in vars(links).values()
        if isinstance(cls, type) and cls is not links.Link and cls.__name__[0].isupper()
    }
    assert {type(link).__name__ for link in LINKS.values()} == own


@pytest.mark.parametrize("link", LINKS)
def test_links_over_their_whole_range(link: str) -> None:
    z = np.r_[np.linspace(-40, 40, 161), 0.0, -0.0, 1e-3, -1e-3, 300.0, -300.0][:, None]
    results = glm(LINKS[link], [1.0], data("array")[:, :1])
    ours = run(strip(results, np.ones((2, 1)), methods=["predict"]), z)["predict"]
    with np.errstate(all="ignore"):
        true = results.predict(z)
    np.testing.assert_allclose(ours, true, rtol=1e-12, atol=PROBABILITIES)
    assert (np.signbit(ours) == np.signbit(true))[~np.isnan(true)].all()


@pytest.mark.parametrize("option", ["offset", "exposure"])
@pytest.mark.parametrize("cls", [sm.Poisson, sm.GLM, sm.NegativeBinomial])
def test_offset_is_left_out_with_a_warning(cls: Any, option: str) -> None:
    options: dict[str, Any] = {option: np.linspace(0.5, 2, ROWS)}
    if cls is sm.GLM:
        options["family"] = families.Poisson()
    quiet = {} if cls is sm.GLM else {"disp": 0}
    spec = check(fit(cls(outcome("count"), data(), **options), **quiet), data(), atol=1e-15)
    assert any(f"fitted with {option}" in w for w in spec.warnings)


@pytest.mark.parametrize("option", ["offset", "exposure"])
@pytest.mark.parametrize("cls", [sm.GeneralizedPoisson, sm.NegativeBinomialP])
def test_offset_that_predict_adds_to_any_rows(cls: Any, option: str) -> None:
    model = cls(outcome("count"), data(), **{option: np.linspace(0.5, 2, ROWS)})
    results = fit(model, disp=0)
    with pytest.raises(ValueError, match="broadcast"):
        results.predict(data()[:3])
    with pytest.raises(
        UnsupportedModelError, match=rf"{cls.__name__} was fitted with {option}, .*wi"
    ):
        strip(results, data()[:3])


def test_no_warning_without_an_offset() -> None:
    assert check(fit(sm.Poisson(outcome("count"), data()), disp=0), data()).warnings == ()


def test_one_column() -> None:
    X = data()["age"]
    results = sm.OLS(outcome(), X).fit()
    ours = run(strip(results, X.to_frame()[:2]), X.to_frame())["predict"]
    np.testing.assert_allclose(ours, results.predict(X), rtol=1e-12)


def test_one_row_and_no_row() -> None:
    results = sm.OLS(outcome(), data("array")).fit()
    spec = strip(results, data("array")[0])
    assert run(spec, data("array")[:1])["predict"].shape == (1,)
    assert run(spec, np.empty((0, 4)))["predict"].shape == (0,)


def test_removed_data() -> None:
    X = data()
    results = sm.OLS(outcome(), X).fit()
    results.remove_data()
    spec = check(results, X, atol=1e-15)
    assert any("they count by position" in w for w in spec.warnings)


# ------------------------------------------------------------------- formulas


def table() -> pd.DataFrame:
    frame = data().drop(columns="const")
    return frame.assign(y=outcome(), win=outcome("binary"), group=list("ab") * (ROWS // 2))


@pytest.mark.parametrize(
    "formula",
    ["y ~ age + income + visits", "y ~ visits + age", "y ~ age + income - 1", "y ~ 0 + age"],
)
def test_formula(formula: str) -> None:
    results = smf.ols(formula, table()).fit()
    # As predict does, the program finds the columns by name and ignores the others.
    spec = strip(results, table()[:3])
    names = [c.name for c in spec.signature.columns]
    assert set(names) == set(results.model.exog_names) - {"Intercept"}
    ours = run(spec, table()[names])["predict"]
    np.testing.assert_allclose(ours, results.predict(table()), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("method", ["glm", "logit", "probit"])
def test_formula_of_other_models(method: str) -> None:
    options = {"family": families.Binomial()} if method == "glm" else {}
    model = getattr(smf, method)("win ~ income + age", table(), **options)
    results = fit(model, **({} if method == "glm" else {"disp": 0}))
    check(results, table()[["age", "income"]], atol=1e-15)


def test_formula_needs_names() -> None:
    results = smf.ols("y ~ age + income", table()).fit()
    with pytest.raises(ColumnError, match="finds its columns by name; give example_input as a Dat"):
        strip(results, data("array")[:3, 1:3])


def test_formula_column_is_absent() -> None:
    results = smf.ols("y ~ age + income", table()).fit()
    with pytest.raises(ColumnError, match=r"lacks the column 'income' of the formula .* 'age'"):
        strip(results, table()[["age"]])


def test_formula_column_of_another_kind() -> None:
    results = smf.ols("y ~ age + income", table()).fit()
    rows = table().assign(income=True)
    with pytest.raises(UnsupportedModelError, match=r"'income' .* boolean .* convert it to float"):
        strip(results, rows[:3])


def test_formula_without_columns() -> None:
    results = smf.ols("y ~ 1", table()).fit()
    with pytest.raises(UnsupportedModelError, match="fitted on an intercept alone"):
        strip(results, table()[["age"]])


def test_formula_after_its_data_were_removed() -> None:
    results = smf.ols("y ~ age", table()).fit()
    results.remove_data()
    check(results, table()[["age"]], atol=1e-15)


# -------------------------------------------------------------------- refusals


@pytest.mark.parametrize("cls", [sm.OLS, sm.Logit, sm.GLM, sm.Poisson, sm.QuantReg])
def test_unfitted(cls: Any) -> None:
    with pytest.raises(NotFittedError, match=rf"{cls.__name__} is a model .*\.fit\(\)"):
        strip(cls(outcome("binary"), data()), data()[:3])


def test_unsupported_model_in_a_known_wrapper() -> None:
    model = sm.PHReg(outcome("positive"), data("array")[:, 1:])
    results = fit(model, "fit_regularized", alpha=0.1)
    with pytest.raises(UnsupportedModelError, match=r"of .*PHReg has no stripper; .*OLS, WLS"):
        strip(results, data("array")[:3, 1:])


def test_subclass_of_a_model() -> None:
    class Squared(sm.OLS):
        def predict(self, params: Any, exog: Any = None) -> Any:
            return super().predict(params, exog) ** 2

    with pytest.raises(UnsupportedModelError, match=r"Squared has no stripper"):
        strip(Squared(outcome(), data()).fit(), data()[:3])


def test_method_that_is_not_offered() -> None:
    with pytest.raises(UnsupportedMethodError, match="does not offer predict_linear"):
        strip(sm.OLS(outcome(), data()).fit(), data()[:3], methods=["predict_linear"])


def test_columns_in_another_order() -> None:
    X = data()
    with pytest.raises(ColumnError, match=r"in another order; .* 'const', 'age', 'income'"):
        strip(sm.OLS(outcome(), X).fit(), X[X.columns[::-1]][:3])


def test_constant_is_missing() -> None:
    X = data()
    results = sm.OLS(outcome(), X).fit()
    with pytest.raises(ColumnError, match=r"lacks columns .*'const'; .*add_constant\(X, has_const"):
        strip(results, X.drop(columns="const")[:3])
    with pytest.raises(ColumnError, match=r"has 3 columns, .* on 4"):
        strip(results, X.drop(columns="const").to_numpy()[:3])


def test_extra_column() -> None:
    with pytest.raises(ColumnError, match="was not fitted on: 'more'"):
        strip(sm.OLS(outcome(), data()).fit(), data().assign(more=1.0)[:3])


def test_wrong_number_of_columns() -> None:
    results = sm.OLS(outcome(), data("array")).fit()
    with pytest.raises(
        ColumnError, match=r"example_input has 2 columns, but .* OLS was fitted on 4"
    ):
        strip(results, data("array")[:3, :2])


def test_text_column() -> None:
    with pytest.raises(UnsupportedModelError, match="needs number in column 'age', which holds te"):
        strip(sm.OLS(outcome(), data()).fit(), data().assign(age="old")[:3])


def test_parameters_that_are_no_numbers() -> None:
    results = glm(links.Identity(), [1.0, np.nan, 0.0, 0.0])
    with pytest.raises(UnsupportedModelError, match="parameters of statsmodels GLM hold NaN"):
        strip(results, data()[:3])


def test_ordered_model_with_another_distribution() -> None:
    results = fit(OrderedModel(outcome("class"), data("array")[:, 1:], distr=scipy.stats.gumbel_l))
    with pytest.raises(UnsupportedModelError, match=r'gumbel_l_gen has no stripper; .*"probit" or'):
        strip(results, data("array")[:3, 1:])


def test_ordered_model_from_a_formula() -> None:
    rows = table().assign(level=outcome("class"))
    results = fit(OrderedModel.from_formula("level ~ 0 + age", rows, distr="logit"), disp=0)
    with pytest.raises(UnsupportedModelError, match=r"formula 'level ~ 0 \+ age'; .*design matrix"):
        strip(results, rows[:3])


class Odd(links.Log):
    """A link of the user's own."""

    def inverse(self, z: Any) -> Any:
        return np.exp(z) + 1


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (Odd(), r"the link .*Odd has no stripper; fit with a link of statsmodels"),
        (links.CDFLink(scipy.stats.laplace), r"distribution .*laplace_gen .* norm, cauchy"),
        (links.CDFLink(scipy.stats.norm(1, 2)), r"distribution .*rv_continuous_frozen"),
    ],
)
def test_unsupported_link(link: Any, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        strip(glm(link, [1.0, 0.1, 0.1, 0.1]), data()[:3])


def test_deprecated_names_of_links() -> None:
    results = glm(make(links.cloglog), [0.1, 0.1, 0.1, 0.1])
    check(results, data(), atol=PROBABILITIES)
