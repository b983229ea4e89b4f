"""Runs a tree stripper without the rest of the pipeline, and compares bits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import special

from sclbl.reference import evaluate
from sclbl.signature import Column, Signature
from sclbl.spec import Graph
from sclbl.strippers import dispatch
from sclbl.strippers.graph import Builder


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
    wanted = frozenset(dispatch.methods(model) if methods is None else methods)
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


def numpy_exp_is_libm() -> bool:
    """Tell whether ``numpy.exp`` is the C library's: it is Intel's on processors with AVX-512."""
    x = np.linspace(-40, 2, 5000)
    return bool((np.exp(x) == special.inv_boxcox(x, 0.0)).all())


#: How far exps, and quotients of their sums, may be from those made with ``numpy.exp``. Intel's is
#: one ULP away from the C library's in one of twenty results; a quotient can double that, and a sum
#: of many adds to it.
EXP_ULPS, SOFTMAX_ULPS = (0, 0) if numpy_exp_is_libm() else (1, 6)


def same_chances(got: np.ndarray, expected: np.ndarray) -> None:
    """Check class probabilities of scikit-learn's boosting: a sigmoid of its own, or softmax."""
    within_ulps(got, expected, 0 if got.shape[1] == 2 else SOFTMAX_ULPS)


def same_log_chances(got: np.ndarray, expected: np.ndarray) -> None:
    """Check logarithms of class probabilities; near 1, they show what their last digit is."""
    if got.shape[1] == 2 or not SOFTMAX_ULPS:
        within_ulps(got, expected)
    else:
        eps = np.finfo(got.dtype).eps
        np.testing.assert_allclose(got, expected, rtol=2 * eps, atol=SOFTMAX_ULPS * eps)
