"""Deployments that the tests of pages look at."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PowerTransformer, StandardScaler

import sclbl
from sclbl.registry.local import LocalRegistry
from tests.web.browser import Page

DOCS = """# Churn

Who leaves within a **year**. See the [handbook](https://example.org/handbook).

| column | what |
|---|---|
| age | in years |
"""
TAGS = {
    "team": "crm",
    "form": json.dumps({"age": {"help": "in years", "minimum": 18, "maximum": 80, "step": 1}}),
}


def customers(rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows).astype(float),
            "income": rng.normal(40000, 9000, rows).round(2),
            "plan": rng.choice(["basic", "gold", "silver"], rows),
            "city": rng.choice(["Amsterdam", "Breda", "Delft"], rows),
        }
    )
    frame.loc[3, "income"] = np.nan
    return frame


def churn() -> object:
    """A pipeline that refuses unknown plans and missing ages, and takes every city and income."""
    frame = customers()
    columns = make_column_transformer(
        (StandardScaler(), ["age"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["income"]),
        (OneHotEncoder(), ["plan"]),
        (OneHotEncoder(handle_unknown="ignore"), ["city"]),
    )
    left = np.where(frame["age"] + frame["income"] / 9000 > 50, "left", "stayed")
    return make_pipeline(columns, LogisticRegression()).fit(frame, left)


def fill(registry: LocalRegistry) -> None:
    """Upload what the tests look at: two versions of churn, and a version of each other kind."""
    frame, model = customers(), churn()
    for alias in ("production", "beta"):
        sclbl.upload(
            model,
            frame[:5],
            name="churn",
            alias=alias,
            docs=DOCS,
            tags=TAGS,
            metrics={"auc": 0.87},
            example=True,
            registry=registry,
        )
    x = np.random.default_rng(1).normal(size=(60, 3))
    linear = LinearRegression().fit(x, x @ [1.0, 2.0, 3.0])
    sclbl.upload(linear, x[:5], name="linear", registry=registry)
    kept = LinearRegression().fit(x, x @ [3.0, 2.0, 1.0])
    sclbl.upload(kept, x[:5], name="kept", tags={"server-only": "yes"}, registry=registry)
    positive = np.abs(x) + 0.5
    power = make_pipeline(PowerTransformer("box-cox"), LinearRegression()).fit(positive, x[:, 0])
    sclbl.upload(power, positive[:5], name="power", registry=registry)
    texts = pd.Series(["a good film", "a bad film", "very good", "bad and dull"] * 4)
    sentiment = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, ["+", "-"] * 8)
    sclbl.upload(sentiment, texts[:3], name="sentiment", registry=registry)
    dicts = [{"age": 1.0, "city": "Breda"}, {"age": 2.0, "city": "Delft"}]
    features = make_pipeline(DictVectorizer(), LogisticRegression()).fit(dicts, [0, 1])
    sclbl.upload(features, dicts, name="features", registry=registry)


def opened(folder: Path) -> LocalRegistry:
    """Return a registry with all of them."""
    registry = LocalRegistry(folder)
    fill(registry)
    return registry


def settled(page: Page) -> str:
    """Wait until the page has answered, and return what its answer says."""
    page.drive(
        "await page.waitForFunction(() => {"
        " const answer = document.getElementById('answer');"
        " return !answer.hasAttribute('aria-busy') && !answer.classList.contains('waiting') })"
    )
    return str(page.evaluate("document.getElementById('answer').innerText"))


def filled(page: Page, field: str, value: str) -> str:
    """Put a value into a field as typing does, and return what the page answers."""
    page.run(
        """
        const field = document.querySelector(given[0]);
        if (field.type === "checkbox") field.checked = given[1] === "on";
        else field.value = given[1];
        field.dispatchEvent(new Event("input", { bubbles: true }));
        """,
        [field, value],
    )
    return settled(page)
