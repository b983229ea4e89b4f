"""ArrayFeatureExtractor in ONNX files: columns chosen by constants, labels by a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sclbl.compiler import compile_spec
from sclbl.errors import SpecError
from sclbl.onnx_format import read
from sclbl.program import Program

ROWS = np.random.default_rng(0).normal(size=(30, 4))


def node(op: str, inputs: list[str], output: str, **attrs: Any) -> onnx.NodeProto:
    domain = "ai.onnx.ml" if op == "ArrayFeatureExtractor" else ""
    return helper.make_node(op, inputs, [output], domain=domain, **attrs)


def file(nodes: list[onnx.NodeProto], kind: int, **weights: Any) -> bytes:
    graph = helper.make_graph(
        nodes,
        "chosen",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["rows", 4])],
        [helper.make_tensor_value_info("y", kind, None)],
        [numpy_helper.from_array(np.array(v), k) for k, v in weights.items()],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def ran(data: bytes) -> np.ndarray:
    found: np.ndarray = Program(compile_spec(read(data))).run("y", ROWS)
    (theirs,) = ReferenceEvaluator(onnx.load_model_from_string(data)).run(None, {"x": ROWS})
    np.testing.assert_array_equal(found, theirs)
    assert found.shape == theirs.shape
    return found


CODES = node("ArgMax", ["x"], "code", axis=1, keepdims=0)
LABELS = node("ArrayFeatureExtractor", ["labels", "code"], "row")


def test_columns_are_chosen() -> None:
    nodes = [node("ArrayFeatureExtractor", ["x", "at"], "y")]
    data = file(nodes, TensorProto.DOUBLE, at=[2, 0, 2])
    np.testing.assert_array_equal(ran(data), ROWS[:, [2, 0, 2]])


@pytest.mark.parametrize("shape", [[-1], [-1, 1]])
def test_labels_are_looked_up(shape: list[int]) -> None:
    cast = node("Cast", ["row"], "cast", to=TensorProto.INT64)
    nodes = [CODES, LABELS, cast, node("Reshape", ["cast", "shape"], "y")]
    found = ran(file(nodes, TensorProto.INT64, labels=[7, -2, 5, 9], shape=shape))
    np.testing.assert_array_equal(found.ravel(), np.array([7, -2, 5, 9])[ROWS.argmax(axis=1)])


@pytest.mark.parametrize(
    ("nodes", "labels", "why"),
    [
        ([CODES, LABELS, node("Identity", ["row"], "y")], [1, 2, 3, 4], "one row of all rows'"),
        ([CODES, LABELS, node("Neg", ["row"], "y")], [1, 2, 3, 4], "Neg takes what ArrayFeature"),
        ([CODES, LABELS, node("Neg", ["row"], "y")], [1.0, 2.0], "chooses among float64 constants"),
        (
            [node("ArrayFeatureExtractor", ["labels", "x"], "y")],
            [1, 2],
            "something other than one int64 column",
        ),
    ],
)
def test_what_is_refused(nodes: list[onnx.NodeProto], labels: list[Any], why: str) -> None:
    with pytest.raises(SpecError, match=why):
        read(file(nodes, TensorProto.INT64, labels=labels))
