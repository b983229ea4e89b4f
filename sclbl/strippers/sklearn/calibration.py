"""`sklearn.calibration`: the mean of classifiers whose scores calibrators make probabilities of."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.inside import answer, method_of, response
from sclbl.strippers.sklearn.isotonic import interpolated

_ASKED = ["decision_function", "predict_proba"]


class CalibratedClassifierCV(Stripper):
    """The estimators get the rows as they came."""

    tells_missing = takes_sparse = True

    @method
    def predict(self, model: Any, x: Table) -> Any:
        return ops.labels(np.argmax(self.predict_proba(model, x), axis=1), model.classes_)

    @method
    @once
    def predict_proba(self, model: Any, x: Table) -> Any:
        total: Any = None
        for i, one in enumerate(model.calibrated_classifiers_):
            asked = method_of(one.estimator, _ASKED)
            name = f"calibrated_classifiers_[{i}].estimator"
            made = response(one.estimator, answer(one.estimator, x, asked, name), asked)
            scores = made.reshape(-1, 1) if made.width == 1 else made
            p = _METHODS[one.method](one, scores, asked)
            p = np.where((p > 1.0) & (p <= 1.0 + 1e-5), 1.0, p)
            total = p if total is None else total + p
        return total / len(model.calibrated_classifiers_)


def _one_by_one(one: Any, scores: Any, asked: str) -> Any:
    """Return probabilities of which each comes from a score of its own, by their sum."""
    count = len(one.classes)
    made = [
        _CALIBRATORS[one.method](calibrator, scores[:, [i]]).astype(np.float64).reshape(-1, 1)
        for i, calibrator in enumerate(one.calibrators)
    ]
    if count == 2:
        return ops.concat([1.0 - made[0], made[0]])
    places = np.searchsorted(one.classes, one.estimator.classes_)
    if len(made) < count:  # classes that the estimator was not fitted on
        made.append(ops.constant_column(scores, 0.0))
        places = np.append(places, np.setdiff1d(np.arange(count), places))
        made += [made[-1]] * (len(places) - len(made))
    p: Any = ops.concat(made)[:, np.argsort(places)]
    total = np.sum(p, axis=1, keepdims=True)
    return np.where(total == 0, 1 / count, p / np.where(total == 0, 1.0, total))


def _sigmoid(calibrator: Any, scores: Any) -> Any:
    return ops.libm_sigmoid(-(calibrator.a_ * scores + calibrator.b_))


def _temperature(one: Any, scores: Any, asked: str) -> Any:
    """Return the softmax of scaled scores, or of logarithms of what are probabilities already.

    scikit-learn asks whether all rows of a call are such; a program asks each row.
    """
    scores = ops.refuse(scores, nan=True)
    if scores.width == 1 and asked == "predict_proba":
        scores = ops.concat([1 - scores, scores])
    if scores.width == 1:
        logits = ops.concat([-scores, scores])
    else:
        total = np.sum(scores, axis=1, keepdims=True)
        inside = (np.min(scores, axis=1, keepdims=True) >= 0) & (
            np.max(scores, axis=1, keepdims=True) <= 1
        )
        chances = inside & (np.absolute(total - 1.0) <= 1e-8 + 1e-5)
        logits = np.where(chances, np.log(scores + 1e-12), scores)
    return ops.softmax(one.calibrators[0].beta_ * logits).astype(np.float64)


_CALIBRATORS = {"isotonic": interpolated, "sigmoid": _sigmoid}
_METHODS = {"isotonic": _one_by_one, "sigmoid": _one_by_one, "temperature": _temperature}

CLASSES: dict[str, Stripper] = {"CalibratedClassifierCV": CalibratedClassifierCV()}
