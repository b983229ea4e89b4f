"""None, NaN and pandas.NA: programs beside models, in every container that holds them.

Each case is a model, fitted on a column in some container that shows one sort of missing value (or
none), and a row with a missing value in another. What the program makes of it must be what the
model makes of that row: objects keep the missing value that they are, a null of JSON, polars or
Arrow is the column's own. Equal, or refused by both; a column of numbers may also refuse, in so
many words, what it cannot carry.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

import sclbl
from sclbl.errors import DtypeError, InputError, SclblError
from sclbl.rows import OneNull
from sclbl.server.payload import read_json
from sclbl.signature import Signature

VALUES: dict[str, Any] = {"none": None, "nan": np.nan, "na": pd.NA}
DENSE: dict[str, Any] = {"sparse_output": False}
ORDINAL = OrdinalEncoder(
    handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
)
TREE = DecisionTreeClassifier(random_state=0)
BOOSTING = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2)


def imputer(**options: Any) -> SimpleImputer:
    return SimpleImputer(**{"strategy": "most_frequent", **options})


#: Models of a column of text.
OF_TEXT: dict[str, Any] = {
    "one-hot, error": OneHotEncoder(**DENSE),
    "one-hot, ignore": OneHotEncoder(handle_unknown="ignore", **DENSE),
    "one-hot, infrequent": OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=4, **DENSE
    ),
    "ordinal, error": OrdinalEncoder(encoded_missing_value=-2),
    "ordinal, unknown": ORDINAL,
    "imputer, NaN": imputer(add_indicator=False),
    "imputer, None": imputer(missing_values=None),
    "imputer, NA": imputer(missing_values=pd.NA),
    "imputer, constant": imputer(strategy="constant", fill_value="?"),
    "imputer, constant, NA": imputer(strategy="constant", fill_value="?", missing_values=pd.NA),
    "imputer, a text": imputer(missing_values="a"),
    "indicator, NaN": MissingIndicator(features="all"),
    "indicator, None": MissingIndicator(missing_values=None, features="all"),
    "indicator, NA": MissingIndicator(missing_values=pd.NA, features="all"),
    "logistic": make_pipeline(
        imputer(), OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
    ),
    "logistic, None": make_pipeline(
        imputer(missing_values=None), OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
    ),
    "logistic, encoder only": make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
    ),
    "tree": make_pipeline(clone(ORDINAL), TREE),
    "forest": make_pipeline(imputer(), clone(ORDINAL), RandomForestClassifier(3, random_state=0)),
    "boosting": make_pipeline(clone(ORDINAL).set_params(encoded_missing_value=np.nan), BOOSTING),
}
#: Models of a column of numbers.
OF_NUMBERS: dict[str, Any] = {
    "one-hot, error": OneHotEncoder(**DENSE),
    "one-hot, ignore": OneHotEncoder(handle_unknown="ignore", **DENSE),
    "ordinal, unknown": ORDINAL,
    "imputer, mean": SimpleImputer(add_indicator=True),
    "imputer, median": SimpleImputer(strategy="median"),
    "imputer, most frequent": imputer(add_indicator=True),
    "imputer, constant": imputer(strategy="constant", fill_value=7),
    "imputer, mean, NA": SimpleImputer(missing_values=pd.NA),
    "imputer, most frequent, NA": imputer(missing_values=pd.NA),
    "imputer, None": imputer(missing_values=None),
    "imputer, a number": imputer(missing_values=2),
    "indicator, NaN": MissingIndicator(features="all"),
    "indicator, NA": MissingIndicator(missing_values=pd.NA, features="all"),
    "logistic": make_pipeline(SimpleImputer(), LogisticRegression()),
    "logistic, most frequent": make_pipeline(imputer(), LogisticRegression()),
    "tree": TREE,
    "tree after encoder": make_pipeline(clone(ORDINAL), TREE),
    "boosting": BOOSTING,
}

#: A column of a frame from its cells; None in a typed one is that dtype's missing value.
Make = Callable[[list[Any]], Any]


def frame(dtype: Any) -> Make:
    def make(cells: list[Any]) -> pd.DataFrame:
        if dtype is not object:
            cells = [None if v is pd.NA or v != v else v for v in cells]
        return pd.DataFrame({"c": pd.Series(cells, dtype=dtype)})

    return make


def array(cells: list[Any]) -> np.ndarray:
    return np.array([[v] for v in cells], dtype=object)


def polars(cells: list[Any]) -> pl.DataFrame:
    values = [None if v is pd.NA or v != v else v for v in cells]
    text = not any(isinstance(v, (int, float)) for v in values)
    return pl.DataFrame({"c": values}, schema={"c": pl.String} if text else None)


def arrow(cells: list[Any]) -> pa.Table:
    return pa.table({"c": pa.array([None if v is pd.NA or v != v else v for v in cells])})


ANY = ("none", "nan", "na")
#: How a column is held, and the missing values that tell rows of it apart.
TEXTS: dict[str, tuple[Make, tuple[str, ...]]] = {
    "object array": (array, ANY),
    "object": (frame(object), ANY),
    "str": (frame("str"), ("nan",)),
    "string": (frame("string"), ("na",)),
    "string[pyarrow]": (frame("string[pyarrow]"), ("na",)),
    "category": (frame(pd.CategoricalDtype(["a", "b", "z"])), ("nan",)),
    "polars": (polars, ("none",)),
    "arrow": (arrow, ("none",)),
}
NUMBERS: dict[str, tuple[Make, tuple[str, ...]]] = {
    "object array": (array, ANY),
    "object": (frame(object), ANY),
    "float64": (frame("float64"), ("nan",)),
    "Float64": (frame("Float64"), ("na",)),
    "Int64": (frame("Int64"), ("na",)),
    "double[pyarrow]": (frame("double[pyarrow]"), ("na",)),
    "polars": (polars, ("none",)),
    "arrow": (arrow, ("none",)),
}
ONE_NULL = ("polars", "arrow")
#: Why a model that takes its example has no program.
NOT_COMPILED = (
    "program knows one missing number",  # it learned two missing values of a column of numbers
    "and a column of a program holds one of them",  # it fills numbers with text
    "is another value to the model than the missing number",  # of the example's numbers
    "refuses example_input",  # a null of the example is the value learned, which it refuses
)


def asked(model: Any, rows: Any) -> Any:
    """Return what the model's first method makes of rows, None where it refuses them."""
    method = next(m for m in ("predict_proba", "transform") if hasattr(model, m))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.asarray(getattr(model, method)(rows))
        except (ValueError, TypeError):
            return None


def to_the_model(container: str, text: bool, cells: list[Any], own: str) -> Any:
    """Return rows as they are put to a model: one null is the column's own value."""
    if container not in ONE_NULL:
        return (TEXTS if text else NUMBERS)[container][0](cells)
    if text:
        return frame(object)([v if isinstance(v, str) else VALUES[own] for v in cells])
    return frame("float64")(cells)


def json_rows(signature: Signature, named: bool) -> OneNull:
    body = b'[{"c": null}]' if named else b"[[null]]"
    return OneNull(read_json(body, signature, 10))


def outcome(program: sclbl.Program, rows: Any, theirs: Any) -> str:
    method = program.methods[0]
    try:
        ours = np.asarray(program.run(method, rows))
    except DtypeError as error:
        if "is another value to the model than the missing number" not in str(error):
            raise
        return "refused by both" if theirs is None else "refused in so many words"
    except InputError:
        assert theirs is None, f"the program refuses, the model gives {theirs}"
        return "refused by both"
    assert theirs is not None, f"the model refuses, the program gives {ours}"
    assert ours.shape == theirs.shape
    if theirs.dtype == object and isinstance(theirs[0, 0], str):
        assert repr(ours.tolist()) == repr(theirs.tolist())
    elif theirs.dtype == object and ours.dtype == object and ours[0, 0] is not theirs[0, 0]:
        assert repr(float(ours[0, 0])) == repr(float(theirs[0, 0]))
    elif theirs.dtype != object:
        np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=1e-12)
    return "equal"


def programs(model: Any, text: bool) -> Iterator[tuple[str, Any, sclbl.Program | None]]:
    """Fit a model on a column in each container, with each missing value that it takes.

    The program is None where compiling was refused, in so many words.
    """
    plain: list[Any] = ["a", "b", "b", "a", "b"] * 2 if text else [1, 2, 2, 1, 2] * 2
    method = "predict_proba" if hasattr(model, "predict_proba") else "transform"
    for container, (make, kinds) in (TEXTS if text else NUMBERS).items():
        for seen in ((), *((kind,) for kind in kinds)):
            cells = [*plain, *(VALUES[kind] for kind in seen)]
            rows = make(cells)
            if container == "arrow":
                rows = to_the_model(container, text, cells, "none")
            fitted = clone(model)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    fitted.fit(rows, [i % 2 for i in range(len(cells))])
                    getattr(fitted, method)(rows)
                except (ValueError, TypeError):
                    continue  # the model refuses such rows
            example = make(cells) if container == "arrow" else rows
            try:
                yield container, fitted, sclbl.compile(fitted, example, methods=[method])
            except SclblError as error:
                if not any(words in str(error) for words in NOT_COMPILED):
                    raise
                yield container, fitted, None


def count(model: Any, text: bool) -> Counter[str]:
    found: Counter[str] = Counter()
    for container, fitted, program in programs(model, text):
        if program is None:
            found["not compiled, in so many words"] += 1
            continue
        own = program.signature.columns[0].missing
        make, kinds = (TEXTS if text else NUMBERS)[container]
        named = program.signature.layout == "table"
        for kind in kinds:  # the container of the example
            cells = [VALUES[kind]]
            theirs = asked(fitted, to_the_model(container, text, cells, own))
            found[outcome(program, make(cells), theirs)] += 1
        for kind, value in VALUES.items():  # Python's objects
            theirs = asked(fitted, frame(object)([value]) if named else array([value]))
            for rows in ({"c": [value]}, [{"c": value}]) if named else ([[value]], array([value])):
                if not text and kind == "na" and "na" in program.signature.columns[0].takes:
                    continue  # how the column's dtype holds what is missing
                found[outcome(program, rows, theirs)] += 1
        given = VALUES[own] if text or container.startswith("object") else np.nan
        kept = frame(object)([given]) if named else array([given])
        if not text and not container.startswith("object"):
            kept = to_the_model(container, text, [None], own)
        theirs = asked(fitted, kept)
        for rows in (json_rows(program.signature, named), polars([None]), arrow([None])):
            found[outcome(program, rows, theirs)] += 1
    assert found["equal"] or found["refused by both"]
    return found


#: Models that stand for the others wherever the whole matrix takes too long.
OFTEN = {
    True: ("one-hot, ignore", "ordinal, unknown", "imputer, constant, NA", "logistic"),
    False: ("ordinal, unknown", "imputer, mean", "imputer, most frequent", "tree"),
}


def cases(models: dict[str, Any], text: bool) -> list[Any]:
    rare = [name for name in models if name not in OFTEN[text]]
    return [*OFTEN[text], *(pytest.param(name, marks=pytest.mark.exhaustive) for name in rare)]


@pytest.mark.parametrize("name", cases(OF_TEXT, True))
def test_text(name: str) -> None:
    count(OF_TEXT[name], text=True)


@pytest.mark.parametrize("name", cases(OF_NUMBERS, False))
def test_numbers(name: str) -> None:
    count(OF_NUMBERS[name], text=False)


def held(rows: dict[str, list[Any]]) -> Iterator[Any]:
    yield pl.DataFrame(rows)
    yield pl.DataFrame(rows).cast(pl.Float32)
    yield pa.table(rows)
    yield {"c": pl.Series(rows["c"])}
    yield {"c": pa.chunked_array([rows["c"]])}


def test_nan_is_not_the_null_of_polars_and_arrow() -> None:
    """A float NaN beside the null is NaN, which a column of numbers that learned None refuses."""
    fitted = frame(object)([1.0, 2.0, None])
    model = clone(ORDINAL).fit(fitted)
    program = sclbl.compile(model, fitted)
    assert model.transform(frame(object)([np.nan, None])).tolist() == [[-1.0], [2.0]]
    for rows in held({"c": [1.0, None]}):
        assert program.transform(rows).tolist() == [[0.0], [2.0]]
    words = r"1, column 'c' holds NaN.* is another value to the model than .* which is None: give"
    for rows in held({"c": [1.0, np.nan]}):
        with pytest.raises(DtypeError, match=words):
            program.transform(rows)
    # One missing number to a model of numbers: NaN is taken with the null.
    example = frame("float64")([1.0, 2.0, np.nan])
    program = sclbl.compile(SimpleImputer().fit(example), example)
    for rows in held({"c": [np.nan, None]}):
        assert program.transform(rows).tolist() == [[1.5], [1.5]]


def test_floats_without_a_number_are_missing_text() -> None:
    fitted = frame(object)(["a", "b", None])
    model = clone(ORDINAL).fit(fitted)
    program = sclbl.compile(model, fitted)
    expected = model.transform(frame(object)([None, np.nan])).tolist()
    assert expected == [[2.0], [-1.0]]
    assert program.transform(pa.table({"c": [None, np.nan]})).tolist() == expected


@pytest.mark.parametrize("dtype", [pl.Null, pl.Float64])
def test_nulls_of_polars_that_are_no_text_are_nan_to_models(dtype: Any) -> None:
    fitted = pl.DataFrame({"c": ["a", "b", None], "d": ["x", "y", "z"]})
    rows = pl.DataFrame({"c": pl.Series([None, None], dtype=dtype), "d": ["x", "y"]})
    model = OneHotEncoder(handle_unknown="ignore", **DENSE).fit(fitted)
    program = sclbl.compile(model, fitted)
    text = rows.cast({"c": pl.String})
    assert program.transform(text).tolist() == model.transform(text).tolist()
    assert model.transform(rows).tolist() != model.transform(text).tolist()
    with pytest.raises(DtypeError, match=f"column 'c' is of polars' type {dtype}, .*pl.String"):
        program.transform(rows)
    # Where the column's own missing value is NaN, nothing is ambiguous.
    frame = pd.DataFrame({"c": ["a", "b", np.nan], "d": ["x", "y", "z"]}, dtype=object)
    model = clone(model).fit(frame)
    ours = sclbl.compile(model, frame).transform(rows)
    assert ours.tolist() == model.transform(frame.iloc[[2, 2]].assign(d=["x", "y"])).tolist()
