"""Users' classes made of scikit-learn's estimators, which call what these have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import sclbl
from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch

RNG = np.random.default_rng(6)
X = RNG.normal(size=(80, 3))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_REGISTERED", {})


def same(cls: type, method: str) -> None:
    sclbl.register(cls)
    model = cls().fit(X, Y)
    program = sclbl.compile(model, X[:5], methods=[method])
    found, wanted = getattr(program, method)(X), getattr(model, method)(X)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "base",
    [
        DecisionTreeClassifier, GaussianNB, HistGradientBoostingClassifier, LogisticRegression,
        RandomForestClassifier,
    ],
)  # fmt: skip
def test_probabilities_of_a_parent(base: Any) -> None:
    class Careful(base):  # type: ignore[misc]  # any of them
        def predict(self, X: Any) -> Any:
            return (self.predict_proba(X)[:, 1] > 0.3).astype(int)

    class Scores(base):  # type: ignore[misc]  # any of them
        def transform(self, X: Any) -> Any:
            return self.predict_proba(X) * 2

    same(Careful, "predict")
    same(Scores, "transform")
    same(Scores, "predict")


@pytest.mark.parametrize("base", [LogisticRegression, RidgeClassifier, SVC])
def test_scores_of_a_parent(base: Any) -> None:
    class Bold(base):  # type: ignore[misc]  # any of them
        def predict(self, X: Any) -> Any:
            return np.where(self.decision_function(X) > 1.0, 1, super().predict(X))

    same(Bold, "predict")


def test_a_transform_that_is_inherited() -> None:
    class Scaled(StandardScaler):  # type: ignore[misc]  # of untyped code
        def predict(self, X: Any) -> Any:
            return self.transform(X)[:, 0]

    same(Scaled, "transform")
    same(Scaled, "predict")


def test_a_parent_that_calls_what_its_child_has_anew() -> None:
    class Shifted(LogisticRegression):  # type: ignore[misc]  # of untyped code
        def decision_function(self, X: Any) -> Any:
            return super().decision_function(X) - 1.0

    same(Shifted, "decision_function")
    why = r"LinearClassifierMixin\.predict is called, which calls decision_function, and Shifted"
    with pytest.raises(UnsupportedModelError, match=why):
        sclbl.compile(Shifted().fit(X, Y), X[:5], methods=["predict"])


def test_classes_that_sclbl_knows_are_not_followed() -> None:
    for stripper in (None, sclbl.traced("predict")):
        with pytest.raises(TypeError, match="LogisticRegression is known to sclbl"):
            sclbl.register(LogisticRegression, stripper)
    assert sclbl.compile(LogisticRegression().fit(X, Y), X[:5]).predict(X[:1]).shape == (1,)
