"""What is said to someone whose object no stripper knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest
import sklearn
import statsmodels
import statsmodels.api as sm
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.cluster import DBSCAN
from sklearn.linear_model import LinearRegression
from sklearn.manifold import TSNE
from sklearn.utils import all_estimators
from statsmodels.tsa.ar_model import AutoReg

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import strip
from sclbl.strippers.advice import MODULES, SKLEARN, Advice
from sclbl.strippers.statsmodels.results import formulas
from sclbl.strippers.table import classes

#: The names of scikit-learn's classes that have a stripper.
SUPPORTED = {n.rpartition(".")[2] for n in classes() if n.startswith("sklearn.")}
X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


def unsupported() -> list[Any]:
    return [c for n, c in all_estimators() if n not in SUPPORTED]


def message(model: Any) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        strip(model, X)
    text = str(caught.value)
    assert text.startswith("no stripper knows ")
    assert text.endswith(
        "; or teach sclbl this class: sclbl.register(cls) where its methods are "
        "made of NumPy's functions, else sclbl.register(cls, stripper)"
    )
    return text


@pytest.mark.parametrize("cls", unsupported(), ids=lambda c: c.__name__)
def test_every_class_of_sklearn_without_a_stripper_has_a_way_out(cls: Any) -> None:
    advice = next(a for a, names in SKLEARN.items() if cls.__name__ in names.split())
    assert str(advice) in message(cls.__new__(cls))
    for name in advice.instead.split():
        assert name in SUPPORTED
    assert advice.instead or re.search(
        r"\w+_\b|attribute estimator|classifier alone|call", advice.do
    )
    # An attribute that is named is one that the class documents.
    for attribute in re.findall(r"\b[a-z]+(?:_[a-z]+)*_\b", advice.do):
        assert attribute in cls.__doc__, attribute


def test_no_advice_is_given_on_what_is_supported_or_twice() -> None:
    names = [name for group in SKLEARN.values() for name in group.split()]
    assert len(names) == len(set(names))
    assert not set(names) & SUPPORTED


def advices() -> Iterator[Advice]:
    yield from SKLEARN
    yield from MODULES.values()


def test_classes_that_are_named_are_supported() -> None:
    known = {name.rpartition(".")[2] for name in classes()}
    for advice in advices():
        for name in advice.instead.split():
            assert name in SUPPORTED
        for word in re.findall(
            r"\b(?:XGB\w+|[A-Z][a-z]+[A-Z]\w+|OLS|GLM|[WG]LS|GLSAR|RLM)\b", advice.do
        ):
            assert word in known | {"SerializeToString", "NegativeBinomial"}, word
    names = str(MODULES["statsmodels"]).rpartition(": ")[2].split(", ")
    assert {n.rpartition(".")[2] for n in formulas()} == set(names)


def test_some_of_what_people_have() -> None:
    dbscan = message(DBSCAN().fit(X))
    assert "fit a classifier to its labels_ and upload that: DecisionTreeClassifier" in dbscan
    assert "Lars" not in dbscan
    assert "it maps only the rows that it was fitted on; fit a decomposition" in message(TSNE())
    assert "compute lagged columns and fit OLS" in message(AutoReg(X[:, 0], 1).fit())
    ordered = sm.OrdinalGEE(np.arange(40) % 3, X, np.arange(40) // 4)
    assert "GLM or GEE with the same family" in message(ordered)
    assert "sclbl takes what fit() of these models of statsmodels returns: OLS, " in message(
        sm.PHReg(np.arange(1.0, 41.0), X)
    )


@pytest.mark.parametrize(
    ("module", "name", "wanted"),
    [
        ("lightgbm.sklearn", "LGBMClassifier", "HistGradientBoostingClassifier"),
        ("lightgbm.basic", "Booster", "XGBClassifier or XGBRegressor"),
        ("catboost.core", "CatBoostRegressor", "HistGradientBoostingRegressor"),
        ("torch.nn.modules.container", "Sequential", "sclbl.upload('model.onnx', example_input)"),
        ("keras.src.models", "Functional", "export it to an ONNX file"),
        ("onnx.onnx_ml_pb2", "ModelProto", "model.SerializeToString()"),
        ("somewhere.else", "Lars", "docs/models.md lists them"),
    ],
)
def test_classes_of_other_libraries(module: str, name: str, wanted: str) -> None:
    cls = type(name, (), {"__module__": module})
    assert wanted in message(cls())


def test_estimators_that_nobody_knows_are_told_by_their_kind() -> None:
    class Mine(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
        pass

    class Other(TransformerMixin, BaseEstimator):  # type: ignore[misc]
        pass

    class Broken(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def __sklearn_tags__(self) -> Any:
            raise AttributeError("estimator")

    assert "fit a classifier that is supported: LogisticRegression" in message(Mine())
    assert "fit a transformer that is supported: StandardScaler" in message(Other())
    assert "docs/models.md lists them" in message(Broken())


def test_objects_that_are_no_models() -> None:
    model = LinearRegression().fit(X, Y)
    assert "pass the fitted model inside it, ['m'], a LinearRegression" in message({"m": model})
    assert "pass the fitted model inside it, [1], a LinearRegression" in message([1, model])
    assert "docs/models.md lists them" in message({"coef": [1.0]})
    assert "fit the model first" in message(None)
    assert "it is a module" in message(sklearn)
    assert "it is a module" in message(statsmodels)
    assert "it is a method; pass the LinearRegression whose method" in message(model.predict)
    assert "it is a function" in message(lambda rows: rows)
    assert "it is a function" in message(len)
    assert "it is data; the model comes first" in message(X)
    assert "it is data; the model comes first" in message(pd.DataFrame(X))
    assert "stands in for a model in tests" in message(MagicMock(spec=LinearRegression))
