"""Small random networks, beside ONNX's reference and ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sclbl.compiler import compile_spec
from sclbl.errors import SpecError
from sclbl.onnx_format import read, write
from sclbl.program import Program
from sclbl.reference import evaluate

OPSET = 18
UNARY = ("Relu", "Tanh", "Sigmoid", "Abs", "Neg", "Softplus", "Erf", "Sin")
BINARY = ("Add", "Sub", "Mul", "Max", "Min")
REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2")
SHAPES = ((3, 4), (2, 3, 4), (2, 3, 6, 5), (5,), (4, 1, 3), (1, 2, 8, 8), (2, 2, 4, 3))


class Grower:
    """Grows a graph an operator at a time; each tensor's value for one input is known.

    Where `apart`, no operator may mix what lies along axis 0.
    """

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.apart = bool(rng.integers(2))
        shape = SHAPES[rng.integers(len(SHAPES))]
        self.apart &= len(shape) > 1
        self.x = rng.normal(size=shape).astype(np.float32)
        self.values: dict[str, np.ndarray] = {"x": self.x}
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self.first = int(self.apart)

    def weight(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights[name] = np.asarray(values, dtype=dtype)
        return name

    def random(self, *shape: int) -> str:
        return self.weight(self.rng.normal(size=shape) * 0.7)

    def op(self, op: str, *inputs: str, outputs: int = 1, **attrs: Any) -> list[str]:
        names = [f"t{len(self.values) + k}" for k in range(outputs)]
        node = helper.make_node(op, inputs, names, **attrs)
        known = {i: self.values[i] if i in self.values else self.weights[i] for i in inputs}
        graph = helper.make_graph(
            [node],
            "one",
            [
                helper.make_tensor_value_info(
                    k, helper.np_dtype_to_tensor_dtype(v.dtype), list(v.shape)
                )
                for k, v in known.items()
            ],
            [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in names],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        results = ReferenceEvaluator(made).run(None, known)
        for name, value in zip(names, results, strict=True):
            self.values[name] = np.asarray(value)
        self.nodes.append(node)
        return names

    def pick(self, *, rank: int | None = None, least: int = 0) -> str | None:
        """Return a tensor of floats, one of the newest; its rank is as wanted."""
        found = [
            n
            for n, v in self.values.items()
            if v.dtype == np.float32 and len(v.shape) >= least and rank in (None, v.ndim)
        ]
        return None if not found else found[-1 - self.rng.integers(min(3, len(found)))]

    def axis(self, x: str) -> int | None:
        count = self.values[x].ndim
        return int(self.rng.integers(self.first, count)) if count > self.first else None

    def axes(self, x: str) -> list[int]:
        free = np.arange(self.first, self.values[x].ndim)
        return sorted(self.rng.permutation(free)[: self.rng.integers(1, 3)].tolist())

    def grow(self) -> None:
        steps: list[Callable[[], object]] = [
            self.unary, self.binary, self.reduce, self.softmax, self.transpose, self.reshape,
            self.concat, self.split, self.where, self.matmul, self.gemm, self.gather, self.cast,
            self.squeeze, self.picture, self.picture, self.normalise, self.largest,
        ]  # fmt: skip
        for _ in range(int(self.rng.integers(2, 9))):
            steps[self.rng.integers(len(steps))]()

    # --------------------------------------------------------------- operators

    def unary(self) -> None:
        if x := self.pick():
            self.op(UNARY[self.rng.integers(len(UNARY))], x)

    def constant_like(self, x: str) -> str:
        """Return a constant that spreads over a tensor: axes of length one, or fewer axes."""
        shape = list(self.values[x].shape)
        if self.apart:
            shape[0] = 1
        shape = [1 if self.rng.random() < 0.4 else d for d in shape]
        return self.random(*shape[self.rng.integers(len(shape) + 1) :])

    def partner(self, x: str) -> str:
        """Return another operand: a constant, or a tensor that NumPy would take with it."""
        shape = self.values[x].shape
        for name in self.rng.permutation(list(self.values)).tolist():
            other = self.values[name]
            if other.dtype != np.float32 or (self.apart and other.ndim != len(shape)):
                continue
            try:
                np.broadcast_shapes(shape, other.shape)
            except ValueError:
                continue
            if self.rng.random() < 0.7:
                return str(name)
        return self.constant_like(x)

    def binary(self) -> None:
        if x := self.pick():
            pair = [x, self.partner(x)]
            if self.rng.random() < 0.5:
                pair.reverse()
            self.op(BINARY[self.rng.integers(len(BINARY))], *pair)

    def reduce(self) -> None:
        if x := self.pick(least=self.first + 1):
            op, keep = REDUCTIONS[self.rng.integers(len(REDUCTIONS))], int(self.rng.integers(2))
            self.op(op, x, self.weight(self.axes(x), np.int64), keepdims=keep)

    def softmax(self) -> None:
        x = self.pick()
        if x and (axis := self.axis(x)) is not None:
            self.op(("Softmax", "LogSoftmax")[self.rng.integers(2)], x, axis=axis)

    def transpose(self) -> None:
        if x := self.pick():
            free = self.rng.permutation(np.arange(self.first, self.values[x].ndim))
            self.op("Transpose", x, perm=[*range(self.first), *free.tolist()])

    def reshape(self) -> None:
        if x := self.pick(least=self.first):
            shape = self.values[x].shape
            rest = shape[self.first :]
            n = int(np.prod(rest))
            part = int(self.rng.choice([d for d in range(1, n + 1) if n % d == 0]))
            self.op("Reshape", x, self.weight([*[0][: self.first], part, -1], np.int64))

    def concat(self) -> None:
        x = self.pick()
        if x and (axis := self.axis(x)) is not None:
            self.op("Concat", x, self.op(UNARY[self.rng.integers(len(UNARY))], x)[0], axis=axis)

    def split(self) -> None:
        x = self.pick()
        if x and (axis := self.axis(x)) is not None and (n := self.values[x].shape[axis]) > 1:
            at = int(self.rng.integers(1, n))
            self.op("Split", x, self.weight([at, n - at], np.int64), outputs=2, axis=axis)

    def where(self) -> None:
        if x := self.pick():
            below = ("Less", "GreaterOrEqual", "Equal")[self.rng.integers(3)]
            (truth,) = self.op(below, x, self.partner(x))
            (truth,) = self.op("Not", truth) if self.rng.random() < 0.3 else (truth,)
            if self.values[truth].ndim == self.values[x].ndim:
                self.op("Where", truth, x, self.constant_like(x))

    def cast(self) -> None:
        if x := self.pick():
            (whole,) = self.op("Cast", self.op("Mul", x, self.weight(9.0))[0], to=TensorProto.INT64)
            self.op("Cast", self.op("Abs", whole)[0], to=TensorProto.FLOAT)

    def matmul(self) -> None:
        if x := self.pick(least=1 + self.first):
            shape = self.values[x].shape
            kind = self.rng.integers(3)
            if kind == 0:
                self.op("MatMul", x, self.random(shape[-1], int(self.rng.integers(1, 10))))
            elif kind == 1 and len(shape) >= 2 + self.first:
                self.op("MatMul", self.random(int(self.rng.integers(1, 6)), shape[-2]), x)
            elif len(shape) >= 2 + self.first:
                order = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
                self.op("MatMul", x, self.op("Transpose", x, perm=order)[0])

    def gemm(self) -> None:
        if x := self.pick(rank=2):
            m, n = self.values[x].shape
            turned = int(not self.apart and self.rng.integers(2))
            count = int(self.rng.integers(1, 6))
            w = self.random(count, m if turned else n)
            self.op("Gemm", x, w, self.random(count), transA=turned, transB=1, alpha=0.5, beta=2.0)

    def gather(self) -> None:
        x = self.pick()
        if x and (axis := self.axis(x)) is not None:
            n = self.values[x].shape[axis]
            size = [(), (3,), (2, 2)][self.rng.integers(3)]
            indices = self.weight(self.rng.integers(-n, n, size=size), np.int64)
            self.op("Gather", x, indices, axis=axis)

    def squeeze(self) -> None:
        x = self.pick()
        if x and (axis := self.axis(x)) is not None:
            (wide,) = self.op("Unsqueeze", x, self.weight([axis], np.int64))
            if self.rng.random() < 0.5:
                self.op("Squeeze", wide, self.weight([axis], np.int64))

    def picture(self) -> None:
        x = self.pick(rank=4)
        if x is None:
            return
        _, channels, height, width = self.values[x].shape
        kind = self.rng.integers(4)
        size = [int(self.rng.integers(1, min(4, d + 1))) for d in (height, width)]
        pads = [int(self.rng.integers(k)) for k in (*size, *size)]
        strides = self.rng.integers(1, 3, 2).tolist()
        window = {"kernel_shape": size, "pads": pads, "strides": strides}
        if kind == 0:
            w = self.random(int(self.rng.integers(1, 9)), channels, *size)
            self.op("Conv", x, w, **window)
        elif kind == 1:
            self.op("MaxPool", x, **window)
        elif kind == 2:
            self.op("AveragePool", x, count_include_pad=int(self.rng.integers(2)), **window)
        else:
            self.op(("GlobalAveragePool", "GlobalMaxPool")[self.rng.integers(2)], x)

    def normalise(self) -> None:
        x = self.pick(least=2)
        if x is None:
            return
        shape = self.values[x].shape
        if self.rng.random() < 0.5:
            parts = [self.random(shape[1]) for _ in range(3)]
            variance = self.weight(self.rng.uniform(0.5, 2, shape[1]))
            self.op("BatchNormalization", x, *parts, variance)
        elif shape[-1] > 1:
            parts = [self.random(shape[-1]) for _ in range(2)]
            self.op("LayerNormalization", x, *parts, axis=-1)

    def largest(self) -> None:
        x = self.pick()
        if x and (axis := self.axis(x)) is not None:
            keep = int(self.rng.integers(2))
            (place,) = self.op("ArgMax", x, axis=axis, keepdims=keep)
            self.op("Cast", place, to=TensorProto.FLOAT)

    def save(self) -> tuple[bytes, np.ndarray]:
        """Return the file and what it gives for `x`."""
        result, value = list(self.values.items())[-1]
        dims: list[Any] = list(self.x.shape)
        if self.apart:
            dims[0] = "rows"
        element = helper.np_dtype_to_tensor_dtype(value.dtype)
        graph = helper.make_graph(
            self.nodes,
            "random",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)],
            [helper.make_tensor_value_info(result, element, None)],
            [numpy_helper.from_array(v, k) for k, v in self.weights.items()],
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        return model.SerializeToString(), value


def check(seed: int) -> str:
    """Compare one network; return why it is refused, where it is."""
    grower = Grower(seed)
    grower.grow()
    values = grower.values.values()
    if not grower.nodes or not all(v.size and np.isfinite(v).all() for v in values):
        return ""
    data, want = grower.save()
    session = onnxruntime.InferenceSession(data)
    (theirs,) = session.run(None, {"x": grower.x})
    # What is lost where large numbers cancel out is their rounding.
    largest = max(float(np.abs(v.astype(np.float64)).max()) for v in values)
    close = {"rtol": 2e-4, "atol": 1e-5 * max(largest, 1.0)}
    np.testing.assert_allclose(theirs, want, **close)
    try:
        spec = read(data)
    except SpecError as error:
        return str(error)
    assert not (grower.apart and spec.signature.one_row)
    assert read(write(spec)).sha256 == spec.sha256
    program = Program(compile_spec(spec))
    (method,) = program.methods
    got = program.run(method, grower.x)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_allclose(got, want, **close)
    rows = grower.x[None] if spec.signature.one_row else grower.x
    defined = evaluate(spec.graph, rows.reshape(len(rows), -1), None)[method]
    np.testing.assert_allclose(defined.reshape(want.shape), want, **close)
    return ""


@pytest.mark.parametrize("seed", range(24))
def test_random_networks(seed: int) -> None:
    assert not check(seed)


@pytest.mark.exhaustive
@pytest.mark.parametrize("block", range(20))
def test_many_random_networks(block: int) -> None:
    for seed in range(100 + block * 50, 150 + block * 50):
        assert not check(seed), f"seed {seed}"
