"""The example row that an upload may keep: what it holds, and that nothing is kept unasked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import sclbl
from sclbl import example
from sclbl.errors import InputError, ModelError
from sclbl.registry.local import LocalRegistry
from sclbl.rows.infer import infer
from sclbl.view import calls

FRAME = pd.DataFrame(
    {
        "age": [41.5, np.nan, 3.0],
        "n": np.array([7, 8, 9], dtype="int8"),
        "paid": [True, False, True],
        "plan": ["gold", None, "é"],
        "f": np.array([0.1, 1.0, 2.0], dtype="f4"),
    }
)
ROW = [41.5, 7, True, "gold", float(np.float32(0.1))]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (FRAME, ROW),
        (FRAME[1:], [None, 8, False, None, 1.0]),
        (pl.from_pandas(FRAME), ROW),
        (FRAME.to_dict("records"), ROW),
        (FRAME.convert_dtypes()[1:], [None, 8, False, None, 1.0]),
        (np.array([[1.0, 2.5]]), [1.0, 2.5]),
        ([[1, 2], [3, 4]], [1, 2]),
        (np.array([[1.0, np.nan]]), [1.0, None]),
    ],
)
def test_first_row(rows: Any, expected: list[Any]) -> None:
    found = example.first_row(rows, infer(rows))
    assert found == expected
    assert [type(v) for v in found] == [type(v) for v in expected]
    assert json.loads(json.dumps(found)) == found


def test_what_json_cannot_show_is_refused() -> None:
    rows = np.array([[1.0, np.inf]])
    with pytest.raises(InputError, match="an infinity in column 1, which JSON cannot show") as got:
        example.first_row(rows, infer(rows))
    assert (got.value.row, got.value.column) == (0, "1")
    wide = np.zeros((1, 40_000))
    with pytest.raises(InputError, match=r"takes 200,000 bytes as JSON.*leave example=True out"):
        example.first_row(wide, infer(wide))


@pytest.fixture(scope="module")
def mixed() -> tuple[Any, pd.DataFrame]:
    rows = pd.DataFrame({"age": [41.5, 3.0, 8.0, 5.0], "plan": ["gold", "basic", "gold", "basic"]})
    columns = make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough")
    return make_pipeline(columns, LinearRegression()).fit(rows, [1.0, 2.0, 3.0, 4.5]), rows


def test_it_is_kept_only_where_it_is_asked_for(
    mixed: tuple[Any, pd.DataFrame], tmp_path: Path
) -> None:
    model, rows = mixed
    with LocalRegistry(tmp_path) as registry:
        silent = sclbl.upload(model, rows, name="m", registry=registry)
        shown = sclbl.upload(model, rows, name="m", example=True, registry=registry)
    assert silent.example is None
    assert b"41.5" not in silent.wasm
    assert shown.example == {"age": 41.5, "plan": "gold"}
    assert np.allclose(shown.predict(shown.example), model.predict(rows[:1]), rtol=1e-12, atol=0)
    assert sclbl.load(shown.wasm).manifest["example"] == [41.5, "gold"]
    # The code is the same: an example is data about it.
    assert silent.program.manifest["code"] == shown.program.manifest["code"]


def test_rows_of_an_array_are_lists() -> None:
    x = np.arange(12.0).reshape(4, 3)
    program = sclbl.compile(LinearRegression().fit(x, x[:, 0]), x, example=True)
    assert example.read(program.manifest) == [0.0, 1.0, 2.0]


def test_an_example_that_the_model_refuses(mixed: tuple[Any, pd.DataFrame]) -> None:
    model, rows = mixed
    strange = pd.concat([rows[:1].assign(plan="silver"), rows])
    with pytest.raises(sclbl.SclblError):
        sclbl.compile(model, strange, example=True)
    x = np.array([[np.nan], [1.0], [2.0], [3.0]])
    holes = HistGradientBoostingRegressor(max_iter=2).fit(x, [1.0, 2, 3, 4])
    assert example.read(sclbl.compile(holes, x, example=True).manifest) == [None]


def test_programs_and_specs_have_theirs(mixed: tuple[Any, pd.DataFrame]) -> None:
    model, rows = mixed
    for given in (sclbl.compile(model, rows), sclbl.strip(model, rows)):
        with pytest.raises(ModelError, match="example cannot be given with"):
            sclbl.compile(given, example=True)


def test_damaged_examples_are_none() -> None:
    signature = infer(FRAME).to_json()
    for values in (None, 3, [1.0], [*ROW[:4], [1]], {"age": 1}):
        assert example.read({"example": values, "signature": signature}) is None
    assert example.read({"example": ROW}) is None
    assert example.read({"example": ROW, "signature": signature}) == dict(
        zip(FRAME, ROW, strict=True)
    )


@pytest.mark.parametrize(
    ("missing", "spelled"),
    [
        (None, "import sclbl\nsclbl.get('m@1').transform({'c': None})"),
        (np.nan, "import sclbl\nsclbl.get('m@1').transform({'c': float('nan')})"),
        (pd.NA, "import pandas\nimport sclbl\nsclbl.get('m@1').transform({'c': pandas.NA})"),
    ],
)
def test_a_missing_value_is_the_columns_own(
    missing: Any, spelled: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pd.DataFrame({"c": pd.Series([missing, "a", "b"], dtype=object)})
    # The encoder refuses what it did not learn, the imputer the missing values of another sort.
    model: Any = OrdinalEncoder()
    if missing is pd.NA:
        model = SimpleImputer(strategy="constant", fill_value="?", missing_values=pd.NA)
    deployment = sclbl.upload(model.fit(rows), rows, name="m", example=True)
    assert example.read(deployment.program.manifest) == {"c": None}
    assert deployment.example["c"] is missing or deployment.example["c"] != deployment.example["c"]
    found = deployment.transform(deployment.example)
    np.testing.assert_array_equal(found, np.asarray(model.transform(rows[:1])))
    python, shell = calls(deployment._record, str(home))
    assert python.replace(f", registry={str(home)!r}", "") == spelled
    assert '{"c": null}' in shell
    scope: dict[str, Any] = {}
    exec(python.replace("sclbl.get", "found = sclbl.get"), scope)  # as it is pasted
    np.testing.assert_array_equal(scope["found"], found)
