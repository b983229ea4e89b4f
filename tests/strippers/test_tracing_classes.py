"""Classes of users whose methods are followed as they stand, beside what they do themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.exceptions import NotFittedError as NotFitted
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

import sclbl
from sclbl.errors import (
    ColumnError,
    FidelityError,
    InfiniteValueError,
    MissingValueError,
    NotFittedError,
    OutOfRangeError,
    UnsupportedModelError,
)
from sclbl.strippers import dispatch
from tests.conformance.beside import check

RNG = np.random.default_rng(3)
X = RNG.normal(size=(300, 3)) * 2
ODD = np.array([[np.nan, 0.0, -0.0], [np.inf, -np.inf, 1.0], [1e300, -1e-300, np.nan]])
WEIGHTS = np.array([0.5, -2.0, 3.0])


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_REGISTERED", {})


class Stateless(TransformerMixin, BaseEstimator):
    def fit(self, X: Any, y: Any = None) -> Any:
        return self


def made(transform: Callable[..., Any], **attributes: Any) -> Any:
    """Return a fitted transformer of a registered class with this method."""
    cls: Any = type("Theirs", (Stateless,), {"transform": transform})
    sclbl.register(cls)
    model = cls()
    vars(model).update(attributes)
    return model


# -------------------------------------------------------------------------- arrays


def writes(self: Any, X: Any) -> Any:
    X = np.array(X, dtype=float)
    X[:, 0] = np.log1p(np.abs(X[:, 0]))
    X[X < -1] = -1
    X[np.isnan(X)] = 0
    X[:, [0, 2]] = X[:, [0, 2]] + 1
    X[X[:, 1] > 1, 2] = 4
    out = np.zeros((X.shape[0], 2))
    out[:, 0] = X[:, 0] / (1 + X[:, 1] ** 2)
    out[:, 1] = sum(X[:, i] * w for i, w in enumerate(WEIGHTS))
    return np.hstack([X, out, np.ones((len(X), 1)), np.c_[X[:, 0], X[:, 1]]])


def views(self: Any, X: Any) -> Any:
    a = X.copy()
    b = a[:, :2]
    c = b[:, 1]
    d = a[:, 2].reshape(-1, 1)
    e = a[:, [0, 1]]  # of its own
    c[:] = 7
    b[:, 0] += 1
    d -= 3
    e *= 100
    a[:, 1:][X[:, 1:] > 1] = 9.5
    return np.hstack([a, b, d, e])


def narrow(self: Any, X: Any) -> Any:
    X = np.clip(np.nan_to_num(X), -100, 100).astype("int64")
    X[:, 0] = X[:, 1] / 2
    X[X[:, 2] > 0] = 5
    return X


def columns(self: Any, X: Any) -> Any:
    _, k = X.shape
    pairs = [X[:, i] * X[:, j] for i in range(k) for j in range(i)]
    return np.vstack([*pairs, X.sum(axis=1), X.mean(1), X.max(axis=1), X.T[1]]).T


def composed(self: Any, X: Any) -> Any:
    X = np.asarray(X)
    return np.column_stack([
        X.std(axis=1), X.var(axis=1, ddof=1), np.linalg.norm(X, axis=1), np.any(X > 1, axis=1),
        np.linalg.norm(X, 1, axis=1), np.linalg.norm(X, np.inf, axis=1), np.all(X > 0, axis=1),
        np.cumsum(X, axis=1), X.prod(axis=1), np.diff(X, axis=1), np.nansum(X, axis=1),
        np.nanmean(np.where(np.isnan(X), 1, X), axis=1), np.polyval([1, 2, 3], X[:, 0]),
        np.round(X, 2), X.round(), np.round(X, -1), np.nan_to_num(X), np.amax(X, axis=1),
        np.delete(X, 1, axis=1), np.squeeze(X[:, :1]), np.expand_dims(X[:, 1], 1),
        np.isin(np.rint(X), [1, 2]), np.searchsorted([-1.0, 0.0, 1.0], X[:, 0]),
        np.select([X[:, 0] > 1, X[:, 0] > 0], [X[:, 1], 3.0], -1), np.flip(WEIGHTS)[0] * X[:, 0],
    ])  # fmt: skip


def looked_up(self: Any, X: Any) -> Any:
    bins = np.digitize(X[:, 0], [-1, 0, 1.0])
    return np.column_stack([self.table[bins], self.means[bins], self.counts[bins] * 2, bins])


def local_tables(self: Any, X: Any) -> Any:
    out = np.empty_like(X)
    out[:] = np.take(np.array([5.0, 6.0, 7.0]), np.argmax(X, axis=1))[:, None]
    out[:, 0] = np.array([[1.0, 2.0]] * 3)[np.argmin(X, axis=1)][:, 1]
    return out


def of_other_functions(self: Any, X: Any) -> Any:
    import numpy as own
    from numpy import asarray

    root = lambda z: own.sqrt(own.abs(z))  # noqa: E731
    scale = functools.partial(_scaled, by=2)
    return scale(root(asarray(X))) + self.helper.shift(X) + own.asarray([1, 2, 3])


def _scaled(x: Any, by: float) -> Any:
    return np.asarray(x) * by


class Helper:
    shifts = WEIGHTS

    def shift(self, x: Any) -> Any:
        return np.array(x) + self.shifts


@pytest.mark.parametrize(
    "transform",
    [writes, views, narrow, columns, composed, looked_up, local_tables, of_other_functions],
    ids=lambda f: f.__name__,
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_methods_that_are_followed(transform: Callable[..., Any]) -> None:
    table, means = np.array([10.0, 20, 30, 40]), RNG.normal(size=(4, 2))
    counts = np.array([5, 6, 7, 8])
    model = made(transform, table=table, means=means, counts=counts, helper=Helper())
    rows = X if transform is composed else np.vstack([X, ODD])
    check(model, X[:5], rows, rtol=1e-14)
    program = sclbl.compile(model, X[:5])
    np.testing.assert_allclose(program.transform(X), model.transform(X), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool"])
def test_methods_keep_the_type_of_rows(dtype: str) -> None:
    rows = (X > 0).astype(dtype) if dtype == "bool" else X.astype(dtype)
    for transform in (
        lambda self, X: X + X,
        lambda self, X: np.asarray(X, dtype=float) / 3,
        lambda self, X: np.where(X > 0, X, 0),
        lambda self, X: np.full((len(X), 2), 3) * X[:, :1],
    ):
        check(made(transform), rows[:5], rows)


# -------------------------------------------------------------------------- models


def _softmax(scores: Any) -> Any:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


class Nearest(ClassifierMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> Any:
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.centers_ = np.array([X[codes == i].mean(axis=0) for i in range(len(self.classes_))])
        return self

    def decision_function(self, X: Any) -> Any:
        check_is_fitted(self)
        X = check_array(X)
        return -np.array([np.linalg.norm(X - c, axis=1) for c in self.centers_]).T

    def predict_proba(self, X: Any) -> Any:
        return _softmax(self.decision_function(X))

    def predict(self, X: Any) -> Any:
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


class Above(ClassifierMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> Any:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.where(X.sum(axis=1) > 0, self.classes_[1], self.classes_[0])


class Taken(Above):
    def predict(self, X: Any) -> Any:
        return self.classes_.take((X[:, 1] > np.array([0.5, 1.0])[0]).astype(int))


@pytest.mark.parametrize("cls", [Above, Taken])
@pytest.mark.parametrize("classes", [["no", "yes"], [3, 7]], ids=str)
def test_labels(cls: Any, classes: Any) -> None:
    sclbl.register(cls)
    check(cls().fit(X, np.array(classes)[np.arange(len(X)) % 2]), X[:5], X)


@pytest.mark.parametrize("classes", [["a", "bc", "d"], [5, -2, 7], [False, True, True]], ids=str)
def test_classifiers(classes: Any) -> None:
    y = np.array(classes)[np.arange(len(X)) % 3]
    model = Nearest().fit(X, y)
    with pytest.raises(UnsupportedModelError, match=r"sclbl\.register\(cls\) where its methods"):
        sclbl.compile(model, X[:5])
    sclbl.register(Nearest)
    spec = check(model, X[:5], X)
    assert spec.methods == ("predict", "predict_proba", "decision_function")
    program = sclbl.compile(make_pipeline(StandardScaler(), Nearest()).fit(X, y), X[:5])
    with pytest.raises(InfiniteValueError, match="row 1, column '2'"):
        program.predict([[1, 2, 3], [1, 2, np.inf]])
    with pytest.raises(NotFittedError, match="Nearest is not fitted"):
        sclbl.compile(Nearest(), X[:5])


class Blend(RegressorMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> Any:
        self.scaler_ = StandardScaler().fit(X)
        Z = self.scaler_.transform(X)
        self.models_ = [LinearRegression().fit(Z, y), LinearRegression().fit(Z**2, y)]
        self.sign_ = LogisticRegression().fit(X, y > 0)
        return self

    def predict(self, X: Any) -> Any:
        Z = self.scaler_.transform(X)
        first, second = (m.predict(z) for m, z in zip(self.models_, (Z, Z**2), strict=True))
        both = np.mean(np.column_stack([first, second]), axis=1)
        return np.where(self.sign_.predict(X), both, both * self.sign_.predict_proba(X)[:, 1])


class Squashed(StandardScaler):
    def transform(self, X: Any, copy: Any = None) -> Any:
        return np.tanh(super().transform(X) / 2)


def test_estimators_inside_and_above() -> None:
    y = X @ [1, 2, -1] + RNG.normal(size=len(X))
    model = Squashed().fit(X)
    with pytest.raises(UnsupportedModelError, match=r"is a subclass .*sclbl\.register\(cls\)"):
        sclbl.compile(model, X[:5])
    sclbl.register(Blend)
    sclbl.register(Squashed, sclbl.traced("transform"))
    check(Blend().fit(X, y), X[:5], X, rtol=1e-14)
    check(model, X[:5], X, rtol=1e-14)
    spec = check(make_pipeline(Squashed(), Blend()).fit(X, y), X[:5], X, rtol=1e-13)
    assert "sklearn.linear_model._base.LinearRegression" in spec.source.models
    program = sclbl.compile(model, X[:5])
    with pytest.raises(InfiniteValueError):
        program.transform([[np.inf, 0, 0]])


class Checked(TransformerMixin, BaseEstimator):
    def __init__(self, **options: Any) -> None:
        self.options = options

    def fit(self, X: Any, y: Any = None) -> Any:
        validate_data(self, X)
        return self

    def transform(self, X: Any) -> Any:
        return validate_data(self, X, reset=False, **self.options) * 2

    def inverse_transform(self, X: Any) -> Any:
        return X / 2


def test_checks_of_scikit_learn() -> None:
    sclbl.register(Checked)
    for options, rows, refused in (
        ({}, X, [MissingValueError, InfiniteValueError, None]),
        ({"ensure_all_finite": "allow-nan"}, X, [None, InfiniteValueError, None]),
        ({"ensure_all_finite": False}, X, [None, None, None]),
        ({"ensure_non_negative": True}, np.abs(X), [MissingValueError, InfiniteValueError,
                                                    OutOfRangeError]),
        ({"dtype": np.float32}, X, [MissingValueError, InfiniteValueError, None]),
        ({"dtype": [np.float64, np.float32]}, X.astype("int32"), [None, None, None]),
        ({"dtype": None}, X.astype("int32"), [None, None, None]),
    ):  # fmt: skip
        model = Checked().fit(rows)
        model.options = options
        check(model, rows[:5], rows)
        program = sclbl.compile(model, rows[:5])
        for bad, error in zip([np.nan, np.inf, -3.0], refused, strict=True):
            if rows.dtype.kind == "i":
                continue
            one = np.array([[1.0, bad, 2.0]])
            if error is None:
                np.testing.assert_array_equal(program.transform(one), model.transform(one))
                continue
            with pytest.raises(ValueError):
                model.transform(one)
            with pytest.raises(error, match=r"row 0, column '?1"):
                program.transform(one)
    with pytest.raises(ColumnError):
        sclbl.compile(model, X[:5, :2])
    sclbl.register(Checked, sclbl.traced("transform", "inverse_transform"))
    program = sclbl.compile(model, X[:5], methods=["inverse_transform"])
    np.testing.assert_array_equal(program.inverse_transform(X), X / 2)


# ------------------------------------------------------------------------- refusals


def of_values(self: Any, X: Any) -> Any:
    if X.max() > 3:  # decides
        return X
    return -X


def of_rows(self: Any, X: Any) -> Any:
    return np.array([row.sum() for row in X])  # loops


def of_numbers_of_rows(self: Any, X: Any) -> Any:
    sums = []
    for i in range(len(X)):  # counts
        sums.append(X[i].sum())  # noqa: PERF401
    return np.array(sums)


def of_some_rows(self: Any, X: Any) -> Any:
    return X[X[:, 0] > 0]  # chooses


def of_a_library(self: Any, X: Any) -> Any:
    from scipy.spatial.distance import cdist

    return cdist(X, X[:2])  # chooses


def of_a_part(self: Any, X: Any) -> Any:
    return _deeper(X)


def _deeper(x: Any) -> Any:
    return np.fft.fft(x)  # unknown


def of_a_truth(self: Any, X: Any) -> Any:
    return X if (X > 0).all(axis=1) else -X  # asks


def of_a_method(self: Any, X: Any) -> Any:
    return X.tolist()  # lists


def of_nothing(self: Any, X: Any) -> Any:
    return 3.0


@pytest.mark.parametrize(
    ("transform", "line", "why"),
    [
        (of_values, r"if X.max\(\) > 3:  # decides", "an extreme along axis None"),
        (of_rows, "return np.array.*# loops", "a loop over the rows"),
        (of_numbers_of_rows, r"for i in range\(len\(X\)\):  # counts", "the number of rows"),
        (of_some_rows, ".*# chooses", "a choice of rows"),
        (of_a_library, ".*# chooses", "a choice of rows"),
        (of_a_part, r"return np.fft.fft\(x\)  # unknown", "np.fft has no operator"),
        (of_a_truth, ".*# asks", "a decision by the values"),
        (of_a_method, ".*# lists", "the attribute tolist"),
    ],
    ids=lambda f: getattr(f, "__name__", None),
)
def test_what_cannot_be_followed_names_the_line(
    transform: Callable[..., Any], line: str, why: str
) -> None:
    where = rf"Theirs\.transform holds Python code that cannot be compiled \({__file__}, line \d+"
    with pytest.raises(UnsupportedModelError, match=rf"{where}: {line}\): {why}.*np\.where"):
        sclbl.compile(made(transform), X[:5])


def test_what_returns_no_rows() -> None:
    first = of_nothing.__code__.co_firstlineno
    with pytest.raises(UnsupportedModelError, match=f"line {first}\\): it does not return columns"):
        sclbl.compile(made(of_nothing), X[:5])


def test_a_method_with_a_state_is_found_out() -> None:
    with pytest.raises(FidelityError, match="it is random, or it has a state"):
        sclbl.compile(made(lambda self, X: X + np.random.normal()), X[:5])  # noqa: NPY002


def test_code_that_catches_errors_is_not_called_a_defect() -> None:
    def swallows(self: Any, X: Any) -> Any:
        try:
            return X[X[:, 0] > 0]
        except ValueError:
            return X

    def swallows_all(self: Any, X: Any) -> Any:
        try:
            return X[X[:, 0] > 0]
        except Exception:
            return X

    for one in (swallows, swallows_all):
        with pytest.raises(UnsupportedModelError, match=r"return X\[X.*: a choice of rows"):
            sclbl.compile(make_pipeline(made(one), StandardScaler()).fit(X), X[:5])


def test_what_fit_did_not_leave() -> None:
    model = made(lambda self, X: X - self.mean_)
    with pytest.raises(NotFittedError, match="is not fitted: it has no mean_"):
        sclbl.compile(model, X[:5])
    model = made(lambda self, X: check_is_fitted(self))
    with pytest.raises(NotFitted):
        model.transform(X)
    with pytest.raises(NotFittedError, match="Theirs is not fitted"):
        sclbl.compile(model, X[:5])


def test_a_union_is_fitted_where_its_parts_are() -> None:
    first, second = made(lambda self, X: X[:, :1] * 2), made(lambda self, X: X[:, 1:])
    for union in (make_union(first, second), make_union(first, make_pipeline(StandardScaler()))):
        union.fit(X)
        program = sclbl.compile(union, X[:5])
        np.testing.assert_allclose(program.transform(X), union.transform(X), rtol=1e-12)
    with pytest.raises(NotFittedError, match="StandardScaler is not fitted"):
        sclbl.compile(make_union(first, StandardScaler()), X[:5])
    with pytest.raises(NotFitted):  # a Pipeline asks its last step at each call
        make_pipeline(first).fit(X).transform(X)
    with pytest.raises(NotFittedError, match="Pipeline is not fitted"):
        sclbl.compile(make_pipeline(first).fit(X), X[:5])


def test_what_may_be_registered() -> None:
    with pytest.raises(TypeError, match="takes the names of methods"):
        sclbl.traced(3)  # type: ignore[arg-type]  # that is the test
    sclbl.register(Checked, sclbl.traced("transform", "predict"))
    with pytest.raises(UnsupportedModelError, match="with the methods predict, which it does not"):
        sclbl.compile(Checked().fit(X), X[:5])
