"""ONNX files of other tools with several inputs, of several types."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

import sclbl
from sclbl import onnx_format
from sclbl.errors import ColumnError, DtypeError, ShapeError, SpecError
from sclbl.rows import OneNull

RNG = np.random.default_rng(5)


def file_of(
    nodes: list[Any], inputs: dict[str, tuple[int, list[Any]]], constants: tuple[Any, ...] = ()
) -> bytes:
    given = [helper.make_tensor_value_info(n, kind, dims) for n, (kind, dims) in inputs.items()]
    result = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "several", given, [result], list(constants))
    opset = [helper.make_opsetid("", 17)]
    data: bytes = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    return data


def choosing(ids: str = "ids", rows: Any = "n") -> bytes:
    """``where(on, x * sum(ids), x)``: floats, integers and truths."""
    nodes = [
        helper.make_node("Cast", [ids], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats", "axes"], ["sum"], keepdims=1),
        helper.make_node("Mul", ["x", "sum"], ["scaled"]),
        helper.make_node("Where", ["on:0", "scaled", "x"], ["out"]),
    ]
    inputs = {
        "x": (TensorProto.FLOAT, [rows, 4]),
        ids: (TensorProto.INT32, [rows, 3]),
        "on:0": (TensorProto.BOOL, [rows, 4]),
    }
    return file_of(nodes, inputs, (helper.make_tensor("axes", TensorProto.INT64, [1], [1]),))


def rows_of(count: int) -> dict[str, np.ndarray]:
    return {
        "x": RNG.normal(size=(count, 4)).astype(np.float32),
        "ids": RNG.integers(-9, 9, size=(count, 3)).astype(np.int32),
        "on_0": RNG.random((count, 4)) > 0.5,
    }


@pytest.mark.parametrize("count", [1, 2, 300, 20_000])
def test_floats_integers_and_truths(count: int) -> None:
    data = choosing()
    program = sclbl.compile(data)
    rows = rows_of(count)
    feed = {"x": rows["x"], "ids": rows["ids"], "on:0": rows["on_0"]}
    (wanted,) = onnxruntime.InferenceSession(data).run(None, feed)
    np.testing.assert_array_equal(program.run("out", rows), wanted)
    lists = {name: values.tolist() for name, values in rows.items()} if count < 300 else rows
    np.testing.assert_array_equal(program.run("out", lists), wanted)


def test_one_input_of_integers() -> None:
    nodes = [
        helper.make_node("Mul", ["ids", "ids"], ["squares"]),
        helper.make_node("Cast", ["squares"], ["out"], to=TensorProto.FLOAT),
    ]
    data = file_of(nodes, {"ids": (TensorProto.INT8, ["n", 2, 3])})
    program = sclbl.compile(data)
    ids = RNG.integers(-128, 128, size=(50, 2, 3)).astype(np.int8)
    np.testing.assert_array_equal(program.run("out", ids), (ids * ids).astype(np.float32))
    np.testing.assert_array_equal(program.run("out", {"ids": ids}), program.run("out", ids))
    with pytest.raises(DtypeError, match="which is no int8"):
        program.run("out", ids.astype(np.int64) + 500)


#: Rows of two numbers as Python writes them, which NumPy would read as floats.
LARGE = {
    "uint64": [[1, 2**63 + 1], [2**64 - 1, 0], [True, 2**63]],
    "int64": [[1.0, 2**53 + 1], [-(2**63), 0.0], [2**63 - 1, -1.0]],
    "int32": [[1.0, -(2**31)], [2**31 - 1, -0.0]],
    "float64": [[2.5, 2**53], [1e300, -(2**53)]],
    "float32": [[2.5, 2**53], [1e30, -(2**53)]],
}
BEYOND = {
    "uint64": [2**64, -1, 1.5, 2.0**64, float("nan"), float("inf"), 10**400, "1", None],
    "int64": [2**63, 2.0**63, -(2**63) - 1, float("nan"), 10**400, {}],
    "uint8": [256, -1, 2**63, 10**400, 255.5],
    "float64": [2**53 + 1, 2**63, 10**400, "x"],
    "float32": [2**53 + 1, 2**63, "x"],
}


def echo(dtype: str, beside: bool) -> sclbl.Program:
    """Return a program that gives back rows of two numbers, beside another input or alone."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    pair = helper.make_tensor_value_info
    other = [pair("z", TensorProto.FLOAT, ["n", 1])] if beside else []
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    if beside:
        nodes.append(helper.make_node("Identity", ["z"], ["w"]))
    graph = helper.make_graph(
        nodes, "echo", [pair("x", kind, ["n", 2]), *other], [pair("y", kind, ["n", 2])]
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    return sclbl.compile(model.SerializeToString())


def beside(rows: Any, several: bool) -> Any:
    return {"x": rows, "z": [[0.0]] * len(rows)} if several else rows


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("dtype", LARGE)
def test_numbers_in_lists_are_exact(dtype: str, several: bool) -> None:
    program = echo(dtype, several)
    for rows in (LARGE[dtype], *([row] for row in LARGE[dtype])):
        wanted = np.array([[np.dtype(dtype).type(v) for v in row] for row in rows], dtype)
        found = program.run("y", beside(rows, several))
        assert found.dtype == dtype
        assert found.tobytes() == wanted.tobytes()
        read = beside(json.loads(json.dumps(rows)), several)
        text = {k: OneNull(v) for k, v in read.items()} if several else OneNull(read)
        assert program.run("y", text).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("dtype", "value"),
    [pytest.param(d, v, id=f"{d}-{k}") for d in BEYOND for k, v in enumerate(BEYOND[d])],
)
def test_numbers_that_a_type_does_not_hold(dtype: str, value: Any, several: bool) -> None:
    program = echo(dtype, several)
    for other in (1, 1.0, 2**40):
        with pytest.raises(DtypeError, match=f"row 1.* which is no {dtype}") as refused:
            program.run("y", beside([[1, 2], [other, value]], several))
        assert refused.value.row == 1


def test_a_tensor_that_holds_what_is_no_number() -> None:
    nodes = [helper.make_node("Identity", ["x"], ["out"])]
    program = sclbl.compile(file_of(nodes, {"x": (TensorProto.FLOAT, ["n", 2, 3])}))
    message = r"row 0, column '1' holds a dict, which is no float32"
    with pytest.raises(DtypeError, match=message):
        program.run("out", [[[0, {"a": 1}, 1], [0, 0, 1]]])


def test_rows_that_do_not_fit() -> None:
    program, rows = sclbl.compile(choosing()), rows_of(5)
    for wrong, error, message in (
        (
            {"x": rows["x"]},
            ColumnError,
            "the inputs lack 'ids'; the model takes 'x', 'ids', 'on_0'",
        ),
        ({**rows, "y": 1}, ColumnError, "the inputs have 'y'"),
        (rows["x"], ShapeError, "give a dict with 'x', 'ids', 'on_0'"),
        ({**rows, "ids": rows["ids"][:4]}, ShapeError, "different numbers of rows: 'x' 5, 'ids' 4"),
        (
            {**rows, "ids": rows["ids"][:, :2]},
            ShapeError,
            r"the rows have shape \(5, 2\); the input 'ids' takes \(rows, 3\)",
        ),
        ({**rows, "ids": rows["ids"] + 0.5}, DtypeError, "is no int32"),
        ({**rows, "on_0": rows["ids"][:, [0, 1, 2, 0]]}, DtypeError, "is no bool"),
        ({**rows, "x": rows["x"].astype(str)}, DtypeError, "takes numbers that float32 holds"),
        ({k: v[:0] for k, v in rows.items()}, ShapeError, "no rows"),
    ):
        with pytest.raises(error, match=message):
            program.run("out", wrong)
    assert program.run("out", rows).shape == (5, 4)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": (TensorProto.FLOAT, ["n"]), "y": (TensorProto.FLOAT, ["n", 2])}, "has 1 axes"),
        ({"x": (TensorProto.FLOAT, ["n", 2]), "y": (TensorProto.STRING, ["n", 2])}, "holds text"),
        (
            {"x": (TensorProto.FLOAT, ["n", "m"]), "y": (TensorProto.FLOAT, ["n", 2])},
            "fixed number",
        ),
        ({"x": (TensorProto.COMPLEX64, ["n", 2]), "y": (TensorProto.FLOAT, ["n", 2])}, "input 'x'"),
    ],
)
def test_inputs_that_are_not_read(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        onnx_format.read(file_of([helper.make_node("Add", ["x", "y"], ["out"])], inputs))


def test_names_of_inputs_never_collide() -> None:
    nodes = [
        helper.make_node("Add", ["a:0", "a.0"], ["sum"]),
        helper.make_node("Neg", ["sum"], ["out"]),
    ]
    data = file_of(nodes, {"a:0": (1, ["n", 2]), "a.0": (1, ["n", 2])})
    program = sclbl.compile(data)
    assert [given.name for given in program.signature.inputs] == ["a_0", "a_0_"]
    ones = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(program.run("out", {"a_0": ones, "a_0_": 2 * ones}), -3 * ones)
    out = file_of([helper.make_node("Neg", ["out_"], ["out"])], {"out_": (7, ["n", 2])})
    assert sclbl.compile(out).methods == ("out",)
