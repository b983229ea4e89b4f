"""Gradient boosting of scikit-learn in the corners: starts from models, ties, refused starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.tree import DecisionTreeClassifier

import sclbl
from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, strip
from tests.conformance.beside import check
from tests.conformance.threshold_rows import adversarial, thresholds

# scikit-learn looks for NaN by summing X, which overflows where both extremes are in it.
pytestmark = pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
X[:, 3] = np.round(X[:, 3])
SCORE = X[:, 0] * 2 + X[:, 3] + RNG.normal(size=300) * 0.5
TWO = np.where(SCORE > 0, "yes", "no")
FOUR = np.digitize(SCORE, [-2, 0, 1.5]) + 10
SMALL: dict[str, Any] = {"n_estimators": 12, "random_state": 0}


@pytest.mark.parametrize(
    ("loss", "y"), [("log_loss", TWO), ("exponential", TWO), ("log_loss", FOUR)]
)
def test_classifier_that_starts_from_a_model(loss: str, y: np.ndarray) -> None:
    # The start passes through a logarithm, so the sums are equal up to its last digits.
    init = DecisionTreeClassifier(max_depth=2, min_samples_leaf=20)
    model = GradientBoostingClassifier(loss=loss, init=init, **SMALL).fit(X, y)
    rows = adversarial(X, thresholds(strip(model, X[:5]).graph))
    check(model, X[:5], rows, rtol=1e-12, atol=1e-14)


def test_two_classes_tie_for_the_second() -> None:
    # A constant feature leaves one leaf of value 0, so the raw prediction is exactly 0.
    flat = np.zeros((8, 1))
    y = np.array([0, 1] * 4)
    model = GradientBoostingClassifier(n_estimators=1, init="zero").fit(flat, y)
    assert model.decision_function(flat)[0] == 0
    assert model.predict(flat)[0] == 1
    check(model, flat, rtol=1e-15)


@pytest.mark.parametrize(("y", "trees"), [(TWO, 1), (FOUR, 4)])
def test_leaves_of_each_stage_and_class(y: np.ndarray, trees: int) -> None:
    model = GradientBoostingClassifier(**SMALL).fit(X, y)
    program = sclbl.compile(model, X[:5], methods=["apply"])
    found = program.apply(X)
    assert found.shape == (len(X), model.n_estimators_, trees)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, model.apply(X))
    np.testing.assert_array_equal(program.apply(X[3:4]), found[3:4])


def test_random_init_is_refused() -> None:
    init = DummyClassifier(strategy="stratified", random_state=0)
    model = GradientBoostingClassifier(init=init, **SMALL).fit(X, TWO)
    with pytest.raises(UnsupportedModelError, match=r"stratified.*predicts at random; fit it with"):
        dispatch.methods(model)


def test_init_without_a_stripper_is_refused() -> None:
    class Own(DummyRegressor):
        pass

    model = GradientBoostingRegressor(init=Own(), **SMALL)
    model.fit(X[:40], SCORE[:40])
    with pytest.raises(UnsupportedModelError, match=r"Own is a subclass of sklearn\.dummy\.Dummy"):
        strip(model, X[:4])
