"""SimpleImputer and MissingIndicator, beside scikit-learn's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_union

from sclbl.errors import InfiniteValueError, MissingValueError, UnsupportedModelError
from sclbl.strippers import strip
from tests.conformance.beside import check, run

NAN = np.nan
STRATEGIES = ["mean", "median", "most_frequent", "constant"]


def numbers(dtype: Any = np.float64, marker: float = NAN) -> np.ndarray:
    """Return numbers of which each column but the last misses some."""
    rng = np.random.default_rng(7)
    X = np.rint(rng.normal(scale=3, size=(12, 4))) / (1 if np.dtype(dtype).kind == "i" else 8)
    X[0, 0] = X[3, 1] = X[3, 2] = X[11, 0] = marker
    return X.astype(dtype)


@pytest.mark.parametrize("add_indicator", [False, True])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numbers(dtype: Any, strategy: str, add_indicator: bool) -> None:
    X = numbers(dtype)
    model = SimpleImputer(strategy=strategy, add_indicator=add_indicator).fit(X)
    spec = check(model, X)
    assert spec.signature.outputs["transform"].dtype == np.dtype(dtype).name
    check(model, X, np.full((3, 4), NAN, dtype=dtype))
    check(model, X, X[3:4])
    check(model, X, np.full((2, 4), -0.0, dtype=dtype))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("fitted", [np.float64, np.float32])
@pytest.mark.parametrize("given", [np.float64, np.float32])
def test_fitted_on_one_precision_and_given_another(fitted: Any, given: Any, strategy: str) -> None:
    options = {"fill_value": 0.1} if strategy == "constant" else {}
    model = SimpleImputer(strategy=strategy, **options).fit(numbers(fitted) / 3)
    check(model, (numbers(given) / 3).astype(given))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float64, np.float32])
def test_a_number_that_stands_for_missing(dtype: Any, strategy: str) -> None:
    X = numbers(dtype, marker=-1)
    model = SimpleImputer(missing_values=-1, strategy=strategy, add_indicator=True).fit(X)
    check(model, X)


def test_whole_numbers_cut_what_fills_them() -> None:
    fitted = np.array([[2.5], [2.5], [-1.0]])
    model = SimpleImputer(missing_values=-1, strategy="most_frequent").fit(fitted)
    check(model, np.array([[-1], [4]]))


@pytest.mark.parametrize("marker", [0.1, np.float64(0.1), np.float32(0.1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_marker_is_compared_in_the_precision_that_numpy_takes(dtype: Any, marker: Any) -> None:
    X = np.array([[0.1, 1], [2, 0.1], [np.float32(0.1), 3]], dtype=dtype)
    model = SimpleImputer(missing_values=marker, strategy="constant", fill_value=9.0).fit(X)
    check(model, X)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_columns_that_were_missing_throughout(dtype: Any, keep: bool, strategy: str) -> None:
    X = numbers(dtype)
    X[:, 1] = NAN
    with pytest.warns(UserWarning, match="Skipping features") if not keep else _quiet():
        model = SimpleImputer(strategy=strategy, keep_empty_features=keep, add_indicator=True).fit(
            X
        )
        model.transform(X)
    X[2, 1] = 5.0
    check(model, X)
    X[2, 1] = np.inf
    with pytest.raises(InfiniteValueError, match="row 2, column 1"):
        run(strip(model, X[:1]), X)


def _quiet() -> Any:
    import contextlib

    return contextlib.nullcontext()


def test_a_strategy_of_ones_own() -> None:
    X = numbers()
    check(SimpleImputer(strategy=np.ptp).fit(X), X)


@pytest.mark.parametrize(("marker", "column"), [(NAN, "nan"), (-1, "number")])
def test_refused_numbers(marker: float, column: str) -> None:
    X = numbers(marker=marker)
    spec = strip(SimpleImputer(missing_values=marker).fit(X), X)
    bad = X.copy()
    bad[5, 2] = np.inf
    with pytest.raises(InfiniteValueError, match="row 5, column 2"):
        run(spec, bad)
    bad[5, 2] = NAN
    if marker == -1:
        with pytest.raises(MissingValueError, match="row 5, column 2"):
            run(spec, bad)
    else:
        run(spec, bad)


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "float": [1.5, NAN, 2.5, 1.5],
            "int": [3, 1, 2, 3],
            "float32": np.array([NAN, 0.1, 0.1, 7], dtype=np.float32),
            "nullable": pd.array([4, None, 5, 5], dtype="Int64"),
            "bool": [True, False, True, True],
        }
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "columns",
    [
        ["float", "int"],
        ["float32"],
        ["float32", "int"],
        ["float32", "float"],
        ["int"],
        ["nullable", "float"],
        ["bool", "float"],
        ["bool", "int", "float32"],
    ],
    ids="-".join,
)
def test_frames_of_numbers(columns: list[str], strategy: str) -> None:
    X = frame()[columns]
    model = SimpleImputer(strategy=strategy, add_indicator=True)
    if strategy == "constant" and "bool" in columns:
        # An array of objects, which scikit-learn fills with text unless told otherwise.
        model.set_params(fill_value=0)
    check(model.fit(X), X)


TEXT = {
    "str": pd.DataFrame({"a": ["x", None, "y", "y"], "b": ["", "é", None, "z"]}),
    "category": pd.DataFrame({"a": pd.Categorical(["x", None, "y", "y"])}),
    "NaN": np.array([["x", "p"], [NAN, "q"], ["y", NAN], ["y", "q"]], dtype=object),
}


@pytest.mark.parametrize("X", TEXT.values(), ids=TEXT)
@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
@pytest.mark.parametrize("marker", [NAN, pd.NA])
def test_text(marker: Any, strategy: str, X: Any) -> None:
    model = SimpleImputer(missing_values=marker, strategy=strategy).fit(X)
    spec = check(model, X)
    assert spec.signature.outputs["transform"].storage == "text"
    check(model, X, X[1:2])


def test_none_as_the_marker() -> None:
    X = np.array([["x"], [None], ["y"], ["y"]], dtype=object)
    check(SimpleImputer(missing_values=None, strategy="most_frequent").fit(X), X)


def test_a_text_that_stands_for_missing() -> None:
    X = pd.DataFrame({"a": ["?", "b", "b", "c"], "b": ["q", "?", "", "q"]})
    model = SimpleImputer(missing_values="?", strategy="most_frequent").fit(X)
    spec = check(model, X)
    with pytest.raises(MissingValueError, match="row 1, column 1"):
        run(spec, pd.DataFrame({"a": ["?", "b"], "b": ["q", None]}))


def test_text_and_numbers_in_one_imputer_pass_on_as_they_are() -> None:
    X = pd.DataFrame({"t": ["a", None, "a"], "n": [1.0, NAN, 1.0], "i": [4, 5, 5]})
    model = make_column_transformer(
        (SimpleImputer(strategy="most_frequent"), ["t", "n", "i"]),
    ).fit(X)
    with pytest.raises(UnsupportedModelError, match="results in text and numbers side by side"):
        strip(model, X)


@pytest.mark.parametrize(
    ("X", "fill", "has"),
    [
        (pd.DataFrame({"t": ["a", None], "n": [1.0, NAN]}), "none", "numbers, with text"),
        (pd.DataFrame({"t": ["a", None], "n": [1.0, NAN]}), 0, "text, with a number"),
    ],
)
def test_a_fill_of_the_other_sort(X: pd.DataFrame, fill: Any, has: str) -> None:
    model = SimpleImputer(strategy="constant", fill_value=fill).fit(X)
    with pytest.raises(UnsupportedModelError, match=f"which holds {has}"):
        strip(model, X)


def test_text_where_the_imputer_takes_numbers() -> None:
    X = pd.DataFrame({"a": [1.0, 2.0]})
    with pytest.raises(UnsupportedModelError, match="SimpleImputer needs number in column 'a'"):
        strip(SimpleImputer().fit(X), pd.DataFrame({"a": ["x"]}))


@pytest.mark.parametrize("features", ["missing-only", "all"])
@pytest.mark.parametrize("X", [numbers(), numbers(np.float32), frame()[["float", "nullable"]]])
def test_indicator_of_numbers(X: Any, features: str) -> None:
    check(MissingIndicator(features=features).fit(X), X)


@pytest.mark.parametrize("X", [TEXT["str"], TEXT["NaN"]], ids=["str", "NaN"])
def test_indicator_of_text(X: Any) -> None:
    check(MissingIndicator().fit(X), X)


def test_indicator_of_a_marker() -> None:
    X = numbers(np.int64, marker=-1)
    check(MissingIndicator(missing_values=-1, error_on_new=False).fit(X), X, X[::-1])


@pytest.mark.parametrize("marker", [NAN, -1.0])
def test_indicator_refuses_what_was_never_missing(marker: float) -> None:
    X = numbers(marker=marker)
    X[:, 3] = 2
    model = MissingIndicator(missing_values=marker).fit(X)
    bad = X.copy()
    bad[4, 3] = marker
    with pytest.raises(ValueError, match="no missing values in fit"):
        model.transform(bad)
    with pytest.raises(MissingValueError, match="row 4, column 3"):
        run(strip(model, X), bad)
    check(MissingIndicator(missing_values=marker, error_on_new=False).fit(X), X, bad)


def test_an_indicator_without_columns_still_refuses() -> None:
    X = np.ones((3, 2))
    model = make_union(MissingIndicator(), SimpleImputer()).fit(X)
    spec = check(model, X)
    with pytest.raises(MissingValueError, match="row 0, column 1"):
        run(spec, np.array([[1.0, NAN]]))
