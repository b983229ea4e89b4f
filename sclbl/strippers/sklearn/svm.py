"""`sklearn.svm`: the linear ones, and those of libsvm, which sum over support vectors.

libsvm computes in float64. Its sums go through the support vectors in order, class after class;
products of vectors are BLAS's.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Declared, method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.linear_model import LINEAR_CLASSIFIER, LinearRegressor


class SupportVectors(Estimator):
    """What the estimators of libsvm share."""

    def check(self, model: Any) -> None:
        if callable(model.kernel):
            raise UnsupportedModelError(
                f"{type(model).__name__}(kernel={model.kernel!r}) computes its kernel in Python, "
                'which cannot be compiled; use "linear", "poly", "rbf" or "sigmoid", or give rows '
                'of kernel values to kernel="precomputed"'
            )

    def rows(self, model: Any, x: Any) -> Any:
        if x.sparse and not model._sparse:
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted on dense rows and refuses sparse ones; give it "
                "dense rows, or fit it on sparse ones"
            )
        return super().rows(model, x).astype(np.float64)

    @once
    def kernels(self, model: Any, x: Any) -> Any:
        """Return the kernel of each row and each support vector (``Kernel::k_function``)."""
        if model.kernel == "precomputed":
            return x[:, model.support_]
        vectors = _dense(model.support_vectors_)
        if model.kernel == "rbf":
            return ops.libm_exp(-model._gamma * ops.point_sums(x, vectors, "squares"))
        product = x @ vectors.T
        if model.kernel == "linear":
            return product
        scaled = model._gamma * product + model.coef0
        return np.tanh(scaled) if model.kernel == "sigmoid" else _power(scaled, int(model.degree))

    def one_sum(self, model: Any, x: Wire) -> Any:
        """Return the sum over all support vectors, of two classes or none."""
        rho = -float(model._intercept_[0])
        if not len(model.support_):
            return ops.constant_column(x, 0.0 - rho).ravel()
        return ops.sum_in_order(_dense(model._dual_coef_)[0] * self.kernels(model, x)) - rho


class SVR(SupportVectors):
    """`SVR` and `NuSVR`."""

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return self.one_sum(model, x)


class OneClassSVM(SupportVectors):
    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return np.where(self.one_sum(model, x) > 0, 1, -1)

    @method
    def decision_function(self, model: Any, x: Wire) -> Any:
        return self.one_sum(model, x)

    @method
    def score_samples(self, model: Any, x: Wire) -> Any:
        return self.decision_function(model, x) + model.offset_


class SVC(SupportVectors):
    """`SVC` and `NuSVC`: a decision for each pair of classes, and a vote."""

    def offers(self, model: Any) -> Mapping[str, Declared]:
        refused = {"predict"} if model.break_ties and not _one_vs_rest(model) else set()
        return {m: d for m, d in super().offers(model).items() if m not in refused}

    @once
    def decisions(self, model: Any, x: Wire) -> Any:
        """Return libsvm's own decisions, ``[rows, pairs]``: above 0 for a pair's first class."""
        if len(model.classes_) == 2:
            return self.one_sum(model, x)[:, None]
        return ops.pair_sums(
            self.kernels(model, x), _dense(model._dual_coef_), model._n_support
        ) - -np.asarray(model._intercept_)

    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        count = len(model.classes_)
        if model.break_ties and count > 2:
            return ops.decide(self.decision_function(model, x), model.classes_)
        first = self.decisions(model, x) > 0
        if count == 2:
            return ops.labels(~first, model.classes_)
        return ops.decide(_votes(first, count), model.classes_)

    @method
    def decision_function(self, model: Any, x: Wire) -> Any:
        decisions, count = self.decisions(model, x), len(model.classes_)
        if count == 2:
            return -decisions.ravel()
        return one_vs_rest(decisions < 0, -decisions, count) if _one_vs_rest(model) else decisions

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        if not model._probA.size or not model._probB.size:
            raise UnsupportedModelError(
                f"{type(model).__name__}.predict_proba needs probability=True before fit; fit it "
                "again, or leave predict_proba and predict_log_proba out of methods"
            )
        return ops.couple(self.decisions(model, x), model._probA, model._probB)

    @method
    def predict_log_proba(self, model: Any, x: Wire) -> Any:
        return np.log(self.predict_proba(model, x))


def one_vs_rest(predictions: Any, confidences: Any, count: int) -> Any:
    """Write `sklearn.utils.multiclass._ovr_decision_function`."""
    sums = []
    for c in range(count):
        pairs = [(k, pair) for k, pair in enumerate(_pairs(count)) if c in pair]
        signs = np.array([-1.0 if pair[0] == c else 1.0 for _, pair in pairs])
        own = confidences[:, [k for k, _ in pairs]] * signs
        sums.append(ops.sum_in_order(own, keepdims=True))
    total = ops.concat(sums)
    return _votes(~predictions, count) + total / (3 * (np.abs(total) + 1))


def _votes(first: Any, count: int) -> Any:
    """Count for each class the pairs that it wins: the first of a pair, or else the second."""
    won, lost = np.zeros((2, count * (count - 1) // 2, count))
    for k, (i, j) in enumerate(_pairs(count)):
        won[k, i] = lost[k, j] = 1
    return first.astype(np.float64) @ (won - lost) + lost.sum(axis=0)


def _pairs(count: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(count), 2))


def _one_vs_rest(model: Any) -> bool:
    return bool(model.decision_function_shape == "ovr")


def _power(base: Any, times: int) -> Any:
    """Multiply as ``powi`` does: by squares."""
    made = np.ones_like(base)
    while times > 0:
        if times % 2:
            made = made * base
        base, times = base * base, times // 2
    return made


def _dense(matrix: Any) -> np.ndarray:
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)


CLASSES = {
    **dict.fromkeys(["NuSVC", "SVC"], SVC()),
    **dict.fromkeys(["NuSVR", "SVR"], SVR()),
    "LinearSVC": LINEAR_CLASSIFIER,
    "LinearSVR": LinearRegressor(),
    "OneClassSVM": OneClassSVM(),
}
