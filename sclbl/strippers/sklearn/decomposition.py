"""`sklearn.decomposition`: principal components, and the table of the other files of this name."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn import decomposition_iterative as iterative
from sclbl.strippers.sklearn import decomposition_linear as linear
from sclbl.strippers.sklearn.decomposition_coding import SparseCoding
from sclbl.strippers.sklearn.decomposition_kernel import KernelPCA
from sclbl.strippers.sklearn.estimator import Estimator, transformed


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
        if not _well_conditioned(model):
            raise linear.badly_conditioned(model)
        return linear.likelihood(model, x)

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        components = model.components_
        given = transformed(model, x, len(components), to_float=True)
        if model.whiten:
            components = np.sqrt(model.explained_variance_[:, np.newaxis]) * components
        return given @ components + model.mean_


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
    return smallest > 0 and float(variances.max()) / smallest <= linear.LARGEST_CONDITION


CLASSES: dict[str, Stripper] = {
    "DictionaryLearning": SparseCoding(),
    "FactorAnalysis": linear.FactorAnalysis(),
    "FastICA": linear.FastICA(),
    "IncrementalPCA": PrincipalComponents(),
    "KernelPCA": KernelPCA(),
    "LatentDirichletAllocation": iterative.LatentDirichletAllocation(),
    "MiniBatchDictionaryLearning": SparseCoding(),
    "MiniBatchNMF": iterative.MiniBatchNMF(),
    "MiniBatchSparsePCA": linear.SparsePCA(),
    "NMF": iterative.NMF(),
    "PCA": PrincipalComponents(),
    "SparseCoder": SparseCoding(),
    "SparsePCA": linear.SparsePCA(),
    "TruncatedSVD": linear.TruncatedSVD(),
}
