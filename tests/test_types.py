"""Numbers in the types of example_input: dtype by container by model, program against model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeRegressor

import sclbl
from sclbl.errors import DtypeError
from sclbl.rows.infer import infer
from sclbl.strippers.example import as_rows

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
DTYPES = [*INTEGERS, "float32", "float64", "bool"]
ROWS = 24


def column(rng: np.random.Generator, dtype: str) -> np.ndarray:
    if dtype == "bool":
        return rng.random(ROWS) < 0.5
    if dtype in INTEGERS:
        limits = np.iinfo(dtype)
        low, high = max(limits.min, -1000), min(limits.max, 1000)
        return rng.integers(low, high, ROWS, endpoint=True).astype(dtype)
    return rng.normal(size=ROWS).astype(dtype)


def nullable(dtype: str) -> str:
    if dtype == "bool":
        return "boolean"
    return dtype.replace("u", "U").replace("int", "Int").replace("float", "Float")


def arrow_backed(values: np.ndarray) -> pd.Series:
    array = pa.array(values)
    return pd.Series(array, dtype=pd.ArrowDtype(array.type))


CONTAINERS: dict[str, Callable[[dict[str, np.ndarray]], Any]] = {
    "pandas": pd.DataFrame,
    "nullable": lambda c: pd.DataFrame(c).astype({k: nullable(str(v.dtype)) for k, v in c.items()}),
    "arrow-backed": lambda c: pd.DataFrame({k: arrow_backed(v) for k, v in c.items()}),
    "polars": lambda c: pl.DataFrame({k: pl.Series(v) for k, v in c.items()}),
    "arrow": lambda c: pa.table({k: pa.array(v) for k, v in c.items()}),
    "dict": dict,
}


def columns(kind: str) -> ColumnTransformer:
    scaler = StandardScaler() if kind == "scaled" else "passthrough"
    return ColumnTransformer([("ab", scaler, ["a", "b"]), ("c", "passthrough", ["c"])])


MODELS: dict[str, Callable[[], Any]] = {
    "standard": StandardScaler,
    "minmax": MinMaxScaler,
    "linear": LinearRegression,
    "imputed": lambda: make_pipeline(SimpleImputer(strategy="most_frequent"), MaxAbsScaler()),
    "columns": lambda: make_pipeline(columns("scaled"), Ridge()),
    "stacked": lambda: make_pipeline(columns("passed"), LinearRegression()),
    "union": lambda: make_pipeline(make_union("passthrough", StandardScaler()), PCA(2)),
    "sign": lambda: make_pipeline(FunctionTransformer(np.sign, validate=True), MaxAbsScaler()),
    "tree": lambda: DecisionTreeRegressor(max_depth=4),
}


def compared(model: Any, example: Any) -> None:
    """Fit on the example, compile, and compare the program's result with the model's."""
    given = as_rows(example, infer(example))
    fitted = model.fit(given, np.random.default_rng(1).normal(size=ROWS))
    method = "predict" if hasattr(fitted, "predict") else "transform"
    want = np.asarray(getattr(fitted, method)(given))
    got = np.asarray(getattr(sclbl.compile(fitted, example), method)(example))
    assert got.dtype == want.dtype
    single = want.dtype == np.float32 or "float32" in str(infer(example).to_json())
    rtol = 1e-5 if single else 1e-11
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol)


def mixed(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    pool = rng.choice(DTYPES, 2)
    return {name: column(rng, str(rng.choice(pool))) for name in "abc"}


def drawn(count: int) -> Iterator[tuple[str, str, int]]:
    """Draw pairs of model and container, each with the seed of its frame."""
    rng = np.random.default_rng(5)
    for seed in range(count):
        yield str(rng.choice(list(MODELS))), str(rng.choice(list(CONTAINERS))), seed


@pytest.mark.parametrize(("model", "container", "seed"), list(drawn(30)))
def test_mixed_frames(model: str, container: str, seed: int) -> None:
    compared(MODELS[model](), CONTAINERS[container](mixed(seed)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("model", MODELS)
def test_mixed_frames_of_every_sort(model: str, container: str, seed: int) -> None:
    compared(MODELS[model](), CONTAINERS[container](mixed(seed)))


@pytest.mark.parametrize("other", ["int8", "uint8", "int16", "uint16", "int32", "int64", "bool"])
def test_numbers_beside_float32_have_the_type_that_numpy_finds(other: str) -> None:
    rng = np.random.default_rng(7)
    example = pd.DataFrame({"s": column(rng, other), "e": column(rng, "float32")})
    model = StandardScaler().fit(example)
    program = sclbl.compile(model, example)
    want = model.transform(example)
    assert want.dtype == np.result_type(other, np.float32)
    got = program.transform(example)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-12 if want.dtype == np.float64 else 1e-6)
    rows = pd.DataFrame({"s": [0.5], "e": np.array([0.5], dtype=np.float32)})
    if want.dtype == np.float64:  # the column's own type does not matter: a fraction is as good
        np.testing.assert_allclose(program.transform(rows), model.transform(rows), rtol=1e-12)
        return
    with pytest.raises(
        DtypeError, match=rf"row 0, column 's' holds 0\.5, which is no {other}.*astype"
    ):
        program.transform(rows)
    with pytest.raises(DtypeError, match=rf"column 's' holds NaN, which is no {other}"):
        program.transform({"s": [None], "e": [0.5]})


@pytest.mark.parametrize("validate", [False, True])
@pytest.mark.parametrize("func", [np.negative, np.absolute, np.sign, np.floor, np.exp, np.log1p])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_functions_of_integers(func: np.ufunc, dtype: str, validate: bool) -> None:
    example = np.arange(6).astype(dtype).reshape(-1, 1)
    model = FunctionTransformer(func, validate=validate).fit(example)
    want, got = model.transform(example), sclbl.compile(model, example).transform(example)
    assert got.dtype == want.dtype
    rtol = {np.dtype(np.float16): 1e-3, np.dtype(np.float32): 1e-6}.get(want.dtype, 1e-12)
    np.testing.assert_allclose(got, want, rtol=rtol)


def test_a_function_of_int16_takes_int16() -> None:
    """NumPy computes in float32, so another type of the same rows has other numbers."""
    example = np.arange(6, dtype=np.int16).reshape(-1, 1)
    program = sclbl.compile(FunctionTransformer(np.exp).fit(example), example)
    for bad in (40_000, 0.5):
        with pytest.raises(DtypeError, match=rf"row 0, column '0' holds {bad}, which is no int16"):
            program.transform(np.array([[bad]]))


def test_an_imputer_that_rounds_its_statistics_takes_integers() -> None:
    model = SimpleImputer(missing_values=-3, strategy="most_frequent")
    model.fit([[871.5], [871.5], [-3.0], [2.0]])
    whole = np.array([[1], [-3]])
    program = sclbl.compile(model, whole)
    np.testing.assert_array_equal(program.transform(whole), model.transform(whole))
    with pytest.raises(DtypeError, match=r"column '0' holds 0\.5, which is no int64"):
        program.transform([[0.5]])
    floats = sclbl.compile(model, whole.astype(float))
    np.testing.assert_array_equal(floats.transform(whole), model.transform(whole.astype(float)))


def test_an_imputer_with_whole_statistics_takes_floats() -> None:
    model = SimpleImputer(strategy="most_frequent").fit([[3.0], [3.0], [np.nan]])
    program = sclbl.compile(model, np.array([[1], [2]]))
    rows = np.array([[0.5], [np.nan]])
    np.testing.assert_array_equal(program.transform(rows), model.transform(rows))


@pytest.mark.parametrize("weight", [3, 0.5])
@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "bool"])
def test_a_weight_is_multiplied_as_numpy_does(weight: Any, dtype: str) -> None:
    example = pd.DataFrame({"a": np.array([1, 0, 100]).astype(dtype)})
    model = ColumnTransformer([("a", "passthrough", ["a"])], transformer_weights={"a": weight})
    want = np.asarray(model.fit(example).transform(example))
    got = sclbl.compile(model, example).transform(example)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


# ------------------------------------------------------ float32 beside float64


@pytest.fixture(scope="module")
def scaled() -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    example = pd.DataFrame({"e": column(rng, "float32"), "a": column(rng, "float64")})
    model = ColumnTransformer([("s", StandardScaler(), ["e"]), ("p", "passthrough", ["a"])])
    return model.fit(example), sclbl.compile(model, example)


TYPED: dict[str, Callable[[Any, Any], Any]] = {
    "array": lambda e, a: np.array([[0.5, 0.5], [e, a]]),
    "pandas": lambda e, a: pd.DataFrame({"e": [0.5, e], "a": [0.5, a]}),
    "nullable": lambda e, a: pd.DataFrame({"e": [0.5, e], "a": [0.5, a]}, dtype="Float64"),
    "polars": lambda e, a: pl.DataFrame({"e": [0.5, e], "a": [0.5, a]}),
    "arrow": lambda e, a: pa.table({"e": [0.5, e], "a": [0.5, a]}),
    "dict of arrays": lambda e, a: {"e": np.array([0.5, e]), "a": np.array([0.5, a])},
    "lists of NumPy scalars": lambda e, a: [[0.5, 0.5], [np.float64(e), np.float64(a)]],
    "dicts of NumPy scalars": lambda e, a: [{"e": 0.5, "a": 0.5}, {"e": np.float64(e), "a": a}],
}
LITERAL: dict[str, Callable[[Any, Any], Any]] = {
    "objects": lambda e, a: pd.DataFrame({"e": [0.5, e], "a": [0.5, a]}, dtype=object),
    "lists": lambda e, a: [[0.5, 0.5], [e, a]],
    "dict of lists": lambda e, a: {"e": [0.5, e], "a": [0.5, a]},
    "dicts": lambda e, a: [{"e": 0.5, "a": 0.5}, {"e": e, "a": a}],
}


@pytest.mark.parametrize("container", TYPED)
def test_typed_numbers_are_never_rounded(container: str, scaled: tuple[Any, Any]) -> None:
    model, program = scaled
    exact = float(np.float32(0.1))
    want = model.transform(pd.DataFrame({"e": np.array([0.5, exact], "f4"), "a": [0.5, 0.1]}))
    np.testing.assert_array_equal(program.transform(TYPED[container](exact, 0.1)), want)
    with pytest.raises(
        DtypeError,
        match=r"row 1, column 'e' holds 0\.1, which is no float32; it is not a float32 number",
    ) as e:
        program.transform(TYPED[container](0.1, 0.1))
    assert (e.value.row, e.value.column) == (1, "e")


@pytest.mark.parametrize("container", LITERAL)
def test_literals_are_the_nearest_numbers(container: str, scaled: tuple[Any, Any]) -> None:
    model, program = scaled
    want = model.transform(pd.DataFrame({"e": np.array([0.5, 0.1], "f4"), "a": [0.5, 0.1]}))
    np.testing.assert_array_equal(program.transform(LITERAL[container](0.1, 0.1)), want)
    with pytest.raises(
        DtypeError,
        match=r"row 1, column 'e' holds 1e\+39, which is no float32; it is too large for float32",
    ):
        program.transform(LITERAL[container](1e39, 0.1))


def test_float16_is_exact(scaled: tuple[Any, Any]) -> None:
    model, program = scaled
    rows = np.array([[0.1, 0.1]], dtype=np.float16)
    wide = pd.DataFrame({"e": rows[:, 0].astype("f4"), "a": rows[:, 1].astype("f8")})
    np.testing.assert_array_equal(program.transform(rows), model.transform(wide))


# ------------------------------------------------------------ the model's number


def test_rows_of_another_type_give_the_number_in_the_types_of_the_example() -> None:
    rng = np.random.default_rng(11)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    wide = X.astype(np.float64)
    model = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=9))
    model.fit(wide, rng.normal(size=200))
    program = sclbl.compile(model, wide[:5])
    np.testing.assert_array_equal(program.predict(X), model.predict(wide))
    single = sclbl.compile(model, X[:5])
    np.testing.assert_array_equal(single.predict(X), model.predict(X))


def test_integers_of_a_float32_program_are_float32() -> None:
    example = np.ones((3, 1), dtype=np.float32)
    model = FunctionTransformer(np.exp).fit(example)
    rows = np.array([[100], [1]], dtype=np.int32)
    got = sclbl.compile(model, example).transform(rows)
    with np.errstate(over="ignore"):
        want = model.transform(rows.astype(np.float32))
    assert np.isinf(want[0, 0])
    np.testing.assert_allclose(got, want, rtol=1e-6)
