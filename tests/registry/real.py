"""Small programs with their specs: what a registry records."""

from __future__ import annotations

from functools import cache

import numpy as np

from sclbl import manifest, recompile
from sclbl.compiler import compile_spec
from sclbl.signature import Column, Output, Signature
from sclbl.spec import Graph, Node, Provenance, Spec, Value


def make_spec(number: int = 0) -> Spec:
    """Return the spec of a model that adds a number to its one column."""
    values = Value("numeric", "float64", (1,)), Value("predict", "float64", (1,))
    graph = Graph(
        values[:1],
        values[1:],
        (Node("Add", ("numeric", "step"), ("predict",)),),
        {"step": np.array([float(number)])},
        {value.name: value for value in values},
    )
    outputs = {"predict": Output("float64", "float64", 1, 1)}
    signature = Signature((Column("age", "float64"),), "table", outputs)
    return Spec(graph, signature, Provenance("sklearn.linear_model.LinearRegression", {}))


@cache
def make_program(number: int = 0) -> tuple[bytes, bytes]:
    """Return the bytes of a program and of its spec, different for each number."""
    spec = make_spec(number)
    report = {"against": "the test", "rows": 7, "refusals": 0, "ok": True, "methods": []}
    return manifest.restate(compile_spec(spec), {"report": report}), recompile.write(spec)
