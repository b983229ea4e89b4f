"""NumPy's functions and operators on wires, beside NumPy's own."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from sclbl.errors import UnsupportedModelError
from sclbl.reference import evaluate
from sclbl.signature import Column, Kind, Signature
from sclbl.strippers.graph import Builder
from sclbl.strippers.wire import Wire

WIDTHS = (1, 3, 8, 9, 130, 300)
ROW = np.random.default_rng(1).normal(size=3)


def rows_of(width: int, dtype: str, rows: int = 7) -> np.ndarray:
    return (np.random.default_rng(width).normal(size=(rows, width)) * 3).astype(dtype)


def made(function: Callable[[Any], Any], x: np.ndarray, held: str | None = None) -> np.ndarray:
    """Return what a function of a wire gives for rows, in the type and shape it is held in."""
    kind: Kind = "float32" if x.dtype == np.float32 else "float64"
    build = Builder(Signature((Column(None, kind),) * x.shape[1], "array"))
    wire = function(build.table().matrix())
    assert isinstance(wire, Wire)
    out = evaluate(build.finish({"m": wire}), x, None)["m"]
    return out.astype(wire.numbers)[:, 0] if wire.ndim == 1 else out.astype(wire.numbers)


FUNCTIONS: tuple[Callable[[Any], Any], ...] = (
    lambda x: x + 1,
    lambda x: 1 - x * ROW,
    lambda x: x / ROW.astype(np.float32),
    lambda x: np.float64(3) * x,
    lambda x: x**2 + x**3.0,
    lambda x: np.abs(x) ** 0.5 + np.abs(x) ** -1,
    lambda x: x @ np.arange(6.0).reshape(3, 2),
    lambda x: x @ ROW.astype(np.float32),
    lambda x: x[:, 1] - x[:, -1],
    lambda x: x[:, ::2] * x[:, [1]],
    lambda x: x[:, np.array([True, False, True])] * x[:, 1][:, None],
    lambda x: x[..., 2] > 0,
    lambda x: (x > 0) & ~(x[:, [0]] <= 1) | (x == 0),
    lambda x: (x != 0) * 2.0,
    lambda x: np.exp(x) + np.log(np.abs(x)) - np.sqrt(np.abs(x)) * np.tanh(x),
    lambda x: np.floor(x) + np.ceil(x) - np.sign(x) + np.square(x) + np.fabs(x),
    lambda x: np.isfinite(x / 0) | np.isinf(x) | np.isnan(x),
    lambda x: np.where(x > 0, x, -1),
    lambda x: np.where(x > 0, ROW, 2.0),
    lambda x: np.clip(x, -1, ROW),
    lambda x: np.maximum(x, 0) + np.minimum(1.5, x),
    lambda x: np.column_stack([x[:, 0], x, x > 1]),
    lambda x: np.hstack([x, np.ones_like(x[:, :1])]),
    lambda x: np.concatenate([x, x], axis=1),
    lambda x: np.stack([x[:, 0], x[:, 2]], axis=1),
    lambda x: np.argmax(x, axis=1) + 0.5,
    lambda x: np.argmax(x, axis=1) * np.argmin(x, axis=1) - 1,
    lambda x: np.argmin(x, axis=-1),
    lambda x: np.take(x, [2, 0], axis=1),
    lambda x: x.mean(axis=1) - x.min(1) + x.max(axis=1) * x.clip(0, 1).sum(axis=1),
    lambda x: np.sum(x > 0, axis=1),
    lambda x: (x > 0).astype(np.float32).dot(ROW),
    lambda x: x.sum(axis=1, keepdims=True) * x.copy(),
    lambda x: np.add.reduce(x, axis=1),
    lambda x: np.zeros_like(x) + np.full_like(x, 2),
    lambda x: x[:, 0].reshape(-1, 1) + x[:, :1].ravel()[:, None],
    lambda x: special.expit(x),
    lambda x: np.sin(x) - np.rint(x) + np.arcsinh(x),
)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_function_of_a_wire_is_the_function_of_its_rows(number: int, dtype: str) -> None:
    x = rows_of(3, dtype)
    theirs = FUNCTIONS[number](x)
    ours = made(FUNCTIONS[number], x)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if theirs.dtype.kind == "f":
        # Products go through BLAS, whose order is open.
        np.testing.assert_allclose(ours, theirs, rtol=1e-14 if dtype == "float64" else 2e-6)
    else:
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("width", WIDTHS)
def test_sums_are_numpys_to_the_bit(width: int, dtype: str) -> None:
    x = rows_of(width, dtype, rows=50)
    assert made(lambda w: np.sum(w, axis=1), x).tobytes() == np.sum(x, axis=1).tobytes()
    assert made(lambda w: w.mean(axis=1), x).tobytes() == x.mean(axis=1).tobytes()


@pytest.mark.parametrize(
    "op", [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow]
)
def test_what_is_computed_in_place_keeps_its_type(op: Any) -> None:
    x = np.abs(rows_of(3, "float32"))
    theirs = x.copy()
    theirs = op(theirs, ROW)
    assert theirs.dtype == np.float32
    assert made(lambda w: op(w, ROW), x).tobytes() == theirs.tobytes()


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: np.sum(x, axis=0), "a sum along axis 0"),
        (lambda x: np.sum(x), "a sum along axis None"),
        (lambda x: x[:, 0].max(), "an extreme along axis None"),
        (lambda x: np.argmax(x), "argmax along axis None"),
        (lambda x: x[0], "a choice of rows"),
        (lambda x: x[x[:, 0] > 0], "a choice of rows"),
        (lambda x: len(x), "the number of rows"),
        (lambda x: range(x.shape[0]), "the number of rows"),
        (lambda x: list(x), "a loop over the rows"),
        (lambda x: x if x > 0 else -x, "a decision by the values"),
        (lambda x: x - x[:, 0], "columns meet its rows"),
        (lambda x: x[:, 0] * ROW, r"an array of the shape \(3,\), which has rows"),
        (lambda x: x * np.ones((7, 3)), r"an array of the shape \(7, 3\)"),
        (lambda x: np.concatenate([x, x]), "joining arrays along axis 0"),
        (
            lambda x: np.hstack([x, np.ones((7, 1))]),
            "joining x with an array that has rows of its own",
        ),
        (lambda x: np.stack([x, x], axis=1), "stacking arrays along axis 1"),
        (lambda x: ROW @ x, "second matrix is computed"),
        (lambda x: x @ x, "second matrix is computed"),
        (lambda x: x.reshape(3, -1), r"reshape\(3, -1\)"),
    ],
)
def test_what_mixes_rows_says_so(function: Any, what: str) -> None:
    with pytest.raises(UnsupportedModelError, match=f"{what}.*each row alone; work along axis 1"):
        made(function, rows_of(3, "float64"))


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (np.cbrt, "np.cbrt has no operator"),
        (lambda x: np.median(x, axis=1), "np.median has no operator"),
        (lambda x: np.exp(x, where=[True]), "np.exp.__call__ with where has no operator"),
        (lambda x: np.add.accumulate(x, axis=1), "np.add.accumulate"),
        (lambda x: np.logical_or(x, x > 0), "are written for truth values only"),
        (special.gammaln, "gammaln has no operator"),
        (lambda x: x.__setitem__((slice(None), 0), 1.0), "is written to"),
        (lambda x: np.asarray(x), "known only when the program runs"),
        (lambda x: x & x, "np.bitwise_and takes other numbers"),
        (lambda x: x.astype(np.longdouble), "computes in "),
        (lambda x: x.astype("datetime64[s]"), "is not written"),
        (lambda x: x // 2, "np.floor_divide of float64 numbers has no operator"),
    ],
)
def test_what_has_no_equivalent_is_refused(function: Any, what: str) -> None:
    with pytest.raises(UnsupportedModelError, match=what):
        made(function, rows_of(3, "float64"))
