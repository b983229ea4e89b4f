"""No rows: an empty result where the model gives one, refused where it refuses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

import sclbl
from sclbl.cli.batch import predict_file
from sclbl.errors import ColumnError, ShapeError
from sclbl.rows import OneNull
from sclbl.server.payload import CSV, JSON, NDJSON, READERS
from sclbl.server.results import by_row
from sclbl.server.schemas import body_schema
from sclbl.signature import Signature

FRAME = pd.DataFrame(np.random.default_rng(2).normal(size=(30, 3)), columns=list("abc"))
LABELS = (FRAME.sum(axis=1) > 0).astype(int)
WORDS = pd.DataFrame({"w": ["x", "y", "x"]})

GIVING: list[tuple[Any, Any, str]] = [
    (FunctionTransformer(np.exp).fit(FRAME), FRAME, "transform"),
    (ColumnTransformer([("p", "passthrough", ["c", "a", "b"])]).fit(FRAME), FRAME, "transform"),
    (make_pipeline("passthrough").fit(FRAME.to_numpy()), FRAME.to_numpy(), "transform"),
    (xgboost.XGBClassifier(n_estimators=2).fit(FRAME, LABELS), FRAME, "predict"),
    (xgboost.XGBClassifier(n_estimators=2).fit(FRAME, LABELS), FRAME, "predict_proba"),
    (sm.OLS(LABELS, FRAME).fit(), FRAME, "predict"),
    (FunctionTransformer().fit(WORDS), WORDS, "transform"),
]


@pytest.mark.parametrize(("model", "example", "method"), GIVING)
def test_no_rows_give_an_empty_result(model: Any, example: Any, method: str) -> None:
    want = np.asarray(getattr(model, method)(example[:0]))
    program = sclbl.compile(model, example[:5], methods=[method])
    assert Signature.from_json(program.signature.to_json()) == program.signature
    empty: list[Any] = [example[:0], []]
    if isinstance(example, pd.DataFrame):
        empty += [{name: [] for name in example}, example[:0].to_numpy()]
    for rows in empty:
        for got in (getattr(program, method)(rows), program.run(method, rows)):
            assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_allclose(
        pd.DataFrame(program.run(method, example[:3])).select_dtypes("number"),
        pd.DataFrame(np.asarray(getattr(model, method)(example[:3]))).select_dtypes("number"),
        rtol=1e-12,
    )


def test_no_rows_without_a_column_are_refused() -> None:
    program = sclbl.compile(xgboost.XGBRegressor(n_estimators=2).fit(FRAME, LABELS), FRAME)
    with pytest.raises(ColumnError, match="the rows lack 'b'"):
        program.predict(FRAME[:0][["a", "c"]])


@pytest.mark.parametrize(
    ("model", "example", "method"),
    [
        (LinearRegression().fit(FRAME, LABELS), FRAME, "predict"),
        (OneHotEncoder().fit(WORDS), WORDS, "transform"),
        (make_pipeline(FunctionTransformer(), LinearRegression()).fit(FRAME, LABELS), FRAME, None),
    ],
)
def test_no_rows_are_refused_where_the_model_refuses_them(
    model: Any, example: Any, method: str | None
) -> None:
    with pytest.raises(ValueError, match="0 sample"):
        getattr(model, method or "predict")(example[:0])
    program = sclbl.compile(model, example)
    for rows in (example[:0], [], example[:0].to_numpy()):
        with pytest.raises(ShapeError, match=r"no rows to predict"):
            getattr(program, method or "predict")(rows)


@pytest.fixture(scope="module")
def giving() -> sclbl.Program:
    return sclbl.compile(FunctionTransformer(np.exp).fit(FRAME), FRAME)


@pytest.fixture(scope="module")
def refusing() -> sclbl.Program:
    return sclbl.compile(LinearRegression().fit(FRAME, LABELS), FRAME)


WRITE: dict[str, Callable[[Path], Any]] = {
    "csv": lambda path: path.write_text("a,b,c\n"),
    "ndjson": lambda path: path.write_text(""),
    "parquet": lambda path: FRAME[:0].to_parquet(path),
}


@pytest.mark.parametrize("kind", WRITE)
def test_files_without_rows(
    kind: str, giving: sclbl.Program, refusing: sclbl.Program, tmp_path: Path
) -> None:
    source, target = tmp_path / f"rows.{kind}", tmp_path / "out.csv"
    WRITE[kind](source)
    assert predict_file(giving, "transform", source, kind, target, "csv") == 0
    assert target.read_text() == "transform_0,transform_1,transform_2\n"
    with pytest.raises(ShapeError, match="no rows to predict"):
        predict_file(refusing, "predict", source, kind, tmp_path / "none.csv", "csv")
    assert not (tmp_path / "none.csv").exists()


def test_bodies_without_rows(giving: sclbl.Program, refusing: sclbl.Program) -> None:
    for media, body in ((JSON, b'{"rows": []}'), (NDJSON, b""), (CSV, b"a,b,c\n")):
        rows = READERS[media](body, giving.signature, 10)
        assert by_row(giving.run("transform", OneNull(rows))) == []
        with pytest.raises(ShapeError, match="no rows to predict"):
            refusing.run("predict", OneNull(rows))
    assert body_schema(giving.signature)["anyOf"][1]["minItems"] == 0
    assert body_schema(refusing.signature)["anyOf"][1]["minItems"] == 1
