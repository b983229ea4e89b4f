"""KNNImputer: donors, ties among them, empty columns, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # so that it is there
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sclbl
from sclbl.errors import FidelityError, MissingValueError, UnsupportedModelError
from sclbl.fidelity import donors
from sclbl.fidelity.against_model import Check
from sclbl.strippers import strip
from tests.kept import compiled, program_of

RNG = np.random.default_rng(20)
X = RNG.normal(size=(60, 4))
X[RNG.random(X.shape) < 0.25] = np.nan
ROWS = RNG.normal(size=(300, 4)) * 2
ROWS[RNG.random(ROWS.shape) < 0.3] = np.nan
ROWS[:20], ROWS[20] = X[:20], np.nan
#: Numbers of one decimal: many are equally near, some of them but for rounding.
IRIS, SPECIES = load_iris(return_X_y=True)
HOLES = np.where(RNG.random(IRIS.shape) < 0.2, np.nan, IRIS)


def same(model: Any, x: np.ndarray, rows: np.ndarray) -> None:
    spec = strip(model.fit(x), x[:5])
    with np.errstate(all="ignore"):
        wanted = model.transform(rows)
    found = donors.as_chosen(spec, "transform", rows, program_of(spec).transform(rows))
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    bar = 1e-12 if found.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(found, wanted, rtol=bar, atol=bar)


@pytest.mark.parametrize(
    "options",
    [
        {"n_neighbors": 1},
        {"n_neighbors": 100, "weights": "distance"},
        {"weights": "distance", "add_indicator": True},
        {"missing_values": -1, "n_neighbors": 3},
        {"weights": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_options(options: dict[str, Any], dtype: str) -> None:
    marker = options.get("missing_values", np.nan)
    x, rows = (np.nan_to_num(v, nan=marker).astype(dtype) for v in (X, ROWS))
    same(KNNImputer(**options), x, rows)


@pytest.mark.parametrize("keep", [True, False])
def test_a_column_that_was_missing_throughout(keep: bool) -> None:
    x = X.copy()
    x[:, 1] = np.nan
    same(KNNImputer(keep_empty_features=keep, add_indicator=True), x, ROWS)


def test_rows_of_which_no_column_is_a_donor_s() -> None:
    x = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 5.0], [np.nan, 7.0]])
    rows = np.array([[1.5, np.nan], [np.nan, 5.5], [np.nan, np.nan]])
    model = KNNImputer().fit(x)
    found = program_of(strip(model, x)).transform(rows)
    np.testing.assert_array_equal(found, [[1.5, 6], [1.5, 5.5], [1.5, 6]])
    np.testing.assert_array_equal(found, model.transform(rows))


def test_a_number_whose_square_is_infinite_is_near_no_donor() -> None:
    rows = np.array([[1e200, np.nan, 0, 0], [1e20, np.nan, 0, 0]])
    same(KNNImputer(), X, rows[:1])
    same(KNNImputer(), X.astype("float32"), rows[1:].astype("float32"))


def test_the_first_ones_of_equally_near_donors_are_taken() -> None:
    x = np.array([[0.0, 1.0], [2.0, 10.0], [2.0, 20.0], [0.0, 100.0], [1.0, np.nan]])
    found = program_of(strip(KNNImputer(n_neighbors=3).fit(x), x)).transform([[1.0, np.nan]])
    np.testing.assert_allclose(found, [[1.0, 31.0 / 3]])


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_equally_near_donors_are_compared_on_the_model_s_choice(weights: str) -> None:
    same(KNNImputer(weights=weights), HOLES, HOLES)
    forest = RandomForestClassifier(10, random_state=0)
    model = make_pipeline(StandardScaler(), KNNImputer(n_neighbors=2, weights=weights), forest)
    model.fit(HOLES, SPECIES)
    assert sclbl.compile(model, HOLES[:10], verify_on=HOLES).report.ok


@pytest.mark.parametrize("change", [{"k": 4}, {"means": np.zeros(4)}, {"by_distance": 1}])
def test_other_values_than_the_model_s_are_found(change: dict[str, Any]) -> None:
    rows = np.where(np.isnan(HOLES).all(axis=1)[:, None], 1.0, HOLES)
    rows[0] = np.nan
    model = KNNImputer().fit(HOLES)
    spec = strip(model, rows[:10])
    nodes = [
        replace(node, attrs={**node.attrs, **change}) if node.op == "sclbl.ImputeNearest" else node
        for node in spec.graph.nodes
    ]
    wrong = replace(spec, graph=replace(spec.graph, nodes=tuple(nodes)))
    with pytest.raises(FidelityError, match="does not predict what the model predicts"):
        Check(model, wrong, compiled(wrong), None).run(rows[:10], rows)


def test_between_what_a_missing_number_may_be() -> None:
    x = np.array([[0.0, 1.0], [2.0, 10.0], [2.0, 20.0], [-2.0, 90.0], [9.0, 1e6]])
    # The row is the first donor itself, or by rounding 1e-6 away from it.
    bounds = {"uniform": ((1 + 10 + 20) / 3, (1 + 20 + 90) / 3), "distance": (1.0, 1.000058)}
    for weights, wanted in bounds.items():
        spec = strip(KNNImputer(n_neighbors=3, weights=weights).fit(x), x)
        node = next(n for n in spec.graph.nodes if n.op == "sclbl.ImputeNearest")
        low, high, size = donors.reach(node, np.array([0.0, np.nan]), 1)
        np.testing.assert_allclose((low, high), wanted, rtol=1e-6)
        assert size == 90


def test_what_is_refused() -> None:
    for options, message in (
        ({"weights": lambda d: d}, 'use "uniform", "distance"'),
        ({"metric": lambda a, b, **_: 0.0}, "a function for metric"),
        ({"missing_values": None}, "use NaN or a number"),
    ):
        x = np.nan_to_num(X) if "missing_values" in options else X
        with pytest.raises(UnsupportedModelError, match=message):
            strip(KNNImputer(**options).fit(x), x[:4])
    nothing = np.full((5, 2), np.nan)
    with pytest.raises(UnsupportedModelError, match="keep_empty_features=True"):
        strip(KNNImputer().fit(nothing), nothing)
    full = np.nan_to_num(X)
    program = program_of(strip(KNNImputer(missing_values=-1).fit(full), full[:4]))
    with pytest.raises(MissingValueError):
        program.transform(ROWS)


def test_an_indicator_that_was_fitted_on_complete_rows() -> None:
    rows = RNG.normal(size=(60, 4))
    for model in (KNNImputer(add_indicator=True), IterativeImputer(add_indicator=True)):
        found = sclbl.compile(model.fit(rows), X[:5]).transform(X)
        np.testing.assert_allclose(found, model.transform(X), rtol=1e-12, atol=1e-12)
        assert found.shape == X.shape


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_dataframes_are_compared_on_the_model_s_choice_of_donors(weights: str) -> None:
    rows = np.round(2 * X)
    program = sclbl.compile(KNNImputer(weights=weights).fit(rows), rows[:20])
    assert program.report is not None
    assert "pandas" in program.report.frames
