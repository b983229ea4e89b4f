"""Gradient boosting of scikit-learn: raw predictions bit-equal, probabilities where exp is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sclbl.errors import InfiniteValueError, MissingValueError, UnsupportedModelError
from sclbl.signature import Column
from sclbl.strippers import dispatch
from tests.tree_checks import (
    graph_of,
    run,
    same_bits,
    same_chances,
    same_labels,
    same_log_chances,
)
from tests.tree_rows import adversarial, thresholds

# scikit-learn looks for NaN by summing X, which overflows where both extremes are in it.
pytestmark = pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
X[:, 3] = np.round(X[:, 3])
SCORE = X[:, 0] * 2 + X[:, 3] + RNG.normal(size=300) * 0.5
TWO = np.where(SCORE > 0, "yes", "no")
FOUR = np.digitize(SCORE, [-2, 0, 1.5]) + 10
SMALL: dict[str, Any] = {"n_estimators": 12, "random_state": 0}

CLASSIFIERS: dict[str, tuple[Any, np.ndarray]] = {
    "two": (GradientBoostingClassifier(**SMALL), TWO),
    "exponential": (GradientBoostingClassifier(loss="exponential", **SMALL), TWO),
    "zero": (GradientBoostingClassifier(init="zero", **SMALL), TWO),
    "four": (GradientBoostingClassifier(subsample=0.6, **SMALL), FOUR),
    "four-zero": (GradientBoostingClassifier(init="zero", learning_rate=1.0, **SMALL), FOUR),
    "prior": (GradientBoostingClassifier(init=DummyClassifier(), **SMALL), FOUR),
    "early": (
        GradientBoostingClassifier(n_estimators=60, n_iter_no_change=3, random_state=0),
        TWO,
    ),
}
REGRESSORS: dict[str, Any] = {
    "squared": GradientBoostingRegressor(**SMALL),
    "absolute": GradientBoostingRegressor(loss="absolute_error", **SMALL),
    "huber": GradientBoostingRegressor(loss="huber", alpha=0.8, **SMALL),
    "quantile": GradientBoostingRegressor(loss="quantile", alpha=0.3, **SMALL),
    "zero": GradientBoostingRegressor(init="zero", subsample=0.5, **SMALL),
    "median": GradientBoostingRegressor(init=DummyRegressor(strategy="median"), **SMALL),
    "model": GradientBoostingRegressor(init=DecisionTreeRegressor(max_depth=2), **SMALL),
}


def rows_for(model: Any) -> tuple[Any, np.ndarray]:
    graph = graph_of(model, 4)
    return graph, adversarial(X, thresholds(graph))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier(name: str) -> None:
    model, y = CLASSIFIERS[name]
    model.fit(X, y)
    graph, rows = rows_for(model)
    got = run(graph, rows)
    same_bits(got["decision_function"], model.decision_function(rows))
    same_labels(graph, got["predict"], model.predict(rows))
    same_chances(got["predict_proba"], model.predict_proba(rows))
    same_log_chances(got["predict_log_proba"], model.predict_log_proba(rows))


@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_regressor(name: str, dtype: type) -> None:
    model = REGRESSORS[name].fit(X, SCORE)
    graph = graph_of(model, (Column(None, np.dtype(dtype).name),) * 4)
    rows = adversarial(X, thresholds(graph)).astype(dtype)
    same_bits(run(graph, rows)["predict"], model.predict(rows))


@pytest.mark.parametrize(
    ("loss", "y"), [("log_loss", TWO), ("exponential", TWO), ("log_loss", FOUR)]
)
def test_classifier_that_starts_from_a_model(loss: str, y: np.ndarray) -> None:
    # The start passes through a logarithm, so the sums are equal up to its last digits.
    init = DecisionTreeClassifier(max_depth=2, min_samples_leaf=20)
    model = GradientBoostingClassifier(loss=loss, init=init, **SMALL).fit(X, y)
    graph, rows = rows_for(model)
    got = run(graph, rows)
    np.testing.assert_allclose(
        got["decision_function"].reshape(len(rows), -1),
        model.decision_function(rows).reshape(len(rows), -1),
        rtol=1e-12,
        atol=1e-14,
    )
    np.testing.assert_allclose(got["predict_proba"], model.predict_proba(rows), atol=1e-14)
    same_labels(graph, got["predict"], model.predict(rows))


@pytest.mark.parametrize("classes", [8, 11, 17, 140])
def test_probabilities_of_many_classes(classes: int) -> None:
    # From eight classes on, the order in which numpy.sum adds shows in the last digits.
    y = np.arange(300) % classes
    model = GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0).fit(X, y)
    graph, rows = rows_for(model)
    same_chances(run(graph, rows)["predict_proba"], model.predict_proba(rows))


def test_two_classes_tie_for_the_second() -> None:
    # A constant feature leaves one leaf of value 0, so the raw prediction is exactly 0.
    flat = np.zeros((8, 1))
    y = np.array([0, 1] * 4)
    model = GradientBoostingClassifier(n_estimators=1, init="zero").fit(flat, y)
    assert model.decision_function(flat)[0] == 0
    graph = graph_of(model, 1)
    same_labels(graph, run(graph, flat)["predict"], model.predict(flat))
    assert model.predict(flat)[0] == 1


def test_apply_of_a_regressor_takes_missing_values_as_the_source_does() -> None:
    model = GradientBoostingRegressor(**SMALL).fit(X, SCORE)
    assert dispatch.optional(model) == ("apply",)
    graph = graph_of(model, 4, ["apply"])
    rows = adversarial(X, thresholds(graph), missing=0.1)
    with np.errstate(all="ignore"):
        same_bits(run(graph, rows)["apply"], model.apply(rows))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e300])
def test_refuses_what_the_source_refuses(value: float) -> None:
    model = GradientBoostingRegressor(**SMALL).fit(X, SCORE)
    rows = X[:2].copy()
    rows[1, 3] = value
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.predict(rows)
    error = MissingValueError if np.isnan(value) else InfiniteValueError
    with pytest.raises(error, match="row 1, column 3"):
        run(graph_of(model, 4), rows)


def test_random_init_is_refused() -> None:
    init = DummyClassifier(strategy="stratified", random_state=0)
    model = GradientBoostingClassifier(init=init, **SMALL).fit(X, TWO)
    with pytest.raises(UnsupportedModelError, match=r"stratified.*predicts at random; fit it with"):
        dispatch.methods(model)


def test_init_without_a_stripper_is_refused() -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor

    model = GradientBoostingRegressor(init=GaussianProcessRegressor(), **SMALL)
    model.fit(X[:40], SCORE[:40])
    with pytest.raises(UnsupportedModelError, match=r"no stripper knows .*GaussianProcess"):
        graph_of(model, 4)
