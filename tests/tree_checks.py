"""Runs a tree stripper without the rest of the pipeline, and compares bits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sclbl.reference import evaluate
from sclbl.spec import Column, Graph, Signature
from sclbl.strippers import dispatch
from sclbl.strippers.build import Builder


def graph_of(
    model: Any, columns: Iterable[Column] | int, methods: Iterable[str] | None = None
) -> Graph:
    """Strip a model that takes the given columns (a number: so many of float64)."""
    if isinstance(columns, int):
        columns = (Column(None, "float64"),) * columns
    columns = tuple(columns)
    layout = "table" if columns[0].name is not None else "array"
    build = Builder(Signature(columns, layout))
    stripper = dispatch.find(model)
    wanted = frozenset(stripper.methods(model) if methods is None else methods)
    return build.finish(stripper.strip(model, build.table(), build, wanted))


def run(
    graph: Graph, numeric: np.ndarray | None, text: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Evaluate all methods."""
    return evaluate(graph, numeric, text)


def label_lists(graph: Graph) -> tuple[tuple[Any, ...], ...]:
    """Return the labels of a classifier's outputs."""
    return next(n.attrs["labels"] for n in graph.nodes if n.op == "sclbl.Labels")


def same_labels(graph: Graph, codes: np.ndarray, expected: np.ndarray) -> None:
    """Check that class numbers stand for the labels that the source returned."""
    lists = label_lists(graph)
    want = np.asarray(expected).reshape(len(codes), -1)
    got = np.column_stack(
        [np.array(labels, dtype=object)[codes[:, k]] for k, labels in enumerate(lists)]
    )
    np.testing.assert_array_equal(got, want.astype(object))


def same_bits(got: np.ndarray, expected: Any) -> None:
    """Check equality bit for bit; a list of arrays is compared side by side. NaN equals NaN."""
    want = np.column_stack(expected) if isinstance(expected, list) else np.asarray(expected)
    want = want.reshape(got.shape)
    assert got.dtype == want.dtype
    nan = np.isnan(want)
    np.testing.assert_array_equal(np.isnan(got), nan)
    bits = np.dtype(f"i{got.dtype.itemsize}")
    np.testing.assert_array_equal(got.view(bits)[~nan], np.ascontiguousarray(want).view(bits)[~nan])


def within_ulps(got: np.ndarray, expected: Any, ulps: int = 2) -> None:
    """Check equality up to some units in the last place."""
    want = np.asarray(expected).reshape(got.shape)
    assert got.dtype == want.dtype
    np.testing.assert_array_max_ulp(got, want, maxulp=ulps)
