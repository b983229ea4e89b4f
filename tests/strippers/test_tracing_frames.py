"""Functions of users on DataFrames, followed column by column, beside what pandas makes of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_array

import sclbl
from sclbl.errors import DtypeError, MissingValueError, UnsupportedModelError
from sclbl.strippers import dispatch, strip
from tests.conformance.beside import check

ROWS = 120
RNG = np.random.default_rng(5)


def frame() -> pd.DataFrame:
    found = pd.DataFrame({
        "a": RNG.normal(size=ROWS) * 3,
        "b": np.abs(RNG.normal(size=ROWS)) * 10,
        "n": RNG.integers(-5, 9, ROWS),
        "t": RNG.choice(["x", "yy", "z"], ROWS),
        "f": RNG.normal(size=ROWS).astype("float32"),
        "o": RNG.random(ROWS) < 0.5,
    })  # fmt: skip
    found.loc[::7, "a"] = np.nan
    found.loc[3, "a"], found.loc[4, "b"] = np.inf, 0.0
    found.loc[::11, "t"] = np.nan
    return found


DATA = frame()
NUMBERS = DATA[["a", "b", "n"]]


def ratios(df: Any) -> Any:
    return pd.DataFrame({"r": df["a"] / df["b"], "l": np.log1p(df["b"]), "k": df["n"] * 2})


def assigned(df: Any) -> Any:
    more = df.assign(r=df["a"] / df["n"], q=lambda d: d["r"] * 2, s=-df.a, one=1, half=0.5)
    return more.drop(columns=["a"]).rename(columns={"n": "m"})[["m", "q", "r", "s", "b", "one"]]


def written(df: Any) -> Any:
    df = df.copy()
    df["x"] = np.where(df["a"] > 0, df["b"], df["n"])
    df["y"] = df["a"].fillna(0).clip(-1, 2).round(1)
    df.loc[df["n"] > 3, "b"] = -1.0
    df[["p", "q"]] = df[["a", "b"]] * 2
    df[df < -3] = -3
    df.insert(0, "first", df["n"].astype(float).abs())
    del df["a"]
    last = df.pop("y")
    df["m"] = last.mask(df["n"] == 2, 9.5)
    return df


def chosen(df: Any) -> Any:
    some = pd.concat([df.loc[:, ["b", "a"]], df.iloc[:, -1], df.filter(like="n")], axis=1)
    some.columns = ["p", "q", "r", "s"]
    return some.add_prefix("c_").drop("c_s", axis=1)


def of_whole_frames(df: Any) -> Any:
    return (df - 1) / 2 + df.where(df > 0, 0) * np.maximum(df, 0.5) - df.clip(lower=0).abs()


def of_arrays(df: Any, power: int) -> Any:
    x = df.to_numpy()
    y = np.asarray(df[["a", "b"]], dtype=float) ** power
    return np.column_stack(
        [x, y, np.sum(y, axis=1), df["n"].values > 2, np.ones(len(df)) + x[:, 0]]
    )


def of_text(df: Any) -> Any:
    return pd.concat([
        df["t"].isin(["x", "z"]).astype(int), (df["t"] == "yy") & (df["n"] > 0), df["t"] != "x",
        df["t"].map({"x": 1, "yy": 2.5}).fillna(-1), df["t"].isna(), df["t"].fillna("x") == "x",
        df["n"].map({1: 10.0, 2: 20.0}), df["t"].map(pd.Series({"x": 3, "z": 4})),
        df["a"].map({0.5: 1}), df["n"].isin([1, 2, 3.0]), pd.notna(df["a"]),
    ], axis=1)  # fmt: skip


def along_rows(df: Any) -> Any:
    some = df[["a", "b"]]
    return pd.DataFrame({
        "sum": some.sum(axis=1), "mean": some.mean(axis=1), "max": some.max(axis=1),
        "min": np.min(some, axis=1), "all": some.sum(axis=1, skipna=False),
    })  # fmt: skip


def methods(df: Any) -> Any:
    a, b = df["a"], df["b"]
    return pd.DataFrame({
        "pow": a.pow(2), "add": a.add(b), "rsub": a.rsub(1), "div": df[["b"]].div(a, axis=0)["b"],
        "between": a.between(0, 1), "where": a.where(b > 5, b), "notna": a.notna(),
        "gt": a.gt(b), "numeric": pd.to_numeric(b), "copy": -b.copy(),
        "series": pd.Series(np.sqrt(b.to_numpy()), index=df.index), "round": round(b, 2),
        "clip": df["n"].clip(-0.5, 2), "hole": df["n"].where(b > 5),
        "logic": ~(a > 0) | (b < 3) ^ (df.n == 1),
    })  # fmt: skip


def branches(df: Any) -> Any:
    columns = list(df.columns) if isinstance(df, pd.DataFrame) else []
    for name in columns:
        df = df.assign(**{f"{name}2": df[name] * df[name]})
    if "a" in df and df.shape[1] == 6 and df.dtypes["n"].kind == "i":
        return df.select_dtypes("float").fillna({"a": 1.5})
    return df


def of_floats(df: Any) -> Any:
    return df.astype({"f": "float64"}) * 2 if "f" in df else df.apply(np.log1p).fillna(0.0)


CASES: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "ratios": (ratios, ["a", "b", "n"]),
    "assigned": (assigned, ["a", "b", "n"]),
    "written": (written, ["a", "b", "n"]),
    "chosen": (chosen, ["a", "b", "n"]),
    "of whole frames": (of_whole_frames, ["a", "b"]),
    "of arrays": (functools.partial(of_arrays, power=2), ["a", "b", "n"]),
    "of text": (of_text, ["a", "n", "t"]),
    "along rows": (along_rows, ["a", "b", "n"]),
    "methods": (methods, ["a", "b", "n"]),
    "branches": (branches, ["a", "b", "n"]),
    "of float32": (of_floats, ["f", "o"]),
    "applied": (of_floats, ["b", "n"]),
    "a column": (lambda df: df["a"] / df["b"], ["a", "b"]),
    "as it is": (lambda df: df[["t", "t"]].copy(), ["t", "a"]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_of_frames(name: str) -> None:
    function, columns = CASES[name]
    rows = DATA[columns]
    model = FunctionTransformer(function).fit(rows)
    check(model, rows[:20], rows, rtol=1e-14)
    program = sclbl.compile(model, rows[:20])
    theirs = np.asarray(model.transform(rows))
    assert program.transform(rows).shape == theirs.shape


def test_columns_of_one_dtype_are_computed_together() -> None:
    rows = pd.DataFrame(RNG.normal(size=(9, 30)), columns=[f"c{i}" for i in range(30)])
    model = FunctionTransformer(lambda df: np.exp(df * 2 - 1)).fit(rows)
    assert len(strip(model, rows).graph.nodes) == 4


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_frames_within_pipelines() -> None:
    y = np.arange(ROWS) % 2

    def more(df: Any) -> Any:
        return df.assign(r=np.log1p(df["b"]) - df["n"], big=df["n"] > 3)

    hot = OneHotEncoder(handle_unknown="ignore")
    encoded = ColumnTransformer([("t", hot, ["t"]), ("s", StandardScaler(), ["r", "b"])])
    twice = FunctionTransformer(lambda df: df.assign(r=df["r"] * 2))
    rows = DATA[["b", "n", "t"]]
    model = make_pipeline(FunctionTransformer(more), twice, encoded, LogisticRegression())
    check(model.fit(rows, y), rows[:9], rows, rtol=1e-12)
    scaled: Any = make_pipeline(
        make_column_transformer((StandardScaler(), ["b", "n"]), verbose_feature_names_out=False)
        .set_output(transform="pandas"),
        FunctionTransformer(lambda df: df.assign(x=df["b"] * df["n"]).clip(-2, 2)),
        LogisticRegression(),
    )  # fmt: skip
    check(scaled.fit(rows, y), rows[:9], rows, rtol=1e-12)
    union = FeatureUnion(
        [("a", FunctionTransformer(lambda df: df[["n"]] * 2)), ("p", "passthrough")]
    )
    check(union.fit(NUMBERS), NUMBERS[:9], NUMBERS)
    checked = FunctionTransformer(lambda x: x[:, 0] - x[:, 1:].sum(axis=1), validate=True)
    filled = NUMBERS.replace(np.inf, 0.0).fillna(0)
    program = sclbl.compile(checked.fit(filled), filled[:9])
    with pytest.raises(MissingValueError):
        program.transform(NUMBERS)


def test_what_is_missing_in_columns_of_integers() -> None:
    holes = NUMBERS[["n"]].astype("float64").where(DATA["b"] > 3)
    for function in (
        lambda df: df.fillna(7) * 2.0,
        lambda df: df["n"].mask(df["n"].isna(), 7).to_frame() * 2.0,
        lambda df: df.fillna(7.5),
        lambda df: df.fillna(-1.0),
        lambda df: np.nan_to_num(df, nan=2.5),
        lambda df: df["n"].fillna(df["n"] * 0.5).to_frame(),
        lambda df: df.assign(n=np.nan_to_num(df["n"])),
        lambda df: df.fillna({"n": 0.25}),
    ):
        model = FunctionTransformer(function).fit(NUMBERS[["n"]])
        program = sclbl.compile(model, NUMBERS[["n"]])
        np.testing.assert_array_equal(program.transform(holes), model.transform(holes))
    for function in (
        lambda df: df.astype("int64"),
        lambda df: df.to_numpy().astype("int64"),
    ):
        model = FunctionTransformer(function).fit(NUMBERS[["n"]])
        program = sclbl.compile(model, NUMBERS[["n"]])
        np.testing.assert_array_equal(program.transform(NUMBERS[["n"]]), NUMBERS[["n"]])
        with pytest.raises(DtypeError, match="column 'n' holds NaN, which is no int64"):
            program.transform(holes)


def test_sparse_matrices_are_made_dense() -> None:
    rows = DATA[["t"]].fillna("x")
    y = np.arange(ROWS) % 2

    def dense(x: Any) -> Any:
        return x.toarray() if sparse.issparse(x) else x

    encoded = make_pipeline(OneHotEncoder(), FunctionTransformer(dense, accept_sparse=True))
    check(encoded.fit(rows), rows[:9], rows)
    bayes = make_pipeline(encoded, GaussianNB()).fit(rows, y)
    check(bayes, rows[:9], rows, rtol=1e-12)
    doubled = FunctionTransformer(lambda x: x * 2, accept_sparse=True)
    check(make_pipeline(OneHotEncoder(), doubled).fit(rows), rows[:9], rows)


def test_names_and_inverses() -> None:
    back = FunctionTransformer(
        lambda df: df * 2, lambda df: df / 2, feature_names_out="one-to-one", check_inverse=False
    ).fit(NUMBERS)
    check(back, NUMBERS[:9], NUMBERS)
    program = sclbl.compile(back, NUMBERS[:9], methods=["inverse_transform"])
    np.testing.assert_array_equal(program.inverse_transform(NUMBERS), NUMBERS / 2)
    named = FunctionTransformer(ratios, feature_names_out=lambda self, names: ["r", "l", "k"])
    program = sclbl.compile(named.fit(NUMBERS), NUMBERS[:9])
    assert program.signature.outputs["transform"].names == ("r", "l", "k")


class Scaled(TransformerMixin, BaseEstimator):
    def fit(self, X: Any, y: Any = None) -> Any:
        self.means_, self.columns_ = X.mean(), list(X.columns)
        return self

    def transform(self, X: Any) -> Any:
        X = X[self.columns_].copy()
        return (X - self.means_).fillna(0)


class Either(TransformerMixin, BaseEstimator):
    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Any:
        return self

    def transform(self, X: Any) -> Any:
        if hasattr(X, "iloc"):
            X = X.to_numpy()
        return check_array(X, ensure_all_finite=False) * 3


def test_classes_that_take_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_REGISTERED", {})
    rows = NUMBERS[["a", "b"]].replace(np.inf, 1.0)
    sclbl.register(Scaled)
    sclbl.register(Either)
    check(Scaled().fit(rows), rows[:9], rows)
    check(make_pipeline(Scaled(), Either()).fit(rows), rows[:9], rows)
    check(Either().fit(rows), rows.to_numpy()[:9], rows.to_numpy())
    of_polars = pl.DataFrame(rows.to_dict("list"))
    with pytest.raises(UnsupportedModelError, match="polars DataFrame is followed through check_"):
        sclbl.compile(Either().fit(of_polars), of_polars[:9])


# ------------------------------------------------------------------------- refusals


def of_a_mean(df: Any) -> Any:
    return df["a"] - df["a"].mean()  # averages


def of_each_row(df: Any) -> Any:
    return df.apply(lambda row: row["a"] + row["b"], axis=1)  # by rows


def of_a_loop(df: Any) -> Any:
    return pd.DataFrame({"s": [row.a for row in df.itertuples()]})  # loops


def of_a_decision(df: Any) -> Any:
    if (df["a"] > 3).any():  # decides
        return df
    return -df


def of_many(df: Any) -> Any:
    return df[["a"]] / len(df)  # counts


def of_code(df: Any) -> Any:
    return df.eval("a / b")  # code


def of_some_rows(df: Any) -> Any:
    return df[df["a"] > 0]  # chooses


def of_an_index(df: Any) -> Any:
    return pd.DataFrame({"a": df["a"].to_numpy(), "b": df["b"]}).assign(
        c=pd.Series(df["a"].to_numpy())  # other labels
    )


def of_other_dtypes(df: Any) -> Any:
    return df["f"].clip(upper=0.1)  # doubles


def of_no_column(df: Any) -> Any:
    return df[["a", "zz"]]  # is not there


def of_text_alone(df: Any) -> Any:
    return df["t"].str.len()  # text


def of_dummies(df: Any) -> Any:
    return pd.get_dummies(df["t"])  # dummies


def of_functions_of_values(df: Any) -> Any:
    return df["a"].map(lambda value: value + 1).to_frame()  # each value


@pytest.mark.parametrize(
    ("function", "line", "why"),
    [
        (of_a_mean, "# averages", "Series.mean depends on the other rows"),
        (of_each_row, "# by rows", r"DataFrame.apply\(axis=1\), which calls a function for each"),
        (of_a_loop, "# loops", "DataFrame.itertuples depends on the other rows"),
        (of_a_decision, "# decides", "Series.any depends on the other rows"),
        (of_many, "# counts", "the number of rows depends on the other rows"),
        (of_code, "# code", "DataFrame.eval takes a text of code; write it out"),
        (of_some_rows, "# chooses", "a choice of rows"),
        (of_an_index, r"(# other labels|\.assign\()", "columns of different indexes"),
        (of_other_dtypes, "# doubles", "0.1 is put into a column of float32"),
        (of_no_column, "# is not there", r".*'zz'.* not in index"),
        (of_text_alone, "# text", "Series.str has no equivalent"),
        (of_dummies, "# dummies", "pd.get_dummies has no equivalent"),
        (of_functions_of_values, "# each value", "Series.map of a function works on each value"),
    ],
    ids=lambda f: getattr(f, "__name__", None),
)
def test_what_cannot_be_followed_names_the_line(
    function: Callable[..., Any], line: str, why: str
) -> None:
    rows = DATA[["a", "b", "n", "t", "f"]]
    where = rf"FunctionTransformer\(func={function.__name__}\) holds Python code"
    with pytest.raises(
        UnsupportedModelError,
        match=rf"{where} that cannot be compiled \({__file__}, line \d+: .*{line}\): .*{why}",
    ):
        strip(FunctionTransformer(function), rows)
