"""`sklearn.naive_bayes`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator, logsumexp
from sclbl.strippers.sklearn.preprocessing_bins import binarized
from sclbl.strippers.sklearn.steps import steps


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
        with np.errstate(divide="ignore"):  # a prior of 0
            priors = np.log(model.class_prior_)
        return ops.concat(
            [
                (-0.5 * np.sum(np.log(2.0 * np.pi * v)) - 0.5 * np.sum((x - t) ** 2 / v, axis=1))
                + prior
                for prior, t, v in zip(priors, model.theta_, model.var_, strict=True)
            ]
        )


class MultinomialNB(JointLikelihood):
    takes_sparse = True

    @once
    def joint(self, model: Any, x: Any) -> Any:
        return x @ model.feature_log_prob_.T + model.class_log_prior_


class ComplementNB(JointLikelihood):
    """The prior counts where there is one class alone."""

    takes_sparse = True

    @once
    def joint(self, model: Any, x: Any) -> Any:
        joint = x @ model.feature_log_prob_.T
        return joint + model.class_log_prior_ if len(model.classes_) == 1 else joint


class BernoulliNB(JointLikelihood):
    takes_sparse = True

    def rows(self, model: Any, x: Any) -> Any:
        checked: Any = super().rows(model, x)
        if model.binarize is None:
            return checked
        return binarized(checked, model.binarize)

    @once
    def joint(self, model: Any, x: Any) -> Any:
        absent = np.log(1 - np.exp(model.feature_log_prob_))
        joint = x @ (model.feature_log_prob_ - absent).T
        return joint + (model.class_log_prior_ + absent.sum(axis=1))


class CategoricalNB(JointLikelihood):
    """Values are numbers of categories, whose fraction is cut off."""

    def rows(self, model: Any, x: Any) -> Any:
        checked: Any = super().rows(model, x).astype(np.float64)
        known = np.array([table.shape[1] for table in model.feature_log_prob_], dtype=np.float64)
        return ops.refuse_outside(checked, np.nextafter(-1.0, 0), np.nextafter(known, 0))

    @once
    def joint(self, model: Any, x: Any) -> Any:
        tables = [table.T for table in model.feature_log_prob_]
        edges = [np.arange(1, len(table)) for table in tables]
        return steps(x, edges, tables, added=True) + model.class_log_prior_


CLASSES = {
    "BernoulliNB": BernoulliNB(),
    "CategoricalNB": CategoricalNB(),
    "ComplementNB": ComplementNB(),
    "GaussianNB": GaussianNB(),
    "MultinomialNB": MultinomialNB(),
}
