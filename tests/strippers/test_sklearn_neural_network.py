"""Multi-layer perceptrons in their variations."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

import sclbl

RNG = np.random.default_rng(6)
X = RNG.normal(size=(70, 3))
SIZE = X[:, 0] + X[:, 1] ** 2
ROWS = RNG.normal(size=(600, 3)) * 3
LABELS: dict[str, Any] = {
    "two": np.where(SIZE > 1, "y", "n"),
    "three": np.digitize(SIZE, [0, 1]),
    "several": np.column_stack([SIZE > 0, X[:, 1] > 1, X[:, 2] > 0]).astype(int),
    "one": np.full(70, "only"),
}


def fit(model: Any, x: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it need not converge
        return model.set_params(max_iter=20, random_state=0).fit(x, y)


def same(model: Any, x: Any, rows: Any) -> None:
    program = sclbl.compile(model, x[:4])
    for method in program.methods:
        ours, theirs = getattr(program, method)(rows), getattr(model, method)(rows)
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        if theirs.dtype.kind == "f":
            bar = 1e-12 if theirs.dtype == np.float64 else 1e-4
            np.testing.assert_allclose(ours, theirs, rtol=bar, atol=bar / 100)
        else:
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "relu", "tanh"])
def test_classifiers(activation: str, labels: str) -> None:
    model = fit(MLPClassifier((4, 3), activation=activation), X, LABELS[labels])
    same(model, X, ROWS)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_rows_of_other_types(dtype: str) -> None:
    x, rows = (X * 3).astype(dtype), (ROWS * 3).astype(dtype)
    same(fit(MLPClassifier((4,)), x, LABELS["three"]), x, rows)
    same(fit(MLPRegressor(hidden_layer_sizes=()), x, SIZE), x, rows)


def test_a_network_whose_output_is_an_exponential() -> None:
    model = MLPRegressor(hidden_layer_sizes=(4,))
    if "loss" not in model.get_params():
        pytest.skip("this release has one loss")
    same(fit(model.set_params(loss="poisson"), X, np.abs(SIZE)), X, ROWS / 3)
