"""OneHotEncoder and OrdinalEncoder, beside scikit-learn's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sclbl.errors import (
    ColumnError,
    InfiniteValueError,
    NotFittedError,
    UnknownCategoryError,
    UnsupportedModelError,
)
from sclbl.strippers import strip
from tests.conformance.beside import check, run

NAN = np.nan


def frame() -> pd.DataFrame:
    """Return one column of each sort that an encoder meets."""
    return pd.DataFrame(
        {
            "str": ["b", "a", "é", "a", "", "b"],
            "object": np.array(["x", "y", "x", "zz", "y", "x"], dtype=object),
            "category": pd.Categorical(["hi", "lo", "lo", "hi", "lo", "lo"]),
            "coded": pd.Categorical([3, 1, 1, 2, 3, 3]),
            "bool": [True, False, False, True, True, False],
            "int": [7, -2, 0, 7, 7, -2],
            "float": [0.1, -0.0, NAN, 0.1, 2.5, NAN],
            "float32": np.array([0.1, 0.3, 0.1, 0.3, 0.3, 0.1], dtype=np.float32),
            "nullable": pd.array([1, None, 3, 1, 3, None], dtype="Int64"),
            "maybe": pd.array([True, None, False, True, None, None], dtype="boolean"),
        }
    )


COLUMNS = list(frame().columns)


@pytest.mark.parametrize("encoder", [OneHotEncoder, OrdinalEncoder])
@pytest.mark.parametrize("column", COLUMNS)
def test_each_sort_of_column_alone(encoder: Any, column: str) -> None:
    X = frame()[[column]]
    check(encoder().fit(X), X)


@pytest.mark.parametrize("encoder", [OneHotEncoder, OrdinalEncoder])
@pytest.mark.parametrize("rows", [1, 6])
def test_all_sorts_in_one_encoder(encoder: Any, rows: int) -> None:
    X = frame()
    check(encoder().fit(X), X, X[:rows])


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8, np.bool_])
def test_one_hot_dtypes(dtype: Any, sparse: bool) -> None:
    X = frame()[["str", "int", "float"]]
    spec = check(OneHotEncoder(dtype=dtype, sparse_output=sparse).fit(X), X)
    assert spec.signature.outputs["transform"].dtype == np.dtype(dtype).name
    assert spec.signature.outputs["transform"].names == (
        *("str_", "str_a", "str_b", "str_é", "int_-2", "int_0", "int_7"),
        *("float_-0.0", "float_0.1", "float_2.5", "float_nan"),
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32])
def test_ordinal_dtypes(dtype: Any) -> None:
    X = frame()[["str", "int", "bool"]]
    check(OrdinalEncoder(dtype=dtype).fit(X), X)


@pytest.mark.parametrize("drop", ["first", "if_binary", ["b", 0, True, NAN]])
def test_drop(drop: Any) -> None:
    X = frame()[["str", "int", "bool", "float"]]
    check(OneHotEncoder(drop=drop).fit(X), X)


def test_a_column_that_drops_its_only_category_still_refuses_others() -> None:
    X = pd.DataFrame({"only": ["a", "a"], "two": ["b", "c"]})
    spec = check(OneHotEncoder(drop="first").fit(X), X)
    with pytest.raises(UnknownCategoryError) as caught:
        run(spec, pd.DataFrame({"only": ["b"], "two": ["b"]}))
    assert (caught.value.row, caught.value.column) == (0, "0")


UNKNOWN = [
    ("str", "never seen"),
    ("str", "A"),
    ("category", ""),
    ("int", 1),
    ("float", np.nextafter(0.1, 1)),
    ("float", np.nextafter(2.5, 0)),
    ("nullable", 2),
]


@pytest.mark.parametrize("encoder", [OneHotEncoder, OrdinalEncoder])
@pytest.mark.parametrize(("column", "value"), UNKNOWN)
def test_an_unknown_category_is_refused(encoder: Any, column: str, value: Any) -> None:
    X = frame()
    model = encoder().fit(X)
    spec = strip(model, X)
    bad = X.copy()
    bad[column] = bad[column].astype(object)
    bad.loc[2, column] = value
    with pytest.raises(ValueError, match="unknown categories"):
        model.transform(bad)
    with pytest.raises(UnknownCategoryError, match="row 2") as caught:
        run(spec, bad)
    assert (caught.value.row, caught.value.column) == (2, str(COLUMNS.index(column)))


@pytest.mark.parametrize("encoder", [OneHotEncoder, OrdinalEncoder])
@pytest.mark.parametrize("column", ["str", "float32", "int"])
def test_a_missing_value_that_was_never_seen_is_an_unknown_category(
    encoder: Any, column: str
) -> None:
    X = frame()[[column]]
    model = encoder().fit(X)
    bad = X.astype(object)
    bad.loc[4, column] = NAN
    with pytest.raises(ValueError, match="unknown categories"):
        model.transform(bad)
    with pytest.raises(UnknownCategoryError, match="row 4, column 0"):
        run(strip(model, X), bad)


@pytest.mark.parametrize("handle_unknown", ["error", "ignore"])
def test_infinity_is_refused(handle_unknown: Any) -> None:
    X = frame()[["str", "float"]]
    model = OneHotEncoder(handle_unknown=handle_unknown).fit(X)
    bad = X.copy()
    bad.loc[1, "float"] = -np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.transform(bad)
    with pytest.raises(InfiniteValueError, match="row 1, column 1"):
        run(strip(model, X), bad)


def strange(X: pd.DataFrame) -> pd.DataFrame:
    """Return rows with unknown and missing categories in every column."""
    bad = X.astype(object)
    values = {"str": "?", "object": "X", "int": 99, "float": 0.3, "float32": 0.25, "nullable": 9}
    for row, (column, value) in enumerate(v for v in values.items() if v[0] in X):
        bad.loc[row, column] = value
        bad.loc[5 - row, column] = NAN
    for column in X:
        if column in ("int", "float", "float32"):  # 0.25 is a float32 number
            bad[column] = bad[column].astype(np.float64)
    return bad


GROUPED: list[dict[str, Any]] = [
    {},
    {"min_frequency": 2},
    {"max_categories": 2},
    {"min_frequency": 0.3, "max_categories": 3},
    {"max_categories": 1},
]
MANY = ["str", "object", "int", "float", "float32"]


@pytest.mark.parametrize("grouped", GROUPED)
@pytest.mark.parametrize("drop", [None, "first", "if_binary"])
@pytest.mark.parametrize("handle_unknown", ["ignore", "infrequent_if_exist", "warn"])
def test_unknown_and_infrequent_categories_in_one_hot(
    handle_unknown: Any, drop: Any, grouped: dict[str, Any]
) -> None:
    X = frame()[MANY]
    model = OneHotEncoder(handle_unknown=handle_unknown, drop=drop, **grouped).fit(X)
    if not len(model.get_feature_names_out()):
        with pytest.raises(UnsupportedModelError, match="no columns at all"):
            strip(model, X)
        return
    check(model, X)
    check(model, X, strange(X))


@pytest.mark.parametrize("grouped", GROUPED)
def test_infrequent_categories_where_unknown_ones_are_refused(grouped: dict[str, Any]) -> None:
    X = frame()[MANY]
    check(OneHotEncoder(**grouped).fit(X), X)
    check(OrdinalEncoder(**grouped).fit(X), X)


@pytest.mark.parametrize("grouped", GROUPED)
@pytest.mark.parametrize("unknown", [NAN, -1, 1000])
@pytest.mark.parametrize("missing", [NAN, -1, -7, 500])
def test_unknown_missing_and_infrequent_categories_in_ordinal(
    missing: float, unknown: float, grouped: dict[str, Any]
) -> None:
    X = frame()[MANY]
    model = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=unknown,
        encoded_missing_value=missing,
        **grouped,
    ).fit(X)
    check(model, X)
    check(model, X, strange(X))


@pytest.mark.parametrize("missing", [NAN, -1, -7, 500])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_missing_code_where_unknown_is_refused(missing: float, dtype: Any) -> None:
    if np.isnan(missing) and dtype is np.int64:
        with pytest.raises(ValueError, match="encoded_missing_value"):
            OrdinalEncoder(dtype=dtype).fit(frame()[["float"]])
        return
    X = frame()[["str", "float"]]
    spec = check(OrdinalEncoder(encoded_missing_value=missing, dtype=dtype).fit(X), X)
    with pytest.raises(UnknownCategoryError, match="row 0, column 1"):
        run(spec, pd.DataFrame({"str": ["a"], "float": [0.3]}))


def test_integer_codes_of_unknown_categories() -> None:
    X = frame()[["str", "int"]]
    model = OrdinalEncoder(
        dtype=np.int16, handle_unknown="use_encoded_value", unknown_value=-5
    ).fit(X)
    rows = pd.DataFrame({"str": ["?", "a"], "int": [1, 7]})
    check(model, X, rows)


@pytest.mark.parametrize("encoder", [OneHotEncoder, OrdinalEncoder])
@pytest.mark.parametrize(
    "X",
    [
        np.array([["a", 1], ["b", 2], ["a", 1]], dtype=object),
        np.array([["a", None], ["b", "x"], ["a", None]], dtype=object),
        np.array([["a", NAN], ["b", "x"], ["a", NAN]], dtype=object),
        np.array([["ab", "c"], ["", "d"]]),
        np.array([[1, 2], [3, 2]]),
        np.array([[0.0, NAN], [-0.0, 2.0]]),
        np.array([[0.1, NAN], [0.2, 2.0]], dtype=np.float32),
        np.array([[True, False], [True, True]]),
        np.array([[2**53, -(2**53)], [0, 1]]),
    ],
    ids=["mixed", "None", "NaN", "U", "int", "float", "float32", "bool", "large"],
)
def test_arrays(encoder: Any, X: np.ndarray) -> None:
    model = encoder().fit(X)
    check(model, X)
    check(model, X, X[:1])


@pytest.mark.parametrize("encoder", [OneHotEncoder, OrdinalEncoder])
def test_lists(encoder: Any) -> None:
    X = [["a", "x"], ["b", "y"], ["a", "x"]]
    check(encoder().fit(X), X)


def test_given_categories() -> None:
    X = pd.DataFrame({"s": ["b", "a"], "n": [1.0, 3.0]})
    for encoder in (OneHotEncoder, OrdinalEncoder):
        check(encoder(categories=[["b", "zzz", "a"], [0.0, 1.0, 3.0]]).fit(X), X)


def test_float32_categories_widen_exactly() -> None:
    X = np.array([[0.1], [0.3]], dtype=np.float32)
    model = OneHotEncoder(handle_unknown="ignore").fit(X)
    check(model, X)
    rows = np.array([[0.1], [np.float64(np.float32(0.1))]])
    # As float64, 0.1 is another number than the category, which is 0.1 in float32.
    check(model, X.astype(np.float64), rows)


def test_unfitted() -> None:
    with pytest.raises(NotFittedError, match=r"OneHotEncoder is not fitted; call its fit"):
        strip(OneHotEncoder(), frame())


def test_text_and_numbers_exchanged() -> None:
    text, numbers = pd.DataFrame({"c": ["1", "2"]}), pd.DataFrame({"c": [1, 2]})
    for encoder in (OneHotEncoder, OrdinalEncoder):
        with pytest.raises(UnsupportedModelError, match=r"column 'c' of .* such as 1, and holds t"):
            strip(encoder().fit(numbers), text)
        with pytest.raises(UnsupportedModelError, match=r"such as '1', and holds numbers in exam"):
            strip(encoder().fit(text), numbers)


def test_none_and_nan_as_two_categories() -> None:
    X = np.array([["a"], [None], [NAN]], dtype=object)
    check(OneHotEncoder().fit(X), X)
    check(OrdinalEncoder(encoded_missing_value=-5).fit(X), X)
    numbers = np.array([[1.0], [None], [NAN]], dtype=object)
    with pytest.raises(UnsupportedModelError, match="None and NaN as separate categories, and a"):
        strip(OneHotEncoder().fit(numbers), numbers)


def test_a_category_beyond_exact_floats() -> None:
    model = OrdinalEncoder().fit(np.array([[2**53 + 1], [0]]))
    with pytest.raises(UnsupportedModelError, match=r"9007199254740993, beyond 2\*\*53"):
        strip(model, np.array([[0]]))


def test_the_character_that_stands_for_missing() -> None:
    X = pd.DataFrame({"c": ["\U0010ffff", "a"]})
    with pytest.raises(UnsupportedModelError, match=r"U\+10FFFF"):
        strip(OneHotEncoder().fit(X), X[1:])


def test_dtypes_that_programs_do_not_have() -> None:
    X = frame()[["str"]]
    with pytest.raises(UnsupportedModelError, match=r"OneHotEncoder\(dtype=float16\)"):
        strip(OneHotEncoder(dtype=np.float16).fit(X), X)
    many = pd.DataFrame({"c": np.arange(200)})
    with pytest.raises(UnsupportedModelError, match="has 200 categories in a column, more than"):
        strip(OrdinalEncoder(dtype=np.int8).fit(many), many)


def test_nothing_left() -> None:
    X = pd.DataFrame({"c": ["a", "a"]})
    with pytest.raises(UnsupportedModelError, match="results in no columns at all"):
        strip(OneHotEncoder(drop="first").fit(X), X)


def test_wrong_columns() -> None:
    X = frame()[["str", "int"]]
    model = OneHotEncoder().fit(X)
    with pytest.raises(
        ColumnError, match=r"lacks columns that .*OneHotEncoder was fitted on: 'int'"
    ):
        strip(model, X[["str"]])
    with pytest.raises(ColumnError, match="was not fitted on: 'bool'; leave them out"):
        strip(model, frame()[["str", "int", "bool"]])
    with pytest.raises(ColumnError, match=r"in another order; give them as they were .* 'str', 'i"):
        strip(model, X[["int", "str"]])
    with pytest.raises(ColumnError, match=r"has 1 columns, but .*OneHotEncoder was fitted on 2"):
        strip(model, np.array([["a"]], dtype=object))
