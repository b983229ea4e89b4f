"""The models that the benchmarks share: about 30 numeric features, noisy enough to fill trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

FEATURES = 30


def rows(count: int, seed: int) -> np.ndarray:
    """Return float64 ``[count, 30]`` rows that float32 holds exactly."""
    made = np.random.default_rng(seed).normal(size=(count, FEATURES))
    return made.astype(np.float32).astype(np.float64)


def target(x: np.ndarray) -> np.ndarray:
    """Return a smooth function of a row with as much noise as signal, so that trees fill up."""
    noise = np.random.default_rng(7).normal(size=len(x))
    signal = np.sin(x[:, 0] * 2) + x[:, 1] * x[:, 2] + np.abs(x[:, 3]) + x[:, 4:10].sum(axis=1) / 3
    return np.asarray(signal + noise * signal.std())


def mixed(count: int, seed: int) -> pd.DataFrame:
    """Return rows with numbers and text."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"number{i}": rng.normal(size=count) for i in range(6)})
    for i, size in enumerate((4, 7, 12, 3)):
        values = np.array([f"kind {j}" for j in range(size)], dtype=object)
        frame[f"text{i}"] = values[rng.integers(0, size, count)]
    return frame


def logistic() -> tuple[Any, np.ndarray, str]:
    """Scaling and a logistic regression on breast cancer."""
    x, y = load_breast_cancer(return_X_y=True)
    return (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y),
        x,
        ("predict_proba"),
    )


def logistic_mixed() -> tuple[Any, pd.DataFrame, str]:
    """Scaling, one-hot encoding and a logistic regression on a DataFrame."""
    frame = mixed(2000, 1)
    y = (frame["number1"] + (frame["text1"] == "kind 2") > 0.3).to_numpy()
    numbers, text = list(frame.columns[:6]), list(frame.columns[6:])
    columns = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(), text))
    return (
        make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(frame, y),
        frame,
        ("predict_proba"),
    )


def _regression(model: Any, count: int = 10_000) -> tuple[Any, np.ndarray, str]:
    x = rows(count, 0)
    model.fit(x, target(x))
    if hasattr(model, "n_jobs"):
        model.set_params(n_jobs=1)
    return model, x, "predict"


def _classification(model: Any, count: int = 10_000) -> tuple[Any, np.ndarray, str]:
    x = rows(count, 0)
    model.fit(x, (target(x) > 0.8).astype(int))
    model.set_params(n_jobs=1)
    return model, x, "predict_proba"


#: Name of a case to what makes it: the model, rows like those it was fitted on, the method.
CASES: dict[str, Callable[[], tuple[Any, Any, str]]] = {
    "logistic": logistic,
    "logistic mixed": logistic_mixed,
    "forest 100x10": lambda: _regression(
        RandomForestRegressor(100, max_depth=10, n_jobs=2, random_state=0)
    ),
    "forest 100x10 classes": lambda: _classification(
        RandomForestClassifier(100, max_depth=10, n_jobs=2, random_state=0)
    ),
    "forest 500x6": lambda: _regression(
        RandomForestRegressor(500, max_depth=6, n_jobs=2, random_state=0)
    ),
    "xgboost 500x6": lambda: _regression(XGBRegressor(n_estimators=500, max_depth=6, n_jobs=2)),
    "xgboost 500x6 classes": lambda: _classification(
        XGBClassifier(n_estimators=500, max_depth=6, n_jobs=2)
    ),
    "hist boosting 100": lambda: _regression(
        HistGradientBoostingRegressor(max_iter=100, random_state=0)
    ),
}


def fresh(name: str, count: int) -> Any:
    """Return `count` rows that a case's model takes, other than those it was fitted on."""
    if name == "logistic":
        x = load_breast_cancer().data
        rng = np.random.default_rng(5)
        near = x[rng.integers(0, len(x), count)] * rng.normal(1, 0.05, size=(count, x.shape[1]))
        return near.astype(np.float32).astype(np.float64)
    if name == "logistic mixed":
        return mixed(count, 5)
    return rows(count, 5)
