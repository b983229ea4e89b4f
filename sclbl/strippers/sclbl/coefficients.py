"""`sclbl.coefficients`: a regression as a table, the inverse link of its linear predictor."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Table, Wire

#: The inverses of links (`sclbl.coefficients.LINKS`).
_INVERSES: dict[str, Any] = {
    "identity": lambda z: z,
    "log": np.exp,
    "logit": ops.sigmoid,
    "probit": lambda z: ops.operator("sclbl.NormCdf", z),
    "cauchy": lambda z: 0.5 + np.arctan(z) / np.pi,
    "cloglog": lambda z: 1 - np.exp(-np.exp(z)),
    "loglog": lambda z: np.exp(-np.exp(-z)),
    "logc": lambda z: 1 - np.exp(z),
    "inverse": lambda z: np.reciprocal(z),
    "inverse_squared": lambda z: np.reciprocal(np.sqrt(z)),
    "sqrt": lambda z: z * z,
}


class Coefficients(Stripper):
    def check(self, model: Any) -> None:
        model.check()

    def coefficients(self, model: Any) -> Any:
        return model

    def columns(self, model: Any) -> tuple[str, ...]:
        return tuple(model.columns)

    def names(self, model: Any) -> tuple[str, ...]:
        return tuple(model.columns)

    @once
    def linear(self, model: Any, x: Table) -> Wire:
        """Return the linear predictor."""
        held: dict[Any, Any] = {}
        z: Any = None
        for factors, number in model.terms:
            value: Any = None
            for factor in factors:
                if factor not in held:
                    held[factor] = self._factor(model, x, factor)
                value = held[factor] if value is None else value * held[factor]
            z = value * number if z is None else z + value * number
        return z + model.constant if model.constant else z  # type: ignore[no-any-return]

    def _factor(self, model: Any, x: Table, factor: Any) -> Any:
        column = x.select([x.names.index(factor.column)])
        if factor.level is None:
            return ops.refuse(column.matrix("float64", model=model), nan=True)
        levels = model.levels[factor.column]
        found = x.builder.lookup(
            column.text(model=model), levels, values=[int(held == factor.level) for held in levels]
        )
        return x.builder.refuse_unknown(found).astype(np.float64)

    @method
    def predict(self, model: Any, x: Table) -> Any:
        return _INVERSES[model.link](self.linear(model, x))

    @method
    def predict_linear(self, model: Any, x: Table) -> Any:
        return self.linear(model, x)


CLASSES = {"Coefficients": Coefficients()}
