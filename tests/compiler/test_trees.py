"""Programs of tree ensembles, bit for bit beside the definition in sclbl.reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sclbl.compiler import compile_spec
from sclbl.errors import MissingValueError, SpecError
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.trees import Trees
from tests.compiler.compiled import Compiled, builder, make_spec, same
from tests.compiler.random_trees import beside, ensemble

#: Eight rows are walked together, the rest one by one; a tile holds up to 256 rows.
ROWS = (1, 7, 8, 9, 255, 256, 257, 600)
KINDS = ("float64", "float32")
RULES = ("<=", "<")


def matrix(columns: int, kind: str = "float64") -> tuple[Builder, Wire]:
    build = builder(columns, kind)  # type: ignore[arg-type] # one of KINDS
    return build, build.table().matrix()


def check(program: Compiled, rows: np.ndarray, counts: tuple[int, ...] = ROWS) -> None:
    """Compare every method on the first rows, then on more of them."""
    want = program.expected(rows)
    for count in counts:
        part = np.ascontiguousarray(rows[:count])
        for method, values in want.items():
            same(program.run(method, part), values[:count])


def rows_for(
    trees: Trees, columns: int, kind: str, *, missing: float = 0.1, count: int = ROWS[-1]
) -> np.ndarray:
    rng = np.random.default_rng(11)
    x: np.ndarray = beside(trees, count, columns, np.dtype(kind).type, rng)
    if trees.category_start is not None:
        tests = np.unique(trees.feature[trees.category_start >= 0])
        codes = [*range(100), -0.0, -1, -0.5, 2.5, 1e6, 2.0**31, -(2.0**31), np.inf, -np.inf]
        for column in tests[tests < columns]:
            x[:, column] = rng.choice(codes, size=count)
    x[rng.random(x.shape) < missing] = np.nan
    return x


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threshold", KINDS)
@pytest.mark.parametrize("rule", RULES)
def test_sums_and_leaves(rule: str, threshold: str, kind: str) -> None:
    """Leaf values of both types, one or several; targets; leaves that repeat; single leaves."""
    rng = np.random.default_rng(1)
    build, x = matrix(6, kind)
    shared: dict[str, Any] = {"rule": rule, "threshold": np.dtype(threshold).type}
    sizes = [15, 0, 30, 1, 0, 7, 3, 12, 2, 20, 31]
    made = {
        "one": ensemble(rng, sizes, 6, **shared),
        "direct": ensemble(rng, sizes, 6, value=np.float32, **shared),
        "several": ensemble(rng, sizes, 6, outputs=3, **shared),
        "several32": ensemble(rng, sizes, 6, outputs=3, value=np.float32, **shared),
        "targets": ensemble(rng, sizes, 6, outputs=4, targets=True, **shared),
        "direct_targets": ensemble(
            rng, sizes, 6, outputs=4, targets=True, value=np.float32, **shared
        ),
        "repeated": ensemble(rng, sizes, 6, outputs=2, distinct=4, **shared),
        "lone": ensemble(rng, [0], 6, **shared),
        "stump": ensemble(rng, [1], 6, **shared),
    }
    # What a leaf holds and how rows compare do not meet: all leaves for two of the comparisons.
    full = (rule, threshold, kind) in (("<=", "float64", "float64"), ("<", "float32", "float32"))
    some = made if full else ("one", "direct", "targets")
    wires = {name: build.trees(x, made[name]) for name in some}
    wires["leaves"] = build.tree_leaves(x, made["one"])
    program = Compiled(build, wires)
    check(program, rows_for(made["one"], 6, kind))
    check(program, rows_for(made["direct"], 6, kind, missing=0.0), (256, 600))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES)
def test_every_threshold_and_its_neighbours(rule: str, kind: str) -> None:
    """One stump for each threshold; rows hold every threshold and both numbers beside it."""
    rng = np.random.default_rng(2)
    plain = np.r_[rng.normal(size=20), 10.0 ** rng.uniform(-37, 37, size=20)]
    huge = 10.0 ** rng.uniform(-300, 300, size=10)
    edges = [0.0, -0.0, 5e-324, 1e-45, 3.4028235e38, 3.5e38, 1.7e308, 2.0**24 + 1, 16777217.0]
    pool = np.r_[plain, -plain, huge, edges, np.negative(edges), plain.astype(np.float32)]
    if rule == "<=":
        pool = np.r_[pool, np.inf, -np.inf]
    count = len(pool)
    trees = Trees(
        roots=np.arange(0, 3 * count, 3, dtype=np.int32),
        feature=np.tile(np.array([0, -1, -1], dtype=np.int32), count),
        threshold=np.repeat(pool, 3),
        left=np.column_stack(
            [np.arange(1, 3 * count, 3), np.arange(0, 2 * count, 2), np.arange(1, 2 * count, 2)]
        )
        .ravel()
        .astype(np.int32),
        right=np.column_stack([np.arange(2, 3 * count, 3), np.full(count, -1), np.full(count, -1)])
        .ravel()
        .astype(np.int32),
        missing_left=np.repeat(rng.random(count) < 0.5, 3),
        values=np.zeros((2 * count, 1)),
        init=np.zeros(1),
        rule=rule,  # type: ignore[arg-type] # one of RULES
    )
    dtype = np.dtype(kind).type
    with np.errstate(all="ignore"):
        near = pool.astype(dtype)
        down, up = (np.nextafter(near, dtype(s * np.inf)) for s in (-1, 1))
    rows = np.r_[near, down, up, dtype(np.nan), dtype(np.inf), dtype(-np.inf)].reshape(-1, 1)
    build, x = matrix(1, kind)
    program = Compiled(build, {"leaves": build.tree_leaves(x, trees)})
    check(program, rows, (len(rows),))


@pytest.mark.parametrize("kind", KINDS)
def test_categories(kind: str) -> None:
    rng = np.random.default_rng(3)
    build, x = matrix(5, kind)
    trees = ensemble(rng, [10, 25, 0, 40, 6, 8, 9, 30, 3], 5, categories=(1, 4))
    program = Compiled(
        build, {"sums": build.trees(x, trees), "leaves": build.tree_leaves(x, trees)}
    )
    check(program, rows_for(trees, 5, kind))
    check(program, rows_for(trees, 5, kind, missing=0.0), (256, 600))


@pytest.mark.parametrize("kind", KINDS)
def test_negative_categories_where_nan_is_refused(kind: str) -> None:
    """A negative category goes the way of a missing value, which the rows cannot hold here."""
    rng = np.random.default_rng(4)
    build, x = matrix(3, kind)
    trees = ensemble(rng, [20] * 9, 3, categories=(0, 2))
    program = Compiled(build, {"sums": build.trees(build.refuse(x, nan=True, inf=False), trees)})
    rows = rows_for(trees, 3, kind, missing=0.0)
    assert (rows[:, 0] < 0).any()
    check(program, rows)
    rows[599, 1] = np.nan
    with pytest.raises(MissingValueError, match="row 599, column '1'"):
        program.run("sums", rows)


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_of_categories_and_of_thresholds(kind: str) -> None:
    """No library makes one. A float64 stands there as its rank, which cannot be both."""
    rng = np.random.default_rng(5)
    build, x = matrix(2, kind)
    trees = ensemble(rng, [20] * 9, 2, categories=(0, 1))
    some = (rng.random(len(trees.feature)) < 0.5) & (trees.feature >= 0)
    assert trees.category_start is not None
    start = np.where(some, -1, trees.category_start)
    mixed = replace(trees, category_start=start, threshold=np.where(some, 3.0, trees.threshold))
    program = Compiled(build, {"sums": build.trees(x, mixed)})
    if kind == "float64":
        with pytest.raises(SpecError, match="column 0 of a float64 tensor for categories and thr"):
            compile_spec(program.spec)
        return
    check(program, rows_for(trees, 2, kind))


def test_start() -> None:
    """Sums that begin at another result of the same row."""
    rng = np.random.default_rng(6)
    build, x = matrix(4)
    for_all, for_some = (
        ensemble(rng, [9] * 5, 4, outputs=2, targets=targets) for targets in (False, True)
    )
    single = ensemble(rng, [9] * 5, 4, value=np.float32)
    begin = build.columns(x, [2, 0])
    program = Compiled(
        build,
        {
            "all": build.trees(x, for_all, begin),
            "some": build.trees(x, for_some, begin),
            "single": build.trees(x, single, build.cast(build.columns(x, [1]), "float32")),
            "chained": build.trees(x, for_some, build.trees(x, for_all, begin)),
        },
    )
    check(program, rows_for(for_all, 4, "float64"))


@pytest.mark.parametrize("kind", KINDS)
def test_deep_chains(kind: str) -> None:
    rng = np.random.default_rng(7)
    build, x = matrix(2, kind)
    trees = ensemble(rng, [300, 0, 299, 5, 301], 2, shape="chain")
    # Thresholds that fall along the chain, so that rows leave it at every depth.
    down = -np.arange(len(trees.feature), dtype=np.float64) / 400
    trees = replace(trees, threshold=np.where(trees.feature >= 0, down, np.nan))
    program = Compiled(
        build, {"sums": build.trees(x, trees), "leaves": build.tree_leaves(x, trees)}
    )
    check(program, rows_for(trees, 2, kind, missing=0.02))


@pytest.mark.parametrize("value", KINDS)
def test_more_slots_and_leaves_than_16_bits(value: str) -> None:
    """And more thresholds of one column than 16 bits."""
    rng = np.random.default_rng(8)
    build, x = matrix(2, value)
    trees = ensemble(
        rng, [66_000, 71_000, 3, 0], 2, shape="even", value=np.dtype(value).type, outputs=1
    )
    pool = rng.normal(size=len(trees.feature)).astype(np.float32)
    trees = replace(trees, threshold=np.where(trees.feature >= 0, pool, np.float32(np.nan)))
    program = Compiled(
        build, {"sums": build.trees(x, trees), "leaves": build.tree_leaves(x, trees)}
    )
    want = program.expected(rows := rows_for(trees, 2, value))
    assert len(np.unique(want["leaves"])) > 100
    check(program, rows, (9, 600))


@pytest.mark.parametrize("kind", KINDS)
def test_wide_slots(kind: str) -> None:
    """So many columns that their bits and those of a child do not fit one word together."""
    rng = np.random.default_rng(9)
    columns = 17_000
    build, x = matrix(columns, kind)
    used = rng.permutation(columns)
    trees = ensemble(rng, [9000, 8500, 40, 0, 7], columns, shape="even", used=used)
    program = Compiled(
        build, {"sums": build.trees(x, trees), "leaves": build.tree_leaves(x, trees)}
    )
    slots, tested = len(trees.feature), len(np.unique(trees.feature)) - 1
    assert slots >= 1 << (32 - 2 - tested.bit_length())
    check(program, rows_for(trees, columns, kind, count=41), (1, 9, 41))


@pytest.mark.parametrize("kind", KINDS)
def test_many_trees_that_test_few_of_the_columns(kind: str) -> None:
    rng = np.random.default_rng(10)
    build, x = matrix(300, kind)
    used = np.array([299, 7, 0, 120])
    trees = ensemble(rng, [3] * 700, 300, outputs=5, targets=True, used=used)
    program = Compiled(
        build, {"sums": build.trees(x, trees), "leaves": build.tree_leaves(x, trees)}
    )
    check(program, rows_for(trees, 300, kind), (1, 8, 257))


def test_more_than_256_columns_and_leaves_of_one_byte() -> None:
    rng = np.random.default_rng(12)
    build, x = matrix(280, "float32")
    trees = ensemble(rng, [150, 130, 40], 280, used=np.arange(280), distinct=200)
    program = Compiled(build, {"sums": build.trees(x, trees)})
    check(program, rows_for(trees, 280, "float32"), (1, 8, 257))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature": [7, -1, -1]}, "a tree tests column 7 of a tensor of 2 columns"),
        ({"threshold": [np.nan, 0, 0]}, "compares with a threshold that is NaN"),
        ({"left": [0, 0, 1]}, "reaches one of its nodes twice, so it is not a tree"),
        ({"threshold": [-np.inf, 0, 0], "rule": "<"}, "x < -infinity"),
    ],
)
def test_trees_that_are_none(changes: dict[str, Any], message: str) -> None:
    stump: dict[str, Any] = {
        "feature": [0, -1, -1],
        "threshold": [0.5, 0, 0],
        "left": [1, 0, 1],
        "rule": "<=",
        **changes,
    }
    build, x = matrix(2, "float32")
    trees = Trees(
        roots=np.zeros(1, dtype=np.int32),
        feature=np.array([0, -1, -1], dtype=np.int32),
        threshold=np.array(stump["threshold"], dtype=np.float64),
        left=np.array(stump["left"], dtype=np.int32),
        right=np.array([2, -1, -1], dtype=np.int32),
        missing_left=np.zeros(3, dtype=bool),
        values=np.array([[1.0], [2.0]]),
        init=np.zeros(1),
        rule=stump["rule"],
    )
    spec = make_spec(build, {"predict": build.trees(x, trees)})
    # The builder looks at columns too; a file's trees come without it.
    trees.feature[:] = stump["feature"]
    with pytest.raises(SpecError, match=message):
        compile_spec(spec)
