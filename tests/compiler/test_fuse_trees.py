"""Small ensembles that become one: the same bits, and no tree that a method does not need."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from sclbl.compiler.fuse_trees import MOST_TREES, fuse_trees
from sclbl.spec import Graph
from sclbl.strippers.columns import Wire
from tests.compiler.compiled import Compiled, builder
from tests.compiler.random_trees import ensemble
from tests.compiler.test_trees import check, rows_for

RNG = np.random.default_rng(3)


def ensembles(graph: Graph) -> list[int]:
    """Return how many trees each ensemble has."""
    return [len(n.attrs["roots"]) for n in graph.nodes if n.op == "sclbl.TreeEnsemble"]


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [*itertools.product(("float64", "float32"), (np.float64, np.float32), ("<=", "<"))],
)
def test_small_ensembles_are_one(kind: Any, value: Any, rule: str) -> None:
    build = builder(4, kind)
    x = build.table().matrix()
    sizes: list[list[int]] = [[9], [0], [20, 3, 7], [5], [1, 1], [17]]
    options: dict[str, Any] = {"rule": rule, "value": value}
    made = [ensemble(RNG, inner, 4, outputs=2, **options) for inner in sizes]
    made += [ensemble(RNG, [6] * 4, 4, outputs=3, targets=True, **options) for _ in range(3)]
    wires: list[Wire] = [build.trees(x, trees) for trees in made]
    both = build.concat([*wires[3:], *wires[:3]])
    program = Compiled(build, {"predict": build.unary("Neg", both)})
    fused = fuse_trees(program.spec.graph)
    assert ensembles(fused) == [9, 12]
    # Those of each kind are joined by taking columns of one tensor.
    assert ops(fused).count("Gather") == len(made)
    check(program, rows_for(made[2], 4, kind), (1, 8, 9, 300))


def test_columns_that_are_joined_are_taken_at_once() -> None:
    build = builder(3)
    x = build.table().matrix()
    made = [ensemble(RNG, [4], 3, outputs=2) for _ in range(5)]
    wires = [build.trees(x, trees) for trees in made]
    second = [wire[:, 1:] for wire in wires]
    program = Compiled(build, {"predict": build.concat(second), "transform": build.concat(wires)})
    fused = fuse_trees(program.spec.graph)
    assert ensembles(fused) == [5]
    assert ops(fused).count("Concat") == 0
    assert ops(fused).count("Gather") == 2
    check(program, rows_for(made[0], 3, "float64"), (1, 9, 300))


def test_what_stays_apart() -> None:
    """Ensembles of other rows, types or rules, of many trees, and of methods of their own."""
    build = builder(3)
    x = build.table().matrix()
    one = [ensemble(RNG, [4], 3) for _ in range(8)]
    many = [ensemble(RNG, [2] * (MOST_TREES + 1), 3) for _ in range(2)]
    strict = ensemble(RNG, [4], 3, rule="<")
    narrow = ensemble(RNG, [4], 3, value=np.float32)
    categories = [ensemble(RNG, [6], 3, categories=(1,)) for _ in range(2)]
    other = build.cast(x, "float32")
    methods = {
        "predict": [build.trees(x, one[0]), build.trees(other, one[1])],
        "transform": [build.trees(x, one[2])],
        "score": [build.trees(x, t) for t in (*many, strict, *categories)],
        "decision_function": [build.cast(build.trees(x, narrow), "float64")],
    }
    program = Compiled(build, {name: build.concat(wires) for name, wires in methods.items()})
    assert fuse_trees(program.spec.graph) is program.spec.graph
    rows = np.abs(rows_for(categories[0], 3, "float64", missing=0))
    check(program, rows, (1, 9, 300))
