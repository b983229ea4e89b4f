"""`Program`: what it takes, what it returns, what it refuses, and from where it may be called."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sclbl.compiler import compile_spec
from sclbl.errors import (
    ColumnError,
    InfiniteValueError,
    MissingValueError,
    ShapeError,
    UnknownCategoryError,
    UnsupportedMethodError,
)
from sclbl.program import Program
from sclbl.strippers import strip
from tests.runtime.foreign import module

ROOT = Path(__file__).parents[2]
PLANS = ["free", "paid", "日本", ""]


def program_of(model: Any, example: Any, *methods: str) -> Program:
    spec = strip(model, example, methods=methods or None)
    return Program(compile_spec(spec), spec)


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 10, rows),
            "plan": rng.choice(PLANS, rows),
            "visits": rng.integers(0, 9, rows),
            "size": rng.normal(size=rows),
        }
    )


@cache
def mixed() -> tuple[Any, Program]:
    """A pipeline over numbers, integers and text, and its program."""
    rows = frame(300)
    columns = ColumnTransformer(
        [
            ("scale", StandardScaler(), ["age", "visits", "size"]),
            ("plan", OneHotEncoder(), ["plan"]),
        ]
    )
    score = rows["age"] - 40 + 5 * (rows["plan"] == "paid") + 9 * rows["size"]
    model = make_pipeline(columns, LogisticRegression())
    model.fit(rows, np.where(score > 6, "no", np.where(score > -6, "maybe", "yes")))
    return model, program_of(model, rows[:5])


@cache
def forest() -> tuple[Any, Program]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 5))
    labels = np.array(["a", "b", "long label"])[(x[:, 0] > 0).astype(int) + (x[:, 1] > 0)]
    model = RandomForestClassifier(12, max_depth=5, random_state=0, n_jobs=1).fit(x, labels)
    return model, program_of(model, x[:5])


@cache
def imputer() -> tuple[Any, Program]:
    """Text in, text out."""
    rows = np.array([["a", "x"], ["b", None], ["b", "x"]], dtype=object)
    model = SimpleImputer(missing_values=None, strategy="most_frequent").fit(rows)
    return model, program_of(model, rows)


def batch(rows: int, columns: int = 5, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns))


# ------------------------------------------------------------------- what it takes


def kinds(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the same rows in every container."""
    reordered = rows[["size", "visits", "plan", "age"]]
    columns = {name: rows[name].tolist() for name in rows}
    return {
        "frame": rows,
        "reordered": reordered,
        "extra": reordered.assign(other="x", more=pd.Timestamp("2026-01-01")),
        "objects": rows.astype(object),
        "nullable": rows.convert_dtypes(),
        "categorical": rows.astype({"plan": "category"}),
        "arrow dtypes": rows.convert_dtypes(dtype_backend="pyarrow"),
        "odd index": rows.set_axis(range(7, 7 * len(rows) + 7, 7)),
        "array": rows.to_numpy(dtype=object),
        "lists": rows.to_numpy(dtype=object).tolist(),
        "tuples": [tuple(r) for r in rows.to_numpy(dtype=object)],
        "columns": columns,
        "arrays": {name: rows[name].to_numpy() for name in rows},
        "records": rows.to_dict("records"),
        "polars": pl.DataFrame(columns),
        "lazy polars": pl.DataFrame(columns).lazy(),
        "categorical polars": pl.DataFrame(columns).cast({"plan": pl.Categorical}),
        "arrow": pa.table(columns),
        "arrow batch": pa.RecordBatch.from_pydict(columns),
    }


@pytest.mark.parametrize("kind", kinds(frame(2)))
@pytest.mark.parametrize("rows", [1, 7, 300])
def test_every_container_gives_what_the_model_gives(kind: str, rows: int) -> None:
    model, program = mixed()
    given = frame(rows, seed=3)
    container = kinds(given)[kind]
    np.testing.assert_array_equal(program.predict(container), model.predict(given))
    proba = program.predict_proba(container)
    np.testing.assert_allclose(proba, model.predict_proba(given), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(proba, program.run("predict_proba", given))


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_numbers_in_every_container(method: str) -> None:
    model, program = forest()
    call = getattr(program, method)
    for count in (1, 2, 8, 300):
        x = batch(count)
        want = getattr(model, method)(x)
        for rows in (
            *(
                x,
                x.tolist(),
                np.asfortranarray(x),
                x[::-1][::-1],
                x.astype(">f8"),
                x.astype(object),
            ),
            *(np.ma.asarray(x).data, list(x), [tuple(r) for r in x], pd.DataFrame(x)),
            *(np.hstack([x, x])[:, :5], np.repeat(x, 2, axis=0)[::2], pl.DataFrame(x)),
        ):
            got = call(rows)
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)
            np.testing.assert_array_equal(program.run(method, rows), want)


def test_one_row_in_every_form() -> None:
    model, program = mixed()
    rows = frame(4)
    for at in range(4):
        want = model.predict(rows[at : at + 1])
        row = rows.iloc[at]
        for one in (row, row.to_dict(), row.tolist(), [row.tolist()], row.to_numpy(dtype=object)):
            got = program.predict(one)
            assert got.shape == (1,)
            np.testing.assert_array_equal(got, want)
    model, program = forest()
    x = batch(1)
    for single in (x, x[0], x[0].tolist(), pd.Series(x[0]), pl.Series(x[0]), tuple(x[0].tolist())):
        np.testing.assert_array_equal(program.predict_proba(single), model.predict_proba(x))


def test_results_do_not_share_memory() -> None:
    """A later call leaves an earlier result alone, and a caller may write into it."""
    _, program = forest()
    for count in (1, 5, 3000):
        first, second = batch(count, seed=4), batch(count, seed=5)
        kept = program.predict_proba(first)
        copied = kept.copy()
        program.predict_proba(second)
        np.testing.assert_array_equal(kept, copied)
        kept[:] = 7
        labels = program.predict(first)
        labels[:] = "changed"
        assert "changed" not in program.predict(first)
        np.testing.assert_array_equal(program.predict_proba(first), copied)


def test_batches_of_several_chunks() -> None:
    model, program = forest()
    chunk = program.module.chunk
    for count in (chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 9):
        x = batch(count)
        np.testing.assert_array_equal(program.predict_proba(x), model.predict_proba(x))
    model, program = mixed()
    rows = frame(2 * program.module.chunk + 9)
    np.testing.assert_array_equal(program.predict(rows), model.predict(rows))


def test_text_larger_than_its_block() -> None:
    """The block of text grows for one call; results are right before it and after it."""
    model, program = imputer()
    rng = np.random.default_rng(6)
    short = np.array([["a", None], ["b", "é"]], dtype=object)
    np.testing.assert_array_equal(program.transform(short), model.transform(short))
    long = np.array([["x" * 5_000, "日本" * 3_000], [None, "y" * 100_000]], dtype=object)
    np.testing.assert_array_equal(program.transform(long), model.transform(long))
    np.testing.assert_array_equal(program.transform(short), model.transform(short))
    many = np.array([None, "", "é" * 700, "b"], dtype=object)[rng.integers(4, size=(9_000, 2))]
    np.testing.assert_array_equal(program.transform(many), model.transform(many))
    np.testing.assert_array_equal(program.transform(short), model.transform(short))


def test_numbers_beside_text_that_grows() -> None:
    rows = frame(400)
    columns = ColumnTransformer(
        [("n", "passthrough", ["age"]), ("p", OneHotEncoder(handle_unknown="ignore"), ["plan"])]
    )
    model = make_pipeline(columns, LinearRegression()).fit(rows, rows["age"])
    program = program_of(model, rows[:5])
    np.testing.assert_allclose(program.predict(rows), model.predict(rows), rtol=1e-12)
    rows.loc[[5, 399], "plan"] = "z" * 300_000
    np.testing.assert_allclose(program.predict(rows), model.predict(rows), rtol=1e-12)
    one = rows[5:6]
    np.testing.assert_allclose(program.predict(one), model.predict(one), rtol=1e-12)


# ---------------------------------------------------------------- what it returns


@cache
def outputs() -> dict[str, tuple[Any, np.ndarray]]:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(200, 3))
    one = x[:, 0] > 0
    two = np.column_stack([one, x[:, 1] > 0])
    tree = DecisionTreeClassifier(max_depth=3)
    single = x.astype(np.float32)
    return {
        "bool labels": (copy.copy(tree).fit(x, one), x),
        "int labels": (copy.copy(tree).fit(x, one + 5), x),
        "small int labels": (copy.copy(tree).fit(x, one.astype(np.int8)), x),
        "float labels": (copy.copy(tree).fit(x, one + 5.0), x),
        "text labels": (copy.copy(tree).fit(x, np.where(one, "y", "nooo")), x),
        "object labels": (copy.copy(tree).fit(x, np.where(one, "y", "n").astype(object)), x),
        "several outputs": (copy.copy(tree).fit(x, np.where(two, "y", "n")), x),
        "float32 rows": (StandardScaler().fit(single), single),
        "float32 linear": (LinearRegression().fit(single, single[:, :2]), single),
        "a result": (RandomForestRegressor(3, n_jobs=1).fit(x, x[:, 0]), x),
        "results": (RandomForestRegressor(3, n_jobs=1).fit(x, x[:, :2]), x),
    }


@pytest.mark.parametrize("name", outputs())
def test_dtypes_shapes_and_labels_are_the_models(name: str) -> None:
    model, x = outputs()[name]
    program = program_of(model, x[:3])
    for method in program.methods:
        for count in (1, 2, 200):
            with np.errstate(divide="ignore"):
                want = getattr(model, method)(x[:count])
            for rows in (x[:count], x[:count].tolist()):
                got = getattr(program, method)(rows)
                pairs = zip(got, want, strict=True) if isinstance(want, list) else [(got, want)]
                assert isinstance(got, list) == isinstance(want, list)
                for g, w in pairs:
                    assert (g.dtype, g.shape) == (w.dtype, w.shape)
                    if w.dtype.kind == "f":
                        np.testing.assert_allclose(g, w, rtol=1e-6 if w.itemsize == 4 else 1e-12)
                    else:
                        np.testing.assert_array_equal(g, w)
    if hasattr(model, "classes_") and "predict" in program.methods:
        np.testing.assert_array_equal(program.classes_, model.classes_)


def test_what_a_program_says_of_itself(tmp_path: Path) -> None:
    model, program = forest()
    assert program.methods == program.spec.methods
    assert program.signature == program.spec.signature
    assert program.size == len(program.wasm)
    assert repr(program) == (
        f"<Program RandomForestClassifier {'+'.join(program.methods)} {program.size:,} bytes>"
    )
    assert program.report is None
    path = program.save(tmp_path / "forest.wasm")
    assert path.read_bytes() == program.wasm
    assert [p.name for p in tmp_path.iterdir()] == ["forest.wasm"]
    again = Program.from_bytes(path.read_bytes())
    assert again.sha256 == program.sha256
    assert again.spec is None
    np.testing.assert_array_equal(again.predict(batch(9)), model.predict(batch(9)))
    with pytest.raises(FileNotFoundError):
        program.save(tmp_path / "nowhere" / "forest.wasm")


# ---------------------------------------------------------------- what it refuses


@pytest.mark.parametrize("row", [0, 1, 200, 255, 256, 5_000, 59_999])
def test_refusals_name_row_and_column_wherever_they_are(row: int) -> None:
    model, program = mixed()
    rows = frame(60_000)
    assert program.module.chunk < 10_000
    first = row // 2
    for column, bad, error, what in (
        (
            "age",
            np.nan,
            MissingValueError,
            "is missing; missing values are refused there: fill",
        ),
        ("size", np.inf, InfiniteValueError, "is infinite or too large for the model's precision"),
        (
            "plan",
            "gold",
            UnknownCategoryError,
            "holds 'gold', a category that the model was not fitted on",
        ),
    ):
        wrong = rows.copy()
        wrong.loc[[row, 59_999], column] = bad
        with pytest.raises(error, match=f"^row {row}, column '{column}' {what}") as refused:
            program.predict(wrong)
        assert (refused.value.row, refused.value.column) == (row, column)
        with pytest.raises(ValueError):
            model.predict(wrong)
        # Whatever was refused, the same instance goes on.
        np.testing.assert_array_equal(
            program.predict(rows[first : first + 9]), model.predict(rows[first : first + 9])
        )


def logarithm(x: Any) -> Any:
    return np.log(x)


@pytest.mark.parametrize("count", [1, 3, 40_000])
def test_what_is_computed_from_a_column_is_not_the_column(count: int) -> None:
    steps = make_pipeline(FunctionTransformer(logarithm), LinearRegression())
    x = np.full((count, 2), 3.0)
    model = steps.fit(np.arange(1.0, 9.0).reshape(4, 2), [1.0, 2.0, 4.0, 3.0])
    program = program_of(model, x[:1])
    computed, itself = r": what the model computes from it is ", r" is "
    for bad, said, error, what in (
        (0.0, computed, InfiniteValueError, "infinite"),
        (-1.0, computed, MissingValueError, "missing; it is NaN, as of 0/0"),
        (np.nan, itself, MissingValueError, "missing; missing"),
        (np.inf, itself, InfiniteValueError, "infinite"),
    ):
        wrong = x.copy()
        wrong[-1, 1] = bad
        for rows in (wrong, wrong[-9:].tolist()):
            match = f"^row {len(rows) - 1}, column '1'{said}{what}"
            with pytest.raises(error, match=match) as refused:
                program.predict(rows)
            assert (refused.value.row, refused.value.column) == (len(rows) - 1, "1")


def test_wrong_arguments_are_told_with_the_method() -> None:
    _, program = forest()
    for call in (program.predict, copy.copy(program).predict):
        with pytest.raises(TypeError, match=r"^Program\.predict\(\) missing 1 .* 'rows'"):
            call()
        with pytest.raises(TypeError, match=r"^Program\.predict\(\) got an unexpected .* 'foo'"):
            call(batch(1), foo=1)


@pytest.mark.parametrize("count", [1, 2, 9, 40_000])
def test_refusals_of_arrays(count: int) -> None:
    model, program = forest()
    x = batch(count)
    for bad, error in ((np.inf, InfiniteValueError), (-1e300, InfiniteValueError)):
        wrong = x.copy()
        wrong[count - 1, 3] = bad
        for rows in (wrong, wrong.tolist() if count < 100 else wrong.astype(object)):
            with pytest.raises(error, match=f"^row {count - 1}, column '3' is infinite or too "):
                program.predict(rows)
        np.testing.assert_array_equal(program.predict(x[:9]), model.predict(x[:9]))


def test_refusals_before_the_program() -> None:
    _, program = mixed()
    rows = frame(3)
    with pytest.raises(ShapeError, match="no rows to predict"):
        program.predict(rows[:0])
    with pytest.raises(ColumnError, match="the rows lack 'plan'"):
        program.predict(rows.drop(columns="plan"))
    _, program = forest()
    with pytest.raises(ShapeError, match="no rows to predict"):
        program.predict(np.empty((0, 5)))
    with pytest.raises(ShapeError, match=r"3 dimensions \(1, 1, 5\)"):
        program.predict(np.ones((1, 1, 5)))
    with pytest.raises(ColumnError, match="the rows have 4 columns and the model takes 5"):
        program.predict(np.ones((2, 4)))


def test_methods_that_it_does_not_have() -> None:
    _, program = forest()
    text = (
        r"^the program has no method 'transform'; it offers "
        r"predict, predict_proba, predict_log_proba$"
    )
    with pytest.raises(UnsupportedMethodError, match=text):
        program.transform(np.ones((1, 5)))
    with pytest.raises(UnsupportedMethodError, match=text):
        program.run("transform", np.ones((1, 5)))
    assert not hasattr(program, "transform")
    _, regressor = imputer()
    with pytest.raises(UnsupportedMethodError, match="predicts numbers, so it has no classes_"):
        regressor.classes_  # noqa: B018 # a property that raises


# ---------------------------------------------------------- from where it is called


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol: int) -> None:
    model, program = mixed()
    again = pickle.loads(pickle.dumps(program, protocol))
    rows = frame(20)
    assert again.wasm == program.wasm
    assert again.spec.sha256 == program.spec.sha256
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows))


def test_methods_pickle() -> None:
    """A method on its own is what a pool of processes is given."""
    model, program = mixed()
    rows = frame(20)
    again = pickle.loads(pickle.dumps(program.predict))
    np.testing.assert_array_equal(again(rows), model.predict(rows))
    assert again.__name__ == "predict"
    assert "returns for these rows" in again.__doc__
    assert copy.deepcopy(program.predict) is copy.copy(program.predict) is program.predict
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        np.testing.assert_array_equal(pool.submit(program.predict, rows).result(), again(rows))


def test_a_program_goes_when_its_last_user_does() -> None:
    _, program = mixed()
    gone = weakref.ref(Program(program.wasm))
    assert gone() is None


def test_memory_counts_what_runs_take() -> None:
    program = Program(module())  # 400 pages, in a file of some hundred bytes
    assert program.memory_bytes == 400 * 65536 + program.size


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_copies(how: Any) -> None:
    model, program = forest()
    program.predict(batch(1))
    again = how(program)
    del program
    np.testing.assert_array_equal(again.predict(batch(20)), model.predict(batch(20)))


def test_eight_threads_at_once() -> None:
    """Of one program; some calls are refused in between."""
    model, program = forest()
    text_model, text_program = mixed()
    start = threading.Barrier(8)
    faults: list[str] = []

    def work(seed: int) -> None:
        start.wait()
        for turn in range(12):
            x = batch(1 + (seed * 7 + turn * 131) % 900, seed=seed * 100 + turn)
            if not np.array_equal(program.predict_proba(x), expected[seed, turn]):
                faults.append(f"thread {seed}, turn {turn}")
            if program.predict(x[:1])[0] != labels[seed, turn]:
                faults.append(f"thread {seed}, turn {turn}: one row")
            if not np.array_equal(text_program.predict(frames[seed]), texts[seed]):
                faults.append(f"thread {seed}, turn {turn}: text")
            x[-1, seed % 5] = np.inf
            with pytest.raises(InfiniteValueError, match=f"row {len(x) - 1}, column '{seed % 5}'"):
                program.predict(x)

    expected, labels = {}, {}
    for seed in range(8):
        for turn in range(12):
            x = batch(1 + (seed * 7 + turn * 131) % 900, seed=seed * 100 + turn)
            expected[seed, turn] = model.predict_proba(x)
            labels[seed, turn] = model.predict(x[:1])[0]
    frames = [frame(50, seed) for seed in range(8)]
    texts = [text_model.predict(rows) for rows in frames]
    running = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert faults == []


FORK = """
import os, sys
import numpy as np
from sclbl.compiler import compile_spec
from sclbl.errors import LimitError
from sclbl.program import Program
from sclbl.runtime import Module
from tests.compiler.compiled import blocks, builder, make_spec
from tests.runtime.foreign import SIGNATURE, module

build = builder(2)
spec = make_spec(build, {"predict": build.add(build.table().matrix(), 1.0)})
program = Program(compile_spec(spec))
rows = np.ones((300, 2))
assert (program.predict(rows) == 2).all()
child = os.fork()
assert (program.predict(rows) == 2).all()
if child:
    _, status = os.waitpid(child, 0)
    assert (program.predict(rows) == 2).all()
    sys.exit(os.waitstatus_to_exitcode(status))
# The parent's program, the same program anew, a new one, and a limit that a clock must keep.
assert (Program(program.wasm).predict(rows) == 2).all()
assert (Program(compile_spec(spec)).predict(rows) == 2).all()
endless = module("(loop $again (br $again)) (i32.const 0)")
try:
    Module(endless, SIGNATURE, seconds=0.5).call("predict", blocks(rows))
except LimitError:
    os._exit(0)
os._exit(1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_runs_and_loads_programs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
