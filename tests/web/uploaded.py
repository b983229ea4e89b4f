"""Deployments that the tests of pages look at."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from onnx import TensorProto, helper
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import RadiusNeighborsRegressor
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


#: Where they are, once they were uploaded.
_FILLED: list[Path] = []


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


def whole() -> bytes:
    """A file whose operator mixes the first axis: a call takes the whole tensor."""
    node = helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0])
    return _file([node], {"x": ("FLOAT", [2, 3])}, {"y": ("FLOAT", [3, 2])})


def two_inputs() -> bytes:
    """A file with two inputs of different types."""
    nodes = [helper.make_node("Cast", ["b"], ["c"], to=1), helper.make_node("Add", "ac", ["y"])]
    inputs = {"a": ("FLOAT", ["n", 3]), "b": ("INT64", ["n", 3])}
    return _file(nodes, inputs, {"y": ("FLOAT", ["n", 3])})


def _file(nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any]) -> bytes:
    values = [
        [
            helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape)
            for name, (kind, shape) in given.items()
        ]
        for given in (inputs, outputs)
    ]
    graph = helper.make_graph(nodes, "graph", *values)
    opset = [helper.make_opsetid("", 13)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())


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
    counted = pd.DataFrame({"n": np.arange(40)})
    counts = LinearRegression().fit(counted, np.arange(40) * 2.0)
    sclbl.upload(counts, counted[:5], name="counts", registry=registry)
    near = RadiusNeighborsRegressor(radius=3.0).fit(x, x[:, 0])
    methods = ["predict", "radius_neighbors"]
    sclbl.upload(near, x[:5], name="near", methods=methods, registry=registry)
    positive = np.abs(x) + 0.5
    power = make_pipeline(PowerTransformer("box-cox"), LinearRegression()).fit(positive, x[:, 0])
    sclbl.upload(power, positive[:5], name="power", registry=registry)
    texts = pd.Series(["a good film", "a bad film", "very good", "bad and dull"] * 4)
    sentiment = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, ["+", "-"] * 8)
    sclbl.upload(sentiment, texts[:3], name="sentiment", registry=registry)
    for name, model in (("whole", whole()), ("two", two_inputs())):
        sclbl.upload(model, name=name, registry=registry)
    dicts = [{"age": 1.0, "city": "Breda"}, {"age": 2.0, "city": "Delft"}]
    features = make_pipeline(DictVectorizer(), LogisticRegression()).fit(dicts, [0, 1])
    sclbl.upload(features, dicts, name="features", registry=registry)


def opened(folder: Path) -> LocalRegistry:
    """Return a registry with all of them; each process uploads them once."""
    if not _FILLED:
        template = folder.with_name(f"{folder.name}-filled")
        with LocalRegistry(template) as registry:
            fill(registry)
        _FILLED.append(template)
    shutil.copytree(_FILLED[0], folder, dirs_exist_ok=True)
    return LocalRegistry(folder)


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
