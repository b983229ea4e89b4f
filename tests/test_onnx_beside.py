"""Specs with inputs beside the table, ragged rows and several results, as ONNX files."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from scipy import sparse
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.tree import DecisionTreeClassifier

from sclbl.compiler import compile_spec
from sclbl.errors import SpecError
from sclbl.onnx_format import read, write
from sclbl.program import Program
from sclbl.signature import Column, DType, Input, Signature
from sclbl.spec import Spec
from sclbl.strippers import strip
from sclbl.strippers.graph import Builder
from tests import mutation
from tests.compiler.compiled import make_spec
from tests.points import one_leaf

RNG = np.random.default_rng(5)
DICTS: list[dict[str, Any]] = [
    {"a": 1.0, "b": float(RNG.normal()), "city": str(RNG.choice(["x", "日本"]))} for _ in range(30)
]
WORDS = [[str(w) for w in RNG.choice(list("abcde"), RNG.integers(0, 6))] for _ in range(30)]
SPARSE = sparse.random(60, 20, 0.2, random_state=0, format="csr")
POINTS = RNG.normal(size=(60, 3))
HALF = np.arange(60) % 2

MODELS: dict[str, tuple[Any, Any]] = {
    "hashed dicts": (FeatureHasher(16), DICTS),
    "hashed words": (FeatureHasher(8, input_type="string"), WORDS),
    "dicts": (DictVectorizer(), DICTS),
    "dense dicts": (DictVectorizer(sparse=False), DICTS),
    "dicts of a linear model": (make_pipeline(FeatureHasher(64), LogisticRegression()), DICTS),
    "dicts of a tree": (make_pipeline(DictVectorizer(), DecisionTreeClassifier()), DICTS),
    "labels": (MultiLabelBinarizer(), WORDS),
    "sparse labels": (MultiLabelBinarizer(sparse_output=True), WORDS),
    "sparse linear": (LogisticRegression(), SPARSE),
    "sparse ridge": (Ridge(), SPARSE),
    "sparse tree": (DecisionTreeClassifier(random_state=0), SPARSE),
    "neighbours": (NearestNeighbors(radius=0.8, algorithm="kd_tree"), POINTS),
}


def spec_of(name: str) -> Spec:
    model, rows = MODELS[name]
    if isinstance(model, MultiLabelBinarizer):
        return strip(model.fit(rows), rows[:5])
    return strip(
        model.fit(rows, HALF[: rows.shape[0] if hasattr(rows, "shape") else len(rows)]), rows[:5]
    )


def scaled() -> Spec:
    """Return a spec of standard operators: pictures beside a table, times a value of the call."""
    inputs = (
        Input("picture", "tensor", "float32", (2, 3)),
        Input("times", "parameter", "float32", default=2.0),
    )
    build = Builder(Signature((Column(None, "float32"),) * 2, "array", inputs=inputs))
    picture, times = (build.beside(given) for given in inputs)
    small = build.node("ReduceSum", [picture, build.constant([2], "int64")], keepdims=0)
    wire = build.node("Mul", [build.node("Add", [small, build.table().matrix()]), times])
    spec = make_spec(build, {"run": wire})
    output = replace(spec.signature.outputs["run"], parameters=("times",))
    return replace(spec, signature=replace(spec.signature, outputs={"run": output}))


# ------------------------------------------------------------------ round trips


@pytest.mark.parametrize("name", MODELS)
def test_models_come_back_as_they_were(name: str) -> None:
    spec = spec_of(name)
    data = write(spec)
    onnx.checker.check_model(data)
    found = read(data)
    assert found.sha256 == spec.sha256
    assert found.signature == spec.signature
    assert found.graph.inputs == spec.graph.inputs
    assert found.graph.outputs == spec.graph.outputs
    assert write(found) == data
    assert compile_spec(found) == compile_spec(spec)


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("sparse labels", "(seq(string[items]) X) => (sparse_tensor(int64[rows,5]) transform)"),
        ("dense dicts", "(seq(map(string, double)) X) => (double[rows,4] transform)"),
        ("sparse ridge", "(sparse_tensor(double[rows,20]) X) => (double[rows,1] predict)"),
        (
            "neighbours",
            "(double[rows,3] numeric, double[1] radius) => "
            # Newer releases of ONNX put names with a dot in quotes.
            "(double[rows,5] kneighbors, int64[rows,5] kneighbors.1, "
            "seq(double[items]) radius_neighbors, seq(int64[items]) radius_neighbors.1)",
        ),
    ],
)
def test_types_in_the_file(name: str, types: str) -> None:
    text = onnx.printer.to_text(onnx.load_model_from_string(write(spec_of(name))).graph)
    assert types in re.sub(r"\s+", " ", text).replace(chr(34), "")


def test_tensors_and_values_of_a_call_run_elsewhere() -> None:
    spec = scaled()
    data = write(spec)
    onnx.checker.check_model(data, full_check=True)
    assert read(data).sha256 == spec.sha256
    rows = {
        "table": RNG.normal(size=(7, 2)).astype(np.float32),
        "picture": RNG.integers(0, 9, size=(7, 2, 3)).astype(np.float32),
    }
    times = np.array([0.5], np.float32)
    feed = {"numeric": rows["table"], "picture": rows["picture"], "times": times}
    (wanted,) = onnxruntime.InferenceSession(data).run(None, feed)
    ours = Program(compile_spec(read(data))).run("run", rows, times=0.5)
    np.testing.assert_array_equal(ours, wanted)


# ------------------------------------------------------------------ hostile files


def changed(spec: Spec, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return the file of a spec whose signature was changed."""
    model = onnx.load_model_from_string(write(spec))
    for entry in model.metadata_props:
        if entry.key == "sclbl.signature":
            data = json.loads(entry.value)
            change(data)
            entry.value = json.dumps(data)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("sparse ridge", {"shape": [-20]}, "input 'X' does not fit"),
        ("sparse ridge", {"shape": [0]}, "input 'X' does not fit"),
        ("sparse ridge", {"shape": [2**40]}, "input 'X' does not fit"),
        ("sparse ridge", {"shape": [2**22]}, "inputs are .* says"),
        ("sparse ridge", {"shape": [19]}, "inputs are .* says"),
        ("sparse ridge", {"shape": [4, 5]}, "input 'X' does not fit"),
        ("sparse ridge", {"shape": "20"}, "malformed"),
        ("sparse ridge", {"dtype": "float32"}, "inputs are .* says"),
        ("sparse ridge", {"dtype": "text"}, "input 'X' does not fit"),
        ("sparse ridge", {"kind": "tensor"}, "inputs are .* says"),
        ("sparse ridge", {"kind": "dense"}, "input 'X' does not fit"),
        ("sparse ridge", {"kind": "parameter", "shape": [], "default": 1.0}, "not well formed"),
        ("sparse ridge", {"name": "Y"}, "input 'X' is not a tensor"),
        ("sparse ridge", {"name": "a b"}, "cannot be called"),
        ("sparse ridge", {"name": 3}, "cannot be called"),
        ("labels", {"kind": "features"}, "does not fit"),
        ("labels", {"dtype": "int64"}, "inputs are .* says"),
        ("dicts", {"kind": "list"}, "inputs are .* says"),
        ("dicts", {"shape": [1]}, "does not fit"),
        ("neighbours", {"kind": "tensor"}, "default|does not fit"),
        ("neighbours", {"default": "1"}, "does not fit"),
        ("neighbours", {"default": None}, "does not fit"),
        ("neighbours", {"default": 10**400}, "does not fit"),
        ("neighbours", {"default": True}, "does not fit"),
        ("neighbours", {"dtype": "int64"}, "does not fit"),
        ("neighbours", {"name": "table"}, "cannot be called 'table'"),
        ("neighbours", {"name": "output"}, "cannot be called 'output'"),
        ("neighbours", {"name": "rows"}, "cannot be called 'rows'"),
    ],
)
def test_inputs_that_lie(name: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(changed(spec_of(name), lambda d: d["inputs"][0].update(change)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["inputs"].append(d["inputs"][0]), "two inputs have one name"),
        (
            lambda d: d["inputs"].extend({**d["inputs"][0], "name": f"i{i}"} for i in range(1024)),
            "1,025 inputs; programs take at most 1,024",
        ),
        (lambda d: d["inputs"].clear(), "parameters that are no inputs"),
        (lambda d: d.update(inputs={}), "parameters that are no inputs"),
        (lambda d: d["outputs"]["radius_neighbors"]["further"].clear(), "outputs are"),
        (
            lambda d: d["outputs"]["radius_neighbors"]["further"][0].update(further=[{}]),
            "outputs inside further outputs",
        ),
        (lambda d: d["outputs"]["radius_neighbors"].update(ragged="sparse"), "does not fit"),
        (lambda d: d["outputs"]["radius_neighbors"].update(ragged="features"), "does not fit"),
        (lambda d: d["outputs"]["radius_neighbors"].pop("ragged"), "outputs are"),
        (lambda d: d["outputs"]["radius_neighbors"].update(width=2), "outputs are"),
        (lambda d: d["outputs"]["radius_neighbors"].update(storage="float32"), "outputs are"),
    ],
)
def test_results_that_lie(change: Callable[[dict[str, Any]], None], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(changed(spec_of("neighbours"), change))


def renamed(name: str) -> bytes:
    """Return a file whose input beside the table has another name everywhere."""
    model = onnx.load_model_from_string(write(spec_of("sparse ridge")))
    model.graph.input[0].name = name
    for node in model.graph.node:
        node.input[:] = [name if given == "X" else given for given in node.input]
    (entry,) = (e for e in model.metadata_props if e.key == "sclbl.signature")
    entry.value = entry.value.replace('"X"', f'"{name}"')
    return bytes(model.SerializeToString())


def test_names_of_inputs() -> None:
    spec = spec_of("sparse ridge")
    assert read(renamed("rows")).signature.inputs[0].name == "rows"
    inner, constant = spec.graph.nodes[0].outputs[0], min(spec.graph.constants)
    with pytest.raises(SpecError, match="exists already"):
        read(renamed(inner))
    with pytest.raises(SpecError, match="two tensors of one name"):
        read(renamed(constant))
    for name in ("numeric", "text"):
        with pytest.raises(SpecError, match=f"calls an input '{name}'"):
            read(renamed(name))


def test_an_input_given_twice() -> None:
    model = onnx.load_model_from_string(write(spec_of("sparse ridge")))
    model.graph.input.append(model.graph.input[0])
    with pytest.raises(SpecError, match="two tensors of one name"):
        read(model.SerializeToString())


@pytest.mark.parametrize(
    ("name", "op", "attrs"),
    [
        ("hashed dicts", "HashNames", {"columns": -1}),
        ("hashed dicts", "HashNames", {"columns": 0}),
        ("hashed dicts", "HashNames", {"columns": 2**40}),
        ("hashed dicts", "HashNames", {"columns": 16.0}),
        ("hashed dicts", "HashNames", {"columns": "16"}),
        ("hashed dicts", "HashNames", {"signed": "1, i32 1"}),
        ("hashed dicts", "HashNames", {"signed": 1.0}),
        ("hashed dicts", "HashNames", {"signed": 2}),
        ("sparse labels", "SumDuplicates", {"distinct": 1.0}),
        ("sparse labels", "SumDuplicates", {"distinct": "1"}),
        ("sparse labels", "FindNames", {"names": [1, 2]}),
        ("sparse labels", "FindNames", {"names": "abc"}),
        ("sparse ridge", "RefuseItems", {"nan": 1.0}),
        ("sparse ridge", "RefuseItems", {"nan": "1"}),
        ("sparse ridge", "RefuseItems", {"more": 1}),
        ("sparse tree", "Dense", {"columns": 20.0}),
        ("sparse tree", "Dense", {"columns": 21}),
        ("sparse tree", "Dense", {"columns": -20}),
        ("neighbours", "PointsWithin", {"numbers": [1]}),
        ("neighbours", "PointsWithin", {"points": 1.0}),
        ("neighbours", "PointsWithin", {"balls": 2}),
        ("neighbours", "PointsWithin", {"nodes": np.array([[0, 3, 0]])}),
        ("neighbours", "PointsWithin", {"nodes": np.array([[0, 2**40, 1]])}),
    ],
)
def test_attributes_that_lie(name: str, op: str, attrs: dict[str, Any]) -> None:
    model = onnx.load_model_from_string(write(spec_of(name)))
    (node,) = (n for n in model.graph.node if n.op_type == op)
    kept = [a for a in node.attribute if a.name not in attrs]
    del node.attribute[:]
    made = {k: numpy_helper.from_array(v) if hasattr(v, "shape") else v for k, v in attrs.items()}
    node.attribute.extend([*kept, *(helper.make_attribute(k, v) for k, v in made.items())])
    with pytest.raises(SpecError, match=f"operator sclbl.{op}|outputs are|malformed"):
        read(model.SerializeToString())


@pytest.mark.parametrize("op", ["SumDuplicates", "Dense"])
def test_truths_are_not_added(op: str) -> None:
    given = Input("X", "sparse", "bool", (3,))
    build = Builder(Signature((), "array", inputs=(given,)))
    attrs = {"columns": 3} if op == "Dense" else {"distinct": 0}
    with pytest.raises(TypeError, match="does not take bool"):
        build.node(f"sclbl.{op}", [build.beside(given)], **attrs)


def test_points_are_near_rows_of_one_length() -> None:
    given = Input("X", "sparse", "float64", (3,))
    level = Input("radius", "parameter", "float64", default=1.0)
    build = Builder(Signature((), "array", inputs=(given, level)))
    wires = [build.beside(given), build.beside(level)]
    points, numbers = np.zeros((2, 3)), np.arange(2)
    with pytest.raises(TypeError, match="takes points"):
        build.nodes("sclbl.PointsWithin", wires, 2, **one_leaf(points, numbers))


TENSOR = helper.make_tensor_type_proto(TensorProto.DOUBLE, ["rows", 20])


@pytest.mark.parametrize(
    "kind",
    [
        helper.make_sparse_tensor_type_proto(TensorProto.DOUBLE, ["rows", -1]),
        helper.make_sparse_tensor_type_proto(TensorProto.DOUBLE, ["rows", 2**40]),
        helper.make_sparse_tensor_type_proto(TensorProto.DOUBLE, ["rows"]),
        helper.make_sparse_tensor_type_proto(99, ["rows", 20]),
        helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.DOUBLE, [1, 2])),
        helper.make_sequence_type_proto(helper.make_sequence_type_proto(TENSOR)),
        helper.make_sequence_type_proto(helper.make_map_type_proto(7, TENSOR)),
        helper.make_sequence_type_proto(
            helper.make_map_type_proto(8, helper.make_sequence_type_proto(TENSOR))
        ),
        helper.make_sequence_type_proto(onnx.TypeProto()),
        helper.make_optional_type_proto(TENSOR),
        helper.make_map_type_proto(8, TENSOR),
        TENSOR,
        onnx.TypeProto(),
    ],
)
def test_types_that_lie(kind: onnx.TypeProto) -> None:
    model = onnx.load_model_from_string(write(spec_of("sparse ridge")))
    model.graph.input[0].type.CopyFrom(kind)
    with pytest.raises(SpecError, match=r"input|outputs|takes rows of sparse"):
        read(model.SerializeToString())


def test_sequences_in_sequences_are_refused_before_they_are_parsed() -> None:
    kind = TENSOR
    for _ in range(40):
        kind = helper.make_sequence_type_proto(kind)
    model = onnx.load_model_from_string(write(spec_of("sparse ridge")))
    model.graph.input[0].type.CopyFrom(kind)
    with pytest.raises(SpecError, match="neither tensors, sparse tensors, nor sequences"):
        read(model.SerializeToString())


@pytest.mark.parametrize("end", ["input", "output"])
def test_files_of_other_tools_have_tensors(end: str) -> None:
    ends = [helper.make_tensor_value_info(n, 1, ["rows", 3]) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Exp", ["x"], ["y"])], "g", ends[:1], ends[1:])
    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [3]))
    getattr(graph, end)[0].type.CopyFrom(sequence)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    with pytest.raises(SpecError, match="inputs or outputs that are no tensors"):
        read(model.SerializeToString())


def test_changed_messages() -> None:
    """A changed file is refused with an error of sclbl's, or read and compiled."""
    chance = random.Random(8)
    names = ("neighbours", "sparse tree", "labels", "dicts")
    seeds = [onnx.load_model_from_string(write(spec_of(name))) for name in names]
    taken = refused = 0
    for _ in range(300):
        model = onnx.ModelProto()
        model.CopyFrom(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2))):
            entries = [e for e in model.metadata_props if e.value[:1] == "{"]
            if entries and chance.random() < 0.4:
                entry = chance.choice(entries)
                entry.value = json.dumps(mutation.json_value(json.loads(entry.value), chance))
            else:
                mutation.message(model, chance)
        try:
            spec = read(model.SerializeToString())
        except SpecError:
            refused += 1
        else:
            assert spec.sha256
            taken += 1
    assert min(taken, refused) > 40


@pytest.mark.parametrize("usual", [math.inf, -math.inf, math.nan, 0.1, 3, True])
def test_defaults_are_json(usual: float) -> None:
    """Hosts other than Python's read a manifest, and JSON has no infinities."""
    dtype: DType = "bool" if usual is True else "int64" if usual == 3 else "float32"
    given = Input("level", "parameter", dtype, default=usual)
    build = Builder(Signature((Column(None, "float64"),), "array", inputs=(given,)))
    spec = make_spec(build, {"run": build.beside(given)})
    text = json.dumps(spec.signature.to_json(), allow_nan=False)
    back = Signature.from_json(json.loads(text))
    assert type(back.inputs[0].default) is type(usual)
    assert read(write(spec)).sha256 == spec.sha256
    program = Program(compile_spec(read(write(spec))))
    np.testing.assert_array_equal(program.run("run", [[0.0]])[0, 0], np.array(usual, dtype))


def test_names_of_columns_are_kept() -> None:
    assert spec_of("dicts").kept == {"names of columns": len("abcity=xcity=日本".encode())}


def test_inputs_that_the_graph_does_not_read() -> None:
    """They may stand in the signature alone."""
    inputs = (Input("words", "list", "text"),)
    build = Builder(Signature((Column(None, "float64"),), "array", inputs=inputs))
    spec = make_spec(build, {"run": build.unary("Neg", build.table().matrix())})
    assert read(write(spec)).sha256 == spec.sha256
    program = Program(compile_spec(read(write(spec))))
    rows = {"table": [[1.0], [2.0]], "words": [["a"], []]}
    assert program.run("run", rows).tolist() == [[-1.0], [-2.0]]
