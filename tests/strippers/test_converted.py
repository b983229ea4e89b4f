"""Classes that skl2onnx has converters for, and no stripper knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skl2onnx import update_registered_converter
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.algebra.onnx_operator import OnnxSubEstimator
from skl2onnx.algebra.onnx_ops import (
    OnnxAdd,
    OnnxArgMax,
    OnnxArrayFeatureExtractor,
    OnnxCumSum,
    OnnxMatMul,
    OnnxReshape,
    OnnxSoftmax,
    OnnxSub,
)
from skl2onnx.common.data_types import Int64TensorType, StringTensorType
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.utils.validation import check_array

import sclbl
from sclbl.errors import FidelityError, MissingValueError, UnsupportedModelError
from sclbl.strippers import dispatch
from tests.conformance.beside import check

RNG = np.random.default_rng(8)
X = RNG.normal(size=(150, 4)) @ RNG.normal(size=(4, 4))
Y = X @ [1.0, 2, 3, 4] + RNG.normal(size=150)


class Rotated(TransformerMixin, BaseEstimator):
    def fit(self, X: Any, y: Any = None) -> Any:
        self.mean_ = X.mean(axis=0)
        self.coef_ = np.linalg.inv(np.linalg.cholesky(np.cov(X.T)).T)
        return self

    def transform(self, X: Any) -> Any:
        return (check_array(X) - self.mean_) @ self.coef_


class Soft(ClassifierMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> Any:
        self.inner_ = LogisticRegression().fit(X, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X: Any) -> Any:
        scores = np.asarray(X) @ self.inner_.coef_.T + self.inner_.intercept_
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


class Doubled(RegressorMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> Any:
        self.inner_ = LinearRegression().fit(X, y)
        return self

    def predict(self, X: Any) -> Any:
        return self.inner_.predict(X) * 2


def _like_input(columns: Callable[[Any], int]) -> Callable[[Any], None]:
    def shape(operator: Any) -> None:
        x = operator.inputs[0]
        width = columns(operator.raw_operator)
        operator.outputs[0].type = type(x.type)([x.get_first_dimension(), width])

    return shape


def _of_classes(operator: Any) -> None:
    x, model = operator.inputs[0], operator.raw_operator
    kind = Int64TensorType if model.classes_.dtype.kind in "iu" else StringTensorType
    operator.outputs[0].type = kind([x.get_first_dimension()])
    operator.outputs[1].type = type(x.type)([x.get_first_dimension(), len(model.classes_)])


def rotated(scope: Any, operator: Any, container: Any) -> None:
    _rotated(scope, operator, container, 1.0)


def _rotated(scope: Any, operator: Any, container: Any, scale: float) -> None:
    model, at = operator.raw_operator, container.target_opset
    apart = OnnxSub(operator.inputs[0], model.mean_ * scale, op_version=at)
    made = OnnxMatMul(apart, model.coef_, op_version=at, output_names=operator.outputs[:1])
    made.add_to(scope, container)


def soft(scope: Any, operator: Any, container: Any) -> None:
    model, at = operator.raw_operator, container.target_opset
    product = OnnxMatMul(operator.inputs[0], model.inner_.coef_.T, op_version=at)
    scores = OnnxAdd(product, model.inner_.intercept_, op_version=at)
    shares = OnnxSoftmax(scores, axis=1, op_version=at, output_names=operator.outputs[1:])
    codes = OnnxArgMax(shares, axis=1, keepdims=0, op_version=at)
    found = OnnxArrayFeatureExtractor(model.classes_, codes, op_version=at)
    rows = np.array([-1], dtype=np.int64)
    labels = OnnxReshape(found, rows, op_version=at, output_names=operator.outputs[:1])
    shares.add_to(scope, container)
    labels.add_to(scope, container)


def doubled(scope: Any, operator: Any, container: Any) -> None:
    at = container.target_opset
    one = OnnxSubEstimator(operator.raw_operator.inner_, operator.inputs[0], op_version=at)
    both = OnnxAdd(one, one, op_version=at, output_names=operator.outputs[:1])
    both.add_to(scope, container)


def wrong(scope: Any, operator: Any, container: Any) -> None:
    _rotated(scope, operator, container, 1 + 1e-9)


def unknown(scope: Any, operator: Any, container: Any) -> None:
    axis = np.array([1], dtype=np.int64)
    options = {"op_version": container.target_opset, "output_names": operator.outputs[:1]}
    OnnxCumSum(operator.inputs[0], axis, **options).add_to(scope, container)


def broken(scope: Any, operator: Any, container: Any) -> None:
    raise RuntimeError("no such thing")


def registered(cls: type, convert: Any, shape: Any = None) -> None:
    width = _like_input(lambda model: model.coef_.shape[1] if hasattr(model, "coef_") else 1)
    options = {"zipmap": [False, True, "columns"], "nocl": [True, False]} if shape else None
    update_registered_converter(
        cls, f"Theirs{cls.__name__}", shape or width, convert, overwrite=True, options=options
    )


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    before = dict(sklearn_operator_name_map)
    yield
    sklearn_operator_name_map.clear()
    sklearn_operator_name_map.update(before)


def test_transformers() -> None:
    model = Rotated().fit(X)
    with pytest.raises(UnsupportedModelError, match="no stripper knows"):
        sclbl.compile(model, X[:5])
    registered(Rotated, rotated)
    check(model, X[:5], X, rtol=1e-12, atol=1e-14)
    frame = pd.DataFrame(X, columns=list("abcd"))
    program = sclbl.compile(model, frame[:5])
    np.testing.assert_allclose(program.transform(frame), model.transform(X), rtol=1e-12, atol=1e-14)
    with pytest.raises(MissingValueError, match="row 1, column 'c'"):
        program.transform(frame[:3].assign(c=[1, np.nan, 2]))


@pytest.mark.parametrize("labels", [["a", "bc", "d"], [5, -2, 7]], ids=str)
def test_classifiers(labels: Any) -> None:
    registered(Soft, soft, _of_classes)
    y = np.array(labels)[np.arange(len(X)) % 3]
    model = Soft().fit(X, y)
    assert check(model, X[:5], X, rtol=1e-13).methods == ("predict", "predict_proba")
    assert sclbl.compile(model, X[:5]).predict([[np.nan] * 4]) == model.predict([[np.nan] * 4])
    steps = make_pipeline(StandardScaler(), Rotated(), Soft())
    registered(Rotated, rotated)
    program = sclbl.compile(steps.fit(X, y), X[:5])
    np.testing.assert_array_equal(program.predict(X), steps.predict(X))
    assert model.classes_.dtype == y.dtype


def test_regressors() -> None:
    registered(Doubled, doubled)
    check(Doubled().fit(X, Y), X[:5], X, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("convert", "error", "why"),
    [
        (wrong, FidelityError, "does not predict what the model predicts"),
        (
            unknown,
            UnsupportedModelError,
            r"compiled \(.*operator CumSum is not supported",
        ),
        (broken, UnsupportedModelError, "its converter in skl2onnx raises RuntimeError .* no such"),
    ],
)
def test_converters_that_will_not_do(convert: Any, error: type[Exception], why: str) -> None:
    registered(Rotated, convert)
    with pytest.raises(error, match=why):
        sclbl.compile(Rotated().fit(X), X[:5])


def test_text_is_not_converted() -> None:
    registered(Rotated, rotated)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(d="x")
    with pytest.raises(UnsupportedModelError, match="Rotated needs number in column 'd'"):
        sclbl.compile(Rotated().fit(X), frame[:5])


def test_what_sclbl_knows_is_never_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(Rotated, broken)
    monkeypatch.setattr(dispatch, "_REGISTERED", {})
    sclbl.register(Rotated)
    check(Rotated().fit(X), X[:5], X, rtol=1e-12, atol=1e-14)
    assert StandardScaler in sklearn_operator_name_map
    check(StandardScaler().fit(X), X[:5], X)
    with pytest.raises(UnsupportedModelError, match="it encodes targets"):
        sclbl.compile(LabelEncoder().fit([1, 2]), X[:5])
