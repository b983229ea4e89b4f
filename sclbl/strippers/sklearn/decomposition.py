"""`sklearn.decomposition`: principal components."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.sklearn.estimator import Estimator

#: The log-likelihood is a quadratic form in the precision matrix; summing it in another order may
#: change it by about the machine epsilon times this condition number.
_LARGEST_CONDITION = 1e4


class PrincipalComponents(Estimator):
    """`_BasePCA`: project, then subtract the projected mean, which is computed here, once.

    The log-likelihood (PCA alone has it) adds a square matrix to a program. With a badly
    conditioned covariance, rounding alone decides its digits, and no other program reproduces
    them; it is refused then.
    """

    dtype = "float"
    makes_dense = True

    def check(self, model: Any) -> None:
        if len(model.components_) == 0:
            raise UnsupportedModelError(
                f"{type(model).__name__} keeps no component, so transform results in no columns; "
                "fit it with n_components of 1 or more"
            )

    @method
    def transform(self, model: Any, x: Any) -> Any:
        projected = x @ model.components_.T
        if model.mean_ is not None:
            projected -= np.reshape(model.mean_, (1, -1)) @ model.components_.T
        if model.whiten:
            scale = np.sqrt(model.explained_variance_)
            projected /= np.maximum(scale, np.finfo(scale.dtype).eps)
        return projected

    @method(on_request=True)
    def score_samples(self, model: Any, x: Any) -> Any:
        """Write the Gaussian log-likelihood of each row (Bishop, 12.2.1)."""
        from sklearn.utils.extmath import fast_logdet

        if not _well_conditioned(model):
            raise UnsupportedModelError(
                f"{type(model).__name__}.score_samples inverts a covariance whose condition number "
                f"is above {_LARGEST_CONDITION:g}, so its digits depend on the order of "
                "summation; leave score_samples out of methods, or scale the columns and fit with "
                "fewer components"
            )
        precision = model.get_precision()
        centered = x - model.mean_
        likelihood = ops.sum_in_order(centered * (centered @ precision)) * -0.5
        likelihood -= 0.5 * (x.width * math.log(2.0 * np.pi) - fast_logdet(precision))
        return likelihood


def _well_conditioned(model: Any) -> bool:
    """Judge by the eigenvalues of the model's covariance, without inverting it.

    They are the explained variances and, where components were left out, the noise. A component no
    larger than the noise makes the source divide by zero.
    """
    variances, noise = model.explained_variance_, float(model.noise_variance_)
    smallest = float(variances.min())
    if len(variances) < model.n_features_in_:
        if smallest <= noise:
            return False
        smallest = noise
    return smallest > 0 and float(variances.max()) / smallest <= _LARGEST_CONDITION


CLASSES = {"IncrementalPCA": PrincipalComponents(), "PCA": PrincipalComponents()}
