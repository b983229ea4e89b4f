"""Networks from ONNX files: what a program makes of pictures and sequences, beside ONNX's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import sclbl
from sclbl.compiler import compile_spec
from sclbl.compiler.fuse import fuse
from sclbl.errors import DtypeError, ShapeError, SpecError
from sclbl.onnx_format import read, write
from sclbl.program import Program
from sclbl.reference import evaluate
from sclbl.rows import Blocks
from sclbl.runtime import Module
from tests.networks import Network, attention, lenet, residual

RNG = np.random.default_rng(11)


NETWORKS: dict[str, tuple[Callable[[], bytes], tuple[int, ...]]] = {
    "lenet": (lenet, (1, 28, 28)),
    "residual": (residual, (3, 16, 16)),
    "attention": (attention, (12, 32)),
}


def expected(data: bytes, x: np.ndarray) -> np.ndarray:
    """Return what ONNX's reference gives, a row at a time for files that say one row."""
    evaluator = ReferenceEvaluator(onnx.load_from_string(data))
    return np.concatenate([evaluator.run(None, {"x": row[None]})[0] for row in x])


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_give_what_onnx_gives(name: str) -> None:
    make, shape = NETWORKS[name]
    data = make()
    spec = read(data)
    assert read(write(spec)).sha256 == spec.sha256
    (method,) = spec.methods
    x = RNG.normal(size=(5, *shape)).astype(np.float32)
    want = expected(data, x)
    close = {"rtol": 1e-5, "atol": 1e-5 * float(np.abs(want).max())}
    np.testing.assert_allclose(evaluate(spec.graph, x, None)[method], want, **close)
    module = Module(compile_spec(spec), spec.signature)
    got = module.call(method, Blocks(len(x), x.reshape(len(x), -1)))
    np.testing.assert_allclose(got, want.reshape(len(x), -1), **close)
    program = Program(compile_spec(spec))
    np.testing.assert_array_equal(program.run(method, x).reshape(got.shape), got)
    assert program.run(method, x).shape == want.shape
    np.testing.assert_array_equal(program.run(method, x[2]), program.run(method, x[2:3]))
    np.testing.assert_array_equal(program.run(method, x.tolist()), program.run(method, x))
    # A row does not depend on those beside it.
    alone = module.call(method, Blocks(1, x[3:4].reshape(1, -1)))
    np.testing.assert_array_equal(alone[0], got[3])


def test_a_network_is_uploaded_and_predicts(home: Path) -> None:
    data = lenet()
    deployment = sclbl.upload(data, name="digits")
    assert deployment.report is not None
    assert deployment.report.ok
    x = RNG.normal(size=(3, 1, 28, 28)).astype(np.float32)
    (method,) = deployment.methods
    got = sclbl.get("digits").program.run(method, x)
    np.testing.assert_allclose(got, expected(data, x), rtol=1e-4, atol=1e-6)


def test_rows_of_another_shape_are_refused() -> None:
    program = Program(compile_spec(read(lenet())))
    (method,) = program.methods
    for rows in (np.zeros((2, 28, 28)), np.zeros((2, 784)), np.zeros((1, 28, 27)), [[["a"]]]):
        with pytest.raises(ShapeError, match=r"numbers of shape \(rows, 1, 28, 28\)"):
            program.run(method, rows)
    with pytest.raises(DtypeError, match="is not a float32 number"):
        program.run(method, np.full((1, 1, 28, 28), 0.1))
    with pytest.raises(DtypeError, match="1e\\+300"):
        program.run(method, np.full((1, 28, 28), 1e300).tolist())


def test_a_normalisation_and_a_relu_go_into_the_convolution() -> None:
    """Both ways of a graph: what follows a convolution alone, and what others read too."""
    n = Network(17)
    first = n.conv("x", 2, 3, 3, pads=[1, 1, 1, 1])
    relu = n.op("Relu", n.batch(first, 3))
    alone = fuse(read(n.save(["rows", 2, 6, 6], relu)).graph)
    assert [node.op for node in alone.nodes] == ["Conv", "Identity"]
    assert alone.nodes[0].attrs["relu"] == 1
    both = n.op("Add", relu, first)
    data = n.save(["rows", 2, 6, 6], both)
    spec = read(data)
    assert [node.op for node in fuse(spec.graph).nodes] == [node.op for node in spec.graph.nodes]
    x = RNG.normal(size=(4, 2, 6, 6)).astype(np.float32)
    for result in (relu, both):
        data = n.save(["rows", 2, 6, 6], result)
        spec = read(data)
        program = Module(compile_spec(spec), spec.signature)
        got = program.call(spec.methods[0], Blocks(4, x.reshape(4, -1)))
        want = expected(data, x).reshape(4, -1)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("op", "attrs", "message"),
    [
        ("Softmax", {"axis": 0}, "the rows themselves, axis 0, stay apart"),
        ("Transpose", {"perm": [1, 0, 2, 3]}, "the rows, axis 0, stay where they are"),
        ("Concat", {"axis": 0}, "operator Concat works along axis 0"),
        ("Flatten", {"axis": 0}, "operator Flatten joins rows"),
        ("MaxPool", {"kernel_shape": [40, 1]}, "larger than rows of shape"),
    ],
)
def test_what_mixes_rows_is_refused(op: str, attrs: dict[str, object], message: str) -> None:
    n = Network(17)
    data = n.save(["batch", 2, 8, 8], n.op(op, "x", **attrs))
    with pytest.raises(SpecError, match=message):
        read(data)


def test_a_reshape_that_joins_rows_is_refused() -> None:
    n = Network(17)
    data = n.save(["batch", 2, 8], n.op("Reshape", "x", n.weight(np.array([-1, 8]))))
    with pytest.raises(
        SpecError, match=r"makes \[-1, 8\] of rows of shape \[2, 8\]; the rows, axis"
    ):
        read(data)


def test_buffers_that_are_not_alive_together_share_memory() -> None:
    n = Network(17)
    x = n.op("Relu", n.conv("x", 3, 8, 3, pads=[1, 1, 1, 1]))
    for _ in range(4):
        x = n.op("Tanh", n.op("Add", n.op("Tanh", n.conv(x, 8, 8, 3, pads=[1, 1, 1, 1])), x))
    spec = read(n.save(["rows", 3, 64, 64], n.op("GlobalAveragePool", x)))
    module = Module(compile_spec(spec), spec.signature)
    one = 8 * 64 * 64 * 4
    # What a convolution reads, which is the shortcut too, and what it gives; its scratch; weights.
    assert module.memory_bytes < 4 * one
    x = RNG.normal(size=(2, 3, 64, 64)).astype(np.float32)
    (method,) = spec.methods
    got = module.call(method, Blocks(2, x.reshape(2, -1)))
    want = evaluate(spec.graph, x, None)[method].reshape(2, -1)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dtype", "width"), [(TensorProto.FLOAT, 2), (TensorProto.DOUBLE, 4)])
def test_what_a_row_is_compared_with_is_not_written_over(dtype: int, width: int) -> None:
    """One number of a row has as many bytes as the answers of a comparison with it."""
    nodes = [
        helper.make_node("Neg", ["x"], ["each"]),
        helper.make_node("ReduceMin", ["x"], ["low"], axes=[1, 2], keepdims=1),
        helper.make_node("Neg", ["low"], ["high"]),
        helper.make_node("Less", ["high", "each"], ["less"]),
        helper.make_node("Equal", ["each", "high"], ["equal"]),
        helper.make_node("Or", ["less", "equal"], ["either"]),
        helper.make_node("Cast", ["either"], ["result"], to=dtype),
    ]
    rows = helper.make_tensor_value_info("x", dtype, ["rows", 2, width])
    result = helper.make_tensor_value_info("result", dtype, None)
    graph = helper.make_graph(nodes, "network", [rows], [result])
    opset = helper.make_opsetid("", 13)
    data = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    x = RNG.normal(size=(40, 2, width)).astype(helper.tensor_dtype_to_np_dtype(dtype))
    got = Program(compile_spec(read(data))).run("result", x)
    np.testing.assert_array_equal(got, expected(data, x))


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_splits_say_their_sizes_as_their_version_does(opset: int) -> None:
    n = Network(opset)
    if opset < 13:
        n.op("Split", "x", outputs=2, axis=1, split=[2, 4])
    elif opset < 18:
        n.op("Split", "x", n.weight(np.array([2, 4])), outputs=2, axis=1)
    else:
        n.op("Split", "x", outputs=2, axis=-1, num_outputs=2)
    data = n.save(["rows", 6], "Split_0_1")
    x = RNG.normal(size=(3, 6)).astype(np.float32)
    got = Program(compile_spec(read(data))).run("Split_0_1", x)
    np.testing.assert_array_equal(got, expected(data, x))


@pytest.mark.parametrize("name", [f"sclbl_c{k}" for k in range(8)] + ["t_result.filters"])
def test_a_file_may_call_its_weights_as_the_reader_and_the_compiler_do(name: str) -> None:
    weights = {
        "w": RNG.normal(size=(2, 2, 1, 1)),
        "b": RNG.normal(size=2),
        name: RNG.normal(size=(2, 1, 1)),
        "w2": RNG.normal(size=(2, 2, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["first"]),
        helper.make_node("Add", ["first", name], ["moved"]),
        helper.make_node("Conv", ["moved", "w2"], ["second"]),
        helper.make_node("Mul", ["second", name], ["result"]),
        helper.make_node("Add", ["result", name], ["end"]),
        helper.make_node("Sub", ["end", name], ["last"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2, 3, 3])],
        [helper.make_tensor_value_info("last", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
    )
    opset = helper.make_opsetid("", 17)
    data = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    x = RNG.normal(size=(3, 2, 3, 3)).astype(np.float32)
    got = Program(compile_spec(read(data))).run("last", x)
    np.testing.assert_allclose(got, expected(data, x), rtol=1e-5, atol=1e-5)


def _weighted(op: str, *constants: np.ndarray, opset: int = 17, rows: int | str = "rows") -> bytes:
    n = Network(opset)
    made = n.op(op, "x", *(n.weight(c) for c in constants))
    return n.save([rows, 1, 4], made)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_weighted("Squeeze", np.array([4])), r"Squeeze has axes \[4\] of a tensor of 3 axes"),
        (_weighted("Unsqueeze", np.array([1, 1])), "Unsqueeze has an axis twice"),
        (_weighted("Unsqueeze", np.array([7])), r"Unsqueeze has axes \[7\] of a tensor of 4"),
        (_weighted("ReduceMax", np.array([5]), opset=18), r"ReduceMax has axes \[5\] of a"),
        (_weighted("ReduceSum", np.array([2, -1])), "ReduceSum has an axis twice"),
        (_weighted("Gemm", np.ones((4, 2), np.float32)), "Gemm takes rows of one axis"),
        (_weighted("Dropout", np.float32(0.5), np.array(True)), "not read as it trains"),
    ],
)
def test_what_other_runtimes_refuse_or_do_otherwise_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(data)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(
    "shape", [(3, 1, 1), (1, 3, 1, 1), (4, 1), (3, 4, 1), (1, 4, 5), (3, 1, 5)]
)
def test_constants_of_channels_are_kept_as_they_are(
    op: str, first: bool, shape: tuple[int, ...]
) -> None:
    """They are spread by the kernel where they are one number for all behind it."""
    n = Network(17)
    given = ("x", n.weight(RNG.uniform(0.5, 2, shape).astype(np.float32)))
    made = n.op("Abs", n.op(op, *(given[::-1] if first else given)))
    data = n.save(["rows", 3, 4, 5], made)
    spec = read(data)
    x = RNG.normal(size=(6, 3, 4, 5)).astype(np.float32)
    got = Program(compile_spec(spec)).run(spec.methods[0], x)
    np.testing.assert_array_equal(got, expected(data, x))


def test_a_normalisation_before_a_convolution_keeps_programs_small() -> None:
    n = Network(17)
    x = n.op("GlobalAveragePool", n.conv(n.batch("x", 4), 4, 2, 1))
    data = n.save(["rows", 4, 128, 128], x)
    assert len(compile_spec(read(data))) < 50_000
