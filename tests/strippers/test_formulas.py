"""Models fitted from formulas: their programs take raw rows, and predict what statsmodels does."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula as engines
import statsmodels.formula.api as smf

import sclbl
from sclbl.errors import (
    ColumnError,
    InfiniteValueError,
    MissingValueError,
    OutOfRangeError,
    UnknownCategoryError,
    UnsupportedModelError,
)
from sclbl.reference import evaluate
from sclbl.rows import encode
from sclbl.rows.infer import infer
from sclbl.strippers import strip
from sclbl.strippers.example import needed_columns
from sclbl.strippers.graph import Builder
from sclbl.strippers.promotion import dtypes_of
from sclbl.strippers.statsmodels.exog import design
from tests.conformance.beside import check
from tests.conformance.definition import defined, texts_of

SEVERAL = hasattr(engines, "options")  # statsmodels 0.14 knows patsy alone
ENGINES = ("patsy", "formulaic") if SEVERAL else ("patsy",)


def with_several(test: Any) -> Any:
    """Leave a test out where statsmodels has one engine."""
    return test if SEVERAL else None


ROWS = 90


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Fit and predict with one engine."""
    if not SEVERAL:
        yield request.param
        return
    before = engines.options.formula_engine
    engines.options.formula_engine = request.param
    yield request.param
    engines.options.formula_engine = before


@pytest.fixture
def patsy() -> Iterator[None]:
    """Fit and predict with patsy, which keeps what the code around the fit called things."""
    if not SEVERAL:
        yield
        return
    before = engines.options.formula_engine
    engines.options.formula_engine = "patsy"
    yield
    engines.options.formula_engine = before


@pytest.fixture
def formulaic() -> Iterator[None]:
    before = engines.options.formula_engine
    engines.options.formula_engine = "formulaic"
    yield
    engines.options.formula_engine = before


def table() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x, z = rng.normal(size=ROWS), rng.uniform(-2, 3, ROWS)
    city = rng.choice(["Ulm", "Bonn", "Köln"], ROWS)
    frame = pd.DataFrame(
        {
            "x": x,
            "z": z,
            "k": rng.integers(0, 4, ROWS),
            "hour": rng.integers(0, 24, ROWS).astype(float),
            "city": city,
            "member": rng.random(ROWS) > 0.4,
            "size": pd.Categorical(rng.choice(["S", "M", "L"], ROWS), ["S", "M", "L"]),
            "single": x.astype(np.float32),
            "two words": z * 2,
        }
    )
    y = 1 + x - 0.5 * z + (city == "Ulm") + 0.3 * frame["k"] + rng.normal(size=ROWS) / 4
    return frame.assign(
        y=y, win=(y > y.median()).astype(float), count=np.floor(np.exp(y / 3)), positive=np.exp(y)
    )


def fitted(formula: str, method: str = "ols", **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of singular designs
        return getattr(smf, method)(formula, table(), **options).fit()


def rows(count: int = 40) -> pd.DataFrame:
    """Return rows that no fit saw, within the range of the training rows."""
    rng = np.random.default_rng(5)
    frame = table().drop(columns=["y", "win", "count", "positive"])
    mixed = pd.DataFrame({n: frame[n].to_numpy()[rng.permutation(ROWS)[:count]] for n in frame})
    return mixed.astype(frame.dtypes)


BOTH = (
    "y ~ x + z", "y ~ city", "y ~ city - 1", "y ~ x + city", "y ~ 0 + x + city", "y ~ x:z",
    "y ~ x * z * k", "y ~ city * x", "y ~ city:x", "y ~ city:member", "y ~ city:member - 1",
    "y ~ city * member * size", "y ~ C(k):city", "y ~ C(k):x - 1", "y ~ (x + z + city) ** 2",
    "y ~ member", "y ~ member:x", "y ~ member - 1", "y ~ size", "y ~ size * k",
    "y ~ C(k)", "y ~ C(k, Treatment(2))", "y ~ C(city, Treatment('Köln'))",
    "y ~ C(city, Treatment(reference='Ulm')) * x", "y ~ C(city, Sum)", "y ~ C(city, Sum):x",
    "y ~ C(k, Helmert)", "y ~ C(k, Helmert) * member", "y ~ C(k, Poly)", "y ~ C(k, Diff)",
    "y ~ C(size, Poly) - 1", "y ~ C(city, levels=['Ulm', 'Köln', 'Bonn'])",
    "y ~ C(city, levels=['Ulm', 'Köln', 'Bonn', 'Trier'])", "y ~ C(C(k))", "y ~ C(x > 0)",
    "y ~ C(k, np.array([[1, 0], [2, 1], [0, 5], [0.5, 0]]))",
    "y ~ np.log(z + 3)", "y ~ np.exp(x) + np.sqrt(np.abs(z))", "y ~ I(x ** 2) + I(x * z)",
    "y ~ I(x / (z + 9))", "y ~ np.where(x > 0, z, 0)", "y ~ np.minimum(x, z) + np.log1p(z ** 2)",
    "y ~ I(x > 0)", "y ~ I(city == 'Ulm')", "y ~ np.power(x, 3) + x", "y ~ I(k ** 2) + I(k // 2)",
    "y ~ x.clip(-1, 1)", "y ~ np.sqrt(x.abs())", "y ~ x.astype(int)", "y ~ Q('two words') + x",
    "y ~ Q('two words'):city", "y ~ center(x)", "y ~ center(x) * z + np.exp(center(z))",
    "y ~ standardize(x) + scale(z)", "y ~ scale(x, ddof=0)", "y ~ standardize(z, rescale=False)",
    "y ~ center(k) + standardize(hour)", "y ~ bs(x, df=5)", "y ~ bs(x, df=4, degree=2) * city",
    "y ~ bs(x, df=6, include_intercept=True) - 1", "y ~ bs(x, df=3, degree=1) + bs(z, df=4)",
    "y ~ bs(x, knots=[-0.5, 0.5], lower_bound=-9, upper_bound=9)", "y ~ bs(k, df=3)",
    "y ~ cr(x, df=4)", "y ~ cr(x, df=3)", "y ~ cr(x, df=4, constraints='center') + z",
    "y ~ cc(hour, df=4)", "y ~ cc(hour, df=5, constraints='center')", "y ~ cc(k, df=3)",
    "y ~ cc(hour, df=3, lower_bound=0, upper_bound=24) * member", "y ~ cc(single, df=3)",
    "y ~ single * k + np.exp(single)", "y ~ single:z:k + center(single)", "y ~ bs(center(x), df=4)",
    "y ~ np.log10(z + 3) * city + np.log2(k + 1)",
)  # fmt: skip
PATSY = (
    "y ~ te(cr(x, df=3), cr(z, df=3))", "y ~ te(cr(x, df=3), cr(z, df=3), constraints='center')",
    "y ~ te(bs(x, df=4), cc(hour, df=3), cr(z, df=3))", "y ~ k % 2", "y ~ (x > 0)",
    "y ~ x > 0", "y ~ I(x) + I(I(z))", "y ~ te(x, cr(z, df=3))",
)  # fmt: skip
FORMULAIC = (
    "y ~ poly(x, 3)", "y ~ poly(x, 2, raw=True)", "y ~ poly(k, 2):city", "y ~ x + 3:z",
    "y ~ {x ** 2} + {x * z}", "y ~ C(city, contr.sum)", "y ~ C(city, contr.treatment('Ulm')):x",
    "y ~ C(k, contr.helmert(scale=True))", "y ~ C(k, contr.SAS)", "y ~ C(k, contr.diff)",
    "y ~ C(k, contr.poly(scores=[1, 2, 4, 8]))", "y ~ C(city, {'a': [1, 2, 3], 'b': [0, 1, 0]})",
    "y ~ C(city, spans_intercept=False)", "y ~ bs(x, df=4, extrapolation='clip')",
    "y ~ bs(x, df=4, extrapolation='extend')", "y ~ bs(x, df=4, extrapolation='zero')",
    "y ~ cr(x, df=4, extrapolation='clip')", "y ~ cr(x, df=4, extrapolation='zero')",
    "y ~ cs(x, df=4)", "y ~ log(z + 3) + exp(x) + log10(z + 4):log2(z + 9)",
    "y ~ exp10(x)", "y ~ scale(x, center=1.5, scale=2)", "y ~ single:single:z + single * member",
)  # fmt: skip


def agree(formula: str) -> None:
    results = fitted(formula)
    check(results, rows(5), rows(), rtol=1e-12, atol=1e-13)
    # Each column of the design, on the rows that it was made of.
    made = designed(results, table())
    np.testing.assert_allclose(made, results.model.exog, rtol=1e-12, atol=1e-14)


def designed(results: Any, asked: pd.DataFrame) -> np.ndarray:
    """Return the design matrix that a graph makes of raw rows."""
    asked = needed_columns(results, asked)
    signature = infer(asked)
    build = Builder(signature, dtypes_of(asked, signature))
    graph = build.finish({"design": design(results, build.table())})
    blocks = encode(asked, signature)
    return evaluate(graph, blocks.numeric, texts_of(blocks))["design"]


@pytest.mark.parametrize("formula", BOTH)
def test_formula(engine: str, formula: str) -> None:
    agree(formula)


@pytest.mark.parametrize("formula", PATSY)
@pytest.mark.usefixtures("patsy")
def test_formula_of_patsy(formula: str) -> None:
    agree(formula)


@with_several
@pytest.mark.parametrize("formula", FORMULAIC)
@pytest.mark.usefixtures("formulaic")
def test_formula_of_formulaic(formula: str) -> None:
    agree(formula)


METHODS = (
    ("glm", "count", {"family": sm.families.Poisson()}),
    ("glm", "positive", {"family": sm.families.Gamma(sm.families.links.Log())}),
    ("poisson", "count", {}),
    ("logit", "win", {}),
    ("quantreg", "y", {}),
    ("rlm", "y", {}),
    ("wls", "y", {"weights": np.linspace(1, 2, ROWS)}),
)


@pytest.mark.parametrize(("method", "outcome", "options"), METHODS)
def test_formula_of_other_models(
    engine: str, method: str, outcome: str, options: dict[str, Any]
) -> None:
    results = fitted(f"{outcome} ~ x * city + np.log(z + 3)", method, **options)
    check(results, rows(5), rows(), rtol=1e-12, atol=1e-13)


def test_wide_numbers(engine: str) -> None:
    """A cyclic spline finds its place after many periods, exactly."""
    results = fitted("y ~ cc(hour, df=5) + cr(z, df=4)")
    far = np.array(
        [-1e18, -1e9 - 0.1, -23.7, -1e-300, 23.0, 24.1, 46.0, 1e5 + 0.3, 7e15, 3e22, 8e26]
    )
    frame = pd.DataFrame({"hour": far, "z": 0.5})
    found = defined(strip(results, frame), frame)["predict"]
    np.testing.assert_allclose(found.ravel(), results.predict(frame), rtol=1e-12)


# -------------------------------------------------------------------------------- scope

OFFSET, CUTS = 3.5, [0.1, 0.2]
WEIGHTS = np.array([2.0, 3.0])


def doubled(v: Any, by: float = 2) -> Any:
    return np.where(v > OFFSET, v, v * by)


@pytest.mark.usefixtures("patsy")
def test_names_of_the_code_around() -> None:
    levels, knots = ["Ulm", "Köln", "Bonn"], [-0.5, 0.5]
    results = smf.ols(
        "y ~ I(z * WEIGHTS[1]) + C(city, levels=levels) + doubled(hour) + bs(x, knots=knots)"
        " + I(k + OFFSET) + I(x > CUTS[0])",
        table(),
    ).fit()
    assert (len(levels), len(knots)) == (3, 2)
    check(results, rows(5), rows(), rtol=1e-12, atol=1e-13)


@with_several
@pytest.mark.usefixtures("formulaic")
def test_names_that_formulaic_forgets() -> None:
    results = smf.ols("y ~ I(x + OFFSET)", table()).fit()
    with pytest.raises(UnsupportedModelError, match=r"reads 'OFFSET' of the code .* a column$"):
        strip(results, rows(5))


@pytest.mark.usefixtures("patsy")
def test_values_of_the_training_rows() -> None:
    outside = np.arange(ROWS) / 7.0
    results = smf.ols("y ~ x + outside", table()).fit()
    assert len(outside) == ROWS
    with pytest.raises(UnsupportedModelError, match=r"'outside' .* reads no column .* a column of"):
        strip(results, rows(5))


@pytest.mark.usefixtures("patsy")
def test_coding_of_the_user() -> None:
    from patsy import ContrastMatrix

    class Simple:
        def code_with_intercept(self, levels: list[Any]) -> ContrastMatrix:
            count = len(levels)
            return ContrastMatrix(np.eye(count) - 1 / count, [f"[Simple.{v}]" for v in levels])

        def code_without_intercept(self, levels: list[Any]) -> ContrastMatrix:
            full = self.code_with_intercept(levels)
            return ContrastMatrix(full.matrix[:, 1:], full.column_suffixes[1:])

    results = smf.ols("y ~ C(city, Simple) * x + C(k, Simple())", table()).fit()
    assert any("Simple.Ulm" in name for name in results.model.exog_names)
    assert Simple is not None
    check(results, rows(5), rows(), rtol=1e-12, atol=1e-13)


@pytest.mark.usefixtures("patsy")
def test_stateful_transform_of_the_user() -> None:
    import patsy as library

    class Halved:
        def memorize_chunk(self, x: Any) -> None:
            self.most = np.max(x)

        def memorize_finish(self) -> None:
            self.most = self.most / 2

        def transform(self, x: Any) -> Any:
            return np.minimum(x, self.most)

    halved = library.stateful_transform(Halved)
    results = smf.ols("y ~ halved(x) + z", table()).fit()
    check(results, rows(5), rows(), rtol=1e-12)
    assert halved is not None


# ----------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ I(x - x.mean())", r"'I\(x - x.mean\(\)\)' .* depends on the other rows"),
        ("y ~ I(x - np.mean(x))", r"'I\(x - np.mean\(x\)\)' .* cannot be compiled"),
        ("y ~ city.str.upper()", r"'city.str.upper\(\)' .* Series.str has no equivalent"),
        ("y ~ pd.cut(x, [-9, 0, 9])", r"pd.cut has no equivalent"),
        ("y ~ np.floor(np.log10(z + 3))", r"logarithms to other bases than e, stand alone in a f"),
        ("y ~ I(np.log2(z + 3) > 1)", r"logarithms to other bases than e, stand alone in a f"),
        ("y ~ bs(np.log10(z + 3), df=4)", r"it is given something else than columns of numbers"),
        ("y ~ np.log10(single + 9)", r"np.log10 is given float32 numbers; give it float64"),
    ],
)
def test_what_cannot_be_compiled(engine: str, formula: str, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        strip(fitted(formula), rows(5))


@with_several
@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ lag(x)", "lag gives a row what another row holds"),
        ("y ~ hashed(city, 3)", "hashed takes MD5 of each text"),
    ],
)
@pytest.mark.usefixtures("formulaic")
def test_what_cannot_be_compiled_of_formulaic(formula: str, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        strip(fitted(formula), rows(5))


def test_other_kinds_of_columns(engine: str) -> None:
    with pytest.raises(UnsupportedModelError, match=r"'city' was fitted on categories such as 'Bo"):
        strip(fitted("y ~ city"), rows(5).assign(city=1.0))
    with pytest.raises(UnsupportedModelError, match=r"'x' .* was fitted on numbers, and is no col"):
        strip(fitted("y ~ x"), rows(5).assign(x="a"))
    with pytest.raises(UnsupportedModelError, match="an intercept alone"):
        strip(fitted("y ~ 1"), rows(5))
    with pytest.raises(ColumnError, match=r"lacks the column 'two words' .*; it has 'x'"):
        strip(fitted("y ~ x + Q('two words')"), rows(5)[["x", "z"]])


@with_several
def test_engine_of_the_fit(engine: str) -> None:
    results = fitted("y ~ x")
    engines.options.formula_engine = next(e for e in ENGINES if e != engine)
    with pytest.raises(UnsupportedModelError, match=rf"formula engine {engine}, .* = '{engine}'"):
        strip(results, rows(5))


def test_rows_that_are_refused(engine: str) -> None:
    results = fitted("y ~ city + member + C(k) + np.log(x + 9) + bs(z, df=4)")
    program = sclbl.compile(results, rows(5))
    good = rows(3)
    np.testing.assert_allclose(program.predict(good), results.predict(good), rtol=1e-12)
    for column, value, error in (
        ("city", "Rom", UnknownCategoryError),
        ("city", None, MissingValueError),
        ("city", np.nan, MissingValueError),
        ("k", 7, UnknownCategoryError),
        ("x", np.nan, MissingValueError),
        ("x", np.inf, InfiniteValueError),
        ("z", np.nan, MissingValueError),
        ("z", 99.0, OutOfRangeError),
    ):
        bad = good.astype({column: object})
        bad.loc[bad.index[1], column] = value
        with pytest.raises(error, match=rf"row 1, column {column!r}") as caught:
            program.predict(bad)
        assert caught.value.row == 1


# --------------------------------------------------------------------------- containers


def test_rows_in_other_containers(engine: str) -> None:
    results = fitted("y ~ city * x + member + C(k, Sum) + np.log(z + 3)")
    program = sclbl.compile(results, rows(5))
    asked = rows(8)
    expected = results.predict(asked).to_numpy()
    names = [c.name for c in program.signature.columns]
    assert sorted(names) == ["city", "k", "member", "x", "z"]
    records = asked[names].to_dict("records")
    forms: list[Any] = [
        asked,
        asked[asked.columns[::-1]],
        asked.assign(more="?"),
        asked[names].to_dict("list"),
        records,
        [{"more": 1, **dict(reversed(record.items()))} for record in records],
    ]
    for form in forms:
        np.testing.assert_allclose(program.predict(form), expected, rtol=1e-12)
    np.testing.assert_allclose(program.predict(records[2]), expected[2:3], rtol=1e-12)
    for example in (records[:5], asked[names][:5].to_dict("list"), records[0]):
        spec = strip(results, example)
        assert sorted(c.name or "" for c in spec.signature.columns) == sorted(names)
        np.testing.assert_allclose(defined(spec, asked)["predict"].ravel(), expected, rtol=1e-12)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_examples_of_other_libraries(engine: str, library: str) -> None:
    results = fitted("y ~ city * x + member + C(k)")
    asked = rows(8)[["x", "city", "member", "k"]]
    if library == "polars":
        import polars as pl

        example: Any = pl.DataFrame(asked.to_dict("list"))
    else:
        import pyarrow as pa

        example = pa.table(asked.to_dict("list"))
    program = sclbl.compile(results, example)
    np.testing.assert_allclose(program.predict(example), results.predict(asked), rtol=1e-12)


def test_size(engine: str) -> None:
    results = fitted(
        "y ~ C(city) * x + np.log(z + 3) + bs(hour, df=4) + member + C(k) + center(z):x + I(x ** 2)"
    )
    assert len(sclbl.compile(results, rows(5)).wasm) < 12_000
