"""`sklearn.mixture`: logarithms of weighted Gaussian densities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator, logsumexp


class GaussianMixture(Estimator):
    """`BaseMixture`; X keeps its type, and full and tied covariances write distances in it."""

    @once
    def weighted(self, model: Any, x: Any) -> Any:
        """Return ``log P(X | component) + log weight``, ``[rows, components]``."""
        return _log_gaussian(model, x) + np.log(model.weights_)

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return np.argmax(self.weighted(model, x), axis=1)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        weighted = self.weighted(model, x)
        return np.exp(weighted - logsumexp(weighted))

    @method
    def score_samples(self, model: Any, x: Wire) -> Any:
        return logsumexp(self.weighted(model, x))[:, 0]


class BayesianGaussianMixture(GaussianMixture):
    @once
    def weighted(self, model: Any, x: Any) -> Any:
        from scipy.special import digamma

        columns, freedom = x.width, model.degrees_of_freedom_
        log_gauss = _log_gaussian(model, x) - 0.5 * columns * np.log(freedom)
        halves = 0.5 * (freedom - np.arange(0, columns)[:, np.newaxis])
        log_lambda = columns * np.log(2.0) + np.sum(digamma(halves), 0)
        log_prob = log_gauss + 0.5 * (log_lambda - columns / model.mean_precision_)
        return log_prob + model._estimate_log_weights()


def _log_gaussian(model: Any, x: Any) -> Any:
    """`_estimate_log_gaussian_prob`."""
    from sklearn.mixture._gaussian_mixture import _compute_log_det_cholesky

    kind, means, roots = model.covariance_type, model.means_, model.precisions_cholesky_
    columns = means.shape[1]
    log_det = _compute_log_det_cholesky(roots, kind, columns)
    if kind in ("full", "tied"):
        own = roots if kind == "full" else [roots] * len(means)
        distances = [
            np.sum(((x @ root) - (mean @ root)) ** 2, axis=1)
            for mean, root in zip(means, own, strict=True)
        ]
        squared: Any = ops.concat(distances).astype(x.numbers)
    elif kind == "diag":
        precisions = roots**2
        squared = np.sum(means**2 * precisions, axis=1) - 2.0 * (x @ (means * precisions).T)
        squared = squared + x**2 @ precisions.T
    else:
        precisions = roots**2
        squared = np.sum(means**2, axis=1) * precisions - 2 * (x @ means.T * precisions)
        squared = squared + ops.sum_in_order(x * x, keepdims=True) * precisions
    return -0.5 * (columns * math.log(2 * math.pi) + squared) + log_det


CLASSES: dict[str, Stripper] = {
    "BayesianGaussianMixture": BayesianGaussianMixture(),
    "GaussianMixture": GaussianMixture(),
}
