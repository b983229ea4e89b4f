"""The verb `strip`: what it finds, refuses and writes down."""

from __future__ import annotations

import contextlib
import importlib
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sclbl.errors import (
    ColumnError,
    InputError,
    NotFittedError,
    ShapeError,
    SpecError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.strippers import dispatch, strip
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table
from sclbl.strippers.table import classes, stripper_of
from tests.conformance.beside import check, run

X = np.random.default_rng(0).normal(size=(30, 3))
Y = (X[:, 0] > 0).astype(int)


class Doubler:
    """A model that no library has."""

    def predict(self, rows: Any) -> np.ndarray:
        return np.asarray(rows)[:, 0] * 2

    def cube(self, rows: Any) -> np.ndarray:
        return np.zeros((len(rows), 1, 1))


class DoublerStripper(Stripper):
    """What its owner writes for it."""

    width = 1

    @method
    def predict(self, model: Any, x: Table) -> Any:
        return x.matrix()[:, : self.width] * 2

    @method(on_request=True)
    def cube(self, model: Any, x: Table) -> Any:
        return self.predict(model, x)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> DoublerStripper:
    monkeypatch.setattr(dispatch, "_REGISTERED", {})
    stripper = DoublerStripper()
    dispatch.register(Doubler, stripper)
    return stripper


# ------------------------------------------------------------------ finding


@pytest.mark.parametrize("name", classes())
def test_every_class_of_the_tables_is_where_they_say(name: str) -> None:
    importlib.import_module("sklearn.experimental.enable_halving_search_cv")
    importlib.import_module("sklearn.experimental.enable_iterative_imputer")
    module, found = name, None
    while found is None and module:
        module = module.rpartition(".")[0]
        with contextlib.suppress(ImportError):
            found = getattr(importlib.import_module(module), name.removeprefix(f"{module}."), None)
    assert found is not None
    assert stripper_of(found) is classes()[name]


def test_two_classes_of_one_name_stay_apart() -> None:
    pretender = type("Ridge", (), {"__module__": "sklearn.preprocessing._data"})
    assert stripper_of(pretender) is None
    assert stripper_of(type("Ridge", (), {"__module__": "sklearn.linear_model._new"})) is not None


def test_a_class_in_place_of_an_instance() -> None:
    with pytest.raises(UnsupportedModelError, match="LinearRegression is a class; pass a fitted"):
        strip(LinearRegression, X)


def test_a_subclass_may_predict_differently() -> None:
    class Shifted(LinearRegression):
        def predict(self, X: Any) -> np.ndarray:
            return super().predict(X) + 1

    with pytest.raises(
        UnsupportedModelError,
        match=r"Shifted is a subclass of sklearn\.linear_model\..*LinearRegression and may predict "
        r"differently.*sclbl\.register",
    ):
        strip(Shifted().fit(X, Y), X)


def test_a_subclass_of_a_registered_class(registered: DoublerStripper) -> None:
    class Tripler(Doubler):
        pass

    with pytest.raises(UnsupportedModelError, match=r"Tripler is a subclass of .*Doubler"):
        strip(Tripler(), X)


def test_registered(registered: DoublerStripper) -> None:
    spec = check(Doubler(), X)
    assert spec.methods == ("predict",)
    assert spec.source.model == f"{Doubler.__module__}.Doubler"


def test_a_registered_class_inside_a_pipeline(registered: DoublerStripper) -> None:
    class Fitted(BaseEstimator, Doubler):
        def fit(self, X: Any, y: Any = None) -> Fitted:
            self.fitted_ = True
            return self

    dispatch.register(Fitted, registered)
    check(make_pipeline(StandardScaler(), Fitted()).fit(X), X, rtol=1e-12)


def test_what_register_refuses() -> None:
    with pytest.raises(TypeError, match="register takes a class first, not 3"):
        dispatch.register(3, DoublerStripper())  # type: ignore[arg-type]  # the wrong type, on purpose
    with pytest.raises(TypeError, match=r"stripper for .*Doubler is .* no instance of sclbl.strip"):
        dispatch.register(Doubler, object())  # type: ignore[arg-type]  # the wrong type, on purpose


@pytest.mark.parametrize(
    "model", [LinearRegression(), make_pipeline(StandardScaler(), LogisticRegression())], ids=str
)
def test_unfitted(model: Any) -> None:
    with pytest.raises(NotFittedError, match="is not fitted; call its fit method first"):
        strip(model, X)


# ------------------------------------------------------------------ methods


def test_methods() -> None:
    model = LogisticRegression().fit(X, Y)
    every = ("predict", "predict_proba", "predict_log_proba", "decision_function")
    assert strip(model, X).methods == every
    assert strip(model, X, methods=["predict_proba", "predict"]).methods == (
        "predict_proba",
        "predict",
    )
    assert strip(model, X, methods="predict").methods == ("predict",)  # one name, not letters
    with pytest.raises(
        UnsupportedMethodError, match=r"does not offer transform, score; it offers predict, predic"
    ):
        strip(model, X, methods=["transform", "predict", "score"])
    with pytest.raises(UnsupportedMethodError, match=r"no method was asked for; .* offers predict"):
        strip(model, X, methods=[])


def test_only_what_a_method_needs_stays() -> None:
    model = LogisticRegression().fit(X, Y)
    assert len(strip(model, X, methods=["decision_function"]).graph.nodes) < len(
        strip(model, X).graph.nodes
    )


def test_methods_on_request(registered: DoublerStripper) -> None:
    output = strip(Doubler(), X[:1], methods=["cube"]).signature.outputs["cube"]
    assert (output.ndim, output.shape) == (3, (1, 1))
    with pytest.raises(UnsupportedMethodError, match="offers predict, cube"):
        strip(Doubler(), X, methods=["square"])


# ----------------------------------------------------------------- examples

FRAME = pd.DataFrame({"n": [1.0, 2.0, np.nan], "t": ["a", "b", "a"]})


def encoder() -> Any:
    return OneHotEncoder().fit(FRAME)


@pytest.mark.parametrize(
    "example",
    [
        FRAME,
        FRAME[:1],
        FRAME.iloc[0],
        {"n": [1.0, 2.0], "t": ["a", "b"]},
        {"n": 1.0, "t": "a"},
        [{"n": 1.0, "t": "a"}, {"n": 2.0, "t": "b"}],
        pl.DataFrame({"n": [1.0, 2.0], "t": ["a", "b"]}),
        pa.table({"n": [1.0, 2.0], "t": ["a", "b"]}),
    ],
    ids=["frame", "row", "series", "dict", "dict of one", "dicts", "polars", "arrow"],
)
def test_examples_with_names(example: Any) -> None:
    spec = strip(encoder(), example)
    assert [(c.name, c.kind) for c in spec.signature.columns] == [("n", "float64"), ("t", "text")]
    assert spec.signature.layout == "table"
    expected = encoder().transform(FRAME).toarray()
    np.testing.assert_array_equal(run(spec, FRAME)["transform"], expected)


@pytest.mark.parametrize(
    "example", [X, X[:1], X[0], X[0].tolist(), X[:2].tolist()], ids=["2d", "row", "1d", "l", "ll"]
)
def test_examples_without_names(example: Any) -> None:
    model = LinearRegression().fit(X, Y)
    spec = strip(model, example)
    assert spec.signature.layout == "array"
    np.testing.assert_allclose(run(spec, X)["predict"], model.predict(X), rtol=1e-12)


def test_a_list_with_none_among_numbers() -> None:
    model = SimpleImputer(strategy="median").fit(X)
    assert strip(model, [[1.0, None, 2.0]]).signature.outputs["transform"].dtype == "float64"


def test_examples_that_are_no_rows() -> None:
    model = LinearRegression().fit(X, Y)
    with pytest.raises(ShapeError, match="example_input has no rows"):
        strip(model, X[:0])
    with pytest.raises(ColumnError, match=r"has 2 columns, but .*LinearRegression was fitted on 3"):
        strip(model, X[:, :2])
    with pytest.raises(ShapeError):
        strip(model, X[None])


def test_rows_that_the_model_itself_refuses() -> None:
    model = LinearRegression().fit(X, Y)
    with pytest.raises(
        InputError, match=r"predict refuses example_input: .* contains NaN\.; give rows that the"
    ):
        strip(model, np.full((1, 3), np.nan))


def test_names_of_many_columns_are_cut_short() -> None:
    wide = pd.DataFrame(np.zeros((2, 30)), columns=[f"c{i}" for i in range(30)])
    with pytest.raises(ColumnError, match=r"'c9', 'c10', 'c11' and 18 more$") as caught:
        strip(StandardScaler().fit(wide), wide[["c0", "c1"]])
    assert caught.value.column == "c2"


# ------------------------------------------------------------------ the spec


def test_outputs_are_what_the_methods_return() -> None:
    outputs = strip(LogisticRegression().fit(X, np.where(Y, "yes", "no")), X).signature.outputs
    predict, probabilities = outputs["predict"], outputs["predict_proba"]
    assert (predict.storage, predict.dtype, predict.width, predict.ndim) == ("label", "<U3", 1, 1)
    assert predict.labels == (("no", "yes"),)
    assert (probabilities.storage, probabilities.width, probabilities.ndim) == ("float64", 2, 2)
    two = strip(LinearRegression().fit(X, X[:, :2]), X).signature.outputs["predict"]
    assert (two.width, two.ndim, two.names) == (2, 2, None)
    one = strip(LinearRegression().fit(X, X[:, :1]), X).signature.outputs["predict"]
    assert (one.width, one.ndim) == (1, 2)


def test_lists_of_arrays_are_split() -> None:
    y = np.column_stack([Y, np.arange(30) % 3])
    forest = RandomForestClassifier(3, max_depth=2, random_state=0).fit(X, y)
    output = strip(forest, X, methods=["predict_proba"]).signature.outputs["predict_proba"]
    assert (output.width, output.ndim, output.splits) == (5, 2, (2, 3))


def test_names_of_the_result() -> None:
    outputs = strip(StandardScaler().fit(FRAME[["n"]]), FRAME[["n"]]).signature.outputs
    assert outputs["transform"].names == ("n",)
    outputs = strip(StandardScaler().fit(X), X).signature.outputs
    assert outputs["transform"].names == ("x0", "x1", "x2")


def test_set_output_makes_no_difference_to_what_a_program_returns() -> None:
    model = StandardScaler().set_output(transform="pandas").fit(FRAME[["n"]])
    output = strip(model, FRAME[["n"]]).signature.outputs["transform"]
    assert (output.storage, output.dtype, output.ndim) == ("float64", "float64", 2)


def test_source_and_contents() -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    spec = strip(model, X)
    assert spec.source.model == "sklearn.pipeline.Pipeline"
    assert spec.source.libraries == {"sklearn": sklearn.__version__, "numpy": np.__version__}
    assert spec.kept["coefficients"] >= 8 * (3 + 3 + 3 + 1)
    assert "standardscaler.var_" in spec.dropped
    assert "logisticregression.n_iter_" in spec.dropped
    assert not {"standardscaler.mean_", "logisticregression.coef_"} & set(spec.dropped)
    assert "dropped  standardscaler.n_samples_seen_, standardscaler.var_" in spec.summary()


def test_what_an_encoder_keeps() -> None:
    kept = strip(OneHotEncoder().fit(FRAME[["t"]]), FRAME[["t"]]).kept
    assert kept["categories"] == len("ab") + 2 * 8


def test_libraries_of_steps_are_named() -> None:
    from xgboost import XGBRegressor

    boosted = XGBRegressor(n_estimators=2, max_depth=2, n_jobs=1)
    model = make_pipeline(StandardScaler(), boosted).fit(X, X[:, 0])
    assert set(strip(model, X).source.libraries) == {"sklearn", "xgboost", "numpy"}


def test_the_same_model_gives_the_same_spec() -> None:
    first, second = (strip(encoder(), FRAME) for _ in range(2))
    assert first.sha256 == second.sha256
    assert first.sha256 != strip(OneHotEncoder().fit(FRAME[:1]), FRAME[:1]).sha256


def test_a_stripper_with_a_defect_is_found_out(registered: DoublerStripper) -> None:
    registered.width = 2
    with pytest.raises(SpecError, match="returns 1 columns and its graph 2: a defect of the str"):
        strip(Doubler(), X)


def test_the_model_is_left_as_it_was() -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    before = {k: repr(v) for k, v in vars(model[1]).items()}
    strip(model, X)
    assert {k: repr(v) for k, v in vars(model[1]).items()} == before


def test_strip_is_imported_without_a_modelling_library() -> None:
    code = (
        "import sys, sclbl.strippers; "
        "print([m for m in ('sklearn', 'xgboost', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
