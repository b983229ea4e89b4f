"""Graphs of many operators: the code of a kernel is not repeated at each place that calls it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import sclbl
from sclbl.compiler import compile_spec, emit
from sclbl.onnx_format import read


def chain(operators: int) -> bytes:
    """exp(-x), again and again; it converges, so rounding does not grow."""
    names = ["x", *(f"t{i}" for i in range(operators - 1)), "y"]
    nodes = [
        helper.make_node("Exp" if i % 2 else "Neg", [names[i]], [names[i + 1]])
        for i in range(operators)
    ]
    kind = TensorProto.DOUBLE
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", kind, ["N", 4])],
        [helper.make_tensor_value_info("y", kind, ["N", 4])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    onnx.checker.check_model(data)
    return data


@pytest.mark.parametrize("operators", [8, 200])
def test_a_chain_gives_its_number(operators: int) -> None:
    program = sclbl.compile(chain(operators))
    x = np.random.default_rng(0).normal(size=(300, 4))
    expected = x
    for _ in range(operators // 2):
        expected = np.exp(-expected)
    np.testing.assert_allclose(program.y(x), expected, rtol=1e-12)


def test_the_bits_do_not_depend_on_how_often_a_kernel_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = read(chain(20))
    x = np.random.default_rng(1).normal(size=(300, 4)) * 10
    once = sclbl.load(compile_spec(spec)).y(x)
    monkeypatch.setattr(emit, "MOST_PLACES", 0)
    assert sclbl.load(compile_spec(spec)).y(x).tobytes() == once.tobytes()


def test_an_operator_more_costs_little_code() -> None:
    some, more = (len(compile_spec(read(chain(n)))) for n in (200, 400))
    assert more - some < 200 * 100
