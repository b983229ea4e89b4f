"""scikit-learn's principal components."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_rows import Validated, float_type, in_place, require_fitted, validated

#: The log-likelihood is a quadratic form in the precision matrix; summing it in another order may
#: change it by about the machine epsilon times this condition number.
_LARGEST_CONDITION = 1e4


class Projection:
    """`sklearn.decomposition._base._BasePCA.transform`: project, then subtract the projected mean.

    The projected mean is computed here, once, by the source's own expression.
    """

    def methods(self, model: Any) -> tuple[str, ...]:
        """Return what the fitted model offers.

        Raises
        ------
        NotFittedError
            Where the model is not fitted.
        UnsupportedModelError
            Where it keeps no component.
        """
        require_fitted(model)
        if len(model.components_) == 0:
            raise UnsupportedModelError(
                f"{type(model).__name__} keeps no component, so transform results in no columns; "
                "fit it with n_components of 1 or more"
            )
        return ("transform",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write ``transform`` ``[rows, components]`` and ``score_samples`` ``[rows, 1]``."""
        self.methods(model)
        rows = validated(model, x, build, to_float=True)
        results: dict[str, Wire | Table] = {}
        if "transform" in methods:
            results["transform"] = build.wire_table(self._project(model, rows, build))
        if "score_samples" in methods:
            results["score_samples"] = self._likelihood(model, rows, build)
        return results

    def _project(self, model: Any, rows: Validated, build: Builder) -> Wire:
        components = model.components_
        dtype = rows.beside(components.dtype, model)
        projected = build.matmul(build.cast(rows.wire, dtype), components.T)
        if model.mean_ is not None:
            center = np.reshape(model.mean_, (1, -1)) @ components.T
            projected = in_place(build, "Sub", projected, center, model)
        if model.whiten:
            scale = np.sqrt(model.explained_variance_)
            scale = np.maximum(scale, np.finfo(scale.dtype).eps)
            projected = in_place(build, "Div", projected, scale, model)
        return projected

    def _likelihood(self, model: Any, rows: Validated, build: Builder) -> Wire:
        """Write `PCA.score_samples` (Bishop, 12.2.1): the Gaussian log-likelihood of each row."""
        from sklearn.utils.extmath import fast_logdet

        precision = model.get_precision()
        first = rows.beside(model.mean_.dtype, model)
        centered = build.sub(build.cast(rows.wire, first), model.mean_)
        second = float_type(np.result_type(np.dtype(first), precision.dtype), model)
        product = build.matmul(build.cast(centered, second), precision)
        terms = build.mul(build.cast(centered, second), product)
        likelihood = build.mul(build.reduce("ReduceSum", terms), -0.5)
        constant = 0.5 * (rows.wire.width * math.log(2.0 * np.pi) - fast_logdet(precision))
        return in_place(build, "Sub", likelihood, np.asarray(constant), model)


class PrincipalComponents(Projection):
    """`PCA`: also the log-likelihood, on request, because it adds a square matrix to a program.

    With a badly conditioned covariance, rounding alone decides the digits of ``score_samples``,
    and no other program reproduces them; it is refused then.
    """

    def optional(self, model: Any) -> tuple[str, ...]:
        """Return ``score_samples``."""
        return ("score_samples",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write ``transform`` ``[rows, components]`` and ``score_samples`` ``[rows, 1]``.

        Raises
        ------
        UnsupportedModelError
            Where ``score_samples`` is asked of a badly conditioned model.
        """
        if "score_samples" in methods and not self._well_conditioned(model):
            raise UnsupportedModelError(
                f"{type(model).__name__}.score_samples inverts a covariance whose condition number "
                f"is above {_LARGEST_CONDITION:g}, so its digits depend on the order of "
                "summation; leave score_samples out of methods, or scale the columns and fit with "
                "fewer components"
            )
        return super().strip(model, x, build, methods)

    @staticmethod
    def _well_conditioned(model: Any) -> bool:
        """Judge by the eigenvalues of the model's covariance, without inverting it.

        They are the explained variances and, where components were left out, the noise. A
        component no larger than the noise makes the source divide by zero.
        """
        variances, noise = model.explained_variance_, float(model.noise_variance_)
        smallest = float(variances.min())
        if len(variances) < model.n_features_in_:
            if smallest <= noise:
                return False
            smallest = noise
        return smallest > 0 and float(variances.max()) / smallest <= _LARGEST_CONDITION


PROJECTION = Projection()
PRINCIPAL_COMPONENTS = PrincipalComponents()
