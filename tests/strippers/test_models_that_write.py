"""Models that write into the rows they are given: the caller's own stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler

import sclbl
from sclbl.strippers import dispatch

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [3750.0, 5.0, 6.0]})
ARRAY = ROWS.to_numpy().copy()


def scaled(frame: Any) -> Any:
    frame["b"] = frame["b"] / 1000
    return frame


def dropped(frame: Any) -> Any:
    del frame["a"]
    return frame


class Writes(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped classes
    def fit(self, X: Any, y: Any = None) -> Writes:
        self.scale_ = 1000
        return self

    def transform(self, X: Any) -> Any:
        X[:, 1] = X[:, 1] / self.scale_
        return X


@pytest.mark.parametrize(
    ("model", "rows"),
    [
        (FunctionTransformer(scaled), ROWS),
        (FunctionTransformer(dropped), ROWS),
        (make_pipeline(FunctionTransformer(scaled), Ridge()).fit(ROWS.copy(), [1, 2, 3]), ROWS),
        (StandardScaler(copy=False).fit(ARRAY.copy()), ARRAY),
        (MaxAbsScaler(copy=False).fit(sparse.csr_matrix(ARRAY)), sparse.csr_matrix(ARRAY)),
        (Writes().fit(ARRAY), ARRAY),
    ],
    ids=["assigned", "dropped", "pipeline", "array", "sparse", "own"],
)
def test_the_rows_given_stay_as_they_are(
    model: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "_REGISTERED", {})
    sclbl.register(Writes)
    given, more = rows.copy(), rows.copy()
    program = sclbl.compile(model, given, verify_on=more)
    for kept in (given, more):
        assert type(kept) is type(rows)
        if isinstance(rows, pd.DataFrame):
            pd.testing.assert_frame_equal(kept, rows)
        else:
            assert not (kept != rows).sum()
    method = program.methods[0]
    wanted = getattr(model, method)(rows.copy())
    ours, theirs = (
        np.asarray(getattr(r, "toarray", lambda r=r: r)())
        for r in (program.run(method, rows), wanted)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_an_example_of_a_list_stays_as_it_is() -> None:
    rows = [[1.0, 2.0], [3.0, 4.0]]
    sclbl.compile(StandardScaler(copy=False).fit(np.array(rows)), rows)
    assert rows == [[1.0, 2.0], [3.0, 4.0]]
