"""`sklearn.discriminant_analysis`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.linear_model import LinearClassifier, softmax


class LinearDiscriminantAnalysis(LinearClassifier):
    takes_sparse = False

    def offers(self, model: Any) -> Any:
        offered = dict(super().offers(model))
        if model.solver == "lsqr":  # which leaves nothing to project on
            del offered["transform"]
        return offered

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        decision = self.decision_function(model, x)
        if len(model.classes_) > 2:
            return softmax(decision)
        chance = ops.sigmoid(decision)
        return ops.concat([1 - chance, chance])

    @method
    def predict_log_proba(self, model: Any, x: Wire) -> Any:
        chances = self.predict_proba(model, x)
        smallest = np.finfo(chances.numbers).smallest_normal
        return np.log(np.where(chances == 0, smallest, chances))

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        centered = x - model.xbar_ if model.solver == "svd" else x
        scalings = model.scalings_[:, : model._max_components]
        if not scalings.shape[1]:
            raise UnsupportedModelError(
                f"{type(model).__name__} keeps no component, so transform results in no columns; "
                "leave transform out of methods"
            )
        return centered @ scalings


class DiscriminantScores(Estimator):
    """`DiscriminantAnalysisPredictionMixin`: the class whose discriminant score is largest."""

    def scores(self, model: Any, x: Wire) -> Any:
        """Return logarithms of posteriors but for a constant, ``[rows, classes]``."""
        raise NotImplementedError

    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        return ops.labels(np.argmax(self.scores(model, x), axis=1), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        return np.exp(self.predict_log_proba(model, x))

    @method
    def predict_log_proba(self, model: Any, x: Wire) -> Any:
        scores = self.scores(model, x)
        likelihood = scores - np.max(scores, axis=1, keepdims=True)
        return likelihood - np.log(np.sum(np.exp(likelihood), axis=1, keepdims=True))

    @method
    def decision_function(self, model: Any, x: Wire) -> Any:
        scores = self.scores(model, x)
        return scores[:, 1] - scores[:, 0] if len(model.classes_) == 2 else scores


class QuadraticDiscriminantAnalysis(DiscriminantScores):
    @once
    def scores(self, model: Any, x: Any) -> Any:
        norms = [
            np.sum(((x - mean) @ (rotation * scaling ** (-0.5))) ** 2, axis=1)
            for mean, rotation, scaling in zip(
                model.means_, model.rotations_, model.scalings_, strict=True
            )
        ]
        logs = np.asarray([np.sum(np.log(s)) for s in model.scalings_])
        return -0.5 * (ops.concat(norms) + logs) + np.log(model.priors_)


CLASSES: dict[str, Stripper] = {
    "LinearDiscriminantAnalysis": LinearDiscriminantAnalysis(),
    "QuadraticDiscriminantAnalysis": QuadraticDiscriminantAnalysis(),
}
