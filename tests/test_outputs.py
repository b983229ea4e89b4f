"""Results in the containers that the model gives: DataFrames of pandas and polars, sparse ones."""

from __future__ import annotations

import copy
import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from pandas.testing import assert_frame_equal
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

import sclbl
from sclbl import result_frames
from sclbl.errors import FidelityError, LimitError, ParameterError, UnknownCategoryError
from sclbl.fidelity import frames as compared
from sclbl.frame import Categories, Frame
from sclbl.runtime import outputs as runtime_outputs
from sclbl.signature import Output, Signature
from sclbl.signature_check import validate
from sclbl.strippers import frames, strip

INDEX = pd.Index([7, 3, 9, 1], name="id")
FRAME = pd.DataFrame(
    {
        "whole": [1, 2, 3, 5],
        "single": np.array([0.5, 1.5, np.nan, 2.5], dtype=np.float32),
        "truth": [True, False, True, True],
        "number": [0.25, np.nan, 1.0, -2.0],
        "text": ["x", "y", "x", "z"],
        "kind": pd.Categorical(["u", "v", "u", "v"], categories=["v", "u", "w"], ordered=True),
        "nullable": pd.array([1, None, 3, 4], dtype="Int64"),
        "short": np.array([1, 2, 3, 4], dtype=np.int8),
    },
    index=INDEX,
)
POLARS = pl.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 2.5], "t": ["x", "y", "x"]})


def columns(*steps: tuple[Any, list[str]]) -> ColumnTransformer:
    named = [(f"s{i}", step, names) for i, (step, names) in enumerate(steps)]
    return ColumnTransformer(named, verbose_feature_names_out=False)


NUMBERS = FRAME[["whole", "truth", "short"]]
INTEGERS = FRAME[["whole", "short"]]
PANDAS: dict[str, tuple[Any, Any]] = {
    "made floats": (StandardScaler(), NUMBERS),
    "columns of several types": (
        columns((StandardScaler(), ["whole"]), ("passthrough", ["single", "truth", "short"])),
        FRAME,
    ),
    "integers": (Binarizer(), FRAME[["whole"]]),
    "names of an encoder": (OneHotEncoder(sparse_output=False), FRAME[["text", "kind"]]),
    "codes": (OrdinalEncoder(), FRAME[["text"]]),
    "text": (SimpleImputer(strategy="most_frequent"), FRAME[["text"]]),
    "text and categories that pass": (columns(("passthrough", ["text", "kind"])), FRAME),
    "categories alone": (columns(("passthrough", ["kind"])), FRAME),
    "selected columns keep their types": (SelectKBest(k=2), NUMBERS),
    "a pipeline": (make_pipeline(StandardScaler(), PCA(2)), NUMBERS),
    "names that a pipeline's last step makes up": (
        make_pipeline(StandardScaler(), SelectKBest(k=1)),
        NUMBERS,
    ),
    "a union": (
        make_union(StandardScaler(), KBinsDiscretizer(2, encode="ordinal")),
        NUMBERS[["whole", "short"]],
    ),
    "an array": (MinMaxScaler(), NUMBERS.to_numpy(float)),
    "a function": (FunctionTransformer(np.log1p), INTEGERS),
    "an index lost on the way": (
        make_pipeline(FunctionTransformer(np.sign, validate=True), MinMaxScaler()),
        NUMBERS.astype(float),
    ),
    "a DataFrame of dicts": (DictVectorizer(sparse=False), [{"a": 1.0, "b": "x"}, {"b": "y"}]),
}


def source(model: Any, library: str, rows: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a step was fitted without names
        return copy.deepcopy(model).set_output(transform=library).transform(rows)


def fitted(model: Any, rows: Any) -> Any:
    return model.fit(rows, [0, 1, 0, 1][: len(rows)])


@pytest.mark.parametrize("name", PANDAS)
def test_pandas(name: str) -> None:
    model, rows = PANDAS[name]
    model = fitted(model, rows)
    program = sclbl.compile(model, rows, methods=["transform"])
    frame = program.transform(rows, output="pandas")
    assert_frame_equal(frame, source(model, "pandas", rows))
    assert isinstance(program.transform(rows), np.ndarray)
    assert_frame_equal(program.run("transform", rows, output="pandas"), frame)
    assert program.report is not None
    assert program.report.frames == "pandas"
    assert "index of DataFrames equal: pandas" in str(program.report)
    again = sclbl.Program.from_bytes(program.wasm)
    assert_frame_equal(again.transform(rows, output="pandas"), frame)
    if name != "a function":  # which gives a DataFrame of its rows' library alone
        theirs = source(model, "polars", rows)
        ours = program.transform(rows, output="polars")
        assert ours.schema == theirs.schema
        # Categories of two frames are numbered each in its own way.
        ours, theirs = (f.cast({pl.Categorical: pl.String}) for f in (ours, theirs))
        assert ours.equals(theirs) or np.allclose(ours.to_numpy(), theirs.to_numpy(), rtol=1e-12)
    else:
        with pytest.raises(ParameterError, match=r"no output 'polars'; it offers 'pandas'$"):
            program.transform(rows, output="polars")


def test_missing_values_of_columns_that_pass() -> None:
    """NaN and pandas.NA where pandas has them, nulls where polars makes them of these."""
    model = columns(("passthrough", ["nullable", "number"]), (StandardScaler(), ["single"]))
    model.set_output(transform="pandas").fit(FRAME)
    program = sclbl.compile(model, FRAME)
    frame = program.transform(FRAME, output="pandas")
    assert_frame_equal(frame, model.transform(FRAME))
    assert [str(d) for d in frame.dtypes] == ["Int64", "float64", "float32"]
    assert frame["nullable"].isna().tolist() == [False, True, False, False]
    theirs = source(model, "polars", FRAME)
    wide = FRAME.astype({"single": "float64"})
    program = sclbl.compile(model.fit(wide), wide)
    ours = program.transform(wide, output="polars")
    theirs = source(model, "polars", wide)
    assert ours.schema == theirs.schema
    assert ours.equals(theirs)
    assert [c.null_count() for c in ours.get_columns()] == [1, 1, 0]
    assert ours["single"].is_nan().sum() == 1


def test_columns_that_a_selector_leaves_hold_nulls_in_polars() -> None:
    rows = FRAME[["number", "single"]]
    model = VarianceThreshold().fit(rows)
    program = sclbl.compile(model, rows[2:])
    ours, theirs = program.transform(rows, output="polars"), source(model, "polars", rows)
    assert ours.schema == theirs.schema
    assert ours.equals(theirs)
    assert [c.null_count() for c in ours.get_columns()] == [1, 1]


def test_nulls_of_polars_rows() -> None:
    """A function leaves them in its columns; what goes through an array has NaN."""
    rows = POLARS[["b"]]
    for model, nulls in ((FunctionTransformer(lambda x: x * 2), 1), (VarianceThreshold(), 0)):
        program = sclbl.compile(model.fit(rows), rows[:1])
        ours, theirs = program.transform(rows, output="polars"), source(model, "polars", rows)
        assert ours.equals(theirs)
        assert ours["b"].null_count() == nulls


def test_rows_of_other_types_keep_their_numbers() -> None:
    """A fraction in a column of integers makes it one of floats, as in the model's DataFrame."""
    model = columns(("passthrough", ["whole"]), (StandardScaler(), ["number"])).fit(FRAME)
    program = sclbl.compile(model, FRAME[:2])
    rows = pd.DataFrame({"whole": [0.5, np.nan], "number": [1.0, 2.0]})
    assert_frame_equal(program.transform(rows, output="pandas"), source(model, "pandas", rows))
    named = program.transform([{"whole": 1, "number": 2.0}], output="pandas")
    assert named.index.tolist() == [0]
    assert [str(d) for d in named.dtypes] == ["int64", "float64"]


def test_a_text_that_is_no_category_stays_what_it_is() -> None:
    model = columns(("passthrough", ["kind"])).fit(FRAME)
    program = sclbl.compile(model, FRAME)
    assert program.signature.outputs["transform"].frame == Frame(
        (Categories(("v", "u", "w"), "str", ordered=True),), kept=(0,)
    )
    frame = program.transform(pd.DataFrame({"kind": ["u", "other"]}), output="pandas")
    assert frame["kind"].tolist() == ["u", "other"]


@pytest.mark.parametrize(
    "model",
    [
        StandardScaler(),
        columns(("passthrough", ["a"]), (MinMaxScaler(), ["b"])),
        make_pipeline(SimpleImputer(), MinMaxScaler()),
        columns(("passthrough", ["b", "a"])),
    ],
    ids=["made", "columns", "pipeline", "passed"],
)
def test_polars_rows(model: Any) -> None:
    rows = POLARS[["a", "b"]]
    program = sclbl.compile(model.fit(rows), rows)
    assert program.report is not None
    assert "polars" in program.report.frames
    ours, theirs = program.transform(rows, output="polars"), source(model, "polars", rows)
    assert ours.schema == theirs.schema
    assert ours.equals(theirs)


def test_polars_text() -> None:
    model = columns(("passthrough", ["t"])).fit(POLARS)
    program = sclbl.compile(model, POLARS)
    assert program.transform(POLARS, output="polars").equals(source(model, "polars", POLARS))


def test_float32_between_steps_of_polars() -> None:
    """Steps that hand on DataFrames of polars compute in float64, which the program does not."""
    rows = NUMBERS.astype("float32")
    program = sclbl.compile(make_pipeline(StandardScaler(), MinMaxScaler()).fit(rows), rows)
    assert program.signature.outputs["transform"].containers == ("pandas",)
    program = sclbl.compile(StandardScaler().fit(rows), rows)
    assert program.transform(rows, output="polars").dtypes == [pl.Float32] * 3


# ------------------------------------------------------- what is set on a model


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_is_said_and_asked_for(library: str) -> None:
    model = StandardScaler().set_output(transform=library).fit(NUMBERS)
    spec = strip(model, NUMBERS)
    (said,) = spec.warnings
    assert said.startswith(f"the model is set to give DataFrames of {library} (set_output); the")
    assert f'transform(rows, output="{library}")' in said
    program = sclbl.compile(model, NUMBERS)
    assert type(program.transform(NUMBERS)) is np.ndarray
    assert type(program.transform(NUMBERS, output=library)) is type(model.transform(NUMBERS))
    assert model.transform(NUMBERS).shape == (4, 3)  # which is set as it was
    assert strip(StandardScaler().fit(NUMBERS), NUMBERS).warnings == ()


def test_what_is_set_on_the_last_step_is_said() -> None:
    model = make_pipeline(StandardScaler(), MinMaxScaler()).set_output(transform="pandas")
    spec = strip(model.fit(NUMBERS), NUMBERS)
    assert "DataFrames of pandas" in spec.warnings[0]
    assert spec.signature.outputs["transform"].containers == ("pandas", "polars")
    search = GridSearchCV(model, {}, cv=2, scoring=lambda *a: 0.0).fit(NUMBERS, [0, 1, 0, 1])
    (said,) = strip(search, NUMBERS).warnings
    assert said.endswith("(set_output); the program gives arrays")


def test_the_configuration_of_scikit_learn_is_said() -> None:
    model = StandardScaler().fit(NUMBERS)
    with sklearn.config_context(transform_output="pandas"):
        assert "DataFrames of pandas" in strip(model, NUMBERS).warnings[0]


def test_other_methods_give_arrays() -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(NUMBERS, [0, 1, 0, 1])
    program = sclbl.compile(model.set_output(transform="pandas"), NUMBERS)
    message = "predict has no output 'pandas'; it offers only its own, an array"
    with pytest.raises(ParameterError, match=message):
        program.predict(NUMBERS, output="pandas")
    with pytest.raises(ParameterError, match=message):
        program.run("predict", NUMBERS, output="pandas")


def test_a_library_that_is_absent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    program = sclbl.compile(StandardScaler().fit(NUMBERS), NUMBERS)
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(ParameterError, match="output='polars' needs polars, which is not inst"):
        program.transform(NUMBERS, output="polars")


def test_verification_compares_names_dtypes_index_and_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = StandardScaler().fit(NUMBERS)
    theirs = frames.Asked.transform
    changes: list[tuple[Any, str]] = [
        (lambda f: f.rename(columns={"whole": "other"}), "its columns are 'whole', 'truth', 'sho"),
        (lambda f: f.astype({"truth": "float32"}), "column 'truth' is float64, and the model's f"),
        (lambda f: f.reset_index(drop=True), "its index is another than the model's"),
        (lambda f: f + 1e-6, "row 1, column 'whole' is -0"),
    ]
    spec = strip(model, NUMBERS)
    for change, message in changes:
        monkeypatch.setattr(
            compared, "Asked", type("A", (frames.Asked,), {
                "transform": lambda s, rows, c=change: c(theirs(s, rows)),
            }),
        )  # fmt: skip
        with pytest.raises(FidelityError, match=message):
            sclbl.fidelity.verify(model, spec, sclbl.compile(spec).wasm, NUMBERS)


# ---------------------------------------------------------------------- sparse


def sparse_models() -> list[tuple[Any, Any]]:
    one_hot = OneHotEncoder(handle_unknown="ignore").fit(FRAME[["text", "kind"]])
    stacked = ColumnTransformer([("o", OneHotEncoder(), ["text"]), ("p", "passthrough", ["whole"])])
    rows = sparse.csr_matrix(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]))
    return [
        (one_hot, FRAME[["text", "kind"]]),
        (stacked.set_params(sparse_threshold=1.0).fit(FRAME), FRAME),
        (StandardScaler(with_mean=False).fit(rows), rows),
        (MinMaxScaler().fit(NUMBERS), None),
    ]


def test_sparse_results_of_dense_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    from sclbl.runtime import containers

    monkeypatch.setattr(containers, "SLICE_BYTES", 80)  # several slices
    for model, rows in sparse_models()[:3]:
        program = sclbl.compile(model, rows)
        want = model.transform(rows)
        found = program.transform(rows, output="sparse")
        assert type(found) is type(want)
        assert found.dtype == want.dtype
        assert (found != want).nnz == 0
        assert type(program.transform(rows)) is np.ndarray
        np.testing.assert_array_equal(program.transform(rows, output="dense"), want.toarray())
        assert program.signature.outputs["transform"].containers == ("dense", "sparse")


def test_the_class_of_a_sparse_result_is_the_models() -> None:
    with sklearn.config_context(sparse_interface="sparray"):
        model = OneHotEncoder().fit(FRAME[["text"]])
        program = sclbl.compile(model, FRAME[["text"]])
        assert type(model.transform(FRAME[["text"]])) is sparse.csr_array
    assert type(program.transform(FRAME[["text"]], output="sparse")) is sparse.csr_array


def test_a_large_dense_form_is_made_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_outputs, "MOST_DENSE_BYTES", 3 * 8 * 2)
    rows = np.array([[0], [1], [2], [1]])
    program = sclbl.compile(OneHotEncoder().fit(rows), rows)
    assert program.transform(rows[:2]).shape == (2, 3)
    message = "of 4 rows and 3 columns takes 96 bytes: ask for output='sparse', or for"
    for given in (rows, rows.astype(float), rows.tolist()):
        with pytest.raises(LimitError, match=message):
            program.transform(given)
    assert program.transform(rows, output="dense").shape == (4, 3)
    given = sparse.csr_matrix(np.eye(4))
    scaler = sclbl.compile(StandardScaler(with_mean=False).fit(given), given)
    with pytest.raises(LimitError, match="of 4 rows and 4 columns"):
        scaler.transform(given)


def test_refused_rows_of_sparse_results_are_counted_from_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sclbl.runtime import containers

    monkeypatch.setattr(containers, "SLICE_BYTES", 24)
    rows = np.array([[0], [1], [2], [7]])
    program = sclbl.compile(OneHotEncoder().fit(rows[:3]), rows[:3])
    with pytest.raises(UnknownCategoryError, match="row 3, column '0'") as caught:
        program.transform(rows, output="sparse")
    assert caught.value.row == 3


def test_diagonals_of_a_sparse_result_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every diagonal is there in whole: of few entries, far from each other, gigabytes are made."""
    matrix = sparse.csr_matrix(np.eye(4))
    output = Output("float64", "float64", 4, 2, matrix="dia_matrix")
    assert type(runtime_outputs.as_given(output, matrix)) is sparse.dia_matrix
    monkeypatch.setattr(runtime_outputs, "MOST_DENSE_BYTES", 4 * 8)
    assert (runtime_outputs.as_given(output, matrix) != matrix).nnz == 0
    with pytest.raises(LimitError, match="diagonals, which take 64 bytes; at most 32"):
        runtime_outputs.as_given(output, sparse.csr_matrix(([1.0, 1], ([0, 1], [0, 3])), (4, 4)))


def test_a_number_that_is_no_category_stays_what_it_is() -> None:
    frame = Frame((Categories((1, 2), "int64"),), ("pandas",), ("a",))
    output = Output("float64", "float64", 1, 2, frame=frame)
    made = result_frames.in_frame(output, "pandas", np.array([[1.0], [2]]))
    assert made["a"].dtype == pd.CategoricalDtype([1, 2])
    for values, dtype in (([1.0, 3], "int64"), ([1.0, 2.5], "float64"), ([3.0, np.nan], "float64")):
        made = result_frames.in_frame(output, "pandas", np.array(values)[:, None])
        assert made["a"].dtype == dtype
        np.testing.assert_array_equal(made["a"], values)


# --------------------------------------------------------------- the signature


OUTPUT = Output("float64", "float64", 2, 2, names=("a", "b"))


@pytest.mark.parametrize(
    "frame",
    [
        Frame(("float64",)),
        Frame(("int64", Categories(("x", "y"), "str", True)), ("pandas",), ("b", "c"), (1,)),
        Frame(("Int64", "boolean"), indexed=False),
    ],
)  # fmt: skip
def test_a_frame_is_written_and_read(frame: Frame) -> None:
    output = replace(OUTPUT, frame=frame, matrix="csr_array")
    assert Output.from_json(json.loads(json.dumps(output.to_json()))) == output


@pytest.mark.parametrize(
    "change",
    [
        {"frame": Frame(("float64", "float64", "float64"))},
        {"frame": Frame(())},
        {"frame": Frame(("os.system('x')",))},
        {"frame": Frame(("datetime64",))},
        {"frame": Frame(("float64", "category"))},
        {"frame": Frame(("float64",), ("pandas", "other"))},  # type: ignore[arg-type]
        {"frame": Frame(("float64",), ())},
        {"frame": Frame(("float64",), names=("a",))},
        {"frame": Frame(("float64",), names=("a", 1))},  # type: ignore[arg-type]
        {"frame": Frame(("float64",), kept=(2,))},
        {"frame": Frame(("float64", Categories(("x", "x"), "str")))},
        {"frame": Frame(("float64", Categories(((1,),), "str")))},  # type: ignore[arg-type]
        {"frame": Frame(("float64",), kept=(1, 1))},
        {"frame": Frame(("float64",), kept=(0, 1, 0))},
        {"frame": Frame(("float64",), names=("a", "a"))},
        {"frame": Frame(("object",))},
        {"frame": Frame(("float16",))},
        *(
            {"frame": Frame((dtype,), ("pandas",))}
            for dtype in (
                "S99999999",
                "foo9",
                "period[D]",
                "Int999",
                "complex128",
                "str",
                "string",
                "float128",
                "float16[pyarrow]",
                "int7",
            )
        ),
        *(
            {"frame": Frame(("float64", Categories(values, dtype)), ("pandas",))}
            for values, dtype in (
                ((1, "a"), "int64"),
                ((10**400,), "int64"),
                ((10**400,), "object"),
                ((300,), "uint8"),
                ((-1,), "UInt64"),
                ((True,), "int64"),
                ((1,), "boolean"),
                ((0.1,), "float32"),
                ((1e300,), "float16"),
                ((1,), "float64"),
                ((float("nan"),), "double[pyarrow]"),
                (("x",), "str"),
                ((1,), "str"),
            )
        ),
        {"frame": Frame((Categories((1, True), "object"),), ("pandas",))},
        {"frame": Frame(("float64",)), "storage": "text", "dtype": "object"},
        {"frame": Frame((Categories((1,), "int64"),)), "storage": "text", "dtype": "object"},
        {"frame": Frame(("float64",)), "names": None},
        {"frame": Frame(("float64",)), "splits": (1, 1)},
        {"matrix": "csr"},
        {"matrix": "os"},
        {"matrix": 1},
        {"matrix": "csr_matrix", "storage": "text", "dtype": "object"},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    signature = Signature((), "array", {"transform": replace(OUTPUT, **change)})
    given = strip(StandardScaler().fit(NUMBERS), NUMBERS).signature
    validate(replace(given, outputs={"transform": OUTPUT}))
    with pytest.raises(ValueError, match="its output 'transform'"):
        validate(replace(given, outputs=signature.outputs))
