"""The node tests of ONNX itself, for every operator that graphs have.

Each model of one operator is read with each of its inputs as the tensor and the others as
constants, and with all of them as parts of one tensor. What comes back is ONNX's own result, or the
model is refused with a reason of `REFUSALS`; nothing is ever wrong.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests

from sclbl.compiler import compile_spec
from sclbl.errors import SpecError
from sclbl.onnx_format import read, write
from sclbl.ops import OPS, REWRITTEN
from sclbl.program import Program

#: Types that a tensor of a graph may have.
TENSORS = ("float32", "float64", "int64", "bool")
#: Why a model may be refused.
REFUSALS = (
    # What has to be known when the program is made.
    "which must be a constant",
    "takes (a )?constant",
    # What is known then, and nobody needs a program for.
    "which must be a tensor, no constant",
    "works on a constant where it takes a tensor",
    "works on constants only",
    # Types, versions and shapes.
    "imports operator sets {'ai.onnx.ml'",
    "imports operator sets {'': 1}",
    "element type \\d+, which is not supported",
    "does not (take|convert to)",
    "with a fixed number of columns",
    "Split .* splits",
    "takes pictures",
    "Reshape makes",
    # What an operator does beside what is asked of a network that infers.
    "is not read as it trains",
    "gives its mean or computes in a type of its own",
    "gives the places of its maxima",
    "takes the last of equals",
)


def _known(model: onnx.ModelProto) -> bool:
    if not all(v.type.HasField("tensor_type") for v in (*model.graph.input, *model.graph.output)):
        return False
    names = ((n.domain, n.op_type) for n in model.graph.node)
    found = {f"{domain}.{op}" if domain else op for domain, op in names}
    return found <= OPS.keys() | REWRITTEN.keys()


def _cases() -> dict[str, TestCase]:
    np.random.seed(0)  # noqa: NPY002 # the cases draw their data from it when they are made
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = map(_loaded, sorted(load_model_tests(kind="node"), key=lambda case: case.name))
        return {case.name: case for case in found if case.model and _known(case.model)}


def _loaded(case: TestCase) -> TestCase:
    """Return a case with its model and data, which older releases keep in files."""
    if case.model is not None or case.model_dir is None:
        return case
    folder = Path(case.model_dir)
    model, first = onnx.load(folder / "model.onnx"), folder / "test_data_set_0"
    if not _known(model):
        return case
    files = [sorted(first.glob(f"{kind}_*.pb"), key=_number) for kind in ("input", "output")]
    inputs, outputs = ([onnx.load_tensor(file) for file in side] for side in files)
    return replace(case, model=model, data_sets=[(inputs, outputs)])


def _number(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


CASES = _cases()


def _array(value: Any) -> np.ndarray:
    tensor = isinstance(value, onnx.TensorProto)
    return numpy_helper.to_array(value) if tensor else np.asarray(value)


def _variant(
    model: onnx.ModelProto, given: Sequence[np.ndarray], chosen: Sequence[int]
) -> tuple[bytes, np.ndarray]:
    """Return a file with one input, which holds the chosen inputs, and that input's value."""
    graph = onnx.GraphProto()
    graph.CopyFrom(model.graph)
    inputs = list(graph.input)
    del graph.input[:]
    wanted = [v for v in inputs if v.name not in {i.name for i in graph.initializer}]
    for k, (value, array) in enumerate(zip(wanted, given, strict=True)):
        if k not in chosen:
            graph.initializer.append(numpy_helper.from_array(array, value.name))
    if len(chosen) == 1 and given[chosen[0]].dtype in (np.float32, np.float64, object):
        graph.input.append(wanted[chosen[0]])
        x = given[chosen[0]]
    else:
        arrays = [given[k] for k in chosen]
        single = all(a.dtype in (np.float32, np.bool_) for a in arrays)
        x = np.concatenate([a.ravel().astype(np.float32 if single else np.float64) for a in arrays])
        nodes = list(graph.node)
        del graph.node[:]
        element = helper.np_dtype_to_tensor_dtype(x.dtype)
        graph.input.append(helper.make_tensor_value_info("joined", element, x.shape))
        sizes = np.array([a.size for a in arrays])
        graph.initializer.append(numpy_helper.from_array(sizes, "sizes"))
        parts = [f"part_{k}" for k in chosen]
        graph.node.append(helper.make_node("Split", ["joined", "sizes"], parts, axis=0))
        for k, part, array in zip(chosen, parts, arrays, strict=True):
            shape = f"shape_{k}"
            graph.initializer.append(numpy_helper.from_array(np.array(array.shape, int), shape))
            to = helper.np_dtype_to_tensor_dtype(array.dtype)
            graph.node.append(helper.make_node("Cast", [part], [f"cast_{k}"], to=to))
            made = helper.make_node("Reshape", [f"cast_{k}", shape], [wanted[k].name])
            graph.node.append(made)
        graph.node.extend(nodes)
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    changed.graph.CopyFrom(graph)
    for opset in changed.opset_import:
        if opset.domain in ("", "ai.onnx") and len(graph.node) > len(model.graph.node):
            opset.version = max(opset.version, 13)
    return changed.SerializeToString(), x


def outcomes(case: TestCase, every: bool) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield, for each way to give a model its inputs, why it is refused; empty where it is right.

    `every` input is the only tensor once, else the first one alone.
    """
    model, ((given, wanted), *_) = case.model, case.data_sets or ()
    given, wanted = [_array(x) for x in given], [_array(x) for x in wanted]
    ways = [(k,) for k in range(len(given))][: None if every else 1]
    if len(given) > 1:
        ways.append(tuple(range(len(given))))
    for chosen in ways:
        arrays = [given[k] for k in chosen]
        if any((str(a.dtype) not in TENSORS and len(given) > 1) or not a.size for a in arrays):
            continue
        # Older releases of ONNX hold types that NumPy lacks in others (bfloat16 in uint16).
        types = [helper.np_dtype_to_tensor_dtype(a.dtype) for a in arrays]
        if types != [model.graph.input[k].type.tensor_type.elem_type for k in chosen]:
            continue
        try:
            data, x = _variant(model, given, chosen)
            spec = read(data)
            program = Program(compile_spec(spec))
        except SpecError as error:
            yield chosen, str(error)
            continue
        assert read(write(spec)).sha256 == spec.sha256
        for method, want in zip(program.methods, wanted, strict=True):
            got = program.run(method, x)
            assert (got.dtype, got.shape) == (want.dtype, want.shape), chosen
            close = {"rtol": case.rtol, "atol": 1e-6} if want.dtype.kind == "f" else {}
            compare = np.testing.assert_allclose if close else np.testing.assert_array_equal
            compare(got, want, err_msg=str(chosen), **close)
        yield chosen, ""


def _check(name: str, every: bool) -> None:
    for chosen, why in outcomes(CASES[name], every):
        known = not why or any(re.search(reason, why) for reason in REFUSALS)
        assert known, f"inputs {chosen}: {why}"


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith("_expanded")])
def test_nodes_give_what_onnx_gives_or_are_refused(name: str) -> None:
    _check(name, every=False)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", CASES)
def test_nodes_with_each_input_as_the_tensor(name: str) -> None:
    _check(name, every=True)


def test_most_nodes_are_taken() -> None:
    """That the refusals above do not hide an operator that is never taken."""
    for op in ("Add", "Concat", "Gather", "Gemm", "MatMul", "ReduceSum", "Reshape", "Softmax"):
        cases = [c for c in CASES.values() if [n.op_type for n in c.model.graph.node] == [op]]
        assert any(not why for case in cases[:6] for _, why in outcomes(case, every=False)), op
