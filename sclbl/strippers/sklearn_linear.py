"""scikit-learn's linear regressors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_rows import affine, require_fitted, validated


class LinearRegressor:
    """``X @ coef_.T + intercept_``: `sklearn.linear_model._base.LinearModel.predict`.

    X keeps its type, so float32 rows meet float32 coefficients in float32, and float64
    coefficients in float64.
    """

    def methods(self, model: Any) -> tuple[str, ...]:
        """Return ``predict``; raise `NotFittedError` for an unfitted model."""
        require_fitted(model)
        return ("predict",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write ``predict``: ``[rows, targets]``, float32 or float64."""
        require_fitted(model)
        rows = validated(model, x, build)
        return {"predict": affine(build, rows, model, model.coef_, model.intercept_)}


class GeneralizedLinearRegressor:
    """`sklearn.linear_model._glm.glm._GeneralizedLinearRegressor.predict`: the inverse link."""

    def methods(self, model: Any) -> tuple[str, ...]:
        """Return ``predict``; raise `UnsupportedModelError` for a link that is not log or identity.

        The link is the one that was fitted, whatever the parameters say now.
        """
        require_fitted(model)
        link = self._link(model)
        if link not in ("LogLink", "IdentityLink"):
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted with the link {link}, which has no stripper; "
                'fit it with link="log" or link="identity"'
            )
        return ("predict",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write ``predict``: ``[rows, 1]``, float32 or float64."""
        self.methods(model)
        rows = validated(model, x, build, to_float=True)
        raw = affine(build, rows, model, model.coef_, model.intercept_)
        return {"predict": build.unary("Exp", raw) if self._link(model) == "LogLink" else raw}

    @staticmethod
    def _link(model: Any) -> str:
        return type(model._base_loss.link).__name__


LINEAR_REGRESSOR = LinearRegressor()
GENERALIZED_LINEAR_REGRESSOR = GeneralizedLinearRegressor()
