"""Specs as ONNX files: round trips, other runtimes, hostile files."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from scipy import special
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sclbl.compiler import compile_spec
from sclbl.errors import SpecError
from sclbl.onnx_format import read, write
from sclbl.ops import FAMILIES, OPS
from sclbl.ops.record import FLOATS, INTEGERS, Op
from sclbl.program import Program
from sclbl.reference import evaluate
from sclbl.rows import encode
from sclbl.rows.infer import infer
from sclbl.signature import Output, Signature, stored_as
from sclbl.spec import MISSING_TEXTS, Provenance, Spec
from sclbl.strippers import strip
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.trees import Trees

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 4))
Y = np.array(["low", "mid", "é"])[np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])]
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": RNG.choice(["x", "y"], 60)})
FRAME.loc[3, "c"] = None
FRAME.loc[5, "a"] = np.nan


def spec_of(build: Builder, outputs: dict[str, Wire]) -> Spec:
    """Return what was built as a spec."""
    outputs = {name: build.stored(wire) for name, wire in outputs.items()}
    graph = build.finish(outputs)
    described = {
        name: Output(
            stored_as(wire.dtype),
            "object" if wire.dtype in ("text", "label") else wire.dtype,
            wire.width,
            2,
            labels=wire.labels,
        )
        for name, wire in outputs.items()
    }
    signature = Signature(build.signature.columns, build.signature.layout, described)
    return Spec(
        graph, signature, Provenance("hand.Made", {"hand": "1"}), {"all": 3}, ("b",), ("careful",)
    )


def start(example: Any) -> tuple[Builder, Any]:
    build = Builder(infer(example))
    return build, build.table()


def inputs_of(spec: Spec, rows: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    blocks = encode(rows, spec.signature)
    text = None
    if blocks.text:
        text = np.array([c.constants() for c in blocks.text], dtype=object).T
    return blocks.numeric, text


def feed_of(spec: Spec, rows: Any) -> dict[str, np.ndarray]:
    numeric, text = inputs_of(spec, rows)
    feed = {}
    if numeric is not None:
        feed["numeric"] = numeric
    if text is not None:
        feed["text"] = text
    return {v.name: feed[v.name] for v in spec.graph.inputs}


def expected(spec: Spec, rows: Any) -> list[np.ndarray]:
    """Return what the definition of the operators gives, labels as labels."""
    numeric, text = inputs_of(spec, rows)
    results = evaluate(spec.graph, numeric, text)
    found = []
    for name, output in spec.signature.outputs.items():
        result = results[name]
        if output.labels is not None:
            columns = [np.array(n)[c] for n, c in zip(output.labels, result.T, strict=True)]
            result = np.stack(columns, axis=1)
        found.append(result)
    return found


def with_reference(spec: Spec, rows: Any) -> list[np.ndarray]:
    evaluator = ReferenceEvaluator(onnx.load_model_from_string(write(spec)))
    with np.errstate(all="ignore"):
        found: list[np.ndarray] = evaluator.run(None, feed_of(spec, rows))
    return found


def with_runtime(spec: Spec, rows: Any) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(write(spec))
    found: list[np.ndarray] = session.run(None, feed_of(spec, rows))
    return found


def same(found: list[np.ndarray], wanted: list[np.ndarray], rtol: float = 1e-12) -> None:
    assert len(found) == len(wanted)
    for ours, theirs in zip(wanted, found, strict=True):
        if ours.dtype.kind == "f":
            assert theirs.dtype == ours.dtype
            np.testing.assert_allclose(theirs, ours, rtol=rtol, atol=rtol)
        else:
            assert theirs.tolist() == ours.tolist()


def round_trip(spec: Spec) -> Spec:
    data = write(spec)
    onnx.checker.check_model(data)
    again = read(data)
    assert again.sha256 == spec.sha256
    assert again.signature == spec.signature
    assert again.graph.values == spec.graph.values
    assert (again.source, again.kept, again.dropped, again.warnings) == (
        spec.source,
        spec.kept,
        spec.dropped,
        spec.warnings,
    )
    assert write(again) == data
    return again


# -------------------------------------------------------------- stripped models

MODELS = {
    "logistic": (LogisticRegression(), X, Y),
    "float32": (LogisticRegression(), X.astype(np.float32), Y),
    "forest": (RandomForestClassifier(4, max_depth=4, random_state=0), X, Y),
    "boosting": (GradientBoostingRegressor(n_estimators=4, random_state=0), X, X[:, 0]),
    "hist boosting": (HistGradientBoostingRegressor(max_iter=4), X, X[:, 0]),
    "two outputs": (DecisionTreeRegressor(max_depth=3), X, X[:, :2]),
    "one leaf": (DecisionTreeRegressor(), X, np.zeros(60)),
    "pipeline": (
        make_pipeline(
            make_column_transformer(
                (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b"]),
                (
                    make_pipeline(
                        SimpleImputer(strategy="most_frequent"),
                        OneHotEncoder(handle_unknown="ignore"),
                    ),
                    ["c"],
                ),
            ),
            LogisticRegression(),
        ),
        FRAME,
        Y,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_stripped_models(name: str) -> None:
    model, rows, y = MODELS[name]
    spec = strip(model.fit(rows, y), rows[:4])
    round_trip(spec)
    rtol = 1e-5 if name == "float32" else 1e-12
    for found in (with_reference(spec, rows), with_runtime(spec, rows)):
        # infinities (the log of a forest's zero) are compared by assert_allclose itself
        same(found, expected(spec, rows), rtol)
        theirs = np.asarray(model.predict(rows)).reshape(found[0].shape)
        if theirs.dtype.kind == "f":
            np.testing.assert_allclose(found[0], theirs, rtol=1e-9, atol=1e-12)
        else:
            position = spec.methods.index("predict")
            assert found[position].ravel().tolist() == model.predict(rows).tolist()


# ------------------------------------------------------------ hand-made graphs


def elementwise() -> tuple[Spec, Any]:
    rows = np.array([[0.25, 0.5, -1.5], [1.0, 0.75, 2.0], [0.999, 1e-9, 0.0]])
    build, table = start(rows)
    x = table.matrix()
    small = build.columns(x, [0, 1])
    outputs = {
        op.rpartition(".")[2].lower(): build.unary(op, small)
        for op in ("Exp", "Log", "Sqrt", "Sigmoid", "Tanh", "Neg", "Abs", "Sign", "Floor")
    }
    outputs["reciprocal"] = build.unary("Reciprocal", small)
    for op in ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min"):
        outputs[f"m_{op}"] = build.binary(op, small, np.array([0.5, 3.0]))
    for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
        outputs[f"m_{op}"] = build.binary(op, x, 0.5)
    flag, other = build.binary("Less", x, 0.5), build.binary("Greater", x, 0.0)
    outputs["both"] = build.logical_not(build.binary("And", flag, other))
    outputs["either"] = build.binary("Or", flag, build.is_nan(x))
    outputs["chosen"] = build.where(flag, x, 7.0)
    for op in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"):
        outputs[f"m_{op}"] = build.reduce(op, x)
    outputs["softmax"], outputs["argmax"] = build.softmax(x), build.argmax(x)
    outputs["product"] = build.matmul(x, RNG.normal(size=(3, 2)))
    outputs["whole"] = build.cast(build.unary("Floor", x), "int64")
    outputs["joined"] = build.concat([small, build.columns(x, [2])])
    outputs["kept"] = build.refuse(x, nan=True)
    return spec_of(build, outputs), rows


def test_operators_round_trip_and_run_elsewhere() -> None:
    spec, rows = elementwise()
    round_trip(spec)
    same(with_reference(spec, rows), expected(spec, rows))
    same(with_runtime(spec, rows), expected(spec, rows))


#: Functions of floats, element by element.
FUNCTIONS = [op.name for op in OPS.values() if op.form == "element-wise" and op.takes >= FLOATS]
POINTS = np.array([[-3, -1.5, -1], [-0.5, -0.0, 1e-9], [0.25, 0.75, 1], [2.5, np.inf, np.nan]])


@pytest.mark.parametrize("op", FUNCTIONS)
def test_functions_of_floats_round_trip(op: str) -> None:
    build, table = start(POINTS)
    spec = spec_of(build, {"f": build.node(op, [table.matrix()])})
    round_trip(spec)
    # onnx.reference computes Erf in float32, and bodies lose digits.
    same(with_reference(spec, POINTS), expected(spec, POINTS), 1e-5)


@pytest.mark.parametrize("op", [op for op in FUNCTIONS if "." not in op])
def test_functions_of_floats_in_files_of_other_tools(op: str) -> None:
    cast = helper.make_node("Cast", ["h"], ["Y"], to=TensorProto.FLOAT)
    data = foreign([helper.make_node(op, ["X"], ["h"]), cast], {}, outputs=["Y"])
    rows = POINTS.astype(np.float32)
    if op == "Erf":  # ONNX Runtime 1.24 makes 1 of NaN
        rows = np.nan_to_num(rows)
    wanted = onnxruntime.InferenceSession(data).run(None, {"X": rows})
    same(expected(read(data), rows), wanted, 1e-5)


@pytest.mark.parametrize(
    ("op", "function", "points", "rtol"),
    [
        # onnx.reference computes Erf in float32.
        ("Erf", special.erf, [-2, -0.1, 0, 0.5, 3], 1e-6),
        ("sclbl.Erfc", special.erfc, [-2, -0.1, 0, 0.5, 2], 1e-5),
        ("sclbl.Log1p", np.log1p, [-0.5, 0, 1e-3, 5], 1e-12),
        ("sclbl.Expm1", np.expm1, [-0.5, 0, 1e-3, 5], 1e-12),
        ("sclbl.LibmExp", np.exp, [-700, -0.5, 0, 1e-3, 5], 1e-12),
        ("sclbl.LibmSigmoid", special.expit, [-30, -0.5, 0, 1e-3, 5], 1e-12),
        ("sclbl.NormCdf", special.ndtr, [-3, -0.1, 0, 2.0, 40], 1e-5),
        (
            "sclbl.NormPpf",
            special.ndtri,
            [0, 1e-300, 1e-9, 1e-4, 0.02, 0.075, 0.3, 0.5, 0.7, 0.99, 1 - 1e-9, 1],
            1e-12,
        ),
    ],
)
def test_bodies_of_functions(op: str, function: Any, points: list[float], rtol: float) -> None:
    rows = np.array(points, dtype=np.float64)[:, None]
    build, table = start(rows)
    spec = spec_of(build, {"f": build.unary(op, table.matrix())})
    round_trip(spec)
    np.testing.assert_allclose(with_reference(spec, rows)[0], function(rows), rtol=rtol, atol=1e-13)


def typed(dtype: str) -> tuple[Spec, np.ndarray]:
    """Return a graph of what takes this type, and rows."""
    # What negative numbers become without a sign is not the same everywhere.
    rows = np.array([[0, 1, 2, -1], [3, -4, 5, 7], [100, -100, 6, -6]], dtype=np.float64)
    rows = np.abs(rows) if dtype.startswith("u") else rows
    build, table = start(rows)
    x = build.cast(table.matrix(), dtype)
    y = np.array([3, 7, 2, 5])
    names = ["Add", "Sub", "Mul", "Div", "Max", "Min", "Less", "GreaterOrEqual", "Equal"]
    ops = [op for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor", "Pow") if dtype in OPS[op].takes]
    outputs = {f"m_{op}": build.binary(op, x, y) for op in [*names, *ops]}
    for op in ("Neg", "Abs", "Sign", "Relu", "BitwiseNot", "Floor", "Sqrt", "ReduceSum"):
        if dtype in OPS[op].takes:
            outputs[f"m_{op}"] = build.reduce(op, x) if "Red" in op else build.unary(op, x)
    if dtype in INTEGERS:
        constant = build.constant(y.reshape(1, -1), dtype)
        outputs["floor"] = build.binary("sclbl.FloorDiv", x, y)
        for fmod in (0, 1):
            outputs[f"mod{fmod}"] = build.node("Mod", [x, constant], fmod=fmod)
    outputs["chosen"] = build.where(build.binary("Less", x, y), x, y)
    outputs["single"], outputs["flag"] = build.cast(x, "float32"), build.cast(x, "bool")
    return spec_of(build, outputs), rows


@pytest.mark.parametrize("dtype", sorted(INTEGERS | {"float16"}))
def test_number_types_round_trip_and_run_elsewhere(dtype: str) -> None:
    spec, rows = typed(dtype)
    round_trip(spec)
    same(with_reference(spec, rows), expected(spec, rows), 1e-3)


@pytest.mark.parametrize("dtype", ["int32", "int8", "uint64", "float16"])
def test_numbers_of_other_types_in_files_of_other_tools(dtype: str) -> None:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes = [
        helper.make_node("Cast", ["X"], ["h"], to=kind),
        helper.make_node("Mul", ["h", "k"], ["Y"]),
    ]
    factors = np.array([[3, 100, 7]], dtype=dtype)
    model = onnx.load_model_from_string(foreign(nodes, {"k": factors}, outputs=["Y"]))
    model.graph.output[0].type.tensor_type.elem_type = kind
    for values in ("raw", "typed"):
        if values == "typed":  # one by one, as files may also hold them
            tensor = helper.make_tensor("k", kind, factors.shape, factors.ravel().tolist())
            model.graph.initializer[0].CopyFrom(tensor)
        spec = read(model.SerializeToString())
        rows = np.array([[1, 2, 3], [50, 60, 7]], dtype=np.float32)
        found = Program(compile_spec(spec)).Y(rows)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, rows.astype(dtype) * factors)


def test_the_keys_of_the_metadata_stay_as_they_are() -> None:
    model = onnx.load_from_string(write(elementwise()[0]))
    keys = {p.key for p in model.metadata_props}
    assert keys == {"sclbl.format", "sclbl.notes", "sclbl.signature", "sclbl.source"}


def test_own_operators_have_a_function_and_no_others() -> None:
    own = {name for name, op in OPS.items() if name.startswith("sclbl.") and not op.ragged}
    # Loops are graphs inside an operator, which no file may have.
    families = ("texts", "iterations", "codes", "neighbours", "what neighbours hold")
    loops = [value for name in families for value in vars(FAMILIES[name]).values()]
    own -= {op.name for op in loops if isinstance(op, Op)}
    # Searches and loops with a stopping rule, to the bit, which no composition of operators is.
    own -= {"sclbl.Barycenter", "sclbl.BSplines", "sclbl.CouplePairs", "sclbl.Interp"}
    own -= {"sclbl.ImputeNearest", "sclbl.LogDensity", "sclbl.TreeContributions"}
    assert {op.name for op in OPS.values() if op.body} == own


def test_labels_of_several_types() -> None:
    rows = np.array([[0, 1], [1, 0]])
    build, table = start(rows)
    codes = build.cast(table.matrix(), "int64")
    outputs = {
        "text": build.labels(codes, [["no", "é"], ["a", "b"]]),
        "whole": build.labels(codes, [[3, -4], [2**40, 0]]),
        "floats": build.labels(codes, [[1.5, 2.0], [0.1, 3.0]]),
        "flags": build.labels(codes, [[False, True], [True, False]]),
        "mixed": build.labels(codes, [["a", "b"], [1, 2]]),
    }
    spec = spec_of(build, outputs)
    assert round_trip(spec).signature.outputs["floats"].labels == ((1.5, 2.0), (0.1, 3.0))
    found = with_runtime(spec, rows)
    assert found[0].tolist() == [["no", "b"], ["é", "a"]]
    assert (found[1].dtype, found[1].tolist()) == (np.int64, [[3, 0], [-4, 2**40]])
    assert (found[2].dtype, found[2].tolist()) == (np.float64, [[1.5, 3.0], [2.0, 0.1]])
    assert (found[3].dtype, found[3].tolist()) == (np.bool_, [[False, False], [True, True]])
    assert found[4].tolist() == [["a", "2"], ["b", "1"]]


@pytest.mark.parametrize(
    ("keys", "rows"),
    [
        (["a", "é", MISSING_TEXTS["none"]], [["a"], ["é"], [None], ["zzz"]]),
        (["a", *MISSING_TEXTS.values()], [["a"], [pd.NA], [np.nan], [None], ["zzz"]]),
        ([1.5, np.nan, -0.25], [[1.5], [np.nan], [-0.25], [9.0]]),
        ([1.5, -0.25], np.array([[1.5], [9.0]], dtype=np.float32)),
    ],
)
def test_look_ups(keys: list[Any], rows: Any) -> None:
    build, table = start(rows)
    x = table.text() if isinstance(keys[0], str) else table.matrix()
    spec = spec_of(build, {"codes": build.lookup(x, keys, default=-7)})
    again = round_trip(spec)
    kept = next(n for n in again.graph.nodes if n.op.endswith("LabelEncoder")).attrs["keys"]
    assert kept.dtype == (object if isinstance(keys[0], str) else spec.signature.numeric_dtype)
    same(with_runtime(spec, rows), expected(spec, rows))
    if not any(isinstance(k, float) and np.isnan(k) for k in keys):
        # onnx.reference does not find NaN in a tensor of keys.
        same(with_reference(spec, rows), expected(spec, rows))


def trees(dtype: str = "float64", **changes: Any) -> Trees:
    """Return two trees; the second is a leaf alone."""
    arrays: dict[str, Any] = {
        "roots": np.array([0, 5], dtype=np.int32),
        "feature": np.array([0, -1, 1, -1, -1, -1], dtype=np.int32),
        "threshold": np.array([0.5, 0, -1.0, 0, 0, 0], dtype=dtype),
        "left": np.array([1, 0, 3, 1, 2, 3], dtype=np.int32),
        "right": np.array([2, -1, 4, -1, -1, -1], dtype=np.int32),
        "missing_left": np.array([True, False, False, False, False, False]),
        "values": np.array([[1.0], [2.0], [4.0], [8.0]], dtype=dtype),
        "init": np.array([0.25], dtype=dtype),
        "rule": "<=",
    }
    return Trees(**(arrays | changes))


EDGES = np.array(
    [[0.5, 0.0], [np.nextafter(0.5, 1), -1.0], [np.nan, 3.0], [2.0, np.nan], [-0.0, 0]]
)


@pytest.mark.parametrize("rule", ["<=", "<"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_trees(rule: str, dtype: str) -> None:
    rows = EDGES.astype(dtype)
    build, table = start(rows)
    x = table.matrix()
    ensemble = trees(dtype, rule=rule)
    wide = trees(
        dtype,
        rule=rule,
        values=np.arange(8, dtype=dtype).reshape(4, 2),
        init=np.zeros(2, dtype=dtype),
    )
    aimed = trees(
        dtype,
        rule=rule,
        targets=np.array([1, 0], dtype=np.int32),
        init=np.array([0.5, 1.5], dtype=dtype),
    )
    outputs = {
        "sums": build.trees(x, ensemble),
        "wide": build.trees(x, wide),
        "aimed": build.trees(x, aimed),
        "onward": build.trees(x, aimed, start=x),
        "leaves": build.tree_leaves(x, ensemble),
    }
    spec = spec_of(build, outputs)
    round_trip(spec)
    same(with_reference(spec, rows), expected(spec, rows), 0)
    same(with_runtime(spec, rows), expected(spec, rows), 0)
    goes_left = (rows[:, 0] <= 0.5) if rule == "<=" else (rows[:, 0] < 0.5)
    goes_left |= np.isnan(rows[:, 0])
    np.testing.assert_array_equal(with_runtime(spec, rows)[4][:, 0] == 0, goes_left)


def test_trees_with_categories() -> None:
    start_at = np.array([0, -1, -1, -1, -1, -1], dtype=np.int32)
    count = np.array([2, 0, 0, 0, 0, 0], dtype=np.int32)
    words = np.array([0b1010, 1 << 31], dtype=np.uint32)  # categories 1, 3 and 63
    ensemble = trees(category_start=start_at, category_count=count, category_words=words)
    codes = np.array([0, 1, 2, 3, 31, 63, 64, 1e6, -1, -0.5, np.nan, 3.7])
    rows = np.column_stack([codes, np.zeros(len(codes))])
    build, table = start(rows)
    x = table.matrix()
    spec = spec_of(build, {"sums": build.trees(x, ensemble)})
    round_trip(spec)
    # onnx.reference stops reading a set of categories at a zero and reads the sets in another
    # order than ONNX Runtime does, so the runtime alone is asked.
    same(with_runtime(spec, rows), expected(spec, rows), 0)
    inside = [c in (1, 3, 63) or np.isnan(c) or c < 0 or c == 3.7 for c in codes]
    assert [v == 1.0 + 8.0 + 0.25 for v in expected(spec, rows)[0][:, 0]] == inside


# ----------------------------------------------------------------- other files


def foreign(nodes: list[Any], constants: dict[str, np.ndarray], **options: Any) -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("X", options.get("dtype", TensorProto.FLOAT), ["N", 3])],
        [
            helper.make_tensor_value_info(
                o, TensorProto.INT64 if o == "label" else TensorProto.FLOAT, None
            )
            for o in options["outputs"]
        ],
        [numpy_helper.from_array(a, n) for n, a in constants.items()],
    )
    opset = [helper.make_opsetid("", options.get("opset", 17))]
    data: bytes = helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()
    return data


def test_a_network_that_another_tool_wrote() -> None:
    w1, b1 = RNG.normal(size=(4, 3)).astype("f4"), RNG.normal(size=4).astype("f4")
    w2, b2 = RNG.normal(size=(4, 2)).astype("f4"), RNG.normal(size=2).astype("f4")
    data = foreign(
        [
            helper.make_node("Gemm", ["X", "w1", "b1"], ["h"], transB=1),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("MatMul", ["r", "w2"], ["m"]),
            helper.make_node("Add", ["m", "b2"], ["numeric"]),
            helper.make_node("Softmax", ["numeric"], ["proba:0"], axis=1),
            helper.make_node("ArgMax", ["proba:0"], ["label"], axis=1, keepdims=0),
            helper.make_node("ReduceSum", ["r", "axes"], ["1sum"], keepdims=1),
        ],
        {"w1": w1, "b1": b1, "w2": w2, "b2": b2, "axes": np.array([1])},
        outputs=["proba:0", "label", "1sum"],
    )
    spec = read(data)
    assert spec.methods == ("proba_0", "label", "output_1sum")
    assert spec.signature.outputs["label"].ndim == 1
    assert spec.signature.numeric_dtype == "float32"
    assert spec.source.model == "onnx"
    rows = RNG.normal(size=(9, 3)).astype("f4")
    wanted = onnxruntime.InferenceSession(data).run(None, {"X": rows})
    for ours, theirs in zip(expected(spec, rows), wanted, strict=True):
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=1e-5)
    round_trip(spec)


@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.DOUBLE])
def test_relu_of_infinities(dtype: int) -> None:
    node = helper.make_node("Relu", ["X"], ["Y"])
    value = helper.make_tensor_value_info
    graph = helper.make_graph([node], "g", [value("X", dtype, ["N", 3])], [value("Y", dtype, None)])
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    spec = read(model.SerializeToString())
    rows = np.array([[np.inf, -np.inf, 2.0], [-2.0, np.nan, 1e30], [-0.0, 0.0, -1e-30]])
    rows = rows.astype(spec.signature.numeric_dtype)
    wanted = ReferenceEvaluator(model).run(None, {"X": rows})[0]
    np.testing.assert_array_equal(expected(spec, rows)[0], wanted)
    np.testing.assert_array_equal(Program(compile_spec(spec)).run("Y", rows), wanted)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            foreign(
                [helper.make_node("LSTM", ["X", "X", "X"], ["Y"], hidden_size=1)], {}, outputs=["Y"]
            ),
            "operator LSTM is not supported in ONNX files of other tools",
        ),
        (
            foreign(
                [helper.make_node("Gather", ["X", "i"], ["Y"])], {"i": np.array([0])}, outputs=["Y"]
            ),
            "operator Gather works along axis",
        ),
        (foreign([helper.make_node("Exp", ["X"], ["Y"])], {}, outputs=["Y"], opset=6), "convert_v"),
        (
            foreign(
                [helper.make_node("Exp", ["X"], ["Y"])], {}, outputs=["Y"], dtype=TensorProto.INT64
            ),
            "operator Exp .* does not take int64",
        ),
        (
            foreign([helper.make_node("Exp", ["lost"], ["Y"])], {}, outputs=["Y"]),
            "which nothing before it gives",
        ),
    ],
)
def test_files_of_other_tools_that_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(data)


# --------------------------------------------------------------- hostile files


def model_of(spec: Spec | None = None) -> onnx.ModelProto:
    if spec is None:
        model, rows, y = MODELS["forest"]
        spec = strip(model.fit(rows, y), rows[:4])
    loaded: onnx.ModelProto = onnx.load_model_from_string(write(spec))
    return loaded


def node_of(model: onnx.ModelProto, prefix: str) -> onnx.NodeProto:
    return next(n for n in model.graph.node if n.op_type.startswith(prefix))


def attribute(node: onnx.NodeProto, name: str) -> onnx.AttributeProto:
    return next(a for a in node.attribute if a.name == name)


def change_array(model: onnx.ModelProto, name: str, place: int, value: Any) -> None:
    """Change one number of an array of the tree ensemble."""
    found = attribute(node_of(model, "TreeEnsemble"), name).t
    array = numpy_helper.to_array(found).copy()
    array.flat[place] = value
    found.raw_data = array.tobytes()


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def cycle(model: onnx.ModelProto) -> None:
    first, last = model.graph.node[0], model.graph.node[-1]
    first.input[0] = last.output[0]


def tree_cycle(model: onnx.ModelProto) -> None:
    found = attribute(node_of(model, "TreeEnsemble"), "feature").t
    inner = int(np.flatnonzero(numpy_helper.to_array(found) >= 0)[1])
    change_array(model, "left", inner, inner)


def control_flow(model: onnx.ModelProto) -> None:
    node = helper.make_node(
        "If", ["numeric"], ["z"], then_branch=helper.make_graph([], "g", [], [])
    )
    model.graph.node.append(node)


def wide(model: onnx.ModelProto) -> None:
    name = "numeric"
    for i in range(40):
        model.graph.node.insert(i, helper.make_node("Concat", [name, name], [f"w{i}"], axis=1))
        name = f"w{i}"


def metadata(key: str, value: str) -> Any:
    def change(model: onnx.ModelProto) -> None:
        next(p for p in model.metadata_props if p.key == key).value = value

    return change


def huge_shape(model: onnx.ModelProto) -> None:
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([2**40, 2**40])


HOSTILE: list[tuple[Any, str]] = [
    (external, r"keeps data in another file \(external data\), which is never read"),
    (cycle, "which nothing before it gives"),
    (control_flow, "uses control flow"),
    (tree_cycle, "a node has more than one parent"),
    (wide, "beyond the limits"),
    (huge_shape, "none negative or beyond"),
    (lambda m: change_array(m, "feature", 0, 4), "tests column 4 of 4"),
    (lambda m: change_array(m, "left", 0, 10**6), "out of range"),
    (lambda m: change_array(m, "right", 0, -5), "out of range"),
    (lambda m: change_array(m, "roots", 0, -1), "a root out of range"),
    (lambda m: change_array(m, "threshold", 0, np.nan), "compares with NaN"),
    (lambda m: setattr(node_of(m, "TreeEnsemble"), "op_type", "Shell"), "is not supported"),
    (lambda m: setattr(m.graph.node[0], "op_type", "Loop"), "is not supported"),
    (lambda m: setattr(m.graph.initializer[0], "name", ""), "two constants named"),
    (lambda m: setattr(m.opset_import[0], "version", 99), "imports operator sets"),
    (lambda m: m.graph.output.pop(), "its signature says"),
    (lambda m: m.graph.input.pop(), "which nothing before it gives"),
    (lambda m: m.graph.node.pop(), "that nothing gives"),
    (lambda m: m.graph.node[0].attribute.append(helper.make_attribute("to", 1)), "attribute"),
    (lambda m: m.training_info.add(), "has a training graph"),
    (lambda m: m.graph.sparse_initializer.add(), "has sparse tensors"),
    (lambda m: m.graph.ClearField("node"), "without operators"),
    (metadata("sclbl.format", "2"), "sclbl format '2'.*install a newer sclbl"),
    (metadata("sclbl.signature", "[" * 100_000), "cannot be read"),
    (metadata("sclbl.signature", "{}"), "signature is malformed"),
    (
        metadata(
            "sclbl.signature",
            '{"columns":{"count":1e300,"kind":"float64"},"layout":"array","outputs":{}}',
        ),
        "signature is malformed",
    ),
    (metadata("sclbl.source", "[]"), "metadata is malformed"),
]


@pytest.mark.parametrize(("change", "message"), HOSTILE)
def test_hostile_files(change: Any, message: str) -> None:
    model = model_of()
    change(model)
    with pytest.raises(SpecError, match=message):
        read(model.SerializeToString())


def test_outputs_that_cannot_be_methods() -> None:
    build, table = start(X)
    spec = spec_of(build, {"memory": table.matrix()})
    with pytest.raises(SpecError, match="'memory' cannot be a method"):
        read(write(spec))


def test_outputs_may_be_called_as_the_program_has_attributes() -> None:
    names = ("classes_", "report", "program", "run", "wasm")
    build, table = start(X)
    x = table.matrix()
    spec = spec_of(build, {name: build.binary("Add", x, float(i)) for i, name in enumerate(names)})
    program = Program(compile_spec(read(write(spec))))
    assert program.methods == names
    assert program.report is None
    for i, name in enumerate(names):
        np.testing.assert_array_equal(program.run(name, X), X + i)


def test_bytes_that_are_no_model() -> None:
    data = write(elementwise()[0])
    for bad in (
        b"",
        b"hello",
        b"\0" * 64,
        data[:-3],
        data[: len(data) // 2],
        b"\x3a\xff\xff\xff\x7f",
    ):
        with pytest.raises(SpecError):
            read(bad)
    with pytest.raises(SpecError, match=r"the limit is 100"):
        read(data, limit=100)


def test_changed_bytes_never_do_worse_than_an_error() -> None:
    data = bytearray(write(elementwise()[0]))
    rng = np.random.default_rng(0)
    for _ in range(400):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            broken[place] = rng.integers(0, 256)
        try:
            read(bytes(broken))
        except SpecError:
            continue


def test_many_tiny_messages_are_counted_before_they_are_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sclbl.onnx_format import bounds

    monkeypatch.setattr(bounds, "MAX_FIELDS", 1000)
    nodes = b"\x0a\x00" * 2000  # empty nodes
    graph = b"\x3a" + bytes([len(nodes) & 0x7F | 0x80, len(nodes) >> 7]) + nodes
    with pytest.raises(SpecError, match="more than 1,000 parts"):
        read(graph)


def test_text_that_is_not_unicode_is_refused() -> None:
    build, table = start([["a"]])
    spec = spec_of(build, {"codes": build.lookup(table.text(), ["\ud800"])})
    with pytest.raises(SpecError, match="not valid Unicode"):
        write(spec)
