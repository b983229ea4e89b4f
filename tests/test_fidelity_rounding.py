"""Results whose own digits hang on rounding, of models that look at numbers in between."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import KernelPCA
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.kernel_approximation import Nystroem, SkewedChi2Sampler
from sklearn.linear_model import LogisticRegression, SGDOneClassSVM
from sklearn.pipeline import make_pipeline

import sclbl
from sclbl.fidelity.accept import noise_of


def test_a_value_inside_that_rounding_makes_nan_is_not_refused() -> None:
    """Rows far away have kernels of 0, whose distances are sums near the range of floats."""
    x = np.random.default_rng(0).normal(scale=0.5, size=(255, 2))
    model = make_pipeline(
        Nystroem(gamma=0.1, random_state=42, n_components=150),
        SGDOneClassSVM(nu=0.15, random_state=42, tol=1e-6),
    ).fit(x)
    report = sclbl.compile(model, x[:5]).report
    assert report is not None
    assert report.ok


def test_components_that_are_all_rounding_are_accepted_far_away() -> None:
    """Distances are infinite there, and kernels 0."""
    angle = np.linspace(0, 40, 200)
    x = np.column_stack([np.cos(angle), np.sin(angle)]) * np.where(angle < 20, 0.3, 1.0)[:, None]
    report = sclbl.compile(KernelPCA(kernel="rbf", gamma=10).fit(x), x[:5]).report
    assert report is not None
    assert report.ok


def test_a_row_that_an_ulp_brings_out_of_range_stays_as_it_is() -> None:
    x = np.random.default_rng(0).uniform(size=(20, 2))
    model = SkewedChi2Sampler(skewedness=1.0, random_state=0).fit(x)
    rows = np.concatenate([x[:3], [[np.nextafter(-1, 0), 1.0]], x[3:5]])
    program = sclbl.compile(model, x[:5])
    assert program.spec is not None
    measure = noise_of(program, program.spec, "transform", rows)
    assert measure is not None
    assert (measure()[[0, 1, 2, 4, 5]] > 0).any(axis=1).all()


def test_beside_trees_that_stay_what_is_no_tree_may_move() -> None:
    rng = np.random.default_rng(3)
    x = (1e4 + rng.normal(size=(200, 6))).astype(np.float32)
    y = x[:, 0] > x[:, 1]
    forest = RandomForestClassifier(5, random_state=0)
    model = VotingClassifier([("linear", LogisticRegression()), ("trees", forest)], voting="soft")
    model.fit(x, y)
    # Scores are differences of large numbers, which rounding in float32 moves.
    linear = model.estimators_[0]
    linear.coef_ = np.array([[1.0, -1.0] * 3], dtype=np.float32)
    linear.intercept_ = np.zeros(1, dtype=np.float32)
    program = sclbl.compile(model, x[:20], verify_on=x)
    assert program.spec is not None
    measure = noise_of(program, program.spec, "transform", x)
    assert measure is not None
    moved = measure()
    assert (moved[:, :2] > 0).any(axis=1).all()
    np.testing.assert_array_equal(moved[:, 2:], 0)
