"""The value that a refusal of an unknown category quotes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import sclbl
from sclbl.errors import UnknownCategoryError

FRAME = pd.DataFrame(
    {"t": ["a", "b", "é"], "n": [1, 2, 3], "f": [0.5, 1.5, 2.5], "b": [True, True, True]}
)


@pytest.fixture(scope="module")
def program() -> Any:
    return sclbl.compile(OneHotEncoder().fit(FRAME), FRAME)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("t", "c", "'c'"),
        ("t", "日本", "'日本'"),
        ("t", "it's", '"it\'s"'),
        ("t", "x" * 500, f"'{'x' * 55}..."),
        ("t", "a\nb", r"'a\nb'"),
        ("t", "", "''"),
        ("t", None, "None"),
        ("t", np.nan, "NaN"),
        ("t", pd.NA, "pandas.NA"),
        ("n", 7, "7"),
        ("f", 0.75, "0.75"),
        ("b", False, "0"),
    ],
)
def test_the_value_is_quoted(program: Any, column: str, value: Any, said: str) -> None:
    # In the row that is refused, and far from the first.
    for count in (1, 3, 30_000):
        rows = pd.concat([FRAME] * (count // 3 + 1), ignore_index=True)[:count]
        kind = object if column == "t" else rows[column].dtype
        rows[column] = rows[column].astype(kind)
        rows.loc[count - 1, column] = value
        with pytest.raises(UnknownCategoryError) as refused:
            program.transform(rows, output="dense")
        message = str(refused.value)
        place = f"row {count - 1}, column '{column}' holds "
        assert message.startswith(f"{place}{said}, a category that the model was not fitted on; ")
        assert (refused.value.row, refused.value.column) == (count - 1, column)


def test_one_row_of_numbers() -> None:
    """Which takes a way of its own."""
    rows = np.array([[1.0], [2.0]])
    program = sclbl.compile(OrdinalEncoder().fit(rows), rows)
    with pytest.raises(UnknownCategoryError, match=r"row 0, column '0' holds 2\.5, a category"):
        program.transform(np.array([[2.5]]))
    with pytest.raises(UnknownCategoryError, match=r"row 1, column '0' holds -3, a category"):
        program.transform(np.array([[2.0], [-3.0]]))


def test_a_program_that_says_what_is_not_there() -> None:
    """A row beyond those given, or texts written over: the message goes without a value."""
    from sclbl.rows import Blocks, TextColumn

    program = sclbl.compile(OrdinalEncoder().fit(FRAME[["t"]]), FRAME[["t"]])
    offsets, data = np.array([0, 2], np.uint32), np.frombuffer(b"\xff\xfe", np.uint8)
    broken = Blocks(1, None, (TextColumn(offsets, data, None),))
    strange = Blocks(1, None, (TextColumn(offsets, data, np.array([9], np.uint8)),))
    for blocks, row in ((broken, 0), (strange, 0), (broken, 7)):
        record = np.array([3, row, 0], dtype=np.int64)
        error = program.module.refusal(record, 3, 0, blocks)
        assert f"row {row}, column 't' holds a category that the model was" in str(error)


def test_rows_of_several_inputs_take_another_way() -> None:
    columns = ColumnTransformer([("t", OneHotEncoder(), ["t"])]).fit(FRAME)
    program = sclbl.compile(columns, FRAME)
    with pytest.raises(UnknownCategoryError, match="row 0, column 't' holds 'zz', a category"):
        program.module.general("transform", program.module.encoder.encode([{"t": "zz"}]))
