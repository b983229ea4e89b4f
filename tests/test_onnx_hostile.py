"""ONNX files made to harm: an error that says what to do, in little time and memory."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sclbl.compiler import compile_spec
from sclbl.errors import SpecError
from sclbl.manifest import MAX_COUNTED
from sclbl.onnx_format import bounds, read, write
from tests import mutation
from tests.compiler.compiled import builder, make_spec
from tests.compiler.test_linker import mixed_spec


def foreign(*nodes: onnx.NodeProto, **constants: Any) -> onnx.ModelProto:
    """Return a file of another tool: `x` [n, 3] float in, `y` out."""
    given = helper.make_tensor_value_info("x", 1, ["n", 3])
    result = helper.make_tensor_value_info("y", 1, ["n", None])
    held = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(list(nodes), "g", [given], [result], held)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets)


GEMM = (np.ones((3, 2), np.float32), np.ones(2, np.float32))


def good() -> onnx.ModelProto:
    return foreign(
        helper.make_node("Gemm", ["x", "w", "b"], ["g"], alpha=2.0),
        helper.make_node("Gather", ["x", "i"], ["c"], axis=1),
        helper.make_node("Concat", ["g", "c"], ["d"], axis=1),
        helper.make_node("ReduceSum", ["d", "axes"], ["s"], keepdims=1),
        helper.make_node("Softmax", ["d"], ["y"], axis=-1),
        w=GEMM[0],
        b=GEMM[1],
        i=[0, 1],
        axes=[1],
    )


def metadata(key: str, change: Callable[[Any], None]) -> bytes:
    model = onnx.load_model_from_string(write(mixed_spec()))
    for entry in model.metadata_props:
        if entry.key == key:
            data = json.loads(entry.value)
            change(data)
            entry.value = json.dumps(data).replace("Infinity", "1e400")
    return bytes(model.SerializeToString())


def test_the_seed_is_read() -> None:
    assert read(good().SerializeToString()).methods == ("y",)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (helper.make_node("Gemm", ["x"], ["y"]), "operator Gemm has 1 inputs; it takes 2 or more"),
        (helper.make_node("Gather", ["x"], ["y"], axis=1), "operator Gather has 1 inputs"),
        (helper.make_node("Gemm", ["x", "w"], ["y"], alpha="two"), "factor .* that is no number"),
        (helper.make_node("Gemm", ["x", "w"], ["y"], transB="no"), "malformed|matrix of 3 rows"),
        (helper.make_node("Softmax", ["x"], ["y"], axis="one"), "works along axis"),
        (helper.make_node("Concat", ["y", "x"], ["y"], axis=1), "takes 't_y', which must be a"),
        (helper.make_node("Add", ["y", "x"], ["y"]), "a cycle, or a lost part"),
    ],
)
def test_operators_that_lack_or_confuse(node: onnx.NodeProto, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(foreign(node, w=GEMM[0]).SerializeToString())


@pytest.mark.parametrize("dims", [(0, 2**63 - 1), (2**63 - 1, 0), (-1, 3), (2**62, 4), (2**31,)])
def test_shapes_beyond_reason(dims: tuple[int, ...]) -> None:
    model = good()
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)
    with pytest.raises(SpecError, match="constant 'w' has shape"):
        read(model.SerializeToString())


@pytest.mark.parametrize("count", [40, 100_000])
def test_inputs_of_many_axes(count: int) -> None:
    """Their product took minutes, and those of a file of some megabytes hours."""
    model = good()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 2**62
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims.extend([dims[1]] * (count - 1))
    with pytest.raises(SpecError, match=rf"'x' has {count + 1:,} axes; sclbl takes at most 32"):
        read(model.SerializeToString())


@pytest.mark.parametrize("shape", [[0] + [2**62] * 100_000, [0] + [1] * 40 + [3]])
def test_reshapes_to_many_axes(shape: list[int]) -> None:
    model = foreign(helper.make_node("Reshape", ["x", "shape"], ["y"]), shape=np.array(shape))
    with pytest.raises(SpecError, match=r"a shape of .* axes; at most 32"):
        read(model.SerializeToString())


def test_many_axes_of_one() -> None:
    node = helper.make_node("Unsqueeze", ["x", "axes"], ["y"])
    with pytest.raises(SpecError, match=r"Unsqueeze has 50,000 axes; at most 32"):
        read(foreign(node, axes=np.arange(1, 50_001)).SerializeToString())


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("sclbl.notes", lambda d: d["kept"].update(a=float("inf"))),
        ("sclbl.signature", lambda d: d["outputs"]["predict"].update(width=float("inf"))),
        ("sclbl.signature", lambda d: d["outputs"]["predict"].update(dtype="<U500000000")),
        ("sclbl.signature", lambda d: d.update(columns={"count": 4194304, "kind": "float64"})),
        ("sclbl.signature", lambda d: d["columns"].extend(d["columns"])),
        ("sclbl.source", lambda d: d.update(libraries=3)),
    ],
)
def test_metadata_that_lies(key: str, change: Callable[[Any], None]) -> None:
    with pytest.raises(SpecError, match=r"malformed|signature"):
        read(metadata(key, change))


@pytest.mark.parametrize(
    ("limit", "content"),
    [
        ("MAX_FIELDS", b"\x0a\x00" * 2000),
        ("MAX_MESSAGES", b"\x0a\x00" * 2000),
        ("MAX_NUMBERS", b"\x0a\x84\x20\x2a\x81\x20" + b"\x40\x01" * 2048 + b"\x40"),
    ],
)
def test_parts_are_counted_while_they_are_read(
    monkeypatch: pytest.MonkeyPatch, limit: str, content: bytes
) -> None:
    """The end of the file is not reached: it would be malformed."""
    monkeypatch.setattr(bounds, limit, 1000)
    graph = b"\x3a" + bytes([len(content) & 0x7F | 0x80, len(content) >> 7]) + content
    with pytest.raises(SpecError, match=r"more than .* parts, .* operators and attributes"):
        read(graph + b"\x07")


def mutate(seed: int, count: int) -> tuple[int, int]:
    """Return how many of `count` changed files were read, and how many refused."""
    seeds = [good(), onnx.load_model_from_string(write(mixed_spec()))]
    chance = random.Random(seed)
    taken = refused = 0
    for _ in range(count):
        model = onnx.ModelProto()
        model.CopyFrom(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 4))):
            entries = [e for e in model.metadata_props if e.value[:1] in ("{", "[")]
            if entries and chance.random() < 0.3:
                entry = chance.choice(entries)
                changed = mutation.json_value(json.loads(entry.value), chance)
                entry.value = json.dumps(changed)
            else:
                mutation.message(model, chance)
        try:
            spec = read(model.SerializeToString())
        except SpecError:
            refused += 1
        else:
            assert spec.sha256
            taken += 1
    return taken, refused


def test_changed_messages() -> None:
    taken, refused = mutate(0, 400)
    assert taken > 50
    assert refused > 50


@pytest.mark.exhaustive
def test_many_changed_messages() -> None:
    for seed in range(1, 21):
        assert sum(mutate(seed, 5000)) == 5000


def test_a_file_that_claims_many_columns() -> None:
    wide = 4_194_304
    node = helper.make_node("Exp", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, ["N", wide]) for n in "xy"]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(SpecError, match=r"'x' has 4,194,304 columns; sclbl takes at most 262,144"):
        read(model.SerializeToString())


def test_a_model_of_more_columns_than_a_program_counts() -> None:
    wide = MAX_COUNTED + 1
    build = builder(wide)
    x = build.columns(build.table().matrix(), [0])
    with pytest.raises(SpecError, match=r"takes 262,145 columns; sclbl takes at most 262,144 with"):
        compile_spec(make_spec(build, {"predict": x}))
