"""Passes over columns that do the work of two: the same bits and refusals as apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from sclbl import compiler
from sclbl.compiler.fuse_rows import MOST_CHAINS, fuse_rows
from sclbl.errors import InfiniteValueError, InputError, MissingValueError
from sclbl.signature import Kind
from sclbl.spec import Graph, Node
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from tests.compiler.compiled import Compiled, builder, same

RNG = np.random.default_rng(11)
OPS = ("Add", "Sub", "Mul", "Div")
KINDS: tuple[Kind, ...] = ("float64", "float32")
#: Rows of a call: one, an odd number, more than a tile.
ROWS = (1, 2, 7, 301)
#: Each kind of loop in a row: single values, one vector, several, four at a time and a rest.
WIDTHS = (1, 2, 3, 5, 6, 13, 30, 37)


def numbers(rows: int, width: int, kind: Kind) -> np.ndarray:
    return RNG.normal(size=(rows, width)).astype(kind)


def row(width: int, kind: Kind) -> np.ndarray:
    return RNG.uniform(0.1, 3, width).astype(kind)


def fused(made: Compiled) -> Graph:
    return fuse_rows(made.spec.graph)


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes if node.op != "Identity"]


def apart(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Compiled]
) -> tuple[Compiled, Compiled]:
    """Return what is compiled as usual, and with no passes fused."""
    one, other = make(), make()
    assert one.program
    monkeypatch.setattr(compiler, "fuse_rows", lambda graph: graph)
    assert other.program
    assert one.program.wasm != other.program.wasm
    return one, other


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", WIDTHS)
def test_two_steps_of_arithmetic_round_twice(width: int, kind: Kind) -> None:
    build = builder(width, kind)
    x = build.table().matrix()
    outputs = {
        f"{first}_{second}": build.binary(
            second, build.binary(first, x, row(width, kind)), row(width, kind)
        )
        for first, second in itertools.product(OPS, OPS)
    }
    made = Compiled(build, outputs)
    assert len(ops(fused(made))) == MOST_CHAINS == len(outputs)
    for rows in ROWS:
        x = numbers(rows, width, kind)
        for method, want in made.expected(x).items():
            same(made.run(method, x), want)


def test_more_pairs_than_are_worth_it_stay_apart() -> None:
    build = builder(2)
    x = build.table().matrix()
    for _ in range(MOST_CHAINS + 1):
        # What lies between keeps it from being one chain.
        x = build.unary("Abs", build.sub(build.mul(x, row(2, "float64")), row(2, "float64")))
    made = Compiled(build, {"value": x})
    assert ops(fused(made)).count("Mul") == MOST_CHAINS + 1
    rows = numbers(9, 2, "float64")
    same(made.run("value", rows), made.expected(rows)["value"])


def test_a_step_that_others_read_stays() -> None:
    build = builder(3)
    moved = build.sub(build.table().matrix(), row(3, "float64"))
    scaled = build.div(moved, row(3, "float64"))
    made = Compiled(build, {"moved": moved, "scaled": scaled})
    assert ops(fused(made)) == ["Sub", "Div"]
    x = numbers(5, 3, "float64")
    for method, want in made.expected(x).items():
        same(made.run(method, x), want)


@pytest.mark.parametrize("other", [np.array([2.0]), np.array([[1.0], [2.0]])])
def test_what_is_no_constant_for_each_column_stays(other: np.ndarray) -> None:
    build = builder(2)
    x = build.table().matrix()
    step = build.sub(x, other[:1].ravel()) if other.size == 1 else build.matmul(x, np.eye(2))
    made = Compiled(build, {"value": build.div(step, row(2, "float64"))})
    assert len(ops(fused(made))) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [1, 2, 5])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_product_adds_what_is_added_to_it(
    width: int, columns: int, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, bias = numbers(width, columns, kind), row(columns, kind)

    def make() -> Compiled:
        build = builder(width, kind)
        product = build.matmul(build.table().matrix(), weights)
        return Compiled(build, {"value": build.add(product, bias)})

    one, other = apart(monkeypatch, make)
    assert ops(fused(one)) == ["MatMul"]
    for rows in ROWS:
        x = numbers(rows, width, kind)
        got = one.run("value", x)
        same(got, other.run("value", x))
        # Row by row, whoever stands beside it.
        for k in range(0, rows, 50):
            same(one.run("value", x[k : k + 1]), got[k : k + 1])
        exact = 1e-5 if kind == "float32" else 1e-13
        np.testing.assert_allclose(got, one.expected(x)["value"], rtol=exact, atol=exact)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [2, 3, 4, 5, 9])
def test_sums_of_several_columns_go_in_order(columns: int, kind: Kind) -> None:
    """Whatever is done at a time, each is the sum that one would write down."""
    width = 7
    weights = numbers(width, columns, kind)
    build = builder(width, kind)
    made = Compiled(build, {"value": build.matmul(build.table().matrix(), weights)})
    for rows in (*ROWS, 3, 4, 5):
        x = numbers(rows, width, kind)
        want = np.zeros((rows, columns), dtype=kind)
        for k in range(width):
            want += x[:, k : k + 1] * weights[k]
        same(made.run("value", x), want)


def checked(weights: np.ndarray, kind: Kind, *, nan: bool = True, inf: bool = True) -> Compiled:
    build = builder(len(weights), kind)
    x = build.refuse(build.table().matrix(), nan=nan, inf=inf)
    return Compiled(
        build, {"value": build.add(build.matmul(x, weights), row(weights.shape[1], kind))}
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize(
    ("bad", "error"), [(np.nan, MissingValueError), (-np.inf, InfiniteValueError)]
)
@pytest.mark.parametrize(("place", "rows"), [(0, 1), (6, 7), (290, 301)])
def test_a_product_shows_which_rows_to_look_at(
    place: int, rows: int, bad: float, error: type[InputError], columns: int, kind: Kind
) -> None:
    weights = numbers(5, columns, kind)
    weights[3] = 0  # a cell that counts for nothing is refused all the same
    made = checked(weights, kind)
    assert ops(fused(made)) == ["MatMul", "sclbl.Refuse"]
    x = numbers(rows, 5, kind)
    same(made.run("value", x[:place]), made.run("value", x)[:place])
    x[place, 3] = x[place:, 4] = bad
    with pytest.raises(error, match=f"row {place}, column '3' "):
        made.run("value", x)


def test_a_product_beyond_the_largest_number_is_no_reason_to_refuse() -> None:
    made = checked(np.full((4, 1), 1e300), "float64")
    x = np.full((3, 4), 1e200)
    x[1] = 1.0
    assert made.run("value", x)[:, 0].tolist() == [np.inf, made.run("value", x[1:2])[0, 0], np.inf]


@pytest.mark.parametrize(("nan", "inf", "bad"), [(True, False, np.inf), (False, True, np.nan)])
def test_what_may_pass_passes(nan: bool, inf: bool, bad: float) -> None:
    made = checked(np.ones((4, 1)), "float64", nan=nan, inf=inf)
    x = numbers(5, 4, "float64")
    x[3, 2] = bad
    same(made.run("value", x)[3:4], np.full((1, 1), bad))
    x[3, 1] = np.inf if inf else np.nan
    with pytest.raises(
        InfiniteValueError if inf else MissingValueError, match="row 3, column '1' "
    ):
        made.run("value", x)


@pytest.mark.parametrize(
    "weights",
    [np.array([[1.0], [np.inf]]), np.array([[1.0], [np.nan]]), np.ones((2, 3))],
    ids=["infinite", "missing", "wide"],
)
def test_products_that_tell_nothing_or_cost_more_are_not_asked(weights: np.ndarray) -> None:
    assert ops(fused(checked(weights, "float64"))) == ["sclbl.Refuse", "MatMul"]


def test_checks_stay_in_order() -> None:
    """The first of two checks speaks, though a product of the second comes before it."""
    build = builder(4)
    x = build.table().matrix()
    first = build.refuse(build.columns(x, [2, 3]), nan=True)
    second = build.refuse(build.columns(x, [0, 1]), nan=True)
    sums = [build.matmul(wire, np.ones((2, 1))) for wire in (second, first)]
    made = Compiled(build, {"value": build.add(*sums)})
    assert ops(fused(made)).count("sclbl.Refuse") == 2
    x = numbers(3, 4, "float64")
    x[1] = np.nan
    with pytest.raises(MissingValueError, match="row 1, column '2' "):
        made.run("value", x)
    with pytest.raises(MissingValueError, match="column 2"):
        made.expected(x)


def rest(build: Builder, p: Wire) -> Wire:
    return build.concat([build.sub(np.ones(1, dtype=p.dtype), p), p])


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_column_leaves_of_one(kind: Kind) -> None:
    build = builder(1, kind)
    made = Compiled(build, {"value": rest(build, build.unary("Sigmoid", build.table().matrix()))})
    assert ops(fused(made)) == ["Sigmoid", "Concat"]
    for rows in ROWS:
        x = numbers(rows, 1, kind)
        got = made.run("value", x)
        assert got.dtype == kind
        same(got[:, :1], np.ones(1, dtype=kind) - got[:, 1:])
        np.testing.assert_allclose(got, made.expected(x)["value"], rtol=1e-6)
    nan = made.run("value", np.full((2, 1), np.nan, dtype=kind))
    assert np.isnan(nan).all()


def test_two_columns_that_are_not_one_stay() -> None:
    build = builder(2)
    x = build.table().matrix()
    a, b = (build.columns(x, [k]) for k in (0, 1))
    made = Compiled(
        build,
        {
            "other": build.concat([build.sub(np.ones(1), a), b]),
            "turned": build.concat([a, build.sub(np.ones(1), a)]),
            "both": rest(build, x),
        },
    )
    assert "rest" not in {key for node in fused(made).nodes for key in node.attrs}
    x = numbers(4, 2, "float64")
    for method, want in made.expected(x).items():
        same(made.run(method, x), want)


def test_a_name_that_is_taken() -> None:
    """A product before its check needs a name, which a file may have too."""
    made = checked(np.ones((2, 1)), "float64")
    graph = made.spec.graph
    (product,) = (node for node in fused(made).nodes if node.op == "MatMul")
    (name,) = product.outputs
    taken = Node("Identity", (graph.inputs[0].name,), (name,))
    values = {**graph.values, name: graph.inputs[0]}
    again = fuse_rows(
        Graph(graph.inputs, graph.outputs, (taken, *graph.nodes), graph.constants, values)
    )
    assert [node.outputs for node in again.nodes if node.op == "MatMul"] == [(f"{name}_",)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", list(itertools.product(OPS, repeat=2)), ids="-".join)
def test_a_product_and_then_two_steps(steps: tuple[str, str], kind: Kind) -> None:
    """A product takes one row with it, and leaves a chain of two as it is."""
    build = builder(4, kind)
    x = build.table().matrix()
    y = build.matmul(x, RNG.normal(size=(4, 3)))
    z = build.binary(steps[1], build.binary(steps[0], y, row(3, kind)), row(3, kind))
    one = build.binary(steps[0], build.columns(x, [0]), row(1, kind))
    one = build.binary(steps[1], one, row(1, kind))
    pair = build.concat([one, build.columns(x, [0])])
    # Steps with one number that only a Concat reads, and a first operand that is the constant.
    rest = build.sub(np.array([1.0], dtype=kind), one)
    outputs = {"both": z, "pair": pair, "rest": build.concat([rest, one])}
    made = Compiled(build, outputs)
    rows = numbers(301, 4, kind)
    for method, want in made.expected(rows).items():
        got = made.run(method, rows)
        np.testing.assert_allclose(got, want, rtol=1e-12 if kind == "float64" else 1e-4, atol=1e-5)
