"""Graphs that mix what lies along the first axis: a call takes the whole tensor as one row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import sclbl
from sclbl.compiler import compile_spec
from sclbl.errors import ProgramError, ShapeError, SpecError
from sclbl.onnx_format import read, write
from sclbl.ops import OPS
from sclbl.program import Program
from sclbl.reference import evaluate
from sclbl.rows import Blocks
from sclbl.server.schemas import body_schema, result_schema
from sclbl.signature import Signature
from sclbl.signature_check import validate
from tests.networks import Network

RNG = np.random.default_rng(5)
Build = Callable[[Network], str]


def _both(n: Network) -> str:
    """Two tensors of different ranks, one of them spread over the other."""
    return n.op("Mul", "x", n.op("ReduceMax", "x", axes=[0], keepdims=0))


def _attention(n: Network) -> str:
    """Attention over the first axis: every position looks at every other."""
    parts = [n.op("MatMul", "x", n.random(6, 6, scale=0.4)) for _ in range(3)]
    scores = n.op("MatMul", parts[0], n.op("Transpose", parts[1], perm=[1, 0]))
    return n.op("Add", n.op("MatMul", n.op("Softmax", scores, axis=-1), parts[2]), "x")


def _pictures(n: Network) -> str:
    """What is taken from each of three pictures is what their mean has."""
    x = n.op("Relu", n.batch(n.conv("x", 2, 4, 3, pads=[1, 1, 1, 1]), 4))
    x = n.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = n.op("Sub", x, n.op("ReduceMean", x, axes=[0], keepdims=1))
    return n.op("GlobalAveragePool", x)


GRAPHS: dict[str, tuple[list[int], Build]] = {
    "total": ([4, 6], lambda n: n.op("ReduceSum", "x", keepdims=0)),
    "columns": ([4, 6], lambda n: n.op("ReduceMean", "x", axes=[0], keepdims=1)),
    "transposed": ([4, 6], lambda n: n.op("Transpose", "x")),
    "turned": ([2, 3, 4], lambda n: n.op("Transpose", "x", perm=[1, 2, 0])),
    "rows": ([4, 6], lambda n: n.op("Gather", "x", n.weight(np.array([[3, 0], [1, -1]])), axis=0)),
    "joined": ([4, 6], lambda n: n.op("Concat", "x", "x", axis=0)),
    "split": ([4, 6], lambda n: n.op("Split", "x", n.weight(np.array([1, 3])), outputs=2, axis=0)),
    "reshaped": ([4, 6], lambda n: n.op("Reshape", "x", n.weight(np.array([3, -1])))),
    "softmax": ([4, 6], lambda n: n.op("Softmax", "x", axis=0)),
    "vector": ([5], lambda n: n.op("MatMul", "x", n.random(5, 2))),
    "product": ([5], lambda n: n.op("MatMul", n.random(3, 5), "x")),
    "number": ([], lambda n: n.op("Exp", "x")),
    "largest": ([4, 6], lambda n: n.op("ArgMax", "x", axis=0, keepdims=0)),
    "apart": ([2, 3, 4], lambda n: n.op("ReduceL2", "x", axes=[0, 2], keepdims=1)),
    "both": ([3, 4], _both),
    "wider": ([4], lambda n: n.op("Add", "x", n.random(3, 4))),
    "attention": ([5, 6], _attention),
    "pictures": ([3, 2, 6, 6], _pictures),
}


def _save(name: str, shape: list[int | str] | None = None) -> bytes:
    dims, build = GRAPHS[name]
    n = Network(17 if name in ("total", "columns", "both", "apart", "pictures") else 18)
    if n.opset == 17 and name == "total":
        n = Network(12)
    model = onnx.load_from_string(n.save(shape or list(dims), build(n)))
    if name == "largest":
        model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    return model.SerializeToString()


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_give_what_onnx_gives(name: str) -> None:
    data = _save(name)
    spec = read(data)
    shape = tuple(GRAPHS[name][0])
    assert (spec.signature.one_row, spec.signature.shape) == (True, shape)
    (method,) = spec.methods
    again = read(write(spec))
    assert again.sha256 == spec.sha256
    assert Signature.from_json(json.loads(json.dumps(spec.signature.to_json()))) == spec.signature
    validate(spec.signature)
    x = RNG.normal(size=shape).astype(np.float32)
    (want,) = ReferenceEvaluator(onnx.load_from_string(data)).run(None, {"x": x})
    program = Program(compile_spec(spec))
    got = program.run(method, x)
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    # As a list, and as the one of a list of rows.
    np.testing.assert_array_equal(program.run(method, x.tolist()), got)
    np.testing.assert_array_equal(program.run(method, x[None]), got)
    # The file that is kept is ONNX's own: any runtime gives the same.
    written = onnx.load_from_string(write(spec))
    (other,) = ReferenceEvaluator(written).run(None, {"numeric": x[None]})
    np.testing.assert_allclose(other[0], want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", GRAPHS)
def test_they_are_verified(name: str, home: Path) -> None:
    program = sclbl.compile(_save(name))
    assert program.report is not None
    assert program.report.ok


def test_one_tensor_a_call() -> None:
    program = Program(compile_spec(read(_save("transposed"))))
    (method,) = program.methods
    for rows in (np.zeros((2, 4, 6)), np.zeros((3, 6)), np.zeros(24), np.zeros((4, 6, 1))):
        with pytest.raises(ShapeError, match=r"numbers of shape \(4, 6\), one tensor a call"):
            program.run(method, rows)
    with pytest.raises(ShapeError, match="there are no rows"):
        program.run(method, np.zeros((0, 4, 6)))


def test_a_program_itself_takes_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(compile_spec(read(_save("transposed"))))
    monkeypatch.setattr(program.module, "chunk", 2)
    with pytest.raises(ProgramError, match="code 4"):
        program.module.call(program.methods[0], Blocks(2, np.zeros((2, 24), np.float32)))


@pytest.mark.parametrize("name", ["columns", "transposed", "joined", "softmax", "reshaped"])
def test_a_first_axis_without_a_length_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match="give the first axis of the input 'x' a length"):
        read(_save(name, ["batch", 6]))


def test_rows_are_kept_apart_where_operators_do() -> None:
    """Also where the file says how many there are."""
    n = Network(18)
    spec = read(n.save([4, 6], n.op("Softmax", "x", axis=-1)))
    assert not spec.signature.one_row
    assert Program(compile_spec(spec)).run(spec.methods[0], np.zeros((7, 6))).shape == (7, 6)


def test_what_is_missing_is_said_by_the_reading_that_gets_further() -> None:
    n = Network(18)
    x = n.op("Transpose", "x")
    with pytest.raises(SpecError, match="operator Loop"):
        read(n.save([4, 6], n.op("Loop", x)))
    many = Network(18)
    x = many.op("Conv", "x", many.weight(np.zeros((2048, 64, 3, 3), np.float32)))
    x = many.op("ReduceMax", x, axes=[0])
    with pytest.raises(SpecError, match="weights for each of 20 pictures of one row"):
        read(many.save([20, 64, 4, 4], x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"one_row": "yes"}, "true or false"),
        ({"shape": None}, "rows of its shape"),
        ({"shape": [4, 5]}, "rows of its shape"),
        ({"one_row": False}, "does not fit"),
        (
            {"inputs": [{"name": "k", "kind": "parameter", "dtype": "float64", "default": 1.0}]},
            "nothing else comes in",
        ),
    ],
)
def test_a_signature_that_contradicts_itself_is_refused(
    change: dict[str, object], message: str
) -> None:
    said = {**read(_save("columns")).signature.to_json(), **change}
    with pytest.raises((ValueError, TypeError), match=message):
        validate(Signature.from_json(said))


def test_what_http_takes_is_described() -> None:
    signature = read(_save("transposed")).signature
    (output,) = signature.outputs.values()
    rows = body_schema(signature)["anyOf"][0]["properties"]["rows"]
    assert (rows["minItems"], rows["maxItems"]) == (1, 1)
    assert (rows["items"]["minItems"], rows["items"]["items"]["maxItems"]) == (4, 6)
    result = result_schema(output)
    assert (result["minItems"], result["items"]["maxItems"]) == (6, 4)


@pytest.mark.parametrize("axes", [[1], [2], [1, 3], [2, 3], [1, 2, 3]])
@pytest.mark.parametrize("op", [op.name for op in OPS.values() if op.form == "reduction"])
def test_sums_have_one_order_whichever_axes_they_run_along(op: str, axes: list[int]) -> None:
    """The definition's, to the bit, and that of numbers side by side."""
    n = Network(17)
    name = (
        n.op(op, "x", axes=axes) if op != "ReduceSum" else n.op(op, "x", n.weight(np.array(axes)))
    )
    spec = read(n.save(["rows", 3, 17, 5], name))
    x = RNG.normal(size=(9, 3, 17, 5)).astype(np.float32)
    program = Program(compile_spec(spec))
    got = program.run(program.methods[0], x)
    np.testing.assert_array_equal(got, evaluate(spec.graph, x.reshape(9, -1), None)[name])
    moved = np.moveaxis(x, axes, range(4 - len(axes), 4))
    side = np.ascontiguousarray(moved.reshape(-1, int(np.prod([x.shape[a] for a in axes]))))
    flat = Network(17)
    last = (
        flat.op(op, "x", axes=[1])
        if op != "ReduceSum"
        else flat.op(op, "x", flat.weight(np.array([1])))
    )
    beside = Program(compile_spec(read(flat.save(["rows", side.shape[1]], last))))
    np.testing.assert_array_equal(beside.run(beside.methods[0], side).ravel(), got.ravel())
