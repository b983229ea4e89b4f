"""KernelDensity: kernels, metrics, tolerances, weights, and tails that rounding decides."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sclbl
from sclbl.errors import FidelityError, MissingValueError, UnsupportedModelError
from sclbl.fidelity import tails
from sclbl.fidelity.against_model import Check
from sclbl.reference import evaluate
from sclbl.strippers import strip
from tests.kept import compiled, program_of

RNG = np.random.default_rng(21)
X = RNG.normal(size=(300, 3))
#: Among the points, around them, and far from all.
ROWS = np.concatenate([RNG.normal(size=(60, 3)) * size for size in (1.0, 3.0, 30.0)])
WEIGHTS = RNG.random(300)


def same(model: Any, rows: np.ndarray = ROWS) -> Any:
    """Compare a program, and its definition, with the model; return the spec."""
    spec = strip(model, X[:5])
    wanted, found = model.score_samples(rows), program_of(spec).score_samples(rows)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    wanted = tails.settled(spec, "score_samples", rows, found, wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    return spec


@pytest.mark.parametrize("breadth", [False, True])
@pytest.mark.parametrize(
    "kernel", ["gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine"]
)
def test_kernels(kernel: Any, breadth: bool) -> None:
    for options in ({}, {"algorithm": "ball_tree", "metric": "canberra", "bandwidth": 0.3}):
        given = {"bandwidth": 0.8, "kernel": kernel, "breadth_first": breadth, **options}
        same(KernelDensity(**given).fit(X))
        same(KernelDensity(**given).fit(X, sample_weight=WEIGHTS))


@pytest.mark.parametrize(
    "options",
    [
        {"bandwidth": "scott"},
        {"bandwidth": "silverman", "leaf_size": 1},
        {"rtol": 0},
        {"rtol": 0.01, "breadth_first": True},
        {"atol": 1e-4, "rtol": 0},
        {"metric": "chebyshev"},
        {"metric": "minkowski", "metric_params": {"p": 3}},
    ],
    ids=str,
)
def test_options(options: dict[str, Any]) -> None:
    same(KernelDensity(**options).fit(X))


def test_without_tolerance_the_density_is_that_of_its_formula() -> None:
    near = ROWS[:60]
    squares = ((near[:, None] - X[None]) ** 2).sum(axis=2)
    sums = np.log(np.exp(-squares / (2 * 0.7**2)).mean(axis=1))
    wanted = sums - 1.5 * math.log(2 * math.pi) - 3 * math.log(0.7)
    spec = strip(KernelDensity(bandwidth=0.7, rtol=0).fit(X), X[:5])
    found = program_of(spec).score_samples(near)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_weights_of_zero_and_points_in_one_place() -> None:
    weights = np.where(WEIGHTS < 0.5, 0.0, WEIGHTS)
    with np.errstate(divide="ignore"):
        same(KernelDensity(bandwidth=0.8).fit(X, sample_weight=weights))
    same(KernelDensity(kernel="tophat").fit(X[:1]))
    same(KernelDensity(kernel="linear").fit(np.repeat(X[:2], 90, axis=0)))


def test_the_definition_stops_where_the_model_stops() -> None:
    model = KernelDensity(bandwidth=0.8, kernel="exponential", rtol=1e-3).fit(X)
    spec = strip(model, X[:5])
    found = evaluate(spec.graph, ROWS[:60], None)["score_samples"][:, 0]
    np.testing.assert_allclose(found, model.score_samples(ROWS[:60]), rtol=1e-12, atol=1e-12)


def test_other_densities_than_the_model_s_are_found() -> None:
    model = KernelDensity(bandwidth=0.8).fit(X)
    spec = strip(model, X[:5])
    (node,) = (node for node in spec.graph.nodes if node.op == "sclbl.LogDensity")
    settings = node.attrs["settings"] * np.array([1.0 + 1e-9, 1, 1, 1, 1])
    wrong = replace(node, attrs={**node.attrs, "settings": settings})
    nodes = tuple(wrong if n is node else n for n in spec.graph.nodes)
    spec = replace(spec, graph=replace(spec.graph, nodes=nodes))
    with pytest.raises(FidelityError, match="does not predict what the model predicts"):
        Check(model, spec, compiled(spec), None).run(X[:5], X)


def test_what_is_left_of_a_bound_is_taken_for_equal() -> None:
    spec = strip(KernelDensity(kernel="tophat").fit(X), X[:5])
    rows = np.zeros((4, 3))
    # Of a tophat, whose bound is a weight of 300, a sum of 1e-14 is nothing, and one of 1 is not.
    theirs = np.log([1e-14, 1e-14, 1.0, 1.0]) - math.log(4 * math.pi / 3) - math.log(300)
    ours = np.array([-np.inf, theirs[1] - 2, -np.inf, theirs[3] + 1e-8])
    found = tails.settled(spec, "score_samples", rows, ours, theirs)
    np.testing.assert_array_equal(found, [*ours[:2], *theirs[2:]])


def test_verified_in_a_pipeline_and_missing_values_refused() -> None:
    model = make_pipeline(StandardScaler(), KernelDensity(kernel="epanechnikov")).fit(X)
    program = sclbl.compile(model, X[:20], verify_on=ROWS)
    assert program.report.ok
    with pytest.raises(MissingValueError):
        program.score_samples([[0.0, np.nan, 1.0]])


def test_a_bandwidth_whose_square_is_zero() -> None:
    model = KernelDensity(bandwidth=1e-200).fit(ROWS)
    with pytest.raises(UnsupportedModelError, match="a bandwidth of 1e-200, whose square is no"):
        sclbl.compile(model, ROWS)
