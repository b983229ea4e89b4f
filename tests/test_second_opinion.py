"""Programs against their specs where inputs stand beside the table or results are ragged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sclbl import manifest
from sclbl.compiler import compile_spec
from sclbl.errors import FidelityError, InputError, MissingValueError
from sclbl.fidelity import invented, verify_program
from sclbl.fidelity.invented import calls_of
from sclbl.onnx_format import read, write
from sclbl.ops.ragged import Items
from sclbl.program import Program
from sclbl.recompile import own, recompile
from sclbl.reference import evaluate
from sclbl.signature import Column, Input, InputKind, Output, Signature
from sclbl.spec import Provenance, Spec
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from tests.points import one_leaf
from tests.test_onnx_beside import MODELS, scaled, spec_of

NUMBERS = ("float64", "float32", "int64")


# ------------------------------------------------------------------ models


@pytest.mark.parametrize("name", MODELS)
def test_models_agree_with_their_specs(name: str) -> None:
    spec = spec_of(name)
    data, wasm = write(spec), compile_spec(spec)
    report = verify_program(wasm, data)
    assert report.ok
    assert report.rows >= 40
    assert [m.method for m in report.methods] == list(spec.methods)
    assert recompile(data, {}).wasm == wasm
    assert own(wasm, data).wasm == wasm


def changed(spec: Spec, op: str, change: Callable[[Any], Any]) -> bytes:
    """Return a program of another spec that says it is of this one."""
    nodes = tuple(
        replace(node, attrs=change(dict(node.attrs))) if node.op == op else node
        for node in spec.graph.nodes
    )
    other = compile_spec(replace(spec, graph=replace(spec.graph, nodes=nodes)))
    assert manifest.code_sha256(other) != manifest.code_sha256(compile_spec(spec))
    return manifest.attach(other, manifest.read(compile_spec(spec)))


def _moved(attrs: dict[str, Any]) -> dict[str, Any]:
    """Move one threshold of a tree by one ULP."""
    threshold = attrs["threshold"].copy()
    inner = np.flatnonzero(attrs["feature"] >= 0)
    threshold[inner[0]] = np.nextafter(threshold[inner[0]].astype(np.float32), np.float32(np.inf))
    return {**attrs, "threshold": threshold}


@pytest.mark.parametrize(
    ("name", "op", "change"),
    [
        ("hashed dicts", "sclbl.HashNames", lambda a: {**a, "signed": 0}),
        ("hashed words", "sclbl.HashNames", lambda a: {**a, "signed": 0}),
        ("dicts", "sclbl.FindNames", lambda a: {"names": a["names"][::-1]}),
        ("sparse labels", "sclbl.FindNames", lambda a: {"names": a["names"][::-1]}),
        ("sparse labels", "sclbl.SumDuplicates", lambda a: {"distinct": 0}),
        ("sparse ridge", "sclbl.RefuseItems", lambda a: {**a, "nan": 0}),
        ("sparse tree", "sclbl.TreeEnsemble", _moved),
        ("neighbours", "sclbl.PointsWithin", lambda a: {**a, "numbers": a["numbers"][::-1]}),
    ],
)
def test_another_program_is_noticed(name: str, op: str, change: Callable[[Any], Any]) -> None:
    spec = spec_of(name)
    with pytest.raises(FidelityError):
        verify_program(changed(spec, op, change), write(spec))


def test_a_default_that_the_program_does_not_have_is_noticed() -> None:
    spec = scaled()
    (picture, times) = spec.signature.inputs
    inputs = (picture, replace(times, default=3.0))
    other = compile_spec(replace(spec, signature=replace(spec.signature, inputs=inputs)))
    wasm = manifest.attach(other, manifest.read(compile_spec(spec)))
    with pytest.raises(FidelityError, match="where its spec compiled here gives"):
        verify_program(wasm, write(spec))
    assert verify_program(compile_spec(spec), write(spec)).ok


# ------------------------------------------------------------------ random graphs


def graph_of(seed: int) -> Spec:
    """Return a random graph of the operators of rows whose length varies, and of others behind."""
    chance = np.random.default_rng(seed)
    kind: InputKind = chance.choice(np.array(["sparse", "features", "list"], dtype=object))
    dtype: Any = str(chance.choice(NUMBERS))
    width = int(chance.choice([1, 2, 7, 40]))
    if kind == "list":
        given = Input("words", "list", "text")
    else:
        dtype = "float64" if kind == "features" and seed % 2 else dtype
        given = Input("items", kind, dtype, (width,) if kind == "sparse" else ())
    usual = Input("level", "parameter", "float64", default=float(chance.normal()))
    columns = (Column(None, "float64"),) * 3 if seed % 3 else ()
    build = Builder(Signature(columns, "array", inputs=(given, usual)))
    rows = build.beside(given)
    if kind != "sparse":
        names = np.array([*"abcd", "é", "", "abcde"], dtype=object)[: max(width, 2)]
        hashed = kind == "list" or dtype == "float64"
        if hashed and chance.random() < 0.5:
            rows = build.node("sclbl.HashNames", [rows], columns=width, signed=seed % 2)
        else:
            rows = build.node("sclbl.FindNames", [rows], names=names)
    for _ in range(int(chance.integers(0, 3))):
        way = chance.random()
        if way < 0.6:
            rows = build.node("sclbl.SumDuplicates", [rows], distinct=int(chance.integers(2)))
        elif rows.dtype != "int64":
            flags = chance.integers(0, 2, size=2).tolist()
            rows = build.node("sclbl.RefuseItems", [rows], nan=flags[0], inf=flags[1])
    outputs: dict[str, tuple[Wire, ...]] = {"transform": (rows,)}
    dense = build.node("sclbl.Dense", [rows], columns=rows.width)
    if rows.dtype == "float64":
        level = replace(build.beside(usual), ndim=2)
        outputs["predict"] = (build.mul(dense, level),)
        matrix = build.constant(chance.normal(size=(rows.width, 3)))
        outputs["both"] = (build.node("sclbl.SparseDot", [rows, matrix]), rows)
    else:
        outputs["predict"] = (dense,)
    if columns:
        points = chance.normal(size=(9, 3))
        numbers = np.arange(9)[::-1].copy()
        level = build.beside(usual)
        wires = [build.table().matrix(), level]
        outputs["near"] = build.nodes("sclbl.PointsWithin", wires, 2, **one_leaf(points, numbers))
    return spec_with(build, outputs)


def spec_with(build: Builder, outputs: dict[str, tuple[Wire, ...]]) -> Spec:
    """Return the spec of a graph whose methods give these results."""
    described = {}
    for method, wires in outputs.items():
        made = [
            Output(w.dtype, w.dtype, w.width, 1 if w.ragged == "list" else 2, ragged=w.ragged)  # type: ignore[arg-type]  # storage types
            for w in wires
        ]
        described[method] = replace(
            made[0], further=tuple(made[1:]), parameters=build.parameters_of(wires)
        )
    named = {
        f"{m}.{k}" if k else m: wire for m, wires in outputs.items() for k, wire in enumerate(wires)
    }
    graph = build.finish(named)
    return Spec(graph, replace(build.signature, outputs=described), Provenance("tests.Graph"))


@pytest.mark.parametrize("seed", range(18))
def test_random_graphs(seed: int) -> None:
    spec = graph_of(seed)
    data = write(spec)
    assert read(data).sha256 == spec.sha256
    report = verify_program(compile_spec(spec), data)
    assert report.ok
    assert all(m.rows > 0 for m in report.methods)


# ------------------------------------------------------------------ the rows


def test_rows_hold_what_matters() -> None:
    spec = spec_of("sparse tree")
    (rows,) = calls_of(spec)
    items = rows.beside["X"]
    assert isinstance(items, Items)
    assert items.keys is not None
    assert len(items.keys) == len(items.values) == items.offsets[-1]
    lengths = np.diff(items.offsets)
    assert lengths.min() == 0
    assert lengths.max() >= 20
    assert set(items.keys.tolist()) == set(range(20))
    values = items.values
    assert np.isnan(values).any()
    assert np.isinf(values).any()
    twice = [len(set(items.keys[row].tolist())) < len(items.keys[row]) for row in items.rows()]
    assert any(twice)
    (tree,) = (n for n in spec.graph.nodes if n.op == "sclbl.TreeEnsemble")
    inner = tree.attrs["feature"] >= 0
    for feature, threshold in zip(
        tree.attrs["feature"][inner], tree.attrs["threshold"][inner], strict=True
    ):
        with np.errstate(over="ignore"):
            there = values[items.keys == feature].astype(np.float32)
        below = np.float32(threshold)
        below = below if below <= threshold else np.nextafter(below, np.float32(-np.inf))
        assert below in there
        assert np.nextafter(below, np.float32(np.inf)) in there


def test_names_are_those_that_the_graph_knows() -> None:
    (rows,) = calls_of(spec_of("dicts"))
    items = rows.beside["X"]
    assert isinstance(items, Items)
    assert items.keys is not None
    assert {"a", "b", "city=日本", invented.UNKNOWN_TEXT, ""} <= set(items.keys.tolist())


def test_values_of_a_call_are_tried() -> None:
    spec = spec_of("neighbours")
    first, *others = calls_of(spec)
    assert "radius" not in first.beside
    tried = [np.asarray(call.beside["radius"]).item() for call in others]
    assert {0.0, -0.8, np.inf} <= set(tried)
    assert all(0 < len(call) <= invented.WITH_VALUES for call in others)


def test_rows_may_be_taken_and_are_the_same_at_every_run() -> None:
    spec = spec_of("sparse labels")
    (rows,), (again,) = calls_of(spec), calls_of(spec)
    program = Program(compile_spec(spec))
    which = np.array([5, 0, 5, len(rows) - 1])
    some = rows.take(which)
    (whole,), (part,) = (program.module.general("transform", r.blocks()) for r in (again, some))
    assert not isinstance(whole, np.ndarray)
    assert not isinstance(part, np.ndarray)
    for i, row in enumerate(which.tolist()):
        a, b = whole.part(row, row + 1), part.part(i, i + 1)
        np.testing.assert_array_equal(a.keys, b.keys)
        np.testing.assert_array_equal(a.values, b.values)
    assert repr(rows.shown(0)) == repr(again.shown(0))


def test_the_definition_refuses_what_the_program_refuses() -> None:
    spec = spec_of("sparse ridge")
    (rows,) = calls_of(spec)
    items = rows.beside["X"]
    assert isinstance(items, Items)
    place = int(np.searchsorted(items.offsets, np.flatnonzero(np.isnan(items.values))[0], "right"))
    one = rows.take(np.array([place - 1]))
    with pytest.raises(MissingValueError) as theirs:
        evaluate(spec.graph, None, None, None, one.given())
    with pytest.raises(InputError) as ours:
        Program(compile_spec(spec)).module.general("predict", one.blocks())
    assert type(ours.value) is type(theirs.value)
    assert (ours.value.row, ours.value.column) == (theirs.value.row, theirs.value.column)
