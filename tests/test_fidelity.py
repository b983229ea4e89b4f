"""The fidelity check: equal programs pass, programs broken on purpose are caught."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor

import sclbl
from sclbl import manifest, onnx_format
from sclbl.compiler import compile_spec
from sclbl.errors import (
    FidelityError,
    InputError,
    InvalidProgramError,
    LimitError,
    MissingValueError,
    SpecError,
)
from sclbl.fidelity import MethodReport, Report, accept, verify, verify_program
from sclbl.fidelity.compare import Tolerance, compare
from sclbl.fidelity.overflow import overflowing
from sclbl.fidelity.rows import Sample, each_alone, from_blocks, generate
from sclbl.fidelity.trace import is_bit_exact, trace
from sclbl.program import Program
from sclbl.rows import encode
from sclbl.runtime import instance
from sclbl.signature import Output
from sclbl.spec import MISSING_TEXTS, Node, Spec, Value
from sclbl.strippers import dispatch, strip

RNG = np.random.default_rng(7)
X = RNG.normal(size=(200, 4))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)
LABELS = np.array(["no", "yes"])[Y]
FRAME = pd.DataFrame({"a": X[:, 0], "n": RNG.integers(0, 9, 200), "c": RNG.choice(["x", "y"], 200)})


def mixed_pipeline(handle_unknown: str = "error") -> Pipeline:
    columns = make_column_transformer(
        (StandardScaler(), ["a", "n"]), (OneHotEncoder(handle_unknown=handle_unknown), ["c"])
    )
    return make_pipeline(columns, LogisticRegression()).fit(FRAME, LABELS)


def checked(model: Any, example: Any, **options: Any) -> Report:
    spec = strip(model, example)
    return verify(model, spec, compile_spec(spec), example, **options)


def with_attrs(spec: Spec, op: str, change: Callable[[dict[str, Any]], None]) -> Spec:
    """Return the spec with the attributes of its first `op` node changed."""
    nodes = list(spec.graph.nodes)
    i = next(i for i, n in enumerate(nodes) if n.op == op)
    attrs = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in nodes[i].attrs.items()}
    change(attrs)
    nodes[i] = Node(op, nodes[i].inputs, nodes[i].outputs, attrs)
    return replace(spec, graph=replace(spec.graph, nodes=tuple(nodes)))


# ----------------------------------------------------------------- what passes


@pytest.mark.parametrize(
    "example",
    [
        FRAME[:4],
        FRAME[:4].astype({"a": "Float64", "n": "Int16", "c": "string[pyarrow]"}),
        FRAME[:4].astype({"c": "object", "n": "object"}),
        pl.from_pandas(FRAME[:4]),
        FRAME[:4].to_dict("list"),
        FRAME[:4].to_dict("records"),
        FRAME.iloc[0],
    ],
    ids=["pandas", "nullable", "objects", "polars", "dict", "records", "series"],
)
def test_a_pipeline_passes_with_any_container(example: Any) -> None:
    report = checked(mixed_pipeline(), example)
    assert report.ok
    assert report.rows > 100
    assert report.refusals >= 2  # NaN, infinity or an unknown category, at least
    assert {m.method for m in report.methods} >= {"predict", "predict_proba"}
    assert all(m.flips == 0 and m.rows > 90 for m in report.methods)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8"])
def test_arrays_pass(dtype: str) -> None:
    rows = np.rint(X * 3).astype(dtype)
    for model in (LinearRegression(), DecisionTreeRegressor(max_depth=4)):
        report = checked(model.fit(rows, X[:, 0]), rows[:6])
        assert report.ok
        assert report.methods[0].rows > 90


def test_what_a_model_accepts_is_compared_and_what_it_refuses_is_refused() -> None:
    known = strip(mixed_pipeline("ignore"), FRAME[:4])
    refusing = strip(mixed_pipeline("error"), FRAME[:4])
    rows = generate(known, from_blocks(encode(FRAME[:4], known.signature)))
    assert "sclbl: unknown" in rows.text
    assert checked(mixed_pipeline("ignore"), FRAME[:4]).ok
    # A program that takes an unknown category for known is caught, and one that refuses it too.
    with pytest.raises(FidelityError, match=r"the model refuses the row .*and the program does"):
        verify(mixed_pipeline("error"), refusing, compile_spec(known), FRAME[:4])
    with pytest.raises(FidelityError, match=r"the program refuses the row .*and the model does"):
        verify(mixed_pipeline("ignore"), known, compile_spec(refusing), FRAME[:4])


def test_missing_values_and_categories_of_boosting() -> None:
    rows = np.column_stack([RNG.integers(0, 5, 200).astype(float), X[:, :2]])
    rows[::7, 1] = np.nan
    model = HistGradientBoostingRegressor(max_iter=5, categorical_features=[0])
    report = checked(model.fit(rows, X[:, 0]), rows[:5])
    assert report.ok
    assert report.methods[0].tolerance == 0


def test_results_that_have_the_dtype_of_their_rows() -> None:
    rows = np.rint(X * 3).astype(np.int64)
    model = FunctionTransformer(validate=True).fit(rows)
    spec = strip(model, rows[:5])
    program = Program(compile_spec(spec))
    assert program.transform(rows).dtype == model.transform(rows).dtype == np.int64
    assert verify(model, spec, program.wasm, rows[:5]).ok
    # a fraction among integers is no other integer
    np.testing.assert_array_equal(program.transform(X), model.transform(X))


@pytest.mark.parametrize("example", [X[:5], pd.DataFrame(X[:5], columns=list("abcd"))], ids=type)
def test_statsmodels_take_nan_for_a_number_and_programs_do_not(example: Any) -> None:
    model = sm.GLM(Y, X, family=sm.families.Binomial()).fit()
    assert checked(model, example).ok
    program = Program(compile_spec(strip(model, example)))
    with pytest.raises(MissingValueError, match="row 0, column"):
        program.predict(np.full((1, 4), np.nan))


def test_reports_are_the_same_at_every_run() -> None:
    model = LogisticRegression().fit(X, LABELS)
    first, second = checked(model, X[:5]), checked(model, X[:5])
    assert first == second
    assert Report.from_json(json.loads(json.dumps(first.to_json()))) == first


def test_reports_read_well() -> None:
    report = checked(LogisticRegression().fit(X, LABELS), X[:5])
    text = str(report)
    assert text.startswith("equal to sklearn.linear_model._logistic.LogisticRegression: ")
    assert "predict_proba" in text
    assert "1e-12" in text
    assert repr(report).startswith("<Report ok ")
    assert len(repr(report)) < 80
    newer = {**report.to_json(), "future": 1}
    newer["methods"] = [{**m, "future": 1} for m in newer["methods"]]
    assert Report.from_json(newer) == report


def test_verify_on() -> None:
    model = LogisticRegression().fit(X, LABELS)
    plain = checked(model, X[:5])
    more = checked(model, X[:5], verify_on=X)
    assert more.rows == plain.rows + 200
    refused = X.copy()
    refused[3, 1] = np.nan  # both refuse it
    assert checked(model, X[:5], verify_on=refused).refusals == plain.refusals + 1
    with pytest.raises(InputError, match=r"verify_on is not what the model takes"):
        checked(model, X[:5], verify_on=X[:, :2])


# ---------------------------------------------------------- what must be caught


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(8, max_depth=5, random_state=0).fit(X, LABELS)


@pytest.mark.parametrize("direction", [-1, 1])
def test_one_threshold_wrong_by_an_ulp(direction: int) -> None:
    model = forest()
    spec = strip(model, X[:5])
    inner = np.flatnonzero(trace(spec.graph).trees[0].attrs["feature"] >= 0)
    for node in inner[:: max(len(inner) // 6, 1)].tolist():

        def change(attrs: dict[str, Any], node: int = node) -> None:
            # one float32 step: sklearn compares float32 values with these thresholds
            single = np.float32(attrs["threshold"][node])
            attrs["threshold"][node] = np.nextafter(single, np.float32(np.inf * direction))
            attrs["threshold"][node] = np.nextafter(
                np.float32(attrs["threshold"][node]), np.float32(np.inf * direction)
            )

        broken = with_attrs(spec, "sclbl.TreeEnsemble", change)
        with pytest.raises(FidelityError, match=r"the program gives .*, the model .* for the row"):
            verify(model, spec, compile_spec(broken), X[:5])


def test_one_leaf_wrong() -> None:
    model = DecisionTreeRegressor(max_depth=6, random_state=0).fit(X, X[:, 0])
    spec = strip(model, X[:5])
    leaves = len(trace(spec.graph).trees[0].attrs["values"])
    for leaf in range(0, leaves, max(leaves // 6, 1)):

        def change(attrs: dict[str, Any], leaf: int = leaf) -> None:
            attrs["values"][leaf] = np.nextafter(attrs["values"][leaf], np.inf)

        broken = with_attrs(spec, "sclbl.TreeEnsemble", change)
        with pytest.raises(FidelityError, match=r"predict: the program gives") as caught:
            verify(model, spec, compile_spec(broken), X[:5])
        report = caught.value.report
        assert isinstance(report, Report)
        assert not report.ok
        assert report.worst in str(caught.value)
        assert report.methods[0].max_ulp == 1


def test_the_wrong_comparison() -> None:
    model = forest()
    spec = strip(model, X[:5])
    broken = with_attrs(spec, "sclbl.TreeEnsemble", lambda a: a.update(rule="<"))
    with pytest.raises(FidelityError):
        verify(model, spec, compile_spec(broken), X[:5])


def test_one_weight_wrong() -> None:
    model = LinearRegression().fit(X, X[:, 0] * 3 + X[:, 1])
    spec = strip(model, X[:5])
    for name, constant in spec.graph.constants.items():
        changed = constant.copy()
        changed.flat[0] = changed.flat[0] * (1 + 1e-9) + 1e-9
        constants = {**spec.graph.constants, name: changed}
        broken = replace(spec, graph=replace(spec.graph, constants=constants))
        with pytest.raises(FidelityError, match=r"relative error .*, allowed 1e-12"):
            verify(model, spec, compile_spec(broken), X[:5])
        assert verify(model, spec, compile_spec(broken), X[:5], tolerance=1e-6).ok


def test_one_label_wrong() -> None:
    model = forest()
    spec = strip(model, X[:5])
    output = spec.signature.outputs["predict"]
    wrong = replace(output, labels=(("no", "hm"),))
    signature = replace(spec.signature, outputs={**spec.signature.outputs, "predict": wrong})
    with pytest.raises(FidelityError, match=r"predict: the program gives 'hm', the model 'yes'"):
        verify(model, spec, compile_spec(replace(spec, signature=signature)), X[:5])


def test_a_category_swapped() -> None:
    model = mixed_pipeline()
    spec = strip(model, FRAME[:4])

    def change(attrs: dict[str, Any]) -> None:
        attrs["keys"] = attrs["keys"][::-1].copy()

    broken = with_attrs(spec, "ai.onnx.ml.LabelEncoder", change)
    with pytest.raises(FidelityError, match=r"c='[xy]'"):
        verify(model, spec, compile_spec(broken), FRAME[:4])


def test_a_model_that_changed_since() -> None:
    model = LogisticRegression().fit(X, LABELS)
    spec = strip(model, X[:5])
    wasm = compile_spec(spec)
    model.coef_ = model.coef_ * 1.001
    with pytest.raises(FidelityError, match=r"does not predict what the model predicts"):
        verify(model, spec, wasm, X[:5])


# ------------------------------------------------------------------- the rows


def test_rows_hold_every_category_extremes_and_thresholds() -> None:
    spec = strip(mixed_pipeline(), FRAME[:4])
    rows = generate(spec, from_blocks(encode(FRAME[:4], spec.signature)))
    assert {"x", "y", "sclbl: unknown", *MISSING_TEXTS.values()} <= set(rows.text[:, 0])
    held = generate(spec, from_blocks(encode(FRAME[:4], spec.signature)), [("na",)])
    found = set(held.text[:, 0]) & set(MISSING_TEXTS.values())
    assert found == {MISSING_TEXTS["na"]}
    column = rows.numeric[:, 0]
    assert np.isnan(column).any()
    assert np.isinf(column).any()
    assert (np.signbit(column) & (column == 0)).any()
    assert 5e-324 in column
    finite = rows.numeric[np.isfinite(rows.numeric[:, 1]), 1]
    np.testing.assert_array_equal(finite, np.rint(finite))  # integers stay integers


def test_every_leaf_of_a_small_forest_is_reached() -> None:
    model = forest()
    spec = strip(model, X[:5])
    rows = generate(spec, from_blocks(encode(X[:5], spec.signature)))
    finite = rows.numeric[(np.abs(rows.numeric) < 1e30).all(axis=1)]
    reached = model.apply(finite)
    for i, tree in enumerate(model.estimators_):
        leaves = np.flatnonzero(tree.tree_.children_left < 0)
        assert set(leaves) == set(reached[:, i])


def test_thresholds_are_met_exactly_behind_a_scaler() -> None:
    model = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=3)).fit(X, X[:, 0])
    spec = strip(model, X[:5])
    assert is_bit_exact(spec.graph, "predict")
    assert verify(model, spec, compile_spec(spec), X[:5]).ok


# --------------------------------------------------------------- comparisons

FLOATS = Output("float64", "float64", 1, 1)
STRICT = Tolerance(1e-12, "float64", np.array([1.0]))


def compared(ours: list[float], theirs: list[float], rule: Tolerance = STRICT) -> tuple[Any, Any]:
    a, b = (np.array(v, dtype=np.float64)[:, None] for v in (ours, theirs))
    return compare(MethodReport("predict", 0, rule.tolerance), FLOATS, a, b, rule)


def test_nan_equals_nan_and_nothing_else() -> None:
    report, worst = compared([np.nan, np.inf, 0.0], [np.nan, np.inf, -0.0])
    assert (report.max_rel, report.max_ulp, worst) == (0.0, 0, None)
    for pair in ((np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (-np.inf, np.inf)):
        _, worst = compared([pair[0]], [pair[1]])
        assert worst.excess == np.inf


def test_errors_are_measured() -> None:
    one_up = np.nextafter(2.0, 3.0)
    report, worst = compared([1.0, one_up], [1.0, 2.0])
    # reports keep two digits, rounded up: 2**-51 is 4.44e-16
    assert report.max_abs == 4.5e-16
    assert report.max_rel == 2.3e-16
    assert report.max_ulp == 1
    assert worst.row == 1
    assert worst.excess < 1
    _, worst = compared([1.0, one_up], [1.0, 2.0], replace(STRICT, tolerance=0.0))
    assert worst.excess == np.inf
    # either side of zero: the two smallest numbers are two apart
    report, _ = compared([5e-324], [-5e-324])
    assert report.max_ulp == 2


def test_errors_are_relative_to_the_typical_size_of_a_column() -> None:
    assert compared([1e-13], [2e-13])[1].excess < 1
    assert compared([1e-13], [2e-13], replace(STRICT, typical=np.array([1e-13])))[1].excess > 1


# -------------------------------------------------------- without the model


@pytest.mark.parametrize("model", [forest(), LogisticRegression().fit(X, LABELS)], ids=repr)
def test_verify_program(model: BaseEstimator) -> None:
    spec = strip(model, X[:5])
    report = verify_program(compile_spec(spec), onnx_format.write(spec))
    assert report.ok
    assert report.against == "the reference interpreter"
    assert report.rows > 64


def test_verify_program_of_text() -> None:
    spec = strip(mixed_pipeline(), FRAME[:4])
    report = verify_program(compile_spec(spec), onnx_format.write(spec))
    assert report.ok
    assert report.refusals > 2


def claimed(wasm: bytes, spec: Spec) -> bytes:
    """Return a program that says it was compiled from `spec`."""
    honest = manifest.read(compile_spec(spec))
    return manifest.attach(wasm, honest)


def test_a_program_that_lies_about_its_spec() -> None:
    model = forest()
    spec = strip(model, X[:5])
    other = with_attrs(spec, "sclbl.TreeEnsemble", lambda a: a.update(values=a["values"] * 1.01))
    with pytest.raises(FidelityError, match=r"gives .* where its spec compiled here gives"):
        verify_program(claimed(compile_spec(other), spec), onnx_format.write(spec))
    with pytest.raises(InvalidProgramError, match=r"compiled from the spec .* and came with"):
        verify_program(compile_spec(other), onnx_format.write(spec))


def test_a_program_that_refuses_other_rows() -> None:
    strict, lax = (strip(mixed_pipeline(h), FRAME[:4]) for h in ("error", "ignore"))
    with pytest.raises(FidelityError, match=r"refuses other rows than its spec"):
        verify_program(claimed(compile_spec(lax), strict), onnx_format.write(strict))


def test_a_signature_that_is_not_the_specs() -> None:
    spec = strip(LogisticRegression().fit(X, LABELS), X[:5])
    wasm = compile_spec(spec)
    found = manifest.read(wasm)
    found["signature"]["outputs"]["predict"]["labels"] = [["yes", "no"]]
    with pytest.raises(InvalidProgramError, match=r"different signatures"):
        verify_program(manifest.attach(wasm, found), onnx_format.write(spec))


def test_malformed_uploads() -> None:
    spec = strip(LogisticRegression().fit(X, LABELS), X[:5])
    wasm = compile_spec(spec)
    with pytest.raises(SpecError, match="not an ONNX file"):
        verify_program(wasm, b"\xff" * 40)
    with pytest.raises(InvalidProgramError, match="truncated"):
        verify_program(wasm[:-5], onnx_format.write(spec))


# ------------------------------------------------------- whose a difference is


class Changed(LinearRegression):  # type: ignore[misc]  # scikit-learn has no types
    """Answers otherwise than its class says, as `how` says."""

    how = ""
    asked = 0

    def predict(self, rows: Any) -> np.ndarray:
        self.asked += 1
        answer: np.ndarray = super().predict(rows)
        if self.how == "random":
            return answer + self.asked
        if self.how == "tiny":
            return answer * (1 + 3e-9)
        if self.how == "batch" and len(rows) > 50:
            raise ValueError("too many rows")
        return answer + 1 if self.how == "wrong" else answer


def failure(how: str, **options: Any) -> str:
    plain = LinearRegression().fit(X, X[:, 0] * 3 + 1)
    spec = strip(plain, X[:5])
    model = Changed().fit(X, X[:, 0] * 3 + 1)
    model.how = how
    dispatch.register(Changed, dispatch.find(plain))
    try:
        with pytest.raises(FidelityError) as caught:
            verify(model, spec, compile_spec(spec), X[:5], **options)
    finally:
        del dispatch._REGISTERED[Changed]
    return str(caught.value)


def test_a_failure_says_what_can_be_done_about_it() -> None:
    random = failure("random")
    assert "the model gives two answers: it is random, or it has a state" in random
    assert "sclbl" not in random.partition("model predicts:")[2]
    assert "tolerance" not in random
    tiny = failure("tiny")
    assert "Where an error of 3.0e-09 is nothing to the model's use, give tolerance=1e-8;" in tiny
    wrong = failure("wrong")
    assert "This is a defect of sclbl; please report it" in wrong
    assert "tolerance=" not in wrong
    batch = failure("batch")
    assert "The model takes that row alone, and refuses it among others" in batch
    assert "(too many rows); find out why" in batch
    assert "defect" not in batch


def test_a_method_that_was_replaced_on_the_object() -> None:
    model = LogisticRegression().fit(X, LABELS)
    model.predict = lambda rows: np.full(len(rows), "no", dtype="<U3")
    with pytest.raises(
        FidelityError, match=r"The method predict was replaced on this very object"
    ) as caught:
        checked(model, X[:5])
    assert "defect" not in str(caught.value)


def test_a_label_that_differs_is_no_matter_of_tolerance() -> None:
    model = forest()
    spec = strip(model, X[:5])
    wrong = replace(spec.signature.outputs["predict"], labels=(("no", "hm"),))
    signature = replace(spec.signature, outputs={**spec.signature.outputs, "predict": wrong})
    with pytest.raises(FidelityError, match=r"defect of sclbl") as caught:
        verify(model, spec, compile_spec(replace(spec, signature=signature)), X[:5])
    assert "tolerance=" not in str(caught.value)


@pytest.mark.parametrize("width", [12, 40, 300])
def test_every_column_is_infinite_and_missing_alone(width: int) -> None:
    wide = np.random.default_rng(1).normal(size=(20, width))
    spec = strip(LinearRegression().fit(wide, wide[:, 0]), wide[:5])
    rows = each_alone(spec, from_blocks(encode(wide[:5], spec.signature))).numeric
    odd = ~np.isfinite(rows)
    assert (odd.sum(axis=1) == 1).all()
    for column in rows.T:
        assert {np.inf, -np.inf} <= set(column.tolist())
        assert np.isnan(column).sum() == 2


def test_neighbours_share_rows_in_a_wide_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sclbl.fidelity.rows.CELLS", 4000)
    wide = np.random.default_rng(1).normal(size=(20, 300))
    spec = strip(LinearRegression().fit(wide, wide[:, 0]), wide[:5])
    rows = each_alone(spec, from_blocks(encode(wide[:5], spec.signature))).numeric
    assert rows.size <= 4000
    assert np.isposinf(rows).any(axis=0).all()
    assert np.isneginf(rows).any(axis=0).all()
    assert np.isnan(rows).any(axis=0).all()


@pytest.mark.parametrize("width", [2, 12, 40, 300])
def test_a_check_that_is_lacking_is_found_in_any_column(width: int) -> None:
    wide = np.random.default_rng(1).normal(size=(20, width))
    model = LinearRegression().fit(wide, wide[:, 0])
    spec = strip(model, wide)
    matched = [n for n in spec.graph.nodes if n.op == "sclbl.Refuse"]
    assert len(matched) == 1
    free = width * 2 // 3
    others = np.setdiff1d(np.arange(width), [free])
    # The check of one column goes: its product is made from what nothing has looked at.
    (check,) = matched
    nodes: list[Node] = []
    for node in spec.graph.nodes:
        if node is check:
            attrs = {**node.attrs, "columns": tuple(others.tolist())}
            nodes.append(Node("Gather", (node.inputs[0], "others"), ("some",), {"axis": 1}))
            nodes.append(Node(node.op, ("some",), ("checked",), attrs))
            nodes.append(Node("Gather", (node.inputs[0], "free"), ("unseen",), {"axis": 1}))
            nodes.append(Node("Concat", ("checked", "unseen"), ("mixed",), {"axis": 1}))
            nodes.append(Node("Gather", ("mixed", "back"), node.outputs, {"axis": 1}))
        else:
            nodes.append(node)
    order = np.argsort([*others.tolist(), free])
    constants = {"others": others, "free": np.array([free]), "back": order}
    values = {
        "some": width - 1, "checked": width - 1, "unseen": 1, "mixed": width,
    }  # fmt: skip
    graph = replace(
        spec.graph,
        nodes=tuple(nodes),
        constants={**spec.graph.constants, **{k: v.astype(np.int64) for k, v in constants.items()}},
        values={
            **spec.graph.values,
            **{name: Value(name, "float64", (size,)) for name, size in values.items()},
        },
    )
    with pytest.raises(FidelityError, match=r"(?s)the model refuses the row .* program does not"):
        verify(model, spec, compile_spec(replace(spec, graph=graph)), wide)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_beyond_the_range_of_floats(dtype: str) -> None:
    """Which label the model gives there hangs on the order in which it adds."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(120, 4)).astype(dtype)
    y = np.digitize(2 * x[:, 0] - x[:, 1] + x[:, 3], [-1.5, 1.0])
    powers = PolynomialFeatures(3, interaction_only=True)
    model = make_pipeline(powers, Perceptron()).fit(x, y)
    assert checked(model, x[:5]).ok
    rows = Sample(np.array([[3e38, -0.6, 0.5, 1.0], [1.0, 2.0, 3.0, 4.0]]), np.empty((2, 0)))
    spec = strip(model, x[:5])
    assert overflowing(spec, rows).tolist() == [dtype == "float32", False]
    # Other rows still tell a program that is not the model's.
    other = make_pipeline(powers, Perceptron(penalty="l1", alpha=0.1)).fit(x, y)
    with pytest.raises(FidelityError, match="does not predict what the model predicts"):
        verify(other, spec, compile_spec(spec), x[:5])


def test_results_that_memory_does_not_hold_are_compared_a_few_rows_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With an endless radius each row gives every point."""
    monkeypatch.setattr(instance, "MAX_GROWTH", 2**21)
    points = np.random.default_rng(0).normal(size=(3000, 1))
    program = sclbl.compile(NearestNeighbors(radius=1e-5).fit(points), points[:2])
    rows = np.zeros((60, 1))
    with pytest.raises(LimitError, match="no memory left for these rows"):
        program.radius_neighbors(rows, radius=np.inf)
    assert program.radius_neighbors(rows[:8], radius=np.inf)[1][7].shape == (3000,)
    (report,) = (m for m in program.report.methods if m.method == "radius_neighbors")
    assert report.rows > 200
    monkeypatch.setattr(instance, "MAX_GROWTH", 2**18)
    wide = NearestNeighbors(radius=9.0).fit(np.repeat(points, 4, axis=0))
    with pytest.raises(LimitError, match="no memory left"):
        sclbl.compile(wide, points[:2])


def test_sums_whose_own_digits_hang_on_their_order_are_accepted() -> None:
    """Weights of a nearly singular kernel are large and cancel."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(300, 10))
    model = KernelRidge(kernel="rbf", gamma=1e-3, alpha=1e-7).fit(x, np.sin(x[:, 0]))
    report = sclbl.compile(model, x[:5]).report
    assert report is not None
    assert report.ok
    assert report.methods[0].max_rel > 1e-12


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf"), "1e-6", [1e-6], True])
def test_a_tolerance_that_allows_anything(tolerance: Any) -> None:
    model = LinearRegression().fit(X, X[:, 0])
    with pytest.raises(InputError, match="which is no number of 0 or more"):
        sclbl.compile(model, X[:3], tolerance=tolerance)
    spec = strip(model, X[:3])
    with pytest.raises(InputError, match="which is no number of 0 or more"):
        verify(model, spec, compile_spec(spec), X[:3], tolerance=tolerance)


def test_rows_run_at_once_as_their_results_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result may be millions of columns wide, of whichever many rows there are."""
    model = StandardScaler().fit(X)
    program = sclbl.compile(model, X[:5])
    given = encode(X[:20], program.signature)
    seen = []
    run = accept.results_of

    def counted(program: Program, method: str, blocks: Any) -> Any:
        seen.append(blocks.rows)
        return run(program, method, blocks)

    monkeypatch.setattr(accept, "results_of", counted)
    monkeypatch.setattr(accept, "CELLS", 3 * X.shape[1])
    assert accept.accepted_rows(program, given)[0].all()
    assert seen == [3] * 6 + [2]
