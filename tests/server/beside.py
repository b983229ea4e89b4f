"""Programs with inputs beside the table, for the tests of the server and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline

from sclbl.compiler import compile_spec
from sclbl.registry.metadata import check_about
from sclbl.registry.store import Store
from sclbl.signature import Column, Input, Output, Signature
from sclbl.spec import Graph, Node, Provenance, Spec, Value
from sclbl.strippers import strip

ROWS = {"age": 41.5, "plan": "gold", "a:b": 2}


@dataclass(frozen=True)
class Beside:
    """A fitted model, rows that it takes, and its program."""

    model: Any
    x: Any
    wasm: bytes


def _build(model: Any, x: Any, methods: list[str] | None = None) -> Beside:
    return Beside(model, x, compile_spec(strip(model, x[:5], methods=methods)))


@cache
def models() -> Mapping[str, Beside]:
    """Return models whose rows are no table, or whose results are ragged."""
    rng = np.random.default_rng(0)
    dicts: list[Any] = [
        {"age": float(rng.normal()), "plan": str(rng.choice(["basic", "gold"])), "a:b": i}
        for i in range(30)
    ]
    dicts.append({})
    y = np.arange(31) % 2
    tokens = [list(map(str, rng.choice(list("abcde"), rng.integers(0, 6)))) for _ in range(40)]
    x = sp.random(60, 12, 0.3, random_state=0, format="csr")
    points = rng.normal(size=(200, 3))
    return {
        "dicts": _build(DictVectorizer().fit(dicts), dicts),
        "chain": _build(make_pipeline(DictVectorizer(), LogisticRegression()).fit(dicts, y), dicts),
        "tokens": _build(FeatureHasher(8, input_type="string").fit(tokens), tokens),
        "sparse": _build(LogisticRegression().fit(x, np.arange(60) % 3), x),
        "near": _build(
            NearestNeighbors(radius=0.8, algorithm="kd_tree").fit(points),
            points,
            methods=["radius_neighbors"],
        ),
    }


@cache
def several() -> bytes:
    """Return a program of a table, a tensor and a value of the call: ``x * scale``, and + more."""
    given = (
        Input("more", "tensor", "float64", (2,)),
        Input("scale", "parameter", "float64", default=1.0),
    )
    names = ("numeric", "more", "scale", "scaled", "predict")
    values = {n: Value(n, "float64", (1,) if n == "scale" else (2,)) for n in names}
    graph = Graph(
        tuple(values[n] for n in names[:3]),
        (values["predict"], Value("predict.1", "float64", (2,))),
        (
            Node("Mul", ("numeric", "scale"), ("scaled",)),
            Node("Add", ("scaled", "more"), ("predict",)),
            Node("Identity", ("scaled",), ("predict.1",)),
        ),
        {},
        {**values, "predict.1": Value("predict.1", "float64", (2,))},
    )
    second = Output("float64", "float64", 2, 2)
    first = Output("float64", "float64", 2, 2, further=(second,), parameters=("scale",))
    columns = (Column("a", "float64"), Column("b", "float64"))
    signature = Signature(columns, "table", {"predict": first}, inputs=given)
    return compile_spec(Spec(graph, signature, Provenance("test", {})))


def record(registry: Store) -> None:
    """Record all of them, each without a spec."""
    for name, wasm in {**{n: m.wasm for n, m in models().items()}, "several": several()}.items():
        registry.record(check_about(name, alias="production"), wasm, b"no spec", None)
