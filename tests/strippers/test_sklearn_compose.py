"""Pipeline, ColumnTransformer, FeatureUnion and FunctionTransformer, beside scikit-learn's own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import SelectKBest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import sclbl
from sclbl.errors import (
    ColumnError,
    DtypeError,
    InfiniteValueError,
    MissingValueError,
    UnknownCategoryError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.strippers import strip
from tests.conformance.beside import check, run

RTOL = 1e-12
ROWS = 40


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    X = pd.DataFrame(
        {
            "age": rng.normal(40, 9, ROWS),
            "city": rng.choice(["Oslo", "Århus", "Ghent"], ROWS),
            "rooms": rng.integers(1, 6, ROWS),
            "ratio": rng.random(ROWS).astype(np.float32),
            "owner": rng.random(ROWS) > 0.5,
            "plan": pd.Categorical(rng.choice(["a", "b"], ROWS)),
            "score": pd.array(rng.integers(0, 9, ROWS), dtype="Int64"),
        }
    )
    X.loc[[1, 7], "age"] = np.nan
    X.loc[[2, 7], "city"] = None
    X.loc[[3, 7], "score"] = pd.NA
    return X


def labels() -> np.ndarray:
    return np.random.default_rng(4).choice(["no", "yes"], ROWS)


def preprocessing(sparse: bool = True, **options: Any) -> ColumnTransformer:
    numeric = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)
    text = make_pipeline(SimpleImputer(strategy="most_frequent"), hot)
    return ColumnTransformer(
        [("numeric", numeric, ["age", "rooms", "score"]), ("text", text, ["city", "plan"])],
        **options,
    )


@pytest.mark.parametrize("remainder", ["drop", "passthrough", MaxAbsScaler()])
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_a_whole_model(remainder: Any, output: str) -> None:
    X = frame()
    transformer = preprocessing(sparse=output == "default", remainder=remainder)
    transformer.set_output(transform=output)
    model = make_pipeline(transformer, LogisticRegression()).fit(X, labels())
    spec = check(model, X, rtol=RTOL, atol=1e-15)
    assert spec.methods == ("predict", "predict_proba", "predict_log_proba", "decision_function")
    assert spec.signature.outputs["predict"].labels == (("no", "yes"),)
    check(model, X[:1], rtol=RTOL, atol=1e-15)
    strange = X.copy()
    strange.loc[0, "city"] = "Paris"
    check(model, X, strange, rtol=RTOL, atol=1e-15)


def test_columns_that_are_dropped_are_no_inputs() -> None:
    X = frame()
    model = make_pipeline(preprocessing(), LogisticRegression()).fit(X, labels())
    spec = strip(model, X[X.columns[::-1]].assign(when=pd.Timestamp(0)))
    assert [c.name for c in spec.signature.columns] == ["score", "plan", "rooms", "city", "age"]
    np.testing.assert_array_equal(run(spec, X)["predict"], model.predict(X))
    with pytest.raises(ColumnError, match=r"lacks columns that .*Pipeline was fitted on: 'rooms'"):
        strip(model, X.drop(columns="rooms"))


COLUMNS: dict[str, Any] = {
    "names": ["rooms", "age"],
    "positions": [2, 0],
    "negative": [-1, 0],
    "slice": slice(0, 3, 2),
    "slice of names": slice("rooms", "ratio"),
    "mask": [True, False, True, False, False, False, True],
    "callable": make_column_selector(dtype_include=np.number),
    "lambda": lambda X: [2],
    "empty": [],
}


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("rest", ["drop", SimpleImputer(strategy="most_frequent")], ids=str)
def test_columns_by(columns: Any, rest: Any) -> None:
    X = frame().drop(columns=["city", "plan"]).astype({"owner": int})
    X.insert(1, "x", 0.5)
    X.insert(5, "y", 1.5)
    model = ColumnTransformer(
        [("first", "passthrough", [1]), ("chosen", SimpleImputer(), columns)], remainder=rest
    ).fit(X)
    check(model, X)


@pytest.mark.parametrize("columns", [[2, 0], slice(1, 3), [True, False, False, True], lambda X: -1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_columns_of_arrays(dtype: Any, columns: Any) -> None:
    X = np.arange(24).reshape(6, 4).astype(dtype)
    if callable(columns):
        columns = [columns(X)]
    model = make_column_transformer((StandardScaler(), columns), remainder="passthrough").fit(X)
    check(model, X, rtol=RTOL)


def test_columns_of_object_arrays() -> None:
    X = np.array([["a", 1.5, 2], ["b", np.nan, 3], ["a", 2.5, 2]], dtype=object)
    model = make_column_transformer(
        (OneHotEncoder(), [0]), (SimpleImputer(), [1]), remainder="passthrough"
    ).fit(X)
    check(model, X)


FLOATS = {
    "float32 with float32": ["ratio", "other"],
    "float32 with float64": ["ratio", "age"],
    "float32 with integers": ["ratio", "rooms"],
    "float32 with booleans": ["ratio", "owner"],
    "integers with booleans": ["rooms", "owner"],
    "booleans": ["owner"],
}


@pytest.mark.parametrize("columns", FLOATS.values(), ids=FLOATS)
@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize("apart", [False, True])
def test_the_precision_that_later_steps_compute_in(
    columns: list[str], output: str, apart: bool
) -> None:
    X = frame().fillna({"age": 0.0})
    X["other"] = X["ratio"] * 2
    steps = (
        [(c, "passthrough", [c]) for c in columns] if apart else [("all", "passthrough", columns)]
    )
    stacked = ColumnTransformer(steps).set_output(transform=output)
    spec = check(stacked.fit(X), X)
    assert spec.signature.outputs["transform"].width == len(columns)
    scaled = make_pipeline(stacked, StandardScaler()).fit(X)
    single = scaled.transform(X).dtype == np.float32
    assert strip(scaled, X).signature.outputs["transform"].storage == (
        "float32" if single else "float64"
    )
    check(scaled, X, rtol=1e-6 if single else RTOL, atol=1e-6 if single else 1e-15)
    # Selecting from what was stacked: arrays have one dtype, frames one a column.
    first = make_pipeline(stacked, make_column_transformer((StandardScaler(), [0]))).fit(X)
    single = first.transform(X).dtype == np.float32
    check(first, X, rtol=1e-6 if single else RTOL, atol=1e-6 if single else 1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.bool_, np.int64])
def test_one_hot_beside_float32(dtype: Any) -> None:
    X = frame()[["ratio", "plan"]]
    model = make_column_transformer(
        (OneHotEncoder(dtype=dtype), ["plan"]), remainder="passthrough"
    ).fit(X)
    check(make_pipeline(model, MaxAbsScaler()).fit(X), X, rtol=1e-6)


def test_columns_by_name_after_a_step_that_makes_names() -> None:
    X = frame().drop(columns=["city", "score"])
    first = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["plan"]),
        (SimpleImputer(add_indicator=True), ["age"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    second = make_column_transformer(
        (StandardScaler(), ["missingindicator_age", "ratio"]), ("passthrough", ["plan_b", "rooms"])
    )
    model = make_pipeline(first, second).set_output(transform="pandas").fit(X)
    spec = check(model, X, rtol=RTOL)
    assert spec.signature.outputs["transform"].names == tuple(model.get_feature_names_out())
    assert "standardscaler__ratio" in model.get_feature_names_out()


def test_text_alone_passes_through() -> None:
    X = frame()
    model = ColumnTransformer([("keep", "passthrough", ["plan", "city"])]).fit(X)
    spec = check(model, X)
    output = spec.signature.outputs["transform"]
    assert (output.storage, output.dtype, output.names) == (
        *("text", "object"),
        ("keep__plan", "keep__city"),
    )


def test_text_beside_numbers_in_the_middle() -> None:
    X = frame()
    first = make_column_transformer(
        (SimpleImputer(strategy="most_frequent"), ["city"]), ("passthrough", ["ratio", "rooms"])
    )
    second = make_column_transformer((OneHotEncoder(), [0]), (StandardScaler(), [1, 2]))
    check(make_pipeline(first, second).fit(X), X, rtol=RTOL)


def test_text_beside_numbers_at_the_end() -> None:
    X = frame()[["city", "rooms"]]
    model = make_column_transformer(("passthrough", ["city", "rooms"])).fit(X)
    with pytest.raises(
        UnsupportedModelError, match=r"text and numbers side by side.*encode or dro"
    ):
        strip(model, X)


@pytest.mark.parametrize("weight", [2, 0.1, np.float64(0.1), 3.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_weights(dtype: Any, weight: Any) -> None:
    X = np.arange(12).reshape(4, 3).astype(dtype)
    X[1] = -2
    parts = [("same", "passthrough"), ("scaled", StandardScaler()), ("hot", OneHotEncoder())]
    weights = {"same": weight, "hot": weight}
    union = FeatureUnion(parts, transformer_weights=weights).fit(X)
    check(union, X, rtol=1e-6 if dtype is np.float32 else RTOL, atol=1e-7)
    columns = ColumnTransformer(
        [("same", "passthrough", [0, 1]), ("hot", OneHotEncoder(), [2])],
        transformer_weights=weights,
    ).fit(X)
    check(columns, X)


def test_a_weight_on_no_columns() -> None:
    X = np.random.default_rng(0).normal(size=(30, 3))
    none = SelectKBest(k=0)
    parts = [("none", none), ("scaled", StandardScaler())]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that no feature is selected
        model = FeatureUnion(parts, transformer_weights={"none": 2.0, "scaled": 3.0}).fit(
            X, X[:, 0]
        )
        check(model, X)


def test_a_weight_on_text() -> None:
    X = frame()[["city"]].fillna("")
    model = ColumnTransformer([("t", "passthrough", ["city"])], transformer_weights={"t": 2})
    with pytest.raises(UnsupportedModelError, match="'t' has a weight and results in text"):
        strip(model.fit(X), X)


def test_union() -> None:
    X = np.random.default_rng(0).normal(size=(20, 3))
    parts = [("pca", PCA(2)), ("none", "drop"), ("same", "passthrough"), ("max", MaxAbsScaler())]
    check(FeatureUnion(parts).fit(X), X, rtol=1e-10, atol=1e-14)
    y = X @ [1.0, 2.0, 3.0]
    model = make_pipeline(FeatureUnion(parts), LinearRegression()).fit(X, y)
    check(model, X, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("last", [None, "passthrough", MaxAbsScaler()], ids=str)
@pytest.mark.parametrize("first", [None, "passthrough", StandardScaler()], ids=str)
def test_steps_that_pass_through(first: Any, last: Any) -> None:
    X = frame()[["rooms", "ratio"]]
    model = Pipeline([("first", first), ("last", last)]).fit(X)
    check(model, X, rtol=RTOL, atol=1e-15)


def test_pipelines_inside_pipelines() -> None:
    X = frame()[["rooms", "ratio", "age"]].astype(np.float64)
    inner = make_pipeline(SimpleImputer(), make_pipeline(StandardScaler(), "passthrough"))
    model = make_pipeline(inner, make_pipeline(LogisticRegression())).fit(X, labels())
    check(model, X, rtol=RTOL)


def test_a_pipeline_offers_what_it_hands_on() -> None:
    X = frame()[["rooms"]]
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(X, np.arange(ROWS))
    assert strip(model, X, methods=["predict"]).methods == ("predict",)
    with pytest.raises(
        UnsupportedMethodError, match=r"Pipeline does not offer predict_proba; it offers predict$"
    ):
        strip(model, X, methods=["predict_proba"])


class Halved(MaxAbsScaler):
    """A subclass that nobody registered."""


def test_an_unknown_step_is_named() -> None:
    X = frame()[["rooms"]]
    for model in (
        make_pipeline(Halved(), StandardScaler()),
        make_column_transformer((Halved(), ["rooms"])),
        make_union(Halved()),
    ):
        with pytest.raises(UnsupportedModelError, match=r"Halved is a subclass of .*MaxAbsScaler"):
            strip(model.fit(X), X)


def test_refusals_name_the_column_of_the_input() -> None:
    X = frame()[["age", "rooms", "plan", "city"]]
    model = make_column_transformer(
        (OneHotEncoder(), ["plan"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["rooms", "age"]),
        (OrdinalEncoder(), ["city"]),
    ).fit(X)
    spec = strip(model, X)
    for column, value, error in (
        ("plan", "never", UnknownCategoryError),
        ("city", "never", UnknownCategoryError),
        ("age", np.inf, InfiniteValueError),
    ):
        bad = X.astype({"plan": object})
        bad.loc[9, column] = value
        with pytest.raises(error, match="row 9") as caught:
            run(spec, bad)
        assert (caught.value.row, caught.value.column) == (9, str(list(X).index(column)))
    scaled = make_column_transformer((StandardScaler(), ["rooms"]), ("passthrough", ["age"]))
    spec = strip(
        make_pipeline(scaled, LinearRegression()).fit(X.fillna({"age": 0}), np.arange(ROWS)), X[:1]
    )
    with pytest.raises(MissingValueError) as missing:
        run(spec, X)
    assert (missing.value.row, missing.value.column) == (1, "0")


def test_an_encoder_that_makes_no_columns_still_refuses() -> None:
    X = pd.DataFrame({"one": ["a", "a"], "n": [1.0, 2.0], "t": ["p", "q"]})
    hot = OneHotEncoder(drop="first")
    for rest in (["n"], ["t"]):
        spec = check(make_column_transformer((hot, ["one"]), ("passthrough", rest)).fit(X), X)
        with pytest.raises(UnknownCategoryError, match="row 1, column 0"):
            run(spec, X.assign(one=["a", "b"]))


FUNCTIONS = [np.abs, np.exp, np.expm1, np.floor, np.log, np.log1p, np.negative, np.sign, np.sqrt]


@pytest.mark.parametrize("function", [None, *FUNCTIONS, np.tanh])
@pytest.mark.parametrize("columns", [["age"], ["ratio"], ["age", "ratio"]], ids="-".join)
def test_functions(function: Any, columns: list[str]) -> None:
    X = frame()[columns].fillna(3.0)
    check(FunctionTransformer(function).fit(X), X, rtol=RTOL)


@pytest.mark.parametrize("made", ["columns", "union", "encoder"])
def test_trees_refuse_nan_in_a_sparse_matrix(made: str) -> None:
    X = pd.DataFrame({"t": ["a", "b", "c"] * 8, "a": np.linspace(-1, 1, 24)})
    steps: list[Any] = [
        ColumnTransformer(
            [("t", OneHotEncoder(), ["t"]), ("a", MaxAbsScaler(), ["a"])], sparse_threshold=1.0
        )
    ]
    if made == "union":
        names = ColumnTransformer([("t", OneHotEncoder(), ["t"])], sparse_threshold=1.0)
        steps = [FeatureUnion([("both", *steps), ("names", names)])]
    if made == "encoder":
        steps += [MaxAbsScaler()]
    bad = X.assign(a=np.nan)
    for last in (DecisionTreeRegressor(), RandomForestRegressor(3, random_state=0)):
        model = make_pipeline(*steps, last).fit(X, np.arange(24) % 2)
        spec = check(model, X)
        with pytest.raises(ValueError, match="contains NaN"):
            model.predict(bad)
        with pytest.raises(MissingValueError, match="row 0, column 1"):
            run(spec, bad)
    steps[0] = ColumnTransformer(
        [("t", OneHotEncoder(sparse_output=False), ["t"]), ("a", MaxAbsScaler(), ["a"])]
    )
    check(make_pipeline(steps[0], DecisionTreeRegressor()).fit(X, np.arange(24)), X, bad)


def test_functions_that_validate() -> None:
    X = frame()[["age", "rooms"]].fillna(3.0)
    spec = check(FunctionTransformer(np.log1p, validate=True).fit(X), X, rtol=RTOL)
    with pytest.raises(MissingValueError, match="row 1, column 0"):
        run(spec, frame()[["age", "rooms"]])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x,
        lambda x: np.log1p(np.abs(x)) * 2 - 1,
        lambda x: np.where(x > 3, x, (x / 7) ** 2),
        lambda x: np.clip(x, 0.5, 4),
    ],
)
@pytest.mark.parametrize("make", [pd.DataFrame.to_numpy, lambda x: x], ids=["array", "frame"])
def test_functions_of_python(function: Any, make: Any) -> None:
    X = make(frame()[["age", "rooms", "ratio"]].fillna(3.0))
    check(FunctionTransformer(function).fit(X), X, rtol=RTOL)


def test_functions_along_the_columns_of_an_array() -> None:
    X = np.random.default_rng(0).normal(size=(20, 11))

    def shares(x: Any, power: int) -> Any:
        x = np.abs(x) ** power
        return np.column_stack([x / np.sum(x, axis=1, keepdims=True), x[:, 3] - x[:, 4:6].max(1)])

    check(FunctionTransformer(shares, kw_args={"power": 2}).fit(X), X)
    with pytest.raises(UnsupportedModelError, match=r"shares\) holds Python code .* along axis 1"):
        # pandas adds in an order of its own.
        strip(FunctionTransformer(shares, kw_args={"power": 2}), pd.DataFrame(X))


def test_functions_that_cannot_be_followed() -> None:
    X = frame()[["age"]]
    for function, why in (
        (np.cbrt, "np.cbrt has no operator"),
        (lambda x: x - np.mean(x, axis=0), "DataFrame.mean along axis 0"),
        (lambda x: x[:3], "a choice of rows"),
        (lambda x: x if x.max() > 1 else -x, "DataFrame.max along axis 0"),
        (lambda x: 3.0, "does not return columns made from X"),
        (lambda x: x.rank(), "DataFrame.rank depends on the other rows"),
        (lambda x: sorted(np.asarray(x)), "a loop over the rows"),
    ):
        with pytest.raises(UnsupportedModelError, match=f"holds Python code .*({why}).*np.log1p"):
            strip(FunctionTransformer(function), X)


def test_functions_of_text() -> None:
    with pytest.raises(UnsupportedModelError, match=r"func=np.log1p\) is given text; select"):
        strip(FunctionTransformer(np.log1p).fit(frame()[["city"]]), frame()[["city"]])


def test_functions_of_truths() -> None:
    truths = frame()[["owner"]].astype(bool)
    check(FunctionTransformer(np.log1p).fit(truths), truths)
    check(FunctionTransformer(lambda x: x + x).fit(truths), truths)


def test_checks_stay_where_no_column_of_theirs_does() -> None:
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 12)), columns=[*"abcdefghijkl"])
    indicator = MissingIndicator(error_on_new=False)
    alone = [(c, StandardScaler(), [c]) for c in "ac"]
    first = ColumnTransformer([("first", "passthrough", [0])])
    bad = X[:2].assign(c=[0.0, np.inf])
    for step in (
        ColumnTransformer([("i", indicator, ["c"])], remainder="passthrough"),
        FeatureUnion([("i", indicator), ("first", first)]),
        make_pipeline(ColumnTransformer(alone), first),
    ):
        for last in (LinearRegression(), LogisticRegression(), DecisionTreeClassifier()):
            model = make_pipeline(step, last).fit(X, np.arange(20) % 2)
            with pytest.raises(ValueError, match="infinity"):
                model.predict(bad)
            for method in strip(model, X).methods:
                with pytest.raises(InfiniteValueError, match=r"row 1, column [12]"):
                    run(strip(model, X, methods=[method]), bad)


def test_an_indicator_of_numbers_beside_a_column_of_objects() -> None:
    X = pd.DataFrame({"t": pd.Series(["a", "b"] * 3, dtype=object), "n": [0.0, 1.0, 2.0] * 2})
    indicator = MissingIndicator(missing_values=0)
    model = ColumnTransformer([("t", OneHotEncoder(), ["t"]), ("n", indicator, ["n"])]).fit(X)
    with pytest.raises(ValueError, match="infinity"):
        model.transform(X.assign(n=np.inf))
    with pytest.raises(InfiniteValueError, match="row 0, column 1"):
        run(check(model, X), X.assign(n=np.inf))


@pytest.mark.parametrize("dtype", ["Int8", "Float64", "boolean", "double[pyarrow]", "string"])
def test_columns_that_know_na_are_passed_through(dtype: str) -> None:
    column = pd.Series([1, 0, 1, 1]).astype(dtype)
    X = pd.DataFrame({"b": [1.0, 2.0, 3.0, 4.0], "a": column})
    bad = X.assign(a=column.where([True, True, False, True]))
    scaler = ("s", StandardScaler(), ["b"])
    for explicit in (False, True):
        steps = [("p", "passthrough", ["a"])] if explicit else [scaler]
        rest = "drop" if explicit else "passthrough"
        model: Any = ColumnTransformer(steps, remainder=rest)
        if dtype == "string":
            model = make_pipeline(
                ColumnTransformer([("p", "passthrough", ["a"])]), OneHotEncoder(dtype=np.float32)
            )
        model.fit(X)
        with pytest.raises(ValueError, match=r"column 'a' has dtype .* uses pandas.NA"):
            model.transform(bad)
        spec = check(model, X)
        place = [c.name for c in spec.signature.columns].index("a")
        with pytest.raises(MissingValueError, match=f"row 2, column {place}"):
            run(spec, bad)


def test_frames_that_keep_na() -> None:
    for dtype in ("Int64", "boolean", "Float32", "double[pyarrow]"):
        column = pd.Series([1, 0, 1, 1]).astype(dtype)
        X = pd.DataFrame({"a": column, "b": [1.0, 2.0, 3.0, 4.0]})
        bad = X.assign(a=pd.Series([1, 0, pd.NA, 1], dtype=dtype))
        steps = [("p", "passthrough", ["a"]), ("s", StandardScaler(), ["b"])]
        for columns in (steps, steps[:1]):
            model = ColumnTransformer(columns).set_output(transform="pandas").fit(X)
            expected = model.transform(bad).astype(object)
            expected = expected.where(expected.notna(), np.nan).astype(np.float64).to_numpy()
            found = sclbl.compile(model, X).transform(bad)
            np.testing.assert_array_equal(np.asarray(found, np.float64), expected)
            found = sclbl.compile(model, bad).transform(bad)
            np.testing.assert_array_equal(np.asarray(found, np.float64), expected)


@pytest.mark.parametrize("function", [np.abs, np.negative])
def test_functions_of_objects_take_no_none(function: Any) -> None:
    X = pd.DataFrame({"a": pd.Series([1.0, -2.0, np.nan], dtype=object)})
    bad = pd.DataFrame({"a": pd.Series([1.0, None], dtype=object)})
    for model in (
        FunctionTransformer(function),
        ColumnTransformer([("f", FunctionTransformer(function), ["a"])]),
        FeatureUnion([("f", FunctionTransformer(function)), ("p", "passthrough")]),
    ):
        model.fit(X)
        with pytest.raises(TypeError, match="NoneType"):
            model.transform(bad)
        program = sclbl.compile(model, X)
        np.testing.assert_array_equal(
            np.asarray(program.transform(X), np.float64), model.transform(X).astype(np.float64)
        )
        with pytest.raises(
            DtypeError, match=r"row 1, column 'a' holds None, .* None is another value"
        ):
            program.transform(bad)
