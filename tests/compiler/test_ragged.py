"""Operators on rows whose length varies: the program beside the definition, on random rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.utils import murmurhash3_32

from sclbl.compiler import compile_spec
from sclbl.errors import InputError, SpecError
from sclbl.ops import OPS
from sclbl.ops.names import hashes_of
from sclbl.ops.ragged import Items, murmur3
from sclbl.ops.record import Operand
from sclbl.program import Program
from sclbl.reference import evaluate
from sclbl.rows import Blocks, RaggedRows
from sclbl.rows.texts import text_column
from sclbl.signature import Input, Output, Ragged, Signature
from sclbl.spec import Node, Provenance, Spec
from sclbl.strippers.graph import Builder
from sclbl.strippers.wire import Wire
from tests.compiler.compiled import Compiled, blocks, builder

RNG = np.random.default_rng(11)
ROWS, COLUMNS = 700, 37
NAMES = ["", "a", "ab", "abc", "abcd", "Breda", "日本", *(f"name {k}" for k in range(30))]
Write = Callable[[Builder, Wire], Wire | tuple[Wire, ...]]


def lengths(longest: int = 9) -> np.ndarray:
    counts = RNG.integers(0, longest, size=ROWS)
    counts[:3] = 0
    counts[5] = 300
    return np.concatenate([[0], np.cumsum(counts)])


def sparse(dtype: str) -> Items:
    offsets = lengths()
    values = RNG.normal(size=offsets[-1]).astype(dtype)
    values[::17] = 0
    return Items(offsets, RNG.integers(COLUMNS, size=offsets[-1]), values)


def names(with_values: bool) -> Items:
    offsets = lengths()
    chosen = np.array(NAMES, dtype=object)[RNG.integers(len(NAMES), size=offsets[-1])]
    if not with_values:
        return Items(offsets, None, chosen)
    values = RNG.normal(size=offsets[-1])
    values[::13] = 0
    return Items(offsets, chosen, values)


def given_as(items: Items) -> RaggedRows:
    """Return rows of the interpreter as a program takes them."""
    parts = [
        p if p is None or p.dtype != object else text_column(p, "names")
        for p in (items.keys, items.values)
    ]
    keys, values = parts
    if isinstance(keys, np.ndarray):
        keys = keys.astype(np.int32)
    return RaggedRows(items.offsets, keys, values)


INPUTS = {
    "sparse": Input("X", "sparse", "float64", (COLUMNS,)),
    "sparse float32": Input("X", "sparse", "float32", (COLUMNS,)),
    "sparse int64": Input("X", "sparse", "int64", (COLUMNS,)),
    "features": Input("X", "features", "float64"),
    "texts": Input("X", "list", "text"),
    "numbers": Input("X", "list", "float32"),
}
MATRIX = RNG.normal(size=(COLUMNS, 5))
FACTORS = RNG.normal(size=COLUMNS)
FEW_FACTORS = np.array([1.5, np.nan, -0.0, 2.0])[RNG.integers(4, size=COLUMNS)]
VOCABULARY = np.array([*NAMES[:11], "never met"], dtype=object)
CASES: list[tuple[str, str, Write]] = [
    (
        "sclbl.HashNames",
        "features",
        lambda b, x: b.node("sclbl.HashNames", [x], columns=11, signed=1),
    ),
    ("sclbl.HashNames", "texts", lambda b, x: b.node("sclbl.HashNames", [x], columns=8, signed=0)),
    ("sclbl.FindNames", "features", lambda b, x: b.node("sclbl.FindNames", [x], names=VOCABULARY)),
    ("sclbl.FindNames", "texts", lambda b, x: b.node("sclbl.FindNames", [x], names=VOCABULARY)),
    *(
        case
        for kind in ("sparse", "sparse float32", "sparse int64")
        for case in (
            (
                "sclbl.SumDuplicates",
                kind,
                lambda b, x: b.node("sclbl.SumDuplicates", [x], distinct=0),
            ),
            (
                "sclbl.SumDuplicates",
                kind,
                lambda b, x: b.node("sclbl.SumDuplicates", [x], distinct=1),
            ),
            ("sclbl.Dense", kind, lambda b, x: b.dense(x)),
        )
    ),
    *(
        ("sclbl.DenseMissing", kind, lambda b, x: b.dense_or_missing(x))
        for kind in ("sparse", "sparse float32")
    ),
    ("sclbl.RefuseItems", "sparse", lambda b, x: b.node("sclbl.RefuseItems", [x], nan=1, inf=0)),
    (
        "sclbl.RefuseItems",
        "sparse float32",
        lambda b, x: b.node("sclbl.RefuseItems", [x], nan=0, inf=1),
    ),
    *(
        (
            "sclbl.SparseDot",
            kind,
            lambda b, x, d=d: b.node("sclbl.SparseDot", [x, b.constant(MATRIX, d)]),
        )
        for kind, d in (
            ("sparse", "float64"),
            ("sparse float32", "float64"),
            ("sparse float32", "float32"),
        )
    ),
    *(
        case
        for kind in ("sparse", "sparse float32")
        for case in (
            ("sclbl.LogItems", kind, lambda b, x: b.node("sclbl.LogItems", [x])),
            *(
                ("sclbl.NormItems", kind, lambda b, x, n=n: b.node("sclbl.NormItems", [x], norm=n))
                for n in ("l1", "l2")
            ),
            *(
                (
                    "sclbl.ScaleItems",
                    kind,
                    lambda b, x, f=f: b.node("sclbl.ScaleItems", [x, b.constant(f)]),
                )
                for f in (FACTORS, FEW_FACTORS, FACTORS.astype(np.float32))
            ),
        )
    ),
    *(
        case
        for kind in ("sparse", "sparse float32", "sparse int64")
        for case in (
            *(
                ("sclbl.CastItems", kind, lambda b, x, d=d: b.node("sclbl.CastItems", [x], to=d))
                for d in ("float64", "float32")
            ),
            ("sclbl.SparseRows", kind, lambda b, x: b.node("sclbl.SparseRows", [b.dense(x)])),
            (
                "sclbl.JoinItems",
                kind,
                lambda b, x: b.node("sclbl.JoinItems", [x, x], first=COLUMNS),
            ),
            (
                "sclbl.ItemsAbove",
                kind,
                lambda b, x: b.node("sclbl.ItemsAbove", [x], threshold=0.25),
            ),
            *(
                (
                    "sclbl.ChooseItems",
                    kind,
                    lambda b, x, c=c: b.node("sclbl.ChooseItems", [x], columns=np.array(c)),
                )
                for c in ([COLUMNS - 1], list(range(0, COLUMNS, 2)))
            ),
        )
    ),
    ("Identity", "numbers", lambda b, x: x),
]


def spec_of(given: Input, write: Write) -> Spec:
    build = Builder(Signature((), "array", {}, inputs=(given,)), ())
    wire = write(build, build.beside(given))
    assert isinstance(wire, Wire)
    ragged: Ragged | None = wire.ragged
    graph = build.finish({"run": wire})
    ndim = 1 if ragged == "list" else 2
    stored: Any = wire.dtype
    output = Output(stored, wire.dtype, graph.outputs[0].width, ndim, ragged=ragged)
    signature = Signature((), "array", {"run": output}, inputs=(given,))
    return Spec(graph, signature, Provenance("tests.Graph"))


def rows_of(kind: str) -> Items:
    given = INPUTS[kind]
    if given.kind == "sparse":
        found = sparse("float64" if given.dtype == "int64" else given.dtype)
        return Items(found.offsets, found.keys, (found.values * 9).astype(given.dtype))
    if given.dtype == "text" or given.kind == "features":
        return names(given.kind == "features")
    offsets = lengths()
    return Items(offsets, None, RNG.normal(size=offsets[-1]).astype(np.float32))


def test_every_operator_has_a_case() -> None:
    ragged = {name for name, op in OPS.items() if op.ragged}
    # Those of neighbours: see their strippers' tests; what takes texts apart has test_tokens.py.
    others = {"sclbl.PointsWithin", "sclbl.SparseNeighbors", "sclbl.Words", "sclbl.Characters"}
    assert {op for op, _, _ in CASES} == ragged - others


@pytest.mark.parametrize(("op", "kind", "write"), CASES)
def test_an_operator(op: str, kind: str, write: Write) -> None:
    spec, items = spec_of(INPUTS[kind], write), rows_of(kind)
    program = Program(compile_spec(spec))
    wanted = evaluate(spec.graph, None, None, None, {"X": items})["run"]
    blocks = Blocks(ROWS, None, (), (given_as(items),))
    for _ in range(2):  # what grew in one call is gone in the next
        (found,) = program.module.general("run", blocks)
        if isinstance(wanted, Items):
            assert isinstance(found, RaggedRows)
            np.testing.assert_array_equal(found.offsets, wanted.offsets)
            if wanted.keys is not None:
                np.testing.assert_array_equal(np.asarray(found.keys), wanted.keys)
            assert np.asarray(found.values).dtype == wanted.values.dtype
            if OPS[op].exact:
                np.testing.assert_array_equal(np.asarray(found.values), wanted.values)
            else:
                most = OPS[op].ulp * float(np.finfo(wanted.values.dtype).eps)
                np.testing.assert_allclose(found.values, wanted.values, rtol=most, atol=most)
        else:
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("flags", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_refusals_name_row_and_column(bad: float, flags: tuple[int, int]) -> None:
    nan, inf = flags
    spec = spec_of(
        INPUTS["sparse"], lambda b, x: b.node("sclbl.RefuseItems", [x], nan=nan, inf=inf)
    )
    items = rows_of("sparse")
    at = int(np.searchsorted(items.offsets, items.offsets[-1] - 3, side="right")) - 1
    items.values[-3] = bad
    blocks = Blocks(ROWS, None, (), (given_as(items),))
    program = Program(compile_spec(spec))
    if (nan if np.isnan(bad) else inf) == 0:
        program.module.general("run", blocks)
        evaluate(spec.graph, None, None, None, {"X": items})
        return
    with pytest.raises(InputError) as ours:
        program.module.general("run", blocks)
    with pytest.raises(InputError) as theirs:
        evaluate(spec.graph, None, None, None, {"X": items})
    assert type(ours.value) is type(theirs.value)
    assert items.keys is not None
    assert (ours.value.row, ours.value.column) == (theirs.value.row, theirs.value.column)
    assert (ours.value.column, ours.value.row) == (str(items.keys[-3]), at)


def test_the_hash_is_scikit_learns() -> None:
    words = [*NAMES, *("x" * k for k in range(40)), "é" * 7, "\N{GRINNING FACE}ab"]
    for word in words:
        assert murmur3(word.encode()) == murmurhash3_32(word, seed=0)


def test_long_names_are_found() -> None:
    """Few of them are hashed one by one from where the others end, and share long beginnings."""
    long = ["a" * 4000, "a" * 4000 + "b", "a" * 3999 + "c", "b" * 65_536, *NAMES]
    spec = spec_of(
        INPUTS["features"],
        lambda b, x: b.node("sclbl.FindNames", [x], names=np.array(long, dtype=object)),
    )
    given = [*long, "a" * 3999, "b" * 65_535, "a" * 3999 + "b"]
    offsets = np.arange(len(given) + 1)
    items = Items(offsets, np.array(given, dtype=object), np.ones(len(given)))
    (found,) = Program(compile_spec(spec)).module.general(
        "run", Blocks(len(given), None, (), (given_as(items),))
    )
    assert isinstance(found, RaggedRows)
    assert np.asarray(found.keys).tolist() == list(range(len(long)))
    assert np.diff(found.offsets).tolist() == [1] * len(long) + [0] * 3


def test_hashes_of_long_and_short_texts() -> None:
    texts = [b"", b"a", b"ab" * 50, *(bytes([k]) * k for k in range(1, 200))]
    for text, found in zip(texts, hashes_of(texts), strict=True):
        assert hashes_of([text]).tolist() == [found]
        value = 2166136261
        for byte in text:
            value = (value ^ byte) * 16777619 % 2**32
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
            value = (value ^ value >> shift) * factor % 2**32
        assert value == found


def test_names_beyond_any_column() -> None:
    """In files: rows to try are made of names, however few bytes these are when compressed."""
    for length in (32_768, 32_769):
        names = np.array(["é" * length], dtype=object)
        given = Operand("float64", (), ragged="features")
        node = Node("sclbl.FindNames", ("x",), ("y",), {"names": names})
        check = OPS["sclbl.FindNames"].check
        assert check is not None
        if length == 32_768:
            check(node, [given])
            continue
        with pytest.raises(SpecError, match="takes names of up to 65,536 bytes; one has 65,538"):
            check(node, [given])


def test_rows_that_are_joined_to_themselves() -> None:
    """Each step doubles the items of a row: a small file asked for gigabytes."""

    def joined(times: int) -> Write:
        def write(build: Builder, x: Wire) -> Wire:
            for _ in range(times):
                x = build.node("sclbl.JoinItems", [x, x], first=x.width)
            return build.node("sclbl.SumDuplicates", [x], distinct=0)

        return write

    compile_spec(spec_of(INPUTS["sparse"], joined(4)))
    with pytest.raises(SpecError, match="joins the items of a row 2,048 times; at most 1,024"):
        compile_spec(spec_of(INPUTS["sparse"], joined(11)))


def test_sparse_rows_of_lists_that_no_search_gave() -> None:
    inputs = (Input("D", "list", "float64"), Input("N", "list", "int64"))
    build = Builder(Signature((), "array", {}, inputs=inputs), ())
    wires = [build.beside(given) for given in inputs]
    graph = build.finish({"run": build.node("sclbl.SparseNeighbors", wires, columns=5, ones=0)})
    output = Output("float64", "float64", 5, 2, ragged="sparse")
    signature = Signature((), "array", {"run": output}, inputs=inputs)
    with pytest.raises(SpecError, match="takes lists of distances and numbers of one search"):
        compile_spec(Spec(graph, signature, Provenance("tests.Graph")))


def test_sparse_rows_of_numbers_beyond_the_columns() -> None:
    rows = np.array([[0.0, 4], [5, 1], [-1, 99]])
    build = builder(2)
    x = build.table().matrix()
    numbers = build.node("Cast", [x], to="int64")
    rows_of_pairs = build.node("sclbl.SparseNeighbors", [x, numbers], columns=5, ones=1)
    dense = build.node("sclbl.Dense", [rows_of_pairs], columns=5)
    compiled = Compiled(build, {"run": dense})
    wanted = [[1, 0, 0, 0, 1], [1, 1, 0, 0, 0], [2, 0, 0, 0, 0]]
    assert compiled.expected(rows, None)["run"].tolist() == wanted
    assert compiled.run_blocks("run", blocks(rows, None)).tolist() == wanted
