"""Options of pandas' and NumPy's functions in users' code: followed, or refused by name."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.preprocessing import FunctionTransformer

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import strip
from tests.conformance.beside import check

RNG = np.random.default_rng(8)
FLOATS = pd.DataFrame(RNG.normal(size=(60, 3)) * 3, columns=["a", "b", "x"])
FLOATS.loc[::3, "a"] = np.nan
FLOATS.loc[::4, "b"] = np.nan
FLOATS.loc[::12, "x"] = np.nan
FLOATS.loc[5, "b"] = np.inf
INTEGERS = pd.DataFrame({"m": RNG.integers(-70, 70, 60), "n": np.arange(60) * 5})

OF_FLOATS: dict[str, Callable[[Any], Any]] = {
    "one number at least": lambda d: d.assign(s=d.sum(axis=1, min_count=1)),
    "two numbers at least": lambda d: d.sum(axis=1, min_count=2, skipna=False).to_frame(),
    "more than there are": lambda d: d.sum(axis=1, min_count=4).to_frame(),
    "clip of a frame": lambda d: np.clip(d, a_min=0, a_max=1),
    "clip by position": lambda d: np.clip(d, 0, None),
    "clip of a column": lambda d: d.assign(a=np.clip(d["a"], a_min=0, a_max=None)),
    "clip with min": lambda d: d.assign(a=np.clip(d["a"], max=0), b=np.clip(d["b"], min=1, max=2)),
    "clip of an array": lambda d: np.clip(d.to_numpy(), a_min=0, a_max=1),
    "clip of an array with min": lambda d: np.clip(d.to_numpy(), min=0) + d.to_numpy().clip(max=1),
    "std of NumPy": lambda d: np.std(d, axis=1).to_frame(),
    "std": lambda d: d.std(axis=1).to_frame(),
    "std of fewer": lambda d: np.std(d, axis=1, ddof=2).to_frame(),
    "var": lambda d: pd.DataFrame({"p": np.var(d, axis=1), "q": d.var(axis=1, skipna=False)}),
    "one column": lambda d: pd.DataFrame(
        {"p": d[["a"]].std(axis=1), "q": np.std(d[["a"]], axis=1)}
    ),
    "mean of NumPy": lambda d: np.mean(d, axis=1).to_frame(),
    "extremes of NumPy": lambda d: (np.max(d, axis=1) - np.amin(d, axis=1)).to_frame(),
    "mean with NaN": lambda d: d.mean(axis="columns", skipna=False).to_frame(),
    "any and all": lambda d: d.assign(p=(d > 0).any(axis=1), q=np.all(d > 0, axis=1)),
    "how many": lambda d: (d > 0).sum(axis=1).to_frame(),
    "numbers alone": lambda d: d.mean(axis=1, numeric_only=True).to_frame(),
    "rounded": lambda d: np.round(d, decimals=1),
    "filled by a frame": lambda d: d.fillna(d[["x", "a", "b"]].set_axis(["a", "b", "x"], axis=1)),
    "filled by columns' names": lambda d: d.fillna(pd.Series({"a": 1.5})),
    "no infinities": lambda d: d.replace([np.inf, -np.inf], np.nan),
    "replaced": lambda d: d.assign(b=d["b"].replace(np.inf, 0), x=d["x"].replace(np.nan, 2)),
    "replaced by a dict": lambda d: d.replace({"b": {np.inf: 1.0}}).replace({np.nan: 7}),
    "joined": lambda d: np.c_[d, d["a"] * 2, np.shape(d)[1] + np.ndim(d["a"]) * d["b"]],
    "beside": lambda d: d.join(np.abs(d).add_suffix("_l")).join(d["a"].rename("c")),
    "counted": lambda d: d.assign(k=d.count(axis=1), m=d.isna().sum(axis=1)),
    "applied": lambda d: d.assign(a=d["a"].apply(np.arctan), b=pd.DataFrame.abs(d)["b"]),
}
OF_INTEGERS: dict[str, Callable[[Any], Any]] = {
    "tens": lambda d: d.round(-1),
    "hundreds of one": lambda d: d.round({"m": -2}),
    "tens of a column": lambda d: d.assign(m=d["m"].round(-1)),
    "tens of NumPy": lambda d: np.round(d, -1),
    "tens of an array": lambda d: np.round(d.to_numpy() * 3, -1),
    "swapped": lambda d: d.replace([5, 10], [10, 5]).replace(0, np.nan),
    "sums": lambda d: d.sum(axis=1).to_frame(),
}


@pytest.mark.parametrize("name", OF_FLOATS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_options_of_floats(name: str) -> None:
    check(FunctionTransformer(OF_FLOATS[name]).fit(FLOATS), FLOATS[:7], FLOATS, rtol=1e-13)


@pytest.mark.parametrize("name", OF_INTEGERS)
def test_options_of_integers(name: str) -> None:
    check(FunctionTransformer(OF_INTEGERS[name]).fit(INTEGERS), INTEGERS[:7], INTEGERS)


@pytest.mark.parametrize("bounds", [{"a_min": 0, "a_max": 1}, {"min": 0}])
@pytest.mark.parametrize("rows", [FLOATS, FLOATS.to_numpy()], ids=["frame", "array"])
def test_bounds_that_go_with_a_function(bounds: dict[str, Any], rows: Any) -> None:
    check(FunctionTransformer(np.clip, kw_args=bounds).fit(rows), rows[:7], rows)
    check(FunctionTransformer(functools.partial(np.clip, **bounds)).fit(rows), rows[:7], rows)


def in_place(d: Any) -> Any:
    d = d.copy()
    d.clip(0, 1, inplace=True)
    return d


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (in_place, "Series.clip is called with inplace=.*; assign what it returns"),
        (lambda d: d["a"].fillna(0, limit=1).to_frame(), "Series.fillna is called with limit="),
        (lambda d: d.add(d, fill_value=0), "DataFrame.add is called with fill_value=.*fillna"),
        (lambda d: d.clip(0, 1, axis=1), "DataFrame.clip is called with axis="),
        (lambda d: d.astype("float32", errors="ignore"), "DataFrame.astype .* errors="),
        (lambda d: d.to_numpy(na_value=0.0), "DataFrame.to_numpy is called with na_value="),
        (lambda d: np.sum(d, axis=1, keepdims=True), "DataFrame.sum is called with keepdims="),
        (lambda d: np.log1p(d, dtype="float32"), "np.log1p is called with dtype=.* astype"),
        (lambda d: np.log1p(d["a"], where=True), "np.log1p is called with where="),
        (lambda d: np.sum(d.to_numpy(), axis=1, where=[True]), "np.sum.* with .*where"),
        (lambda d: d.any(axis=1).to_frame(), r"DataFrame.any\(axis=1\) of columns that are no"),
        (lambda d: d.fillna(d["a"]), "DataFrame.fillna with a column"),
        (lambda d: d.replace("u", "v"), "replace is written for numbers in place of numbers"),
        (lambda d: d["a"].apply(lambda v: v + 1), "Series.apply calls a function on each value"),
        (lambda d: d.rank(axis=1), r"DataFrame.rank\(axis=1\) is not written; use NumPy"),
        (lambda d: d.rank(), "DataFrame.rank depends on the other rows"),
        (lambda d: d.merge(d, on="a"), "DataFrame.merge looks each row up in other rows"),
        (lambda d: d.join(pd.DataFrame({"z": [1]})), "DataFrame.join with other rows looks"),
        (lambda d: d["nope"], "there is no column 'nope'; the columns are 'a', 'b', 'x'"),
        (lambda d: d.assign(n=len(d)), "the number of rows, len.*, depends on the other rows"),
        (lambda d: pd.cut(d["a"], [0, 1]), "pd.cut has no .*; use np.digitize"),
        (lambda d: np.select([d["a"] > 0], ["p"], "n"), "np.select of texts; number them"),
    ],
)  # fmt: skip
def test_options_that_are_refused(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(UnsupportedModelError, match=why):
        strip(FunctionTransformer(function), FLOATS)


def test_functions_of_polars_say_so() -> None:
    rows = pl.DataFrame({"a": [1.0, 2.0]})
    with pytest.raises(UnsupportedModelError, match="with_columns of a polars DataFrame is not"):
        strip(FunctionTransformer(lambda d: d.with_columns(z=pl.col("a"))), rows)
    check(FunctionTransformer(lambda d: d * 2).fit(rows), rows)


def given_up(d: Any) -> Any:
    try:
        return d.assign(z=d["a"].rank())
    except Exception:
        return d


def suppressed(d: Any) -> Any:
    with contextlib.suppress(Exception):
        return d.assign(z=d["a"].rank())
    return d


@pytest.mark.parametrize("function", [given_up, suppressed])
def test_refusals_that_users_code_catches(function: Callable[[Any], Any]) -> None:
    with pytest.raises(UnsupportedModelError, match=r"z=d\[.*: Series.rank depends on the other"):
        strip(FunctionTransformer(function), FLOATS)


def test_a_missing_column_that_users_code_expects() -> None:
    def either(d: Any) -> Any:
        try:
            return d[["nope"]]
        except KeyError:
            return d[["a"]]

    check(FunctionTransformer(either).fit(FLOATS), FLOATS)
