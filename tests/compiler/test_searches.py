"""Searches by every metric, beside their definition."""

from __future__ import annotations

import numpy as np
import pytest

from sclbl.errors import SpecError
from sclbl.ops import find
from sclbl.ops.distances import METRICS
from sclbl.ops.record import Operand
from sclbl.spec import Node
from tests.compiler.compiled import Compiled, blocks, builder
from tests.points import searches

#: Powers and angles are not NumPy's to the bit, so points equally far are not equal in both.
ROUNDED = ("minkowski", "haversine", "mahalanobis", "cosine")


@pytest.mark.parametrize("metric", METRICS)
def test_nearest_points(metric: str) -> None:
    rng = np.random.default_rng(3)
    for columns in (2, 5):
        rows = rng.integers(-2, 3, size=(60, columns)) * 1.25
        rows[30:] += rng.normal(size=(30, columns))
        build = builder(columns)
        x, wires = build.table().matrix(), {}
        for i, search in enumerate(searches(columns, [metric])):
            for k in (1, 17, 41):
                made = build.nodes("sclbl.NearestPoints", [x], 2, k=k, **search)
                wires |= {f"d{i}_{k}": made[0], f"n{i}_{k}": made[1]}
        compiled = Compiled(build, wires)
        expected = compiled.expected(rows, None)
        for name, wanted in expected.items():
            found = compiled.run_blocks(name, blocks(rows, None))
            if name[0] == "d":
                np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-15)
            elif metric not in ROUNDED:
                np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"metric": "unknown"}, "takes a known metric"),
        ({"points": np.zeros((3, 2))}, "takes points of as many columns"),
        ({"numbers": np.arange(41) - 1}, "32-bit numbers can name"),
        ({"nodes": np.array([[0, 40, 1]])}, "share out their points"),
        ({"nodes": np.array([[0, 41, 0]])}, "share out their points"),
        ({"bounds": np.zeros((1, 3))}, "what bounds each"),
        ({"vector": np.zeros(2)}, "has a vector"),
        ({"p": np.zeros(2)}, "takes one exponent"),
        ({"k": 42}, "no more than there are"),
        ({"k": 0}, "no more than there are"),
        ({"shape": 7}, "a tree's shape"),
        ({"more": 1}, "no more than there are"),
    ],
)
def test_what_a_search_is_not_made_of(changed: dict[str, object], message: str) -> None:
    whole = searches(3, ["euclidean"])[0] | {"k": 2}
    node = Node("sclbl.NearestPoints", ("x",), ("d", "n"), whole)
    find(node.op).infer(node, [Operand("float64", (3,))])
    wrong = Node(node.op, node.inputs, node.outputs, whole | changed)
    with pytest.raises(SpecError, match=message):
        find(node.op).infer(wrong, [Operand("float64", (3,))])


def read(node: Node) -> None:
    """Look through a node as where a file is read."""
    operands = [Operand("float64", (3,)), Operand("float64", (1,))][: len(node.inputs)]
    op = find(node.op)
    op.infer(node, operands)
    assert op.check is not None
    op.check(node, operands)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"metric": "minkowski", "p": np.zeros(1)}, "has 0.0 as the exponent"),
        ({"metric": "minkowski", "p": np.full(1, np.nan)}, "has nan as the exponent"),
        ({"metric": "minkowski", "p": np.full(1, np.inf)}, "has inf as the exponent"),
        ({"shape": 0, "bounds": np.full((1, 6), np.nan)}, "bounds that are no numbers"),
    ],
)
def test_what_files_may_not_hold(changed: dict[str, object], message: str) -> None:
    whole = searches(3, ["euclidean"])[0]
    classes = {"codes": np.zeros(41, np.int64), "classes": 1, "by_distance": 0}
    for op, names, more in (
        ("sclbl.NearestPoints", ("x",), {"k": 2}),
        ("sclbl.PointsWithin", ("x", "r"), {"sorted": 0}),
        ("sclbl.VotesWithin", ("x", "r"), classes),
    ):
        read(Node(op, names, ("y",), whole | more))
        with pytest.raises(SpecError, match=message):
            read(Node(op, names, ("y",), whole | more | changed))


def density(**changed: object) -> Node:
    search = searches(3, ["euclidean"])[1]
    own = {
        "point_weights": np.zeros(41),
        "node_weights": np.zeros(len(search["nodes"])),
        "settings": np.array([1.0, 0.0, -np.inf, -np.inf, np.log(41)]),
        "kernel": "gaussian",
        "breadth": 1,
    }
    return Node("sclbl.LogDensity", ("x",), ("y",), search | own | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"settings": np.array([0.0, 0, 0, 0, 0])}, "a bandwidth whose square is above 0"),
        ({"settings": np.array([-1.0, 0, 0, 0, 0])}, "a bandwidth whose square is above 0"),
        ({"settings": np.array([1e-200, 0, 0, 0, 0])}, "a bandwidth whose square is above 0"),
        ({"settings": np.array([np.nan, 0, 0, 0, 0])}, "settings that are numbers"),
        ({"settings": np.array([1.0, np.inf, 0, 0, 0])}, "settings that are numbers"),
        ({"point_weights": np.full(41, np.nan)}, "point_weights that are numbers"),
        ({"node_weights": np.full(7, np.inf)}, "node_weights that are numbers"),
    ],
)
def test_what_a_density_is_not_made_of(changed: dict[str, object], message: str) -> None:
    read(density())
    with pytest.raises(SpecError, match=message):
        read(density(**changed))
