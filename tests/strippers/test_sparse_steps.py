"""Boosting after steps that hand on a sparse matrix, whose zeros are missing to XGBoost."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB, MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

import sclbl
from sclbl.errors import InputError

RNG = np.random.default_rng(0)
ROWS = 200
FRAME = pd.DataFrame(
    {
        "t": RNG.choice(["a", "b", "c"], ROWS),
        "n": RNG.normal(size=ROWS).round(0),
        "x": RNG.normal(size=ROWS),
    }
)
FRAME.loc[::7, "n"] = np.nan
Y = ((FRAME["t"] == "a") ^ (FRAME["n"].fillna(0) > 0)).astype(int)
ODD = pd.DataFrame({"t": "a", "n": [0.0, -0.0, 1e-300, np.nan, 1e300], "x": 0.0})


def columns(numbers: Any = "passthrough") -> ColumnTransformer:
    return ColumnTransformer(
        [("t", OneHotEncoder(), ["t"]), ("n", numbers, ["n", "x"])], sparse_threshold=1.0
    )


STEPS: dict[str, Any] = {
    "columns": columns(MaxAbsScaler()),
    "union": make_union(make_pipeline(columns()), make_pipeline(columns(), MaxAbsScaler())),
    "imputer": make_pipeline(columns(), SimpleImputer(strategy="constant", fill_value=0.5)),
    "scaler": make_pipeline(columns(), StandardScaler(with_mean=False)),
}


@pytest.mark.parametrize("missing", [np.nan, 0.0, 1.0])
@pytest.mark.parametrize("steps", STEPS)
def test_zeros_are_missing_to_xgboost(steps: str, missing: float) -> None:
    boosting = xgb.XGBRegressor(n_estimators=5, max_depth=4, missing=missing, n_jobs=1)
    model = make_pipeline(clone(STEPS[steps]), boosting).fit(FRAME, Y)
    program = sclbl.compile(model, FRAME[:20], methods=["predict"])
    assert np.array_equal(program.predict(FRAME), model.predict(FRAME))
    for i in range(len(ODD)):
        row = ODD[i : i + 1]
        try:
            expected = model.predict(row)
        except ValueError:  # a DMatrix, or a scaler, refuses what float32 does not hold
            with pytest.raises(InputError):
                program.predict(row)
        else:
            assert np.array_equal(program.predict(row), expected)


def test_an_encoder_alone() -> None:
    text = FRAME[["t"]]
    boosting = xgb.XGBClassifier(n_estimators=3, max_depth=3, n_jobs=1)
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), boosting).fit(text, Y)
    dense = make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), model[-1])
    dense[0].fit(text)
    rows = pd.DataFrame({"t": ["a", "b", "c", "other"]})
    program = sclbl.compile(model, text[:5])
    assert np.array_equal(program.predict(rows), model.predict(rows))
    assert np.allclose(program.predict_proba(rows), model.predict_proba(rows), rtol=1e-6, atol=0)
    # The same trees answer otherwise where the zeros are there.
    assert not np.allclose(model.predict_proba(rows), dense.predict_proba(rows))
    program = sclbl.compile(dense, text[:5])
    assert np.allclose(program.predict_proba(rows), dense.predict_proba(rows), rtol=1e-6, atol=0)


def test_histogram_boosting_takes_no_sparse_matrix() -> None:
    dense = columns(MaxAbsScaler()).set_params(sparse_threshold=0.0)
    boosting = HistGradientBoostingClassifier(max_iter=2)
    made = make_pipeline(dense, boosting).fit(FRAME, Y)
    assert np.array_equal(sclbl.compile(made, FRAME[:5]).predict(FRAME), made.predict(FRAME))
    mixed = make_pipeline(columns(MaxAbsScaler()).fit(FRAME), made[-1])
    with pytest.raises(InputError, match=r"refuses example_input.*[Ss]parse"):
        sclbl.compile(mixed, FRAME[:5])


@pytest.mark.parametrize(
    "last", [LogisticRegression(), MultinomialNB(), BernoulliNB(), BernoulliNB(alpha=0)], ids=str
)
def test_chosen_terms_are_never_a_dense_row(last: Any) -> None:
    texts = [" ".join(RNG.choice([f"w{i}" for i in range(300)], 12)) for _ in range(80)]
    model = make_pipeline(CountVectorizer(), SelectKBest(chi2, k=40), clone(last))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of probabilities of 0
        model.fit(texts, RNG.integers(0, 2, 80))
        spec = sclbl.strip(model, texts[:5])
        program = sclbl.compile(model, texts[:5], verify_on=texts)
    assert "sclbl.Dense" not in {node.op for node in spec.graph.nodes}
    np.testing.assert_array_equal(program.predict(texts), model.predict(texts))
