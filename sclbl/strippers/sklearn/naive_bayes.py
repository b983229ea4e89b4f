"""`sklearn.naive_bayes`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator, logsumexp


class JointLikelihood(Estimator):
    """`_BaseNB`: the class whose joint log likelihood with X is largest."""

    def joint(self, model: Any, x: Any) -> Any:
        """Return the logarithm of ``P(class) P(X | class)``, ``[rows, classes]``."""
        raise NotImplementedError

    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        return ops.labels(np.argmax(self.joint(model, x), axis=1), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        return np.exp(self.predict_log_proba(model, x))

    @method
    def predict_log_proba(self, model: Any, x: Wire) -> Any:
        joint = self.joint(model, x)
        return joint - logsumexp(joint)


class GaussianNB(JointLikelihood):
    @once
    def joint(self, model: Any, x: Any) -> Any:
        return ops.concat(
            [
                (-0.5 * np.sum(np.log(2.0 * np.pi * v)) - 0.5 * np.sum((x - t) ** 2 / v, axis=1))
                + np.log(p)
                for p, t, v in zip(model.class_prior_, model.theta_, model.var_, strict=True)
            ]
        )


CLASSES = {"GaussianNB": GaussianNB()}
