"""Networks as ONNX files: a builder, and the three that tests and benchmarks take."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(11)


class Network:
    """A graph under construction, with weights of float32."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def random(self, *shape: int, scale: float = 1.0) -> str:
        return self.weight((RNG.normal(size=shape) * scale).astype(np.float32))

    def op(self, op: str, *inputs: str, outputs: int = 1, **attrs: object) -> str:
        names = [f"{op}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **attrs))
        return names[0]

    def conv(self, x: str, channels: int, filters: int, k: int, **attrs: object) -> str:
        w = self.random(filters, channels, k, k, scale=(channels * k * k) ** -0.5)
        return self.op("Conv", x, w, self.random(filters, scale=0.1), kernel_shape=[k, k], **attrs)

    def batch(self, x: str, channels: int) -> str:
        variance = self.weight(RNG.uniform(0.5, 2, channels).astype(np.float32))
        parts = [self.random(channels, scale=0.5) for _ in range(3)]
        return self.op("BatchNormalization", x, *parts, variance)

    def save(self, shape: list[int | str], result: str) -> bytes:
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)],
            self.weights,
        )
        opset = helper.make_opsetid("", self.opset)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        data: bytes = model.SerializeToString()
        return data


def lenet() -> bytes:
    """Convolutions, pooling, batch normalisation and dropout, as in LeNet."""
    n = Network(17)
    x = n.op("Relu", n.batch(n.conv("x", 1, 6, 5, pads=[2, 2, 2, 2]), 6))
    x = n.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = n.op("Relu", n.conv(x, 6, 16, 5))
    x = n.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = n.op("Flatten", x)
    for wide, narrow in ((400, 120), (120, 84)):
        w = n.random(narrow, wide, scale=wide**-0.5)
        x = n.op("Relu", n.op("Gemm", x, w, n.random(narrow, scale=0.1), transB=1))
        x = n.op("Dropout", x)
    x = n.op("Gemm", x, n.random(84, 10, scale=0.1), n.random(10))
    return n.save(["batch", 1, 28, 28], n.op("Softmax", x))


def residual(size: int = 16, stages: tuple[int, ...] = (8, 16), depth: int = 1) -> bytes:
    """Blocks with shortcuts and strides, of operator set 7 and one row.

    With pictures of 32, stages (16, 32, 64) and a depth of 3 it has the shape of ResNet20.
    """
    n, channels = Network(7), stages[0]
    x = n.op("Relu", n.conv("x", 3, channels, 3, pads=[1, 1, 1, 1]))
    for filters in np.repeat(stages, depth).tolist():
        stride = 1 if filters == channels else 2
        strides = [stride, stride]
        y = n.conv(x, channels, filters, 3, pads=[1, 1, 1, 1], strides=strides)
        y = n.conv(n.op("Relu", y), filters, filters, 3, pads=[1, 1, 1, 1])
        if stride > 1:
            x = n.conv(x, channels, filters, 1, strides=strides)
        x, channels = n.op("Relu", n.op("Add", y, x)), filters
    x = n.op("GlobalAveragePool", x)
    x = n.op("Reshape", x, n.weight(np.array([1, -1])))
    return n.save([1, 3, size, size], n.op("Gemm", x, n.random(channels, 10), n.random(10)))


def attention(length: int = 12, width: int = 32) -> bytes:
    """One block: layer normalisation, four heads, softmax, a shortcut, and two products."""
    n, heads = Network(17), 4
    shape = n.weight(np.array([0, length, heads, width // heads]))
    normal = n.op("LayerNormalization", "x", n.random(width), n.random(width))
    parts = []
    for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
        y = n.op("MatMul", normal, n.random(width, width, scale=width**-0.5))
        y = n.op("Add", y, n.random(width))
        parts.append(n.op("Transpose", n.op("Reshape", y, shape), perm=order))
    scores = n.op("Mul", n.op("MatMul", parts[0], parts[1]), n.weight(np.float32(8**-0.5)))
    y = n.op("Transpose", n.op("MatMul", n.op("Softmax", scores), parts[2]), perm=[0, 2, 1, 3])
    y = n.op("Reshape", y, n.weight(np.array([0, length, width])))
    y = n.op("Add", n.op("MatMul", y, n.random(width, width, scale=width**-0.5)), "x")
    z = n.op("LayerNormalization", y, n.random(width), n.random(width), axis=-1)
    z = n.op("Relu", n.op("MatMul", z, n.random(width, 64, scale=width**-0.5)))
    z = n.op("MatMul", z, n.random(64, width, scale=0.125))
    return n.save(["batch", length, width], n.op("Add", z, y))
