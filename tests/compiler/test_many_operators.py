"""Graphs of many operators: the code of a kernel is not repeated at each place that calls it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import sclbl
from sclbl.compiler import assembly, compile_spec, llvm
from sclbl.onnx_format import read
from sclbl.reference import evaluate
from sclbl.spec import Spec
from tests.compiler.compiled import builder, make_spec


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
    for limit in ("MOST_PLACES", "FEWEST_ALIKE"):
        with monkeypatch.context() as patched:
            patched.setattr(assembly, limit, 0 if limit == "MOST_PLACES" else 1000)
            other = compile_spec(spec)
        assert sclbl.load(other).y(x).tobytes() == once.tobytes()
        assert other != compile_spec(spec)


def test_an_operator_more_costs_little_code() -> None:
    some, more = (len(compile_spec(read(chain(n)))) for n in (200, 400))
    assert more - some < 200 * 100


def products(widths: list[int]) -> Spec:
    """Products of as many tables with matrices of their own, one after the other."""
    build = builder(4)
    x = build.table().matrix()
    rng = np.random.default_rng(2)
    parts = [build.matmul(x, rng.normal(size=(4, w))) for w in widths]
    return make_spec(build, {"transform": build.concat(parts)})


@pytest.mark.parametrize(
    ("widths", "functions"), [([2, 2], 0), ([2, 2, 2, 3], 1), ([2] * 3 + [3] * 3, 2)]
)
def test_nodes_that_call_a_kernel_alike_share_a_function(
    widths: list[int], functions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[str] = []
    real = llvm.build

    def build(code: str, *rest: Any) -> bytes:
        codes.append(code)
        return real(code, *rest)

    monkeypatch.setattr(llvm, "build", build)
    spec = products(widths)
    program = sclbl.load(compile_spec(spec))
    assert len(re.findall(r"^define internal void @same_", codes[0], re.M)) >= functions
    calls = len(re.findall(r"call void @linear_matmul_f64", codes[0]))
    assert calls == (2 if len(widths) == 2 else len(set(widths)))
    x = np.random.default_rng(3).normal(size=(50, 4))
    expected = evaluate(spec.graph, x, None, ("transform",))["transform"]
    np.testing.assert_allclose(program.transform(x), expected, rtol=1e-12, atol=1e-12)
    monkeypatch.setattr(assembly, "FEWEST_ALIKE", 1000)
    apart = sclbl.load(compile_spec(spec))
    assert apart.transform(x).tobytes() == program.transform(x).tobytes()


def test_what_is_written_and_read_at_once_is_not_called_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """x + x reads one table by two addresses; neither may be said to be its own."""
    build = builder(4)
    x = build.table().matrix()
    parts = [build.add(x, x) for _ in range(3)]
    y = build.concat([build.add(p, p) for p in parts])
    spec = make_spec(build, {"transform": y})
    rows = np.random.default_rng(4).normal(size=(50, 4))
    program = sclbl.load(compile_spec(spec))
    np.testing.assert_array_equal(program.transform(rows), np.hstack([4 * rows] * 3))
