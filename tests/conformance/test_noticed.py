"""What the conformance suite notices: a program that is not its model's, and a class left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sclbl.spec import Node
from tests.conformance.pair import Pair
from tests.conformance.subject import named
from tests.kept import program_of

ROWS, SOME = 800, 10_000


def altered(name: str, change: Mapping[str, np.ndarray] | None = None) -> Pair:
    """Return a pair whose program is not the model's: other tree arrays, else other weights."""
    pair = Pair(named(name), "float64", strict=True)
    graph = pair.spec.graph
    if change is None:
        constants = {
            n: c * (1 + 1e-11) if c.dtype.kind == "f" and c.ndim == 2 else c
            for n, c in graph.constants.items()
        }
        graph = replace(graph, constants=constants)
    else:
        nodes = tuple(
            Node(n.op, n.inputs, n.outputs, {**n.attrs, **change})
            if n.op == "sclbl.TreeEnsemble"
            else n
            for n in graph.nodes
        )
        graph = replace(graph, nodes=nodes)
    pair.program = program_of(replace(pair.spec, graph=graph))
    return pair


def test_weights_that_are_off_in_the_eleventh_digit_are_noticed() -> None:
    misses = [m for one in altered("LinearRegression").sweep(ROWS) for m in one.misses]
    assert any("rows differ, worst output 0 by" in miss for miss in misses)


def test_a_threshold_one_ulp_off_is_noticed() -> None:
    name = "DecisionTreeRegressor"
    pair = altered(name, {})
    (node,) = [n for n in pair.spec.graph.nodes if n.op == "sclbl.TreeEnsemble"]
    threshold = node.attrs["threshold"].copy()
    inner = np.flatnonzero(node.attrs["feature"] >= 0)
    # In float32, in which the model compares: a finer change would change nothing.
    single = threshold[inner[0]].astype(np.float32)
    threshold[inner[0]] = np.nextafter(single, np.float32(np.inf))
    assert [m for one in pair.sweep(SOME) for m in one.misses] == []
    pair = altered(name, {"threshold": threshold})
    misses = {one.method: one.misses for one in pair.sweep(SOME)}
    assert "rows differ" in misses["predict"][0]
    assert misses["apply"] == ()


def test_a_missing_check_is_noticed() -> None:
    pair = Pair(named("Ridge"), "float64", strict=True)
    lax = [replace_refusal(n) for n in pair.spec.graph.nodes]
    graph = replace(pair.spec.graph, nodes=tuple(lax))
    pair.program = program_of(replace(pair.spec, graph=graph))
    (found,) = pair.sweep(ROWS)
    expected = "predict, column 'alpha' = nan: taken, and the model refuses it (MissingValueError)"
    assert expected in found.misses


def replace_refusal(node: Node) -> Node:
    if node.op != "sclbl.Refuse":
        return node
    return Node(node.op, node.inputs, node.outputs, {**node.attrs, "nan": 0})
