"""Models of tables, text and missing cells among them, and rows for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

#: Texts that CSV and JSON must quote.
CITIES = ["Breda", "Tilburg, NL", 'the "Hague"', "Sint\nJans", "É☃🙂", "it's", "a;b\tc", " x "]


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return rows of every kind of column, complete."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 12, rows),
            "income": rng.lognormal(10, 2, rows).astype(np.float32),
            "visits": rng.integers(0, 30, rows),
            "member": rng.random(rows) < 0.5,
            "city, home": rng.choice(CITIES, rows),
        }
    )


def gaps(rows: pd.DataFrame, columns: list[str], seed: int = 1) -> pd.DataFrame:
    """Return rows with missing cells in these columns."""
    rng = np.random.default_rng(seed)
    out = rows.copy()
    for name in columns:
        out[name] = out[name].astype(object if name == "city, home" else out[name].dtype)
        out.loc[rng.random(len(out)) < 0.15, name] = np.nan
    return out


NUMBERS, CITY = ["age", "income", "visits"], ["city, home"]


def _logistic() -> tuple[Any, pd.DataFrame]:
    X = gaps(table(400), ["age", "city, home"])
    text = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore")
    )
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    model = make_pipeline(
        make_column_transformer((numbers, NUMBERS), (text, CITY), ("passthrough", ["member"])),
        LogisticRegression(max_iter=1000),
    )
    return model.fit(X, np.where(X.income > 2e4, "stays", "goes, soon")), X


def _forest() -> tuple[Any, pd.DataFrame]:
    X = table(400)
    encode = make_column_transformer((OneHotEncoder(), CITY), remainder="passthrough")
    y = np.stack([X.visits % 3, X.age.round() % 2], axis=1).astype(int)
    forest = RandomForestClassifier(5, max_depth=4, random_state=0)
    return make_pipeline(encode, forest).fit(X, y), X


def _boosting() -> tuple[Any, pd.DataFrame]:
    X = gaps(table(400), ["age", "income"])
    X = X[["age", "income", "visits"]].assign(k=pd.Categorical(table(400)["city, home"]))
    return HistGradientBoostingRegressor(max_iter=10).fit(X, table(400).visits), X


def _single() -> tuple[Any, pd.DataFrame]:
    X = table(400)[["age", "income"]].astype(np.float32)
    return LinearRegression().fit(X, table(400).visits.astype(np.float32)), X


def _array() -> tuple[Any, np.ndarray]:
    X = table(400)[["age", "income"]].to_numpy()
    return IsolationForest(n_estimators=5, random_state=0).fit(X), X


def _words() -> tuple[Any, np.ndarray]:
    X = np.array(["a good day", "a bad, bad day", "it was good", "no"] * 50)
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(X, [1, 0, 1, 0] * 50), X


def _texts() -> tuple[Any, pd.DataFrame]:
    X = pd.concat([gaps(table(400), CITY)[CITY], table(400, 2)[CITY].add_suffix(" 2")], axis=1)
    return SimpleImputer(strategy="most_frequent").fit(X), X


def _codes() -> tuple[Any, pd.DataFrame]:
    X = gaps(table(400), CITY)[CITY]
    model = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return model.fit(X), X


def _integers() -> tuple[Any, pd.DataFrame]:
    X = table(400)[["visits"]].astype(np.int8).assign(member=table(400).member)
    # An integer has no -0, whose reciprocal would be another one.
    with np.errstate(divide="ignore"):
        return FunctionTransformer(lambda rows: 1.0 / rows).fit(X), X


def _neighbors() -> tuple[Any, pd.DataFrame]:
    X = table(400)[["age", "visits"]]
    return KNeighborsRegressor(3).fit(X, table(400)[["income", "age"]].to_numpy()), X


def _clusters() -> tuple[Any, pd.DataFrame]:
    X = table(400)[["age", "visits"]]
    return KMeans(3, n_init=1, random_state=0).fit(X), X


MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "logistic": _logistic,
    "forest": _forest,
    "boosting": _boosting,
    "single": _single,
    "array": _array,
    "words": _words,
    "texts": _texts,
    "codes": _codes,
    "integers": _integers,
    "neighbors": _neighbors,
    "clusters": _clusters,
}
