"""Functions of NumPy on wires of every number type, beside NumPy's own results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import sclbl
from sclbl.errors import DtypeError, InfiniteValueError, MissingValueError, UnsupportedModelError
from sclbl.reference import evaluate
from sclbl.signature import Column, Signature
from sclbl.strippers.graph import Builder
from sclbl.strippers.promotion import kind_of
from sclbl.strippers.wire import Wire

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = (*INTEGERS, "bool", "float16")
EXACT = 2**53

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "x + 1": lambda x: x + 1,
    "x + x": lambda x: x + x,
    "5 - x": lambda x: 5 - x,
    "x * 3": lambda x: x * 3,
    "x * np.int16(300)": lambda x: x * np.int16(300),
    "x * 0.5": lambda x: x * 0.5,
    "x * np.float32(0.5)": lambda x: x * np.float32(0.5),
    "x * an int64 row": lambda x: x * np.array([1, -2, 3]),
    "-x": lambda x: -x,
    "~x": lambda x: ~x,
    "abs": np.abs,
    "fabs": np.fabs,
    "sign": np.sign,
    "square": np.square,
    "x ** 2": lambda x: x**2,
    "x ** 3": lambda x: x**3,
    "x // 3": lambda x: x // 3,
    "x // -3": lambda x: x // -3,
    "x // 0": lambda x: x // 0,
    "x // x": lambda x: x // (x[:, ::-1] + 1),
    "x % 3": lambda x: x % 3,
    "7 % x": lambda x: 7 % x,
    "fmod": lambda x: np.fmod(x, -3) if np.dtype(numbers(x)).kind != "u" else np.fmod(x, 3),
    "x / 3": lambda x: x / 3,
    "x / x": lambda x: x / x[:, ::-1],
    "x & 12": lambda x: x & 12,
    "x & True": lambda x: x & True,
    "x | x * 2": lambda x: x | x * 2,
    "x ^ x": lambda x: x ^ x[:, ::-1],
    "x << 2": lambda x: x << 2,
    "x << 99": lambda x: np.left_shift(x, 99),
    "x >> 1": lambda x: x >> 1,
    "maximum": lambda x: np.maximum(x * x, 5),
    "minimum": lambda x: np.minimum(x * x, x),
    "clip": lambda x: np.clip(x * x, 1, 100),
    "x > 1": lambda x: x > 1,
    "x * x == x": lambda x: x * x == x,
    "x * x < 2.5": lambda x: x * x < 2.5,
    "logical": lambda x: (x > 1) & ~(x * x > 10) | (x == 0) ^ (x < 2),
    "isfinite": lambda x: np.isfinite(x * x) & ~np.isnan(x),
    "exp": np.exp,
    "sqrt, log1p, tanh": lambda x: np.sqrt(np.abs(x)) + np.log1p(np.abs(x)) - np.tanh(x),
    "floor, ceil, rint": lambda x: np.floor(x) + np.ceil(x * x) * np.rint(x),
    "sum": lambda x: np.sum(x, axis=1),
    "sum of squares": lambda x: (x * x).sum(axis=1, keepdims=True),
    "mean": lambda x: x.mean(axis=1),
    "max": lambda x: np.max(x, axis=1) - np.min(x * x, axis=1),
    "argmax": lambda x: np.argmax(x * x, axis=1) - np.argmin(x, axis=1),
    "where": lambda x: np.where(x > 2, x * x, x),
    "where, numbers": lambda x: np.where(x > 2, 3, x),
    "column_stack": lambda x: np.column_stack([x * x, x, x[:, 0] > 1]),
    "full_like": lambda x: np.full_like(x, 2) * x + np.ones_like(x, dtype=np.int16),
    "matrix of int8": lambda x: x @ np.array([[1, 2], [-3, 100], [7, 0]], dtype=np.int8),
    "matrix of floats": lambda x: x @ np.array([[1.5, 2], [-3, 0.25], [7, 0]], dtype=np.float32),
    "columns": lambda x: x[:, 1] * x[:, 2],
    "float16": lambda x: x.astype(np.float16) * 3 - 1,
    "float32": lambda x: x.astype(np.float32) * x,
    "int8": lambda x: (x * 2).astype(np.int8),
    "uint16": lambda x: x.astype(np.uint16) * 2,
    "int64": lambda x: x.astype(np.int64) * 10**17,
    "uint64": lambda x: x.astype(np.uint64) * 10**19,
    "bool": lambda x: x.astype(bool) + (x > 2),
    "int8 of floats": lambda x: np.clip(x * 0.7, -9, 99).astype(np.int8) * 2,
}
#: What NumPy computes and programs do not.
REFUSED = {
    *((f"x {op}", "float16") for op in ("// 3", "// -3", "// 0", "// x", "% 3")),
    ("7 % x", "float16"), ("fmod", "float16"),
}  # fmt: skip


def numbers(x: Any) -> Any:
    return x.numbers if isinstance(x, Wire) else x.dtype


def rows_of(dtype: str, width: int = 3) -> np.ndarray:
    """Return rows of small numbers, of any, and of the ends of the type."""
    rng = np.random.default_rng(5)
    shape = (40, width)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype == "float16":
        x = (rng.normal(size=shape) * 20).astype(dtype)
        x[:4] = [[0, -0.0, 1], [6e-8, 65504, -65504], [2049, 0.1, 3], [np.inf, np.nan, -np.inf]]
        return x
    limits = np.iinfo(dtype)
    low, high = max(limits.min, -EXACT), min(limits.max, EXACT)
    small = rng.integers(max(low, -5), 9, size=shape)
    x = np.where(rng.random(shape) < 0.5, small, rng.integers(low, high, size=shape))
    x[:3] = [[low, high, 0], [low, low, low], [high, high, 1]]
    return x.astype(dtype)


def traced(
    function: Callable[[Any], Any], x: np.ndarray, *, frame: bool = False
) -> tuple[Wire, Builder]:
    columns = (Column(None, kind_of(x.dtype)),) * x.shape[1]
    build = Builder(Signature(columns, "array"), [x.dtype] * x.shape[1])
    build.library = "pandas" if frame else "numpy"
    wire = build.table().held_matrix(x.dtype)
    return function(replace(wire, ndim=1 if frame else 2)), build


def made(function: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """Return what a function of a wire gives for rows, in the type and shape it is held in."""
    wire, build = traced(function, x)
    numeric = x.astype(np.float32 if x.dtype == np.float16 else np.float64)
    out = evaluate(build.finish({"m": wire}), numeric, None)["m"]
    assert wire.held is not None or out.dtype == wire.numbers
    held = out.astype(wire.numbers)
    if wire.held is not None:  # it travels exactly
        np.testing.assert_array_equal(held, out)
    return held[:, 0] if wire.ndim == 1 else held


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_function_gives_what_numpy_gives(name: str, dtype: str) -> None:
    x, function = rows_of(dtype), FUNCTIONS[name]
    if dtype == "float16" and name in ("int8", "uint16", "int64", "uint64", "int8 of floats"):
        x = np.clip(np.nan_to_num(x), 0, 60)
    try:
        theirs = function(x)
    except (TypeError, OverflowError, ValueError) as error:
        with pytest.raises((UnsupportedModelError, type(error))):
            made(function, x)
        return
    if (name, dtype) in REFUSED:
        with pytest.raises(UnsupportedModelError):
            made(function, x)
        return
    ours = made(function, x)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if theirs.dtype.kind != "f":
        np.testing.assert_array_equal(ours, theirs)
    else:
        rtol = {2: 1e-3, 4: 2e-6, 8: 1e-14}[theirs.itemsize]
        np.testing.assert_allclose(ours, theirs, rtol=rtol)


OF_FRAMES: tuple[Callable[[Any], Any], ...] = (
    lambda x: x * 2,
    lambda x: x * np.int16(2),
    lambda x: np.float64(0.5) * x,
    lambda x: x * np.float32(0.5),
    lambda x: np.maximum(x, 2),
    lambda x: np.minimum(x, np.int8(2)),
    lambda x: np.fmod(x, 3),
    lambda x: np.maximum(x, 0.5),
    lambda x: x > np.int64(1),
    lambda x: x // 2 - x % 3,
    lambda x: x**2,
    np.square,
    np.exp,
    lambda x: x.astype("int16") * 300,
)


#: Of these, programs compute no floats.
OF_WHOLE = (6, 9)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "bool", "float16"])
@pytest.mark.parametrize("number", range(len(OF_FRAMES)))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_function_of_a_column_gives_what_pandas_gives(number: int, dtype: str) -> None:
    x = np.array([[0], [1], [2], [3], [100]]).astype(dtype)
    if number in OF_WHOLE and dtype.startswith("float"):
        with pytest.raises(UnsupportedModelError, match="has no operator"):
            traced(OF_FRAMES[number], x, frame=True)
        return
    theirs = OF_FRAMES[number](pd.DataFrame(x)).to_numpy()
    wire, build = traced(OF_FRAMES[number], x, frame=True)
    numeric = x.astype(np.float32 if dtype.startswith("float") else np.float64)
    ours = evaluate(build.finish({"m": wire}), numeric, None)["m"].astype(wire.numbers)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-3 if ours.dtype == np.float16 else 2e-6)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_columns_are_held_to_the_type_that_wraps_around(dtype: str) -> None:
    _, build = traced(np.square, rows_of(dtype))
    assert {c.dtype for c in build.pinned().columns} == {dtype}
    _, build = traced(np.sign, rows_of(dtype))
    assert {c.dtype for c in build.pinned().columns} == {None}


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: x**x, "exponents are computed"),
        (lambda x: x**-1, "or negative"),
        (lambda x: x << x, "by computed numbers"),
        (lambda x: np.reciprocal(x), "np.reciprocal is given int32 numbers"),
        (lambda x: x.astype(complex), "is not written"),
        (lambda x: x.astype(np.uint64) > x.astype(np.int64), "a comparison with int64"),
        (lambda x: x.__iadd__(0.5), "are written into an array of int32"),
    ],
)
def test_what_has_no_equivalent_is_refused(function: Any, what: str) -> None:
    with pytest.raises(UnsupportedModelError, match=what):
        made(function, rows_of("int32"))


# ------------------------------------------------------------------ whole programs


@pytest.mark.parametrize("container", ["array", "frame"])
@pytest.mark.parametrize(
    ("function", "dtype"),
    [
        (np.square, "int8"),
        (np.negative, "uint64"),
        (np.exp, "int8"),
        (lambda x: x + 1, "uint8"),
        (lambda x: x * x % 7, "int16"),
        (lambda x: x * 3, "int64"),
        (lambda x: x + x, "bool"),
        (lambda x: x * 3 - 1, "float16"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_programs(function: Any, dtype: str, container: str) -> None:
    x = rows_of(dtype)
    rows = pd.DataFrame(x, columns=list("abc")) if container == "frame" else x
    model = FunctionTransformer(function).fit(rows)
    program = sclbl.compile(model, rows)
    theirs = np.asarray(model.transform(rows))
    for ours in (program.transform(rows), program.transform(rows[:1])):
        assert ours.dtype == theirs.dtype
        rtol = 1e-3 if theirs.dtype == np.float16 else 0
        np.testing.assert_allclose(ours, theirs[: len(ours)], rtol=rtol)


def test_columns_of_several_types() -> None:
    x = pd.DataFrame({"a": rows_of("int8")[:, 0], "b": rows_of("uint16")[:, 1]})
    x["c"] = np.linspace(-2, 2, len(x)).astype(np.float32)
    model = make_pipeline(FunctionTransformer(np.square), StandardScaler()).fit(x)
    program = sclbl.compile(model, x)
    np.testing.assert_allclose(program.transform(x), model.transform(x), rtol=1e-5, atol=1e-6)
    with pytest.raises(DtypeError, match=r"column 'a' holds 200, which is no int8"):
        program.transform({"a": [200], "b": [1], "c": [0.5]})


def test_libraries_with_integers_of_their_own_are_refused() -> None:
    x = np.array([[-128, 1], [127, 100]], dtype=np.int8)
    frames = {
        "polars": pl.DataFrame(x, schema=["a", "b"]),
        "pyarrow": pd.DataFrame(x, columns=["a", "b"]).astype("int8[pyarrow]"),
    }
    for library, frame in frames.items():
        model = FunctionTransformer(lambda x: x + 1).fit(frame)
        with pytest.raises(UnsupportedModelError, match=f"integers of {library}.*rules of its own"):
            sclbl.compile(model, frame)
    model = FunctionTransformer(np.square).fit(frames["polars"])
    program = sclbl.compile(model, frames["polars"])
    np.testing.assert_array_equal(program.transform(frames["polars"]), np.square(x))


def test_what_floats_are_no_integers_is_refused() -> None:
    x = np.array([[1.5, -2.7], [100.0, 3.0]])
    model = FunctionTransformer(lambda x: x.astype(np.int8)).fit(x)
    program = sclbl.compile(model, x)
    np.testing.assert_array_equal(program.transform(x), model.transform(x))
    assert program.report is not None
    assert program.report.alone > 0
    for row, error in (([128.0, 0], InfiniteValueError), ([np.nan, 0], MissingValueError)):
        with pytest.raises(error):
            program.transform([row])
    near = np.array([[127.9, -128.9]])
    np.testing.assert_array_equal(program.transform(near), model.transform(near))


def test_a_column_of_float16_takes_float16() -> None:
    x = rows_of("float16")
    program = sclbl.compile(FunctionTransformer().fit(x), x)
    assert program.transform(x).tobytes() == x.tobytes()
    with pytest.raises(DtypeError, match=r"0\.1, which is no float16"):
        program.transform(np.array([[0.1, 0, 0]]))
    assert program.transform([[0.1, 0, 0]])[0, 0] == np.float16(0.1)
    with pytest.raises(
        DtypeError, match=r"1000000, which is no float16; it is too large for float16"
    ):
        program.transform([[1e6, 0, 0]])
    with pytest.raises(UnsupportedModelError, match=r"float16.*cast example_input to float32"):
        sclbl.compile(StandardScaler().fit(np.ones((3, 2))), np.ones((3, 2), dtype=np.float16))


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint16", "int64"])
def test_a_root_of_integers_is_one_of_floats_too(dtype: str) -> None:
    rows = np.arange(12, dtype=dtype).reshape(6, 2)
    model = FunctionTransformer(lambda x: x**0.5).fit(rows)
    program = sclbl.compile(model, rows[:3])
    found, wanted = program.transform(rows), model.transform(rows)
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-15)
